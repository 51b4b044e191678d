# SPDX-License-Identifier: GPL-2.0-or-later
"""Driver code decides by in_atomic()."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report | None:
    if not context.in_driver:
        return None
    return Report(
        subject="in_atomic",
        message="in_atomic() decides what is done, and it does not see every atomic context",
        question="Can the caller say whether it may sleep here? in_atomic() sees no RCU reader, and no spinlock "
        "on PREEMPT_RT or without CONFIG_PREEMPT_COUNT.",
        was="in_atomic() decided what is done",
        consequence="The code can sleep in a context that forbids it.",
    )


CHECK = Check(
    id="lock-in-atomic-test",
    area="locking",
    severity=Severity.QUESTION,
    kernels=Kernels.ALL,
    rule="Driver code does not ask in_atomic() whether it may sleep: its caller says so.",
    why="in_atomic() knows of disabled preemption only, not of RCU readers and not of every spinlock.",
    events=frozenset({EventKind.ASKS_IN_ATOMIC}),
    judge=judge,
    sources=(
        Source("include/linux/preempt.h", "Do not use in_atomic() in driver code"),
        Source("include/linux/preempt.h", "used in the general case to determine whether sleeping is possible"),
    ),
    wrong=(
        """
        int send(struct channel *channel)
        {
                bool may_sleep = !in_atomic() && !irqs_disabled(); /* wrong */

                if (may_sleep)
                        msleep(1);
                return poke(channel);
        }
        """,
    ),
    right=(
        """
        int send(struct channel *channel, bool may_sleep)
        {
                WARN_ON(may_sleep && in_atomic());
                if (may_sleep)
                        msleep(1);
                return poke(channel);
        }
        """,
    ),
    misses=(
        """
        int send(struct channel *channel)
        {
                bool may_sleep = !in_atomic() && !irqs_disabled() && !rcu_preempt_depth();

                if (may_sleep)
                        msleep(1);
                return poke(channel);
        }
        """,
    ),
)
