# SPDX-License-Identifier: GPL-2.0-or-later
"""Variables and members that are one of some constants, or variables that have one of some bits, where paths met on
which each was another.

As behind ``kind == A || kind == B``, two cases of a switch, or ``flags & A || flags & B``.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reviewer.context.facts import Facts

BETWEEN: Final = "|"
"""After each of several constants: ``command==READ|WRITE|`` means one of them, or none where it does not hold."""

Taken = frozenset[tuple[str, bool]]
"""Expressions, and whether they are taken to be true."""

_MOST = 16
_NAMES = r"([A-Z_][A-Z0-9_]*(?:\|[A-Z_][A-Z0-9_]*)*)"
_EQUALS = re.compile(r"([a-z_]\w*(?:(?:->|\.)\w+)*)==" + _NAMES + r"\|?")
_TAKEN = re.compile(r"([^=]+)==" + _NAMES + r"\|?")
_BITS = re.compile(r"([a-z_]\w*)&\(?" + _NAMES + r"\)?")
_OF: Final = {"symbol": _EQUALS, "value": _BITS}


def one_of(letter: str, text: str, new: Facts) -> str | None:
    """What is known both where ``text`` is true and where the facts ``new`` hold; None where that is nothing.

    ``letter`` says which kind of fact it is.
    """
    parted = _parted(letter, text)
    if parted is None:
        return None
    name, names = parted
    for (other, told), known in new.items():
        if other != letter or known in (0, False) or not told.startswith(name):
            continue
        found = _parted(letter, told)
        if found is not None and found[0] == name:
            both = names | found[1]
            return _text(letter, name, both) if len(both) <= _MOST else None
    return None


@functools.lru_cache(maxsize=65536)
def _parted(letter: str, text: str) -> tuple[str, frozenset[str]] | None:
    """The variable, and the constants or bits of which it is told."""
    pattern = _OF.get(letter)
    match = pattern.fullmatch(text) if pattern is not None else None
    return (match.group(1), frozenset(match.group(2).split(BETWEEN)) - {""}) if match is not None else None


def _text(letter: str, name: str, names: frozenset[str]) -> str:
    joined = BETWEEN.join(sorted(names))
    if letter == "symbol":
        return f"{name}=={joined}" + (BETWEEN if len(names) > 1 else "")
    return f"{name}&({joined})" if len(names) > 1 else f"{name}&{joined}"


@functools.lru_cache(maxsize=16384)
def each_of(text: str) -> tuple[str, ...]:
    """The comparisons of which one is true where ``text``, a comparison with one constant or several, is true."""
    path, mark, names = text.partition("==")
    return tuple(f"{path}{mark}{name}" for name in names.removesuffix(BETWEEN).split(BETWEEN))


def common(one: Taken, other: Taken) -> Taken:
    """What both take for granted: of what is compared with constants in both, that it is one of them."""
    both = one & other
    if both in (one, other):
        return both
    there = _compared(other)
    found = set(both)
    for path, names in _compared(one).items():
        either = names | there.get(path, frozenset())
        if path in there and len(either) <= _MOST:
            found.add((_text("symbol", path, either), True))
    return frozenset(found)


def _compared(taken: Taken) -> dict[str, frozenset[str]]:
    """What is taken to be one of some constants, to these."""
    found = (_TAKEN.fullmatch(text) for text, truth in taken if truth)
    return {match.group(1): frozenset(match.group(2).split(BETWEEN)) - {""} for match in found if match is not None}


def names_of(operand: object) -> frozenset[str]:
    """The constants or bits of which the operand of a condition means any; empty where it means one thing."""
    return frozenset(operand.split(BETWEEN)) - {""} if isinstance(operand, str) and BETWEEN in operand else frozenset()
