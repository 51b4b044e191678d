# SPDX-License-Identifier: GPL-2.0-or-later
"""Something schedules, or allows instrumentation, after the exit from an exception."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    left, line = context.detail
    return Report(
        subject=context.callee,
        message=f"{context.call} comes after {left}() on line {line}",
        question=f"What state are RCU, lockdep and tracing in at {context.call}? {left}() on line {line} has set them "
        "for the context that was interrupted.",
        was=f"{context.call} came after {left}()",
        consequence="RCU may have stopped watching, and lockdep and tracing believe that interrupts are enabled.",
    )


CHECK = Check(
    id="entry-schedule-after-irqentry-exit",
    area="entry",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="irqentry_exit() is the last action of an exception: nothing schedules or is instrumented after it.",
    why="It hands RCU, lockdep and tracing over to the interrupted context; the checks for scheduling are before it.",
    events=frozenset({EventKind.AFTER_EXIT}),
    judge=judge,
    sources=(
        Source("include/linux/entry-common.h", "This is the last action before returning to", "irqentry_exit"),
        Source("include/linux/irq-entry-common.h", "This is the last action before returning to", "irqentry_exit"),
    ),
    wrong=(
        """
        __visible noinstr void bell_upcall(struct pt_regs *regs)
        {
                irqentry_state_t state = irqentry_enter(regs);

                instrumentation_begin();
                ring_bell(regs);
                instrumentation_end();
                irqentry_exit(regs, state);
                if (bell_wants_cpu())
                        give_up_cpu(); /* wrong */
        }
        static void give_up_cpu(void)
        {
                schedule();
        }
        """,
        """
        __visible noinstr void bell_upcall(struct pt_regs *regs)
        {
                idtentry_exit(regs);
                if (user_mode(regs))
                        return;
                instrumentation_begin(); /* wrong */
                ring_bell(regs);
                instrumentation_end();
        }
        """,
    ),
    right=(
        """
        __visible noinstr void bell_upcall(struct pt_regs *regs)
        {
                irqentry_state_t state = irqentry_enter(regs);
                bool wants;

                instrumentation_begin();
                ring_bell(regs);
                wants = take_bell_request();
                if (wants && !state.exit_rcu) {
                        irqentry_exit_cond_resched();
                        instrumentation_end();
                        give_bell_request_back(wants);
                } else {
                        instrumentation_end();
                        irqentry_exit(regs, state);
                }
        }
        """,
    ),
)
