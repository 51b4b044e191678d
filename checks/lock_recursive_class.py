# SPDX-License-Identifier: GPL-2.0-or-later
"""A lock is taken that is held already."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report | None:
    lock, _ = context.detail
    return Report(
        subject=lock,
        message=f"{context.call} takes {lock}, which is held already",
        question=f"Is {lock} not held here already?",
        was=f"{context.call} took {lock} a second time",
        consequence="The task waits for itself.",
    )


CHECK = Check(
    id="lock-recursive-class",
    area="locking",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="A lock is not taken by the one who holds it.",
    why="Spinlocks, mutexes and writers of a rwsem are not recursive: the task waits for itself.",
    events=frozenset({EventKind.TAKEN_TWICE}),
    judge=judge,
    sources=(
        Source(
            "Documentation/kernel-hacking/locking.rst",
            "(spinlocks, rwlocks and mutexes are not recursive in",
            "Deadlock: Simple and Advanced",
        ),
        Source(
            "Documentation/kernel-hacking/locking.rst",
            "tries to grab a spinlock twice",
            "Deadlock: Simple and Advanced",
        ),
    ),
    wrong=(
        """
        struct dev { raw_spinlock_t lock; };
        void show(struct dev *dev)
        {
                guard(raw_spinlock_irq)(&dev->lock);
                raw_spin_lock_irq(&dev->lock); /* wrong */
                dev->shown++;
                raw_spin_unlock_irq(&dev->lock);
        }
        """,
    ),
    right=(
        """
        struct dev { struct mutex lock; struct list_head link; };
        void lock_all(struct list_head *all)
        {
                struct dev *dev;

                list_for_each_entry(dev, all, link)
                        mutex_lock(&dev->lock);
                list_for_each_entry(dev, all, link)
                        mutex_unlock(&dev->lock);
        }
        """,
        """
        struct dev { spinlock_t lock; };
        void both(struct dev *one, struct dev *two)
        {
                spin_lock(&one->lock);
                spin_lock_nested(&two->lock, SINGLE_DEPTH_NESTING);
                spin_unlock(&two->lock);
                spin_unlock(&one->lock);
        }
        """,
        """
        struct dev { spinlock_t lock; struct dev *parent; };
        void climb(struct dev *dev)
        {
                spin_lock(&dev->lock);
                while (dev->parent) {
                        dev = dev->parent;
                        spin_lock(&dev->lock);
                }
                unlock_chain(dev);
        }
        """,
    ),
)
