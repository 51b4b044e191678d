# SPDX-License-Identifier: GPL-2.0-or-later
"""What all checks say of a file that a patch adds, or of a change from one text to another."""

from __future__ import annotations

import difflib

from reviewer.compare import Compared, compare, compared
from reviewer.config import data_dir
from reviewer.model import Finding
from reviewer.registry import load_api, load_checks
from reviewer.sides import ChangedLines, Sides
from reviewer.source.program import Program
from reviewer.source.store import Store
from tests.memory_files import MemoryFiles

CHECKS = load_checks([data_dir("checks")])
API = load_api(data_dir("checks"))
PATH = "drivers/example/example.c"


def brought_by(
    after: str, before: str | None = None, *, path: str = PATH, others: dict[str, str] | None = None
) -> tuple[Finding, ...]:
    """The findings of the patch from ``before`` (None: no such file) to ``after``.

    ``others`` stand beside it on both sides.
    """
    store = Store(None)
    lines = _changed(before or "", after)
    old = Program(MemoryFiles({**(others or {}), **({path: before} if before is not None else {})}), store)
    old.want({path: lines.removed | lines.beside} if before is not None else {})
    new = Program(
        MemoryFiles({**(others or {}), path: after}),
        store,
        base=old,
        changed=[path],
        wanted={path: lines.added | lines.near},
    )
    return compare(Sides(old, new, {path: lines}, {}), CHECKS, API)


def _changed(before: str, after: str) -> ChangedLines:
    added: set[int] = set()
    removed: set[int] = set()
    near: set[int] = set()
    beside: set[int] = set()
    matcher = difflib.SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
    for kind, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if kind != "equal":
            added.update(range(new_start + 1, new_end + 1))
            removed.update(range(old_start + 1, old_end + 1))
        if kind == "delete":
            near.update((new_start, new_start + 1))
        if kind == "insert":
            beside.update((old_start, old_start + 1))
    return ChangedLines(
        frozenset(added), frozenset(removed), frozenset(near - added - {0}), frozenset(beside - removed - {0})
    )


def between(before: dict[str, str], after: dict[str, str], renamed: dict[str, str] | None = None) -> Compared:
    """What the patch brings that makes the files ``after`` of the files ``before``; ``renamed`` is old to new path."""
    store = Store(None)
    new_path = renamed or {}
    lines = {}
    for path in sorted({new_path.get(path, path) for path in before} | set(after)):
        was = before.get(next((old for old, new in new_path.items() if new == path), path), "")
        if was != after.get(path, "") or path in new_path.values():
            lines[path] = _changed(was, after.get(path, ""))
    old = Program(MemoryFiles(before), store)
    wanted = {path: changed.added | changed.near for path, changed in lines.items()}
    new = Program(MemoryFiles(after), store, base=old, changed={*lines, *new_path}, wanted=wanted)
    return compared(Sides(old, new, lines, new_path), CHECKS, API)
