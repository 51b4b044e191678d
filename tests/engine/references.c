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

/* Whoever goes on to use what a reference was given back to counts on another one. */
struct door { struct kref ref; struct room *room; struct list_head link; struct list_head open; int state; struct mutex lock; };
struct room { struct door *door; struct door *way; };

static inline int kref_put(struct kref *kref, void (*release)(struct kref *kref))
{
	if (refcount_dec_and_test(&kref->refcount)) {
		release(kref);
		return 1;
	}
	return 0;
}

static void door_free(struct kref *ref)
{
	struct door *door = container_of(ref, struct door, ref);

	mutex_lock(&door->lock);
	mutex_unlock(&door->lock);
	kfree(door);
}

static void door_put(struct door *door)
{
	kref_put(&door->ref, door_free);
}

static int door_get(struct door *door)
{
	return kref_get_unless_zero(&door->ref);
}

static void furnish(struct room *room, struct door *door, struct door *way)
{
	door_get(door);
	room->door = door;
	door->room = room;
	room->way = way;
}

static DEFINE_SPINLOCK(doors_lock);

void shut_and_use(struct door *door)
{
	spin_lock(&doors_lock);
	door_put(door);
	door->state = 0;
	spin_unlock(&doors_lock);
}

void shut_only(struct door *door)
{
	spin_lock(&doors_lock);
	door_put(door); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&doors_lock);
}

void shut_and_use_at_times(struct door *door, bool loud)
{
	spin_lock(&doors_lock);
	door_put(door); /* wrong: lock-sleep-in-atomic */
	if (loud)
		door->state = 0;
	spin_unlock(&doors_lock);
}

void shut_and_use_the_next(struct door *door, struct door *next)
{
	spin_lock(&doors_lock);
	door_put(door); /* wrong: lock-sleep-in-atomic */
	door = next;
	door->state = 0;
	spin_unlock(&doors_lock);
}

void shut_all(struct list_head *all)
{
	struct door *door, *next;

	spin_lock(&doors_lock);
	list_for_each_entry_safe(door, next, all, aside) {
		door->state = 0;
		door_put(door); /* wrong: lock-sleep-in-atomic */
	}
	spin_unlock(&doors_lock);
}

void shut_until_told(struct door *door)
{
	spin_lock(&doors_lock);
	while (find_next(&door)) {
		door->state = 0;
		door_put(door); /* wrong: lock-sleep-in-atomic */
	}
	spin_unlock(&doors_lock);
}

static void paint_drop(struct door *door)
{
	if (door->state)
		msleep(1);
}

void drop_and_use(struct door *door)
{
	spin_lock(&doors_lock);
	paint_drop(door); /* wrong: lock-sleep-in-atomic */
	door->state = 0;
	spin_unlock(&doors_lock);
}

void shut_its_own(struct door *door)
{
	struct room *room;

	spin_lock(&doors_lock);
	room = door->room;
	if (room) {
		door_put(room->door);
		room->door = NULL;
	}
	door->room = NULL;
	spin_unlock(&doors_lock);
}

void shut_the_way(struct door *door)
{
	struct room *room;

	spin_lock(&doors_lock);
	room = door->room;
	if (room) {
		door_put(room->way); /* wrong: lock-sleep-in-atomic */
		room->way = NULL;
	}
	door->room = NULL;
	spin_unlock(&doors_lock);
}

/* A list of which each object is given back only once it was taken off, and nobody looks any more. */
static LIST_HEAD(doors);
static LIST_HEAD(open_doors);

static void door_unlink(struct door *door)
{
	spin_lock(&doors_lock);
	list_del_rcu(&door->link);
	spin_unlock(&doors_lock);
	synchronize_rcu();
}

void door_remove(struct door *door)
{
	door_unlink(door);
	door_put(door);
}

void door_close(struct door *door)
{
	spin_lock(&doors_lock);
	list_del(&door->open);
	spin_unlock(&doors_lock);
	door_put(door);
}

void look_at_doors(void)
{
	struct door *door;

	rcu_read_lock();
	list_for_each_entry_rcu(door, &doors, link) {
		if (!door_get(door))
			continue;
		look_at(door);
		door_put(door);
	}
	rcu_read_unlock();
}

void look_at_open_doors(void)
{
	struct door *door;

	rcu_read_lock();
	list_for_each_entry_rcu(door, &open_doors, open) {
		if (!door_get(door))
			continue;
		look_at(door);
		door_put(door); /* wrong: rcu-sleep-in-reader */
	}
	rcu_read_unlock();
}

void look_under_the_lock(void)
{
	struct door *door, *next;

	spin_lock(&doors_lock);
	list_for_each_entry_safe(door, next, &open_doors, open) {
		if (!door_get(door))
			continue;
		look_at(door);
		door_put(door);
	}
	spin_unlock(&doors_lock);
}

static DEFINE_SPINLOCK(others_lock);

void look_under_another_lock(void)
{
	struct door *door, *next;

	spin_lock(&others_lock);
	list_for_each_entry_safe(door, next, &open_doors, open) {
		if (!door_get(door))
			continue;
		look_at(door);
		door_put(door); /* wrong: lock-sleep-in-atomic */
	}
	spin_unlock(&others_lock);
}

/* Such a list has no reference: what takes objects off it is the end of the last one. */
struct gate { struct kref ref; struct list_head chain; };
static LIST_HEAD(gates);

static void gate_free(struct kref *ref)
{
	struct gate *gate = container_of(ref, struct gate, ref);

	list_del_rcu(&gate->chain);
	synchronize_rcu();
	kfree(gate);
}

static void gate_put(struct gate *gate)
{
	kref_put(&gate->ref, gate_free);
}

void look_at_gates(void)
{
	struct gate *gate;

	rcu_read_lock();
	list_for_each_entry_rcu(gate, &gates, chain) {
		if (!kref_get_unless_zero(&gate->ref))
			continue;
		look_at(gate);
		gate_put(gate); /* wrong: rcu-sleep-in-reader */
	}
	rcu_read_unlock();
}
