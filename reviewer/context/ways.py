# SPDX-License-Identifier: GPL-2.0-or-later
"""The ways in which a function comes to one effect, where none of them takes for granted all that another does."""

from __future__ import annotations

from reviewer.context.effects import Effect

_MOST = 3
"""So many ways are kept apart: each of them is tried for each caller."""


def joined(old: Effect, new: Effect) -> Effect:
    """``old`` or ``new``, whose keys are equal: one effect that callers are to expect who cannot rule out both.

    Of two ways of which one takes for granted no more than the other, that one is kept. Where there are many, those
    that come last are taken for one that assumes what they have in common.
    """
    ways = [old._replace(others=()), *old.others]
    while (at := next((at for at, way in enumerate(ways) if _covers(way, new) or _covers(new, way)), None)) is not None:
        way = ways.pop(at)
        if _covers(way, new) and _covers(new, way):
            new = min(way, new, key=_length)
        elif _covers(way, new):
            new = way
    if len(ways) == _MOST:
        last = ways.pop()
        shorter = min(last, new, key=_length)
        both = shorter._replace(assumed=last.assumed & new.assumed, free=last.free & new.free)
        return joined(ways[0]._replace(others=tuple(ways[1:])), both)
    first, *others = sorted([*ways, new], key=lambda way: (len(way.assumed), *_length(way), sorted(way.assumed)))
    return first._replace(others=tuple(others))


def _covers(way: Effect, other: Effect) -> bool:
    """Whether everybody who can rule out ``way`` can rule out ``other``."""
    return way.assumed <= other.assumed and way.free <= other.free


def _length(way: Effect) -> tuple[object, ...]:
    return len(way.steps), way.steps
