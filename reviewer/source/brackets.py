# SPDX-License-Identifier: GPL-2.0-or-later
"""Brackets of a text without comments and strings. Nothing is searched farther than C needs it."""

from __future__ import annotations

import re
from collections.abc import Callable

_LONGEST_GROUP = 8192  # bytes between brackets; the longest in the kernel are a few thousand
_UNCLOSED = 200
_BRACKET = re.compile(rb"[()\[\]{}]")


def closing(text: bytes, opening: int) -> int:
    """The offset just past the bracket that closes the one at ``opening``, or -1 where it is not near."""
    depth = 0
    for match in _BRACKET.finditer(text, opening, opening + _LONGEST_GROUP):
        if match.group() in b"([{":
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                return match.end()
    return -1


def enclosing(text: bytes, at: int) -> int:
    """The offset of the innermost bracket that is open at the offset ``at``, or -1 where none is near.

    With the offset of a closing bracket this is the bracket that it closes.
    """
    depth = 0
    for match in reversed(list(_BRACKET.finditer(text, max(0, at - _LONGEST_GROUP), at))):
        if match.group() in b")]}":
            depth += 1
        elif depth == 0:
            return match.start()
        else:
            depth -= 1
    return -1


class Brackets:
    """``closing`` and ``enclosing`` in one text, which give up once too many do not find: such a text is no C."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._patience: dict[Callable[[bytes, int], int], int] = {closing: _UNCLOSED, enclosing: _UNCLOSED}

    def closing(self, opening: int) -> int:
        """As the function."""
        return self._patiently(closing, opening)

    def enclosing(self, at: int) -> int:
        """As the function."""
        return self._patiently(enclosing, at)

    def _patiently(self, search: Callable[[bytes, int], int], at: int) -> int:
        found = search(self._text, at) if self._patience[search] > 0 else -1
        self._patience[search] -= found < 0
        return found
