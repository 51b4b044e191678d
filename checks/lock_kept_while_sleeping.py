# SPDX-License-Identifier: GPL-2.0-or-later
"""A function no longer releases its caller's lock before it sleeps."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    lock, caller = context.detail
    return Report(
        subject=f"{context.callee} {lock}",
        message=f"{context.call} may sleep with {lock} held, which {caller}() holds and nothing releases any more",
        question=f"Who releases {lock} before {context.call}? {caller}() calls this with it held.",
        was=f"{context.call} slept with {lock} held",
    )


CHECK = Check(
    id="lock-kept-while-sleeping",
    area="locking",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="Who sleeps in a function that is called with a spinlock held releases it before.",
    why="Nobody may sleep with a spinlock held: whoever wants it spins until the task runs again, or for ever.",
    events=frozenset({EventKind.SLEEPS_WITH_KEPT_LOCK}),
    judge=judge,
    sources=(
        Source(
            "Documentation/kernel-hacking/locking.rst",
            "you can never call them while holding a",
            "What Functions Are Safe To Call From Interrupts?",
        ),
        Source(
            "Documentation/locking/locktypes.rst",
            "Sleeping locks can only be acquired in preemptible",
            "Sleeping locks",
        ),
    ),
    wrong=(
        """
        struct gate { raw_spinlock_t wait_lock; };
        static void gate_stop(struct gate *gate, int error)
        {
                if (error != -EDEADLK)
                        return;
                raw_spin_unlock_irq(&gate->wait_lock);
                for (;;)
                        schedule();
        }
        int gate_take(struct gate *gate)
        {
                int error;

                lockdep_assert_held(&gate->wait_lock);
                error = gate_try(gate);
                if (error)
                        gate_stop(gate, error);
                return error;
        }
        /* After it: */
        struct gate { raw_spinlock_t wait_lock; };
        static void gate_stop(struct gate *gate, int error)
        {
                if (error != -EDEADLK)
                        return;
                for (;;)
                        schedule(); /* wrong */
        }
        int gate_take(struct gate *gate)
        {
                int error;

                lockdep_assert_held(&gate->wait_lock);
                error = gate_try(gate);
                if (error)
                        gate_stop(gate, error);
                return error;
        }
        """,
    ),
    right=(
        """
        struct gate { raw_spinlock_t wait_lock; };
        static void gate_stop(struct gate *gate, int error)
        {
                if (gate_is_idle())
                        raw_spin_unlock_irq(&gate->wait_lock);
                schedule();
        }
        int gate_take(struct gate *gate)
        {
                int error;

                lockdep_assert_held(&gate->wait_lock);
                error = gate_try(gate);
                if (error)
                        gate_stop(gate, error);
                return error;
        }
        /* After it: */
        struct gate { raw_spinlock_t wait_lock; };
        static void gate_stop(struct gate *gate, int error)
        {
                pr_debug("stop\\n");
                if (gate_is_idle())
                        raw_spin_unlock_irq(&gate->wait_lock);
                schedule();
        }
        int gate_take(struct gate *gate)
        {
                int error;

                lockdep_assert_held(&gate->wait_lock);
                error = gate_try(gate);
                if (error)
                        gate_stop(gate, error);
                return error;
        }
        """,
        """
        struct gate { raw_spinlock_t wait_lock; };
        static void gate_stop(struct gate *gate, int error)
        {
                if (error != -EDEADLK)
                        return;
                raw_spin_unlock_irq(&gate->wait_lock);
                for (;;)
                        schedule();
        }
        int gate_take(struct gate *gate)
        {
                int error;

                raw_spin_lock_irq(&gate->wait_lock);
                error = gate_try(gate);
                if (error)
                        gate_stop(gate, error);
                raw_spin_unlock_irq(&gate->wait_lock);
                return error;
        }
        /* After it: */
        struct gate { raw_spinlock_t wait_lock; };
        static void gate_stop(struct gate *gate, int error)
        {
                if (error != -EDEADLK)
                        return;
                for (;;)
                        schedule();
        }
        int gate_take(struct gate *gate)
        {
                int error;

                raw_spin_lock_irq(&gate->wait_lock);
                error = gate_try(gate);
                raw_spin_unlock_irq(&gate->wait_lock);
                if (error)
                        gate_stop(gate, error);
                return error;
        }
        """,
    ),
)
