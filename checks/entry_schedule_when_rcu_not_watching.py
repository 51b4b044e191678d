# SPDX-License-Identifier: GPL-2.0-or-later
"""Something sleeps between ct_irq_enter() and ct_irq_exit()."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    entered, line = context.detail
    return Report(
        subject=context.callee,
        message=f"{context.call} may schedule after {entered}() on line {line}",
        question=f"Can {context.call} schedule here? {entered}() on line {line} has not been undone.",
        was=f"{context.call} was called after {entered}()",
        consequence="What RCU counts for the interrupt is counted for the next task.",
    )


CHECK = Check(
    id="entry-schedule-when-rcu-not-watching",
    area="entry",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="Between ct_irq_enter() and ct_irq_exit() nothing schedules.",
    why="The count of interrupts that RCU keeps belongs to the processor, and the task may go on elsewhere.",
    events=frozenset({EventKind.SLEEPS_UNWATCHED}),
    judge=judge,
    sources=(
        Source(
            "include/linux/entry-common.h",
            "is not possible after invoking ct_irq_enter() without undoing",
            "irqentry_enter",
        ),
        Source(
            "include/linux/irq-entry-common.h",
            "is not possible after invoking ct_irq_enter() without undoing",
            "irqentry_enter",
        ),
    ),
    wrong=(
        """
        static noinstr void fault(struct pt_regs *regs)
        {
                ct_irq_enter();
                schedule(); /* wrong */
                ct_irq_exit();
        }
        static void wait_for_event(struct event *event)
        {
                wait_for_completion(&event->done);
        }
        static noinstr void trap(struct event *event)
        {
                ct_irq_enter();
                wait_for_event(event); /* wrong */
                ct_irq_exit();
        }
        """,
    ),
    right=(
        """
        static noinstr void fault(struct pt_regs *regs, struct event *event, bool user)
        {
                if (user) {
                        instrumentation_begin();
                        wait_for_completion(&event->done);
                        instrumentation_end();
                        return;
                }
                ct_irq_enter();
                while (!event->seen)
                        native_safe_halt();
                ct_irq_exit();
        }
        """,
    ),
    misses=(
        """
        static void queue_wait(struct event *event, bool may_schedule)
        {
                if (may_schedule)
                        schedule();
        }
        static noinstr void fault(struct event *event)
        {
                ct_irq_enter();
                queue_wait(event, true);
                ct_irq_exit();
        }
        """,
    ),
)
