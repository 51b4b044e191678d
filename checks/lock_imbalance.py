# SPDX-License-Identifier: GPL-2.0-or-later
"""A return that leaves a lock held."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity


def judge(context: Context) -> Report | None:
    what, right, _ = context.detail
    if what == "context" and not right:
        call = f"{context.callee}()"
        return Report(
            subject=context.callee,
            message=f"returns after {call} without its counterpart, which it used to call",
            question=f"Is the counterpart of {call} missing now? {context.function}() called it before this patch.",
            was=f"{context.function}() returned after {call} without its counterpart",
            consequence="The caller goes on in another context than it is in.",
        )
    if what in ("context let go", "lock let go"):
        return _let_go(context, what)
    if what == "context":
        call = f"{context.callee}()"
        return Report(
            subject=context.callee,
            message=f"returns after {call} without its counterpart, "
            + ("which other paths come to" if right == "0" else "unlike the other paths"),
            question=f"Is the counterpart of {call} missing on this path?"
            + ("" if right == "0" else f" Other returns of {context.function}() are balanced."),
            was=f"{context.function}() returned after {call} without its counterpart",
            consequence="The caller goes on in another context than it is in.",
        )
    if what == "irqs":
        return _irqs_left_off(context, right)
    if what != "lock":
        return None
    if not right:
        return Report(
            subject=context.callee,
            message=f"returns with {context.callee} held, which it used to let go of",
            question=f"Is the unlock of {context.callee} missing now? "
            f"{context.function}() let go of it before this patch.",
            was=f"{context.function}() returned with {context.callee} held",
            consequence="The next one to take the lock waits for ever.",
        )
    if right == "0":
        return Report(
            subject=context.callee,
            message=f"returns with {context.callee} held, which it used to let go of",
            question=f"Is the unlock of {context.callee} missing here? "
            f"{context.function}() still lets go of it elsewhere.",
            was=f"{context.function}() returned with {context.callee} held",
            consequence="The next one to take the lock waits for ever.",
        )
    return Report(
        subject=context.callee,
        message=f"returns with {context.callee} held, unlike the other paths",
        question=f"Is the unlock of {context.callee} missing on this path? "
        f"Other returns of {context.function}() do not hold it.",
        was=f"{context.function}() returned with {context.callee} held",
        consequence="The next one to take the lock waits for ever.",
    )


def _let_go(context: Context, what: str) -> Report:
    name = context.callee
    if what == "lock let go":
        return Report(
            subject=name,
            message=f"lets go of {name}, which it no longer takes",
            question=f"Who takes {name} now? {context.function}() did so itself before this patch.",
            was=f"{context.function}() let go of {name} without taking it",
            consequence="A lock is released that nobody holds, or that somebody else holds.",
        )
    return Report(
        subject=name,
        message=f"{name}() is called, and its counterpart no longer is",
        question=f"Who calls the counterpart of {name}() now? {context.function}() did so itself before this patch.",
        was=f"{context.function}() called {name}() without its counterpart",
        consequence="The caller goes on in another context than it is in.",
    )


def _irqs_left_off(context: Context, right: str) -> Report:
    others = f"Other returns of {context.function}() give back what was saved."
    if not right:
        return Report(
            subject=context.callee,
            message="returns with interrupts disabled, which it used to enable again",
            question="Is the call that enables interrupts again missing now? "
            f"{context.function}() made it before this patch.",
            was=f"{context.function}() returned with interrupts disabled",
            consequence="The caller goes on with interrupts disabled, and nothing enables them again.",
        )
    return Report(
        subject=context.callee,
        message="returns with interrupts disabled, "
        + ("which it used to give back as it found them" if right == "0" else "unlike the other paths"),
        question="Are the saved interrupt flags not restored on this path?" + ("" if right == "0" else f" {others}"),
        was=f"{context.function}() returned with interrupts disabled",
        consequence="The caller goes on with interrupts disabled, and nothing is left that knows what they were.",
    )


CHECK = Check(
    id="lock-imbalance",
    area="locking",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="Every path out of a function leaves its locks as the function's contract says.",
    why="A lock that is left held deadlocks the next one to take it.",
    events=frozenset({EventKind.UNBALANCED}),
    judge=judge,
    sources=(),
    wrong=(
        """
        int step(struct engine *engine)
        {
                preempt_disable();
                if (!engine->ready)
                        return -EAGAIN; /* wrong */
                engine->count++;
                preempt_enable();
                return -EBUSY;
        }
        """,
        """
        int dev_read(struct dev *dev)
        {
                unsigned long flags;

                local_irq_save(flags);
                if (!dev->ready)
                        return -EAGAIN; /* wrong */
                dev->value = dev_port(dev);
                local_irq_restore(flags);
                return 0;
        }
        """,
        """
        struct dev { spinlock_t lock; };
        void dev_stop(struct dev *dev)
        {
                unsigned long flags;

                spin_lock_irqsave(&dev->lock, flags);
                if (!dev->ready) {
                        spin_unlock(&dev->lock);
                        return; /* wrong */
                }
                dev->ready = 0;
                spin_unlock_irqrestore(&dev->lock, flags);
        }
        """,
        """
        struct dev { spinlock_t lock; raw_spinlock_t hw; };
        void dev_finish(struct dev *dev)
        {
                unsigned long flags;
                int kind = dev->flags & 3;

                spin_lock_irq(&dev->lock);
                dev->busy = 0;
                spin_unlock_irq(&dev->lock);
                local_irq_save(flags);
                tell_driver(dev, kind);
                if (dev->dead)
                        return; /* wrong */
                local_irq_restore(flags);
        }
        int dev_push(struct dev *dev)
        {
                unsigned long flags;

                if (in_nmi()) {
                        if (!raw_spin_trylock_irqsave(&dev->hw, flags))
                                return -EBUSY;
                } else {
                        raw_spin_lock_irqsave(&dev->hw, flags);
                }
                if (dev->full) {
                        raw_spin_unlock(&dev->hw);
                        return -E2BIG; /* wrong */
                }
                raw_spin_unlock_irqrestore(&dev->hw, flags);
                return 0;
        }
        """,
        """
        struct dev { struct mutex lock; };
        int configure(struct dev *dev)
        {
                mutex_lock(&dev->lock);
                if (dev->dead)
                        return -ENODEV; /* wrong */
                dev->ready = 1;
                mutex_unlock(&dev->lock);
                return 0;
        }
        """,
    ),
    right=(
        """
        struct dev { spinlock_t lock; raw_spinlock_t hw; };
        void dev_move(struct dev *dev)
        {
                unsigned long flags;

                if (!dev->ready) {
                        local_irq_save(flags);
                        raw_spin_lock(&dev->hw);
                        dev->ready = 1;
                        raw_spin_unlock_irqrestore(&dev->hw, flags);
                        return;
                }
                raw_spin_lock_irqsave(&dev->hw, flags);
                dev->ready = 2;
                raw_spin_unlock(&dev->hw);
                local_irq_restore(flags);
        }
        int dev_ask(struct dev *dev, struct dev *locked)
        {
                unsigned long flags;
                int value;

                local_irq_save(flags);
                if (!locked)
                        raw_spin_lock(&dev->hw);
                value = dev->value;
                if (!locked)
                        raw_spin_unlock_irqrestore(&dev->hw, flags);
                return value;
        }
        void dev_turn(struct dev *dev)
        {
                unsigned long flags;

                spin_lock_irqsave(&dev->lock, flags);
                if (!dev->ready) {
                        spin_unlock(&dev->lock);
                        dev_give_back(dev, flags);
                        return;
                }
                spin_unlock(&dev->lock);
                local_irq_restore(flags);
        }
        """,
        """
        void dev_park(struct dev *dev)
        {
                unsigned long flags;

                local_irq_save(flags);
                dev->seen++;
                local_irq_restore(flags);
                local_irq_disable();
                if (dev->parked)
                        return;
                wake_dev(dev);
                local_irq_enable();
        }
        void dev_hand_on(struct dev *dev)
        {
                unsigned long flags;

                local_irq_save(flags);
                if (dev->parked) {
                        give_back(dev, flags);
                        return;
                }
                local_irq_restore(flags);
        }
        """,
        """
        int group_conf_prep(struct group *group)
        {
                spin_lock(&group->lock);
                if (is_enabled(group))
                        return 0;
                spin_unlock(&group->lock);
                return group->error;
        }
        """,
        """
        struct slot { spinlock_t lock; };
        void freeze(struct slot *slots, int n)
        {
                int i;

                for (i = 0; i < n; i++)
                        spin_lock(&slots[i].lock);
                slots->frozen = 1;
                while (--i >= 0)
                        spin_unlock(&slots[i].lock);
        }
        """,
        """
        struct slot { spinlock_t lock; };
        void freeze(struct slot *slots, int n)
        {
                struct slot *slot;

                for (slot = slots; slot < slots + n; slot++)
                        spin_lock(&slot->lock);
                for (slot = slots; slot < slots + n; slot++)
                        spin_unlock(&slot->lock);
        }
        """,
        """
        struct dev { struct mutex lock; };
        int configure(struct dev *dev)
        {
                int err = 0;

                mutex_lock(&dev->lock);
                if (dev->dead) {
                        err = -ENODEV;
                        goto out;
                }
                dev->ready = 1;
        out:
                mutex_unlock(&dev->lock);
                return err;
        }
        """,
        """
        struct dev { struct mutex lock; };
        bool dev_claim(struct dev *dev)
        {
                mutex_lock(&dev->lock);
                if (dev->dead) {
                        mutex_unlock(&dev->lock);
                        return false;
                }
                return true;
        }
        """,
        """
        struct dev { spinlock_t lock; };
        int conditional(struct dev *dev, bool nested)
        {
                if (!nested)
                        spin_lock(&dev->lock);
                dev->ready = 1;
                if (!nested)
                        spin_unlock(&dev->lock);
                return 0;
        }
        """,
    ),
)
