# SPDX-License-Identifier: GPL-2.0-or-later
"""Bottom halves are disabled where preemption was."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    return Report(
        subject=context.callee,
        message="returns with only bottom halves disabled, which PREEMPT_RT can preempt; it disabled preemption there",
        question="Does whoever calls this rely on not being preempted? On PREEMPT_RT disabling bottom halves does not "
        "do that.",
        was="only bottom halves were disabled",
        consequence="Another task can run on the CPU and use the same registers or per-CPU data.",
    )


CHECK = Check(
    id="rt-bh-for-preempt",
    area="rt",
    severity=Severity.BUG,
    kernels=Kernels.PREEMPT_RT,
    rule="What must not be preempted disables preemption on PREEMPT_RT, not only bottom halves.",
    why="local_bh_disable() leaves preemption enabled there, and bottom halves run in threads.",
    events=frozenset({EventKind.BH_FOR_PREEMPT}),
    judge=judge,
    sources=(
        Source("arch/x86/include/asm/fpu/api.h", "local_bh_disable() is not sufficient", "fpregs_lock"),
        Source(
            "Documentation/core-api/real-time/differences.rst",
            "you must not rely on mechanisms like local_bh_disable()",
            "Soft interrupts, bottom half handling",
        ),
    ),
    wrong=(
        """
        static void unit_hold(void)
        {
                if (!IS_ENABLED(CONFIG_PREEMPT_RT))
                        local_bh_disable();
                else
                        preempt_disable();
        }
        void unit_begin(void)
        {
                unit_hold();
                enable_unit();
        }
        void unit_end(void)
        {
                disable_unit();
                if (!IS_ENABLED(CONFIG_PREEMPT_RT))
                        local_bh_enable();
                else
                        preempt_enable();
        }
        /* After it: */
        void unit_begin(void)
        {
                local_bh_disable(); /* wrong */
                enable_unit();
        }
        void unit_end(void)
        {
                disable_unit();
                local_bh_enable();
        }
        """,
    ),
    right=(
        """
        void unit_count(struct unit *unit)
        {
                preempt_disable();
                unit->count++;
                preempt_enable();
        }
        /* After it: */
        void unit_count(struct unit *unit)
        {
                local_bh_disable();
                unit->count++;
                local_bh_enable();
        }
        """,
        """
        static void unit_hold(void)
        {
                if (!IS_ENABLED(CONFIG_PREEMPT_RT))
                        local_bh_disable();
                else
                        preempt_disable();
        }
        void unit_begin(void)
        {
                unit_hold();
                enable_unit();
        }
        /* After it: */
        static void unit_hold(void)
        {
                if (IS_ENABLED(CONFIG_PREEMPT_RT))
                        preempt_disable();
                else
                        local_bh_disable();
        }
        void unit_begin(void)
        {
                unit_hold();
                enable_unit();
        }
        """,
    ),
)
