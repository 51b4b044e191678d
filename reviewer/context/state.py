# SPDX-License-Identifier: GPL-2.0-or-later
"""The execution context at one point of a function, for kernels with and without PREEMPT_RT at once."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from reviewer.context.tables import Api, LockClass


class Origin(StrEnum):
    """How a lock came to be held."""

    TAKEN = "taken"
    ASSERTED = "asserted"


class Held(NamedTuple):
    """A lock that is held: kind (a section of locks.toml, or ``?``), expression, origin."""

    kind: str
    expression: str
    origin: Origin


class State(NamedTuple):
    """The context. Counters are relative to the function's entry.

    ``irq`` is ``""`` (as the caller has it), ``off``, ``on`` or ``restored``. ``suffix`` counts interrupts disabled
    only through a suffix of a spinlock_t, which means nothing on PREEMPT_RT. ``eqs`` is 1 inside the guest's extended
    quiescent state. ``rt`` says which world a branch has chosen. ``may_sleep`` holds where a test of the context said
    so. Counters named in ``unsure`` differ between paths in a way that was not understood.
    ``instrumentation`` counts instrumentation_begin(). ``not_running`` holds after
    set_current_state() and its like, until the task schedules. ``entry`` is a kind of
    entries.toml for functions that are entered from outside.
    """

    locks: frozenset[Held] = frozenset()
    dropped: frozenset[tuple[str, str]] = frozenset()
    irq: str = ""
    suffix: int = 0
    preempt: int = 0
    bh: int = 0
    migrate: int = 0
    pagefault: int = 0
    kmap: int = 0
    rcu: int = 0
    instrumentation: int = 0
    not_running: bool = False
    eqs: int = 0
    rt: bool | None = None
    may_sleep: bool = False
    unsure: frozenset[str] = frozenset()
    entry: str = ""


class Reason(NamedTuple):
    """Why a context is atomic: ``what`` is a lock kind or ``preempt``, ``irq``, ``bh``, ``kmap``, ``entry``."""

    what: str
    expression: str
    origin: Origin


_ENTRY_ATOMIC_ON_RT = frozenset(("hardirq", "nmi", "raw_lock"))
_ENTRY_ATOMIC = _ENTRY_ATOMIC_ON_RT | {"hardirq_threaded", "softirq", "spin_lock"}


def atomic(state: State, api: Api, *, rt: bool) -> Reason | None:
    """The reason for which nothing may sleep here, or None. ``rt`` asks for a PREEMPT_RT kernel.

    Source: Documentation/locking/locktypes.rst; which interrupt handlers become threads:
    Documentation/core-api/real-time/differences.rst.
    """
    spinning = (LockClass.RAW,) if rt else (LockClass.RAW, LockClass.SPIN)
    certain = state.locks if "locks" not in state.unsure else frozenset[Held]()
    for lock in sorted(certain, key=lambda held: (held.origin is not Origin.TAKEN, held.kind, held.expression)):
        if api.classes.get(lock.kind) in spinning:
            return Reason(lock.kind, lock.expression, lock.origin)
    if state.preempt > 0 and "preempt" not in state.unsure:
        return Reason("preempt", "", Origin.TAKEN)
    if state.irq == "off" and "irq" not in state.unsure:
        return Reason("irq", "", Origin.TAKEN)
    if not rt:
        if state.suffix > 0 and "irq" not in state.unsure:
            return Reason("irq", "", Origin.TAKEN)
        if state.bh > 0 and "bh" not in state.unsure:
            return Reason("bh", "", Origin.TAKEN)
        if state.kmap > 0:
            return Reason("kmap", "", Origin.TAKEN)
    if state.entry in (_ENTRY_ATOMIC_ON_RT if rt else _ENTRY_ATOMIC):
        return Reason("entry", state.entry, Origin.TAKEN)
    return None


def counted(state: State, changes: Mapping[str, int], sign: int = 1) -> State:
    """The state with counters moved."""
    new: dict[str, Any] = {name: moved(getattr(state, name), change * sign) for name, change in changes.items()}
    return state._replace(**new)


def moved(value: int, change: int) -> int:
    """A counter after ``change``; kept small so that a loop cannot make ever new states."""
    return max(-2, min(3, value + change))
