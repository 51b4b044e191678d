# SPDX-License-Identifier: GPL-2.0-or-later
"""A pointer from inside an RCU or SRCU reader is used after the reader was left."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    variable, call, reader, _, left, _ = context.detail
    inside = "rcu_read_lock()" if reader == "RCU" else f"srcu_read_lock() on {reader}"
    return Report(
        subject=f"{variable} {reader}",
        message=f"{variable} from {call} is dereferenced after the {reader} reader was left on line {left}",
        question=f"What keeps {variable} alive here? It comes from {call} under {inside}, which ends on line {left}.",
        was=f"{variable} from {call} was dereferenced after the {reader} reader",
        consequence="The object can be freed between the end of the reader and this access.",
    )


CHECK = Check(
    id="rcu-use-after-unlock",
    area="rcu",
    severity=Severity.QUESTION,
    kernels=Kernels.ALL,
    rule="A pointer fetched inside a reader is not dereferenced after it, unless a reference was taken inside.",
    why="Once the reader is left the grace period can end and the object be freed.",
    events=frozenset({EventKind.USE_AFTER_READER}),
    judge=judge,
    sources=(
        Source(
            "Documentation/RCU/checklist.rst",
            'Letting RCU-protected pointers "leak" out of an RCU',
            "Review Checklist for RCU Patches",
        ),
        Source(
            "Documentation/RCU/lockdep-splat.rst",
            "return value from rcu_dereference(), or at least until",
            "Lockdep-RCU Splat",
        ),
    ),
    wrong=(
        """
        int version_of(struct file_state *state)
        {
                struct lease *lease;

                rcu_read_lock();
                lease = rcu_dereference(state->lease);
                rcu_read_unlock();
                if (!lease || lease->version != 2) /* wrong */
                        return 0;
                return 1;
        }
        """,
        """
        void count(struct table *table)
        {
                struct entry *entry;

                scoped_guard(rcu)
                        entry = rcu_dereference(table->first);
                if (entry)
                        atomic_inc(&entry->seen); /* wrong */
        }
        """,
        """
        void notify(struct table *table)
        {
                struct entry *entry;
                int idx = srcu_read_lock(&table->srcu);

                entry = srcu_dereference(table->first, &table->srcu);
                srcu_read_unlock(&table->srcu, idx);
                entry->seen = 1; /* wrong */
        }
        """,
        """
        void mark(struct table *table, int key)
        {
                struct entry *entry, *found = NULL;

                rcu_read_lock();
                list_for_each_entry_rcu(entry, &table->list, link) {
                        if (entry->key == key) {
                                found = entry;
                                break;
                        }
                }
                rcu_read_unlock();
                if (found)
                        found->marked = true; /* wrong */
                entry = rcu_dereference_protected(table->first, 1);
                entry->marked = true;
        }
        void mark_first(struct table *table)
        {
                struct entry *entry;

                rcu_read_lock();
                entry = list_first_or_null_rcu(&table->list, struct entry, link);
                if (!entry) {
                        rcu_read_unlock();
                        return;
                }
                rcu_read_unlock();
                entry->marked = true; /* wrong */
        }
        """,
    ),
    right=(
        """
        int version_of(struct file_state *state)
        {
                struct lease *lease;
                int version = 0;

                rcu_read_lock();
                lease = rcu_dereference(state->lease);
                if (lease)
                        version = lease->version;
                rcu_read_unlock();
                if (!lease)
                        return -ENOENT;
                return version;
        }
        """,
        """
        int version_of(struct file_state *state)
        {
                struct lease *lease;
                int version;

                rcu_read_lock();
                lease = rcu_dereference(state->lease);
                if (lease && !refcount_inc_not_zero(&lease->users))
                        lease = NULL;
                rcu_read_unlock();
                if (!lease)
                        return -ENOENT;
                version = lease->version;
                lease_put(lease);
                return version;
        }
        """,
        """
        int version_of(struct file_state *state)
        {
                guard(rcu)();
                struct lease *lease = rcu_dereference(state->lease);

                return lease ? lease->version : sizeof(*lease);
        }
        """,
        """
        int version_of(struct file_state *state)
        {
                struct lease *lease;
                int version;

                mutex_lock(&state->mutex);
                rcu_read_lock();
                lease = rcu_dereference(state->lease);
                rcu_read_unlock();
                version = lease ? lease->version : 0;
                mutex_unlock(&state->mutex);
                return version;
        }
        """,
        """
        int is_last(struct table *table, struct entry *entry)
        {
                rcu_read_lock();
                entry = list_entry_rcu(entry->link.next, struct entry, link);
                rcu_read_unlock();
                WARN_ON(&entry->link == &table->list);
                return &entry->link == &table->list;
        }
        """,
        """
        struct entry *new_entry(struct table *table)
        {
                struct entry *entry;

                rcu_read_lock();
                list_for_each_entry_rcu(entry, &table->list, link)
                        entry->seen = 1;
                rcu_read_unlock();
                entry = kzalloc_obj(*entry);
                if (entry)
                        entry->seen = 0;
                return entry;
        }
        """,
        """
        void visit(struct table *table)
        {
                struct entry *entry;

                rcu_read_lock();
                entry = rcu_dereference(table->first);
                if (!entry || !owner_alive(entry->owner)) {
                        rcu_read_unlock();
                        return;
                }
                rcu_read_unlock();
                entry->seen = 1;
        }
        """,
        """
        int pages_of(struct table *table, struct file *file)
        {
                struct entry *entry, *found = NULL;

                rcu_read_lock();
                list_for_each_entry_rcu(entry, &table->list, link) {
                        if (entry == file->private_data) {
                                found = entry;
                                break;
                        }
                }
                rcu_read_unlock();
                return found ? found->pages : 0;
        }
        """,
        """
        struct user *user_of_current(void)
        {
                struct creds *creds;

                rcu_read_lock();
                creds = rcu_dereference(current->creds);
                rcu_read_unlock();
                return creds->user;
        }
        """,
    ),
    misses=(
        """
        void mark(struct table *table)
        {
                struct entry *entry;

                rcu_read_lock();
                entry = rcu_dereference(table->first);
                rcu_read_unlock();
                if (entry)
                        mark_entry(entry);
        }
        """,
    ),
)
