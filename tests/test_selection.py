# SPDX-License-Identifier: GPL-2.0-or-later
"""What the user does not want to hear of: areas, checks and paths that are switched off."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from reviewer.cli import main
from reviewer.commands.demo import make_example
from reviewer.config import load_options
from reviewer.errors import UsageError
from reviewer.selection import covers, wants_path, words
from tests.inbox import split_mboxrd

FILE = "drivers/misc/doorbell.c"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example with the first two patches as commits; one stands in it."""
    tree, mail = make_example(tmp_path)
    for message in split_mboxrd(mail.read_bytes())[1:3]:
        subprocess.run(["git", "am", "-q"], cwd=tree, input=message, check=True)
    monkeypatch.chdir(tree)
    return tree


def configure(key: str, *values: str) -> None:
    for value in values:
        subprocess.run(["git", "config", "--global", "--add", f"reviewer.{key}", value], check=True)


def found(capsys: pytest.CaptureFixture[str], *arguments: str) -> set[str]:
    """The checks that have brought findings of the two commits."""
    capsys.readouterr()
    assert main(["check", "HEAD~2..", "--format", "json", *arguments]) in (0, 1)
    report = json.loads(capsys.readouterr().out)
    findings = [finding for patch in report["patches"] for finding in patch["findings"]]
    return {finding["check"] for finding in findings if finding["change"] == "introduced"}


def test_words() -> None:
    assert list(words(["rt, !kvm", "  ", "rcu\n"])) == [(False, "rt"), (True, "kvm"), (False, "rcu")]


@pytest.mark.parametrize(
    ("texts", "path", "wanted"),
    [
        ([], "a/b.c", True),
        (["drivers"], "drivers/misc/a.c", True),
        (["drivers/"], "drivers/misc/a.c", True),
        (["drivers/"], "drivers.c", False),
        (["drivers/*.c"], "drivers/misc/a.c", False),
        (["drivers/*/"], "drivers/misc/a.c", True),
        (["drivers", "!drivers/staging"], "drivers/staging/a.c", False),
        (["!drivers/staging"], "kernel/fork.c", True),
        (["kernel !*.h"], "kernel/fork.c", True),
        (["kernel/fork.c,mm/"], "mm/slub.c", True),
    ],
)
def test_paths(texts: list[str], path: str, wanted: bool) -> None:
    assert wants_path(texts, path) is wanted


def test_a_pattern_of_an_ignore_entry_means_a_folder_only_with_its_slash() -> None:
    assert covers("drivers/", FILE)
    assert not covers("drivers", FILE)


@pytest.mark.usefixtures("tree")
def test_areas_checks_and_paths_are_chosen_by_option(capsys: pytest.CaptureFixture[str]) -> None:
    everything = found(capsys)
    rt = {check for check in everything if check.startswith("rt-")}
    assert rt
    assert everything - rt
    # Alone, an area also tells what a graver finding of another one on the same line had made unnecessary.
    assert {check[:3] for check in found(capsys, "--areas", "rt")} == {"rt-"}
    assert found(capsys, "--areas", "!rt") == everything - rt
    assert found(capsys, "--areas", "rt", "--areas", "locking") == everything
    assert found(capsys, "--checks", "!rt-*") == everything - rt
    assert found(capsys, "--paths", f"!{FILE}") == set()
    assert found(capsys, "--paths", "drivers !drivers/staging/") == everything


@pytest.mark.usefixtures("tree")
def test_areas_checks_and_paths_are_chosen_by_git_config(capsys: pytest.CaptureFixture[str]) -> None:
    everything = found(capsys)
    configure("areas", "!rt", "!kvm")
    assert found(capsys) == {check for check in everything if not check.startswith("rt-")}
    assert found(capsys, "--areas", "rt locking") == everything
    configure("paths", "!drivers")
    assert found(capsys) == set()


def test_a_check_that_is_switched_off_is_not_listed_and_still_explained(capsys: pytest.CaptureFixture[str]) -> None:
    configure("areas", "!rt")
    assert main(["rules"]) == 0
    assert "rt-alloc-under-raw-spinlock" not in capsys.readouterr().out
    assert main(["rules", "rt-alloc-under-raw-spinlock"]) == 0


@pytest.mark.usefixtures("tree")
def test_what_the_paths_leave_out_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    said = "Note: --paths or git config reviewer.paths leaves out 4 findings in other files."
    assert main(["check", "HEAD~2..", "--paths", "kernel/"]) == 0
    assert said in " ".join(capsys.readouterr().out.split())
    assert main(["check", "HEAD~2..", "--paths", "drivers/"]) == 1
    assert "--paths" not in capsys.readouterr().out
    assert main(["check", "HEAD~2..", "--paths", "kernel/", "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def test_paths_that_leave_out_all_that_was_changed_are_told(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "lib").mkdir()
    (tree / "lib" / "one.c").write_text("int one;\n")
    subprocess.run(["git", "add", "lib"], check=True)
    subprocess.run(["git", "commit", "-q", "-m", "One"], check=True)
    said = "Note: --paths or git config reviewer.paths leaves out every file that is changed here."
    assert main(["check", "HEAD~1..", "--paths", "lob/"]) == 0
    assert said in " ".join(capsys.readouterr().out.split())
    assert main(["check", "HEAD~1..", "--paths", "lib/"]) == 0
    assert "--paths" not in capsys.readouterr().out


def test_an_audit_keeps_to_the_paths(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--all", ".", "--paths", "!drivers"]) == 2
    assert "left out by --paths" in capsys.readouterr().err
    (tree / "kernel").mkdir()
    (tree / "kernel" / "one.c").write_text("int one;\n")
    subprocess.run(["git", "add", "kernel"], check=True)
    subprocess.run(["git", "commit", "-q", "-m", "One"], check=True)
    assert main(["check", "--all", ".", "--paths", "!drivers"]) == 0
    audited = capsys.readouterr().out
    assert "of 1 file." in audited
    assert "leaves out 1 file of those named." in " ".join(audited.split())
    assert main(["check", "--all", "."]) == 1


def test_a_series_from_the_list_and_a_hook_keep_to_them(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mail = str(tree.parent / "doorbell.mbox")
    subprocess.run(["git", "reset", "-q", "--soft", "HEAD~2"], check=True)
    assert main(["review", mail]) == 1
    assert main(["hook", "run", "pre-commit"]) == 1
    configure("paths", "!drivers/misc")
    capsys.readouterr()
    assert main(["review", mail]) == 0
    assert "Nothing found" in capsys.readouterr().out
    assert main(["hook", "run", "pre-commit"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--areas", "scheduler"), "no area of checks is called 'scheduler'; there are entry, kvm"),
        (("--areas", "!rt", "--checks", "rt-*"), "switched off"),
        (("--checks", "!*"), "'!*' leaves out every check"),
        (("--checks", "!"), "--checks: '!' has a '!' with nothing behind it"),
        (("--paths", "a, !"), "--paths: 'a, !' has a '!' with nothing behind it"),
    ],
)
def test_what_leaves_nothing_is_told(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str) -> None:
    assert main(["check", "HEAD~1..", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_mark_without_a_word() -> None:
    configure("paths", "drivers !")
    with pytest.raises(UsageError, match=r"reviewer\.paths: 'drivers !' has a '!' with nothing behind it"):
        load_options({})
