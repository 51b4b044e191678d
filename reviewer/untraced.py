# SPDX-License-Identifier: GPL-2.0-or-later
"""How code reaches a function without naming it: through macros and members of structures."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reviewer.context.annotations import is_noinstr
from reviewer.context.callers import users
from reviewer.source.cfg import Call, Function
from reviewer.source.program import Program

_MACRO = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+(\w+)\(((?:[^\n\\]|\\\r?\n|\\.)*)", re.MULTILINE)
_MARK = "noinstr"
_MOST_FILES = 12


def ways_to(program: Program, function: Function) -> frozenset[str]:
    """What else than its name calls ``function``: macros, and members as ``.member`` that its own file sets to it."""
    found: set[str] = set()
    for path in program.mentioning(function):
        macros = _MACRO.findall(program.text(path) or b"")
        sought = {function.name}
        while sought:
            called = re.compile(rb"\b(?:" + b"|".join(sorted(name.encode() for name in sought)) + rb")\s*\(")
            names = {name.decode("latin-1") for name, body in macros if called.search(body)}
            sought = names - found - {function.name}
            found |= sought
    given = re.compile(rb"(?:\.|->)(\w+)\s*=\s*&?" + function.name.encode() + rb"\s*[,;}]")
    members = given.findall(program.text(function.path) or b"")
    return frozenset(found | {"." + member.decode("latin-1") for member in members})


def users_by(program: Program, function: Function, ways: frozenset[str]) -> Iterator[Function]:
    """The functions that call ``function`` in one of these ways: through a macro, those nearest that are noinstr."""
    for word, paths in _files(program, function, frozenset(way for way in ways if not way.startswith("."))).items():
        for path in paths:
            yield from (user for user in users(program, path, word) if is_noinstr(user) and _calls(user, word))
    for way in sorted(ways):
        if way.startswith("."):
            yield from (user for user in users(program, function.path, way[1:]) if _calls(user, way))


def _files(program: Program, function: Function, macros: frozenset[str]) -> dict[str, list[str]]:
    if not macros:
        return {}
    mentioned = program.files.mentioning(macros | {_MARK}, program.scope(function.path))
    quiet = set(mentioned.pop(_MARK, ()))
    return {
        word: sorted(quiet & set(paths), key=lambda path: (program.distance(path, function.path), path))[:_MOST_FILES]
        for word, paths in sorted(mentioned.items())
    }


def _calls(function: Function, name: str) -> bool:
    return any(isinstance(node, Call) and node.name == name for node in function.nodes())
