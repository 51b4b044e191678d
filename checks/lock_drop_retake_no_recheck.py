# SPDX-License-Identifier: GPL-2.0-or-later
"""A lock is dropped and taken again, and what was looked up before is acted upon."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report | None:
    _, lookup, _, lock = context.detail
    call = f"{context.callee}()"
    return Report(
        subject=f"{lookup} {lock}",
        message=f"{call} acts on {lookup}() from before {lock} was dropped and taken again",
        question=f"What prevents another CPU from changing the outcome of {lookup}() while {lock} is dropped? "
        f"{call} still acts on the answer from before the unlock.",
        was=f"{call} acted on {lookup}() from before {lock} was dropped",
        consequence="The same entry can be inserted twice, or an entry that arrived in between is missed.",
        interleaving=(
            ("CPU 0", "CPU 1"),
            (f"{lookup}() finds nothing", ""),
            (f"drops {lock}", ""),
            ("", f"takes {lock}, changes the list"),
            (f"takes {lock} again", ""),
            (call, ""),
        ),
    )


CHECK = Check(
    id="lock-drop-retake-no-recheck",
    area="locking",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="After a lock was dropped and taken again, every decision made under it before is made again.",
    why="Another CPU can change what the lock protects in between: duplicates, leaks and lost wakeups follow.",
    events=frozenset({EventKind.STALE_INSERT}),
    judge=judge,
    sources=(
        Source(
            "Documentation/kernel-hacking/locking.rst",
            "the read lock, grabs a write lock and",
            "Overzealous Prevention Of Deadlocks",
        ),
        Source(
            "Documentation/locking/lockdep-design.rst",
            'and reacquire the lock ("unwittingly" introducing races)',
            "Annotations",
        ),
    ),
    wrong=(
        """
        struct table { spinlock_t lock; struct hlist_head list; };
        void remember(struct table *table, int key)
        {
                struct entry *entry;

                spin_lock(&table->lock);
                entry = table_find(table, key);
                if (!entry) {
                        spin_unlock(&table->lock);
                        entry = kzalloc(sizeof(*entry), GFP_KERNEL);
                        spin_lock(&table->lock);
                        if (!entry)
                                goto out;
                        entry->key = key;
                        hlist_add_head(&entry->link, &table->list); /* wrong */
                }
        out:
                spin_unlock(&table->lock);
        }
        """,
    ),
    right=(
        """
        struct table { spinlock_t lock; struct list_head list; };
        int remember(struct table *table, struct entry *new, int key)
        {
                spin_lock(&table->lock);
                if (table_find(table, key)) {
                        spin_unlock(&table->lock);
                        return -EEXIST;
                }
                spin_unlock(&table->lock);
                new->buffer = kmalloc(64, GFP_KERNEL);
                spin_lock(&table->lock);
                if (unlikely(table_find(table, key) != NULL)) {
                        spin_unlock(&table->lock);
                        return -EEXIST;
                }
                list_add(&new->link, &table->list);
                spin_unlock(&table->lock);
                return 0;
        }
        """,
        """
        struct table { spinlock_t lock; struct hlist_head list; };
        void remember(struct table *table, int key)
        {
                struct entry *entry, *spare = NULL;

        again:
                spin_lock(&table->lock);
                entry = table_find(table, key);
                if (!entry) {
                        if (!spare) {
                                spin_unlock(&table->lock);
                                spare = kzalloc(sizeof(*spare), GFP_KERNEL);
                                goto again;
                        }
                        hlist_add_head(&spare->link, &table->list);
                        spare = NULL;
                }
                spin_unlock(&table->lock);
                kfree(spare);
        }
        """,
        """
        struct table { spinlock_t lock; struct hlist_head list; };
        void remember(struct table *table, int key)
        {
                struct entry *entry, *other;

                spin_lock(&table->lock);
                entry = table_find(table, key);
                if (!entry) {
                        spin_unlock(&table->lock);
                        other = kzalloc(sizeof(*other), GFP_KERNEL);
                        spin_lock(&table->lock);
                        entry = table_find(table, key);
                        if (!entry)
                                hlist_add_head(&other->link, &table->list);
                }
                spin_unlock(&table->lock);
        }
        """,
        """
        struct table { spinlock_t lock; struct hlist_head list; };
        void remember(struct table *table, struct entry *spare, int key)
        {
                spin_lock(&table->lock);
                if (!table_find(table, key))
                        hlist_add_head(&spare->link, &table->list);
                spin_unlock(&table->lock);
        }
        """,
    ),
    misses=(
        """
        struct table { spinlock_t lock; bool ready; struct list_head list; };
        void publish_once(struct table *table, struct entry *entry)
        {
                spin_lock(&table->lock);
                if (!table->ready) {
                        spin_unlock(&table->lock);
                        prepare(entry);
                        spin_lock(&table->lock);
                        list_add(&entry->link, &table->list);
                        table->ready = true;
                }
                spin_unlock(&table->lock);
        }
        """,
    ),
)
