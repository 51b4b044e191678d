# SPDX-License-Identifier: GPL-2.0-or-later
"""An SRCU-protected pointer dereferenced outside a reader of its srcu_struct."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source, required_report


def judge(context: Context) -> Report | None:
    if "srcu" not in context.required_kinds or "kvm->srcu" in context.required:
        return None
    return required_report(context)


CHECK = Check(
    id="srcu-deref-outside-reader",
    area="srcu",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="srcu_dereference() is called inside a reader of the srcu_struct that it names.",
    why="Without a reader a grace period of that srcu_struct can end at any time, and what the pointer leads to is "
    "freed.",
    events=frozenset({EventKind.REQUIRES}),
    judge=judge,
    sources=(
        Source(
            "include/linux/srcu.h",
            "critical section will result in an RCU-lockdep splat, unless",
            "srcu_dereference_check",
        ),
    ),
    wrong=(
        """
        struct bus { struct srcu_struct srcu; struct map __rcu *map; };
        static int bus_size(struct bus *bus)
        {
                return srcu_dereference(bus->map, &bus->srcu)->size;
        }
        static long bus_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
        {
                return bus_size(file->private_data); /* wrong */
        }
        static const struct file_operations bus_fops = {
                .unlocked_ioctl = bus_ioctl,
        };
        """,
    ),
    right=(
        """
        struct bus { struct srcu_struct srcu; struct mutex lock; struct map __rcu *map; };
        static int bus_size(struct bus *bus)
        {
                return srcu_dereference_check(bus->map, &bus->srcu, lockdep_is_held(&bus->lock))->size;
        }
        static long bus_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
        {
                struct bus *bus = file->private_data;
                int idx, size;

                idx = srcu_read_lock(&bus->srcu);
                size = bus_size(bus);
                srcu_read_unlock(&bus->srcu, idx);
                scoped_guard(mutex, &bus->lock)
                        size += bus_size(bus);
                return size;
        }
        static const struct file_operations bus_fops = {
                .unlocked_ioctl = bus_ioctl,
        };
        """,
    ),
)
