# SPDX-License-Identifier: GPL-2.0-or-later
"""How each kind of report begins. The texts are the format strings of the kernel, see ``source`` of checks/splats.toml.

Where a kernel printed a text in another form, both forms stand here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_TASK: Final = r"(?P<comm>.{1,64})"


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a kind. ``inside``: it is the message of a WARNING, which names the place after it."""

    kind: str
    pattern: re.Pattern[str]
    inside: bool = False


def _header(kind: str, pattern: str, *, inside: bool = False) -> Header:
    return Header(kind, re.compile(pattern), inside)


# In the order in which they are tried: the general ones last.
HEADERS: Final[tuple[Header, ...]] = (
    _header("lockdep-circular", r"(?:WARNING|INFO): possible circular locking dependency detected\b"),
    _header("lockdep-circular", r"\[ INFO: possible circular locking dependency detected \]"),
    _header("lockdep-recursive", r"WARNING: possible recursive locking detected\b"),
    _header("lockdep-recursive", r"\[ INFO: possible recursive locking detected \]"),
    _header(
        "lockdep-irq-order",
        r"WARNING: (?P<safe>(?:HARDIRQ|SOFTIRQ)(?:-READ)?)-safe -> (?P<unsafe>(?:HARDIRQ|SOFTIRQ)(?:-READ)?)-unsafe "
        r"lock order detected\b",
    ),
    _header("lockdep-inconsistent", r"(?:WARNING: |\[ INFO: )inconsistent lock state\b"),
    _header("lockdep-irq-inversion", r"(?:WARNING: |\[ INFO: )possible irq lock inversion dependency detected\b"),
    _header("lockdep-wait-context", r"\[ BUG: Invalid wait context \]"),
    _header("lockdep-nested-not-taken", r"WARNING: Nested lock was not taken\b"),
    _header("lockdep-unlock-balance", r"(?:WARNING: |\[ BUG: )bad unlock balance detected!"),
    _header("lockdep-contention", r"(?:WARNING: |\[ BUG: )bad contention detected!"),
    _header("lockdep-held-freed", r"(?:WARNING: |\[ BUG: )held lock freed!"),
    _header("lockdep-exit-held", rf"(?:WARNING: |\[ BUG: ){_TASK}/(?P<pid>\d{{1,10}}) still has locks held!"),
    _header("lockdep-user-return", r"(?:WARNING: |\[ BUG: )lock held when returning to user space!"),
    _header("lockdep-unregistered-key", r"INFO: trying to register non-static key\."),
    _header("lockdep-chain-collision", r"WARNING: chain_key collision\b"),
    _header("lockdep-limits", r"(?P<what>BUG: MAX_\w{1,40} too low!|INFO: lockdep is turned off\.)"),
    _header("rcu-suspicious", r"(?:WARNING: |\[ INFO: )suspicious RCU usage\b"),
    _header("rcu-exp-stall", r"(?:rcu: )?INFO: (?P<flavor>rcu_\w{1,20}) detected expedited stalls on CPUs/tasks: \{"),
    _header(
        "rcu-stall",
        r"(?:rcu: )?INFO: (?P<flavor>rcu_\w{1,20}) "
        r"(?P<how>detected stalls on CPUs/tasks:|self-detected stall on CPU)",
    ),
    _header("rcu-tasks-stall", r"INFO: (?P<flavor>rcu_tasks(?:_\w{1,10})?) detected stalls on tasks:"),
    _header(
        "rcu-voluntary-switch",
        r"Voluntary context switch within RCU read-side critical section!",
        inside=True,
    ),
    _header(
        "sleeping-function",
        r"BUG: sleeping function called from invalid context at (?P<path>\S{1,200}):(?P<line>\d{1,7})$",
    ),
    _header(
        "scheduling-while-atomic",
        rf"BUG: scheduling while atomic: {_TASK}/(?P<pid>\d{{1,10}})/0x(?P<preempt_count>[0-9a-f]{{1,8}})$",
    ),
    _header("assuming-atomic", r"BUG: assuming atomic context at (?P<path>\S{1,200}):(?P<line>\d{1,7})$"),
    _header(
        "assuming-nonmigratable",
        r"BUG: assuming non migratable context at (?P<path>\S{1,200}):(?P<line>\d{1,7})$",
    ),
    _header(
        "blocking-not-running",
        r"do not call blocking ops when !TASK_RUNNING; state=(?P<state>[0-9a-f]{1,16}) set at "
        r"\[<[^>]{1,40}>\] (?P<set_at>\S{1,200})",
        inside=True,
    ),
    _header(
        "smp-processor-id",
        rf"BUG: using (?P<what>\w{{1,60}})\(\) in preemptible \[(?P<preempt_count>[0-9a-f]{{1,8}})\] code: "
        rf"{_TASK}/(?P<pid>\d{{1,10}})$",
    ),
    _header(
        "spinlock-debug",
        rf"BUG: (?P<lock_type>spinlock|rwlock) (?P<what>.{{1,60}}) on CPU#(?P<cpu>\d{{1,5}}), "
        rf"{_TASK}/(?P<pid>\d{{1,10}})(?:, \S{{1,40}})?$",
    ),
    _header("rt-threaded-ctx", r"Not in threaded context on PREEMPT_RT as expected", inside=True),
    _header(
        "hung-task",
        rf"INFO: task {_TASK}:(?P<pid>\d{{1,10}}) blocked(?P<how>[^f]{{0,60}}) for more than (?P<seconds>\d{{1,9}}) "
        r"seconds\.",
    ),
    _header(
        "soft-lockup",
        rf"(?:watchdog: )?BUG: soft lockup - CPU#(?P<cpu>\d{{1,5}}) stuck for (?P<seconds>\d{{1,9}})s! "
        rf"\[{_TASK}:(?P<pid>\d{{1,10}})\]",
    ),
    _header(
        "hard-lockup",
        r"(?:NMI watchdog: |watchdog: )?(?:CPU\d{1,5}: )?Watchdog detected hard LOCKUP on cpu (?P<cpu>\d{1,5})",
    ),
    _header("wq-lockup", r"BUG: workqueue lockup - pool(?P<pool>[^!]{0,200}?) stuck for (?P<seconds>\d{1,9})s!"),
    _header("wq-lockup", r"BUG: workqueue lockup - pool"),
    _header(
        "odebug",
        r"ODEBUG: (?P<what>\S{1,40}) (?P<state>.{1,60}) \(active state (?P<active>\d{1,9})\) "
        r"object: ?(?P<object>\S{0,40}) ?object type: (?P<type>\S{1,60}) hint: (?P<hint>\S{1,200})",
        inside=True,
    ),
    _header(
        "nohz-softirq",
        r"NOHZ tick-stop error: (?:local softirq work is pending, |Non-RCU local softirq work is pending, )"
        r"handler #(?P<mask>[0-9a-f]{1,4})!!!",
    ),
    _header(
        "kvm-srcu-depth",
        r"KVM: Illegal vCPU srcu_idx (?P<what>LOCK|UNLOCK), depth=(?P<depth>-?\d{1,9})",
        inside=True,
    ),
    _header("kcsan", r"BUG: KCSAN: (?P<what>\S{1,40}) in (?P<where>.{1,300})$"),
    _header(
        "objtool-noinstr",
        r"(?P<object>\S{1,200}): (?:warning: objtool: )?(?P<function>[^\s:]{1,200}): "
        r"call to (?P<callee>\S{1,120})\(\) leaves \.noinstr\.text section",
    ),
    _header(
        "smatch-atomic",
        r"(?P<path>\S{1,200}):(?P<line>\d{1,7}) (?P<function>\w{1,120})\(\) warn: sleeping in atomic context",
    ),
    _header(
        "sparse-context",
        r"(?P<path>\S{1,200}?):(?P<line>\d{1,7}):(?:\d{1,5}:)? warning: context imbalance in '(?P<function>\w{1,120})' "
        r"- (?P<what>.{1,80})",
    ),
    _header(
        "clang-context-analysis",
        r"(?P<path>\S{1,200}?):(?P<line>\d{1,7}):(?:\d{1,5}:)? warning: "
        r"(?P<what>calling function '\w{1,120}' requires holding .{1,200}"
        r"|.{1,150} is not held.{0,60}|releasing .{1,150} that was not held|acquiring .{1,150} that is already held)",
    ),
    _header(
        "kernel-warning",
        r"WARNING: CPU: (?P<cpu>\d{1,5}) PID: (?P<pid_only>\d{1,10}) at (?P<path>\S{1,200}):(?P<line>\d{1,7}) "
        r"(?P<function>\S{1,200})",
    ),
    _header(
        "kernel-warning",
        r"WARNING: (?P<path>\S{1,200}):(?P<line>\d{1,7}) at (?P<function>\S{1,200}), CPU#(?P<cpu>\d{1,5}): "
        rf"{_TASK}/(?P<pid>\d{{1,10}})$",
    ),
)
IDS: Final = tuple(dict.fromkeys(header.kind for header in HEADERS))
