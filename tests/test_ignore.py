# SPDX-License-Identifier: GPL-2.0-or-later
"""Ignore files: what they silence, what is said of their entries, and that no patch can write its own."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from reviewer.cli import main
from reviewer.ignore import TREE_FILE, Suppressor, entries_of_tree, parse
from reviewer.model import Change, Finding, IgnoreEntry, Kernels, Severity
from tests import repos
from tests.mails import mail
from tests.memory_files import MemoryFiles

TODAY = date(2025, 6, 15)
FIXED_NAME = "drivers/a/one.c"
_GOOD = (
    "struct dev { spinlock_t lock; };\n"
    "static void low(struct dev *dev)\n{\n}\n\n"
    "void high(struct dev *dev)\n{\n\tspin_lock(&dev->lock);\n\tlow(dev);\n\tspin_unlock(&dev->lock);\n}\n"
)
_BAD = _GOOD.replace("*dev)\n{\n}\n", "*dev)\n{\n\tmsleep(1);\n}\n")
REASON = "The device sleeps\N{HORIZONTAL ELLIPSIS}"
SILENT = f"lock-sleep-in-atomic drivers/a/ -- {REASON}\n"


def finding(check: str = "lock-imbalance", path: str = FIXED_NAME, function: str = "high") -> Finding:
    return Finding(check, "locking", Severity.BUG, Kernels.ALL, Change.INTRODUCED, path, 3, function, "Held.")


def entry(line: str) -> IgnoreEntry:
    (found,), wrong = parse(line.encode(), TREE_FILE)
    assert not wrong
    return found


@pytest.mark.parametrize(
    ("line", "silenced"),
    [
        ("lock-imbalance drivers/a/one.c -- Why", True),
        ("lock-* drivers/a/one.c high() -- Why", True),
        ("* drivers/*/*.c hi*() -- Why", True),
        ("* drivers/ -- Why", True),
        ("* drivers/a/ until 2025-06-15 -- Why", True),
        ("* drivers/a/one.c high() until 2030-01-01 -- Why", True),
        ("rt-* drivers/a/one.c -- Why", False),
        ("lock-imbalance drivers/a/one.c low() -- Why", False),
        ("* drivers/* -- a wildcard stays in its part of the path", False),
        ("* drivers -- no slash: no folder", False),
        ("* drivers/a/one.c/ -- no folder", False),
        ("* a/one.c -- not from the top", False),
        ("* drivers/a/ until 2025-06-14 -- Why", False),
    ],
)
def test_what_an_entry_means(line: str, silenced: bool) -> None:
    told = Suppressor([entry(line)], TODAY).without_silenced([finding()])
    assert told == (() if silenced else (finding(),))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("lock-imbalance drivers/a/one.c", "gives no reason"),
        ("lock-imbalance drivers/a/one.c -- ", "gives no reason"),
        ("lock-imbalance drivers/a/one.c --why", "gives no reason"),
        ("lock-imbalance -- Why", "names no path"),
        ("Lock_Imbalance drivers/a/one.c -- Why", "'Lock_Imbalance' is not a glob for check ids"),
        ("* /drivers/a/one.c -- Why", "'/drivers/a/one.c' is not a path from the top of the tree"),
        ("* ../a.c -- Why", "is not a path"),
        ("* drivers//a.c -- Why", "is not a path"),
        ("* drivers/a.c high -- Why", "'high' is neither FUNCTION\\(\\) nor `until`"),
        ("* drivers/a.c hi-gh;() -- Why", "is not a glob for functions"),
        ("* drivers/a.c high() low() -- Why", "'low\\(\\)' is neither"),
        ("* drivers/a.c until tomorrow -- Why", "'tomorrow' is not a day"),
        ("* drivers/a.c until 2025-02-30 -- Why", "'2025-02-30' is not a day"),
        ("* drivers/a.c until 20250214 -- Why", "'20250214' is not a day"),
        ("* drivers/a.c until -- Why", "'' is not a day"),
        (f"* drivers/a.c -- {'why ' * 300}", "longer than 1000 characters"),
        ("* drivers/\udcff.c -- Why", "is not UTF-8"),
    ],
)
def test_a_line_that_is_no_entry_is_told_with_its_number_and_the_others_count(line: str, said: str) -> None:
    text = f"# Known.\n\n{line}\n* drivers/a/ -- Why\n".encode(errors="surrogateescape")
    entries, ((number, message),) = parse(text, TREE_FILE)
    assert [found.line for found in entries] == [4]
    assert number == 3
    with pytest.raises(ValueError, match=said):
        raise ValueError(message)


def test_a_file_of_any_size_and_with_many_mistakes_is_told_of_briefly() -> None:
    entries, problems = entries_of_tree(MemoryFiles({TREE_FILE: "* kernel/ -- Why\n" * 10_000}))
    assert entries == ()
    assert [problem.message for problem in problems] == ["holds more than 64 KiB; none of it was read"]
    entries, problems = entries_of_tree(MemoryFiles({TREE_FILE: "nonsense\n" * 50}))
    assert len(problems) == 11
    assert problems[-1].message == "and 40 more lines like these"
    assert entries_of_tree(MemoryFiles({})) == ((), ())


def test_a_glob_that_a_naive_matcher_never_finishes() -> None:
    suppressor = Suppressor([entry(f"* {'*a' * 400}b -- Why")], TODAY)
    assert len(suppressor.without_silenced([finding(path="a" * 4000)])) == 1


def test_unused_is_said_only_of_files_and_checks_that_were_looked_at() -> None:
    used, expired = entry("lock-* drivers/a/ -- Why"), entry("* drivers/a/ until 2025-01-01 -- Why")
    idle, other = entry("lock-* drivers/a/two.c -- Why"), entry("rt-* drivers/a/ -- Why")
    elsewhere, old = entry("* kernel/ -- Why"), entry("* kernel/ until 2025-01-01 -- Why")
    suppressor = Suppressor([used, expired, idle, other, elsewhere, old], TODAY)
    assert suppressor.without_silenced([finding()]) == ()
    covered = ("drivers/a/one.c", "drivers/a/two.c")
    told = suppressor.suppression(covered, ["lock-imbalance"])
    assert (told.unused, told.expired) == ((idle,), (expired,))
    assert [one.entry for one in told.silenced] == [used]
    assert suppressor.suppression(covered).unused == ()


def test_an_entry_covers_a_file_that_the_patch_renames() -> None:
    suppressor = Suppressor([entry("* drivers/a/one.c -- Why")], TODAY)
    assert suppressor.without_silenced([finding(path="lib/new.c")], 1, {"lib/new.c": FIXED_NAME}) == ()
    assert suppressor.without_silenced([finding(path="lib/new.c")], 1, {"lib/new.c": "lib/other.c"}) != ()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    where = tmp_path / "tree"
    repos.make(where, {FIXED_NAME: _GOOD, "drivers/b/two.c": _GOOD, TREE_FILE: f"# Known.\n{SILENT}"})
    return where


def check(tree: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    status = main(["check", *words, "--repo", str(tree), "--format", "json"])
    loaded: dict[str, Any] = json.loads(capsys.readouterr().out)
    return status, loaded


def test_a_silenced_finding_is_counted_and_decides_no_exit_status(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repos.make(tree, {FIXED_NAME: _BAD})
    status, report = check(tree, capsys, "HEAD~1..")
    assert (status, report["patches"][0]["findings"]) == (0, [])
    (used,) = report["silenced"]["entries"]
    assert used == {
        "file": TREE_FILE,
        "line": 2,
        "check": "lock-sleep-in-atomic",
        "path": "drivers/a/",
        "function": None,
        "until": None,
        "reason": REASON,
        "state": "used",
        "count": 1,
    }
    assert (report["silenced"]["count"], report["silenced"]["findings"]) == (1, None)
    status, report = check(tree, capsys, "HEAD~1..", "--silenced")
    (silenced,) = report["silenced"]["findings"]
    assert (status, silenced["patch"], silenced["line"]) == (0, 1, 2)
    assert silenced["finding"]["check"] == "lock-sleep-in-atomic"
    assert main(["check", "HEAD~1..", "--repo", str(tree)]) == 0
    text = capsys.readouterr().out
    assert "Nothing found; 1 silenced by .reviewer/ignore. 1 of 1 patch applied." in text
    assert "msleep" not in text
    assert main(["check", "HEAD~1..", "--repo", str(tree), "--silenced"]) == 0
    text = capsys.readouterr().out
    assert "msleep" in text
    assert f"Silenced by .reviewer/ignore:2: {REASON}" in text


def test_a_patch_cannot_silence_what_is_said_of_it(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repos.make(tree, {TREE_FILE: f"{SILENT}* drivers/b/ -- Nothing to see\n"})
    repos.make(tree, {"drivers/b/two.c": _BAD})
    status, report = check(tree, capsys, "HEAD~2..")
    assert (status, report["silenced"]["count"]) == (1, 0)
    assert len(report["patches"][1]["findings"]) == 1
    assert check(tree, capsys, "HEAD~1..")[0] == 0


def test_the_first_commit_of_all_cannot_either(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "root"
    repos.make(root, {FIXED_NAME: _BAD, TREE_FILE: SILENT})
    status, report = check(root, capsys, "HEAD^!")
    assert (status, report["silenced"]["count"]) == (1, 0)


def test_entries_that_are_in_the_work_tree_alone_are_said_to_do_nothing_yet(
    tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    repos.make(tree, {"drivers/b/two.c": _BAD})
    entry_line = "* drivers/b/ -- Known\n"
    with (tree / TREE_FILE).open("a") as file:
        file.write(entry_line)
    monkeypatch.chdir(tree / "drivers")
    status, report = check(tree, capsys, "HEAD~1..")
    (note,) = report["notes"]
    assert status == 1
    assert note.startswith(f"{TREE_FILE} in your work tree has entries that are not committed.")
    for audit in (["--all", "drivers/b"], ["--all", "drivers/b", "--format", "gcc"]):
        assert main(["check", *audit]) == 1
        said = capsys.readouterr()
        assert "has entries that are not committed" in " ".join((said.out + said.err).split())
    (command,) = re.findall(r"git add \S+ \S+ \S+ && git commit", note)
    subprocess.run(["/bin/sh", "-ec", f"{command} -qm Known"], cwd=tree, check=True)
    _, report = check(tree, capsys, "HEAD~2..HEAD~1")
    assert (
        f"{TREE_FILE} of HEAD has entries that {repos.git(tree, 'rev-parse', '--short=12', 'HEAD~2')} does"
        in report["notes"][0]
    )
    assert check(tree, capsys, "--all", "drivers/b")[1]["notes"] == []
    assert check(tree, capsys, "HEAD~1", "--all", "drivers/a")[1]["notes"] == []


def test_an_entry_for_a_check_that_does_not_exist_is_told_with_what_was_meant(
    tree: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    repos.make(tree, {"drivers/b/two.c": _BAD, TREE_FILE: "lock-slep-in-atomic drivers/b/ -- Why\nfoo-* a -- Why\n"})
    mine = tmp_path / "mine"
    mine.write_text("rt-* drivers/b/ -- A check that is switched off is one\nnix kernel/ -- None\n" + "x y -- Z\n" * 20)
    repos.git(tree, "config", "reviewer.ignoreFile", str(mine))
    _, audit = check(tree, capsys, "--all", "drivers", "--checks", "lock-*")
    assert audit["notes"][:3] == [
        f"{TREE_FILE}:1 silences nothing: no check is called 'lock-slep-in-atomic'; did you mean lock-sleep-in-atomic?",
        f"{TREE_FILE}:2 silences nothing: no check is called 'foo-*'",
        f"{mine}:2 silences nothing: no check is called 'nix'",
    ]
    assert audit["notes"][-1] == "13 more entries name no check that there is."


def test_the_users_file_counts_too(tree: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    repos.make(tree, {"drivers/b/two.c": _BAD, FIXED_NAME: _BAD})
    assert check(tree, capsys, "HEAD~1..")[0] == 1
    file = tmp_path / "mine"
    repos.git(tree, "config", "reviewer.ignoreFile", str(file))
    assert check(tree, capsys, "HEAD~1..")[0] == 1
    file.write_text("lock-* drivers/b/*.c lo*() -- Mine\n")
    assert main(["check", "HEAD~1..", "--repo", str(tree)]) == 0
    said = capsys.readouterr().out
    assert f"1 silenced by .reviewer/ignore; 1 silenced by {file}." in said
    file.write_text("\nlock-* drivers/b/*.c lo*()\n")
    assert main(["check", "HEAD~1..", "--repo", str(tree)]) == 2
    assert f"reviewer: {file}, line 2: gives no reason" in capsys.readouterr().err


def test_the_users_file_lies_in_the_configuration_folder(
    tree: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "reviewer").mkdir()
    (tmp_path / "reviewer" / "ignore").write_text("* drivers/b/ -- Mine\n")
    repos.make(tree, {"drivers/b/two.c": _BAD})
    status, report = check(tree, capsys, "HEAD~1..")
    assert (status, report["silenced"]["count"]) == (0, 1)


def test_a_broken_file_in_the_tree_is_an_error_of_the_report(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repos.make(tree, {TREE_FILE: f"\x1b[2Jlock-* drivers/b/\n{SILENT}"})
    repos.make(tree, {FIXED_NAME: _BAD, "drivers/b/two.c": _BAD})
    status, report = check(tree, capsys, "HEAD~1..")
    assert status == 3
    assert [finding["path"] for finding in report["patches"][0]["findings"]] == ["drivers/b/two.c"]
    (error,) = report["errors"]
    assert (error["stage"], error["path"], error["message"][:8]) == ("ignore", TREE_FILE, "line 1: ")
    assert main(["check", "HEAD~1..", "--repo", str(tree)]) == 3
    assert "\x1b" not in capsys.readouterr().out


def test_audit_tells_of_entries_that_do_nothing(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries = f"{SILENT}rt-* drivers/a/ -- Idle\n* drivers/b/ until 2001-02-03 -- Gone\n* kernel/ -- Elsewhere\n"
    repos.make(tree, {FIXED_NAME: _BAD, "drivers/b/two.c": _BAD, TREE_FILE: entries})
    status, audit = check(tree, capsys, "--all", "drivers")
    assert (status, [finding["path"] for finding in audit["findings"]]) == (1, ["drivers/b/two.c"])
    assert [(row["line"], row["state"], row["count"]) for row in audit["silenced"]["entries"]] == [
        (1, "used", 1),
        (2, "unused", 0),
        (3, "expired", 0),
    ]
    main(["check", "--repo", str(tree), "--all", "drivers", "--silenced"])
    said = capsys.readouterr().out
    assert "1 bug in 4 functions of 2 files; 1 silenced by .reviewer/ignore." in said
    assert "Unused, silences nothing: .reviewer/ignore:2 rt-* drivers/a/\n" in said
    assert "Expired on 2001-02-03, silences nothing: .reviewer/ignore:3 * drivers/b/\n" in said
    assert f"Silenced by .reviewer/ignore:1: {REASON}" in said


def test_audit_calls_no_entry_unused_whose_check_did_not_run_or_whose_finding_is_hidden(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repos.make(tree, {FIXED_NAME: _BAD, TREE_FILE: f"{SILENT}rt-* drivers/a/ -- Idle\n"})
    _, audit = check(tree, capsys, "--all", "drivers", "--checks", "lock-*")
    assert [row["state"] for row in audit["silenced"]["entries"]] == ["used"]


def test_drafts_leave_silenced_findings_out(tree: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    repos.make(tree, {FIXED_NAME: _BAD, "drivers/b/two.c": _BAD})
    text = repos.diff(tree, "HEAD~1", "HEAD")
    repos.git(tree, "reset", "--quiet", "--hard", "HEAD~1")
    (tmp_path / "0001.patch").write_bytes(mail("[PATCH] a: Sleep", "1@example.org", b"Sleep.\n---\n" + text))
    folder = tmp_path / "drafts"
    words = ["review", str(tmp_path / "0001.patch"), "--repo", str(tree), "--output", str(folder), "--offline"]
    assert main(words) == 1
    assert "1 bug; 1 silenced by .reviewer/ignore." in capsys.readouterr().out
    (draft,) = folder.glob("*.eml")
    assert "drivers/b/two.c" in draft.read_text()
    assert "drivers/a/one.c" not in draft.read_text()
