# SPDX-License-Identifier: GPL-2.0-or-later
"""The write section of a plain seqcount_t where PREEMPT_RT can preempt it."""

from reviewer.check import Check, Context, EventKind, Kernels, LockClass, Origin, Report, Severity, Source


def judge(context: Context) -> Report | None:
    state = context.state
    if state.rt is False or state.unsure or context.atomic(rt=True) is not None:
        return None
    reason = context.atomic(rt=False) or context.sleeping_lock
    if reason is None or reason.origin is not Origin.TAKEN or reason.what == "kmap":
        return None
    if reason.what != "entry" and context.lock_class(reason) not in (LockClass.SPIN, LockClass.SLEEPING):
        return None
    place = context.place(reason)
    return context.report(
        reason,
        message=f"{context.call} begins a write section {place}, which PREEMPT_RT can preempt",
        question=f"What keeps this write section from being preempted on PREEMPT_RT? {context.call} is on a plain "
        f"seqcount_t, {place}.",
    )


CHECK = Check(
    id="rt-seqcount-preemptible-writer",
    area="rt",
    severity=Severity.BUG,
    kernels=Kernels.PREEMPT_RT,
    rule="The write section of a plain seqcount_t runs with preemption disabled; other counters name their lock.",
    why="A reader that preempts the writer spins for ever, and lockdep complains of preemption being enabled.",
    events=frozenset({EventKind.SEQCOUNT_WRITE}),
    judge=judge,
    sources=(
        Source(
            "Documentation/locking/seqlock.rst",
            "preemption must be explicitly disabled before entering",
            "Sequence counters (``seqcount_t``)",
        ),
        Source("Documentation/locking/seqlock.rst", "critical section must never be preempted", "Introduction"),
    ),
    wrong=(
        """
        struct clock { spinlock_t lock; seqcount_t seq; u64 time; };
        void set_time(struct clock *clock, u64 time)
        {
                spin_lock(&clock->lock);
                write_seqcount_begin(&clock->seq); /* wrong */
                clock->time = time;
                write_seqcount_end(&clock->seq);
                spin_unlock(&clock->lock);
        }
        """,
        """
        struct clock { struct timer_list timer; seqcount_t seq; u64 time; };
        static void tick(struct timer_list *timer)
        {
                struct clock *clock = container_of(timer, struct clock, timer);

                write_seqcount_begin(&clock->seq); /* wrong */
                clock->time++;
                write_seqcount_end(&clock->seq);
        }
        void start(struct clock *clock)
        {
                timer_setup(&clock->timer, tick, 0);
        }
        """,
        """
        struct clock { struct mutex mutex; seqcount_t seq; u64 time; };
        static void store(struct clock *clock, u64 time)
        {
                write_seqcount_begin(&clock->seq);
                clock->time = time;
                write_seqcount_end(&clock->seq);
        }
        void set_time(struct clock *clock, u64 time)
        {
                mutex_lock(&clock->mutex);
                store(clock, time); /* wrong */
                mutex_unlock(&clock->mutex);
        }
        """,
    ),
    right=(
        """
        struct clock { spinlock_t lock; seqcount_spinlock_t seq; u64 time; };
        void set_time(struct clock *clock, u64 time)
        {
                spin_lock(&clock->lock);
                write_seqcount_begin(&clock->seq);
                clock->time = time;
                write_seqcount_end(&clock->seq);
                spin_unlock(&clock->lock);
        }
        """,
        """
        struct clock { spinlock_t lock; raw_spinlock_t raw; seqcount_t seq; u64 time; };
        void set_time(struct clock *clock, u64 time)
        {
                spin_lock(&clock->lock);
                preempt_disable_nested();
                write_seqcount_begin(&clock->seq);
                clock->time = time;
                write_seqcount_end(&clock->seq);
                preempt_enable_nested();
                spin_unlock(&clock->lock);
                raw_spin_lock(&clock->raw);
                write_seqcount_begin(&clock->seq);
                clock->time = time;
                write_seqcount_end(&clock->seq);
                raw_spin_unlock(&clock->raw);
        }
        """,
        """
        struct clock { seqcount_t seq; u64 time; };
        void set_time(struct clock *clock, u64 time)
        {
                write_seqcount_begin(&clock->seq);
                clock->time = time;
                write_seqcount_end(&clock->seq);
        }
        """,
    ),
    misses=(
        """
        void set_time(struct clock *clock, u64 time)
        {
                spin_lock(&clock->lock);
                write_seqcount_begin(&clock->seq);
                clock->time = time;
                write_seqcount_end(&clock->seq);
                spin_unlock(&clock->lock);
        }
        """,
    ),
)
