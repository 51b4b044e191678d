# SPDX-License-Identifier: GPL-2.0-or-later
"""Interrupts are asserted to be disabled where only a spinlock_t can have disabled them."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    (lock,) = context.detail
    return Report(
        subject=f"{context.callee} {lock}",
        message=f"{context.callee} fails on PREEMPT_RT, where {lock} leaves interrupts enabled",
        question=f"Does {context.callee} hold on PREEMPT_RT? The spinlock {lock} leaves interrupts enabled there.",
        was=f"{context.callee} failed on PREEMPT_RT",
    )


CHECK = Check(
    id="rt-irqs-off-assertion",
    area="rt",
    severity=Severity.QUESTION,
    kernels=Kernels.PREEMPT_RT,
    rule="Under a spinlock_t the lock is what is asserted, not that interrupts are disabled.",
    why="On PREEMPT_RT spin_lock_irq() and spin_lock_irqsave() leave interrupts enabled, so that the assertion fails.",
    events=frozenset({EventKind.ASSERTS_IRQS_OFF}),
    judge=judge,
    sources=(Source("Documentation/locking/locktypes.rst", "do not affect the CPU's", "spinlock_t and PREEMPT_RT"),),
    wrong=(
        """
        struct engine { spinlock_t lock; };
        void submit(struct engine *engine)
        {
                BUG_ON(!irqs_disabled()); /* wrong */
                lockdep_assert_held(&engine->lock);
                poke(engine);
        }
        """,
        """
        struct engine { spinlock_t lock; };
        void submit(struct engine *engine)
        {
                spin_lock_irq(&engine->lock);
                lockdep_assert_irqs_disabled(); /* wrong */
                WARN_ON(!irqs_disabled()); /* wrong */
                spin_unlock_irq(&engine->lock);
        }
        """,
    ),
    right=(
        """
        struct engine { spinlock_t lock; raw_spinlock_t raw; };
        void submit(struct engine *engine)
        {
                lockdep_assert_held(&engine->lock);
                raw_spin_lock_irq(&engine->raw);
                lockdep_assert_irqs_disabled();
                raw_spin_unlock_irq(&engine->raw);
        }
        """,
        """
        void submit(struct engine *engine)
        {
                lockdep_assert_irqs_disabled();
                BUG_ON(!irqs_disabled());
                poke(engine);
        }
        """,
        """
        struct engine { spinlock_t lock; };
        void submit(struct engine *engine)
        {
                spin_lock(&engine->lock);
                local_irq_disable();
                lockdep_assert_irqs_disabled();
                local_irq_enable();
                spin_unlock(&engine->lock);
        }
        """,
    ),
)
