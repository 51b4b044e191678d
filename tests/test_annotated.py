# SPDX-License-Identifier: GPL-2.0-or-later
"""The annotated diff: the patch itself, whole, with the context of its lines in the margin."""

from __future__ import annotations

import dataclasses
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reviewer.annotate import annotated
from reviewer.commands.demo import make_example
from reviewer.context.analysis import Analyser
from reviewer.context.contexts import Contexts
from reviewer.model import Applied, Change, DiffFile, DiffHunk, DiffLine, Mark, PatchReview, Review, World
from reviewer.report.annotated import render_diff
from reviewer.report.gutter import meaning, told
from reviewer.report.text import console_for
from reviewer.source.program import Program
from reviewer.source.store import Store
from tests.conftest import ROOT
from tests.findings import API
from tests.memory_files import MemoryFiles
from tests.repos import git, make
from tests.test_report import FINDING, REVIEW

_BELL = "drivers/misc/bell.c"
_BEFORE = """\
struct bell { struct mutex big; int rings; };
void ring(struct bell *b)
{
	b->rings++;
	chime(b);
}
"""
_AFTER = _BEFORE.replace("\tb->rings++;\n", "\tmutex_lock(&b->big);\n\tb->rings++;\n").replace(
    "\tchime(b);\n", "\tchime(b);\n\tmutex_unlock(&b->big);\n"
)


def _run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reviewer", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def _code(printed: str) -> list[str]:
    """What stands right of the margin, as the patch has it."""
    return [row.split("|", 1)[1] for row in printed.splitlines() if "|" in row]


def _rendered(review: Review) -> str:
    stream = io.StringIO()
    render_diff(review, console_for(stream))
    return stream.getvalue()


def _contexts(text: str) -> Contexts:
    return Contexts(Analyser(Program(MemoryFiles({_BELL: text}), Store(None)), API))


@pytest.fixture
def bell(tmp_path: Path) -> Path:
    make(tmp_path / "tree", {_BELL: _BEFORE})
    make(tmp_path / "tree", {_BELL: _AFTER}, "Lock the bell")
    return tmp_path / "tree"


def test_every_line_of_the_patch_is_there_with_its_context(bell: Path) -> None:
    done = _run(bell, "check", "HEAD~1..", "--format", "diff")
    assert (done.returncode, done.stderr) == (0, "")
    patch = git(bell, "diff", "HEAD~1..").split("\n")
    wanted = ["".join(row.split()) for row in patch if row[:1] in "+- @" and not row.startswith(("+++", "---"))]
    assert [found for row in _code(done.stdout) if (found := "".join(row.split()))] == wanted
    margin = {row.split("|", 1)[1].strip(): row.split("|")[0].strip() for row in done.stdout.splitlines() if "|" in row}
    assert margin["+       mutex_lock(&b->big);"] == "."
    assert margin["b->rings++;"] == "big"


def test_a_line_that_stays_tells_how_it_ran_before() -> None:
    diff = b"".join(
        line.encode() + b"\n"
        for line in (
            f"diff --git a/{_BELL} b/{_BELL}",
            f"--- a/{_BELL}",
            f"+++ b/{_BELL}",
            "@@ -2,5 +2,7 @@",
            " void ring(struct bell *b)",
            " {",
            "+\tmutex_lock(&b->big);",
            " \tb->rings++;",
            " \tchime(b);",
            "+\tmutex_unlock(&b->big);",
            " }",
        )
    )
    (file,) = annotated(diff, ((0, 0),), _contexts(_BEFORE), _contexts(_AFTER))
    lines = {line.text.strip(): line for hunk in file.hunks for line in hunk.lines}
    assert [mark.text for mark in lines["b->rings++;"].marks] == ["big"]
    assert lines["b->rings++;"].was == ()
    assert lines["mutex_lock(&b->big);"].was is None
    assert (lines["chime(b);"].old, lines["chime(b);"].new) == (5, 6)


def test_what_stands_elsewhere_in_the_tree_has_no_context() -> None:
    diff = (
        f"diff --git a/{_BELL} b/{_BELL}\n--- a/{_BELL}\n+++ b/{_BELL}\n@@ -4,1 +4,1 @@\n-\tb->rings--;\n+\tother(b);\n"
    ).encode()
    (file,) = annotated(diff, ((0, 0),), _contexts(_BEFORE), _contexts(_AFTER))
    assert [line.known for line in file.hunks[0].lines] == [False, False]


def test_git_s_remarks_and_files_without_hunks_stay() -> None:
    diff = (
        b"diff --git a/a.c b/b.c\nsimilarity index 100%\nrename from a.c\nrename to b.c\n"
        b"diff --git a/x.c b/x.c\n--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n"
    )
    renamed, changed = annotated(diff)
    assert renamed.head[-1] == "rename to b.c"
    assert [line.kind for line in changed.hunks[0].lines] == ["-", "\\", "+"]


def test_findings_stand_below_their_line() -> None:
    line = DiffLine("+", None, 64, "\tkzalloc(GFP_KERNEL);", True, (Mark("lock", "spinlock lock", World.NOT_RT),))
    file = DiffFile(FINDING.path, (f"diff --git a/{FINDING.path} b/{FINDING.path}",), (DiffHunk("@@", (line,)),))
    fixed = dataclasses.replace(FINDING, change=Change.FIXED, line=700, message="It slept.")
    patch = PatchReview(1, "bell: Ring", None, None, Applied.YES, "", (FINDING, fixed), (), (file,))
    rows = _rendered(dataclasses.replace(REVIEW, patches=(patch,))).splitlines()
    at = next(number for number, row in enumerate(rows) if "kzalloc" in row)
    assert rows[at].startswith("!rt:lock ")
    assert f"^ bug introduced [{FINDING.check}]" in rows[at + 1]
    assert "On lines that the diff does not show:" in rows
    assert any("It slept." in row for row in rows)


def test_hostile_text_moves_no_cursor() -> None:
    evil = "\x1b]0;owned\x07[bold]x\u202e"
    line = DiffLine("+", None, 1, evil, True, (Mark(evil, evil),))
    file = DiffFile(evil, (evil,), (DiffHunk(evil, (line,)),))
    patch = PatchReview(1, evil, None, None, Applied.NO, evil, (), (), (file,))
    printed = _rendered(dataclasses.replace(REVIEW, patches=(patch,)))
    assert not {"\x1b", "\x07", "\u202e"} & set(printed)
    assert "[bold]x" in printed


def test_the_example_s_series_from_mail(tmp_path: Path) -> None:
    tree, mail = make_example(tmp_path)
    done = _run(tree, "review", str(mail), "--offline", "--format", "diff")
    assert (done.returncode, done.stderr) == (1, "")
    rows = done.stdout.splitlines()
    allocated = next(number for number, row in enumerate(rows) if "kzalloc(sizeof" in row)
    assert rows[allocated].startswith("hardirq ")
    assert "lock-gfp-blocking-in-atomic" in rows[allocated + 1]


def test_two_locks_of_one_name_are_one_word_in_the_margin() -> None:
    marks = (Mark("siglock", "spinlock sighand->siglock"), Mark("siglock", "spinlock tsk->sighand->siglock"))
    assert told(marks) == "siglock"
    assert meaning(marks) == "spinlock sighand->siglock; spinlock tsk->sighand->siglock"
