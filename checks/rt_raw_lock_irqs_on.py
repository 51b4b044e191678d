# SPDX-License-Identifier: GPL-2.0-or-later
"""A raw spinlock that an interrupt takes is taken where PREEMPT_RT leaves interrupts enabled."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report | None:
    if context.state.rt is not True:
        return None
    lock, handler = context.detail
    threaded = bool(context.state.entry)
    reason = "the function runs in a thread" if threaded else "a spinlock_t does not disable interrupts"
    return Report(
        subject=lock,
        message=f"takes {lock} with interrupts enabled on PREEMPT_RT, where {reason}; "
        f"{handler}() takes it with interrupts disabled",
        question=f"Should this disable interrupts? On PREEMPT_RT {reason}, and {handler}() takes {lock} too.",
        was=f"{context.function}() took {lock} with interrupts enabled",
        entered=threaded,
    )


CHECK = Check(
    id="rt-raw-lock-irqs-on",
    area="rt",
    severity=Severity.BUG,
    kernels=Kernels.PREEMPT_RT,
    rule="A raw_spinlock_t that is taken in hard interrupts is taken with interrupts disabled, on PREEMPT_RT too.",
    why="Forced threads and sections of a spinlock_t run with interrupts enabled, so that one can wait there for ever.",
    events=frozenset({EventKind.INTERRUPTIBLE}),
    judge=judge,
    sources=(
        Source(
            "Documentation/locking/lockdep-design.rst",
            "cannot be ever acquired with irq enabled",
            "Single-lock state rules:",
        ),
    ),
    wrong=(
        """
        struct domain { raw_spinlock_t lock; struct irq_work push; };
        static void domain_mask(struct irq_data *d)
        {
                struct domain *domain = irq_data_get_irq_chip_data(d);

                raw_spin_lock(&domain->lock);
                domain->next++;
                raw_spin_unlock(&domain->lock);
        }
        static const struct irq_chip domain_chip = {
                .irq_mask = domain_mask,
        };
        static void domain_push(struct irq_work *work)
        {
                struct domain *domain = container_of(work, struct domain, push);

                raw_spin_lock(&domain->lock); /* wrong */
                domain->next = 0;
                raw_spin_unlock(&domain->lock);
        }
        void domain_init(struct domain *domain)
        {
                init_irq_work(&domain->push, domain_push);
        }
        """,
        """
        struct domain { spinlock_t list_lock; raw_spinlock_t lock; };
        static void domain_mask(struct irq_data *d)
        {
                struct domain *domain = irq_data_get_irq_chip_data(d);

                raw_spin_lock(&domain->lock);
                domain->next++;
                raw_spin_unlock(&domain->lock);
        }
        static const struct irq_chip domain_chip = {
                .irq_mask = domain_mask,
        };
        void domain_reset(struct domain *domain)
        {
                unsigned long flags;

                spin_lock_irqsave(&domain->list_lock, flags);
                raw_spin_lock(&domain->lock); /* wrong */
                domain->next = 0;
                raw_spin_unlock(&domain->lock);
                spin_unlock_irqrestore(&domain->list_lock, flags);
        }
        """,
    ),
    right=(
        """
        struct domain { raw_spinlock_t lock; struct irq_work push; };
        static void domain_mask(struct irq_data *d)
        {
                struct domain *domain = irq_data_get_irq_chip_data(d);

                raw_spin_lock(&domain->lock);
                domain->next++;
                raw_spin_unlock(&domain->lock);
        }
        static const struct irq_chip domain_chip = {
                .irq_mask = domain_mask,
        };
        static void domain_push(struct irq_work *work)
        {
                struct domain *domain = container_of(work, struct domain, push);

                raw_spin_lock(&domain->lock);
                domain->next = 0;
                raw_spin_unlock(&domain->lock);
        }
        void domain_init(struct domain *domain)
        {
                domain->push = IRQ_WORK_INIT_HARD(domain_push);
        }
        """,
    ),
)
