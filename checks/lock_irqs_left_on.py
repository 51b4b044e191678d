# SPDX-License-Identifier: GPL-2.0-or-later
"""A lock with which interrupts used to be disabled is taken with interrupts enabled."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    (lock,) = context.detail
    return Report(
        subject=lock,
        message=f"{context.call} leaves interrupts enabled; {lock} was taken with interrupts disabled here",
        question=f"Is {lock} not taken in any interrupt now? {context.call} no longer disables them.",
        was=f"{context.call} left interrupts enabled",
        consequence="An interrupt that takes the lock on the same CPU waits for ever.",
    )


CHECK = Check(
    id="lock-irqs-left-on",
    area="locking",
    severity=Severity.QUESTION,
    kernels=Kernels.ALL,
    rule="A lock that disables interrupts goes on to do so, unless no interrupt takes it any more.",
    why="An interrupt that takes the lock on the CPU that holds it waits for ever.",
    events=frozenset({EventKind.IRQS_LEFT_ON}),
    judge=judge,
    sources=(
        Source(
            "Documentation/locking/spinlocks.rst",
            "IFF you know that the spinlocks are never used in interrupt handlers",
            "Lesson 3: spinlocks revisited.",
        ),
    ),
    wrong=(
        """
        struct queue { spinlock_t lock; struct list_head items; };
        void queue_run(struct queue *queue)
        {
                spin_lock_irq(&queue->lock);
                queue->running++;
                spin_unlock_irq(&queue->lock);
                msleep(1);
                spin_lock_irq(&queue->lock);
                queue->running--;
                spin_unlock_irq(&queue->lock);
        }
        /* After it: */
        struct queue { spinlock_t lock; struct list_head items; };
        void queue_run(struct queue *queue)
        {
                spin_lock(&queue->lock);
                queue->running++;
                spin_unlock(&queue->lock);
                msleep(1);
                spin_lock(&queue->lock); /* wrong */
                queue->running--;
                spin_unlock(&queue->lock);
        }
        """,
    ),
    right=(
        """
        struct queue { spinlock_t lock; struct list_head items; };
        void queue_count(struct queue *queue)
        {
                unsigned long flags;

                spin_lock_irqsave(&queue->lock, flags);
                queue->count++;
                spin_unlock_irqrestore(&queue->lock, flags);
        }
        void queue_run(struct queue *queue)
        {
                msleep(1);
                spin_lock_irq(&queue->lock);
                queue->running--;
                spin_unlock_irq(&queue->lock);
        }
        /* After it: */
        struct queue { spinlock_t lock; struct list_head items; };
        void queue_count(struct queue *queue)
        {
                spin_lock(&queue->lock);
                queue->count++;
                spin_unlock(&queue->lock);
        }
        void queue_run(struct queue *queue)
        {
                msleep(1);
                guard(spinlock_irq)(&queue->lock);
                queue->running--;
        }
        """,
    ),
)
