/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guard has looked up and keeps is there for others too: no try to get it fails, no put is the last. */

struct index { atomic_t users; struct wait_queue_head idle; struct mutex swap; struct table __rcu *table; };
struct table { struct index *index; bool fixed; };
struct place { struct table *table; int slot; };
struct other { refcount_t users; struct mutex lock; };

static bool count_up(struct table *table)
{
	struct index *index = table->index;

	if (READ_ONCE(table->fixed))
		return true;
	return atomic_inc_not_zero(&index->users);
}

static bool count_down(struct table *table)
{
	struct index *index = table->index;

	if (READ_ONCE(table->fixed))
		return false;
	return atomic_dec_and_test(&index->users);
}

static bool table_get(struct table *table)
{
	return count_up(table);
}

static void table_put(struct table *table)
{
	if (count_down(table))
		wait_event(table->index->idle, table->fixed);
}

static void swap(struct index *index)
{
	mutex_lock(&index->swap);
	mutex_unlock(&index->swap);
}

static struct table *table_of(struct index *index)
{
	struct table *table;

again:
	rcu_read_lock();
	table = rcu_dereference(index->table);
	if (!table || table_get(table)) {
		rcu_read_unlock();
		return table;
	}
	rcu_read_unlock();
	swap(index);
	goto again;
}

static struct place find(struct index *index, int slot)
{
	struct table *table;

again:
	rcu_read_lock();
	table = rcu_dereference(index->table);
	if (table_get(table)) {
		rcu_read_unlock();
		return (struct place){ .table = table, .slot = slot };
	}
	rcu_read_unlock();
	swap(index);
	goto again;
}

DEFINE_CLASS(table, struct table *, if (_T) table_put(_T), table_of(index), struct index *index)
DEFINE_CLASS(place, struct place, table_put(_T.table), find(index, slot), struct index *index, int slot)
DEFINE_CLASS(given, struct table *, table_put(_T), ({ table_get(table); table; }), struct table *table)

void alone(struct index *index)
{
	preempt_disable();
	struct table *table = table_of(index); /* wrong: lock-sleep-in-atomic */
	table_put(table); /* wrong: lock-sleep-in-atomic */
	preempt_enable();
}

void inside(struct index *index)
{
	guard(table)(index);
	preempt_disable();
	struct table *table = table_of(index);
	if (table) {
		CLASS(place, place)(index, 3);
		use(place.slot);
	}
	preempt_enable();
}

void around(struct index *index)
{
	preempt_disable();
	if (1) {
		CLASS(place, place)(index, 3); /* wrong: lock-sleep-in-atomic */
		use(place.slot);
	} /* wrong: lock-sleep-in-atomic */
	preempt_enable();
}

void before(struct index *index)
{
	scoped_guard(table, index)
		use(index->table);
	preempt_disable();
	table_of(index); /* wrong: lock-sleep-in-atomic */
	preempt_enable();
}

void another(struct index *index, struct table *other)
{
	guard(table)(index);
	preempt_disable();
	table_put(other); /* wrong: lock-sleep-in-atomic */
	preempt_enable();
}

void given(struct index *index, struct table *table)
{
	guard(given)(table);
	preempt_disable();
	table_of(index); /* wrong: lock-sleep-in-atomic */
	preempt_enable();
}

/* A reference that a function takes itself and gives back by the same call keeps all others from being the last one. */
struct leaf { struct count count; int state; struct mutex lock; };
struct pin { struct leaf *leaf; struct leaf *beside; spinlock_t lock; };

static bool leaf_put_unless_last(struct leaf *leaf)
{
	if (count_down_or_lock(&leaf->count))
		return true;
	if (leaf->state) {
		leaf->count.number--;
		return true;
	}
	return false;
}

static void leaf_free(struct leaf *leaf)
{
	mutex_lock(&leaf->lock);
	mutex_unlock(&leaf->lock);
}

void leaf_put(struct leaf *leaf)
{
	if (leaf_put_unless_last(leaf))
		return;
	leaf_free(leaf);
}

static struct leaf *leaf_hold(struct leaf *leaf)
{
	count_more(&leaf->count);
	return leaf;
}

void stem_put(struct leaf *leaf)
{
	might_sleep();
	leaf_put(leaf);
}

static void unpin(struct pin *pin)
{
	leaf_put(pin->leaf);
	pin->leaf = 0;
}

void unpin_what_is_held(struct pin *pin)
{
	struct leaf *leaf = leaf_hold(pin->leaf);

	spin_lock(&pin->lock);
	unpin(pin);
	spin_unlock(&pin->lock);
	leaf_put(leaf);
}

void unpin_what_may_go(struct pin *pin)
{
	spin_lock(&pin->lock);
	unpin(pin); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&pin->lock);
}

void unpin_what_was_held(struct pin *pin)
{
	struct leaf *leaf = leaf_hold(pin->leaf);

	leaf_put(leaf);
	spin_lock(&pin->lock);
	unpin(pin); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&pin->lock);
}

void unpin_beside_what_is_held(struct pin *pin)
{
	leaf_hold(pin->beside);
	spin_lock(&pin->lock);
	unpin(pin); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&pin->lock);
	leaf_put(pin->beside);
}

void put_what_always_sleeps(struct pin *pin, struct leaf *leaf)
{
	leaf_hold(leaf);
	leaf_hold(leaf);
	spin_lock(&pin->lock);
	stem_put(leaf); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&pin->lock);
	leaf_put(leaf);
	stem_put(leaf);
}
