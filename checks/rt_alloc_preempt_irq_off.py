# SPDX-License-Identifier: GPL-2.0-or-later
"""Allocation or freeing with preemption or interrupts disabled by hand."""

from reviewer.check import Check, Context, EventKind, Kernels, Reason, Severity, Source, Where, called_where

_FREES = Source(
    "Documentation/core-api/real-time/differences.rst", "applies to memory deallocation routines", "Memory allocation"
)


def _cites(context: Context, _reason: Reason) -> tuple[Source, ...]:
    return (_FREES,) if context.event.kind is EventKind.FREE else ()


CHECK = Check(
    id="rt-alloc-preempt-irq-off",
    area="rt",
    severity=Severity.BUG,
    kernels=Kernels.PREEMPT_RT,
    rule="Memory is neither allocated nor freed with preemption or interrupts disabled by hand.",
    why="On PREEMPT_RT the allocators take sleeping locks, which needs a preemptible context.",
    events=frozenset({EventKind.ALLOCATION, EventKind.FREE}),
    judge=called_where(
        Where.DISABLED,
        rt=True,
        message="{call} is called {place}",
        question="Can {call} be called {place}?",
        cites=_cites,
    ),
    sources=(
        Source(
            "Documentation/core-api/real-time/differences.rst",
            "acquired when preemption is disabled",
            "Memory allocation",
        ),
        _FREES,
        Source("Documentation/locking/locktypes.rst", "cannot be invoked from truly atomic", "raw_spinlock_t on RT"),
        Source(
            "include/linux/gfp_types.h",
            "contexts that disable preemption under PREEMPT_RT",
            "DOC: Useful GFP flag combinations",
        ),
        Source(
            "include/linux/gfp_types.h",
            "non-preemptive contexts (e.g. raw_spin_lock)",
            "DOC: Useful GFP flag combinations",
        ),
    ),
    wrong=(
        """
        void refill(struct cache *cache)
        {
                preempt_disable();
                cache->spare = kmalloc(64, GFP_ATOMIC); /* wrong */
                preempt_enable();
        }
        """,
        """
        void flush(struct cache *cache)
        {
                unsigned long flags;

                local_irq_save(flags);
                kfree(cache->spare); /* wrong */
                local_irq_restore(flags);
        }
        """,
    ),
    right=(
        """
        void refill(struct cache *cache)
        {
                migrate_disable();
                cache->spare = kmalloc(64, GFP_ATOMIC);
                migrate_enable();
        }
        """,
        """
        void refill_bh(struct cache *cache)
        {
                local_bh_disable();
                cache->spare = kmalloc(64, GFP_ATOMIC);
                local_bh_enable();
        }
        """,
        """
        void restore(struct cache *cache)
        {
                unsigned long flags;

                local_irq_save(flags);
                cache->busy = 0;
                local_irq_restore(flags);
                kfree(cache->spare);
        }
        """,
    ),
)
