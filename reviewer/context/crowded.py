# SPDX-License-Identifier: GPL-2.0-or-later
"""Which effects a summary keeps of a function that has more of them than its callers are told of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from reviewer.context.effects import Effect, Summary

_MOST = 24


def keep(summary: Summary, new: Effect) -> None:
    """Add ``new``, whose key is not there yet. Where that is one too many, the one goes that says least to callers.

    That is one of the commonest kind, so that each kind is heard of, and of these the one that happens to the fewest
    callers: it asks most of them.
    """
    effects = summary.effects
    if len(effects) >= _MOST:
        least = _least([*effects.values(), new])
        if least is new:
            return
        del effects[least.key]
    effects[new.key] = new


def _least(effects: Sequence[Effect]) -> Effect:
    kinds = Counter(effect.kind for effect in effects)
    most = max(kinds.values())
    return max((effect for effect in effects if kinds[effect.kind] == most), key=_asked)


def _asked(effect: Effect) -> tuple[object, ...]:
    """How much must hold of a caller for which ``effect`` is wrong; the longer chain of equals comes last."""
    holds = len(effect.conditions) + len(effect.assumed) + len(effect.minus) + len(effect.free) + len(effect.through)
    moved = effect.irq_on + any(effect.delta)
    return (effect.masked, holds + moved, len(effect.steps), effect.steps)
