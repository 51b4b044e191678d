# SPDX-License-Identifier: GPL-2.0-or-later
"""KVM's memslots or buses used outside kvm->srcu."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source, required_report


def judge(context: Context) -> Report | None:
    if "srcu" not in context.required_kinds or "kvm->srcu" not in context.required:
        return None
    return required_report(context)


CHECK = Check(
    id="kvm-memslots-without-srcu",
    area="kvm",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="Memslots and buses of a VM are used inside a reader of kvm->srcu, or with kvm->slots_lock held.",
    why="KVM_SET_USER_MEMORY_REGION frees the old memslots after a grace period of kvm->srcu.",
    events=frozenset({EventKind.REQUIRES}),
    judge=judge,
    sources=(
        Source(
            "Documentation/virt/kvm/locking.rst",
            "The srcu read lock must be held while accessing memslots",
            "kvm->srcu",
        ),
    ),
    wrong=(
        """
        static inline struct kvm_memslots *memslots(struct kvm *kvm)
        {
                return srcu_dereference_check(kvm->memslots[0], &kvm->srcu,
                                              lockdep_is_held(&kvm->slots_lock) || !refcount_read(&kvm->users_count));
        }
        static u64 used_pages(struct kvm_vcpu *vcpu)
        {
                return memslots(vcpu->kvm)->used;
        }
        static long vcpu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
        {
                struct kvm_vcpu *vcpu = file->private_data;

                return used_pages(vcpu); /* wrong */
        }
        static const struct file_operations vcpu_fops = {
                .unlocked_ioctl = vcpu_ioctl,
        };
        """,
    ),
    right=(
        """
        static inline struct kvm_memslots *memslots(struct kvm *kvm)
        {
                return srcu_dereference_check(kvm->memslots[0], &kvm->srcu,
                                              lockdep_is_held(&kvm->slots_lock) || !refcount_read(&kvm->users_count));
        }
        static u64 used_pages(struct kvm_vcpu *vcpu)
        {
                return memslots(vcpu->kvm)->used;
        }
        static long vcpu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
        {
                struct kvm_vcpu *vcpu = file->private_data;
                u64 used;

                scoped_guard(srcu, &vcpu->kvm->srcu)
                        used = used_pages(vcpu);
                mutex_lock(&vcpu->kvm->slots_lock);
                used += used_pages(vcpu);
                mutex_unlock(&vcpu->kvm->slots_lock);
                return used;
        }
        static int vcpu_release(struct inode *inode, struct file *file)
        {
                struct kvm_vcpu *vcpu = file->private_data;

                if (refcount_dec_and_test(&vcpu->kvm->users_count))
                        used_pages(vcpu);
                return 0;
        }
        static const struct file_operations vcpu_fops = {
                .unlocked_ioctl = vcpu_ioctl,
                .release = vcpu_release,
        };
        """,
    ),
)
