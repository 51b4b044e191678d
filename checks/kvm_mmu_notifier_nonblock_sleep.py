# SPDX-License-Identifier: GPL-2.0-or-later
"""An MMU notifier sleeps without having asked whether it may."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report | None:
    if context.state.entry != "nonblock" or not context.direct:
        return None
    return Report(
        subject=context.callee,
        message=f"{context.call} can sleep, and nothing has asked whether the range is blockable",
        question=f"What if mmu_notifier_range_blockable() is false here? {context.call} can sleep.",
        was=f"{context.call} could sleep in a range that is not blockable",
        consequence="The caller may be the OOM reaper, and who holds the lock may wait for memory.",
        entered=True,
    )


CHECK = Check(
    id="kvm-mmu-notifier-nonblock-sleep",
    area="kvm",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="An MMU notifier whose range is not blockable does not sleep; it returns -EAGAIN where it would have to.",
    why="The memory management calls it where it cannot wait, such as for the victim of an OOM kill.",
    events=frozenset({EventKind.SLEEP, EventKind.BLOCKING_ALLOCATION}),
    judge=judge,
    sources=(
        Source("include/linux/mmu_notifier.h", "sleep and has to return with -EAGAIN if", "struct mmu_notifier_ops"),
    ),
    wrong=(
        """
        struct mirror { struct mmu_notifier mn; struct mutex lock; };
        static int mirror_start(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
        {
                struct mirror *mirror = container_of(mn, struct mirror, mn);

                mutex_lock(&mirror->lock); /* wrong */
                drop_range(mirror, range->start, range->end);
                mutex_unlock(&mirror->lock);
                return 0;
        }
        static const struct mmu_notifier_ops mirror_ops = {
                .invalidate_range_start = mirror_start,
        };
        """,
    ),
    right=(
        """
        struct mirror { struct mmu_notifier mn; struct mutex lock; spinlock_t list; };
        static int mirror_start(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
        {
                struct mirror *mirror = container_of(mn, struct mirror, mn);

                spin_lock(&mirror->list);
                mirror->seen++;
                spin_unlock(&mirror->list);
                if (mmu_notifier_range_blockable(range))
                        mutex_lock(&mirror->lock);
                else if (!mutex_trylock(&mirror->lock))
                        return -EAGAIN;
                drop_range(mirror, range->start, range->end);
                mutex_unlock(&mirror->lock);
                return 0;
        }
        static const struct mmu_notifier_ops mirror_ops = {
                .invalidate_range_start = mirror_start,
        };
        """,
        """
        struct mirror { struct mmu_interval_notifier mn; struct mutex lock; };
        static bool mirror_invalidate(struct mmu_interval_notifier *mn, const struct mmu_notifier_range *range,
                                      unsigned long sequence)
        {
                struct mirror *mirror = container_of(mn, struct mirror, mn);

                if (!mmu_notifier_range_blockable(range))
                        return false;
                mutex_lock(&mirror->lock);
                mmu_interval_set_seq(mn, sequence);
                mutex_unlock(&mirror->lock);
                return true;
        }
        static const struct mmu_interval_notifier_ops mirror_ops = {
                .invalidate = mirror_invalidate,
        };
        """,
    ),
    misses=(
        """
        struct mirror { struct mmu_notifier mn; struct mutex lock; };
        static void mirror_drop(struct mirror *mirror)
        {
                mutex_lock(&mirror->lock);
                mirror->pages = 0;
                mutex_unlock(&mirror->lock);
        }
        static int mirror_start(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
        {
                mirror_drop(container_of(mn, struct mirror, mn));
                return 0;
        }
        static const struct mmu_notifier_ops mirror_ops = {
                .invalidate_range_start = mirror_start,
        };
        """,
    ),
)
