# SPDX-License-Identifier: GPL-2.0-or-later
"""b4 itself runs the checks and reads the comments: its own functions and its own command line, on the example."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reviewer.commands.demo import make_example
from reviewer.mail.agentnotes import IDENTITY
from tests.conftest import ROOT
from tests.inbox import Inbox, split_mboxrd
from tests.repos import fingerprint, git

BRANCH = "b4/review/doorbell"
FILE = "drivers/misc/doorbell.c"
CHECK = f"{shlex.quote(sys.executable)} -m reviewer b4-check"
IDS = [f"20250311143320.81-{number}-ada@example.org" for number in (1, 2, 3, 4)]

# What b4's own terminal program does, without the terminal. The words behind are files and commands.
MAKE = """\
import email, sys, b4
from b4.review import _review
b4.setup_config(b4.argparse.Namespace(config={}))
mails = [email.message_from_bytes(open(name, 'rb').read(), policy=b4.emlpolicy) for name in sys.argv[2:]]
series = _review._get_lore_series(mails)
_review.create_review_branch('.', sys.argv[1], 'base', series, '', 'https://example.org/%s')
"""
TAKE_OVER = """\
import json, sys, b4
from b4.review import _review
b4.setup_config(b4.argparse.Namespace(config={}))
branch = sys.argv[1]
cover, tracking = _review.load_tracking('.', branch)
first = tracking['series']['first-patch-commit']
commits = b4.git_run_command('.', ['rev-list', '--reverse', f'{first}~1..{branch}~1'])[1].split()
found = _review._integrate_agent_reviews('.', cover, tracking, commits, tracking['patches'], branch=branch)
print(json.dumps([found, tracking['series'].get('reviews'), [p.get('reviews') for p in tracking['patches']]]))
"""
RUN_CHECKS = """\
import email, json, sys, b4
from b4.review import checks
b4.setup_config(b4.argparse.Namespace(config={}))
mails = [email.message_from_bytes(open(name, 'rb').read(), policy=b4.emlpolicy) for name in sys.argv[2:]]
environment = {'B4_TRACKING_FILE': sys.argv[1]} if sys.argv[1] else None
commands, _ = checks.load_check_cmds()
pairs = [(m['Message-ID'].strip('<>'), m) for m in mails]
told = checks.run_perpatch_checks(pairs, commands, '.', extra_env=environment)
print(json.dumps(told))
"""
LIST_COMMANDS = """\
import b4
from b4.review import checks
b4.setup_config(b4.argparse.Namespace(config={}))
print(checks.load_check_cmds()[0])
"""


def run(tree: Path, *words: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, words)),
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        **more,
    )


def b4(tree: Path, script: str, *words: str | Path) -> str:
    done = run(tree, sys.executable, "-c", script, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def reviewer(tree: Path, *words: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    return run(tree, sys.executable, "-m", "reviewer", *words, **more)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The example's repository, with its mails beside it as 0.eml (the cover letter) to 3.eml."""
    tree, mail = make_example(tmp_path / "example")
    for number, message in enumerate(split_mboxrd(mail.read_bytes())[:4]):
        (tree.parent / f"{number}.eml").write_bytes(message)
    git(tree, "config", "core.abbrev", "12")
    git(tree, "config", "b4.review-perpatch-check-cmd", CHECK)
    return tree


@pytest.fixture
def branch(tree: Path) -> Path:
    """The same with a branch of b4 review, checked out, made by b4."""
    git(tree, "branch", "base")
    git(tree, "checkout", "--quiet", "-b", "applied")
    git(tree, "am", "--quiet", *(str(tree.parent / f"{number}.eml") for number in (1, 2, 3)))
    git(tree, "fetch", "--quiet", ".", "applied")
    git(tree, "checkout", "--quiet", "base")
    b4(tree, MAKE, BRANCH, *mails(tree, 0, 1, 2, 3))
    git(tree, "branch", "-D", "applied")
    return tree


def mails(tree: Path, *numbers: int) -> list[Path]:
    return [tree.parent / f"{number}.eml" for number in numbers]


