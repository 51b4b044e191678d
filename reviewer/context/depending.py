# SPDX-License-Identifier: GPL-2.0-or-later
"""What is taken for granted of memory only where an argument is true, or where it is not: ``Effect.where``.

Behind ``if (quick && !dev->ready) return;`` the device is ready for those who passed true; of others that is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reviewer.context.assumptions import in_caller
from reviewer.context.effects import Assumptions, Effect, Where
from reviewer.context.facts import MOVED, NONZERO, VALUE, WHERE, Facts, value_of
from reviewer.context.implied import conclude
from reviewer.source.expression import unwrap

if TYPE_CHECKING:
    from reviewer.context.place import Place

_NOTHING = frozenset[Where]()
_MEMORY = frozenset(">.(")


def of_arguments(effect: Effect, arguments: tuple[str, ...]) -> Effect:
    """``effect`` of a callee that is given ``arguments``: its ``where`` in the caller's words."""
    if not effect.where:
        return effect
    found = set[Where]()
    for position, is_true, text, truth in effect.where:
        if int(position) < len(arguments):
            argument = unwrap(arguments[int(position)])
            told = in_caller(frozenset(((text, truth),)), arguments)
            found.update(Where(argument, is_true, *each) for each in told)
    return settled(effect._replace(where=frozenset(found)), {})


def settled(effect: Effect, facts: Facts) -> Effect:
    """``effect`` with what it takes for granted as its arguments are, as far as ``facts`` tell of them."""
    values = {each.argument: value_of(facts, each.argument) for each in effect.where}
    if all(value is None for value in values.values()):
        return effect
    holding = {
        (text, truth)
        for argument, is_true, text, truth in effect.where
        if values[argument] is not None and (values[argument] != 0) is is_true
    }
    left = frozenset(each for each in effect.where if values[each.argument] is None)
    return effect._replace(assumed=effect.assumed | holding, where=left)


def for_callers(place: Place, effect: Effect) -> frozenset[Where]:
    """What is taken for granted in ``place``, and by ``effect`` there, as the function's own parameters are."""
    own = place.where
    if not effect.where:
        return own
    params, always = place.flow.function.params, place.for_callers(effect.assumed)
    groups: dict[tuple[str, bool], set[tuple[str, bool]]] = {}
    for argument, is_true, text, truth in effect.where:
        if argument in params and (MOVED, argument) not in place.facts:
            groups.setdefault((argument, is_true), set()).add((text, truth))
    return own.union(
        Where(str(params.index(argument)), is_true, *each)
        for (argument, is_true), told in groups.items()
        for each in place.for_callers(effect.assumed | told) - always
    )


def told_by(place: Place) -> frozenset[Where]:
    """What the facts of ``place`` say of memory where a parameter is true, or is not."""
    if WHERE[VALUE] not in place.kinds:
        return _NOTHING
    params, facts = place.flow.function.params, place.facts
    found = [name for name in params if _tells(name, facts)]
    if not found:
        return _NOTHING
    always = place.for_callers(frozenset())
    return frozenset(
        Where(str(params.index(name)), is_true, *each)
        for name in found
        for is_true in (True, False)
        for each in _where(place, name, is_true) - always
    )


def _tells(name: str, facts: Facts) -> bool:
    follows = facts.get((WHERE[VALUE], name), ())
    open_ = (VALUE, name) not in facts and (MOVED, name) not in facts
    return open_ and any(not _MEMORY.isdisjoint(one.key[1]) for one in follows)


def _where(place: Place, name: str, is_true: bool) -> Assumptions:
    known = {**place.facts, (VALUE, name): NONZERO if is_true else 0}
    return place.knowing(known).for_callers(frozenset()) if conclude(known, (VALUE, name)) else frozenset()
