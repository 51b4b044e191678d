# SPDX-License-Identifier: GPL-2.0-or-later
"""The index of an SRCU reader is kept in a variable that still holds that of an outer one."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report | None:
    kind, variable, line, call = context.detail
    if kind != "SRCU index":
        return None
    return Report(
        subject=variable,
        message=f"the index of {context.call} overwrites that of {call} from line {line} in {variable}",
        question=f"With which index does the reader from line {line} end? {variable} gets that of {context.call} here.",
        was=f"{variable} was overwritten here",
        consequence="The reader is counted out of a grace period that it was not in: one ends too early or never.",
    )


CHECK = Check(
    id="srcu-index-overwritten",
    area="srcu",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="Each SRCU reader keeps its own index, and hands it unaltered to its srcu_read_unlock().",
    why="The index says in which of the two counters the reader stands.",
    events=frozenset({EventKind.SAVED_TWICE}),
    judge=judge,
    sources=(
        Source(
            "Documentation/RCU/checklist.rst",
            "srcu_read_unlock() calls must be passed the same srcu_struct",
            "Review Checklist for RCU Patches",
        ),
    ),
    wrong=(
        """
        struct bus { struct srcu_struct srcu, lines; };
        void bus_read(struct bus *bus)
        {
                int idx;

                idx = srcu_read_lock(&bus->srcu);
                idx = srcu_read_lock(&bus->lines); /* wrong */
                bus->reads++;
                srcu_read_unlock(&bus->lines, idx);
                srcu_read_unlock(&bus->srcu, idx);
        }
        """,
    ),
    right=(
        """
        struct bus { struct srcu_struct srcu, lines; };
        void bus_read(struct bus *bus, bool wait)
        {
                int idx, line;

                idx = srcu_read_lock(&bus->srcu);
                line = srcu_read_lock(&bus->lines);
                bus->reads++;
                srcu_read_unlock(&bus->lines, line);
                if (wait) {
                        srcu_read_unlock(&bus->srcu, idx);
                        wait_for_bus(bus);
                        idx = srcu_read_lock(&bus->srcu);
                }
                srcu_read_unlock(&bus->srcu, idx);
        }
        """,
    ),
)
