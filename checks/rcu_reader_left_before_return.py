# SPDX-License-Identifier: GPL-2.0-or-later
"""A lookup that leaves the reader before it returns what the reader protects."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report | None:
    variable, reader = context.detail
    return Report(
        subject=f"{variable} {reader}",
        message=f"{variable} is returned after {reader} was left, which callers used to hold",
        question=f"What keeps {variable} alive for the callers? {reader[:1].upper()}{reader[1:]} is left before it is "
        "returned; until now they had to hold it themselves.",
        was=f"{variable} was returned after {reader} was left",
    )


CHECK = Check(
    id="rcu-reader-left-before-return",
    area="rcu",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="A lookup in RCU- or SRCU-protected data takes a reference before it leaves the reader, or its callers hold "
    "the reader for as long as they use what they got.",
    why="The object is freed while the callers use it.",
    events=frozenset({EventKind.RETURNED_UNPROTECTED}),
    judge=judge,
    sources=(
        Source(
            "Documentation/RCU/checklist.rst",
            'Letting RCU-protected pointers "leak" out of an RCU read-side',
            "Review Checklist for RCU Patches",
        ),
    ),
    wrong=(
        """
        /* Before the patch: */
        struct bus { struct srcu_struct srcu; struct map __rcu *map; };
        struct device *bus_find(struct bus *bus, int at)
        {
                struct map *map = srcu_dereference(bus->map, &bus->srcu);

                return map ? map->devices[at] : NULL;
        }
        /* After it: */
        struct bus { struct srcu_struct srcu; struct map __rcu *map; };
        struct device *bus_find(struct bus *bus, int at)
        {
                struct device *device = NULL;
                struct map *map;
                int idx;

                idx = srcu_read_lock(&bus->srcu);
                map = srcu_dereference(bus->map, &bus->srcu);
                if (map)
                        device = map->devices[at];
                srcu_read_unlock(&bus->srcu, idx);
                return device; /* wrong */
        }
        """,
    ),
    right=(
        """
        /* Before the patch: */
        struct bus { struct srcu_struct srcu; struct map __rcu *map; };
        struct device *bus_find(struct bus *bus, int at)
        {
                struct map *map = srcu_dereference(bus->map, &bus->srcu);

                return map ? map->devices[at] : NULL;
        }
        /* After it: */
        struct bus { struct srcu_struct srcu; struct map __rcu *map; };
        struct device *bus_find(struct bus *bus, int at)
        {
                struct device *device = NULL;
                struct map *map;
                int idx;

                idx = srcu_read_lock(&bus->srcu);
                map = srcu_dereference(bus->map, &bus->srcu);
                if (map)
                        device = map->devices[at];
                if (device)
                        get_device(device);
                srcu_read_unlock(&bus->srcu, idx);
                return device;
        }
        """,
    ),
)
