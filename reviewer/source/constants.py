# SPDX-License-Identifier: GPL-2.0-or-later
"""The values of constants: macros that are one number, and the names of an enumeration."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reviewer.source.expression import constant
from reviewer.source.preprocess import blank_comments_and_strings
from reviewer.source.program import Program

_ENUMERATION = re.compile(rb"\benum\b[^{};()]*\{([^{}]*)\}")
_ENUMERATOR = re.compile(rb"\s*(\w+)\s*(?:=\s*(\w+)\s*)?")


class Constants:
    """Answers for the files of ``program``."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._values: dict[tuple[str, tuple[str, ...]], int | None] = {}

    def differ(self, one: str, other: str, user: str) -> bool:
        """Whether two names or numbers are known to be different values in the file ``user``."""
        if one == other:
            return False
        values = (self.value(one, user), self.value(other, user))
        return None not in values and values[0] != values[1]

    def value(self, name: str, user: str) -> int | None:
        """The value of ``name`` in the file ``user``; None where it has none or several that the file may mean."""
        if not name.isidentifier():
            return constant(name)
        key = (name, self._program.scope(user))
        if key not in self._values:
            found = {
                value
                for path in self._program.mentions_below_any(key[1], (name,))
                for value in _values(self._program.text(path) or b"", name.encode())
            }
            self._values[key] = found.pop() if len(found) == 1 else None
        return self._values[key]


def _values(text: bytes, name: bytes) -> Iterator[int | None]:
    """What ``name`` is wherever ``text`` defines it; None for what is no plain number."""
    text = blank_comments_and_strings(text)
    for macro in re.finditer(rb"^[ \t]*#[ \t]*define[ \t]+%b\b(.*)$" % name, text, re.MULTILINE):
        yield constant("".join(macro.group(1).decode("latin-1").split()))
    for enumeration in _ENUMERATION.finditer(text):
        if re.search(rb"\b%b\b" % name, enumeration.group(1)):
            yield _in_enumeration(enumeration.group(1), name)


def _in_enumeration(body: bytes, name: bytes) -> int | None:
    value: int | None = -1
    for part in body.split(b","):
        enumerator = _ENUMERATOR.fullmatch(part)
        if enumerator is None:
            return None
        given = enumerator.group(2)
        value = constant(given.decode("latin-1")) if given is not None else None if value is None else value + 1
        if enumerator.group(1) == name:
            return value
    return None
