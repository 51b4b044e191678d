# SPDX-License-Identifier: GPL-2.0-or-later
"""A call without the lock with which all other callers make it."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity


def judge(context: Context) -> Report | None:
    lock, others = context.detail
    return Report(
        subject=f"{context.callee} {lock}",
        message=f"{context.callee}() is called without {lock}, with which {others} call it",
        question=f"Is {context.callee}() safe without {lock} here? {others} call it with that.",
        was=f"{context.callee}() was called without {lock}",
    )


CHECK = Check(
    id="lock-held-by-other-callers",
    area="locking",
    severity=Severity.QUESTION,
    kernels=Kernels.ALL,
    rule="A function that all others call with a lock held is called with it.",
    why="The other callers exclude each other by it; this one runs beside them.",
    events=frozenset({EventKind.CALLED_UNLIKE}),
    judge=judge,
    sources=(),
    wrong=(
        """
        static DEFINE_MUTEX(table_lock);
        static void table_update(struct table *table)
        {
                table->size++;
        }
        void table_add(struct table *table)
        {
                mutex_lock(&table_lock);
                table_update(table);
                mutex_unlock(&table_lock);
        }
        void table_remove(struct table *table)
        {
                guard(mutex)(&table_lock);
                table_update(table);
        }
        static int table_online(struct state *state)
        {
                table_update(state->table); /* wrong */
                return 0;
        }
        static struct subsystem table_subsystem = {
                .online = table_online,
        };
        """,
    ),
    right=(
        """
        static DEFINE_MUTEX(table_lock);
        static void table_update(struct table *table)
        {
                table->size++;
        }
        void table_add(struct table *table)
        {
                mutex_lock(&table_lock);
                table_update(table);
                mutex_unlock(&table_lock);
        }
        void table_remove(struct table *table)
        {
                guard(mutex)(&table_lock);
                table_update(table);
        }
        static void table_reset_locked(struct table *table)
        {
                table_update(table);
        }
        static int table_online(struct state *state)
        {
                guard(mutex)(&table_lock);
                table_reset_locked(state->table);
                return 0;
        }
        static struct subsystem table_subsystem = {
                .online = table_online,
        };
        """,
    ),
)
