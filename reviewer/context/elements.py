# SPDX-License-Identifier: GPL-2.0-or-later
"""Handlers that are put into some elements of an array only: a call for another element does not reach them.

As with ``ring = &port->rings[RING_EVENTS]; ring->receive = port_event;``: of ``&port->rings[RING_DATA]``, ``receive``
is never ``port_event()``. The index is a constant, or a variable that is known to be one where that is done.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from reviewer.context.callers import users
from reviewer.context.everyway import known_at
from reviewer.context.locks import canonical
from reviewer.source.cfg import AnyNode, Assign, Call, Edge, Function, written_by
from reviewer.source.constants import Constants
from reviewer.source.expression import constant, last_member, split_member, variables
from reviewer.source.preprocess import blank_comments_and_strings
from reviewer.source.program import Program

if TYPE_CHECKING:
    from reviewer.context.effects import OfTables
    from reviewer.source.pointers import Instance

_ELEMENT = re.compile(r"(?:.*(?:->|\.))?(\w+)\[(\w+)\]")
_CONSTANT = re.compile(r"[A-Z][A-Z0-9_]*|\d+")

_Known = frozenset[tuple[str, str]]
"""Variables and what they are: a constant, or what stands in ``Function.aliases`` for them."""


class Elements:
    """Answers for the functions of ``program``. An element is called ``rings[RING_EVENTS]``."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._constants = Constants(program)
        self._found: dict[tuple[str, str, str], tuple[str, ...]] = {}

    def possible(self, receiver: str, member: str, instance: Instance, caller: Function) -> OfTables:
        """The elements of which ``receiver`` is one where its ``member``, called in ``caller``, is the function.

        Nothing where it can be any object that the function is put into.
        """
        handler = instance.function
        if not instance.assigned or not handler.static or not handler.path.endswith(".c"):
            return frozenset()
        path = canonical(caller, receiver)
        if path not in caller.params and _ELEMENT.fullmatch(path) is None:
            return frozenset()
        key = (handler.path, handler.name, member)
        if key not in self._found:
            self._found[key] = self._elements(handler, member) or ()
        return frozenset(((path, self._found[key]),)) if self._found[key] else frozenset()

    def excluded(self, caller: Function, among: OfTables) -> bool:
        """Whether an object of ``caller``, in whose words ``among`` is, is another element than those it must be."""
        return any(self._is_another(path, names, caller.path) for path, names in among if path.endswith("]"))

    def _is_another(self, path: str, names: tuple[str, ...], user: str) -> bool:
        this = _ELEMENT.fullmatch(path)
        others = [_ELEMENT.fullmatch(name) for name in names]
        return this is not None and all(
            other is not None
            and other.group(1) == this.group(1)
            and self._constants.differ(other.group(2), this.group(2), user)
            for other in others
        )

    def _elements(self, handler: Function, member: str) -> tuple[str, ...] | None:
        """The elements whose ``member`` is ever the function; None where that is not clear."""
        text = blank_comments_and_strings(self._program.text(handler.path) or b"")
        mentions = len(re.findall(rb"\b%b\b(?!\s*\()" % handler.name.encode(), text))
        found, places = set[str](), 0
        for user in users(self._program, handler.path, handler.name):
            for number, block in enumerate(user.blocks):
                for node in block.nodes:
                    if not isinstance(node, Assign) or node.value.removeprefix("&") != handler.name:
                        continue
                    places += 1
                    parts = split_member(node.target)
                    element = _element(user, number, node, parts[0]) if parts and parts[1] == member else None
                    if element is None:
                        return None
                    found.add(element)
        if places != mentions or self._is_copied(handler.path, member):
            return None
        return tuple(sorted(found))

    def _is_copied(self, path: str, member: str) -> bool:
        """Whether the file puts the member of one object into that of another."""
        return any(
            isinstance(node, Assign) and last_member(node.target) == last_member(node.value) == member != node.target
            for user in users(self._program, path, member)
            for node in user.nodes()
        )


def _element(function: Function, block: int, node: Assign, of: str) -> str | None:
    """The element that ``of`` is at ``node``, in the block with that number; None where it may be several."""
    meant = _ELEMENT.fullmatch(canonical(function, of))
    if meant is None:
        return None
    array, index = meant.groups()
    if not _CONSTANT.fullmatch(index):
        known = known_at(function, block, node, partial(_after, function), _told)
        if of in function.aliases and (of, function.aliases[of]) not in known:
            return None
        values = {value for name, value in known if name == index and _CONSTANT.fullmatch(value)}
        if len(values) != 1:
            return None
        index = values.pop()
    return f"{array}[{index}]"


def _after(function: Function, known: _Known, nodes: Iterable[AnyNode]) -> _Known:
    for node in nodes:
        changed = {written_by(node)}
        if isinstance(node, Call):
            changed |= {argument[1:] for argument in node.args if argument.startswith("&")}
        known = frozenset(
            (name, value) for name, value in known if name not in changed and not variables(value) & changed
        )
        if isinstance(node, Assign) and function.aliases.get(node.target) == node.value:
            known |= {(node.target, node.value)}
    return known


def _told(edge: Edge) -> _Known:
    return frozenset(
        (literal.left, str(literal.right))
        for literal in edge.literals
        if (literal.operator == "==") is literal.holds
        and literal.operator in ("==", "!=")
        and (constant(str(literal.right)) is not None or _CONSTANT.fullmatch(str(literal.right)))
    )
