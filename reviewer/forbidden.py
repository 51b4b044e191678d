# SPDX-License-Identifier: GPL-2.0-or-later
"""What may not be done in a context: the checks are asked about acts that nobody has written there yet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from reviewer.check import Check, Context, Event, EventKind, Kernels
from reviewer.context.marks import Names
from reviewer.context.situation import Forbidden
from reviewer.context.state import State
from reviewer.context.tables import Api
from reviewer.model import Step
from reviewer.source.cfg import Function

_THIS: Final = "this"
_CONTEXT: Final = re.compile(
    r"^\w+ (?:(?:may|can) )?\w+(?:, and)? ((?:in|with|while|under|inside|between|before|after|nothing) .*)"
)
_ACTS: Final = (
    (EventKind.SLEEP, "sleep"),
    (EventKind.BLOCKING_ALLOCATION, "allocate with GFP_KERNEL"),
    (EventKind.ALLOCATION, "allocate"),
    (EventKind.FREE, "free"),
    (EventKind.SPINLOCK, "take a spinlock_t"),
    (EventKind.LOCAL_LOCK, "take a local_lock_t"),
)


def forbidden(
    states: Iterable[State], names: Names, function: Function, line: int, checks: Sequence[Check], api: Api
) -> tuple[Forbidden, ...]:
    """What the checks forbid on ``line`` in some of ``states``, not yet cited."""
    states = tuple(states)
    found: dict[tuple[str, str, str], tuple[Check, set[State]]] = {}
    for state in states:
        shown = tuple(
            (held.expression, told.written, told.line, told.how)
            for held in sorted(state.locks)
            if (told := names.taken.get(held.expression)) is not None
        )
        certain = frozenset(held for held in state.locks if (held.kind, held.expression) not in names.doubtful)
        for kind, act in _ACTS:
            step = Step(function.path, line, function.name, _THIS)
            event = Event(kind, function, line, _THIS, "", state._replace(locks=certain), (step,), False, shown)
            context = Context(event, api)
            for check in checks:
                if kind not in check.events or (report := check.judge(context)) is None:
                    continue
                reason = context.atomic(rt=check.kernels is Kernels.PREEMPT_RT)
                why = context.place(reason) if reason is not None else _where(report.message)
                found.setdefault((act, why, check.id), (check, set()))[1].add(state)
    return tuple(
        Forbidden(act, why, check.id, check.kernels, check.rule, len(where) == len(states))
        for (act, why, _), (check, where) in found.items()
    )


def _where(message: str) -> str:
    """The context that a message about this act ends with, or what else it says."""
    found = _CONTEXT.search(message)
    return found[1] if found is not None else message.removeprefix(f"{_THIS} ")
