# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line as a shell sees it: stdout, stderr and the exit status."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from reviewer import __version__
from reviewer.cli import main
from reviewer.commands import check
from reviewer.commands.demo import make_example
from reviewer.errors import (
    CheckError,
    DraftError,
    FetchError,
    NotFoundError,
    RepositoryError,
    ReviewerError,
    SeriesError,
    UsageError,
)
from tests.conftest import ROOT

COMMANDS = ("review", "check", "drafts", "rules", "index", "hook", "doctor", "demo")
SUBJECT = "misc: doorbell: Remember tokens that ring early"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The example's repository, with its series applied as commits on the branch ``applied``, and its mail."""
    tree, mail = make_example(tmp_path_factory.mktemp("example"))
    git(tree, "switch", "-q", "-c", "applied")
    for number, mail_text in enumerate(mail.read_text().split("From mboxrd@z ")[2:5], 1):
        patch = tree.parent / f"{number}.patch"
        patch.write_text(f"From mboxrd@z {mail_text}")
        git(tree, "am", "-q", str(patch))
    git(tree, "switch", "-q", "master")
    return tree, mail


def git(tree: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(tree), *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def reviewer(*words: str | Path, stdin: bytes = b"", **options: object) -> subprocess.CompletedProcess[bytes]:
    """Run the program as a user would, in a process of its own."""
    command = [sys.executable, "-m", "reviewer", *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, input=stdin, capture_output=True, check=False, env=environment, **options)  # type: ignore[call-overload, no-any-return]


def raising(error: BaseException) -> Callable[..., int]:
    def run(*_: object) -> int:
        raise error

    return run


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"reviewer {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"usage: reviewer {command}")
    assert said.err == ""


@pytest.mark.parametrize(
    "words",
    [[], ["nonsense"], ["check"], ["review"], ["check", "HEAD", "--nonsense"], ["check", "HEAD", "--format", "html"]],
    ids=" ".join,
)
def test_usage_errors(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "usage: reviewer" in said.err


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["chek", "HEAD"], "check"),
        (["--versoin"], "--version"),
        (["check", "HEAD", "--formt=json"], "--format"),
        (["check", "HEAD", "--fromat", "json"], "--format"),
        (["check", "HEAD", "--format", "jsn"], "json"),
        (["check", "HEAD", "--severity", "bugs"], "bug"),
        (["hook", "instal"], "install"),
    ],
)
def test_a_word_that_is_nearly_right_is_guessed(
    words: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    said = capsys.readouterr().err
    assert f"; did you mean {meant}?\n" in said
    command = " ".join(["reviewer", *words[: words[0] in COMMANDS]])
    assert said.splitlines()[-1] == f"{command} --help says more"


@pytest.mark.parametrize(
    "words", [["zzz"], ["check", "--base"], ["check", "HEAD", "--frobnicate"], ["review", "--base"]]
)
def test_nothing_is_guessed_where_nothing_is_near(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert "did you mean" not in capsys.readouterr().err


def test_a_range_of_commits_is_not_mail(example: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["review", "HEAD~1..", "--repo", str(example[0])]) == 3
    assert "commits are reviewed with: reviewer check HEAD~1..\n" in capsys.readouterr().err
    for word, meant in (
        ("HEAD~1", "HEAD~1.."),
        ("HEAD", "HEAD~1.."),
        ("v6.1^", "v6.1^.."),
        ("1a2b3c4", "1a2b3c4~1..1a2b3c4"),
    ):
        assert main(["review", word, "--repo", str(example[0])]) == 3
        assert f"commits are reviewed with: reviewer check {meant}\n" in capsys.readouterr().err
    assert main(["review", "lost.mbox", "--repo", str(example[0])]) == 3
    assert "nor a URL; check the spelling\n" in capsys.readouterr().err


def test_options_may_stand_between_arguments(
    example: tuple[Path, Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    patches = [str(example[0].parent / f"{number}.patch") for number in (1, 2)]
    assert main(["review", patches[0], "--offline", patches[1], "--repo", str(example[0])]) == 1
    assert "2 of 2 patches applied" in capsys.readouterr().out
    assert main(["drafts", "send", "--dry-run", "77", "--output", str(tmp_path)]) == 2
    assert "looked for the draft '77'" in capsys.readouterr().err
    assert main(["check", "master..applied", "--repo", str(example[0]), "applied"]) == 2
    assert "reviewer check: error: unrecognized arguments: applied\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check", "HEAD", "--severity", "grave"], "argument --severity: 'grave' is none of bug, question, nit\n"),
        (["check", "HEAD", "--checks", "rt-* !"], "argument --checks: 'rt-* !' has a '!' with nothing behind it\n"),
        (["index", "--days", "-3"], "argument --days: '-3' is not a whole number from 0 up\n"),
        (["index", "--days", "²"], "argument --days: '²' is not a whole number from 0 up\n"),
        (["review", "--revision", "v0", "x.mbox"], "argument --revision: 'v0' is not a whole number from 1 up\n"),
        (["context", "f", "--callers", "many"], "argument --callers: 'many' is not a whole number from 0 to 8\n"),
    ],
)
def test_a_value_that_makes_no_sense_is_told_with_those_that_do(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert said in capsys.readouterr().err


def test_rules_that_fit_a_pattern(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "rcu-*"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 2
    assert all(line.startswith("rcu-") for line in lines)
    assert main(["rules", "nothing-*"]) == 2
    assert "there is no check 'nothing-*'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["rules", "lock-sleep"],
            "there is no check 'lock-sleep'; reviewer rules lists them; did you mean lock-sleep-",
        ),
        (
            ["rules", "--checks", "rt-*,lock-imbalanc"],
            "no check matches 'lock-imbalanc'; `reviewer rules` lists them; did",
        ),
        (["rules", "--checks", "!*"], "'!*' leaves out every check"),
    ],
)
def test_a_check_that_is_not_there_is_said_so(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert said in capsys.readouterr().err


def test_check_finds_what_a_commit_brings(example: tuple[Path, Path]) -> None:
    done = reviewer("check", "master..applied~2", "--repo", example[0])
    text = done.stdout.decode()
    assert (done.returncode, done.stderr) == (1, b"")
    assert f"{git(example[0], 'rev-parse', '--short=12', 'applied~2')} {SUBJECT}  (2 bugs)" in text
    assert "drivers/misc/doorbell.c:64 doorbell_complete() bug introduced [lock-gfp-blocking-in-atomic]" in text
    assert "doorbell_interrupt() <- hard interrupt, request_irq()" in text
    assert "draft" not in text


def test_check_of_a_clean_commit(example: tuple[Path, Path]) -> None:
    done = reviewer("check", "applied~1..applied", "--repo", example[0])
    assert (done.returncode, done.stderr) == (0, b"")
    assert "Nothing found. 1 of 1 patch applied." in done.stdout.decode()


def test_check_of_a_range_without_commits(example: tuple[Path, Path]) -> None:
    done = reviewer("check", "master..master", "--repo", example[0], "--format", "json")
    assert done.returncode == 2
    report = json.loads(done.stdout)
    assert report["patches"] == []
    (error,) = report["errors"]
    assert (error["stage"], error["message"][:40]) == ("usage", "there is no commit in 'master..master' o")


def test_check_of_a_range_the_wrong_way_round(example: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    git(example[0], "switch", "-q", "applied")
    try:
        for wrong, said in (
            ("HEAD..HEAD~1", "HEAD~1 is older than HEAD, and the commits between the two are HEAD~1..HEAD\n"),
            ("..master", "master is older than HEAD, and the commits between the two are master..HEAD\n"),
            ("HEAD...HEAD", "nothing was reviewed; the newest commit is HEAD~1..HEAD\n"),
        ):
            assert main(["check", wrong, "--repo", str(example[0])]) == 2
            assert said in capsys.readouterr().err
        assert main(["check", "HEAD~99..", "--repo", str(example[0])]) == 3
        assert "the history of HEAD does not go back so far\n" in capsys.readouterr().err
    finally:
        git(example[0], "switch", "-q", "master")


def test_check_of_one_revision_says_how_to_name_the_one_commit(
    example: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    git(example[0], "switch", "-q", "applied")
    for revision in ("HEAD", git(example[0], "rev-parse", "--short", "HEAD")):
        assert main(["check", revision, "--repo", str(example[0])]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert f"'{revision}' alone means {revision}..HEAD, in which there is no commit" in said.err
        assert f"that one commit is {revision}~1..{revision}\n" in said.err
    git(example[0], "switch", "-q", "master")
    assert main(["check", "HEAD~1..HEAD", "--repo", str(example[0])]) == 3
    said = capsys.readouterr()
    assert "'HEAD~1' names no commit" in said.err
    assert "HEAD has no parent, and HEAD^! is that commit alone" in said.err
    assert main(["check", "HEAD^!", "--repo", str(example[0])]) == 0
    capsys.readouterr()
    assert main(["check", "HEAD", "--repo", str(example[0])]) == 2
    assert "~1" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("missing/review.html", "there is no folder missing; make it first (mkdir -p missing)"),
        (".", "--html . is a fold"),
    ],
)
def test_a_page_that_cannot_be_written_is_told_before_the_review(
    example: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    page: str,
    said: str,
) -> None:
    monkeypatch.chdir(example[0])
    monkeypatch.setattr(check, "review_range", raising(AssertionError("reviewed")))
    assert main(["check", "master..applied", "--html", page]) == 2
    assert said in capsys.readouterr().err


def test_a_series_that_is_in_the_tree_already_is_said_to_be_so_and_how_to_judge_it(
    example: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    tree, mail = example
    git(tree, "switch", "-q", "applied")
    words = ["review", str(mail), "--offline", "--repo", str(tree), "--base", "HEAD"]
    try:
        assert main(words) == 3
        said = " ".join(capsys.readouterr().out.split())
        assert said.count("/3 in the tree misc: doorbell: ") == 3
        assert "not applied" not in said
        found = re.search(r"has all of the patches already\. .* with (--base \w+~1)\.", said)
        assert found is not None
        assert main([*words, *found[1].split()]) == 1
        assert "3 of 3 patches applied" in capsys.readouterr().out
    finally:
        git(tree, "switch", "-q", "master")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&- <&-"])
def test_streams_that_are_closed(example: tuple[Path, Path], closed: str) -> None:
    words = [sys.executable, "-m", "reviewer", "check", "master..applied", "--repo", str(example[0])]
    done = subprocess.run(
        ["/bin/sh", "-c", f"{shlex.join(words)} {closed}"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")


def test_mail_without_a_patch_and_without_a_message_id_is_not_reviewed(
    example: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mail = tmp_path / "garbage.mbox"
    mail.write_text("From nobody Mon Sep 17 00:00:00 2001\ngarbage\n")
    assert main(["review", str(mail), "--offline", "--repo", str(example[0])]) == 3
    assert capsys.readouterr().out.splitlines()[:2] == ["(no subject)", "This thread is a discussion."]


def test_check_as_json_is_json_and_nothing_else(example: tuple[Path, Path]) -> None:
    done = reviewer("check", "master..applied", "--repo", example[0], "--format", "json")
    assert (done.returncode, done.stderr) == (1, b"")
    report = json.loads(done.stdout)
    assert (report["series"], report["errors"]) == (None, [])
    assert [patch["applied"] for patch in report["patches"]] == ["yes"] * 3
    assert [len(patch["findings"]) for patch in report["patches"]] == [2, 2, 0]
    assert [patch["commit"] for patch in report["patches"]] == [
        git(example[0], "rev-parse", f"applied~{back}") for back in (2, 1, 0)
    ]
    again = reviewer("check", "master..applied", "--repo", example[0], "--format", "json")
    assert again.stdout == done.stdout  # a warm cache changes nothing


def test_check_stands_in_a_repository(example: tuple[Path, Path]) -> None:
    assert reviewer("check", "applied~1..applied", cwd=example[0]).returncode == 0


def test_checks_and_severity_narrow_what_is_found(example: tuple[Path, Path]) -> None:
    only = reviewer("check", "master..applied", "--repo", example[0], "--format", "json", "--checks", "rt-*")
    found = [finding["check"] for patch in json.loads(only.stdout)["patches"] for finding in patch["findings"]]
    assert "rt-alloc-under-raw-spinlock" in found
    assert all(name.startswith("rt-") for name in found)
    bugs = reviewer("check", "master..applied", "--repo", example[0], "--format", "json", "--severity", "bug")
    levels = [finding["severity"] for patch in json.loads(bugs.stdout)["patches"] for finding in patch["findings"]]
    assert set(levels) == {"bug"}
    assert reviewer("check", "master..applied", "--repo", example[0], "--checks", "kvm-nonsense").returncode == 2


def test_an_unknown_revision(example: tuple[Path, Path]) -> None:
    done = reviewer("check", "nonsense..HEAD", "--repo", example[0])
    assert (done.returncode, done.stdout) == (3, b"")
    assert done.stderr.startswith(b"reviewer: ")
    assert b"nonsense" in done.stderr
    assert b"Traceback" not in done.stderr


def test_errors_are_data_where_data_was_asked_for(example: tuple[Path, Path]) -> None:
    done = reviewer("check", "nonsense..HEAD", "--repo", example[0], "--format", "json")
    assert done.returncode == 3
    (error,) = json.loads(done.stdout)["errors"]
    assert error["stage"] == "repository"
    assert "nonsense" in error["message"]


def test_a_range_cannot_be_an_option(example: tuple[Path, Path], tmp_path: Path) -> None:
    done = reviewer("check", "--repo", example[0], "--", f"--output={tmp_path / 'owned'}")
    assert done.returncode == 3
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("words", [["rules"], ["check", "--all", "x.c", "--repo", "/"]])
def test_a_current_directory_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert main(words) == 3
    assert capsys.readouterr().err.startswith("reviewer: looked for the current directory: it was removed; change to")


def test_no_such_repository(tmp_path: Path) -> None:
    assert reviewer("check", "HEAD", "--repo", tmp_path / "nowhere").returncode == 2
    done = reviewer("check", "HEAD", "--repo", tmp_path)
    assert done.returncode == 3
    assert str(tmp_path) in done.stderr.decode()


def test_review_of_a_file_leaves_drafts(example: tuple[Path, Path], tmp_path: Path) -> None:
    tree, mail = example
    done = reviewer("review", mail, "--repo", tree, "--output", tmp_path / "drafts")
    assert (done.returncode, done.stderr) == (1, b"")
    assert "2 drafts in " in done.stdout.decode()
    assert len(list((tmp_path / "drafts").glob("*.eml"))) == 2


def test_drafts_that_cannot_be_written_are_not_told_to_say_nothing(example: tuple[Path, Path], tmp_path: Path) -> None:
    mail = tmp_path / "forged.mbox"
    mail.write_bytes(
        re.sub(
            rb"(?m)^Subject:",
            b"Cc: =?utf-8?q?x=0ABcc=3A_e=40example=2Eorg?= <c@example.org>\nSubject:",
            example[1].read_bytes(),
        )
    )
    done = reviewer("review", mail, "--repo", example[0], "--output", tmp_path / "drafts")
    assert done.returncode == 3
    said = done.stdout.decode() + done.stderr.decode()
    assert "which is how headers are forged" in " ".join(said.split())
    assert "nothing to say" not in said
    assert not list((tmp_path / "drafts").glob("*.eml"))


def test_review_of_standard_input(example: tuple[Path, Path]) -> None:
    done = reviewer("review", "-", "--repo", example[0], "--format", "json", stdin=example[1].read_bytes())
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["series"]["message_id"] == "20250311143320.81-1-ada@example.org"
    assert report["series"]["base"]["commit"] == git(example[0], "rev-parse", "master")


def test_review_as_json_writes_drafts_only_where_it_is_told_to(example: tuple[Path, Path], tmp_path: Path) -> None:
    tree, mail = example
    assert reviewer("review", mail, "--repo", tree, "--format", "json").returncode == 1
    assert not Path(os.environ["XDG_DATA_HOME"]).exists()
    reviewer("review", mail, "--repo", tree, "--format", "json", "--output", tmp_path / "drafts")
    assert len(list((tmp_path / "drafts").glob("*.eml"))) == 2


def test_review_leaves_nothing_in_the_repository_and_no_mail_behind(example: tuple[Path, Path], tmp_path: Path) -> None:
    tree, mail = example
    before = {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}
    command = [
        sys.executable,
        "-m",
        "reviewer",
        "review",
        str(mail),
        "--repo",
        str(tree),
        "--no-cache",
        "--format=json",
    ]
    assert subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 1
    assert {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()} == before
    assert list(temporary.rglob("*")) == []
    assert [
        path for path in Path(os.environ["XDG_CACHE_HOME"]).rglob("*") if path.is_file() and path.stat().st_size
    ] == []


def test_without_an_identity_the_findings_are_shown_all_the_same(example: tuple[Path, Path], tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(example[0]), str(clone)], check=True, capture_output=True)
    Path(os.environ["GIT_CONFIG_GLOBAL"]).write_text("")
    done = reviewer("review", example[1], "--repo", clone)
    assert done.returncode == 3
    text = done.stdout.decode()
    assert "[lock-gfp-blocking-in-atomic]" in text
    assert "git config user.email" in text
    assert not Path(os.environ["XDG_DATA_HOME"]).exists()


def test_a_file_that_is_not_there(example: tuple[Path, Path]) -> None:
    done = reviewer("review", "./missing.mbox", "--repo", example[0], "--offline")
    assert done.returncode == 3
    assert b"missing.mbox" in done.stderr
    assert b"Traceback" not in done.stderr


def test_escape_sequences_of_a_commit_do_not_reach_the_terminal(example: tuple[Path, Path], tmp_path: Path) -> None:
    tree = tmp_path / "evil"
    subprocess.run(["git", "clone", "-q", str(example[0]), str(tree)], check=True, capture_output=True)
    git(tree, "commit", "-q", "--allow-empty", "-m", "\x1b]0;owned\x07\x1b[2Jsubject [red]x[/red]")
    done = reviewer("check", "HEAD~1..HEAD", "--repo", tree)
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"subject [red]x[/red]" in done.stdout


def test_a_terminal_gets_colours_and_no_color_takes_them_away(example: tuple[Path, Path]) -> None:
    def seen(**variables: str) -> bytes:
        main_end, terminal = pty.openpty()
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **variables}
        command = [sys.executable, "-m", "reviewer", "check", "applied~3..applied~2", "--repo", str(example[0])]
        with subprocess.Popen(command, stdout=terminal, stderr=subprocess.DEVNULL, env=environment) as process:
            os.close(terminal)
            output = b""
            while True:
                try:
                    block = os.read(main_end, 65536)
                except OSError:  # the other end is closed
                    break
                if not block:
                    break
                output += block
        os.close(main_end)
        assert process.returncode == 1
        return output

    assert b"\x1b[" in seen()
    assert b"\x1b" not in seen(NO_COLOR="1")


def test_a_reader_who_leaves_early_is_no_error(example: tuple[Path, Path]) -> None:
    command = [sys.executable, "-m", "reviewer", "check", "master..applied", "--repo", str(example[0])]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), said) == (1, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("kind", ["text", "json"])
def test_a_full_disk_is_an_error(example: tuple[Path, Path], kind: str) -> None:
    command = [sys.executable, "-m", "reviewer", "check", "master..applied", "--repo", str(example[0])]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*command, "--format", kind],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    assert done.returncode == 3
    assert done.stderr.decode().splitlines()[0] == "reviewer: No space left on device"
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("error", "status", "stage"),
    [
        (ReviewerError("said"), 3, "review"),
        (UsageError("said"), 2, "usage"),
        (FetchError("said"), 3, "fetch"),
        (NotFoundError("said"), 3, "fetch"),
        (SeriesError("said"), 3, "series"),
        (RepositoryError("said"), 3, "repository"),
        (CheckError("said"), 3, "checks"),
        (DraftError("said"), 3, "drafts"),
        (PermissionError(13, "said", "a/file"), 3, "system"),
        (ImportError("said"), 3, "system"),
        (RecursionError("said"), 3, "internal"),
        (ValueError("said"), 3, "internal"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_what_exceptions_mean_to_the_shell(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    example: tuple[Path, Path],
    error: Exception,
    status: int,
    stage: str,
) -> None:
    monkeypatch.setattr(check, "run", raising(error))
    words = ["check", "HEAD", "--repo", str(example[0])]
    assert main(words) == status
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("reviewer: ")
    assert len(said.err.splitlines()) == 1
    assert main([*words, "--format", "json"]) == status
    (problem,) = json.loads(capsys.readouterr().out)["errors"]
    assert problem["stage"] == stage


def test_an_internal_error_shows_its_origin_only_when_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], example: tuple[Path, Path]
) -> None:
    monkeypatch.setattr(check, "run", raising(KeyError("\x1b[2Jodd")))
    words = ["check", "HEAD", "--repo", str(example[0])]
    assert main(words) == 3
    said = capsys.readouterr().err
    assert "internal error: KeyError" in said
    assert "test_cli.py" in said
    assert "Traceback" not in said
    assert main([*words, "--debug"]) == 3
    assert "Traceback" in capsys.readouterr().err


def test_interrupted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], example: tuple[Path, Path]
) -> None:
    monkeypatch.setattr(check, "run", raising(KeyboardInterrupt()))
    assert main(["check", "HEAD", "--repo", str(example[0])]) == 130
    assert capsys.readouterr().err == "reviewer: interrupted\n"


