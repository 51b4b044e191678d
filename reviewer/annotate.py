# SPDX-License-Identifier: GPL-2.0-or-later
"""A patch with the context in which each of its lines runs, before and after it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from reviewer.changes import Hunk, hunks_of
from reviewer.context.analysis import Analyser
from reviewer.context.contexts import Contexts, Lines
from reviewer.model import DiffFile, DiffHunk, DiffLine, LockOrder, Mark
from reviewer.source.cfg import Function
from reviewer.source.expression import last_member
from reviewer.tree.patchtext import changed_files

LEVELS = 2
"""So many calls above a function its callers are looked at for what they hold."""
_Marks = tuple[Mark, ...] | None
_INCOMPLETE = re.compile(rb"\\ ")


def annotated(
    diff: bytes, shifts: Sequence[tuple[int, int]] = (), before: Contexts | None = None, after: Contexts | None = None
) -> tuple[DiffFile, ...]:
    """The files of ``diff`` with the context of each line; without the two sides there is none.

    ``shifts`` tell for each hunk how far its lines stand in the two trees from where the diff says. What stands there
    otherwise than in the diff, as after a merge, has no context.
    """
    rows = diff.split(b"\n")
    files = []
    hunk_number = 0
    for file in changed_files(diff):
        old, new = _Side(before, file.old), _Side(after, file.new)
        hunks = []
        bounds = file.hunks
        for hunk, (start, stop) in zip(hunks_of(diff, file), bounds, strict=False):
            shift = shifts[hunk_number] if hunk_number < len(shifts) else (0, 0)
            hunk_number += 1
            remarks = {at for at in range(start, stop) if _INCOMPLETE.match(rows[at])}
            hunks.append(DiffHunk(_text(rows[start - 1]), tuple(_lines(hunk, shift, old, new, remarks, start))))
        first = bounds[0][0] - 1 if bounds else _end(rows, file.line)
        head = tuple(_text(row) for row in rows[file.line - 1 : first])
        files.append(DiffFile(file.name, head, tuple(hunks)))
    return tuple(files)


def lock_orders(files: Iterable[DiffFile], after: Contexts) -> tuple[LockOrder, ...]:
    """In which order the functions that a patch shows take locks, each pair once for a function."""
    analyser = after.analyser
    found: dict[tuple[str, str, str], LockOrder] = {}
    for file in files:
        shown = {
            line.new: line.kind for hunk in file.hunks for line in hunk.lines if line.new is not None and line.known
        }
        for extent in analyser.program.extents(file.path) if shown else ():
            if not any(extent.line <= line <= extent.end for line in shown):
                continue
            for function in analyser.program.functions(file.path, extent.name):
                for edge in analyser.analyse(function).edges.values() if function.line == extent.line else ():
                    held = _lock_name(analyser, function, edge.held.expression)
                    taken = _lock_name(analyser, function, edge.acquisition.expression, edge.acquisition.lock_class)
                    own = {edge.line, edge.where[1]}
                    brought = any(shown.get(line) == "+" for line in own)
                    key = (held, taken, function.name)
                    if held != taken and (key not in found or brought):
                        found[key] = LockOrder(held, taken, function.name, file.path, edge.line, brought)
    return tuple(sorted(found.values(), key=lambda one: (not one.brought, one.path, one.line, one.taken)))


def _lock_name(analyser: Analyser, function: Function, expression: str, lock_class: str = "") -> str:
    """A lock by its class, as ``kvm.mmu_lock``, where that is known; else by the last member of its expression."""
    known = lock_class or analyser.program.lock_class(expression, function) or ""
    return known.rpartition(":")[2] or last_member(expression) or expression


def _lines(
    hunk: Hunk, shift: tuple[int, int], old: _Side, new: _Side, remarks: set[int], start: int
) -> Iterator[DiffLine]:
    at = start
    for line in hunk.lines:
        yield _line(line.kind, line.old + shift[0], line.new + shift[1], line.text, old, new)
        at += 1
        while at in remarks:
            yield DiffLine("\\", None, None, " No newline at end of file")
            at += 1


def _line(kind: str, in_old: int, in_new: int, text: bytes, old: _Side, new: _Side) -> DiffLine:
    was = old.marks(in_old, text) if kind != "+" else None
    now = new.marks(in_new, text) if kind != "-" else None
    told = was if kind == "-" else now
    return DiffLine(
        kind,
        in_old if kind != "+" else None,
        in_new if kind != "-" else None,
        _text(text),
        told is not None,
        told or (),
        was if kind == " " and now is not None and was is not None and _unlike(was, now) else None,
    )


def _unlike(was: tuple[Mark, ...], now: tuple[Mark, ...]) -> bool:
    """Whether a line runs in another context than before; where a lock is taken makes none."""
    return {(mark.text, mark.world, mark.always) for mark in was} != {(m.text, m.world, m.always) for m in now}


def _text(row: bytes) -> str:
    return row.rstrip(b"\r").decode("utf-8", "replace")


def _end(rows: Sequence[bytes], line: int) -> int:
    """Where the head of a file without hunks ends, as of one that is only renamed."""
    at = line
    while at < len(rows) and rows[at] and not rows[at].startswith(b"diff --git "):
        at += 1
    return at


class _Side:
    """One file in one of the two trees."""

    def __init__(self, contexts: Contexts | None, path: str | None) -> None:
        self._contexts = contexts
        self._path = path
        text = contexts.analyser.program.files.read(path) if contexts is not None and path is not None else None
        self._rows = text.split(b"\n") if text is not None else []
        self._lines: dict[int, list[Lines]] = {}

    def marks(self, line: int, text: bytes) -> _Marks:
        """The context of a line; None where it is not known, or where ``text`` is not what stands there."""
        if self._contexts is None or not 0 < line <= len(self._rows) or self._rows[line - 1].rstrip(b"\r") != text:
            return None
        readings = self._readings(line)
        if not readings:
            return None
        return next((reading for reading in readings if reading.has(line)), readings[0]).marks(line)

    def _readings(self, line: int) -> list[Lines]:
        """The function around a line, as it was read: once more where the line is in a rare preprocessor arm."""
        if self._contexts is None or self._path is None:
            return []
        program = self._contexts.analyser.program
        extent = program.extent_at(self._path, line)
        if extent is None:
            return []
        if extent.line not in self._lines:
            self._lines[extent.line] = [
                self._contexts.lines(function, LEVELS)
                for function in program.functions(self._path, extent.name)
                if function.line == extent.line and extent.readable
            ]
        return self._lines[extent.line]
