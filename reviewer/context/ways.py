# SPDX-License-Identifier: GPL-2.0-or-later
"""The ways in which a function comes to one effect, where none of them takes for granted all that another does."""

from __future__ import annotations

from operator import ge

from reviewer.context.effects import Effect, OfTables
from reviewer.context.oneof import BETWEEN, common, each_of

_NO_TABLES: OfTables = frozenset()
_MOST = 3
"""So many ways are kept apart: each of them is tried for each caller."""


def joined(old: Effect, new: Effect) -> Effect:
    """``old`` or ``new``, whose keys are equal: one effect that callers are to expect who cannot rule out both.

    Of two ways of which one takes for granted no more than the other, that one is kept. Where there are many, those
    that come last are taken for one that assumes what they have in common.
    """
    if not old.others and (old.assumed, old.free, old.where) == (new.assumed, new.free, new.where):
        return min(old, new, key=_length)  # as most often
    ways = [old._replace(others=()), *old.others] if old.others else [old]
    while (at := next((at for at, way in enumerate(ways) if _covers(way, new) or _covers(new, way)), None)) is not None:
        way = ways.pop(at)
        if _covers(way, new) and _covers(new, way):
            new = min(way, new, key=_length)
        elif _covers(way, new):
            new = way
    if len(ways) == _MOST:
        last = ways.pop()
        shorter = min(last, new, key=_length)
        assumed = common(last.assumed, new.assumed)
        both = shorter._replace(assumed=assumed, free=last.free & new.free, where=last.where & new.where)
        return joined(ways[0]._replace(others=tuple(ways[1:])), both)
    first, *others = sorted(
        [*ways, new], key=lambda way: (len(way.assumed), *_length(way), sorted(way.assumed), sorted(way.where))
    )
    return first._replace(others=tuple(others)) if others or first.others else first


def is_told_by(other: Effect, effect: Effect) -> bool:
    """Whether ``effect`` says all that ``other`` says: it is the same call, which no caller is spared.

    As where a lock is let go of around one call of a function and held over another: who must not reach the second
    must not reach either.
    """
    return (
        effect.kind is other.kind
        and effect.steps[-1] == other.steps[-1]
        and len(effect.steps) <= len(other.steps)
        and effect.rt in (None, other.rt)
        and effect.subject == other.subject
        and effect.masked <= other.masked
        and effect.last <= other.last
        and effect.irq_on <= other.irq_on
        and all(map(ge, effect.delta, other.delta))
        and effect.minus <= other.minus
        and set(effect.conditions) <= set(other.conditions)
        and effect.apart <= other.apart
        and effect.through <= other.through
        and effect.tables in (_NO_TABLES, other.tables)
        and all(_covers(effect, way) for way in (other, *other.others))
    )


def _covers(way: Effect, other: Effect) -> bool:
    """Whether everybody who can rule out ``way`` can rule out ``other``."""
    if not (way.free <= other.free and way.where <= other.where):
        return False
    more = way.assumed - other.assumed
    return not more or all(
        truth and text.endswith(BETWEEN) and any((one, True) in other.assumed for one in each_of(text))
        for text, truth in more
    )


def _length(way: Effect) -> tuple[object, ...]:
    return len(way.steps), way.steps
