# SPDX-License-Identifier: GPL-2.0-or-later
"""An object of a list with SRCU readers waits for RCU readers instead."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    variable, call, domain = context.detail
    return Report(
        subject=f"{variable} {call}",
        message=f"{call} frees {variable} after a grace period of RCU, and its readers hold {domain}",
        question=f"Does {call} wait for the readers of {variable}? In this file they only hold srcu_read_lock() on "
        f"{domain}.",
        was=f"{call} freed {variable} after a grace period of RCU",
        consequence="An RCU grace period can end while an SRCU reader still uses the object.",
    )


CHECK = Check(
    id="srcu-call-rcu-flavor",
    area="srcu",
    severity=Severity.QUESTION,
    kernels=Kernels.ALL,
    rule="What SRCU readers use is freed after a grace period of the same srcu_struct.",
    why="The grace periods of RCU and of each srcu_struct wait for their own readers only.",
    events=frozenset({EventKind.WRONG_GRACE_PERIOD}),
    judge=judge,
    sources=(
        Source(
            "Documentation/RCU/checklist.rst",
            "Mixing things up will result in confusion and",
            "Review Checklist for RCU Patches",
        ),
    ),
    wrong=(
        """
        static void release(struct rcu_head *head)
        {
                kfree(container_of(head, struct entry, rcu));
        }
        static struct entry *find(struct table *table, int key)
        {
                struct entry *entry;

                hlist_for_each_entry_rcu(entry, &table->list, link, srcu_read_lock_held(&table->srcu))
                        if (entry->key == key)
                                return entry;
                return NULL;
        }
        int value_of(struct table *table, int key)
        {
                int idx = srcu_read_lock(&table->srcu);
                struct entry *entry = find(table, key);
                int value = entry ? entry->value : 0;

                srcu_read_unlock(&table->srcu, idx);
                return value;
        }
        void forget(struct table *table, struct entry *entry)
        {
                hlist_del_rcu(&entry->link);
                empty(entry);
                call_rcu(&entry->rcu, release); /* wrong */
        }
        """,
    ),
    right=(
        """
        static void release(struct rcu_head *head)
        {
                kfree(container_of(head, struct entry, rcu));
        }
        int value_of(struct table *table)
        {
                int idx = srcu_read_lock(&table->srcu);
                struct entry *entry;
                int value = 0;

                list_for_each_entry_srcu(entry, &table->list, link, srcu_read_lock_held(&table->srcu))
                        value += entry->value;
                srcu_read_unlock(&table->srcu, idx);
                return value;
        }
        void forget(struct table *table, struct entry *entry)
        {
                list_del_rcu(&entry->link);
                call_srcu(&table->srcu, &entry->rcu, release);
        }
        """,
        """
        int value_of(struct table *table)
        {
                struct entry *entry;
                int idx, value = 0;

                idx = srcu_read_lock(&table->srcu);
                rcu_read_lock();
                list_for_each_entry_rcu(entry, &table->list, link)
                        value += entry->value;
                rcu_read_unlock();
                srcu_read_unlock(&table->srcu, idx);
                return value;
        }
        void forget(struct table *table, struct entry *entry)
        {
                list_del_rcu(&entry->link);
                kfree_rcu(entry, rcu);
        }
        """,
    ),
)
