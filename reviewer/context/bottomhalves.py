# SPDX-License-Identifier: GPL-2.0-or-later
"""Bottom halves disabled where preemption was, which is not the same on PREEMPT_RT.

Source: arch/x86/include/asm/fpu/api.h, fpregs_lock(); Documentation/core-api/real-time/differences.rst.
"""

from __future__ import annotations

from collections.abc import Iterator

from reviewer.context.effects import Analysis, Event, EventKind
from reviewer.context.state import State
from reviewer.model import Step
from reviewer.source.cfg import Function


def newly_preemptible(before: Analysis, after: Analysis, function: Function) -> Iterator[Event]:
    """An event where ``function`` returned with preemption disabled and returns now with only BHs disabled.

    What it calls in between is the same for both.
    """
    was, now = before.summary.exits, after.summary.exits
    if any(exit_.preempt > 0 for exit_ in was) and not any(exit_.preempt > 0 for exit_ in now):
        line, _ = after.taken.get(("bh", ""), (0, ""))
        if line and now and all(exit_.bh > 0 for exit_ in now):
            step = Step(function.path, line, function.name, "local_bh_disable()")
            yield Event(
                EventKind.BH_FOR_PREEMPT, function, line, "local_bh_disable", "", State(rt=True), (step,), False, ()
            )
