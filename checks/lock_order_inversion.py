# SPDX-License-Identifier: GPL-2.0-or-later
"""Two locks are taken in one order here and in the other order elsewhere."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report | None:
    held, taken, other, _ = context.detail
    return Report(
        subject=f"{held} {taken}",
        message=f"takes {taken} while {held} is held; {other}() takes {held} while {taken} is held",
        question=f"What keeps this from deadlocking with {other}()? "
        f"It takes {held} inside {taken}, the other way round.",
        was=f"{context.function}() took {taken} inside {held}, and {other}() the other way round",
        consequence="Two tasks that each hold one of the locks wait for each other.",
    )


CHECK = Check(
    id="lock-order-inversion",
    area="locking",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="Two locks are always taken in the same order.",
    why="Two tasks that each hold one of the locks wait for each other for ever.",
    events=frozenset({EventKind.LOCK_ORDER}),
    judge=judge,
    sources=(
        Source(
            "Documentation/locking/lockdep-design.rst",
            "two locks can not be taken in inverse order",
            "Multi-lock dependency rules:",
        ),
        Source(
            "Documentation/kernel-hacking/locking.rst",
            "if you always lock in the same order",
            "Preventing Deadlock",
        ),
    ),
    wrong=(
        """
        struct vm { raw_spinlock_t map_lock; };
        struct vcpu { raw_spinlock_t vcpu_lock; struct vm *vm; };
        static void move(struct vcpu *vcpu)
        {
                guard(raw_spinlock)(&vcpu->vm->map_lock);
                vcpu->moved++;
        }
        void set_affinity(struct vcpu *vcpu)
        {
                raw_spin_lock(&vcpu->vcpu_lock);
                move(vcpu); /* wrong */
                raw_spin_unlock(&vcpu->vcpu_lock);
        }
        void map_all(struct vm *vm, struct vcpu *vcpu)
        {
                raw_spin_lock(&vm->map_lock);
                raw_spin_lock(&vcpu->vcpu_lock); /* wrong */
                raw_spin_unlock(&vcpu->vcpu_lock);
                raw_spin_unlock(&vm->map_lock);
        }
        """,
    ),
    right=(
        """
        struct vm { struct mutex lock; };
        struct vcpu { struct mutex lock; struct vm *vm; };
        void one(struct vcpu *vcpu)
        {
                mutex_lock(&vcpu->vm->lock);
                mutex_lock(&vcpu->lock);
                mutex_unlock(&vcpu->lock);
                mutex_unlock(&vcpu->vm->lock);
        }
        void two(struct vcpu *vcpu)
        {
                mutex_lock(&vcpu->lock);
                if (mutex_trylock(&vcpu->vm->lock))
                        mutex_unlock(&vcpu->vm->lock);
                mutex_unlock(&vcpu->lock);
                mutex_lock(&vcpu->vm->lock);
                mutex_unlock(&vcpu->vm->lock);
        }
        """,
        """
        struct a { struct mutex lock; };
        struct b { struct mutex lock; };
        struct c { struct mutex lock; };
        void one(struct a *a, struct b *b)
        {
                mutex_lock(&a->lock);
                mutex_lock(&b->lock);
                mutex_unlock(&b->lock);
                mutex_unlock(&a->lock);
        }
        void two(struct b *a, struct c *b)
        {
                mutex_lock(&a->lock);
                mutex_lock(&b->lock);
                mutex_unlock(&b->lock);
                mutex_unlock(&a->lock);
        }
        """,
    ),
)
