# SPDX-License-Identifier: GPL-2.0-or-later
"""A reader of an srcu_struct waits, itself or through a lock, for all readers of the same srcu_struct."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    if context.event.kind is EventKind.WAITS_FOR_ITSELF:
        domain, line = context.detail
        return Report(
            subject=domain,
            message=f"{context.call} waits for the readers of {domain} inside one, opened on line {line}",
            question=f"How does {context.call} come to an end? The reader of {domain} from line {line} is still open.",
            was=f"{context.call} waited for the readers of {domain} inside one",
        )
    held, taken, other, reader = context.detail
    domain, lock = (held, taken) if reader else (taken, held)
    here = f"takes {lock} in a reader of {domain}" if reader else f"waits for readers of {domain} with {lock} held"
    there = f"waits for these readers with {lock} held" if reader else f"takes {lock} in such a reader"
    return Report(
        subject=f"{held} {taken}",
        message=f"{here}; {other}() {there}",
        question=f"What keeps this from deadlocking with {other}()? It {there}.",
        was=f"{context.function}() {here}, and {other}() {there}",
    )


CHECK = Check(
    id="srcu-wait-in-reader",
    area="srcu",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="synchronize_srcu() is not called inside a reader of the same srcu_struct, nor with a lock held that such "
    "readers take.",
    why="The reader waits for the grace period, and the grace period for the reader.",
    events=frozenset({EventKind.WAITS_FOR_ITSELF, EventKind.READER_ORDER}),
    judge=judge,
    sources=(
        Source("kernel/rcu/srcutree.c", "Note that it is illegal to call synchronize_srcu() from the corresponding"),
    ),
    wrong=(
        """
        struct bus { struct srcu_struct srcu; struct mutex lock; };
        static void replace(struct bus *bus, struct map *map)
        {
                rcu_assign_pointer(bus->map, map);
                synchronize_srcu(&bus->srcu);
        }
        void reset(struct bus *bus)
        {
                int idx = srcu_read_lock(&bus->srcu);

                replace(bus, NULL); /* wrong */
                srcu_read_unlock(&bus->srcu, idx);
        }
        void settle(struct bus *bus)
        {
                guard(srcu)(&bus->srcu);
                synchronize_srcu_expedited(&bus->srcu); /* wrong */
        }
        """,
        """
        struct bus { struct srcu_struct srcu; struct mutex lock; };
        void unplug(struct bus *bus, struct device *device)
        {
                mutex_lock(&bus->lock);
                list_del_rcu(&device->link);
                synchronize_srcu(&bus->srcu); /* wrong */
                mutex_unlock(&bus->lock);
        }
        void write_all(struct bus *bus)
        {
                int idx = srcu_read_lock(&bus->srcu);

                mutex_lock(&bus->lock); /* wrong */
                bus->writes++;
                mutex_unlock(&bus->lock);
                srcu_read_unlock(&bus->srcu, idx);
        }
        """,
    ),
    right=(
        """
        struct bus { struct srcu_struct srcu, other, third; struct mutex lock; };
        void unplug(struct bus *bus, struct device *device)
        {
                int idx = srcu_read_lock(&bus->third);

                mutex_lock(&bus->lock);
                list_del_rcu(&device->link);
                mutex_unlock(&bus->lock);
                synchronize_srcu(&bus->srcu);
                srcu_read_unlock(&bus->third, idx);
        }
        void write_all(struct bus *bus)
        {
                int idx;

                mutex_lock(&bus->lock);
                idx = srcu_read_lock(&bus->srcu);
                bus->writes++;
                srcu_read_unlock(&bus->srcu, idx);
                synchronize_srcu(&bus->other);
                mutex_unlock(&bus->lock);
        }
        void read_all(struct bus *bus)
        {
                int idx = srcu_read_lock(&bus->srcu);

                mutex_lock(&bus->lock);
                bus->reads++;
                mutex_unlock(&bus->lock);
                srcu_read_unlock(&bus->srcu, idx);
                synchronize_srcu(&bus->srcu);
        }
        """,
    ),
)