def test_comments_are_taken_over_by_b4_at_their_lines(branch: Path) -> None:
    tip = git(branch, "rev-parse", "HEAD")
    before = fingerprint(branch)
    done = reviewer(branch, "b4-review")
    assert (done.returncode, done.stderr) == (1, "")
    folder = branch / ".git" / "b4-review" / tip
    assert f"Comments for b4 in {folder}" in done.stdout
    after = {name: value for name, value in fingerprint(branch).items() if not name.startswith(".git/b4-review")}
    assert after == before
    assert (folder / "identity.txt").read_text() == f"{IDENTITY}\n"
    found, series, patches = json.loads(b4(branch, TAKE_OVER, BRANCH))
    (address,) = series
    assert found
    assert "nothing was built or run" in series[address]["note"]
    assert not folder.exists()
    comments = patches[0][address]["comments"]
    lines = git(branch, "show", f"{BRANCH}~3:{FILE}").split("\n")
    for comment in comments:
        assert comment["path"] == f"b/{FILE}"
        assert lines[comment["line"] - 1] == comment["content"][1:]
    (asked,) = [comment for comment in comments if "kzalloc(GFP_KERNEL)" in comment["text"]]
    assert asked["content"] == "+\t\twaiter = kzalloc(sizeof(*waiter), GFP_KERNEL);"
    assert "doorbell_interrupt()" in asked["text"]
    assert not any(line.startswith(">") for comment in comments for line in comment["text"].split("\n"))


def test_a_series_with_nothing_to_say_gets_no_folder(branch: Path) -> None:
    done = reviewer(branch, "b4-review", BRANCH, "--checks", "srcu-*")
    assert done.returncode == 0, done.stderr
    assert "there is nothing to say" in done.stdout
    assert not (branch / ".git" / "b4-review").exists()


def test_comments_of_somebody_else_stay_and_own_ones_are_replaced(branch: Path) -> None:
    folder = branch / ".git" / "b4-review" / git(branch, "rev-parse", "HEAD")
    folder.mkdir(parents=True)
    (folder / "identity.txt").write_text("Max <max@example.net>\n")
    done = reviewer(branch, "b4-review")
    assert done.returncode == 3
    assert "those of Max <max@example.net>, which b4 has not taken over" in done.stderr
    assert [path.name for path in folder.iterdir()] == ["identity.txt"]
    (folder / "identity.txt").write_text(f"{IDENTITY}\n")
    (folder / "0009.txt").write_text("of an earlier run\n")
    assert reviewer(branch, "b4-review").returncode == 1
    assert not (folder / "0009.txt").exists()
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_where_b4_would_not_look_is_said(branch: Path, tmp_path: Path) -> None:
    git(branch, "checkout", "--quiet", "base")
    git(branch, "worktree", "add", "--quiet", str(tmp_path / "linked"), BRANCH)
    done = reviewer(tmp_path / "linked", "b4-review")
    assert done.returncode == 3
    assert "is a linked work tree, where b4 0.16 reads none" in done.stderr
    done = reviewer(branch, "b4-review")
    assert done.returncode == 3
    assert "looked for the data of b4 review in the last commit of HEAD: there is none" in done.stderr
    # From the main work tree the branch need not be checked out.
    assert reviewer(branch, "b4-review", BRANCH).returncode == 1
    assert json.loads(b4(branch, TAKE_OVER, BRANCH))[0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"series": [], "patches": {}}', "another form"),
        ('{"series": {"first-patch-commit": "--all"}, "patches": []}', "names no commit"),
        ('{"series": {"base-commit": "deadbeef"}, "patches": []}', "names no commit in"),
    ],
)
def test_data_that_b4_did_not_write_is_refused(tree: Path, text: str, told: str) -> None:
    git(tree, "commit", "--quiet", "--allow-empty", "-m", f"Cover\n\n--- b4-review-tracking ---\n{text}")
    done = reviewer(tree, "b4-review")
    assert done.returncode == 3
    assert told in done.stderr


def test_as_agent_of_b4_findings_are_no_failure(branch: Path) -> None:
    done = reviewer(branch, "b4-review", "--agent", "Read and execute the prompt from /x/MAINTAINERS")
    assert done.returncode == 0
    assert (branch / ".git" / "b4-review" / git(branch, "rev-parse", "HEAD") / "0001.txt").exists()


def verdicts(tree: Path, *numbers: int, tracking: str | Path = "") -> list[dict[str, str]]:
    told = json.loads(b4(tree, RUN_CHECKS, tracking, *mails(tree, *numbers)))
    return [entry for number in numbers for entry in told[IDS[number]]]


