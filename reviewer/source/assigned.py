# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions of a file that it assigns to members of structures: ``chip->irq_ack = unit_ack;``."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from typing import NamedTuple

_VALUE = re.compile(rb"=\s*+&?([a-z_]\w++)\s*+;")
_TARGET = re.compile(
    rb"(?<![\w>.)\]])([A-Za-z_]\w*(?:\[[^\[\]]*\])?(?:(?:->|\.)\w+(?:\[[^\[\]]*\])?)*?)(?:->|\.)(\w+)\s*\Z"
)
_LONGEST_TARGET = 120
_SUBSCRIPT = re.compile(rb"\[[^\[\]]*\]")
_MEMBER = re.compile(rb"->|\.")
_POINTED = re.compile(rb"\bstruct\s++(\w++)\s*+(?:const\s*+)?\**+\s*+(?:const\s++)?(\w++)(?=\s*+[;,=)\[])")
_NEXT = re.compile(rb"[^;,(){}]*+,\s*+\**+\s*+(\w++)(?=\s*+[;,=\[])")


class Assigned(NamedTuple):
    """``function`` is put into the member ``field`` of what is called ``path``, a chain of members of a ``structure``.

    ``path`` is empty where the structure itself has the member.
    """

    function: str
    structure: str
    path: str
    field: str


def assigned_functions(text: bytes, functions: Container[str], variables: Mapping[str, str]) -> Iterator[Assigned]:
    """The assignments of ``functions`` in ``text``, which has no comments, where the type of the variable is declared.

    ``variables`` are those of the file with their types, perhaps with a ``*`` behind.
    """
    for match in _VALUE.finditer(text):
        function = match.group(1).decode("latin-1")
        target = (
            _TARGET.search(text, max(0, match.start() - _LONGEST_TARGET), match.start())
            if (function in functions)
            else None
        )
        if target is None:
            continue
        variable, *path = (part.decode("latin-1") for part in _MEMBER.split(_SUBSCRIPT.sub(b"", target.group(1))))
        structure = _declared(text, match.start()).get(variable) or variables.get(variable, "").rstrip("*")
        if structure:
            yield Assigned(function, structure, ".".join(path), target.group(2).decode("latin-1"))


def _declared(text: bytes, at: int) -> dict[str, str]:
    """The variables and parameters of structure types in the function around ``at``, up to there."""
    brace = text.rfind(b"\n{", 0, at)
    if brace < 0 or text.find(b"\n}", brace, at) >= 0:
        return {}
    start = max(text.rfind(mark, 0, brace) for mark in (b";", b"}", b"\n\n", b"#")) + 1
    found: dict[str, str] = {}
    for match in _POINTED.finditer(text, start, at):
        structure, end = match.group(1).decode("latin-1"), match.end()
        found[match.group(2).decode("latin-1")] = structure
        while (further := _NEXT.match(text, end)) is not None:
            found[further.group(1).decode("latin-1")] = structure
            end = further.end()
    return found
