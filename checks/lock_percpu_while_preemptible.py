# SPDX-License-Identifier: GPL-2.0-or-later
"""Per-CPU data of the own CPU with nothing but a sleeping lock held."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    lock, call = context.detail
    return Report(
        subject=context.callee,
        message=f"{call} asks for the own CPU with {lock} held, which does not keep the task there",
        question=f"What keeps the task on its CPU at {call}? {lock} is a sleeping lock, so preemption is enabled.",
        was=f"{call} asked for the own CPU with preemption enabled",
        consequence="The task can continue on another CPU, and CONFIG_DEBUG_PREEMPT complains.",
    )


CHECK = Check(
    id="lock-percpu-while-preemptible",
    area="locking",
    severity=Severity.QUESTION,
    kernels=Kernels.ALL,
    rule="smp_processor_id(), this_cpu_ptr() and __this_cpu_*() want preemption or migration disabled.",
    why="A task that can be preempted can continue on another CPU and go on with the wrong data.",
    events=frozenset({EventKind.CPU_WHILE_PREEMPTIBLE}),
    judge=judge,
    sources=(
        Source(
            "Documentation/locking/preempt-locking.rst",
            "the previous value of smp_processor_id may not equal",
            "RULE #1: Per-CPU data structures need explicit protection",
        ),
    ),
    wrong=(
        """
        struct table { struct mutex mutex; };
        void count(struct table *table)
        {
                mutex_lock(&table->mutex);
                __this_cpu_inc(counter); /* wrong */
                mutex_unlock(&table->mutex);
        }
        """,
    ),
    right=(
        """
        struct table { struct mutex mutex; };
        void count(struct table *table)
        {
                mutex_lock(&table->mutex);
                this_cpu_inc(counter);
                preempt_disable();
                __this_cpu_inc(other);
                preempt_enable();
                migrate_disable();
                note(smp_processor_id());
                migrate_enable();
                note(raw_smp_processor_id());
                mutex_unlock(&table->mutex);
        }
        """,
        """
        struct table { struct mutex mutex; };
        static int run(void *data)
        {
                struct table *table = data;

                mutex_lock(&table->mutex);
                __this_cpu_inc(counter);
                mutex_unlock(&table->mutex);
                return 0;
        }
        struct task_struct *start(struct table *table, int cpu)
        {
                return kthread_run_on_cpu(run, table, cpu, "count/%u");
        }
        """,
        """
        void count(void)
        {
                __this_cpu_inc(counter);
        }
        """,
    ),
)
