# SPDX-License-Identifier: GPL-2.0-or-later
"""guard() of a lock that can fail to be taken."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    return Report(
        subject=context.detail[0],
        message=f"{context.call} goes on where the lock was not taken",
        question=f"What if {context.call} does not get the lock? The scope goes on all the same; "
        "scoped_cond_guard() would leave it.",
        was=f"{context.call} went on where the lock was not taken",
    )


CHECK = Check(
    id="lock-guard-conditional",
    area="locking",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="guard() is not used with locks that can fail to be taken; scoped_cond_guard() says what happens then.",
    why="guard() has no name by which one could ask whether the lock is held.",
    events=frozenset({EventKind.LOCK_MAY_FAIL}),
    judge=judge,
    sources=(Source("include/linux/cleanup.h", "an anonymous instance of the (guard) class, not"),),
    wrong=(
        """
        struct box { struct mutex lock; int n; };
        int box_count(struct box *box)
        {
                guard(mutex_intr)(&box->lock); /* wrong */
                return box->n;
        }
        """,
    ),
    right=(
        """
        struct box { struct mutex lock; int n; };
        int box_count(struct box *box)
        {
                scoped_guard(mutex_try, &box->lock)
                        return box->n;
                scoped_cond_guard(mutex_intr, return -EINTR, &box->lock)
                        box->n++;
                guard(mutex)(&box->lock);
                return box->n;
        }
        """,
    ),
)
