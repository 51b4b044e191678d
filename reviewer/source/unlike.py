# SPDX-License-Identifier: GPL-2.0-or-later
"""What means something else in a program than in the one that it was made from, and where lines have gone."""

from __future__ import annotations

from collections.abc import Mapping, Set
from functools import cached_property

from reviewer.source.cfg import Function
from reviewer.source.edits import Edit, Moves, edit_between, moves_between, offered
from reviewer.source.files import C_SUFFIXES
from reviewer.source.program import Program
from reviewer.source.scan import scan


class Unlike:
    """The differences of ``program`` from its ``base``.

    ``files`` may mean something else than in the base: they differ, or use names that do. A name matters that was or is
    now offered to other files, a lock that was or is now declared otherwise, and a member of a table of functions that
    was or is now filled otherwise. Apart from them stand the files of ``edits``, in which nothing but functions
    differs, and none of the words ``telling`` of a whole file.
    """

    def __init__(self, base: Program, program: Program, telling: Set[str]) -> None:
        self._base = base
        self._program = program
        self.edits: dict[str, Edit] = {}
        offers: dict[str, set[str]] = {}
        for path in sorted(program.touched):
            edit = self._edit(path) if path in program.changed and path.endswith(".c") else None
            if edit is not None and telling.isdisjoint(edit.words):
                self.edits[path] = edit
            if path.endswith(C_SUFFIXES) and (path not in self.edits or self.edits[path].renames):
                offers[path] = {name.split()[-1] for name in _offered(base, path) ^ _offered(program, path)}
                offers[path] |= base.hidden(path) ^ program.hidden(path)
        folders = tuple(sorted({folder for path in program.touched for folder in program.scope(path)}))
        users = program.using(set[str]().union(*offers.values()), folders)
        for path in sorted(users & self.edits.keys()):  # an edit knows of what the file itself offers otherwise
            others = set[str]().union(*(words for other, words in offers.items() if other != path))
            if path in program.using(others, folders):
                del self.edits[path]
        self.files = program.touched.union(users) - self.edits.keys()

    def _edit(self, path: str) -> Edit | None:
        old, new = self._base.text(path), self._program.text(path)
        before, after = self._base.usual_extents(path), self._program.usual_extents(path)
        if old is None or new is None or before is None or after is None:
            return None
        return edit_between(old, before, new, after)

    @cached_property
    def moves(self) -> Mapping[str, Moves]:
        """Where lines of the base stand now, by path, for the files in which some have moved."""
        found = {}
        for path in sorted(self._program.changed):
            old, new = self._base.text(path), self._program.text(path)
            if path.endswith(C_SUFFIXES) and old is not None and new is not None:
                found[path] = moves_between(old, self._base.extents(path), new, self._program.extents(path))
        return {path: moves for path, moves in found.items() if moves}

    def counterpart(self, function: Function) -> Function | None:
        """The same function of the base, where it means the same but for what it calls; else, or if unclear, None."""
        if function.path in self.files:
            return None
        edit = self.edits.get(function.path)
        if edit is None:
            return function
        if "macro" in function.words:
            return self._base.macro(function.name, function.path)
        line = edit.lines.get((function.name, function.line))
        if line is None or function.reading:
            return None
        found = self._base.functions(function.path, function.name)
        return next((each for each in found if each.line == line and not each.reading), None)

    def namesake(self, function: Function) -> Function | None:
        """The function of the base that ``function`` was, whatever has changed in it; None where that is not clear."""
        if function.path not in self._program.touched:
            return function
        found = self._only(self._base, function)
        return found if self._only(self._program, function) is not None else None

    def twin(self, function: Function) -> Function | None:
        """The function of the base with the same text, whatever its words mean; None where that is not clear."""
        if function.path not in self._program.touched:
            return function
        found = self._only(self._base, function)
        if found is None or self._only(self._program, function) is None:
            return None
        same = _text(self._base, found) == _text(self._program, function)
        face = (found.params, found.words, found.via) == (function.params, function.words, function.via)
        return found if same and face else None

    @staticmethod
    def _only(program: Program, function: Function) -> Function | None:
        """The only function of a program that is called as ``function`` is, in its file."""
        if "macro" in function.words:
            return program.macro(function.name, function.path)
        found = program.functions(function.path, function.name)
        return found[0] if len(found) == 1 and not found[0].reading else None


def _offered(program: Program, path: str) -> set[str]:
    text = program.files.read(path)
    return set() if text is None else offered(scan(text), path)


def _text(program: Program, function: Function) -> list[bytes]:
    rows = (program.text(function.path) or b"").split(b"\n")
    end = function.end
    if "macro" in function.words:
        end = function.line
        while end < len(rows) and rows[end - 1].endswith(b"\\"):
            end += 1
    return rows[function.line - 1 : end]
