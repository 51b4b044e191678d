# SPDX-License-Identifier: GPL-2.0-or-later
"""Why a context is atomic: the counters that reports on sleeping print.

Bits of the preempt count: include/linux/preempt.h. Values of ``context-{n:n}``: task_wait_context() in
kernel/locking/lockdep.c.
"""

from __future__ import annotations

from typing import Final

from reviewer.splat.meanings import Meanings
from reviewer.splat.records import Lock, Splat
from reviewer.splat.waits import nesting_of

# Shift, width, what is counted.
_PREEMPT_COUNT: Final = (
    (0, 0xFF, "preemption is disabled"),
    (8, 0xFF, "a softirq runs or bottom halves are disabled"),
    (16, 0xF, "a hard interrupt runs"),
    (20, 0xF, "an NMI is handled"),
)


def reasons(splat: Splat, meanings: Meanings) -> tuple[str, ...]:
    """Sentences on what made the context one that must not sleep or wait so long."""
    if splat.kind == "lockdep-wait-context":
        return _wait_context(splat, meanings)
    said: list[str] = []
    count, expected = splat.fact("preempt_count"), splat.fact("preempt_expected")
    if count:
        said += [f"preempt_count is {count}: {what}." for what in _counted(int(count, 16))]
        if expected and int(count, 16) == int(expected, 16):
            said.append(f"preempt_count is {count}, as expected: that is not what is wrong.")
    if splat.fact("irqs_disabled") not in ("", "0"):
        at = splat.fact("hardirqs_disabled_at").split("+")[0]
        said.append(f"Interrupts are disabled{f', since {at}()' if at else ''}.")
    if splat.fact("non_block") not in ("", "0"):
        said.append("The code is between non_block_start() and non_block_end(): callers do not allow it to wait.")
    depth, allowed = splat.fact("rcu_depth"), splat.fact("rcu_expected")
    if depth and depth != (allowed or "0"):
        where = _entered(splat)
        said.append(f"It runs inside an RCU read-side critical section (depth {depth}){where}.")
    return tuple(said)


def only_in_reader(splat: Splat) -> bool:
    """Whether an RCU reader is all that forbids sleeping: no counter is higher than expected, interrupts are on."""
    depth, count = splat.fact("rcu_depth"), splat.fact("preempt_count")
    return (
        depth not in ("", splat.fact("rcu_expected") or "0")
        and (not count or int(count, 16) == int(splat.fact("preempt_expected") or "0", 16))
        and splat.fact("irqs_disabled") in ("", "0")
        and splat.fact("non_block") in ("", "0")
    )


def _counted(count: int) -> list[str]:
    found = []
    for shift, mask, what in _PREEMPT_COUNT:
        number = (count >> shift) & mask
        if number:
            found.append(f"{what}{f' ({number} times)' if number > 1 and shift == 0 else ''}")
    return found


def _entered(splat: Splat) -> str:
    held = [lock for block in splat.held for lock in block.locks if lock.name.startswith("rcu_read_lock")]
    taken = [f"{lock.label} in {lock.at.function}()" for lock in held if lock.at is not None]
    return f", entered by {' and '.join(taken)}" if taken else ""


def _wait_context(splat: Splat, meanings: Meanings) -> tuple[str, ...]:
    on = nesting_of(splat, meanings).on is not False
    said: list[str] = []
    wanted = splat.wanted.wait if splat.wanted is not None else None
    context = int(splat.fact("context") or 0)
    names = {2: "a hard interrupt (not threaded)", 3: "a softirq or threaded interrupt", 5 if on else 4: "a task"}
    if context in names:
        said.append(f"context-{{{context}:{context}}}: {names[context]}, where waits up to {context} are allowed.")
    blocking = _tightest(splat)
    inner = blocking.wait.inner if blocking is not None and blocking.wait is not None else None
    if blocking is not None and inner is not None and wanted is not None and inner < wanted.outer:
        said.append(
            f"{blocking.label} is held, inside which no lock above {inner} may be taken; the one asked for needs "
            f"{wanted.outer}."
        )
    if wanted is not None and context and context < wanted.outer:
        said.append(f"The lock that is asked for needs {wanted.outer}, which this context does not allow.")
    return tuple(said)


def _tightest(splat: Splat) -> Lock | None:
    held = [lock for block in splat.held for lock in block.locks if lock.wait is not None and lock.wait.inner > 0]
    wanted = splat.wanted
    held = [lock for lock in held if wanted is None or lock.label != wanted.label]
    return min(held, key=lambda lock: lock.wait.inner if lock.wait is not None else 0, default=None)
