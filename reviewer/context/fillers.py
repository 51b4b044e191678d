# SPDX-License-Identifier: GPL-2.0-or-later
"""Objects whose operations the file of one driver fills in for others: who calls it runs with these and no others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from reviewer.source.initialisers import members
from reviewer.source.pointers import exports
from reviewer.source.preprocess import blank_comments_and_strings
from reviewer.source.program import Program

if TYPE_CHECKING:
    from reviewer.context.effects import Effect


class Fillers:
    """Answers for the files of ``program``."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._names: dict[tuple[str, str], tuple[bytes, ...]] = {}
        self._has: dict[tuple[str, str, str], bool] = {}
        self._otherwise: dict[tuple[str, str, str], bool] = {}

    def mean_another(self, user: str, effect: Effect) -> bool:
        """Whether the file ``user`` has its objects filled with other operations than those ``effect`` goes through.

        Of a file that has functions for other modules nobody knows whose objects they are given.
        """
        others = [path for path in effect.apart if path.endswith(".c")] if effect.apart else []
        if not others or user.endswith(".h"):
            return False
        fields = {member.rpartition(".")[2] for member in effect.through}
        own = {step.path for step in effect.steps}.difference(others)
        if any(self._fills(user, path, field) for path in own for field in fields):
            return False
        return any(self._fills(user, path, field) for path in others for field in fields) or any(
            self._fills_otherwise(user, path, field) for path in own for field in fields
        )

    def _fills(self, user: str, path: str, field: str) -> bool:
        """Whether ``user`` names a function of the file ``path`` that gives a value to the member ``field``."""
        key = (user, path, field)
        if key not in self._has:
            text = self._program.text(user) or b""
            self._has[key] = user != path and any(
                re.search(rb"\b%b\b" % name, text) and not exports(text) for name in self._functions(path, field)
            )
        return self._has[key]

    def _fills_otherwise(self, user: str, path: str, field: str) -> bool:
        """Whether a table of ``user`` has another function where those of others have one of ``path`` that does so."""
        key = (user, path, field)
        if key not in self._otherwise:
            self._otherwise[key] = False
            names = {name.decode() for name in self._functions(path, field)} if user != path else set()
            called = [function for name in sorted(names) for function in self._program.functions(path, name)]
            where = {each for function in called for each in self._program.members(function)}
            text = self._program.text(user) or b""
            if where and not exports(text):
                self._otherwise[key] = any(
                    (structure, member) in where and name not in names
                    for name, structure, member in members(blank_comments_and_strings(text))
                )
        return self._otherwise[key]

    def _functions(self, path: str, field: str) -> tuple[bytes, ...]:
        """The functions of ``path`` that others can call, and that give a value to the member or have it given one."""
        key = (path, field)
        if key not in self._names:
            text = self._program.text(path) or b""
            found: set[str] = set()
            wanted = rb"(?:->|\.)%b\s*=\s*&?\w+\s*;" % re.escape(field.encode())
            while new := set(self._saying(path, text, wanted)) - found:
                found |= new
                wanted = rb"\b(?:%b)\(" % b"|".join(sorted(name.encode() for name in found))
            functions = [function for name in sorted(found) for function in self._program.functions(path, name)]
            self._names[key] = tuple(function.name.encode() for function in functions if not function.static)
        return self._names[key]

    def _saying(self, path: str, text: bytes, wanted: bytes) -> Iterator[str]:
        """The functions of a file in which something like ``wanted`` stands."""
        for found in re.finditer(wanted, text):
            extent = self._program.extent_at(path, text.count(b"\n", 0, found.start()) + 1)
            if extent is not None:
                yield extent.name
