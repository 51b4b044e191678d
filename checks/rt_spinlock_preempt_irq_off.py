# SPDX-License-Identifier: GPL-2.0-or-later
"""spinlock_t, rwlock_t or local_lock with preemption or interrupts disabled by hand."""

from reviewer.check import Check, Context, EventKind, Kernels, Reason, Severity, Source, Where, called_where

_SLEEPING = Source(
    "Documentation/locking/locktypes.rst", "can only be acquired in preemptible task context", "Sleeping locks"
)


def _cites(_context: Context, reason: Reason) -> tuple[Source, ...]:
    return () if reason.what == "irq" else (_SLEEPING,)


CHECK = Check(
    id="rt-spinlock-preempt-irq-off",
    area="rt",
    severity=Severity.BUG,
    kernels=Kernels.PREEMPT_RT,
    rule="spinlock_t, rwlock_t and local_lock_t are not taken with preemption or interrupts disabled by hand.",
    why="They are sleeping locks on PREEMPT_RT and need a preemptible context.",
    events=frozenset({EventKind.SPINLOCK, EventKind.LOCAL_LOCK}),
    judge=called_where(
        Where.DISABLED,
        rt=True,
        message="{call} is called {place} and may sleep on PREEMPT_RT",
        question="Can {call} be called {place}?",
        cites=_cites,
    ),
    sources=(
        Source(
            "Documentation/locking/locktypes.rst",
            "this code sequence breaks because RT-mutex requires",
            "spinlock_t and rwlock_t",
        ),
        _SLEEPING,
        Source(
            "Documentation/locking/locktypes.rst",
            "not allow to acquire p->lock because get_cpu_ptr()",
            "spinlock_t and rwlock_t",
        ),
    ),
    wrong=(
        """
        struct stats { spinlock_t lock; };
        void add(struct stats *stats)
        {
                local_irq_disable();
                spin_lock(&stats->lock); /* wrong */
                spin_unlock(&stats->lock);
                local_irq_enable();
        }
        """,
        """
        struct stats { spinlock_t lock; };
        void add_here(void)
        {
                struct stats *stats = get_cpu_ptr(&all_stats);

                spin_lock(&stats->lock); /* wrong */
                spin_unlock(&stats->lock);
                put_cpu_ptr(&all_stats);
        }
        """,
        """
        struct stats { spinlock_t lock; };
        static void inner(struct stats *stats)
        {
                spin_lock(&stats->lock);
                spin_unlock(&stats->lock);
        }
        void outer(struct stats *stats)
        {
                guard(preempt)();
                inner(stats); /* wrong */
        }
        """,
    ),
    right=(
        """
        struct stats { spinlock_t lock; };
        void add(struct stats *stats)
        {
                unsigned long flags;

                spin_lock_irqsave(&stats->lock, flags);
                spin_unlock_irqrestore(&stats->lock, flags);
        }
        """,
        """
        struct stats { raw_spinlock_t lock; };
        void add_raw(struct stats *stats)
        {
                local_irq_disable();
                raw_spin_lock(&stats->lock);
                raw_spin_unlock(&stats->lock);
                local_irq_enable();
        }
        """,
        """
        struct stats { spinlock_t one; spinlock_t two; };
        void nested(struct stats *stats)
        {
                spin_lock_irq(&stats->one);
                spin_lock(&stats->two);
                spin_unlock(&stats->two);
                spin_unlock_irq(&stats->one);
        }
        """,
        """
        struct stats { spinlock_t lock; };
        void other_world(struct stats *stats)
        {
                preempt_disable();
                if (!IS_ENABLED(CONFIG_PREEMPT_RT)) {
                        spin_lock(&stats->lock);
                        spin_unlock(&stats->lock);
                }
                preempt_enable();
        }
        """,
    ),
)
