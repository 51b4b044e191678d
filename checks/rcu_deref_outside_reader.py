# SPDX-License-Identifier: GPL-2.0-or-later
"""An RCU-protected pointer dereferenced where no reader is open."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source, required_report


def judge(context: Context) -> Report | None:
    if "rcu" not in context.required_kinds or "srcu" in context.required_kinds:
        return None
    return required_report(context)


CHECK = Check(
    id="rcu-deref-outside-reader",
    area="rcu",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="rcu_dereference() is called inside a reader, or with the update-side lock named in its condition.",
    why="Without a reader a grace period can end at any time, and what the pointer leads to is freed.",
    events=frozenset({EventKind.REQUIRES}),
    judge=judge,
    sources=(
        Source(
            "Documentation/RCU/checklist.rst",
            "pointer must be covered by rcu_read_lock(), rcu_read_lock_bh()",
            "Review Checklist for RCU Patches",
        ),
        Source("Documentation/RCU/lockdep-splat.rst", "being in the right kind of", "Lockdep-RCU Splat"),
    ),
    wrong=(
        """
        struct table { struct entry __rcu *first; };
        static int table_first(struct table *table)
        {
                return rcu_dereference(table->first)->value;
        }
        static ssize_t table_read(struct file *file, char __user *to, size_t size, loff_t *at)
        {
                return table_first(file->private_data); /* wrong */
        }
        static const struct file_operations table_fops = {
                .read = table_read,
        };
        """,
        """
        struct table { struct entry __rcu *first; struct mutex lock; };
        static long table_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
        {
                struct table *table = file->private_data;
                struct entry *entry;

                mutex_lock(&table->lock);
                entry = rcu_dereference_protected(table->first, lockdep_is_held(&table->lock));
                mutex_unlock(&table->lock);
                rcu_read_lock();
                entry = rcu_dereference(table->first);
                rcu_read_unlock();
                entry = rcu_dereference(table->first); /* wrong */
                return entry->value;
        }
        static const struct file_operations table_fops = {
                .unlocked_ioctl = table_ioctl,
        };
        """,
    ),
    right=(
        """
        struct table { struct entry __rcu *first; struct mutex lock; };
        static int table_first(struct table *table)
        {
                return rcu_dereference_check(table->first, lockdep_is_held(&table->lock))->value;
        }
        static ssize_t table_read(struct file *file, char __user *to, size_t size, loff_t *at)
        {
                guard(rcu)();
                return table_first(file->private_data);
        }
        static ssize_t table_write(struct file *file, const char __user *to, size_t size, loff_t *at)
        {
                struct table *table = file->private_data;
                int value;

                mutex_lock(&table->lock);
                value = table_first(table);
                mutex_unlock(&table->lock);
                return value;
        }
        static const struct file_operations table_fops = {
                .read = table_read,
                .write = table_write,
        };
        """,
        """
        struct table { struct entry __rcu *first; };
        static int table_first(struct table *table)
        {
                return rcu_dereference(table->first)->value;
        }
        static irqreturn_t table_irq(int irq, void *data)
        {
                return table_first(data) ? IRQ_HANDLED : IRQ_NONE;
        }
        int table_init(int irq, struct table *table)
        {
                return request_irq(irq, table_irq, 0, "table", table);
        }
        """,
    ),
)
