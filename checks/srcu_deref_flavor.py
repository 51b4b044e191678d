# SPDX-License-Identifier: GPL-2.0-or-later
"""An RCU list iterator where only an SRCU reader is open."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report | None:
    domain = context.only_srcu
    if domain is None:
        return None
    return Report(
        subject=context.callee if context.direct else f"{context.callee} {domain}",
        message=f"{context.call} walks the list with only the SRCU reader of {domain} open",
        question=f"Which RCU reader protects {context.call} here? I see only srcu_read_lock() on {domain}.",
        was=f"{context.call} walked the list with only the SRCU reader of {domain} open",
    )


CHECK = Check(
    id="srcu-deref-flavor",
    area="srcu",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="Inside an SRCU reader a list is walked with the iterators that name its srcu_struct.",
    why="The plain RCU iterators want rcu_read_lock() and make lockdep complain of suspicious RCU usage.",
    events=frozenset({EventKind.RCU_WALK}),
    judge=judge,
    sources=(
        Source(
            "Documentation/RCU/checklist.rst",
            "use srcu_dereference() in order to avoid lockdep splats",
            "Review Checklist for RCU Patches",
        ),
        Source(
            "include/linux/srcu.h", "critical section will result in an RCU-lockdep splat", "srcu_dereference_check"
        ),
    ),
    wrong=(
        """
        static void notify_all(struct table *table)
        {
                struct entry *entry;

                list_for_each_entry_rcu(entry, &table->list, link)
                        entry->seen = 1;
        }

        void acked(struct table *table)
        {
                int idx = srcu_read_lock(&table->srcu);

                notify_all(table); /* wrong */
                srcu_read_unlock(&table->srcu, idx);
        }
        """,
        """
        void notify(struct table *table)
        {
                struct entry *entry;
                int idx = srcu_read_lock(&table->srcu);

                list_for_each_entry_rcu(entry, &table->list, link) /* wrong */
                        entry->seen = 1;
                srcu_read_unlock(&table->srcu, idx);
        }
        """,
    ),
    right=(
        """
        static void notify_all(struct table *table)
        {
                struct entry *entry;

                rcu_read_lock();
                list_for_each_entry_rcu(entry, &table->list, link)
                        entry->seen = 1;
                rcu_read_unlock();
        }

        void acked(struct table *table)
        {
                int idx = srcu_read_lock(&table->srcu);

                notify_all(table);
                srcu_read_unlock(&table->srcu, idx);
        }
        """,
        """
        void notify(struct table *table)
        {
                struct entry *entry;
                int idx = srcu_read_lock(&table->srcu);

                list_for_each_entry_srcu(entry, &table->list, link, srcu_read_lock_held(&table->srcu))
                        entry->seen = 1;
                list_for_each_entry_rcu(entry, &table->list, link, srcu_read_lock_held(&table->srcu))
                        entry->seen = 1;
                srcu_read_unlock(&table->srcu, idx);
        }
        """,
        """
        void notify(struct table *table)
        {
                struct entry *entry;
                int idx = srcu_read_lock(&table->srcu);

                rcu_read_lock();
                list_for_each_entry_rcu(entry, &table->list, link)
                        entry->seen = 1;
                rcu_read_unlock();
                srcu_read_unlock(&table->srcu, idx);
        }
        """,
    ),
)
