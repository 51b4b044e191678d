# SPDX-License-Identifier: GPL-2.0-or-later
"""Freeing while a raw spinlock is held."""

from reviewer.check import Check, EventKind, Kernels, Severity, Source, Where, called_where

CHECK = Check(
    id="rt-free-under-raw-spinlock",
    area="rt",
    severity=Severity.BUG,
    kernels=Kernels.PREEMPT_RT,
    rule="Memory is not freed while a raw spinlock is held.",
    why="On PREEMPT_RT kfree() and the page allocator's free paths take sleeping locks.",
    events=frozenset({EventKind.FREE}),
    judge=called_where(
        Where.RAW_LOCK,
        rt=True,
        message="{call} frees memory {place}",
        question="Can {call} be called {place}?",
    ),
    sources=(
        Source(
            "Documentation/core-api/real-time/differences.rst",
            "applies to memory deallocation routines",
            "Memory allocation",
        ),
        Source("Documentation/locking/locktypes.rst", "memory allocator is fully preemptible", "raw_spinlock_t on RT"),
        Source("mm/page_alloc.c", "in NMI context or while holding a raw", "__free_pages"),
        Source(
            "Documentation/locking/locktypes.rst",
            "critical section must avoid acquiring a regular",
            "raw_spinlock_t on RT",
        ),
    ),
    wrong=(
        """
        struct pool { raw_spinlock_t lock; };
        void pool_shrink(struct pool *pool)
        {
                raw_spin_lock(&pool->lock);
                kfree(pool->spare); /* wrong */
                raw_spin_unlock(&pool->lock);
        }
        """,
        """
        struct pool { raw_spinlock_t lock; };
        void pool_scoped(struct pool *pool)
        {
                scoped_guard(raw_spinlock, &pool->lock)
                        kvfree(pool->spare); /* wrong */
        }
        """,
    ),
    right=(
        """
        struct pool { raw_spinlock_t lock; };
        void pool_shrink(struct pool *pool)
        {
                void *spare;

                raw_spin_lock(&pool->lock);
                spare = pool->spare;
                raw_spin_unlock(&pool->lock);
                kfree(spare);
        }
        """,
        """
        struct pool { raw_spinlock_t lock; };
        void pool_deferred(struct pool *pool)
        {
                raw_spin_lock(&pool->lock);
                kfree_rcu(pool->spare, rcu);
                raw_spin_unlock(&pool->lock);
        }
        """,
    ),
)
