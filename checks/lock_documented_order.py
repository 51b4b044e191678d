# SPDX-License-Identifier: GPL-2.0-or-later
"""A lock is taken inside another one that the documented order puts inside it."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report | None:
    held, taken, document, sentence = context.detail
    return Report(
        subject=f"{held} {taken}",
        message=f"takes {taken} while {held} is held; the documented order is the opposite",
        question=f"Is {taken} not to be taken outside {held}?",
        was=f"{context.function}() took {taken} inside {held}",
        consequence="Two tasks that each hold one of the locks wait for each other.",
        sources=(Source(document, sentence),),
    )


CHECK = Check(
    id="lock-documented-order",
    area="locking",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="Locks are taken in the order that the subsystem's document states.",
    why="Other code relies on the order: two tasks that each hold one of the locks wait for each other.",
    events=frozenset({EventKind.DOCUMENTED_ORDER}),
    judge=judge,
    sources=(Source("Documentation/virt/kvm/locking.rst", "The acquisition orders for mutexes are as follows"),),
    wrong=(
        """
        /* vm->lock is taken outside vcpu->mutex. */
        struct vm { struct mutex lock; };
        struct vcpu { struct mutex mutex; struct vm *vm; };
        static void count(struct vm *vm)
        {
                guard(mutex)(&vm->lock);
                vm->count++;
        }
        void run(struct vcpu *vcpu)
        {
                mutex_lock(&vcpu->mutex);
                count(vcpu->vm); /* wrong */
                mutex_unlock(&vcpu->mutex);
        }
        """,
        """
        /*
         * Ordering of locks:
         *
         *      vm->lock --> vm->slots_lock --> vm->irq_lock
         */
        struct vm { struct mutex lock, slots_lock, irq_lock; };
        void route(struct vm *vm)
        {
                guard(mutex)(&vm->irq_lock);
                mutex_lock(&vm->slots_lock); /* wrong */
                mutex_unlock(&vm->slots_lock);
        }
        """,
        """
        /* cpus_read_lock() is taken outside vm_lock */
        DEFINE_MUTEX(vm_lock);
        static int setup_state(int state)
        {
                cpus_read_lock();
                set_up(state);
                cpus_read_unlock();
                return 0;
        }
        int enable(int state)
        {
                guard(mutex)(&vm_lock);
                return setup_state(state); /* wrong */
        }
        void use(int state)
        {
                mutex_lock(&vm_lock);
                static_branch_inc(&used); /* wrong */
                mutex_unlock(&vm_lock);
        }
        """,
    ),
    right=(
        """
        /* vm->lock is taken outside vcpu->mutex. */
        struct vm { struct mutex lock; };
        struct vcpu { struct mutex mutex; struct vm *vm; };
        void run(struct vcpu *vcpu)
        {
                mutex_lock(&vcpu->vm->lock);
                mutex_lock(&vcpu->mutex);
                mutex_unlock(&vcpu->vm->lock);
                if (mutex_trylock(&vcpu->vm->lock))
                        mutex_unlock(&vcpu->vm->lock);
                mutex_unlock(&vcpu->mutex);
        }
        """,
        """
        /* cpus_read_lock() is taken outside vm_lock */
        DEFINE_MUTEX(vm_lock);
        int enable(int state)
        {
                guard(cpus_read_lock)();
                guard(mutex)(&vm_lock);
                return set_up(state);
        }
        int disable(int state)
        {
                cpus_read_lock();
                mutex_lock(&vm_lock);
                tear_down(state);
                mutex_unlock(&vm_lock);
                cpus_read_unlock();
                return 0;
        }
        """,
    ),
)
