# SPDX-License-Identifier: GPL-2.0-or-later
"""Which effects of a function its callers are told of, where others say the same or there are many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain, zip_longest

from reviewer.context.effects import Effect
from reviewer.context.ways import is_told_by

_MOST = 24
"""Each effect is tried at each call, on each path that comes there. Of a hundred functions of drivers two have more."""


def told(effects: Iterable[Effect]) -> list[Effect]:
    """The effects that callers are told of: all that no other one tells them, or those that say most to them.

    Those that differ take turns: in kind first, then in what a context must be for them to be wrong, then in what is
    called in the end. Of those that are alike in all that, the one goes first that asks least of callers. What is
    wrong inside already comes last: nobody is told of it again. What happens at any time comes before what happens only
    to the last reference to an object; of objects with several tables of operations, those are first that come to it
    soonest.
    """
    found = sorted(_without_those_told(effects), key=_place)
    if len(found) <= _MOST:
        return found
    parts = [_in_turn([each for each in found if each.masked is masked], _DIFFERENCES) for masked in (False, True)]
    return [*parts[0], *parts[1]][:_MOST]


def _without_those_told(effects: Iterable[Effect]) -> list[Effect]:
    """Those of ``effects`` of which no other one says all that they say, in their order."""
    groups: dict[object, dict[int, Effect]] = {}
    for at, effect in enumerate(effects):
        alike = groups.setdefault((effect.kind, effect.steps[-1]), {})
        if not any(is_told_by(effect, each) for each in alike.values()):
            for other in [other for other, each in alike.items() if is_told_by(each, effect)]:
                del alike[other]
            alike[at] = effect
    return [effect for _, effect in sorted((at, each) for alike in groups.values() for at, each in alike.items())]


def _in_turn(effects: Sequence[Effect], differences: Sequence[Callable[[Effect], object]]) -> list[Effect]:
    """``effects`` in an order in which those that differ take turns."""
    if not differences or len(effects) == 1:
        return sorted(effects, key=_asked)
    groups: dict[object, list[Effect]] = {}
    for effect in effects:
        groups.setdefault(differences[0](effect), []).append(effect)
    turns = [_in_turn(group, differences[1:]) for group in groups.values()]
    ordered = sorted(turns, key=lambda group: _asked(group[0]))
    return [effect for effect in chain.from_iterable(zip_longest(*ordered)) if effect is not None]


def _place(effect: Effect) -> tuple[bool, int]:
    return effect.last, len(effect.steps) if effect.tables else 0


def _kind(effect: Effect) -> object:
    return effect.kind


def _where_wrong(effect: Effect) -> object:
    return effect.rt, effect.conditions, effect.minus, effect.irq_on, effect.delta, effect.subject


def _called(effect: Effect) -> object:
    return effect.steps[-1].text


_DIFFERENCES = (_kind, _where_wrong, _called)


def _asked(effect: Effect) -> tuple[object, ...]:
    """How much must hold of a caller for which ``effect`` is wrong; the longer chain of equals comes last."""
    holds = len(effect.conditions) + len(effect.assumed) + len(effect.minus) + len(effect.free) + len(effect.through)
    moved = effect.irq_on + any(effect.delta)
    return holds + moved + len(effect.tables), len(effect.apart), len(effect.steps), effect.steps
