# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions that a file assigns to members of structures: ``chip->irq_ack = unit_ack;``.

A parameter that is assigned stands for what the callers give: functions of the file where it has all the callers, as of
a static function, and anything otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from reviewer.source.brackets import closing
from reviewer.source.expression import split_arguments

_VALUE = re.compile(rb"=\s*+&?([a-z_]\w++)\s*+;")
_TARGET = re.compile(
    rb"(?<![\w>.)\]])([A-Za-z_]\w*(?:\[[^\[\]]*\])?(?:(?:->|\.)\w+(?:\[[^\[\]]*\])?)*?)(?:->|\.)(\w+)\s*\Z"
)
_LONGEST_TARGET = 120  # bytes
_LONGEST_HEADER = 400  # bytes
_SUBSCRIPT = re.compile(rb"\[[^\[\]]*\]")
_MEMBER = re.compile(rb"->|\.")
_POINTED = re.compile(rb"\bstruct\s++(\w++)\s*+(?:const\s*+)?\**+\s*+(?:const\s++)?(\w++)(?=\s*+[;,=)\[])")
_NEXT = re.compile(rb"[^;,(){}]*+,\s*+\**+\s*+(\w++)(?=\s*+[;,=\[])")
_NAMED = re.compile(rb"(\w++)\s*+\(")
_FUNCTION_POINTER = re.compile(r"[^()]*\(\s*\*\s*(?:const\s+)?(\w+)\s*\)\s*\(")
_OF_NAMED_TYPE = re.compile(r"\s*(?:const\s+)?(?!(?:__)?[a-z]{1,2}\d+\b|s?size_t\b|unsigned\b)\w+_\w+\s+(\w+)\s*")
_GIVEN = re.compile(r"\s*&?([A-Za-z_]\w*)\s*")
_ANY = ""
"""The function of ``Assigned`` where callers of other files choose it."""


class Assigned(NamedTuple):
    """``function`` is put into the member ``field`` of what is called ``path``, a chain of members of a ``structure``.

    ``path`` is empty where the structure itself has the member, ``function`` where it is the choice of callers that
    may stand in any file.
    """

    function: str
    structure: str
    path: str
    field: str


class _Around(NamedTuple):
    """The function whose header begins at ``start`` and whose body at ``brace``."""

    start: int
    brace: int


def assigned_functions(text: bytes, kinds: Mapping[str, str], variables: Mapping[str, str]) -> Iterator[Assigned]:
    """The assignments of functions in ``text``, which has no comments, where the type of the variable is declared.

    ``kinds`` says of what the file defines whether it is a static function, another or a macro; ``variables`` are those
    of the file with their types, perhaps with a ``*`` behind.
    """
    for match in _VALUE.finditer(text):
        value = match.group(1).decode("latin-1")
        if not _is_function(kinds, value):
            # Mostly it is no parameter either, which this finds out fast.
            brace = text.rfind(b"\n{", 0, match.start())
            if text.find(match.group(1), max(0, brace - _LONGEST_HEADER), max(0, brace)) < 0:
                continue
        target = _TARGET.search(text, max(0, match.start() - _LONGEST_TARGET), match.start())
        if target is None:
            continue
        around = _around(text, match.start())
        variable, *path = (part.decode("latin-1") for part in _MEMBER.split(_SUBSCRIPT.sub(b"", target.group(1))))
        declared = _declared(text, around, match.start()) if around is not None else {}
        structure = declared.get(variable) or variables.get(variable, "").rstrip("*")
        if structure:
            functions = _put(text, kinds, around, value)
            for function in sorted(functions):
                yield Assigned(function, structure, ".".join(path), target.group(2).decode("latin-1"))


def _around(text: bytes, at: int) -> _Around | None:
    """The function in whose body ``at`` lies."""
    brace = text.rfind(b"\n{", 0, at)
    if brace < 0 or text.find(b"\n}", brace, at) >= 0:
        return None
    return _Around(max(text.rfind(mark, 0, brace) for mark in (b";", b"}", b"\n\n", b"#")) + 1, brace)


def _declared(text: bytes, around: _Around, at: int) -> dict[str, str]:
    """The variables and parameters of structure types in the function up to ``at``."""
    found: dict[str, str] = {}
    for match in _POINTED.finditer(text, around.start, at):
        structure, end = match.group(1).decode("latin-1"), match.end()
        found[match.group(2).decode("latin-1")] = structure
        while (further := _NEXT.match(text, end)) is not None:
            found[further.group(1).decode("latin-1")] = structure
            end = further.end()
    return found


def _put(text: bytes, kinds: Mapping[str, str], around: _Around | None, value: str) -> set[str]:
    """The functions that ``value`` stands for, where it is assigned."""
    header = _header(text, around, kinds) if around is not None else None
    if around is not None and header is not None:
        for position, parameter in enumerate(_arguments(text, header.end() - 1)):
            pointer = _FUNCTION_POINTER.match(parameter) or _OF_NAMED_TYPE.fullmatch(parameter)
            if pointer is not None and pointer.group(1) == value:
                return _given(text, kinds, around, header.group(1), position)
    return {value} if _is_function(kinds, value) else set()


def _is_function(kinds: Mapping[str, str], name: str) -> bool:
    """Whether the file defines ``name``, and not as a macro."""
    return kinds.get(name, "m") != "m"


def _header(text: bytes, around: _Around, kinds: Mapping[str, str]) -> re.Match[bytes] | None:
    """The name of the function and its bracket."""
    for match in _NAMED.finditer(text, around.start, around.brace):
        if _is_function(kinds, match.group(1).decode("latin-1")):
            return match
    return None


def _given(text: bytes, kinds: Mapping[str, str], around: _Around, name: bytes, position: int) -> set[str]:
    """What the callers of the function ``name`` give it as the argument at ``position``."""
    if kinds[name.decode("latin-1")] != "s" or b"inline" in text[around.start : around.brace].split():
        return {_ANY}
    functions: set[str] = set()
    for use in re.finditer(rb"\b%b\b\s*+(\(?)" % name, text):
        if around.start <= use.start() < around.brace:
            continue
        arguments = _arguments(text, use.end() - 1) if use.group(1) else ()
        named = _GIVEN.fullmatch(arguments[position]) if position < len(arguments) else None
        function = named.group(1) if named is not None else ""
        if _is_function(kinds, function):
            functions.add(function)
        elif function != "NULL":
            return {_ANY}
    return functions or {_ANY}


def _arguments(text: bytes, opening: int) -> tuple[str, ...]:
    """What stands between the commas of the bracket at ``opening``; nothing where it is not closed."""
    end = closing(text, opening)
    return split_arguments(text[opening + 1 : end - 1].decode("latin-1")) if end > 0 else ()
