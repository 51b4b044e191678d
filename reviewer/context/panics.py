# SPDX-License-Identifier: GPL-2.0-or-later
"""Members that are set only in a panic, as ``run_to_completion``: nobody else finds an object where they are.

In a panic runs what is on the list of those who are told of one (kernel/panic.c, vpanic()), and what only they call,
directly or through the operations of an object.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Set

from reviewer.context.callers import MOST, callers, hands_over, users
from reviewer.context.effects import Assumptions, Effect
from reviewer.context.entry import ways_in
from reviewer.context.puts import Puts
from reviewer.context.schema import EntryKind
from reviewer.context.tables import Api
from reviewer.source.cfg import Call, Edge, Function, placed_calls, reachable
from reviewer.source.program import Program

_ABOVE = 6
"""So many callers one above the other are asked for."""
_MEMBER = re.compile(r"(?:.*(?:->|\.))(\w+)")
_ZERO = frozenset(("0", "false", "NULL"))


class Panics:
    """Answers for the functions of ``program``. ``puts`` knows what its members are set to."""

    def __init__(self, program: Program, api: Api, puts: Puts) -> None:
        self._program = program
        self._api = api
        self._puts = puts
        flagged = (one for registration in api.registrations for one in registration.flagged)
        self._lists = sorted(pattern.pattern for pattern, kind in flagged if kind is EntryKind.PANIC)
        self._found: dict[tuple[frozenset[str], str], bool] = {}

    def mean(self, function: Function, effect: Effect, assumed: Assumptions) -> bool:
        """Whether ``effect`` takes a member for granted with ``assumed`` that is set in a panic alone.

        Only files of the folder of ``function`` are asked, and only where all of the path and a registration lie there.
        """
        paths = frozenset((function.path, *(step.path for step in effect.steps)))
        folders = {posixpath.dirname(path) for path in paths}
        if len(folders) != 1 or not self._program.mentions_below_any(folders, self._lists):
            return False
        members = {match[1] for text, truth in effect.assumed | assumed if truth and (match := _MEMBER.fullmatch(text))}
        return any(self._is_set_in_panic(paths, member) for member in sorted(members))

    def _is_set_in_panic(self, paths: frozenset[str], member: str) -> bool:
        key = (paths, member)
        if key not in self._found:
            put_there = [put for put in self._puts.meant(paths, member) if put.value not in _ZERO]
            self._found[key] = bool(put_there) and all(
                self._only_in_panic(put.function, {put.block}, _ABOVE) for put in put_there
            )
        return self._found[key]

    def _only_in_panic(self, function: Function, blocks: Set[int], above: int) -> bool:
        """Whether ``blocks`` run in a panic alone, by all who are known to enter the function or to call it."""
        kinds = {way.kind for way in ways_in(self._program, self._api, function)}
        if kinds - {EntryKind.PANIC} or not above:
            return False
        using = callers(self._program, function)
        if len(using) >= MOST or (not kinds and any(hands_over(user, function.name) for user in using)):
            return False
        calls = [(user, call) for user in using for call in _calls(user, function.name)]
        if not kinds:
            fields = {field for _, field in self._program.filled(function)}
            calls += (found for field in sorted(fields) for found in self._through(function, field))
        reached = [(user, at) for user, (at, call) in calls if not blocks.isdisjoint(_reachable(function, call))]
        return bool(kinds or reached) and all(self._only_in_panic(user, {at}, above - 1) for user, at in reached)

    def _through(self, function: Function, field: str) -> Iterator[tuple[Function, tuple[int, Call]]]:
        """The calls of a member of that name in the folder of ``function``."""
        for path in self._program.mentions_below(posixpath.dirname(function.path), field):
            for user in users(self._program, path, field):
                for found in _calls(user, "." + field):
                    yield user, found


def _calls(function: Function, name: str) -> Iterator[tuple[int, Call]]:
    """The calls of ``name``, each with its block."""
    return ((block, call) for block, call in placed_calls(function) if call.name == name)


def _reachable(function: Function, call: Call) -> set[int]:
    """The blocks to which some way leads where ``call`` gives the function what it is given."""
    pairs = zip(function.params, call.args, strict=False)
    pointers = {parameter for parameter, argument in pairs if argument.startswith("&")}
    return reachable(function, lambda _, edge: not _takes_for_null(edge, pointers))


def _takes_for_null(edge: Edge, pointers: Set[str]) -> bool:
    return any(
        literal.left in pointers and literal.right == 0 and (literal.operator == "==") == literal.holds
        for literal in edge.literals
        if literal.operator in ("==", "!=")
    )
