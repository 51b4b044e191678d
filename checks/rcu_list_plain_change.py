# SPDX-License-Identifier: GPL-2.0-or-later
"""A list that RCU readers walk is changed by a primitive that is not made for readers."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    plain, wanted, walker, member = context.detail
    return Report(
        subject=f"{member} {plain}",
        message=f"{plain} changes a list that {walker}() walks as an RCU reader; elsewhere in this file {wanted} does",
        question=f"Should this be {wanted}? {walker}() walks the list as an RCU reader.",
        was=f"{plain} changed a list that {walker}() walks as an RCU reader",
    )


CHECK = Check(
    id="rcu-list-plain-change",
    area="rcu",
    severity=Severity.QUESTION,
    kernels=Kernels.ALL,
    rule="Lists that RCU readers walk are changed by list_add_rcu(), list_del_rcu() and their like.",
    why="list_del() poisons the pointers that a reader on this entry follows next; list_add() can show it an entry "
    "that is not initialised yet.",
    events=frozenset({EventKind.READERS_FORGOTTEN}),
    judge=judge,
    sources=(
        Source(
            "Documentation/RCU/checklist.rst",
            "poisoning from inflicting toxic effects on concurrent",
            "Review Checklist for RCU Patches",
        ),
    ),
    wrong=(
        """
        struct rule { struct list_head link; int key; };
        bool matches(struct list_head *rules, int key)
        {
                struct rule *rule;

                rcu_read_lock();
                list_for_each_entry_rcu(rule, rules, link) {
                        if (rule->key == key) {
                                rcu_read_unlock();
                                return true;
                        }
                }
                rcu_read_unlock();
                return false;
        }
        void drop(struct rule *rule)
        {
                list_del_rcu(&rule->link);
                kfree_rcu(rule, rcu);
        }
        void replace(struct rule *rule)
        {
                list_del(&rule->link); /* wrong */
                kfree_rcu(rule, rcu);
        }
        """,
    ),
    right=(
        """
        struct rule { struct list_head link, garbage; int key; };
        bool matches(struct list_head *rules, int key)
        {
                struct rule *rule;

                rcu_read_lock();
                list_for_each_entry_rcu(rule, rules, link) {
                        if (rule->key == key) {
                                rcu_read_unlock();
                                return true;
                        }
                }
                rcu_read_unlock();
                return false;
        }
        void drop(struct rule *rule, struct list_head *old)
        {
                list_del_rcu(&rule->link);
                list_add(&rule->garbage, old);
        }
        void collect(struct rule *rule)
        {
                synchronize_rcu();
                list_del(&rule->link);
                kfree(rule);
        }
        """,
        """
        struct rule { struct list_head link; int key; };
        bool matches(struct list_head *rules, int key)
        {
                struct rule *rule;

                rcu_read_lock();
                list_for_each_entry_rcu(rule, rules, link) {
                        if (rule->key == key) {
                                rcu_read_unlock();
                                return true;
                        }
                }
                rcu_read_unlock();
                return false;
        }
        void drop(struct rule *rule)
        {
                list_del_rcu(&rule->link);
                kfree_rcu(rule, rcu);
        }
        void drop_new(struct rule *rule)
        {
                list_del(&rule->link);
                kfree_sensitive(rule);
        }
        void drop_old(struct rule *rule)
        {
                list_del(&rule->link);
                kfree_sensitive(rule);
        }
        """,
        """
        struct rule { struct list_head link; int key; };
        static LIST_HEAD(rules);
        static LIST_HEAD(spare_rules);
        bool matches(int key)
        {
                struct rule *rule;

                rcu_read_lock();
                list_for_each_entry_rcu(rule, &rules, link) {
                        if (rule->key == key) {
                                rcu_read_unlock();
                                return true;
                        }
                }
                rcu_read_unlock();
                return false;
        }
        void drop(struct rule *rule)
        {
                list_del_rcu(&rule->link);
                kfree_rcu(rule, rcu);
        }
        void add(struct rule *rule)
        {
                list_add_rcu(&rule->link, &rules);
        }
        struct rule *spare_rule(void)
        {
                struct rule *rule = rule_from_cache(rule_cache);

                if (rule)
                        return rule;
                rule = list_first_entry_or_null(&spare_rules, struct rule, link);
                if (rule)
                        list_del(&rule->link);
                return rule;
        }
        void drop_all(struct list_head *given)
        {
                struct rule *rule, *next;
                LIST_HEAD(old);

                list_splice_init(given, &old);
                list_for_each_entry_safe(rule, next, &old, link) {
                        list_del(&rule->link);
                        put_rule(rule);
                }
        }
        struct rule *new_rule(int key)
        {
                struct rule *rule = kzalloc(sizeof(*rule), GFP_KERNEL);

                rule->key = key;
                return rule;
        }
        int set_up(void)
        {
                struct rule *rule = new_rule(0);

                if (!rule)
                        return -ENOMEM;
                list_add(&rule->link, &rules);
                return 0;
        }
        """,
    ),
)
