# SPDX-License-Identifier: GPL-2.0-or-later
"""Allocation while a raw spinlock is held."""

from reviewer.check import Check, EventKind, Kernels, Severity, Source, Where, called_where

CHECK = Check(
    id="rt-alloc-under-raw-spinlock",
    area="rt",
    severity=Severity.BUG,
    kernels=Kernels.PREEMPT_RT,
    rule="Memory is not allocated while a raw spinlock is held, whatever the gfp flags are.",
    why="On PREEMPT_RT the allocators take sleeping locks; a raw spinlock disables preemption there as everywhere.",
    events=frozenset({EventKind.ALLOCATION}),
    judge=called_where(
        Where.RAW_LOCK,
        rt=True,
        message="{call} allocates {place}",
        question="Can {call} be called {place}?",
    ),
    sources=(
        Source(
            "Documentation/locking/locktypes.rst",
            "critical section must avoid allocating memory",
            "raw_spinlock_t on RT",
        ),
        Source("Documentation/locking/locktypes.rst", "memory allocator is fully preemptible", "raw_spinlock_t on RT"),
        Source(
            "include/linux/gfp_types.h",
            "non-preemptive contexts (e.g. raw_spin_lock)",
            "DOC: Useful GFP flag combinations",
        ),
        Source(
            "Documentation/core-api/real-time/differences.rst",
            "memory allocation must be performed outside the critical",
            "Memory allocation",
        ),
    ),
    wrong=(
        """
        struct pool { raw_spinlock_t lock; struct list_head items; };
        void pool_grow(struct pool *pool)
        {
                struct item *item;

                raw_spin_lock(&pool->lock);
                item = kmalloc(sizeof(*item), GFP_ATOMIC); /* wrong */
                raw_spin_unlock(&pool->lock);
        }
        """,
        """
        struct pool { raw_spinlock_t lock; };
        static void *pool_new(gfp_t gfp) { return kzalloc(64, gfp); }
        void pool_guarded(struct pool *pool)
        {
                guard(raw_spinlock_irqsave)(&pool->lock);
                pool->spare = pool_new(GFP_NOWAIT); /* wrong */
        }
        """,
        """
        struct pool { raw_spinlock_t lock; };
        void pool_asserted(struct pool *pool)
        {
                lockdep_assert_held(&pool->lock);
                pool->spare = kzalloc(8, GFP_ATOMIC); /* wrong */
        }
        """,
    ),
    right=(
        """
        struct pool { raw_spinlock_t lock; };
        void pool_grow(struct pool *pool)
        {
                struct item *item = kmalloc(sizeof(*item), GFP_KERNEL);

                raw_spin_lock(&pool->lock);
                pool->spare = item;
                raw_spin_unlock(&pool->lock);
        }
        """,
        """
        struct pool { spinlock_t lock; };
        void pool_sleeping_lock_on_rt(struct pool *pool)
        {
                unsigned long flags;

                spin_lock_irqsave(&pool->lock, flags);
                pool->spare = kmalloc(8, GFP_ATOMIC);
                spin_unlock_irqrestore(&pool->lock, flags);
        }
        """,
        """
        struct pool { raw_spinlock_t lock; };
        void pool_not_on_rt(struct pool *pool)
        {
                raw_spin_lock(&pool->lock);
                if (!IS_ENABLED(CONFIG_PREEMPT_RT))
                        pool->spare = kmalloc(8, GFP_ATOMIC);
                raw_spin_unlock(&pool->lock);
        }
        """,
        """
        struct pool { raw_spinlock_t lock; };
        void pool_drops(struct pool *pool)
        {
        again:
                raw_spin_lock(&pool->lock);
                if (!pool->spare) {
                        raw_spin_unlock(&pool->lock);
                        pool->spare = kmalloc(8, GFP_KERNEL);
                        goto again;
                }
                raw_spin_unlock(&pool->lock);
        }
        """,
    ),
)
