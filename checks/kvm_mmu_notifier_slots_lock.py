# SPDX-License-Identifier: GPL-2.0-or-later
"""An MMU notifier takes a lock whose holder waits for MMU notifiers."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    lock, member = context.detail
    return Report(
        subject=lock,
        message=f"{context.call} takes {lock} in an MMU notifier ({member})",
        question=f"Who holds {lock} when memslots are exchanged? That one waits until invalidations have ended.",
        was=f"{context.call} took {lock} in an MMU notifier",
    )


CHECK = Check(
    id="kvm-mmu-notifier-slots-lock",
    area="kvm",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="MMU notifiers take neither kvm->slots_lock nor kvm->slots_arch_lock.",
    why="Who exchanges memslots waits with both locks held until no invalidation runs.",
    events=frozenset({EventKind.NEVER_IN_CALLBACK}),
    judge=judge,
    sources=(
        Source(
            "Documentation/virt/kvm/locking.rst",
            "must not take either kvm->slots_lock or kvm->slots_arch_lock",
            "1. Acquisition Orders",
        ),
    ),
    wrong=(
        """
        struct vm { struct mmu_notifier mn; struct mutex slots_lock; };
        static void drop_all(struct vm *vm)
        {
                mutex_lock(&vm->slots_lock);
                vm->pages = 0;
                mutex_unlock(&vm->slots_lock);
        }
        static void vm_released(struct mmu_notifier *mn, struct mm_struct *mm)
        {
                drop_all(container_of(mn, struct vm, mn)); /* wrong */
        }
        static const struct mmu_notifier_ops vm_notifier = {
                .release = vm_released,
        };
        """,
    ),
    right=(
        """
        struct vm { struct mmu_notifier mn; struct mutex slots_lock; spinlock_t mmu_lock; };
        static void vm_released(struct mmu_notifier *mn, struct mm_struct *mm)
        {
                struct vm *vm = container_of(mn, struct vm, mn);

                spin_lock(&vm->mmu_lock);
                vm->pages = 0;
                spin_unlock(&vm->mmu_lock);
        }
        static const struct mmu_notifier_ops vm_notifier = {
                .release = vm_released,
        };
        void vm_set_slots(struct vm *vm)
        {
                mutex_lock(&vm->slots_lock);
                vm->pages++;
                mutex_unlock(&vm->slots_lock);
        }
        """,
    ),
)
