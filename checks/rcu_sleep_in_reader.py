# SPDX-License-Identifier: GPL-2.0-or-later
"""A call that may sleep inside an RCU read-side critical section."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report | None:
    if not context.in_reader or context.state.rt is True or context.atomic(rt=False) is not None:
        return None
    return Report(
        subject=f"{context.callee} rcu",
        message=f"{context.call} may sleep in an RCU read-side critical section",
        question=f"Can this sleep? {context.call} is called in an RCU read-side critical section.",
        was=f"{context.call} was called in an RCU read-side critical section",
        entered=context.entered_in_reader,
    )


CHECK = Check(
    id="rcu-sleep-in-reader",
    area="rcu",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="Nothing blocks in an RCU read-side critical section.",
    why="Without PREEMPT_RCU blocking is a quiescent state: the grace period ends and what the reader uses is freed.",
    events=frozenset({EventKind.SLEEP, EventKind.BLOCKING_ALLOCATION}),
    judge=judge,
    sources=(
        Source("include/linux/rcupdate.h", "but explicit blocking is illegal", "rcu_read_lock"),
        Source("include/linux/rcupdate.h", "section that would block in a !PREEMPTION kernel", "rcu_read_lock"),
        Source("Documentation/RCU/whatisRCU.rst", "illegal to block while in an RCU read-side", "rcu_read_lock()"),
    ),
    wrong=(
        """
        static void *table_alloc(size_t size, gfp_t gfp)
        {
                return kvmalloc_node_align_noprof(size, 1, gfp | __GFP_ZERO, NUMA_NO_NODE);
        }
        void *grow(struct table *table)
        {
                guard(rcu)();
                return table_alloc(table->size, GFP_KERNEL | __GFP_NOWARN); /* wrong */
        }
        """,
        """
        void visit(struct table *table)
        {
                struct entry *entry;

                rcu_read_lock();
                list_for_each_entry_rcu(entry, &table->list, link)
                        mutex_lock(&entry->lock); /* wrong */
                rcu_read_unlock();
        }
        """,
        """
        void *copy(struct table *table)
        {
                guard(rcu)();
                return kmalloc(64, GFP_KERNEL); /* wrong */
        }
        """,
        """
        static void eth_stats(struct net_device *dev, struct rtnl_link_stats64 *stats)
        {
                mutex_lock(&dev->stats_lock); /* wrong */
                mutex_unlock(&dev->stats_lock);
        }
        static const struct net_device_ops eth_ops = {
                .ndo_get_stats64 = eth_stats,
        };
        """,
    ),
    right=(
        """
        static void *table_alloc(size_t size, gfp_t gfp)
        {
                return kvmalloc_node_align_noprof(size, 1, gfp | __GFP_ZERO, NUMA_NO_NODE);
        }
        void *grow(struct table *table)
        {
                guard(rcu)();
                return table_alloc(table->size, GFP_ATOMIC | __GFP_NOWARN);
        }
        """,
        """
        void visit(struct table *table)
        {
                struct entry *entry;

                rcu_read_lock();
                entry = table_get(table);
                rcu_read_unlock();
                mutex_lock(&entry->lock);
                mutex_unlock(&entry->lock);
        }
        """,
        """
        void visit_srcu(struct table *table)
        {
                int idx = srcu_read_lock(&table->srcu);

                msleep(1);
                srcu_read_unlock(&table->srcu, idx);
        }
        """,
        """
        void *copy(struct table *table)
        {
                guard(rcu)();
                return kmalloc(64, GFP_ATOMIC);
        }
        """,
    ),
)
