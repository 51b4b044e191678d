# SPDX-License-Identifier: GPL-2.0-or-later
"""A wait for a work item, timer or interrupt handler with a lock held that it takes."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source

TIMER = Source("kernel/time/timer.c", "not hold locks which would prevent completion", "timer_delete_sync")
INTERRUPT = Source("kernel/irq/manage.c", "resource the IRQ handler may need you will", "synchronize_irq")


def judge(context: Context) -> Report:
    lock, handler = context.detail
    return Report(
        subject=f"{lock} {handler}",
        message=f"waits in {context.call} for {handler}() with {lock} held, which it takes",
        question=f"What if {handler}() runs already and waits for {lock}? {context.call} waits for it to end.",
        was=f"{context.function}() waited for {handler}() with {lock} held",
        consequence=f"{handler}() waits for {lock}, and its holder waits for {handler}().",
        sources=(TIMER,) if "timer" in context.call else (INTERRUPT,) if "irq(" in context.call else (),
    )


CHECK = Check(
    id="lock-wait-for-handler",
    area="locking",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="Nobody waits for a work item, timer or interrupt handler to end with a lock held that it takes.",
    why="A handler that has begun waits for the lock, and who holds the lock waits for the handler.",
    events=frozenset({EventKind.WAITS_FOR_HANDLER}),
    judge=judge,
    sources=(),
    wrong=(
        """
        struct pump { struct work_struct refill; struct mutex lock; int level; };
        static void pump_refill(struct work_struct *work)
        {
                struct pump *pump = container_of(work, struct pump, refill);

                mutex_lock(&pump->lock);
                pump->level++;
                mutex_unlock(&pump->lock);
        }
        void pump_init(struct pump *pump)
        {
                INIT_WORK(&pump->refill, pump_refill);
        }
        void pump_stop(struct pump *pump)
        {
                mutex_lock(&pump->lock);
                cancel_work_sync(&pump->refill); /* wrong */
                pump->level = 0;
                mutex_unlock(&pump->lock);
        }
        """,
        """
        struct pump { struct timer_list timer; spinlock_t lock; int level; };
        static void pump_tick(struct timer_list *t)
        {
                struct pump *pump = from_timer(pump, t, timer);

                spin_lock(&pump->lock);
                pump->level++;
                spin_unlock(&pump->lock);
        }
        void pump_init(struct pump *pump)
        {
                timer_setup(&pump->timer, pump_tick, 0);
        }
        static void pump_silence(struct pump *pump)
        {
                timer_delete_sync(&pump->timer);
        }
        void pump_stop(struct pump *pump)
        {
                spin_lock_bh(&pump->lock);
                pump_silence(pump); /* wrong */
                spin_unlock_bh(&pump->lock);
        }
        """,
        """
        struct pump { struct delayed_work refill; int level; };
        static DEFINE_MUTEX(pumps);
        static void pump_refill(struct work_struct *work)
        {
                mutex_lock(&pumps);
                count_pumps();
                mutex_unlock(&pumps);
        }
        void pump_init(struct pump *pump)
        {
                INIT_DELAYED_WORK(&pump->refill, pump_refill);
        }
        void pump_stop(struct pump *pump)
        {
                guard(mutex)(&pumps);
                cancel_delayed_work_sync(&pump->refill); /* wrong */
        }
        """,
    ),
    right=(
        """
        struct pump { struct work_struct refill, drain; struct mutex lock, other; int level; };
        static void pump_refill(struct work_struct *work)
        {
                struct pump *pump = container_of(work, struct pump, refill);

                mutex_lock(&pump->lock);
                pump->level++;
                mutex_unlock(&pump->lock);
        }
        static void pump_drain(struct work_struct *work)
        {
                struct pump *pump = container_of(work, struct pump, drain);

                if (!mutex_trylock(&pump->lock))
                        return;
                pump->level--;
                mutex_unlock(&pump->lock);
        }
        void pump_init(struct pump *pump)
        {
                INIT_WORK(&pump->refill, pump_refill);
                INIT_WORK(&pump->drain, pump_drain);
        }
        void pump_stop(struct pump *pump)
        {
                mutex_lock(&pump->lock);
                cancel_work(&pump->refill);
                cancel_work_sync(&pump->drain);
                mutex_unlock(&pump->lock);
                mutex_lock(&pump->other);
                cancel_work_sync(&pump->refill);
                mutex_unlock(&pump->other);
        }
        void pump_join(struct pump *pump, struct pump *next)
        {
                mutex_lock(&next->lock);
                flush_work(&pump->refill);
                mutex_unlock(&next->lock);
        }
        """,
        """
        struct pump { struct timer_list timer; spinlock_t lock; int level; };
        static void pump_tick(struct timer_list *t)
        {
                struct pump *pump = from_timer(pump, t, timer);

                spin_lock(&pump->lock);
                pump->level++;
                spin_unlock(&pump->lock);
        }
        void pump_init(struct pump *pump)
        {
                timer_setup(&pump->timer, pump_tick, 0);
        }
        static void pump_silence(struct pump *pump)
        {
                spin_unlock_bh(&pump->lock);
                timer_delete_sync(&pump->timer);
                spin_lock_bh(&pump->lock);
        }
        void pump_stop(struct pump *pump)
        {
                spin_lock_bh(&pump->lock);
                pump_silence(pump);
                spin_unlock_bh(&pump->lock);
        }
        """,
    ),
    misses=(
        """
        struct tank { struct mutex lock; };
        struct pump { struct work_struct refill; struct tank *tank; };
        static void pump_refill(struct work_struct *work)
        {
                struct pump *pump = container_of(work, struct pump, refill);

                mutex_lock(&pump->tank->lock);
                mutex_unlock(&pump->tank->lock);
        }
        void pump_init(struct pump *pump)
        {
                INIT_WORK(&pump->refill, pump_refill);
        }
        void pump_stop(struct pump *pump)
        {
                mutex_lock(&pump->tank->lock);
                cancel_work_sync(&pump->refill);
                mutex_unlock(&pump->tank->lock);
        }
        """,
    ),
)
