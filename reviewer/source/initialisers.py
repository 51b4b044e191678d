# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables that name functions: ``static const struct x_ops ops = { .read = read_x, .power.on = switch_on }``."""

from __future__ import annotations

import re
from collections.abc import Iterator

_INITIALISER = re.compile(rb"=\s*\{")
_TABLE = re.compile(
    rb"^([ \t]+(?=(?:const )?static ))?(?:static |const |extern |__\w+ )*struct\s+(\w+)\s+[^;=(){}]{0,200}\Z",
    re.MULTILINE,
)
_LONGEST_HEAD = 400
_FIELD = rb"\.(?P<field>\w+(?:\s*\.\s*\w+)*)\s*=\s*"
_ENTRY = re.compile(rb"(?:^|[{,])\s*" + _FIELD + rb"&?(?P<function>[a-z_]\w+)\s*(?=[,}])", re.MULTILINE)
# What opens a part of the table, closes one, or is an entry.
_TOKEN = re.compile(
    rb"[{}]|\(\s*(?:const\s+)?struct\s+(?P<type>\w+)[^()]*\)\s*\{"
    rb"|" + _FIELD + rb"(?:(?P<open>\{)|&?(?P<function>[a-z_]\w+)\s*(?=[,}]))"
)


def members(text: bytes) -> set[tuple[str, str, str]]:
    """(function, structure, field) of the tables in a text without comments.

    A part of a table without a type of its own is called after the members that lead to it: ``x_ops.power``.
    """
    found: set[tuple[str, str, str]] = set()
    done = 0
    for start in _INITIALISER.finditer(text):
        table = _TABLE.search(text, max(done, start.start() - _LONGEST_HEAD), start.start())
        if table is None or start.start() < done:
            continue
        last = b"\n" + (table.group(1) or b"") + b"}"
        done = text.find(last, start.end())
        if done < 0:
            break
        end = done + len(last)
        if _ENTRY.search(text, start.end() - 1, end) is not None:
            found.update(_entries(text, start.end(), end, table.group(2).decode("latin-1")))
    return found


def _entries(text: bytes, start: int, end: int, structure: str) -> Iterator[tuple[str, str, str]]:
    around = [structure]
    for token in _TOKEN.finditer(text, start, end):
        if token[0] == b"{":
            around.append(around[-1])
        elif token[0] == b"}":
            if len(around) > 1:
                around.pop()
        elif token["type"]:
            around.append(token["type"].decode("latin-1"))
        elif token["open"]:
            around.append(f"{around[-1]}.{_dotted(token['field'])}")
        else:
            path, _, field = _dotted(token["field"]).rpartition(".")
            yield token["function"].decode("latin-1"), f"{around[-1]}.{path}" if path else around[-1], field


def _dotted(field: bytes) -> str:
    return b"".join(field.split()).decode("latin-1")
