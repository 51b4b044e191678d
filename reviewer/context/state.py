# SPDX-License-Identifier: GPL-2.0-or-later
"""The execution context at one point of a function, for kernels with and without PREEMPT_RT at once."""

from __future__ import annotations

from collections.abc import Mapping, Set
from enum import StrEnum
from typing import Any, Final, NamedTuple

from reviewer.context.schema import COUNTERS, EntryKind, LockClass, Watching
from reviewer.context.tables import Api

ASSERTED: Final = "asserted"
"""Interrupts are off, says an assertion in the code."""

_RAISED: Final = frozenset(("irq", *COUNTERS))
"""What a primitive raises for certain, whatever was in doubt before."""


class Origin(StrEnum):
    """How a lock came to be held."""

    TAKEN = "taken"
    ASSERTED = "asserted"


class Task(StrEnum):
    """The task state: as it mostly is, set to one that waits, or set to what a variable says."""

    RUNNING = ""
    WAITING = "waiting"
    SET = "set"


class Held(NamedTuple):
    """A lock that is held: kind (a section of locks.toml, or ``?``), expression, origin."""

    kind: str
    expression: str
    origin: Origin


class State(NamedTuple):
    """The context. Counters are relative to the function's entry.

    ``irq`` is ``""`` (as the caller has it), ``off``, ``on``, ``restored`` or ``asserted`` (off, as the code says).
    ``suffix`` counts interrupts disabled only through a suffix of a spinlock_t, which means nothing on PREEMPT_RT.
    ``eqs`` says whether RCU watches, as far as it was changed here. ``rt`` says which world a branch has chosen.
    ``may_sleep`` holds where a test of the context said so. Counters named in ``unsure`` differ between paths in a way
    that was not understood; ``sure`` are locks, by expression, and counters, with what they were before, that were
    taken and raised since and are beyond that doubt. ``instrumentation`` counts instrumentation_begin().
    ``task`` is not empty after set_current_state() and its like, until the task schedules. ``entry`` is a kind of
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
    task: Task = Task.RUNNING
    eqs: Watching = Watching.RESTORED
    rt: bool | None = None
    may_sleep: bool = False
    unsure: frozenset[str] = frozenset()
    sure: frozenset[tuple[str, str | int]] = frozenset()
    entry: str = ""

    @property
    def not_running(self) -> bool:
        """Whether the task state was set, and nobody has scheduled since."""
        return self.task is not Task.RUNNING

    def is_certain(self, counter: str) -> bool:
        """Whether what the state says of a counter is not in doubt."""
        return counter not in self.unsure or any(name == counter for name, _ in self.sure)

    def certain_locks(self) -> frozenset[Held]:
        """The locks that are held for certain."""
        if "locks" not in self.unsure:
            return self.locks
        return frozenset(held for held in self.locks if ("lock", held.expression) in self.sure)

    def is_covered(self, known: object, others: Mapping[State, object]) -> bool:
        """Whether another path, of ``others`` and what is known on each, is here, knows the same, and is in less doubt.

        What happens on this path happens on that one, and more of it is certain.
        """
        return bool(self.unsure) and any(
            other.unsure < self.unsure
            and (not other.unsure or other.sure >= self.sure)
            and other._replace(unsure=self.unsure, sure=self.sure) == self
            and there == known
            for other, there in others.items()
        )

    def doubted(self, names: Set[str]) -> State:
        """The state after something that may have changed what ``names`` say."""
        return self._replace(unsure=self.unsure | names, sure=frozenset()) if names else self


class Reason(NamedTuple):
    """Why a context is atomic: ``what`` is a lock kind or ``preempt``, ``irq``, ``bh``, ``kmap``, ``entry``."""

    what: str
    expression: str
    origin: Origin


IN_READER = frozenset((EntryKind.RCU_READER, EntryKind.PANIC))

_ENTERED_IRQS_OFF = frozenset((EntryKind.IRQS_OFF, EntryKind.RESTART))
_ENTRY_ATOMIC_ON_RT = _ENTERED_IRQS_OFF | {
    EntryKind.HARDIRQ,
    EntryKind.NMI,
    EntryKind.RAW_LOCK,
    EntryKind.PREEMPT_OFF,
}
_ENTRY_ATOMIC = _ENTRY_ATOMIC_ON_RT | {
    EntryKind.HARDIRQ_THREADED,
    EntryKind.SOFTIRQ,
    EntryKind.SPIN_LOCK,
    EntryKind.ATOMIC,
}


def atomic(state: State, api: Api, *, rt: bool) -> Reason | None:
    """The reason for which nothing may sleep here, or None. ``rt`` asks for a PREEMPT_RT kernel.

    Source: Documentation/locking/locktypes.rst; which interrupt handlers become threads:
    Documentation/core-api/real-time/differences.rst.
    """
    spinning = (LockClass.RAW,) if rt else (LockClass.RAW, LockClass.SPIN, LockClass.SEQCOUNT)
    for lock in sorted(
        state.certain_locks(), key=lambda held: (held.origin is not Origin.TAKEN, held.kind, held.expression)
    ):
        if api.classes.get(lock.kind) in spinning:
            return Reason(lock.kind, lock.expression, lock.origin)
    if state.preempt > 0 and state.is_certain("preempt"):
        return Reason("preempt", "", Origin.TAKEN)
    if state.irq in ("off", ASSERTED) and state.is_certain("irq"):
        return Reason("irq", "", Origin.ASSERTED if state.irq == ASSERTED else Origin.TAKEN)
    if not rt:
        if state.suffix > 0 and state.is_certain("irq"):
            return Reason("irq", "", Origin.TAKEN)
        if state.bh > 0 and state.is_certain("bh"):
            return Reason("bh", "", Origin.TAKEN)
        if state.kmap > 0 and state.is_certain("kmap"):
            return Reason("kmap", "", Origin.TAKEN)
    if state.entry in (_ENTRY_ATOMIC_ON_RT if rt else _ENTRY_ATOMIC) and not _enabled_since(state):
        return Reason("entry", state.entry, Origin.TAKEN)
    return None


def _enabled_since(state: State) -> bool:
    """Whether a function that is entered with interrupts disabled may have enabled them, or preemption."""
    if state.entry in _ENTERED_IRQS_OFF:
        return state.irq == "on" or "irq" in state.unsure
    return state.entry == EntryKind.PREEMPT_OFF and (state.preempt < 0 or "preempt" in state.unsure)


def reassured(before: State, after: State, *, direct: bool) -> State:
    """``after`` with what is beyond doubt. ``direct`` steps are primitives, so that what they take is certain."""
    if not after.unsure:
        return after
    held = {lock.expression for lock in after.locks}
    sure = {
        (name, was) for name, was in after.sure if (was in held if name == "lock" else _raised(after, name) > int(was))
    }
    if direct:
        again = {name for _, name in before.dropped - after.dropped}  # locks of the caller's
        taken = (lock for lock in after.locks - before.locks if lock.origin is Origin.TAKEN or lock.expression in again)
        sure.update(("lock", lock.expression) for lock in taken)
        for name in after.unsure & _RAISED:
            was = _raised(before, name)
            if _raised(after, name) > was and not any(known == name for known, _ in sure):
                sure.add((name, was))
    return after if sure == after.sure else after._replace(sure=frozenset(sure))


def _raised(state: State, name: str) -> int:
    return int(state.irq in ("off", ASSERTED)) if name == "irq" else int(getattr(state, name))


def is_off(state: State, what: str) -> bool:
    """Whether ``what`` (``preempt``, ``irq``, ``bh``) was disabled here."""
    return state.irq in ("off", ASSERTED) if what == "irq" else bool(getattr(state, what) > 0)


def counted(state: State, changes: Mapping[str, int], sign: int = 1) -> State:
    """The state with counters moved."""
    new: dict[str, Any] = {name: moved(getattr(state, name), change * sign) for name, change in changes.items()}
    return state._replace(**new)


def moved(value: int, change: int) -> int:
    """A counter after ``change``; kept small so that a loop cannot make ever new states."""
    return max(-2, min(3, value + change))
