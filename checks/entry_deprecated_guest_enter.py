# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest is entered by a function that leaves lockdep and tracing to the caller."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    successors = " and ".join(f"{name}()" for name in sorted(context.detail[0].split(), reverse=True))
    return Report(
        subject=context.callee,
        message=f"{context.call} is deprecated: {successors} take its place",
        question=f"Could this use {successors}? {context.call} is deprecated.",
        was=f"{context.call} was called",
    )


CHECK = Check(
    id="entry-deprecated-guest-enter",
    area="entry",
    severity=Severity.NIT,
    kernels=Kernels.ALL,
    rule="New code enters and leaves the guest with guest_timing_*_irqoff() and guest_state_*_irqoff().",
    why="The older functions do not tell lockdep and tracing of the interrupt flag, and take time and state as one.",
    events=frozenset({EventKind.DEPRECATED}),
    judge=judge,
    sources=(
        Source(
            "include/linux/kvm_host.h",
            "Deprecated. Architectures should move to guest_timing_enter_irqoff() and",
            "comment above guest_enter_irqoff",
        ),
    ),
    wrong=(
        """
        static void guest_state_enter_irqoff(void) {}
        int run_guest(struct kvm_vcpu *vcpu)
        {
                int ret;

                local_irq_disable();
                guest_enter_irqoff(); /* wrong */
                ret = enter_guest(vcpu);
                guest_state_exit_irqoff();
                local_irq_enable();
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
                guest_enter_irqoff();
                ret = enter_guest(vcpu);
                guest_exit_irqoff();
                local_irq_enable();
                return ret;
        }
        """,
        """
        static void guest_state_enter_irqoff(void) {}
        int run_guest(struct kvm_vcpu *vcpu)
        {
                int ret;

                local_irq_disable();
                guest_timing_enter_irqoff();
                guest_state_enter_irqoff();
                ret = enter_guest(vcpu);
                guest_state_exit_irqoff();
                guest_timing_exit_irqoff();
                local_irq_enable();
                return ret;
        }
        """,
    ),
)
