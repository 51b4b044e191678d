# SPDX-License-Identifier: GPL-2.0-or-later
"""Interrupts enabled inside the guest's extended quiescent state."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source, Watching


def judge(context: Context) -> Report | None:
    if context.watching is not Watching.GUEST:
        return None
    return Report(
        subject=context.callee,
        message=f"{context.call} enables interrupts inside the extended quiescent state of the guest",
        question=f"Which interrupt can hit after {context.call}? RCU does not watch until the guest state is left.",
        was=f"{context.call} enabled interrupts before the guest state was left",
        consequence="An interrupt taken there runs without RCU watching: its RCU readers protect nothing.",
    )


CHECK = Check(
    id="entry-guest-eqs-irqs-enabled",
    area="entry",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="Interrupts stay disabled from the entry into the guest's extended quiescent state until it has been left.",
    why="An interrupt taken from kernel code is not treated as leaving that state, so RCU does not "
    "watch in its handler.",
    events=frozenset({EventKind.IRQ_ENABLE}),
    judge=judge,
    sources=(
        Source(
            "include/linux/kvm_host.h", "Must be invoked with interrupts disabled and the", "guest_state_exit_irqoff"
        ),
        Source(
            "include/linux/kvm_host.h", "Must be called with interrupts disabled and the", "guest_state_enter_irqoff"
        ),
        Source(
            "Documentation/core-api/entry.rst",
            "state transitions must run with interrupts disabled",
            "Non-instrumentable code - noinstr",
        ),
    ),
    wrong=(
        """
        int run_guest(struct kvm_vcpu *vcpu)
        {
                int ret;

                local_irq_disable();
                guest_enter_irqoff();
                ret = enter_guest(vcpu);
                local_irq_enable(); /* wrong */
                guest_exit();
                return ret;
        }
        """,
    ),
    right=(
        """
        int run_guest(struct kvm_vcpu *vcpu)
        {
                int ret;

                local_irq_disable();
                guest_timing_enter_irqoff();
                guest_state_enter_irqoff();
                ret = enter_guest(vcpu);
                guest_state_exit_irqoff();
                local_irq_enable();
                local_irq_disable();
                guest_timing_exit_irqoff();
                local_irq_enable();
                return ret;
        }
        """,
        """
        static noinstr void enter_exit(struct kvm_vcpu *vcpu)
        {
                guest_state_enter_irqoff();
                raw_local_irq_enable();
                enter_guest(vcpu);
                raw_local_irq_disable();
                guest_state_exit_irqoff();
        }
        """,
        """
        int handle_exit(struct kvm_vcpu *vcpu)
        {
                guest_timing_exit_irqoff();
                guest_state_exit_irqoff();
                local_irq_enable();
                return handle_fault(vcpu);
        }
        int run_guest(struct kvm_vcpu *vcpu)
        {
                int ret;

                guest_timing_enter_irqoff();
                guest_state_enter_irqoff();
                ret = vcpu->ops->enter_guest(vcpu);
                local_irq_enable();
                return ret;
        }
        """,
    ),
)