def test_terminated_programs_clean_up(monkeypatch: pytest.MonkeyPatch, example: tuple[Path, Path]) -> None:
    left: list[Path] = []

    def run(*_: object) -> int:
        with tempfile.TemporaryDirectory() as folder:
            left.append(Path(folder))
            os.kill(os.getpid(), signal.SIGTERM)
            signal.sigtimedwait([], 0)  # let Python's handler run
        return 0

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(check, "run", run)
    with pytest.raises(SystemExit) as leaving:
        main(["check", "HEAD", "--repo", str(example[0])])
    assert leaving.value.code == 128 + signal.SIGTERM
    assert not left[0].exists()
    assert signal.getsignal(signal.SIGTERM) is before


def test_output_in_a_locale_without_the_letters(example: tuple[Path, Path]) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii", "LC_ALL": "POSIX"}
    command = [sys.executable, "-m", "reviewer", "check", "applied~3..applied~2", "--repo", str(example[0])]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"?Code that looks for an entry" in done.stdout


def test_rules_lists_and_explains(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert len(listed) == len([path for path in (ROOT / "checks").glob("*.py") if path.name != "__init__.py"])
    assert any(line.startswith("lock-gfp-blocking-in-atomic  ") for line in listed)
    assert main(["rules", "lock-gfp-blocking-in-atomic"]) == 0
    explained = capsys.readouterr().out
    assert "Documentation/core-api/memory-allocation.rst, Get Free Page flags" in explained
    assert "Wrong:\n" in explained
    places = explained.partition("Stated in:\n")[2].partition("\n\n")[0].splitlines()
    assert len(places) == len(set(places))
    assert main(["rules", "nonsense"]) == 2
