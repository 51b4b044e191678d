# SPDX-License-Identifier: GPL-2.0-or-later
"""An RCU list walked where neither a reader is open nor a lock held."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source, required_report


def judge(context: Context) -> Report | None:
    return required_report(context) if "walk" in context.required_kinds else None


CHECK = Check(
    id="rcu-iterator-outside-reader",
    area="rcu",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="A list is walked with the RCU iterators inside a reader, or under the lock of who changes it.",
    why="An entry that another CPU removes is freed under the walk.",
    events=frozenset({EventKind.REQUIRES}),
    judge=judge,
    sources=(
        Source(
            "Documentation/RCU/checklist.rst",
            "list_for_each_safe_rcu(), must be either within an RCU read-side",
            "Review Checklist for RCU Patches",
        ),
        Source("include/linux/rculist.h", "RCU-list traversed in non-reader section!", "__list_check_rcu"),
    ),
    wrong=(
        """
        struct table { struct list_head list; };
        static long table_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
        {
                struct table *table = file->private_data;
                struct entry *entry;
                long sum = 0;

                list_for_each_entry_rcu(entry, &table->list, link) /* wrong */
                        sum += entry->value;
                return sum;
        }
        static const struct file_operations table_fops = {
                .unlocked_ioctl = table_ioctl,
        };
        """,
    ),
    right=(
        """
        struct table { struct list_head list; struct mutex lock; };
        static long table_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
        {
                struct table *table = file->private_data;
                struct entry *entry;
                long sum = 0;

                rcu_read_lock();
                list_for_each_entry_rcu(entry, &table->list, link)
                        sum += entry->value;
                rcu_read_unlock();
                mutex_lock(&table->lock);
                list_for_each_entry_rcu(entry, &table->list, link)
                        sum += entry->value;
                mutex_unlock(&table->lock);
                return sum;
        }
        static const struct file_operations table_fops = {
                .unlocked_ioctl = table_ioctl,
        };
        """,
    ),
)
