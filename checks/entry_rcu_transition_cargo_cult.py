# SPDX-License-Identifier: GPL-2.0-or-later
"""RCU is told of an interrupt or of the idle task by code that is neither entry nor idle code."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    return Report(
        subject="RCU transition",
        message=f"{context.call} outside entry and idle code",
        question=f"In which contexts is {context.function}() entered, and in which of them does RCU not watch? "
        f"If it watches, {context.call} is not needed; if it does not, should the entry code not see to it?",
        was=f"{context.call} was called here",
        consequence="A transition that silences a warning of RCU hides that the context is entered or left wrongly.",
    )


CHECK = Check(
    id="entry-rcu-transition-cargo-cult",
    area="entry",
    severity=Severity.QUESTION,
    kernels=Kernels.ALL,
    rule="ct_irq_enter() and _exit(), ct_nmi_enter() and their like belong to entry, idle and context tracking code.",
    why="Entry code knows in which state RCU was; elsewhere the call is right for some callers and wrong for others.",
    events=frozenset({EventKind.RCU_BY_HAND}),
    judge=judge,
    sources=(
        Source(
            "Documentation/core-api/entry.rst",
            "RCU state is only updated when the",
            "Interrupts and regular exceptions",
        ),
    ),
    wrong=(
        """
        void wait_for_page(struct queue *queue)
        {
                rcu_irq_enter(); /* wrong */
                enqueue(queue);
                rcu_irq_exit();
        }
        """,
        """
        void report(struct queue *queue)
        {
                if (queue->busy)
                        return;
                RCU_NONIDLE(count(queue)); /* wrong */
        }
        """,
    ),
    right=(
        """
        static noinstr void enter_from_kernel(struct pt_regs *regs)
        {
                if (is_idle_task(current))
                        ct_irq_enter();
        }
        static __cpuidle int enter_deep(struct cpuidle_device *dev, int index)
        {
                ct_idle_enter();
                wait_for_interrupt(index);
                ct_idle_exit();
                return index;
        }
        """,
        """
        /* Before the patch: */
        void wait_for_page(struct queue *queue)
        {
                rcu_irq_enter();
                enqueue(queue);
                rcu_irq_exit();
        }
        /* After it: */
        void wait_for_page(struct queue *queue, bool may_schedule)
        {
                if (may_schedule) {
                        enqueue(queue);
                } else {
                        rcu_irq_enter();
                        enqueue(queue);
                        rcu_irq_exit();
                }
        }
        """,
    ),
)
