# SPDX-License-Identifier: GPL-2.0-or-later
"""Ask the checks about calls that are made without the lock with which everybody else makes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from reviewer.check import Check, Context, Event, EventKind
from reviewer.context.analysis import Analyser
from reviewer.context.callers import callers
from reviewer.context.customs import RCU, Use, always_held, belongs, is_private, may_come_from_above, takes, uses
from reviewer.context.state import State
from reviewer.judge import Occurrence
from reviewer.model import Step
from reviewer.source.cfg import Function
from reviewer.source.expression import last_member

_FEW = 2  # so many other calls make a custom
_MOST_CALLERS = 12
# Whoever makes or ends an object is often the only one to know it.
_ALONE = re.compile(
    r"(?:.*_)?(?:init|setup|create|alloc|probe|new|clone|release|destroy|free|exit|remove|fini|teardown|uninit|cleanup)"
    r"(?:_.*)?"
)


def newly_unlike(
    before: Analyser, after: Analyser, pairs: Sequence[tuple[Function | None, Function | None]], checks: Sequence[Check]
) -> Iterator[Occurrence]:
    """Calls that a new version of a function makes without a lock that all others hold, or no longer with it."""
    wanted = [check for check in checks if EventKind.CALLED_UNLIKE in check.events]
    for old, new in pairs if wanted else ():
        if new is None or _ALONE.fullmatch(new.name) or "__init" in new.words:
            continue
        was = list(uses(before, old)) if old is not None else []
        told: set[tuple[str, str]] = set()
        for use in uses(after, new):
            earlier = [other for other in was if other.callee == use.callee]
            if earlier and not any(other.under.always for other in earlier):
                continue
            for lock, others in _custom(after, use, earlier):
                if (use.callee, lock) not in told:
                    told.add((use.callee, lock))
                    yield from _occurrences(after, use, lock, others, wanted)


def _custom(after: Analyser, use: Use, earlier: Sequence[Use]) -> Iterator[tuple[str, list[Use]]]:
    """The locks that the call lacks, each with the calls that hold it."""
    found = after.callees(use.callee, use.function)
    if len(found) != 1 or found[0] is use.function or "macro" in found[0].words:
        return
    callee = found[0]
    if not earlier and not (callee.static and callee.path == use.function.path):
        return
    lost = {lock for other in earlier for lock in other.under.always if not use.may_hold(lock)}
    if earlier and not lost:
        return
    above = callers(after.program, callee)
    if len(above) > _MOST_CALLERS:
        return
    others = [other for caller in above if not _same(caller, use.function) for other in uses(after, caller, use.callee)]
    if len(others) < (1 if lost else _FEW):
        return
    missing = lost or {lock for other in others for lock in other.under.always}
    for lock in sorted({last_member(name) for name in missing}):
        if use.may_hold(lock) or takes(after, callee, lock):
            continue
        named = next((name for other in others for name in sorted(other.under.always) if last_member(name) == lock), "")
        private = is_private(after, use.function, named or lock)
        if not (lost or private or lock == RCU) or not all(always_held(after, other, lock) for other in others):
            continue
        if not private and not all(belongs(other, name) for other, name in _held(others, lock)):
            continue
        if not may_come_from_above(after, use.function, lock, nests=not lost or lock == RCU):
            yield named or lock, others


def _held(others: Sequence[Use], lock: str) -> list[tuple[Use, str]]:
    return [(other, name) for other in others for name in sorted(other.under.always) if last_member(name) == lock]


def _same(one: Function, other: Function) -> bool:
    return (one.path, one.name) == (other.path, other.name)


def _occurrences(
    analyser: Analyser, use: Use, lock: str, others: Sequence[Use], checks: Sequence[Check]
) -> Iterator[Occurrence]:
    function = use.function
    words = "an RCU reader" if lock == RCU else lock
    step = Step(function.path, use.line, function.name, f"{use.callee}()")
    like = others[0]
    lead = Step(like.function.path, like.line, like.function.name, f"{use.callee}() <- with {words}")
    names = ", ".join(f"{name}()" for name in sorted({other.function.name for other in others})[:3])
    event = Event(
        EventKind.CALLED_UNLIKE, function, use.line, use.callee, "", State(), (step,), False, (), (words, names)
    )
    for check in checks:
        report = check.judge(Context(event, analyser.api))
        if report is not None:
            yield Occurrence(check, report, event, (lead, step), 1, False, False)