def test_b4_review_runs_the_check_on_the_commits_of_its_branch(branch: Path, tmp_path: Path) -> None:
    _, tracking = git(branch, "log", "-1", "--format=%B").split("--- b4-review-tracking ---\n")
    (tmp_path / "tracking.json").write_text("\n".join(tracking.split("\n")[1:]))
    git(branch, "checkout", "--quiet", "base")
    found = verdicts(branch, 1, 2, 3, tracking=tmp_path / "tracking.json")
    assert [(entry["tool"], entry["status"]) for entry in found] == [
        ("reviewer", "fail"),
        ("reviewer", "fail"),
        ("reviewer", "pass"),
    ]
    assert found[2]["summary"] == "nothing found"
    details = json.loads(found[0]["details"])
    assert {entry["status"] for entry in details} <= {"fail", "warn"}
    assert any(f"{FILE}:64: in doorbell_complete()" in entry["description"] for entry in details)
    # The same with the branch checked out and no word of b4 about it.
    git(branch, "checkout", "--quiet", BRANCH)
    assert verdicts(branch, 1, 2, 3) == found


def test_without_the_series_later_patches_are_judged_with_a_doubt(tree: Path) -> None:
    git(tree, "config", "reviewer.offline", "true")
    first, second = verdicts(tree, 1, 2)
    assert (first["status"], "without" in first["summary"]) == ("fail", False)
    assert second["status"] == "warn"
    assert "judged without the patch before it" in second["summary"] or "does not apply" in second["summary"]


def test_the_other_patches_come_from_the_archive(tree: Path, inbox: Inbox) -> None:
    inbox.add([path.read_bytes() for path in mails(tree, 0, 1, 2, 3)])
    git(tree, "config", "reviewer.lore", inbox.url)
    found = verdicts(tree, 1, 2, 3)
    assert [(entry["status"], entry["summary"]) for entry in found] == [
        ("fail", "2 bugs"),
        ("fail", "2 bugs"),
        ("pass", "nothing found"),
    ]


def test_b4_am_shows_a_line_for_each_warning(tree: Path) -> None:
    git(tree, "config", "b4.am-perpatch-check-cmd", f"{CHECK} --am")
    git(tree, "config", "reviewer.offline", "true")
    before = fingerprint(tree)
    mbox = tree.parent / "doorbell.mbox"
    done = run(tree, "b4", "--offline-mode", "am", "--check", "-m", mbox, "-o", tree.parent / "out")
    assert done.returncode == 0, done.stderr
    said = done.stderr + done.stdout
    name = Path(sys.executable).name
    assert f"{name}: ERROR: {FILE}:64: in doorbell_complete(): " in said
    assert "Exited with error code" not in said
    assert fingerprint(tree) == before


def test_a_mail_without_a_patch_is_no_finding(tree: Path) -> None:
    for words in ((), ("--am",)):
        done = reviewer(tree, "b4-check", *words, input="From: a@b\nSubject: Hi\nMessage-ID: <x@y>\n\nHello.\n")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_could_not_be_done_is_said_where_b4_reads(tmp_path: Path, tree: Path) -> None:
    (tmp_path / "nothing").mkdir()
    mail = mails(tree, 1)[0].read_text()
    done = reviewer(tmp_path / "nothing", "b4-check", input=mail)
    assert (done.returncode, done.stderr) == (3, "")
    (entry,) = json.loads(done.stdout)
    assert (entry["status"], entry["summary"][:12]) == ("fail", "not checked:")
    done = reviewer(tmp_path / "nothing", "b4-check", "--am", input=mail)
    assert done.stdout.startswith("WARNING: not checked: ")
    assert done.stdout.count("\n") == 1


def test_setup_prints_lines_that_b4_understands(tree: Path) -> None:
    git(tree, "config", "--unset", "b4.review-perpatch-check-cmd")
    before = fingerprint(tree)
    done = reviewer(tree, "b4-setup")
    assert fingerprint(tree) == before
    lines = [line for line in done.stdout.split("\n") if line and not line.startswith("#")]
    assert [line.split()[:4] for line in lines] == [
        ["git", "config", "--add", "b4.review-perpatch-check-cmd"],
        ["git", "config", "--add", "b4.am-perpatch-check-cmd"],
    ]
    for line in lines:
        git(tree, *shlex.split(line)[1:])
    assert "b4-check" in b4(tree, LIST_COMMANDS)
