# SPDX-License-Identifier: GPL-2.0-or-later
"""What ``{outer:inner}`` means in one report: the numbers depend on how that kernel was configured.

enum lockdep_wait_type in include/linux/lockdep_types.h: 0 is not checked, 1 never waits, 2 spins. With
CONFIG_PROVE_RAW_LOCK_NESTING 3 is a lock that sleeps on PREEMPT_RT only and 4 one that always may; without it 2 are
both kinds of spinlocks and 3 those that sleep. One lock of known type tells which of the two a report is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from reviewer.splat.meanings import Meanings
from reviewer.splat.records import Frame, Lock, Splat

# Since 6.13 CONFIG_PROVE_RAW_LOCK_NESTING is on wherever CONFIG_PROVE_LOCKING is and the architecture has PREEMPT_RT.
_ON_SINCE: Final = (6, 13)
_SLEEPS: Final = frozenset({"rwsem", "mutex", "sleeping"})
_SPINS_OR_RT: Final = frozenset({"spinning", "sleeping_spinlock"})


@dataclass(frozen=True, slots=True)
class Nesting:
    """Whether the kernel told raw from other spinlocks (None: the report does not show it), and what tells."""

    on: bool | None
    evidence: str
    sure: bool = False


def locks_of(splat: Splat) -> Iterator[Lock]:
    """Every lock that the report shows, some more than once."""
    if splat.wanted is not None:
        yield splat.wanted
    yield from splat.holding
    for role in splat.roles:
        yield role.lock
    for link in splat.chain:
        yield link.lock
    for block in splat.held:
        yield from block.locks


def nesting_of(splat: Splat, meanings: Meanings) -> Nesting:
    """How the numbers of this report are to be read."""
    for lock in locks_of(splat):
        if lock.wait is None:
            continue
        numbers = f"{{{lock.wait.outer}:{lock.wait.inner}}}"
        if 4 in (lock.wait.outer, lock.wait.inner):
            return Nesting(True, f"{lock.label} is shown with {numbers}, and a 4 exists only so", True)
        if lock.name in ("rcu_read_lock", "rcu_read_lock_bh") and lock.wait.outer == 1:
            return Nesting(lock.wait.inner == 3, f"{lock.label} is shown with {numbers}", True)
        known = type_of(lock, splat, meanings)
        if known in _SLEEPS and lock.wait.inner == 3:
            return Nesting(False, f"{lock.label} always may sleep and is shown with {numbers}", True)
        if known in _SPINS_OR_RT and lock.wait.inner == 3:
            return Nesting(True, f"{lock.label} is a spinlock and is shown with {numbers}", True)
    context = splat.fact("context")
    if context in ("4", "5"):
        return Nesting(context == "5", f"the context of a task is shown as {context}", True)
    release = re.match(r"(\d{1,3})\.(\d{1,3})", splat.release)
    if release is None:
        return Nesting(None, "")
    version = (int(release[1]), int(release[2]))
    which = f"the default of {version[0]}.{version[1]}"
    return Nesting(version >= _ON_SINCE, which)


def type_of(lock: Lock, splat: Splat, meanings: Meanings) -> str:
    """The kind of lock (rwsem, mutex, spinning, ...) by its name or by the function that took it; else empty."""
    known = meanings.types.get(lock.name)
    if known:
        return known
    for link in splat.chain:
        if link.lock.label == lock.label:
            taker = first_frame(link.frames, meanings)
            if taker is not None and taker.function in meanings.acquires:
                return meanings.acquires[taker.function]
    return ""


def first_frame(frames: tuple[Frame, ...], meanings: Meanings) -> Frame | None:
    """The innermost frame that is not lockdep's own."""
    return next((f for f in frames if not f.unsure and f.function.split(".")[0] not in meanings.noise), None)


def reads(lock: Lock) -> bool:
    """Whether the usage marks show that the lock was taken for reading (the second and fourth are of readers)."""
    return any(mark in "+-?" for mark in lock.usage[1:4:2])


def writes(lock: Lock) -> bool:
    """The same for writing."""
    return any(mark in "+-?" for mark in lock.usage[0:4:2])


