# SPDX-License-Identifier: GPL-2.0-or-later
"""The sentences inside reports. A named group becomes a fact of that name, except those that name the task or CPU.

All are matched at the beginning of a line. The format strings are in kernel/locking/lockdep.c, kernel/sched/core.c,
kernel/rcu/, kernel/watchdog.c, kernel/hung_task.c, kernel/workqueue.c, lib/ and kernel/kcsan/report.c.
"""

from __future__ import annotations

import re
from typing import Final

_TASK: Final = r"(?P<comm>.{1,64}?)/(?P<pid>\d{1,10})"
_STATE: Final = r"(?: \[HC\d.{0,60}SE\d\])?"


def _compiled(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern) for pattern in patterns)


# After these the next lock is the one that the task asks for, or holds.
WANTS: Final = _compiled(
    rf"{_TASK}{_STATE} is trying to (?:acquire lock|acquire|lock):$",
    rf"{_TASK}{_STATE} takes:$",
    rf"{_TASK} just changed the state of lock:$",
    rf"{_TASK} is freeing memory \S{{1,40}}, with a lock still held there!$",
)
HOLDS: Final = _compiled(
    r"but task is already holding lock:$",
    r"and this task is already holding:$",
    r"and the lock comparison function returns (?P<comparison>-?\d{1,10}):$",
)
# After these comes a lock with a role of its own.
ROLES: Final = _compiled(
    r"but this new dependency connects a (?P<role>\S{1,40}-safe) lock:$",
    r"to a (?P<role>\S{1,40}-unsafe) lock:$",
    r"but this lock took another, (?P<role>\S{1,40}-unsafe) lock in the past:$",
    r"but this lock was taken by another, (?P<role>\S{1,40}-safe) lock in the past:$",
)
RELEASES: Final = re.compile(rf"{_TASK} is trying to (?:release|contend) lock \((?P<lock>.{{1,160}})\) at:$")
NOT_HELD: Final = re.compile(r"but this task is not holding:$")
HELD: Final = re.compile(rf"(?P<count>\d{{1,4}}) locks? held by {_TASK}:$")
NONE_HELD: Final = re.compile(rf"no locks held by {_TASK}\.$")
HELD_LOCK: Final = re.compile(r"#(?P<index>\d{1,4}): (?P<lock>.{1,900})")
LINK: Final = re.compile(r"-> #(?P<number>\d{1,4}) ?(?P<lock>\(.{1,400}\)\{.{1,60}):$")
EXISTS: Final = re.compile(r"Chain exists of:$")
STEP: Final = re.compile(r"(?P<action>r?lock\(.{1,160}\);|sync\(.{1,160}\);|local_irq_disable\(\);)$")
INTERRUPT: Final = re.compile(r"<Interrupt>$")
COLUMNS: Final = re.compile(r"CPU0(?P<gap> {4,80})CPU1$|CPU0$")

# A trace follows under this title.
TITLES: Final = _compiled(
    r"(?P<title>stack backtrace):?$",
    r"(?P<title>Call [Tt]race):",
    r"(?:\.\.\. )?(?P<title>which became \S{1,60}) at:$",
    r"(?P<title>\{\S{1,60}\} state was registered) at:$",
    r"(?P<title>Preemption disabled at):$",
    r"\.\.\. (?P<title>acquired) at:$",
    r"(?P<title>(?:INITIAL|IN-|HARDIRQ|SOFTIRQ)[\w -]{1,40}) at:$",
    r"(?P<title>the (?:shortest )?dependencies between .{1,120}):$",
    r"(?P<title>NMI backtrace for cpu \d{1,5})",
    r"(?P<title>(?:race at unknown origin, with )?(?:read|write|read-write|assert)\b.{0,60} to 0x[0-9a-f]{1,16} of "
    r"\d{1,9} bytes by .{1,60}):$",
)
TASK_TRACE: Final = re.compile(r"task:(?P<comm>\S{1,64}) {1,20}state:(?P<state>\S) ")

