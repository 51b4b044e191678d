# SPDX-License-Identifier: GPL-2.0-or-later
"""Where work items, timers and interrupts are set up: the calls that are given one member of a structure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reviewer.context.callers import users
from reviewer.source.cfg import Assign, Call, Function
from reviewer.source.expression import last_member, plain

if TYPE_CHECKING:
    from reviewer.context.analysis import Analyser

_OWNER = re.compile(r"(.*?)(?:->|\.)\w+")

Use = tuple[Function, Call | Assign]
"""A call that is given an object first, or an assignment to a member of it."""


def owner_of(expression: str) -> str:
    """What the last member of ``expression`` is a member of; empty where it is no member."""
    match = _OWNER.fullmatch(expression)
    return match.group(1) if match is not None else ""


class SetUps:
    """The uses of objects of a program, asked for one object at a time.

    An object is known as ``structure.member``, a global variable as ``.name``.
    """

    def __init__(self, analyser: Analyser) -> None:
        self._analyser = analyser
        self._found: dict[tuple[str, str], tuple[Use, ...]] = {}

    def object_of(self, expression: str, function: Function) -> str:
        """The object that ``expression`` means in ``function``; empty where that is not clear."""
        expression = plain(expression)
        owner = owner_of(expression)
        if owner:
            structure = self._analyser.program.type_of(owner, function)
            return f"{structure}.{last_member(expression)}" if structure is not None else ""
        known = expression in function.locals or expression in function.params
        return f".{expression}" if expression.isidentifier() and not known else ""

    def uses(self, of: str, user: str) -> tuple[Use, ...]:
        """The uses of the object ``of`` in the file ``user`` and near it, its own first."""
        key = (of, user)
        if key not in self._found:
            structure, _, member = of.partition(".")
            paths = self._analyser.orders.paths(structure, member, user) if structure else [user]
            self._found[key] = tuple(
                (function, node)
                for path in paths
                for function in users(self._analyser.program, path, member)
                for node in function.nodes()
                if isinstance(node, (Call, Assign)) and self._object(node, function) == of
            )
        return self._found[key]

    def _object(self, node: Call | Assign, function: Function) -> str:
        if isinstance(node, Call):
            return self.object_of(node.args[0], function) if node.args else ""
        owner = owner_of(plain(node.target))
        return self.object_of(owner, function) if owner else ""
