# SPDX-License-Identifier: GPL-2.0-or-later
"""spinlock_t, rwlock_t or local_lock in an interrupt that is not threaded."""

from reviewer.check import Check, EventKind, Kernels, Severity, Source, Where, called_where

CHECK = Check(
    id="rt-spinlock-in-hardirq",
    area="rt",
    severity=Severity.BUG,
    kernels=Kernels.PREEMPT_RT,
    rule="A handler that is not threaded on PREEMPT_RT takes raw spinlocks only.",
    why="spinlock_t, rwlock_t and local_lock_t are sleeping locks there.",
    events=frozenset({EventKind.SPINLOCK, EventKind.LOCAL_LOCK}),
    judge=called_where(
        Where.ENTERED,
        rt=True,
        message="{call} is called {place} and may sleep on PREEMPT_RT",
        question="Can {call} be called here, {place}?",
    ),
    sources=(
        Source(
            "Documentation/locking/locktypes.rst", "can only be acquired in preemptible task context", "Sleeping locks"
        ),
        Source(
            "Documentation/core-api/real-time/differences.rst",
            "handler does not acquire any sleeping locks",
            "Interrupt handling",
        ),
    ),
    wrong=(
        """
        static spinlock_t lock;
        static irqreturn_t tick(int irq, void *data)
        {
                spin_lock(&lock); /* wrong */
                spin_unlock(&lock);
                return IRQ_HANDLED;
        }
        int setup(int irq)
        {
                return request_irq(irq, tick, IRQF_NO_THREAD, "tick", NULL);
        }
        """,
        """
        struct tick { struct hrtimer timer; spinlock_t lock; };
        static enum hrtimer_restart expired(struct hrtimer *timer)
        {
                struct tick *tick = container_of(timer, struct tick, timer);

                spin_lock(&tick->lock); /* wrong */
                spin_unlock(&tick->lock);
                return HRTIMER_NORESTART;
        }
        void start(struct tick *tick)
        {
                hrtimer_setup(&tick->timer, expired, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
        }
        """,
    ),
    right=(
        """
        static spinlock_t lock;
        static irqreturn_t threaded_on_rt(int irq, void *data)
        {
                spin_lock(&lock);
                spin_unlock(&lock);
                return IRQ_HANDLED;
        }
        int setup(int irq)
        {
                return request_irq(irq, threaded_on_rt, 0, "dev", NULL);
        }
        """,
    ),
)