def describe(lock: Lock, splat: Splat, meanings: Meanings, nesting: Nesting) -> str:
    """In plain words what kind of lock it is, empty where the report does not tell."""
    known = type_of(lock, splat, meanings)
    if lock.wait is not None and lock.wait.inner == 0:
        return ""
    kind = _TYPES.get(known, "")
    if known in ("", "sleeping", "spinning"):
        kind = _by_number(lock, nesting) or kind
    if sleeps(lock, splat, meanings, nesting) and known in ("", "sleeping") and reads(lock):
        kind = "a lock that sleeps and has readers, so an rw_semaphore"
        if known == "" and lock.wait is not None:
            kind = _hedged(kind, lock.wait.inner, nesting)
    if not kind:
        return ""
    # Of a spinlock the mark of one that was never written to is that of writers with interrupts off.
    if sleeps(lock, splat, meanings, nesting) and known != "mutex" and reads(lock) and not writes(lock):
        kind += ", seen taken for reading only"
    return kind


_TYPES: Final = {
    "rwsem": "an rw_semaphore, which sleeps",
    "mutex": "a mutex, which sleeps",
    "sleeping": "a lock that sleeps",
    "spinning": "a spinlock",
    "sleeping_spinlock": "a spinlock_t of PREEMPT_RT, which sleeps",
    "raw": "a raw spinlock, which spins on every kernel",
}


def sort_of(lock: Lock, splat: Splat, meanings: Meanings, nesting: Nesting) -> str:
    """``rwsem``, ``mutex`` or ``lock``: what a lock that sleeps is called, as far as the report tells."""
    known = type_of(lock, splat, meanings)
    if known in ("rwsem", "mutex"):
        return known
    return "rwsem" if sleeps(lock, splat, meanings, nesting) and reads(lock) else "lock"


def _by_number(lock: Lock, nesting: Nesting) -> str:
    if lock.wait is None or nesting.on is None:
        return ""
    return _hedged(meaning_of(lock.wait.inner, nesting.on), lock.wait.inner, nesting)


def _hedged(said: str, number: int, nesting: Nesting) -> str:
    """What is ``said`` of a lock by its number, which another configuration gives another meaning."""
    same = meaning_of(number, on=True) == meaning_of(number, on=False)
    return said if nesting.sure or same or not said else f"most likely {said}"


def meaning_of(number: int, on: bool) -> str:
    """What a wait type means as the kind of a lock."""
    table = {
        True: {
            1: "something that never waits",
            2: "a raw spinlock, which spins on every kernel",
            3: "a spinlock_t, rwlock_t or local_lock, which spins, and sleeps on PREEMPT_RT",
            4: "a lock that sleeps (mutex, rw_semaphore)",
        },
        False: {
            1: "something that never waits",
            2: "a spinning lock (raw or not, this kernel does not tell them apart)",
            3: "a lock that sleeps (mutex, rw_semaphore)",
        },
    }
    return table[on].get(number, "")


def sleeps(lock: Lock, splat: Splat, meanings: Meanings, nesting: Nesting) -> bool:
    """Whether a task that waits for the lock sleeps on every kernel."""
    if type_of(lock, splat, meanings) in _SLEEPS:
        return True
    if lock.wait is None or nesting.on is None:
        return False
    return lock.wait.inner == (4 if nesting.on else 3)


def legend(splat: Splat, nesting: Nesting) -> tuple[str, ...]:
    """Sentences on each pair of numbers that the report shows."""
    pairs = sorted({(lock.wait.outer, lock.wait.inner) for lock in locks_of(splat) if lock.wait is not None})
    if not pairs:
        return ()
    said = [
        "{outer:inner} are lockdep's wait types: outer is how long taking the lock may make a task wait, inner the "
        "longest wait that is still allowed while it is held."
    ]
    if nesting.on is None:
        said.append("The report does not show how its kernel was configured, on which the numbers from 2 on depend.")
    else:
        how = "tells raw spinlocks from others" if nesting.on else "does not tell raw spinlocks from others"
        option = f"CONFIG_PROVE_RAW_LOCK_NESTING is {'on' if nesting.on else 'off'}"
        certain = f"This kernel {how} ({option}): " if nesting.sure else f"Most likely this kernel {how} ({option}): "
        said.append(f"{certain}{nesting.evidence}.")
    for outer, inner in pairs:
        numbers = f"{{{outer}:{inner}}}"
        if inner == 0:
            said.append(
                f"{numbers}: not checked; a bare lockdep_map, which is a pseudo-lock or a per-CPU rw_semaphore."
            )
        elif nesting.on is not None and outer == inner:
            said.append(f"{numbers}: {_hedged(meaning_of(inner, nesting.on), inner, nesting)}.")
        elif nesting.on is not None:
            said.append(
                f"{numbers}: {_hedged(meaning_of(outer, nesting.on), outer, nesting)}; "
                f"inside it no lock above {inner} may be taken, so at most "
                f"{meaning_of(inner, nesting.on)}."
            )
    return tuple(said)
