# SPDX-License-Identifier: GPL-2.0-or-later
"""Members that never are together as a path takes for granted: one is set only where another is otherwise.

As with ``if (dev->polled) return; dev->dma = RUNNING;``: where ``dev->polled`` holds, ``dev->dma`` is not ``RUNNING``.
"""

from __future__ import annotations

import functools
import posixpath
import re
from collections.abc import Iterable, Set
from typing import NamedTuple

from reviewer.context.callers import MOST, callers, hands_over
from reviewer.context.effects import Assumptions, Effect
from reviewer.context.locks import canonical
from reviewer.context.puts import Puts
from reviewer.source.cfg import Edge, Function, Literal, placed_calls, reachable
from reviewer.source.expression import last_member
from reviewer.source.program import Program

_ABOVE = 2
"""So many callers one above the other may be the ones that ask."""
_ASSUMED = re.compile(r"(?:.*(?:->|\.))(\w+)(?:==([A-Z]\w*))?")
_CONSTANT = re.compile(r"[A-Z]\w*")


class _Known(NamedTuple):
    """That a member ``is`` the constant, or is not 0 where the constant is empty; or that it is not so."""

    member: str
    constant: str
    is_so: bool


class Exclusive:
    """Answers for the functions of ``program``. ``puts`` knows what its members are set to."""

    def __init__(self, program: Program, puts: Puts) -> None:
        self._program = program
        self._puts = puts
        self._found: dict[tuple[frozenset[str], _Known, _Known], bool] = {}

    def contradict(self, function: Function, effect: Effect, assumed: Assumptions) -> bool:
        """Whether two of the things that ``effect`` takes for granted with ``assumed`` never come together.

        Only files of the folder of ``function`` are asked, and only where all of the path lies there.
        """
        known = sorted({found for text, truth in effect.assumed | assumed if (found := _known(text, truth))})
        if len(known) < 2 or not any(one.constant for one in known):
            return False
        paths = frozenset((function.path, *(step.path for step in effect.steps)))
        if len({posixpath.dirname(path) for path in paths}) != 1:
            return False
        return any(
            self._excludes(paths, one, other)
            for one in known
            if one.constant
            for other in known
            if other.member != one.member and (other.is_so or not other.constant)
        )

    def _excludes(self, paths: frozenset[str], wanted: _Known, where: _Known) -> bool:
        """Whether the member becomes what is ``wanted`` only where ``where`` does not hold, and another one there."""
        key = (paths, wanted, where)
        if key not in self._found:
            meant = self._puts.meant(paths, wanted.member)
            put_there = [put for put in meant if _may_be(put.value, wanted)]
            # What nobody puts there may be what a new object begins with.
            self._found[key] = (
                bool(put_there)
                and any(put.block in _reachable(put.function, where) for put in meant if put not in put_there)
                and not any(self._happens(put.function, {put.block}, where, _ABOVE) for put in put_there)
            )
        return self._found[key]

    def _happens(self, function: Function, blocks: Set[int], where: _Known, above: int) -> bool:
        """Whether one of ``blocks`` may run where ``where`` holds, as far as the function and its callers ask."""
        if not blocks & _reachable(function, where):
            return False
        if not above or not function.static:
            return True
        calling = callers(self._program, function)
        return not 0 < len(calling) < MOST or any(
            hands_over(user, function.name) or self._happens(user, _calling(user, function.name), where, above - 1)
            for user in calling
        )


@functools.lru_cache(maxsize=16384)
def _known(text: str, truth: bool) -> _Known | None:
    match = _ASSUMED.fullmatch(text)
    return _Known(match[1], match[2] or "", truth) if match is not None else None


def _may_be(value: str, wanted: _Known) -> bool:
    """Whether a member that ``value`` is put into may be what is ``wanted``."""
    return (value == wanted.constant) is wanted.is_so or _CONSTANT.fullmatch(value) is None


def _calling(function: Function, name: str) -> set[int]:
    return {block for block, call in placed_calls(function) if call.name == name}


def _reachable(function: Function, where: _Known) -> set[int]:
    """The blocks to which some way leads on which nothing says that ``where`` does not hold."""
    return reachable(function, lambda block, edge: not _is_closed(function, edge, function.blocks[block].edges, where))


def _is_closed(function: Function, edge: Edge, beside: Iterable[Edge], where: _Known) -> bool:
    """Whether ``edge`` is not taken where ``where`` holds: by what it asks, or as the default of a switch."""
    if edge.literals:
        return any(_denies(function, literal, where) for literal in edge.literals)
    return any(_says(function, literal, where) for other in beside for literal in other.literals)


def _denies(function: Function, literal: Literal, where: _Known) -> bool:
    if last_member(canonical(function, literal.left)) != where.member or literal.operator not in ("==", "!="):
        return False
    is_so = (literal.operator == "==") == literal.holds
    if not where.constant:
        return literal.right == 0 and is_so == where.is_so
    return is_so != (literal.right == where.constant) and isinstance(literal.right, str)


def _says(function: Function, literal: Literal, where: _Known) -> bool:
    """Whether ``literal`` is what ``where`` says of a member that is compared with constants."""
    named = last_member(canonical(function, literal.left)) == where.member and literal.right == where.constant
    return bool(where.constant) and named and (literal.operator == "==") == literal.holds
