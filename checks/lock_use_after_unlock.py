# SPDX-License-Identifier: GPL-2.0-or-later
"""An object that was put on a list is used after the lock of the list was released."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    variable, call, lock, _, left, freed_by = context.detail
    return Report(
        subject=f"{variable} {lock}",
        message=f"{variable} is on a list since {call} and is dereferenced after {lock} was released on line {left}; "
        f"{freed_by}() can free it",
        question=f"What keeps {variable} alive after {lock} is released on line {left}? "
        f"It is on the list by then, and {freed_by}() can free it.",
        was=f"{variable} was on a list and was dereferenced after {lock} was released",
        consequence="Another task can find the object, take it off the list and free it before this access.",
        interleaving=(
            ("CPU 0", "CPU 1"),
            (f"{call} adds {variable}", ""),
            (f"releases {lock}", ""),
            ("", f"takes {lock}, {freed_by}() frees it"),
            (f"dereferences {variable}", ""),
        ),
    )


CHECK = Check(
    id="lock-use-after-unlock",
    area="locking",
    severity=Severity.QUESTION,
    kernels=Kernels.ALL,
    rule="An object that others can find and free is used only under the lock or with a reference of one's own.",
    why="As soon as the lock is released another task can take the object off the list and free it.",
    events=frozenset({EventKind.USE_AFTER_LOCK}),
    judge=judge,
    sources=(
        Source(
            "Documentation/kernel-hacking/locking.rst",
            "this is only guaranteed while you hold the lock",
            "Exposing Objects Outside This File",
        ),
    ),
    wrong=(
        """
        struct table { struct mutex mutex; struct list_head list; };
        int add_region(struct table *table, int size)
        {
                struct region *region = kzalloc(sizeof(*region), GFP_KERNEL);

                if (!region)
                        return -ENOMEM;
                mutex_lock(&table->mutex);
                list_add_tail(&region->link, &table->list);
                mutex_unlock(&table->mutex);
                return region->id; /* wrong */
        }
        static void free_region(struct region *region)
        {
                list_del(&region->link);
                kfree(region);
        }
        void remove_region(struct table *table, int id)
        {
                struct region *region;

                mutex_lock(&table->mutex);
                region = find_region(table, id);
                if (region)
                        free_region(region);
                mutex_unlock(&table->mutex);
        }
        """,
    ),
    right=(
        """
        struct table { struct mutex mutex; struct list_head list; };
        int add_region(struct table *table, int size)
        {
                struct region *region = kzalloc(sizeof(*region), GFP_KERNEL);
                int id;

                if (!region)
                        return -ENOMEM;
                mutex_lock(&table->mutex);
                list_add_tail(&region->link, &table->list);
                id = region->id;
                mutex_unlock(&table->mutex);
                return id;
        }
        void remove_region(struct table *table, int id)
        {
                struct region *region;

                mutex_lock(&table->mutex);
                region = find_region(table, id);
                if (region) {
                        list_del(&region->link);
                        kfree(region);
                }
                mutex_unlock(&table->mutex);
        }
        """,
        """
        struct table { struct mutex mutex; struct list_head list; };
        int add_region(struct table *table, int size)
        {
                struct region *region = kzalloc(sizeof(*region), GFP_KERNEL);

                if (!region)
                        return -ENOMEM;
                mutex_lock(&table->mutex);
                list_add_tail(&region->link, &table->list);
                mutex_unlock(&table->mutex);
                return region->id;
        }
        void forget_region(struct region *region)
        {
                list_del(&region->link);
                kref_put(&region->users, region_free);
        }
        """,
    ),
    misses=(
        """
        struct table { struct mutex mutex; struct list_head list; };
        int add_region(struct table *table)
        {
                struct region *region = kzalloc(sizeof(*region), GFP_KERNEL);

                mutex_lock(&table->mutex);
                list_add_tail(&region->link, &table->list);
                mutex_unlock(&table->mutex);
                return region->id;
        }
        void remove_region(struct table *table, struct region *region)
        {
                mutex_lock(&table->mutex);
                list_del(&region->link);
                kfree(region);
                mutex_unlock(&table->mutex);
        }
        """,
        """
        struct table { struct mutex mutex; struct list_head list; };
        int add_region(struct table *table, struct region *region)
        {
                mutex_lock(&table->mutex);
                list_add_tail(&region->link, &table->list);
                mutex_unlock(&table->mutex);
                return region->id;
        }
        void remove_region(struct table *table, int id)
        {
                struct region *region;

                mutex_lock(&table->mutex);
                region = find_region(table, id);
                if (region) {
                        list_del(&region->link);
                        kfree(region);
                }
                mutex_unlock(&table->mutex);
        }
        """,
    ),
)
