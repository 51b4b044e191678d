# SPDX-License-Identifier: GPL-2.0-or-later
"""Per-CPU data is looked up before the section that is to protect it."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    variable, call, pin, pinned, used = context.detail
    return Report(
        subject=f"{variable} {call}",
        message=f"{variable} comes from {call} before {pin} on line {pinned} and is used inside, on line {used}",
        question=f"Can the task move to another CPU between {call} here and {pin} on line {pinned}? "
        f"{variable} is used after that, on line {used}.",
        was=f"{variable} came from {call} before {pin}",
        consequence="The section then works on the data of a CPU that the task has left.",
    )


CHECK = Check(
    id="lock-percpu-before-pin",
    area="locking",
    severity=Severity.QUESTION,
    kernels=Kernels.ALL,
    rule="Which CPU the task is on is asked inside the section that keeps it there.",
    why="In between the task can be preempted and continue on another CPU.",
    events=frozenset({EventKind.CPU_BEFORE_PIN}),
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
        void show_counters(void)
        {
                int cpu = smp_processor_id(); /* wrong */
                struct counters *counters = &per_cpu(cpu_counters, cpu);

                if (!enabled)
                        return;
                preempt_disable();
                dump_counters(counters);
                preempt_enable();
        }
        """,
        """
        void count(void)
        {
                struct counters *counters = this_cpu_ptr(&cpu_counters); /* wrong */

                guard(preempt)();
                counters->seen++;
        }
        """,
        """
        void show_counters(void)
        {
                struct counters *counters;
                int cpu;

                guard(irqsave)();
                cpu = smp_processor_id();
                counters = &per_cpu(cpu_counters, cpu);
                dump_counters(counters);
        }
        /* After it: */
        void show_counters(void)
        {
                int cpu = smp_processor_id(); /* wrong */
                struct counters *counters = &per_cpu(cpu_counters, cpu);
                unsigned long flags;

                local_irq_save(flags);
                dump_counters(counters);
                local_irq_restore(flags);
        }
        """,
    ),
    right=(
        """
        void show_counters(void)
        {
                struct counters *counters;
                unsigned long flags;

                local_irq_save(flags);
                counters = &per_cpu(cpu_counters, smp_processor_id());
                dump_counters(counters);
                local_irq_restore(flags);
        }
        """,
        """
        void count(void)
        {
                struct counters *counters;

                counters = get_cpu_ptr(&cpu_counters);
                counters->seen++;
                put_cpu_ptr(&cpu_counters);
        }
        """,
        """
        struct stats { spinlock_t lock; };
        void count(struct stats *stats)
        {
                unsigned long flags;
                int cpu;

                spin_lock(&stats->lock);
                cpu = smp_processor_id();
                local_irq_save(flags);
                note(cpu);
                local_irq_restore(flags);
                spin_unlock(&stats->lock);
        }
        """,
        """
        void run_guest(void)
        {
                int cpu = smp_processor_id();

                local_irq_disable();
                prepare_guest();
                preempt_disable();
                local_irq_enable();
                note(cpu);
                preempt_enable();
        }
        """,
        """
        struct core { spinlock_t lock; };
        /* Called with core->lock held. */
        void run_core(struct core *core)
        {
                int cpu = smp_processor_id();

                spin_unlock(&core->lock);
                preempt_disable();
                note(cpu);
                preempt_enable();
                spin_lock(&core->lock);
        }
        """,
        """
        void count(void)
        {
                unsigned long flags;
                int cpu = raw_smp_processor_id();

                local_irq_save(flags);
                note(cpu);
                local_irq_restore(flags);
        }
        """,
    ),
    misses=(
        """
        void show_counters(void)
        {
                int cpu = smp_processor_id();
                unsigned long flags;

                local_irq_save(flags);
                dump_counters(cpu);
                local_irq_restore(flags);
        }
        """,
    ),
)
