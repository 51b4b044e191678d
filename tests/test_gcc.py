# SPDX-License-Identifier: GPL-2.0-or-later
"""``--format gcc``: lines that editors jump to, from the folder in which they stand."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reviewer.commands.demo import make_example
from reviewer.commands.outcome import from_here
from reviewer.model import (
    Applied,
    Audit,
    Change,
    IgnoreEntry,
    Kernels,
    Review,
    Severity,
    Silenced,
    Suppression,
    ThreadKind,
)
from reviewer.report.data import exit_status
from reviewer.report.gcc import audit_lines, review_lines
from reviewer.report.words import shortcomings
from tests.inbox import split_mboxrd
from tests.test_cli import reviewer
from tests.test_report import COMMIT, FINDING, PATCH, QUIET, REVIEW, SERIES, with_finding

# The problem matcher "$gcc" of Visual Studio Code's C/C++ extension.
VS_CODE = re.compile(r"^(.*?):(\d+):(\d*):?\s+(?:fatal\s+)?(warning|error):\s+(.*)$")


def lines(review: Review, **options: bool) -> list[str]:
    return list(review_lines(review, str, **options))


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_example(tmp_path_factory.mktemp("example"))


@pytest.fixture(scope="module")
def printed(example: tuple[Path, Path]) -> bytes:
    """What the program prints in the tree of the example."""
    done = reviewer("review", example[1], "--format", "gcc", cwd=example[0] / "drivers")
    assert (done.returncode, done.stderr) == (1, b"")
    return done.stdout


def test_a_finding_its_chain_and_its_rule() -> None:
    assert lines(REVIEW) == [
        "drivers/misc/bell.c:64: error: in bell_complete(): GFP_KERNEL may sleep, and this runs in hard interrupt"
        " context. Only on x86, with CONFIG_BELL. (patch 1) [lock-gfp-blocking-in-atomic]",
        "drivers/misc/bell.c:95: note: bell_interrupt() <- hard interrupt, request_irq()",
        "drivers/misc/bell.c:80: note: bell_complete()",
        "drivers/misc/bell.c:64: note: kzalloc(GFP_KERNEL)",
        "Documentation/x.rst:12: note: \u201cThe context must be allowed to sleep.\u201d",
    ]


def test_sentences_beside_the_message_begin_after_a_stop() -> None:
    assert "(): It may sleep. Only on x86" in lines(with_finding(message="It may sleep"))[0]
    assert "(): May it sleep? Only on x86" in lines(with_finding(message="May it sleep?"))[0]
    assert "(): It may sleep [" in lines(with_finding(message="It may sleep", arch=None, config=()))[0]


def test_only_what_is_wrong_in_the_code_is_a_line() -> None:
    assert lines(with_finding(change=Change.FIXED)) == []
    assert lines(with_finding(change=Change.PRE_EXISTING)) == []
    assert len(lines(with_finding(change=Change.PRE_EXISTING), show_pre_existing=True)) == 5
    later = lines(with_finding(fixed_later=2))[0]
    assert ": warning: " in later
    assert "Patch 2 of the series removes this again." in later
    rt = lines(with_finding(kernels=Kernels.PREEMPT_RT, severity=Severity.QUESTION))[0]
    assert ": warning: " in rt
    assert "(on PREEMPT_RT)" in rt


def test_entries_of_ignore_files_stand_where_they_are_written() -> None:
    entry = IgnoreEntry(".reviewer/ignore", 3, "lock-*", "drivers/", "", "2020-01-02", "Known since v6.1")
    suppression = Suppression((Silenced(None, FINDING, entry),), (entry,), (dataclasses.replace(entry, line=4),))
    audit = Audit(COMMIT, 1, 1, (), suppression=suppression)
    old = ".reviewer/ignore:4: warning: expired on 2020-01-02, silences nothing"
    unused = ".reviewer/ignore:3: warning: unused, silences nothing"
    assert list(audit_lines(audit, str)) == [old, unused]
    silenced, *rest = audit_lines(audit, str, show_silenced=True)
    assert rest == [old, unused]
    assert silenced.startswith("drivers/misc/bell.c:64: note: ")
    assert "silenced: Known since v6.1" in silenced


def test_text_of_a_patch_cannot_make_a_line_of_its_own() -> None:
    forged = "x\nkernel/fork.c:1: error: no\x1b[2J\x9b\u202e"
    said = lines(with_finding(path=forged, message=forged, function=forged))
    assert len(said) == 5
    assert all(line.startswith(("x?kernel/", "drivers/", "Documentation/")) for line in said)
    assert not {"\x1b", "\x9b", "\u202e", "\n"} & set("".join(said))


def test_whatever_makes_a_failure_is_told() -> None:
    patch = dataclasses.replace(PATCH, applied=Applied.NO, reason="the context differs")
    review = dataclasses.replace(REVIEW, patches=(patch, QUIET))
    alone = "patch 1 does not apply: the context differs; it was reviewed from its diff alone"
    assert [problem.message for problem in shortcomings(review)] == [alone]
    talk = dataclasses.replace(REVIEW, series=dataclasses.replace(SERIES, kind=ThreadKind.DISCUSSION), patches=())
    assert exit_status(talk) == 3
    assert [problem.message for problem in shortcomings(talk)] == [
        "there is no patch to review: the thread is a discussion"
    ]
    assert list(shortcomings(REVIEW)) == []


def test_paths_are_those_of_the_folder_in_which_one_stands(
    example: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree, _ = example
    bare = tmp_path / "bare.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(tree), str(bare)], check=True)
    for folder, repo, path in (
        (tree, None, "drivers/misc/doorbell.c"),
        (tree / "drivers" / "misc", None, "doorbell.c"),
        (tree / "Documentation", tree / "drivers", "../drivers/misc/doorbell.c"),
        (tree.parent, tree, f"{tree.name}/drivers/misc/doorbell.c"),
        (tmp_path, tree, f"{tree}/drivers/misc/doorbell.c"),
        (tmp_path, bare, "drivers/misc/doorbell.c"),
    ):
        monkeypatch.chdir(folder)
        assert from_here(repo)("drivers/misc/doorbell.c") == path, folder


def test_what_could_not_be_done_is_on_stderr(example: tuple[Path, Path]) -> None:
    tree, mail = example
    text = mail.read_bytes().replace(b"\n \t", b"\n \tsomething_else, ")
    assert text != mail.read_bytes()
    done = reviewer("review", "-", "--format", "gcc", "--repo", tree, stdin=text)
    assert done.returncode == 3
    assert b"reviewer: not done (apply): patch " in done.stderr
    one = split_mboxrd(mail.read_bytes())[1]
    done = reviewer("review", "-", "--format", "gcc", "--repo", tree, stdin=one)
    assert b"reviewer: note: Incomplete: of 3 patches, 2 patches not found" in done.stderr
    assert max(map(len, done.stderr.splitlines())) <= 100
    assert reviewer("review", "-", "--format", "gcc", "--repo", tree, "-q", stdin=one).stderr == b""
    assert all(VS_CODE.match(line) or ": note: " in line for line in done.stdout.decode().splitlines())


@pytest.fixture
def vim(tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """Reads a file with the lines as vim's quickfix list, by the ``errorformat`` that the commands set."""
    program = shutil.which("vim")
    if program is None:
        pytest.skip("vim is not installed")
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    if "+eval" not in said or "+quickfix" not in said:
        pytest.skip("this vim is without +eval or +quickfix; install the package vim")

    def read(tree: Path, file: Path, *commands: str) -> list[dict[str, Any]]:
        out = tmp_path / "quickfix.json"
        item = "{'file': bufname(v:val.bufnr), 'line': v:val.lnum, 'type': v:val.type, 'text': v:val.text}"
        words = [word for command in commands for word in ("-c", command)]
        write = f"call writefile([json_encode(map(filter(getqflist(), 'v:val.valid'), \"{item}\"))], '{out}')"
        subprocess.run(
            [
                program,
                "-N",
                "-u",
                "NONE",
                "-i",
                "NONE",
                "-es",
                *words,
                "-c",
                f"cgetfile {file}",
                "-c",
                f"{write} | qall!",
            ],
            cwd=tree,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )
        found = json.loads(out.read_text())
        assert isinstance(found, list)
        return found

    return read


@pytest.mark.parametrize("commands", [(), ("compiler gcc",)], ids=["default", "compiler gcc"])
def test_vim_jumps_to_every_line(
    example: tuple[Path, Path], printed: bytes, vim: Callable[..., list[dict[str, Any]]], commands: tuple[str, ...]
) -> None:
    file = example[0].parent / "found"
    file.write_bytes(printed)
    entries = vim(example[0] / "drivers", file, *commands)
    assert len(entries) == len(printed.splitlines())
    assert (entries[0]["file"], entries[0]["line"]) == ("misc/doorbell.c", 64)
    assert entries[0]["text"].strip().removeprefix("error: ").startswith("in doorbell_complete(): kzalloc")
    assert all((example[0] / "drivers" / entry["file"]).is_file() for entry in entries)
    if commands:
        assert entries[0]["type"] == "e"


def test_vs_code_sees_every_finding(printed: bytes) -> None:
    said = printed.decode().splitlines()
    found = [match.groups() for line in said if (match := VS_CODE.match(line))]
    assert (found[0][0], found[0][1], found[0][3]) == ("misc/doorbell.c", "64", "error")
    assert len(found) == sum("note:" not in line for line in said) == 4
