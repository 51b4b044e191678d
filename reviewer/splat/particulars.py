# SPDX-License-Identifier: GPL-2.0-or-later
"""Sentences on what only some kinds of reports say: usage states, RCU's message, seconds, states, owners."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from reviewer.splat.records import Lock, Splat

_STATES: Final = {"HARDIRQ": "hard interrupts", "SOFTIRQ": "softirqs", "NMI": "NMIs"}
_SOFTIRQS: Final = ("HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED", "HRTIMER", "RCU")


def particulars(splat: Splat) -> tuple[str, ...]:
    """The sentences for this kind, none for most."""
    say = _OF_KIND.get(splat.kind)
    return tuple(sentence for sentence in say(splat) if sentence) if say is not None else ()


def _usage(mark: str) -> str:
    """``IN-HARDIRQ-W`` and the like (usage_str[] of kernel/locking/lockdep.c) in words."""
    name = mark.removeprefix("IN-").removesuffix("-W").removesuffix("-R").removesuffix("-ON")
    how = "for reading" if mark.endswith("-R") else "for writing"
    state = _STATES.get(name, name)
    return f"taken {how} inside {state}" if mark.startswith("IN-") else f"taken {how} with {state} enabled"


def _inconsistent(splat: Splat) -> list[str]:
    before, now = splat.fact("from"), splat.fact("to")
    return [f"Before, it was {_usage(before)} ({before}); now it is {_usage(now)} ({now})."] if before and now else []


def _place(lock: Lock) -> str:
    return f", taken in {lock.at.function}()" if lock.at is not None else ""


def _roles(splat: Splat) -> list[str]:
    said = []
    for role in splat.roles:
        name, _, how = role.name.rpartition("-")
        state = next((words for key, words in _STATES.items() if name.startswith(key)), name)
        what = f"is taken inside {state}" if how == "safe" else f"is taken with {state} enabled"
        said.append(f"{role.lock.label} {what} ({role.name}){_place(role.lock)}.")
    return said


def _nest(splat: Splat) -> list[str]:
    return [f"The lock that is said to be above it, {role.lock.label}, is not held." for role in splat.roles]


def _suspicious(splat: Splat) -> list[str]:
    said = [f"RCU says: {splat.fact('message')}."] if splat.fact("message") else []
    where = splat.fact("rcu_not_watching")
    if where:
        said.append(f"RCU is not watching this CPU ({where}): nothing here may use RCU at all.")
    return said


def _stall(splat: Splat) -> list[str]:
    said = [f"It stands out: {splat.fact('stalled')}."] if splat.fact("stalled") else []
    if splat.fact("jiffies"):
        said.append(f"It lasts for {splat.fact('jiffies')} jiffies.")
    if splat.fact("starved"):
        said.append(
            f"The grace-period kthread itself got no time for {splat.fact('starved')} jiffies: look for what keeps it "
            "from running before blaming a reader."
        )
    return said


def _seconds(splat: Splat) -> list[str]:
    seconds = splat.fact("seconds")
    return [f"It lasts for {seconds} seconds so far."] if seconds else []


def _atomic(splat: Splat) -> list[str]:
    since = next((trace.frames[0] for trace in splat.traces if trace.title == "Preemption disabled at"), None)
    said = [f"Preemption was disabled in {since.function}()."] if since is not None else []
    if splat.path.startswith("kernel/locking/spinlock_rt"):
        said.append("The function that may sleep is a spinlock_t, which sleeps on PREEMPT_RT.")
    return said


def _set_state(splat: Splat) -> list[str]:
    at = splat.fact("set_at").split("+")[0]
    return [f"The state (0x{splat.fact('state')}) was set in {at}()."] if at else []


def _processor(splat: Splat) -> list[str]:
    by = splat.fact("caller").split("+")[0]
    return [f"{splat.fact('what')}() was used{f' by {by}()' if by else ''}."]


def _spinlock(splat: Splat) -> list[str]:
    said = [f"The lock says: {splat.fact('what')}."]
    if splat.fact("lock"):
        said.append(
            f"It is {splat.fact('lock')}; owner {splat.fact('owner')} on CPU {splat.fact('owner_cpu')}, magic "
            f"{splat.fact('magic')} (dead4ead is right for a spinlock, deaf1eed for an rwlock)."
        )
    return said


def _object(splat: Splat) -> list[str]:
    return [
        f"What was tried: {splat.fact('what')}; the {splat.fact('type')} is {splat.fact('state')}; its function is "
        f"{splat.fact('hint').split('+')[0]}()."
    ]


def _softirqs(splat: Splat) -> list[str]:
    mask = int(splat.fact("mask") or "0", 16)
    names = [name for bit, name in enumerate(_SOFTIRQS) if mask >> bit & 1]
    return [f"Pending (0x{splat.fact('mask')}): {', '.join(names)}."] if names else []


def _depth(splat: Splat) -> list[str]:
    return [f"At the {splat.fact('what').lower()} the depth was {splat.fact('depth')}."]


def _call(splat: Splat) -> list[str]:
    return [f"{splat.fact('function')}() in {splat.fact('object')} calls {splat.fact('callee')}()."]


def _smatch(splat: Splat) -> list[str]:
    by = splat.fact("atomic_by")
    return [f"In the call tree, {by}."] if by else []


def _compiler(splat: Splat) -> list[str]:
    return [f"It says: {splat.fact('what')}."]


def _race(splat: Splat) -> list[str]:
    said = [f"{splat.fact('what')} in {splat.fact('where')}."]
    return said + [f"One side: {trace.title}." for trace in splat.traces[:2]]


def _limit(splat: Splat) -> list[str]:
    return [f"It says: {splat.fact('what')}"]


_OF_KIND: Final[dict[str, Callable[[Splat], list[str]]]] = {
    "lockdep-inconsistent": _inconsistent,
    "lockdep-irq-order": _roles,
    "lockdep-irq-inversion": _roles,
    "lockdep-nested-not-taken": _nest,
    "lockdep-limits": _limit,
    "rcu-suspicious": _suspicious,
    "rcu-stall": _stall,
    "rcu-exp-stall": _stall,
    "rcu-tasks-stall": _stall,
    "sleeping-function": _atomic,
    "scheduling-while-atomic": _atomic,
    "blocking-not-running": _set_state,
    "smp-processor-id": _processor,
    "spinlock-debug": _spinlock,
    "hung-task": _seconds,
    "soft-lockup": _seconds,
    "wq-lockup": _seconds,
    "odebug": _object,
    "nohz-softirq": _softirqs,
    "kvm-srcu-depth": _depth,
    "objtool-noinstr": _call,
    "smatch-atomic": _smatch,
    "sparse-context": _compiler,
    "clang-context-analysis": _compiler,
    "kcsan": _race,
}
