# SPDX-License-Identifier: GPL-2.0-or-later
"""A pointer from rcu_dereference() that can be NULL is followed without a question."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    variable, call, other, _ = context.detail
    return Report(
        subject=f"{variable} {call}",
        message=f"{variable} from {call} is followed without a check for NULL, which {other}() makes",
        question=f"Can {variable} be NULL here? {other}() gets it from {call} as well and checks that first.",
        was=f"{variable} from {call} was followed without a check for NULL",
        consequence="The updater publishes NULL while readers run, and this one follows it.",
    )


CHECK = Check(
    id="rcu-null-not-asked",
    area="rcu",
    severity=Severity.QUESTION,
    kernels=Kernels.ALL,
    rule="A reader checks for NULL what it gets from rcu_dereference() where the updater can publish NULL.",
    why="Updaters take an object away by publishing NULL, at any time: no reader can rely on what another one saw.",
    events=frozenset({EventKind.NULL_NOT_ASKED}),
    judge=judge,
    sources=(
        Source(
            "include/linux/rcupdate.h", "use of RCU_INIT_POINTER() is NULLing out the pointer", "RCU_INIT_POINTER()"
        ),
    ),
    wrong=(
        """
        struct table { struct entry __rcu *first; };
        int first_key(struct table *table)
        {
                struct entry *entry;
                int key = -ENOENT;

                rcu_read_lock();
                entry = rcu_dereference(table->first);
                if (entry)
                        key = entry->key;
                rcu_read_unlock();
                return key;
        }
        int first_size(struct table *table)
        {
                struct entry *entry;
                int size;

                rcu_read_lock();
                entry = rcu_dereference(table->first);
                size = entry->size; /* wrong */
                rcu_read_unlock();
                return size;
        }
        void empty(struct table *table)
        {
                RCU_INIT_POINTER(table->first, NULL);
        }
        """,
        """
        int port_of(struct sock *sk)
        {
                struct tunnel *tunnel = rcu_dereference_sk_user_data(sk);

                return tunnel ? tunnel->port : 0;
        }
        bool is_up(struct sock *sk)
        {
                struct tunnel *tunnel = rcu_dereference_sk_user_data(sk);

                if (!tunnel || tunnel->closing)
                        return false;
                return tunnel->up;
        }
        int receive(struct sock *sk, struct sk_buff *skb)
        {
                struct tunnel *tunnel = rcu_dereference_sk_user_data(sk);

                if (tunnel->flags & 1) /* wrong */
                        return 1;
                return 0;
        }
        """,
    ),
    right=(
        """
        struct table { struct entry __rcu *first; };
        int first_key(struct table *table)
        {
                struct entry *entry;
                int key = -ENOENT;

                rcu_read_lock();
                entry = rcu_dereference(table->first);
                if (entry)
                        key = entry->key;
                rcu_read_unlock();
                return key;
        }
        int first_size(struct table *table)
        {
                struct entry *entry;
                int size;

                if (!rcu_access_pointer(table->first))
                        return 0;
                rcu_read_lock();
                entry = rcu_dereference(table->first);
                size = entry->size;
                rcu_read_unlock();
                return size;
        }
        int first_flags(struct table *table)
        {
                struct entry *entry;
                int flags = 0;

                rcu_read_lock();
                entry = rcu_dereference(table->first);
                if (valid(entry))
                        flags = entry->flags;
                rcu_read_unlock();
                return flags;
        }
        void empty(struct table *table)
        {
                RCU_INIT_POINTER(table->first, NULL);
        }
        """,
        """
        int mm_users(int cpu)
        {
                struct task *task = rcu_dereference(queue_of(cpu)->running);

                return task ? task->users : 0;
        }
        int mm_owner(int cpu)
        {
                struct task *task = rcu_dereference(queue_of(cpu)->running);

                if (!task)
                        return 0;
                return task->owner;
        }
        int mm_state(int cpu)
        {
                struct task *task = rcu_dereference(queue_of(cpu)->running);

                return task->state;
        }
        """,
        """
        struct table { struct entry __rcu *first; };
        int first_key(struct table *table)
        {
                struct entry *entry;
                int key;

                rcu_read_lock();
                entry = rcu_dereference(table->first);
                key = entry->key;
                rcu_read_unlock();
                return key;
        }
        int first_size(struct table *table)
        {
                struct entry *entry;
                int size;

                rcu_read_lock();
                entry = rcu_dereference(table->first);
                size = entry ? entry->size : 0;
                rcu_read_unlock();
                return size;
        }
        """,
    ),
)
