# SPDX-License-Identifier: GPL-2.0-or-later
"""Locks of an object that is handed to an operation of which nothing is known: it may release them."""

from __future__ import annotations

from reviewer.context.facts import PASSED
from reviewer.context.state import Origin
from reviewer.context.tables import Api
from reviewer.context.watch import Path, Watcher
from reviewer.source.cfg import AnyNode, Call, Function, Return
from reviewer.source.expression import plain, root

Lock = tuple[str, str]
"""Kind, and the expression as callers see it."""


class HandOver(Watcher):
    """Compares at each return the paths that went through such a call with the others."""

    @staticmethod
    def matter(function: Function, api: Api) -> bool:
        """Whether ``function`` calls an operation and takes a lock."""
        calls = list(function.calls())
        return any(call.name.startswith(".") for call in calls) and any(call.name in api.locks for call in calls)

    def before(self, node: AnyNode, path: Path) -> None:
        """Note the call, and at a return what became of the locks."""
        state, facts = path
        if isinstance(node, Call) and node.name.startswith("."):
            given = {root(plain(argument)) for argument in node.args}
            if not self._flow.analyser.callees(node.name, self._flow.function):
                for held in state.locks:
                    if held.origin is Origin.TAKEN and root(held.expression) in given:
                        facts[PASSED, held.expression] = held.kind
        elif isinstance(node, Return):
            self._returns(node.line, path)

    def _returns(self, line: int, path: Path) -> None:
        state, facts = path
        held_now = {held.expression: held.kind for held in state.locks if held.origin is Origin.TAKEN}
        for expression, kind in held_now.items():
            found = self._flow.passed_held if (PASSED, expression) in facts else self._flow.passed_other
            found.add((line, (kind, self._flow.outside(expression, facts))))
        for (what, expression), kind in facts.items():
            if what == PASSED and expression not in held_now:
                self._flow.passed_other.add((line, (kind, self._flow.outside(expression, facts))))
