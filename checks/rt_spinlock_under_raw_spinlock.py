# SPDX-License-Identifier: GPL-2.0-or-later
"""spinlock_t, rwlock_t or local_lock inside a raw spinlock."""

from reviewer.check import Check, EventKind, Kernels, Severity, Source, Where, called_where

CHECK = Check(
    id="rt-spinlock-under-raw-spinlock",
    area="rt",
    severity=Severity.BUG,
    kernels=Kernels.PREEMPT_RT,
    rule="spinlock_t, rwlock_t and local_lock_t are not taken while a raw spinlock or a bit spinlock is held.",
    why="They are sleeping locks on PREEMPT_RT; a raw spinlock is not.",
    events=frozenset({EventKind.SPINLOCK, EventKind.LOCAL_LOCK}),
    judge=called_where(
        Where.RAW_LOCK,
        rt=True,
        message="{call} is called {place} and may sleep on PREEMPT_RT",
        question="Can {call} be called {place}?",
    ),
    sources=(
        Source(
            "Documentation/locking/locktypes.rst", "cannot be acquired while holding a raw", "Lock type nesting rules"
        ),
        Source(
            "Documentation/locking/locktypes.rst",
            "critical section must avoid acquiring a regular",
            "raw_spinlock_t on RT",
        ),
    ),
    wrong=(
        """
        struct dev { raw_spinlock_t hw; spinlock_t queue; };
        void kick(struct dev *dev)
        {
                unsigned long flags;

                raw_spin_lock_irqsave(&dev->hw, flags);
                spin_lock(&dev->queue); /* wrong */
                spin_unlock(&dev->queue);
                raw_spin_unlock_irqrestore(&dev->hw, flags);
        }
        """,
        """
        struct dev { raw_spinlock_t hw; rwlock_t table; };
        void look(struct dev *dev)
        {
                guard(raw_spinlock)(&dev->hw);
                read_lock(&dev->table); /* wrong */
                read_unlock(&dev->table);
        }
        """,
        """
        struct dev { raw_spinlock_t hw; };
        void count(struct dev *dev)
        {
                raw_spin_lock(&dev->hw);
                local_lock(&stats.lock); /* wrong */
                local_unlock(&stats.lock);
                raw_spin_unlock(&dev->hw);
        }
        """,
        """
        struct bank { spinlock_t lock; };
        static void bank_mask(struct irq_data *data)
        {
                struct bank *bank = irq_data_get_irq_chip_data(data);

                spin_lock(&bank->lock); /* wrong */
                spin_unlock(&bank->lock);
        }
        static struct irq_chip bank_chip = {
                .irq_mask = bank_mask,
        };
        """,
    ),
    right=(
        """
        struct bank { raw_spinlock_t lock; };
        static void bank_mask(struct irq_data *data)
        {
                struct bank *bank = irq_data_get_irq_chip_data(data);

                raw_spin_lock(&bank->lock);
                raw_spin_unlock(&bank->lock);
        }
        static struct irq_chip bank_chip = {
                .irq_mask = bank_mask,
        };
        """,
        """
        struct dev { raw_spinlock_t hw; spinlock_t queue; };
        void kick(struct dev *dev)
        {
                spin_lock(&dev->queue);
                raw_spin_lock(&dev->hw);
                raw_spin_unlock(&dev->hw);
                spin_unlock(&dev->queue);
        }
        """,
        """
        struct dev { raw_spinlock_t hw; spinlock_t queue; };
        void one_after_the_other(struct dev *dev)
        {
                raw_spin_lock_irq(&dev->hw);
                raw_spin_unlock_irq(&dev->hw);
                spin_lock_irq(&dev->queue);
                spin_unlock_irq(&dev->queue);
        }
        """,
        """
        struct dev { raw_spinlock_t hw; spinlock_t queue; };
        bool attempt(struct dev *dev)
        {
                bool got;

                raw_spin_lock(&dev->hw);
                got = spin_trylock(&dev->queue);
                if (got)
                        spin_unlock(&dev->queue);
                raw_spin_unlock(&dev->hw);
                return got;
        }
        """,
    ),
)
