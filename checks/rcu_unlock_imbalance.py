# SPDX-License-Identifier: GPL-2.0-or-later
"""A return that leaves an RCU reader open."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report | None:
    what, right, _ = context.detail
    if what == "rcu let go":
        return Report(
            subject="rcu",
            message=f"{context.callee}() is called, and its counterpart no longer is",
            question=f"Who enters the reader now? {context.function}() did so itself before this patch.",
            was=f"{context.function}() called {context.callee}() without its counterpart",
            consequence="It ends a reader of somebody else, whose objects may then be freed.",
        )
    if what != "rcu":
        return None
    if not right:
        return Report(
            subject="rcu",
            message=f"returns after {context.callee}() without its counterpart, which it used to call",
            question=f"Is the counterpart of {context.callee}() missing now? "
            f"{context.function}() called it before this patch.",
            was=f"{context.function}() returned after {context.callee}() without its counterpart",
            consequence="A reader that is never left keeps every later grace period from ending.",
        )
    return Report(
        subject="rcu",
        message=f"returns after {context.callee}() without its counterpart, "
        + ("which other paths come to" if right == "0" else "unlike the other paths"),
        question=f"Is the counterpart of {context.callee}() missing on this path?"
        + ("" if right == "0" else f" Other returns of {context.function}() are balanced."),
        was=f"{context.function}() returned after {context.callee}() without its counterpart",
        consequence="A reader that is never left keeps every later grace period from ending.",
    )


CHECK = Check(
    id="rcu-unlock-imbalance",
    area="rcu",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="Every path out of a function leaves the RCU read nesting as it found it.",
    why="A reader that is never left keeps grace periods from ending; one left twice ends somebody else's.",
    events=frozenset({EventKind.UNBALANCED}),
    judge=judge,
    sources=(
        Source(
            "Documentation/RCU/checklist.rst",
            "these guards can be less error-prone than rcu_read_lock()",
            "Review Checklist for RCU Patches",
        ),
    ),
    wrong=(
        """
        int lookup(struct table *table)
        {
                rcu_read_lock();
                if (!table->ready)
                        return -EAGAIN; /* wrong */
                table->hits++;
                rcu_read_unlock();
                return 0;
        }
        """,
        """
        void walk(struct table *table)
        {
                rcu_read_lock();
                if (!table->ready)
                        return; /* wrong */
                rcu_read_unlock();
        }
        """,
    ),
    right=(
        """
        int lookup(struct table *table)
        {
                int err = 0;

                rcu_read_lock();
                if (!table->ready) {
                        err = -EAGAIN;
                        goto out;
                }
                table->hits++;
        out:
                rcu_read_unlock();
                return err;
        }
        """,
        """
        int guarded(struct table *table)
        {
                guard(rcu)();
                if (!table->ready)
                        return -EAGAIN;
                return 0;
        }
        """,
        """
        struct entry *table_start(struct table *table)
        {
                rcu_read_lock();
                return table->first;
        }
        """,
    ),
)
