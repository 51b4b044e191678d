# SPDX-License-Identifier: GPL-2.0-or-later
"""Who calls a function by name."""

from __future__ import annotations

import re

from reviewer.source.cfg import Call, Function
from reviewer.source.program import Program

_MOST = 24


def callers(program: Program, function: Function) -> tuple[Function, ...]:
    """The functions that call ``function``, nearest files first, at most ``_MOST``."""
    word = re.compile(rb"\b" + re.escape(function.name.encode()) + rb"\s*\(")
    found: list[Function] = []
    for path in program.mentioning(function):
        text = program.text(path)
        if text is None or function.name.encode() not in text:
            continue
        lines = sorted({text.count(b"\n", 0, match.start()) + 1 for match in word.finditer(text)})
        for extent in program.extents(path):
            if not any(extent.line < line <= extent.end or line == extent.line == extent.end for line in lines):
                continue
            found += (
                caller
                for caller in program.functions(path, extent.name)
                if caller.line == extent.line
                and _calls(caller, function.name)
                and program.resolve(function.name, path)[:1] == (function,)
            )
        if len(found) >= _MOST:
            break
    return tuple(found[:_MOST])


def _calls(caller: Function, name: str) -> bool:
    return any(isinstance(node, Call) and node.name == name for block in caller.blocks for node in block.nodes)
