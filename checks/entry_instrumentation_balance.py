# SPDX-License-Identifier: GPL-2.0-or-later
"""A function returns with instrumentation allowed that it forbids again on other paths."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    return Report(
        subject="instrumentation",
        message=f"{context.function}() returns here without instrumentation_end()",
        question="Is instrumentation_end() missing on this path? The other paths have it.",
        was=f"{context.function}() returned without instrumentation_end()",
    )


CHECK = Check(
    id="entry-instrumentation-balance",
    area="entry",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="instrumentation_begin() and instrumentation_end() are balanced on every path.",
    why="objtool stops the build of a kernel that validates noinstr code, and takes what follows for allowed.",
    events=frozenset({EventKind.INSTRUMENTATION_LEFT}),
    judge=judge,
    sources=(
        Source(
            "Documentation/core-api/entry.rst",
            "noinstr and using instrumentation_begin() and instrumentation_end() to flag",
            "Non-instrumentable code - noinstr",
        ),
    ),
    wrong=(
        """
        static noinstr void fault(struct pt_regs *regs, bool handled)
        {
                instrumentation_begin();
                if (handled)
                        return; /* wrong */
                look_at(regs);
                instrumentation_end();
        }
        """,
    ),
    right=(
        """
        static noinstr void fault(struct pt_regs *regs, bool handled)
        {
                instrumentation_begin();
                if (handled)
                        goto out;
                look_at(regs);
        out:
                instrumentation_end();
        }
        static __always_inline void begin(void)
        {
                instrumentation_begin();
        }
        """,
    ),
)
