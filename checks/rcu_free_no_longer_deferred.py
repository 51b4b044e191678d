# SPDX-License-Identifier: GPL-2.0-or-later
"""An object that was freed after a grace period is freed at once, and readers remain."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    variable, how, reader = context.detail
    freed = context.event.steps[0].text
    return Report(
        subject=f"{variable} {how}",
        message=f"{freed} comes at once, where {how} let a grace period pass; {reader}() finds such objects by RCU",
        question=f"Can {reader}() still use {variable} here? Until now {how} let a grace period pass first.",
        was=f"{freed} came without a grace period",
        consequence="A reader that found the object before goes on using freed memory.",
    )


CHECK = Check(
    id="rcu-free-no-longer-deferred",
    area="rcu",
    severity=Severity.QUESTION,
    kernels=Kernels.ALL,
    rule="As long as RCU readers find an object, it is freed after a grace period.",
    why="Readers that found the object before it was unlinked may go on using it until they leave their reader.",
    events=frozenset({EventKind.FREED_SOONER}),
    judge=judge,
    sources=(
        Source(
            "Documentation/RCU/checklist.rst",
            "is to wait until all pre-existing readers have",
            "Review Checklist for RCU Patches",
        ),
    ),
    wrong=(
        """
        /* Before the patch: */
        struct port { struct port __rcu *peer; refcount_t users; struct rcu_head rcu; };
        static void port_free(struct rcu_head *rcu)
        {
                kfree(container_of(rcu, struct port, rcu));
        }
        void port_release(struct port *port)
        {
                if (refcount_dec_and_test(&port->users))
                        call_rcu(&port->rcu, port_free);
        }
        void port_input(struct port *port, struct sk_buff *skb)
        {
                struct port *peer;

                rcu_read_lock();
                peer = rcu_dereference(port->peer);
                if (peer)
                        skb_queue_tail(&peer->queue, skb);
                rcu_read_unlock();
        }
        /* After it: */
        struct port { struct port __rcu *peer; refcount_t users; };
        void port_release(struct port *port)
        {
                if (refcount_dec_and_test(&port->users))
                        kfree(port); /* wrong */
        }
        void port_input(struct port *port, struct sk_buff *skb)
        {
                struct port *peer;

                rcu_read_lock();
                peer = rcu_dereference(port->peer);
                if (peer)
                        skb_queue_tail(&peer->queue, skb);
                rcu_read_unlock();
        }
        """,
        """
        /* Before the patch: */
        void rule_remove(struct rule *rule)
        {
                rule_unlink(rule);
                synchronize_rcu();
                kfree(rule);
        }
        bool rule_matches(struct list_head *rules, int key)
        {
                struct rule *rule;

                list_for_each_entry_rcu(rule, rules, link)
                        if (rule->key == key)
                                return true;
                return false;
        }
        /* After it: */
        void rule_remove(struct rule *rule)
        {
                rule_unlink(rule);
                kfree(rule); /* wrong */
        }
        bool rule_matches(struct list_head *rules, int key)
        {
                struct rule *rule;

                list_for_each_entry_rcu(rule, rules, link)
                        if (rule->key == key)
                                return true;
                return false;
        }
        """,
    ),
    right=(
        """
        /* Before the patch: */
        void rule_remove(struct rule *rule)
        {
                synchronize_rcu();
                kfree(rule);
        }
        void rule_drop(struct rule *rule)
        {
                kfree_rcu(rule, rcu);
        }
        void rules_remove(struct list_head *rules)
        {
                rule_remove(first_rule(rules));
        }
        struct rule *rule_find(struct list_head *rules, int key)
        {
                struct rule *rule;

                list_for_each_entry_rcu(rule, rules, link)
                        if (rule->key == key && refcount_inc_not_zero(&rule->users))
                                return rule;
                return NULL;
        }
        /* After it: */
        void rule_remove(struct rule *rule)
        {
                kfree(rule);
        }
        void rule_drop(struct rule *rule)
        {
                kfree(rule);
        }
        void rules_remove(struct list_head *rules)
        {
                synchronize_rcu();
                rule_remove(first_rule(rules));
        }
        struct rule *rule_find(struct list_head *rules, int key)
        {
                struct rule *rule;

                list_for_each_entry_rcu(rule, rules, link)
                        if (rule->key == key && refcount_inc_not_zero(&rule->users))
                                return rule;
                return NULL;
        }
        """,
        """
        /* Before the patch: */
        void rule_remove(struct rule *rule)
        {
                synchronize_rcu();
                kfree(rule);
        }
        bool rule_matches(struct list_head *rules, int key)
        {
                struct rule *rule;

                list_for_each_entry_rcu(rule, rules, link)
                        if (rule->key == key)
                                return true;
                return false;
        }
        void rules_remove(struct list_head *rules)
        {
                rule_remove(first_rule(rules));
        }
        /* After it: */
        void rule_remove(struct rule *rule)
        {
                kfree(rule);
        }
        bool rule_matches(struct list_head *rules, int key)
        {
                struct rule *rule;

                list_for_each_entry_rcu(rule, rules, link)
                        if (rule->key == key)
                                return true;
                return false;
        }
        void rules_remove(struct list_head *rules)
        {
                synchronize_rcu();
                rule_remove(first_rule(rules));
        }
        """,
    ),
)
