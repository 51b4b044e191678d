# SPDX-License-Identifier: GPL-2.0-or-later
"""An allocation that may sleep in atomic context."""

from reviewer.check import Check, EventKind, Kernels, Severity, Source, Where, called_where

CHECK = Check(
    id="lock-gfp-blocking-in-atomic",
    area="locking",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="An allocation whose gfp mask allows direct reclaim is made only where sleeping is allowed.",
    why="Direct reclaim sleeps; GFP_KERNEL, GFP_NOFS, GFP_NOIO and GFP_USER all contain __GFP_DIRECT_RECLAIM.",
    events=frozenset({EventKind.BLOCKING_ALLOCATION}),
    judge=called_where(
        Where.ANYWHERE,
        rt=False,
        message="{call} may sleep {place}",
        question="Can this sleep? {call} is called {place}.",
    ),
    sources=(
        Source(
            "Documentation/core-api/memory-allocation.rst", "context must be allowed to sleep", "Get Free Page flags"
        ),
        Source(
            "Documentation/core-api/memory-allocation.rst",
            "If the allocation is performed from an atomic",
            "Get Free Page flags",
        ),
    ),
    wrong=(
        """
        struct dev { spinlock_t lock; };
        void grow(struct dev *dev)
        {
                spin_lock(&dev->lock);
                dev->spare = kmalloc(64, GFP_KERNEL); /* wrong */
                spin_unlock(&dev->lock);
        }
        """,
        """
        struct dev { spinlock_t lock; };
        static void *make(gfp_t gfp)
        {
                return kzalloc(64, gfp | __GFP_NOWARN);
        }
        void grow(struct dev *dev)
        {
                guard(spinlock)(&dev->lock);
                dev->spare = make(GFP_NOIO); /* wrong */
        }
        """,
        """
        void note(void)
        {
                struct note *note = kmalloc(sizeof(*note), GFP_KERNEL); /* wrong */
        }
        DEFINE_IDTENTRY_SYSVEC(sysvec_note)
        {
                note();
        }
        """,
        """
        struct dev { spinlock_t lock; };
        void grow(struct dev *dev)
        {
                spin_lock(&dev->lock);
                dev->spare = kzalloc_obj(*dev->spare); /* wrong */
                spin_unlock(&dev->lock);
        }
        """,
    ),
    right=(
        """
        struct dev { spinlock_t lock; };
        void grow(struct dev *dev)
        {
                spin_lock(&dev->lock);
                dev->spare = kmalloc(64, GFP_ATOMIC);
                spin_unlock(&dev->lock);
        }
        """,
        """
        struct dev { spinlock_t lock; };
        static void *make(gfp_t gfp)
        {
                return kzalloc(64, gfp);
        }
        void grow(struct dev *dev, bool atomic)
        {
                gfp_t gfp = atomic ? GFP_ATOMIC : GFP_KERNEL;

                spin_lock(&dev->lock);
                dev->spare = make(GFP_NOWAIT);
                spin_unlock(&dev->lock);
                dev->other = make(gfp);
        }
        """,
        """
        struct dev { struct mutex lock; };
        void grow(struct dev *dev)
        {
                mutex_lock(&dev->lock);
                dev->spare = kmalloc(64, GFP_KERNEL);
                mutex_unlock(&dev->lock);
        }
        """,
    ),
)
