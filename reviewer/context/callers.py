# SPDX-License-Identifier: GPL-2.0-or-later
"""Who calls a function by name, or hands it to somebody who does."""

from __future__ import annotations

import re

from reviewer.source.cfg import Call, Function
from reviewer.source.program import Program

MOST = 24
"""So many callers of one function are found; whoever asks can tell by their number that there may be more."""


def callers(program: Program, function: Function) -> tuple[Function, ...]:
    """The functions that call ``function`` or pass it as an argument, nearest files first, at most ``MOST``."""
    name = function.name
    found: list[Function] = []
    for path in program.mentioning(function):
        found += (
            user
            for user in users(program, path, name)
            if _calls(user, name) and program.resolve(name, path)[:1] == (function,)
        )
        if len(found) >= MOST:
            break
    return tuple(found[:MOST])


def users(program: Program, path: str, word: str) -> tuple[Function, ...]:
    """The functions of ``path`` in whose body ``word`` stands."""
    text = program.text(path)
    if text is None or word.encode() not in text:
        return ()
    places = re.finditer(rb"\b" + re.escape(word.encode()) + rb"\b", text)
    lines = sorted({text.count(b"\n", 0, place.start()) + 1 for place in places})
    return tuple(
        function
        for extent in program.extents(path)
        if any(extent.line < line <= extent.end or line == extent.line == extent.end for line in lines)
        for function in program.functions(path, extent.name)
        if function.line == extent.line
    )


def _calls(caller: Function, name: str) -> bool:
    given = (name, "&" + name)
    return any(
        isinstance(node, Call) and (node.name == name or any(argument in given for argument in node.args))
        for node in caller.nodes()
    )
