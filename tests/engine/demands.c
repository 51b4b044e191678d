// SPDX-License-Identifier: GPL-2.0-or-later
/* What is demanded only where something in memory says so is not demanded of who has found the opposite. */

enum { JAR_FIXED, JAR_OPENED };

struct jar { unsigned long flags; struct list_head list; };

struct shelf {
	spinlock_t lock;
	struct mutex mutex;
	struct work_struct work;
	struct work_struct sort;
	struct list_head jars;
	int count;
};

static void shelf_forget(struct shelf *shelf)
{
	lockdep_assert_held(&shelf->mutex);
	shelf->count--;
}

static void shelf_delete(struct shelf *shelf, struct jar *jar)
{
	if (test_bit(JAR_FIXED, &jar->flags))
		shelf_forget(shelf);
	list_del(&jar->list);
}

static void shelf_remove(struct shelf *shelf, struct jar *jar)
{
	if (test_bit(JAR_OPENED, &jar->flags))
		shelf_forget(shelf);
	list_del(&jar->list);
}

static void shelf_work(struct work_struct *work)
{
	struct shelf *shelf = container_of(work, struct shelf, work);
	struct jar *jar, *next;

	list_for_each_entry_safe(jar, next, &shelf->jars, list) {
		if (test_bit(JAR_FIXED, &jar->flags))
			continue;
		spin_lock_bh(&shelf->lock);
		shelf_delete(shelf, jar);
		shelf_remove(shelf, jar); /* wrong: lock-assert-not-held */
		spin_unlock_bh(&shelf->lock);
	}
}

static void shelf_sort(struct work_struct *work)
{
	struct shelf *shelf = container_of(work, struct shelf, sort);
	struct jar *jar = shelf_first(shelf), *other = shelf_last(shelf);

	if (test_bit(JAR_FIXED, &other->flags))
		return;
	shelf_delete(shelf, jar); /* wrong: lock-assert-not-held */
}

void shelf_probe(struct shelf *shelf)
{
	INIT_WORK(&shelf->work, shelf_work);
	INIT_WORK(&shelf->sort, shelf_sort);
}
