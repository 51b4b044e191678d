# SPDX-License-Identifier: GPL-2.0-or-later
"""Members of objects that a function fills from its parameters before it hands the objects on.

What a callee does for objects that have such a member is done for those who give the function something to put there.
"""

from __future__ import annotations

from collections import Counter

from reviewer.context.assumptions import SOME
from reviewer.context.effects import Assumptions, Condition
from reviewer.context.facts import NONZERO, STORED, Facts, value_of
from reviewer.source.cfg import Assign, Function, written_by
from reviewer.source.expression import constant, last_member, split_member


def of_stored(assumptions: Assumptions, facts: Facts) -> list[Condition]:
    """What must hold of the parameters that this path has put into the members of which something is assumed."""
    into = {text: position for (letter, text), position in facts.items() if letter == STORED}
    return [
        Condition(position, "value", NONZERO if truth else 0)
        for text, truth in sorted(assumptions if into else ())
        for member, position in into.items()
        if member == text or (text.startswith(SOME) and last_member(member) == text.removeprefix(SOME))
    ]


class Filled:
    """What the members of the objects of ``function`` are set to, where that happens at one place."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._values: dict[str, tuple[str, str]] = {}
        targets = Counter(name for node in function.nodes() if (name := written_by(node)))
        for node in function.nodes():
            if isinstance(node, Assign):
                parts = split_member(node.target)
                if parts is not None and node.target == ".".join(parts) and parts[0].isidentifier():
                    self._values[parts[1]] = (parts[0], node.value)
        once = {parts[1] for name, count in targets.items() if count == 1 and (parts := split_member(name)) is not None}
        more = {parts[1] for name, count in targets.items() if count > 1 and (parts := split_member(name)) is not None}
        self._values = {
            member: (of, value)
            for member, (of, value) in self._values.items()
            if member in once - more and (constant(value) == 0 or (value in function.params and not targets[value]))
        }

    def given(self, assumptions: Assumptions, args: tuple[str, ...], facts: Facts) -> list[Condition] | None:
        """What must hold of parameters so that objects among ``args`` have the members that are taken to be set.

        None where one is known not to be.
        """
        conditions = []
        for text, truth in assumptions if self._values else ():
            of, value = self._values.get(text.removeprefix(SOME), ("", ""))
            if not of or not truth or not text.startswith(SOME) or f"&{of}" not in args:
                continue
            known = value_of(facts, value)
            if known == 0:
                return None
            if known is None:
                conditions.append(Condition(self._function.params.index(value), "value", NONZERO))
        return conditions
