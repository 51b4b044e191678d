# SPDX-License-Identifier: GPL-2.0-or-later
"""Objects that a function is given for a value: ``chan = find_chan(dev, number)``.

What is done to objects of one kind only, as ``chan->number >= FIRST_SHARED`` tells them apart, happens to such an
object if the value is one of those. Whoever asks for it by the value knows that, or nobody does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from reviewer.context.assumptions import in_caller, in_parameters
from reviewer.context.effects import HOLDS, Assumptions, Condition
from reviewer.context.facts import MOVED, SOUGHT, SYMBOL, Facts, value_of
from reviewer.context.oneof import BETWEEN
from reviewer.source.cfg import Call, Function
from reviewer.source.expression import identifiers, unwrap


def note_sought(node: Call, function: Function, callees: Iterable[Function], facts: Facts) -> None:
    """Remember for which values the result of ``node`` was asked: its members that are called as the parameters are."""
    if not node.result or not function.types.get(node.result, "").endswith("*"):
        return
    found = [
        {
            name: unwrap(argument)
            for name, pointer, argument in zip(callee.params, callee.pointers, node.args, strict=False)
            if name and not pointer
        }
        for callee in callees
    ]
    if found and all(each == found[0] for each in found):
        facts.update(((SOUGHT, f"{node.result}->{name}"), value) for name, value in found[0].items())


def sought_for(assumptions: Assumptions, function: Function, facts: Facts) -> list[Condition] | None:
    """What has to hold of parameters so that an object is of the kind that ``assumptions`` are about.

    They are in the words of ``function``. None where that is not known, or known not to be.
    """
    members = {member: value for (letter, member), value in facts.items() if letter == SOUGHT} if assumptions else {}
    if not members:
        return []
    conditions = set[Condition]()
    for text, truth in assumptions:
        if truth and text.endswith(BETWEEN):
            continue
        member = next((member for member in members if _mentions(text, member)), None)
        if member is None:
            continue
        value = members[member]
        answer = _holds(_put(text, member, value), truth, value, function, facts)
        if isinstance(answer, Condition):
            conditions.add(answer)
        elif not answer:
            return None
    return sorted(conditions, key=str)


def satisfied_for(
    condition: Condition, args: tuple[str, ...], facts: Facts, caller: Function
) -> bool | Condition | None:
    """Whether an argument is such a value; a condition on a parameter of the caller; None where it is not known."""
    for text, truth in in_caller(frozenset(((str(condition.operand), condition.holds),)), args):
        return _holds(text, truth, unwrap(args[condition.position]), caller, facts)
    return None


def _holds(text: str, truth: bool, value: str, function: Function, facts: Facts) -> bool | Condition | None:
    known = value_of(facts, text)
    told = facts.get((SYMBOL, text)) if known is None else known != 0
    if told is not None:
        return bool(told == truth)
    if value in function.params:
        moved = frozenset(name for letter, name in facts if letter == MOVED)
        outside = in_parameters(function.params, moved, text)
        return Condition(function.params.index(value), HOLDS, outside, truth) if outside is not None else None
    return None


def _mentions(text: str, member: str) -> bool:
    return identifiers(member) <= identifiers(text) and re.search(_alone(member), text) is not None


def _put(text: str, member: str, value: str) -> str:
    return re.sub(_alone(member), lambda _: value, text)


def _alone(member: str) -> str:
    return rf"(?<![\w.>]){re.escape(member)}(?![\w.(\[]|->)"
