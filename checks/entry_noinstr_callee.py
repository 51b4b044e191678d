# SPDX-License-Identifier: GPL-2.0-or-later
"""A noinstr function calls what can be traced."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    return Report(
        subject=context.callee,
        message=f"{context.call} can be instrumented and is called in noinstr code",
        question=f"Can {context.call} be called here? {context.function}() is noinstr, and {context.callee}() is not.",
        was=f"{context.call} was called in noinstr code",
        consequence="A tracer or debugger that hooks the call runs before the kernel is ready for it.",
    )


CHECK = Check(
    id="entry-noinstr-callee",
    area="entry",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="Outside instrumentation_begin() and _end(), noinstr code calls only noinstr or __always_inline functions.",
    why="Before RCU watches and after it stopped no instrumentation may run: it would use RCU, or take an exception.",
    events=frozenset({EventKind.INSTRUMENTED}),
    judge=judge,
    sources=(
        Source(
            "Documentation/core-api/entry.rst",
            "Such code must be marked with the 'noinstr'",
            "Non-instrumentable code - noinstr",
        ),
        Source(
            "Documentation/core-api/entry.rst",
            "special section inaccessible to instrumentation and debug facilities",
            "Non-instrumentable code - noinstr",
        ),
    ),
    wrong=(
        """
        static noinline void count_trap(struct pt_regs *regs) { regs->seen++; }
        noinstr void handle_trap(struct pt_regs *regs)
        {
                count_trap(regs); /* wrong */
        }
        """,
        """
        DEFINE_IDTENTRY_RAW(exc_strange_trap)
        {
                pr_err("strange\\n"); /* wrong */
        }
        """,
    ),
    right=(
        """
        static noinline void count_trap(struct pt_regs *regs) { regs->seen++; }
        static __always_inline void look(struct pt_regs *regs) { regs->looked++; }
        static noinstr void step(struct pt_regs *regs) { regs->step++; }
        noinstr void handle_trap(struct pt_regs *regs)
        {
                look(regs);
                step(regs);
                instrumentation_begin();
                count_trap(regs);
                pr_err("trap\\n");
                instrumentation_end();
        }
        """,
        """
        DEFINE_IDTENTRY_IRQ(device_interrupt)
        {
                handle_device(regs, vector);
        }
        static noinstr void dispatch(struct pt_regs *regs)
        {
                device_interrupt(regs, regs->vector);
        }
        """,
    ),
)
