# SPDX-License-Identifier: GPL-2.0-or-later
"""Locks of its caller that a function let go of before it sleeps, and keeps now."""

from __future__ import annotations

from collections.abc import Iterator

from reviewer.context.analysis import Analyser
from reviewer.context.callers import callers
from reviewer.context.effects import SLEEPING, Analysis, Effect, Event, EventKind
from reviewer.context.schema import LockClass
from reviewer.context.state import State
from reviewer.model import Step
from reviewer.source.cfg import Function
from reviewer.source.expression import last_member

_SPINNING = (LockClass.RAW, LockClass.SPIN)


def newly_kept(before: Analysis, after: Analysis, function: Function, analyser: Analyser) -> Iterator[Event]:
    """An event for each call that may sleep before which ``function`` no longer releases a lock that a caller holds.

    The conditions of the call do not matter: it slept before, and knew that the lock was held.
    """
    for old in before.summary.effects.values():
        locks = {last_member(name) for kind, name in old.minus if analyser.api.classes.get(kind) in _SPINNING}
        for key, new in after.summary.effects.items() if old.kind in SLEEPING and locks else ():
            if key in before.summary.effects:
                continue  # another way to the same call kept it before
            kept = locks - {last_member(name) for _, name in new.minus}
            if kept and _same_call(old, new) and (step := _held_by_caller(analyser, function, kept)) is not None:
                yield Event(
                    EventKind.SLEEPS_WITH_KEPT_LOCK,
                    function,
                    new.steps[0].line,
                    new.steps[0].text,
                    "",
                    State(),
                    new.steps,
                    False,
                    (),
                    (", ".join(sorted(kept)), step.function),
                    (step,),
                )


def _same_call(old: Effect, new: Effect) -> bool:
    same = old.kind is new.kind and old.conditions == new.conditions
    return same and [step.text for step in old.steps] == [step.text for step in new.steps]


def _held_by_caller(analyser: Analyser, function: Function, locks: set[str]) -> Step | None:
    """Where a caller calls ``function`` with one of ``locks`` held on every path."""
    for caller in callers(analyser.program, function):
        for (line, callee), under in analyser.analyse(caller).under.items():
            if callee == function.name and locks & {last_member(name) for name in under.always}:
                return Step(caller.path, line, caller.name, f"{callee}()")
    return None
