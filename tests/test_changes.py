# SPDX-License-Identifier: GPL-2.0-or-later
"""Which lines of the trees a patch changes, also where it applied at an offset or by a three-way merge."""

from __future__ import annotations

from reviewer.changes import changes_in
from reviewer.sides import ChangedLines

_DIFF = b"""diff --git a/f.c b/f.c
--- a/f.c
+++ b/f.c
@@ -2,3 +2,4 @@ int f(void)
 two
+new
 three
 four
@@ -8,3 +9,2 @@
 eight
-nine
 ten
"""
_OLD = b"one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n"
_NEW = b"one\ntwo\nnew\nthree\nfour\nfive\nsix\nseven\neight\nten\n"


def _of(old: bytes, new: bytes) -> tuple[ChangedLines, tuple[tuple[int, int], ...]]:
    changes = changes_in(_DIFF, {"f.c": old}.get, {"f.c": new}.get)
    return changes.lines["f.c"], changes.shifts


def test_lines_are_those_of_the_diff_where_it_fits() -> None:
    lines, shifts = _of(_OLD, _NEW)
    assert lines == ChangedLines(frozenset((3,)), frozenset((9,)), frozenset((9, 10)), frozenset((2, 3)))
    assert shifts == ((0, 0), (0, 0))


def test_lines_are_those_of_the_tree_where_the_patch_applied_at_an_offset() -> None:
    before, between = b"a\nb\n", b"x\n"
    old = before + _OLD.replace(b"five\n", b"five\n" + between)
    new = before + _NEW.replace(b"five\n", b"five\n" + between)
    lines, shifts = _of(old, new)
    assert lines == ChangedLines(frozenset((5,)), frozenset((12,)), frozenset((12, 13)), frozenset((4, 5)))
    assert shifts == ((2, 2), (3, 3))


def test_lines_are_those_that_differ_where_a_hunk_is_not_in_the_tree_as_mailed() -> None:
    old = _OLD.replace(b"four\n", b"4\n")
    new = _NEW.replace(b"four\n", b"4\n")
    lines, shifts = _of(old, new)
    assert (lines.added, lines.removed) == (frozenset((3,)), frozenset((9,)))
    assert shifts == ((0, 0), (0, 0))


def test_without_the_trees_lines_are_those_of_the_diff() -> None:
    changes = changes_in(_DIFF)
    assert changes.lines["f.c"].added == frozenset((3,))


def test_rename_is_told_under_the_new_name() -> None:
    diff = _DIFF.replace(b"b/f.c", b"b/g.c")
    changes = changes_in(diff, {"f.c": _OLD}.get, {"g.c": _NEW}.get)
    assert changes.renamed == {"f.c": "g.c"}
    assert changes.lines["g.c"].removed == frozenset((9,))
