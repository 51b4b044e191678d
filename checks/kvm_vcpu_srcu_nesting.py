# SPDX-License-Identifier: GPL-2.0-or-later
"""kvm_vcpu_srcu_read_lock() in a reader that it has opened before."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    domain, line = context.detail
    return Report(
        subject=domain,
        message=f"{context.call} opens a second reader of {domain}, whose index the vCPU keeps since line {line}",
        question=f"Where does the index from line {line} go? The vCPU keeps one, and {context.call} overwrites it.",
        was=f"{context.call} opened a second reader of {domain}",
        consequence="Both readers end with the index of the second, so that kvm->srcu counts wrongly for good.",
    )


CHECK = Check(
    id="kvm-vcpu-srcu-nesting",
    area="kvm",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="kvm_vcpu_srcu_read_lock() does not nest; a reader inside it keeps an index of its own.",
    why="A vCPU has room for one index.",
    events=frozenset({EventKind.READ_TWICE}),
    judge=judge,
    sources=(
        Source("include/linux/kvm_host.h", "KVM: Illegal vCPU srcu_idx LOCK"),
        Source("Documentation/virt/kvm/locking.rst", "The srcu index can be stored in kvm_vcpu->srcu_idx", "kvm->srcu"),
    ),
    wrong=(
        """
        struct kvm { struct srcu_struct srcu; };
        struct kvm_vcpu { struct kvm *kvm; int pages; };
        static void vcpu_look_up(struct kvm_vcpu *vcpu)
        {
                kvm_vcpu_srcu_read_lock(vcpu);
                vcpu->pages++;
                kvm_vcpu_srcu_read_unlock(vcpu);
        }
        void vcpu_loop(struct kvm_vcpu *vcpu)
        {
                kvm_vcpu_srcu_read_lock(vcpu);
                vcpu_look_up(vcpu); /* wrong */
                kvm_vcpu_srcu_read_unlock(vcpu);
        }
        """,
    ),
    right=(
        """
        struct kvm { struct srcu_struct srcu; };
        struct kvm_vcpu { struct kvm *kvm; int pages; };
        static void vcpu_look_up(struct kvm_vcpu *vcpu)
        {
                int idx = srcu_read_lock(&vcpu->kvm->srcu);

                vcpu->pages++;
                srcu_read_unlock(&vcpu->kvm->srcu, idx);
        }
        static void vcpu_block(struct kvm_vcpu *vcpu)
        {
                kvm_vcpu_srcu_read_unlock(vcpu);
                wait_for_work(vcpu);
                kvm_vcpu_srcu_read_lock(vcpu);
        }
        void vcpu_loop(struct kvm_vcpu *vcpu, struct kvm_vcpu *other)
        {
                kvm_vcpu_srcu_read_lock(vcpu);
                vcpu_look_up(vcpu);
                vcpu_block(vcpu);
                kvm_vcpu_srcu_read_lock(other);
                other->pages++;
                kvm_vcpu_srcu_read_unlock(other);
                kvm_vcpu_srcu_read_unlock(vcpu);
        }
        """,
    ),
)
