# SPDX-License-Identifier: GPL-2.0-or-later
"""How far a context meets what is needed of it."""

from __future__ import annotations

from collections.abc import Iterable

from reviewer.context.effects import Need, Standing
from reviewer.context.schema import EntryKind, LockClass
from reviewer.context.state import Held, Origin, State, atomic
from reviewer.context.tables import Api
from reviewer.source.expression import last_member

_LOCKED_BY_CORE = frozenset(
    (
        EntryKind.RAW_LOCK,
        EntryKind.SPIN_LOCK,
        EntryKind.IRQS_OFF,
        EntryKind.RESTART,
        EntryKind.PREEMPT_OFF,
        EntryKind.RCU_READER,
        EntryKind.PANIC,
        EntryKind.ATOMIC,
    )
)
"""What the core holds when it calls an operation is its own business."""
_LOCKS = frozenset(("lock", "anyone", "exclusive", "srcu"))
_READERS = frozenset(("rcu", "walk"))
_CONTEXTS = frozenset(("irqs", "preempt"))
_INTERRUPTS = frozenset((EntryKind.NMI, EntryKind.HARDIRQ, EntryKind.HARDIRQ_THREADED, EntryKind.SOFTIRQ))


def offered(need: Need, state: State, api: Api) -> Standing:
    """How the context ``state`` meets ``need``."""
    if need.kind in _LOCKS:
        return _lock_offered(need, state, api)
    if need.kind in _READERS:
        standing = _reader_offered(need, state, api)
        return standing if standing is not None else _atomic_offered(need, state, api)
    return _atomic_offered(need, state, api) if need.kind in _CONTEXTS else Standing.OPEN


def _lock_offered(need: Need, state: State, api: Api) -> Standing:
    if need.kind == "anyone" and state.entry in _INTERRUPTS:
        return Standing.HELD
    name = last_member(need.expression)
    # Of some locks the primitives are given the structure that holds them: xa_lock(), raw_spin_rq_lock().
    around = last_member(need.expression[: -len(name)].rstrip("->.")) if need.expression != name else ""
    alike = [held for held in state.locks if last_member(held.expression) in (name, around or name)]
    if need.kind == "exclusive":
        alike = [held for held in alike if held.kind not in api.kinds.shared]
    if alike:
        return _by_whom(alike)
    entered = state.entry in _LOCKED_BY_CORE and need.kind != "srcu"
    dropped = any(last_member(expression) == name for _, expression in state.dropped)
    return Standing.HELD if "locks" in state.unsure or entered or dropped else Standing.OPEN


def _reader_offered(need: Need, state: State, api: Api) -> Standing | None:
    """How readers and locks meet the need for a reader; None where what else is disabled decides."""
    if state.rcu > 0:
        return Standing.TAKEN
    if need.kind == "walk" and state.locks:
        # In a reader of SRCU alone, which is the wrong one, nothing is said.
        return _by_whom(held for held in state.locks if api.classes.get(held.kind) is not LockClass.READER)
    doubted = state.rcu < 0 or "rcu" in state.unsure or (need.kind == "walk" and "locks" in state.unsure)
    return Standing.HELD if doubted else None


def _atomic_offered(need: Need, state: State, api: Api) -> Standing:
    """How it meets a need that the code cannot be preempted, or not be interrupted."""
    reason, unsure = atomic(state, api, rt=False), state.unsure
    if need.kind == "irqs" and reason is not None and reason.what not in ("irq", "entry"):
        off = state.irq == "off" or state.suffix > 0
        return Standing.TAKEN if off else Standing.HELD if "irq" in unsure else Standing.OPEN
    if reason is not None:
        return Standing.TAKEN if reason.origin is Origin.TAKEN else Standing.HELD
    return Standing.HELD if unsure & {"irq", "preempt", "bh", "locks"} or state.irq == "restored" else Standing.OPEN


def _by_whom(locks: Iterable[Held]) -> Standing:
    return Standing.TAKEN if any(held.origin is Origin.TAKEN for held in locks) else Standing.HELD


def standing_of(needs: Iterable[Need], state: State, api: Api) -> Standing:
    """How the context ``state`` meets one of ``needs``: that which it meets best."""
    found = {offered(need, state, api) for need in needs}
    return next((standing for standing in (Standing.TAKEN, Standing.HELD) if standing in found), Standing.OPEN)
