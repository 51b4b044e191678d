# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether interrupts can come while a lock is taken, as far as one function tells.

Source: Documentation/locking/lockdep-design.rst, "Single-lock state rules"; which of it holds on PREEMPT_RT:
Documentation/locking/locktypes.rst.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reviewer.context.effects import Acquisition, Effect, Interruptible
from reviewer.context.facts import SLEPT, TAKEN_AT, Facts
from reviewer.context.schema import LockClass
from reviewer.context.state import Origin, State, atomic
from reviewer.context.tables import Api
from reviewer.model import Step
from reviewer.source.cfg import Call, Guard

if TYPE_CHECKING:
    from reviewer.context.flow import Flow

# Interrupt controllers and timers in drivers/ are set up with interrupts disabled too.
_BOOT = "__init"
_SPINNING = (LockClass.RAW, LockClass.SPIN)


def interrupts(state: State, facts: Facts, suffix: str = "") -> tuple[str, bool]:
    """Whether interrupts are ``off``, ``on`` or as the caller has them (empty), and whether BHs are disabled, where a
    lock is taken in ``state`` by a call with ``suffix``. What is not known counts as off."""
    bh = suffix == "bh" or state.bh > 0 or "bh" in state.unsure
    if suffix.startswith("irq") or state.suffix > 0 or "irq" in state.unsure or state.irq not in ("", "on"):
        return "off", bh
    return "on" if (SLEPT, "") in facts else state.irq, bh


def slept(flow: Flow, effect: Effect, state: State, facts: Facts) -> None:
    """What may sleep is called with interrupts enabled: until that changes, they still are.

    A callee that enables them or lets go of a lock before it sleeps says nothing of its caller. While the kernel
    boots, they are disabled where one may otherwise sleep. What sleeps where it may not is wrong itself and shows
    nothing.
    """
    if (
        interrupts(state, facts) == ("", False)
        and atomic(state, flow.api, rt=False) is None
        and not effect.irq_on
        and not effect.minus
        and not any(effect.delta)
        and _BOOT not in flow.function.words
        and True not in (state.rt, effect.rt)
    ):
        facts.setdefault((SLEPT, ""), effect.steps[0])


def held_unsaid(state: State, api: Api) -> bool:
    """Whether a spinning lock is held because an assertion says so: its takers alone know whether they have disabled
    interrupts with it."""
    return any(held.origin is Origin.ASSERTED and api.classes.get(held.kind) in _SPINNING for held in state.locks)


def interruptible(
    flow: Flow, node: Call | Guard, acquisition: Acquisition, suffix: str, state: State, facts: Facts
) -> None:
    """Note a spinning lock that is taken, by a call with ``suffix``, where nothing here has disabled interrupts."""
    class_ = flow.api.classes.get(acquisition.kind)
    if class_ not in _SPINNING or not acquisition.lock_class or flow.api.quiet.fullmatch(flow.function.name):
        return
    retaken = (acquisition.kind, acquisition.expression) in state.dropped or acquisition.expression in acquisition.minus
    if retaken:
        return  # the caller held it, and knows of the interrupts
    rt = acquisition.irqs == "off"
    proof: Step | None = facts.get((SLEPT, "")) if not state.irq else None
    if rt:
        proof = _spinlock(flow, state, facts) if class_ is LockClass.RAW and not suffix.startswith("irq") else None
        if proof is None:
            return
    key = (node.line, acquisition.lock_class, rt)
    known = flow.analysis.interruptible.get(key)
    if known is None or len(acquisition.steps) < len(known.acquisition.steps):
        flow.analysis.interruptible[key] = Interruptible(acquisition, node.line, state, rt, proof)


def _spinlock(flow: Flow, state: State, facts: Facts) -> Step | None:
    """Where the spinlock_t was taken whose suffix alone disables interrupts, which PREEMPT_RT ignores."""
    if state.irq or "irq" in state.unsure or state.suffix <= 0:
        return None
    for held in sorted(state.locks):
        if flow.api.classes.get(held.kind) is LockClass.SPIN and held.origin is Origin.TAKEN:
            _, line, call = facts.get((TAKEN_AT, held.expression), ("", 0, ""))
            return Step(flow.function.path, line, flow.function.name, call) if line else None
    return None