FACTS: Final = _compiled(
    r"in_atomic\(\): (?P<in_atomic>\d{1,9}), irqs_disabled\(\): (?P<irqs_disabled>\d{1,9})"
    r"(?:, non_block: (?P<non_block>\d{1,9}))?(?:,? migration_disabled\(\):? (?P<migration_disabled>\d{1,9}))?"
    r",? pid: (?P<pid>\d{1,10}), name: (?P<comm>.{1,64})$",
    r"preempt_count: (?P<preempt_count>[0-9a-f]{1,8}), expected: (?P<preempt_expected>[0-9a-f]{1,8})",
    r"RCU nest depth: (?P<rcu_depth>\d{1,9}), expected: (?P<rcu_expected>\d{1,9})",
    r"rcu_scheduler_active = (?P<rcu_scheduler_active>\d), debug_locks = (?P<debug_locks>\d)",
    r"RCU used illegally from (?P<rcu_not_watching>offline CPU|extended quiescent state|idle CPU)!",
    r"inconsistent \{(?P<from>\S{1,40})\} -> \{(?P<to>\S{1,40})\} usage\.",
    r"context-\{(?P<context>\d):\d\}",
    r"caller is (?P<caller>\S{1,200})",
    r"lock: (?P<lock>[^,]{1,200}), \.magic: (?P<magic>\w{1,16}), \.owner: (?P<owner>.{1,80}), "
    r"\.owner_cpu: (?P<owner_cpu>-?\d{1,9})",
    r"(?:hardirqs) last {1,4}enabled at \(\d{1,20}\): (?:\[<.{1,40}>\] )?(?P<hardirqs_enabled_at>\S{1,200})",
    r"(?:hardirqs) last {1,4}disabled at \(\d{1,20}\): (?:\[<.{1,40}>\] )?(?P<hardirqs_disabled_at>\S{1,200})",
    r"(?:softirqs) last {1,4}enabled at \(\d{1,20}\): (?:\[<.{1,40}>\] )?(?P<softirqs_enabled_at>\S{1,200})",
    r"(?:softirqs) last {1,4}disabled at \(\d{1,20}\): (?:\[<.{1,40}>\] )?(?P<softirqs_disabled_at>\S{1,200})",
    r"(?:rcu: {1,8})?(?P<stalled>\d{1,5}-\S{3,8}: \(.{1,60}\)) ",
    r"(?:rcu: {1,8})?(?P<stalled>Tasks blocked on level-\d{1,3} rcu_node.{1,120})",
    r"(?:rcu: {1,8})?\((?:detected by (?P<detector>\d{1,5}), )?t=(?P<jiffies>\d{1,12}) jiffies",
    r"(?:rcu: )?\S{1,40} kthread starved for (?P<starved>\d{1,12}) jiffies!",
    r"(?P<stalled>P\d{1,10}(?:/\S{1,20})?: .{1,80})",
    r"\} (?P<jiffies>\d{1,12}) jiffies s: ",
    rf"{_TASK}: Hash chain already cached but the contents don't match!",
    rf"{_TASK} is leaving the kernel with locks still held!",
    r"(?P<advice>The code is fine but needs lockdep annotation, or maybe)",
    r"(?P<no_more>but there are no (?:more )?locks (?:to release|held)!)",
    r"(?P<tainted>Tainted: [A-Z][A-Z ]{0,30})",
)
CPU_LINES: Final = _compiled(
    r"CPU: (?P<cpu>\d{1,5}) (?:UID: \d{1,10} )?PID: (?P<pid>\d{1,10}) Comm: (?P<comm>.{1,64}?) "
    r"(?P<taint>Not tainted|Tainted: .{1,40}?) {1,10}(?P<release>\d{1,3}\.\d{1,3}\S{0,80})",
)
CPU_CUT: Final = re.compile(r"CPU: (?P<cpu>\d{1,5}) (?:UID: \d{1,10} )?PID: (?P<pid>\d{1,10}) Comm: (?P<comm>\S{1,64})")
IDENT: Final = re.compile(r"(?P<release>\d{1,3}\.\d{1,3}\S{0,80}) #\d\S{0,40} (?P<taint>Not tainted|Tainted: .{1,60})$")
SUSPICIOUS: Final = re.compile(r"(?P<path>[\w./+-]{1,200}):(?P<line>\d{1,7}) (?P<message>.{1,200})!$")
SMATCH_CALL: Final = re.compile(r"(?P<called>-> )?(?P<function>\w{1,120})\(\)(?: <- (?P<remark>.{1,80}))?$")
LOCKDEP_OFF: Final = re.compile(r"INFO: lockdep is turned off\.|turning off the locking correctness validator")
