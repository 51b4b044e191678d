# SPDX-License-Identifier: GPL-2.0-or-later
"""What RCU readers may still use is freed at once."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    variable, call, line, freed = context.detail
    return Report(
        subject=f"{variable} {call}",
        message=f"{freed} comes without a grace period after {call} on line {line}",
        question=f"Can readers still use {variable} here? {call} on line {line} only unlinks it; "
        f"{freed} follows without a grace period.",
        was=f"{freed} came without a grace period after {call}",
        consequence="A reader that found the object before it was unlinked goes on using freed memory.",
        interleaving=(
            ("CPU 0", "CPU 1"),
            ("", f"rcu_read_lock(), finds {variable}"),
            (call, ""),
            (freed, ""),
            ("", f"dereferences {variable}"),
        ),
    )


CHECK = Check(
    id="rcu-free-without-grace-period",
    area="rcu",
    severity=Severity.QUESTION,
    kernels=Kernels.ALL,
    rule="Between taking an object away from RCU readers and freeing it a grace period has to pass.",
    why="Readers that found the object before it was unlinked may go on using it until they leave their reader.",
    events=frozenset({EventKind.FREED_TOO_EARLY}),
    judge=judge,
    sources=(
        Source("include/linux/rculist.h", "must be used to defer freeing until an", "list_del_rcu"),
        Source(
            "Documentation/RCU/checklist.rst",
            "is to wait until all pre-existing readers have",
            "Review Checklist for RCU Patches",
        ),
    ),
    wrong=(
        """
        struct table { spinlock_t lock; struct list_head list; };
        void forget(struct table *table, struct entry *entry)
        {
                spin_lock(&table->lock);
                list_del_rcu(&entry->link);
                spin_unlock(&table->lock);
                kfree(entry); /* wrong */
        }
        """,
        """
        static void free_config(struct config *config)
        {
                kfree(config->name);
                kfree(config);
        }
        void set_config(struct table *table, struct config *new)
        {
                struct config *old;

                old = rcu_dereference_protected(table->config, lockdep_is_held(&table->mutex));
                rcu_assign_pointer(table->config, new);
                if (old)
                        free_config(old); /* wrong */
        }
        """,
        """
        void set_config(struct table *table, struct config *new)
        {
                struct config *old = rcu_replace_pointer(table->config, new, lockdep_is_held(&table->mutex));

                kfree(old); /* wrong */
        }
        """,
        """
        void set_buffer(struct buffer *new, int cpu)
        {
                struct buffer *old = rcu_replace_pointer(per_cpu(pool.buffer, cpu), new, lockdep_is_held(&mutex));

                kfree(old); /* wrong */
        }
        """,
    ),
    right=(
        """
        struct table { struct keys __rcu *keys; };
        void settle(struct table *table)
        {
                struct keys *keys = rcu_dereference_protected(table->keys, 1);

                if (is_usable(keys))
                        return;
                WARN_ON_ONCE(1);
                rcu_assign_pointer(table->keys, NULL);
                kfree(keys);
        }
        """,
        """
        struct table { spinlock_t lock; struct list_head list; };
        void forget(struct table *table, struct entry *entry, bool wait)
        {
                spin_lock(&table->lock);
                list_del_rcu(&entry->link);
                spin_unlock(&table->lock);
                if (!wait) {
                        kfree_rcu(entry, rcu);
                        return;
                }
                synchronize_rcu();
                kfree(entry);
        }
        """,
        """
        static void wait_for_readers(struct table *table)
        {
                synchronize_srcu(&table->srcu);
        }
        void set_config(struct table *table, struct config *new)
        {
                struct config *old;

                old = rcu_dereference_protected(table->config, lockdep_is_held(&table->mutex));
                if (!old)
                        return;
                rcu_assign_pointer(table->config, new);
                wait_for_readers(table);
                kfree(old);
        }
        """,
        """
        void drop_new(struct table *table, struct config *new)
        {
                struct config *old;

                old = rcu_dereference_protected(table->config, lockdep_is_held(&table->mutex));
                if (old) {
                        kfree(new);
                        return;
                }
                rcu_assign_pointer(table->config, new);
        }
        """,
        """
        void release_table(struct table *table)
        {
                struct config *config = rcu_dereference_protected(table->config, 1);

                RCU_INIT_POINTER(table->config, NULL);
                kfree(config);
                kfree(table);
        }
        """,
        """
        void empty_table(struct table *table)
        {
                struct entry *entry, *next;

                synchronize_rcu();
                list_for_each_entry_safe(entry, next, &table->list, link) {
                        list_del_rcu(&entry->link);
                        kfree(entry);
                }
        }
        """,
        """
        static void put_config(struct config *config)
        {
                if (refcount_dec_and_test(&config->users))
                        kfree(config);
        }
        void drop_config(struct table *table)
        {
                struct config *old;

                old = rcu_dereference_protected(table->config, lockdep_is_held(&table->mutex));
                RCU_INIT_POINTER(table->config, NULL);
                put_config(old);
        }
        """,
        """
        void set_buffer(struct buffer *new, int cpu)
        {
                struct buffer *old = rcu_replace_pointer(per_cpu(pool.buffer, cpu), new, lockdep_is_held(&mutex));

                if (!cpu_online(cpu) || !old)
                        kfree(old);
                else
                        call_rcu(&old->rcu, free_buffer);
        }
        """,
    ),
    misses=(
        """
        void forget(struct table *table, struct entry *entry)
        {
                list_del_rcu(&entry->link);
                kmem_cache_free(table->cache, entry);
        }
        """,
    ),
)
