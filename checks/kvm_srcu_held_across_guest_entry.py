# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest is entered in a reader of kvm->srcu."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    (domain,) = context.detail
    return Report(
        subject=domain,
        message=f"{context.call} enters the guest in a reader of {domain}",
        question=f"How long can the guest run? Who exchanges memslots waits for the reader of {domain}.",
        was=f"{context.call} entered the guest in a reader of {domain}",
        consequence="Memslots, buses and routes cannot be exchanged until the vCPU leaves the guest.",
    )


CHECK = Check(
    id="kvm-srcu-held-across-guest-entry",
    area="kvm",
    severity=Severity.QUESTION,
    kernels=Kernels.ALL,
    rule="A vCPU leaves its reader of kvm->srcu before it enters the guest.",
    why="synchronize_srcu() waits for the reader, and the guest may not exit for long.",
    events=frozenset({EventKind.GUEST_IN_READER}),
    judge=judge,
    sources=(
        Source("include/linux/kvm_host.h", "KVM does not hold any references to rcu", "in guest_context_enter_irqoff"),
    ),
    wrong=(
        """
        struct kvm { struct srcu_struct srcu; };
        struct kvm_vcpu { struct kvm *kvm; int runs; };
        static void vcpu_enter(struct kvm_vcpu *vcpu)
        {
                guest_state_enter_irqoff();
                vcpu->runs++;
                guest_state_exit_irqoff();
        }
        void vcpu_loop(struct kvm_vcpu *vcpu)
        {
                int idx = srcu_read_lock(&vcpu->kvm->srcu);

                local_irq_disable();
                vcpu_enter(vcpu); /* wrong */
                local_irq_enable();
                srcu_read_unlock(&vcpu->kvm->srcu, idx);
        }
        """,
    ),
    right=(
        """
        struct kvm { struct srcu_struct srcu; };
        struct kvm_vcpu { struct kvm *kvm; int runs; };
        static void vcpu_enter(struct kvm_vcpu *vcpu)
        {
                kvm_vcpu_srcu_read_unlock(vcpu);
                local_irq_disable();
                guest_timing_enter_irqoff();
                guest_state_enter_irqoff();
                vcpu->runs++;
                guest_state_exit_irqoff();
                guest_timing_exit_irqoff();
                local_irq_enable();
                kvm_vcpu_srcu_read_lock(vcpu);
        }
        void vcpu_loop(struct kvm_vcpu *vcpu)
        {
                kvm_vcpu_srcu_read_lock(vcpu);
                vcpu_enter(vcpu);
                kvm_vcpu_srcu_read_unlock(vcpu);
        }
        """,
        """
        struct kvm { struct srcu_struct srcu; };
        struct kvm_vcpu { struct kvm *kvm; int runs; };
        void vcpu_run_core(struct kvm_vcpu *vcpu)
        {
                int idx;

                local_irq_disable();
                idx = srcu_read_lock(&vcpu->kvm->srcu);
                guest_state_enter_irqoff();
                vcpu->runs++;
                guest_state_exit_irqoff();
                srcu_read_unlock(&vcpu->kvm->srcu, idx);
                local_irq_enable();
        }
        """,
    ),
)
