# SPDX-License-Identifier: GPL-2.0-or-later
"""Registrations behind a function or macro that hands on what it is given: ``queue_init(q, f)`` for INIT_WORK()."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from reviewer.context.tables import Api, Registration
from reviewer.source.cfg import Call, Function, written_by
from reviewer.source.expression import split_arguments, unwrap
from reviewer.source.macros import expansions
from reviewer.source.program import Program

_DEEPEST = 3
"""So many calls one below the other are looked into."""
_INCLUDED_DEEP = 2
"""A macro is looked for in the headers that the file includes, and in those that these include: in a driver's own
headers, and in those of its subsystem that they build on."""
_CAST = re.compile(r"\(\w+\**\)(?=[\w&])")
_CALL = re.compile(r"(?:do\{)?(\w+)\((.*)\);?(?:\}while\(0\))?")
_INCLUDED = re.compile(rb'^[ \t]*#[ \t]*include[ \t]+"([\w./-]+\.h)"', re.MULTILINE)


class HandedOn(NamedTuple):
    """The call ``called`` of a registration with its ``arguments``, as far as the first caller says them."""

    registration: Registration
    called: str
    arguments: tuple[str, ...]


def plain_value(argument: str) -> str:
    """``argument`` without a cast, brackets and the ``&`` before a function."""
    return unwrap(_CAST.sub("", unwrap(argument), count=1)).lstrip("&")


def handed_on(
    program: Program, api: Api, called: str, arguments: Sequence[str], position: int, user: str
) -> Iterator[HandedOn]:
    """The registrations that get the argument at ``position`` of a call of ``called`` in the file ``user``.

    Those whose flags nobody on the way says as constants are left out.
    """
    yield from _Search(program, api).below(called, tuple(arguments), position, user, 0)


class _Search:
    def __init__(self, program: Program, api: Api) -> None:
        self._program = program
        self._api = api
        self._names = {name for each in api.registrations if not each.member for name in each.position}

    def below(
        self, called: str, arguments: tuple[str, ...], position: int, user: str, depth: int
    ) -> Iterator[HandedOn]:
        if depth == _DEEPEST:
            return
        if called.isupper():
            calls = [(*call, user) for call in self._of_macro(called, arguments, user)]
        else:
            found = self._program.resolve(called, user)
            calls = [(*call, found[0].path) for call in _of_function(found[0], arguments)] if len(found) == 1 else []
        wanted = plain_value(arguments[position])
        for name, given, path in calls:
            for at, argument in enumerate(given):
                if plain_value(argument) != wanted:
                    continue
                yield from self._registered(name, given, at)
                if name not in self._names and name != called:
                    yield from self.below(name, given, at, path, depth + 1)

    def _registered(self, name: str, arguments: tuple[str, ...], position: int) -> Iterator[HandedOn]:
        for registration in self._api.registrations:
            flags = registration.flags_at.get(name)
            says = flags is None or (flags < len(arguments) and re.search(r"\b[A-Z]\w+\b|^0$", arguments[flags]))
            if not registration.member and registration.position.get(name) == position and says:
                yield HandedOn(registration, name, arguments)

    def _of_macro(self, name: str, arguments: tuple[str, ...], user: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The call that a macro stands for, where its file or one that this includes by its path says so."""
        if not any(known in name for known in self._names if known.isupper()):
            return  # most macros that are given functions define tables
        for path in (user, *self._included(user)):
            for text in expansions(self._program.text(path) or b"", name, arguments):
                call = _CALL.fullmatch(text)
                if call is not None:
                    yield call.group(1), tuple(split_arguments(call.group(2)))

    def _included(self, path: str) -> list[str]:
        found: dict[str, None] = {}
        for _ in range(_INCLUDED_DEEP):
            for file in (path, *found):
                for name in _INCLUDED.findall(self._program.text(file) or b""):
                    found[posixpath.normpath(posixpath.join(posixpath.dirname(file), name.decode()))] = None
        return list(found)


def _of_function(function: Function, arguments: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The calls that the function makes, in the words of its caller where they are about parameters."""
    moved = {written_by(node) for node in function.nodes()}
    given = {
        parameter: argument
        for parameter, argument in zip(function.params, arguments, strict=False)
        if parameter not in moved
    }
    own = {parameter: f"{function.name}.{parameter}" for parameter in function.params if parameter not in given}
    for node in function.nodes():
        if isinstance(node, Call):
            yield node.name, tuple({**own, **given}.get(plain_value(argument), argument) for argument in node.args)
