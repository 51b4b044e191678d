# SPDX-License-Identifier: GPL-2.0-or-later
"""An access to data of the own CPU that was safe anywhere now wants preemption to be disabled."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    (was,) = context.detail
    return Report(
        subject=f"{context.callee} {context.event.argument}",
        message=f"{context.call} wants preemption to be disabled, which {was} did not, and nothing here disables it",
        question=f"Who disables preemption for {context.call}? {was} did not need that.",
        was=f"{context.call} was called where nothing disables preemption",
    )


CHECK = Check(
    id="lock-percpu-presumes-pin",
    area="locking",
    severity=Severity.QUESTION,
    kernels=Kernels.ALL,
    rule="__this_cpu_*() is for code that has preemption disabled; raw_cpu_*() and this_cpu_*() are for other code.",
    why="The task moves to another CPU between two steps of the access, and CONFIG_DEBUG_PREEMPT warns.",
    events=frozenset({EventKind.CPU_PRESUMED}),
    judge=judge,
    sources=(
        Source("include/linux/percpu-defs.h", "Operations for contexts that are safe from preemption/interrupts"),
    ),
    wrong=(
        """
        /* Before the patch: */
        void force(void)
        {
                struct node *node;

                for (node = raw_cpu_read(data.node); node; node = node->parent)
                        visit(node);
        }
        void count(void)
        {
                this_cpu_inc(counter);
        }
        /* After it: */
        void force(void)
        {
                struct node *node;

                for (node = __this_cpu_read(data.node); node; node = node->parent) /* wrong */
                        visit(node);
        }
        void count(void)
        {
                __this_cpu_inc(counter); /* wrong */
        }
        """,
    ),
    right=(
        """
        /* Before the patch: */
        void count(void)
        {
                preempt_disable();
                this_cpu_inc(counter);
                preempt_enable();
                this_cpu_dec(counter);
        }
        /* After it: */
        void count(void)
        {
                preempt_disable();
                __this_cpu_inc(counter);
                preempt_enable();
                this_cpu_dec(counter);
        }
        void recount(void)
        {
                __this_cpu_inc(counter);
        }
        """,
        """
        /* Before the patch: */
        static bool is_wide(struct task *task)
        {
                return task->width > this_cpu_read(width);
        }
        /* After it: */
        static bool is_wide(struct task *task)
        {
                return task->width > __this_cpu_read(width);
        }
        """,
    ),
)
