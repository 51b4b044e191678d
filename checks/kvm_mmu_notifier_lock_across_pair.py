# SPDX-License-Identifier: GPL-2.0-or-later
"""A lock is held from invalidate_range_start() to invalidate_range_end()."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    lock, ends = context.detail
    return Report(
        subject=lock,
        message=f"{context.function}() returns with {lock} held, for {ends}() to release",
        question=f"What if {lock} is waited for between start and end? Another start comes behind the one who waits.",
        was=f"{context.function}() returned with {lock} held",
        consequence="The pair is a lock of its own for lockdep: taken around the start callbacks, and again for the "
        "end callbacks with the lock held. Invalidations can be nested, so that it can deadlock for real.",
    )


CHECK = Check(
    id="kvm-mmu-notifier-lock-across-pair",
    area="kvm",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="No lock is held from invalidate_range_start() to invalidate_range_end(); invalidations that run are counted.",
    why="Whoever waits for the lock waits for the memory management, which may have to take it again.",
    events=frozenset({EventKind.KEPT_ACROSS}),
    judge=judge,
    sources=(
        Source("Documentation/virt/kvm/locking.rst", "use the same memslots array", "1. Acquisition Orders"),
        Source("mm/mmu_notifier.c", "lock_map_acquire(&__mmu_notifier_invalidate_range_start_map)"),
    ),
    wrong=(
        """
        struct mirror { struct mmu_notifier mn; struct rw_semaphore slots; };
        static int mirror_start(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
        {
                struct mirror *mirror = container_of(mn, struct mirror, mn);

                if (mmu_notifier_range_blockable(range))
                        down_read(&mirror->slots); /* wrong */
                else if (!down_read_trylock(&mirror->slots))
                        return -EAGAIN;
                drop_range(mirror, range->start, range->end);
                return 0;
        }
        static void mirror_end(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
        {
                struct mirror *mirror = container_of(mn, struct mirror, mn);

                up_read(&mirror->slots);
        }
        static const struct mmu_notifier_ops mirror_ops = {
                .invalidate_range_start = mirror_start,
                .invalidate_range_end = mirror_end,
        };
        """,
    ),
    right=(
        """
        struct mirror { struct mmu_notifier mn; spinlock_t lock; unsigned long running; };
        static int mirror_start(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
        {
                struct mirror *mirror = container_of(mn, struct mirror, mn);

                spin_lock(&mirror->lock);
                mirror->running++;
                spin_unlock(&mirror->lock);
                return 0;
        }
        static void mirror_end(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
        {
                struct mirror *mirror = container_of(mn, struct mirror, mn);

                spin_lock(&mirror->lock);
                mirror->running--;
                spin_unlock(&mirror->lock);
        }
        static const struct mmu_notifier_ops mirror_ops = {
                .invalidate_range_start = mirror_start,
                .invalidate_range_end = mirror_end,
        };
        """,
    ),
)
