# SPDX-License-Identifier: GPL-2.0-or-later
"""An RCU reader or a tracepoint between the entry into an extended quiescent state and its exit."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source, Watching


def judge(context: Context) -> Report:
    state = "guest" if context.watching is Watching.GUEST else "idle task"
    return Report(
        subject=context.callee,
        message=f"{context.call} uses RCU inside the extended quiescent state of the {state}",
        question=f"Does RCU watch at {context.call}? The extended quiescent state of the {state} has been entered.",
        was=f"{context.call} used RCU inside the extended quiescent state of the {state}",
        consequence="The reader protects nothing there: a grace period does not wait for it.",
    )


CHECK = Check(
    id="entry-rcu-use-in-eqs",
    area="entry",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="Between the entry into an extended quiescent state and its exit there is no RCU reader and no tracepoint.",
    why="RCU does not watch there, so that grace periods end in the middle of the reader.",
    events=frozenset({EventKind.RCU_IN_EQS}),
    judge=judge,
    sources=(
        Source("kernel/locking/lockdep.c", "Therefore, rcu_read_lock() and friends have absolutely no"),
        Source("include/linux/rcupdate.h", "rcu_read_lock() used illegally while idle"),
    ),
    wrong=(
        """
        int run_guest(struct kvm_vcpu *vcpu)
        {
                int ret;

                local_irq_disable();
                guest_state_enter_irqoff();
                trace_guest_runs(vcpu); /* wrong */
                ret = enter_guest(vcpu);
                guest_state_exit_irqoff();
                local_irq_enable();
                return ret;
        }
        """,
        """
        static int sleep_deep(struct cpuidle_device *dev)
        {
                ct_cpuidle_enter();
                rcu_read_lock(); /* wrong */
                dev->latency = READ_ONCE(dev->table->latency);
                rcu_read_unlock();
                wait_for_interrupt();
                ct_cpuidle_exit();
                return 0;
        }
        """,
    ),
    right=(
        """
        int run_guest(struct kvm_vcpu *vcpu)
        {
                int ret;

                local_irq_disable();
                trace_guest_runs(vcpu);
                guest_state_enter_irqoff();
                ret = enter_guest(vcpu);
                trace_hardirqs_off_finish();
                guest_state_exit_irqoff();
                trace_guest_left(vcpu);
                local_irq_enable();
                return ret;
        }
        static int sleep_deep(struct cpuidle_device *dev)
        {
                rcu_read_lock();
                dev->latency = READ_ONCE(dev->table->latency);
                rcu_read_unlock();
                ct_cpuidle_enter();
                wait_for_interrupt();
                ct_cpuidle_exit();
                trace_cpu_idle(dev->index);
                return 0;
        }
        """,
        """
        int run_guest(struct kvm_vcpu *vcpu)
        {
                int ret;

                local_irq_disable();
                trace_guest_runs(vcpu);
                guest_state_enter_irqoff();
                ret = vcpu->ops->enter_guest(vcpu);
                trace_guest_left(vcpu);
                return ret;
        }
        """,
    ),
)
