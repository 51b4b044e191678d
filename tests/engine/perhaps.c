/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a callee may or may not have done. A line that is to be found names the check; every other line stays silent. */
raw_spinlock_t tasks_lock;
struct iter { bool locked; bool other; struct task *pos; };
struct dev { spinlock_t lock; };

static void iter_unlock(struct iter *it)
{
	if (it->locked) {
		it->locked = false;
		raw_spin_unlock_irq(&tasks_lock);
	}
}

static void iter_relock(struct iter *it)
{
	if (!it->locked) {
		raw_spin_lock_irq(&tasks_lock);
		it->locked = true;
	}
}

static void iter_stop(struct iter *it)
{
	iter_relock(it);
	forget_position(it);
	iter_unlock(it);
}

void walks_all(struct iter *it)
{
	raw_spin_lock(&tasks_lock);
	it->pos = first(it);
	iter_stop(it);
	msleep(1);
}

void stops_none(struct iter *it, struct dev *dev)
{
	spin_lock(&dev->lock);
	iter_stop(it);
	msleep(1); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&dev->lock);
}

static void check(struct group *group)
{
	if (group)
		lockdep_assert_held(&group_lock);
}

static void start(struct iter *it, struct group *group)
{
	check(group);
	it->pos = 0;
}

static void starts_all(struct work_struct *work)
{
	start(&all, NULL);
}

static void starts_some(struct work_struct *work)
{
	start(&all, first_group());  /* wrong: lock-assert-not-held */
}

void init_it(struct dev *dev)
{
	INIT_WORK(&dev->all, starts_all);
	INIT_WORK(&dev->some, starts_some);
}

#define chain_lock(...) __acquire_ret(_chain_lock(__VA_ARGS__), &__ret->lock)
static struct chain *_chain_lock(struct dev *dev, int number)
{
	struct chain *chain = find(dev, number);

	raw_spin_lock_irq(&chain->lock);
	return chain;
}

void of_a_chain(struct dev *dev)
{
	struct chain *chain = chain_lock(dev, 3);

	msleep(1); /* wrong: lock-sleep-in-atomic */
	raw_spin_unlock_irq(&chain->lock);
	msleep(2);
}

struct port { int busy; int done; };

#define hush(port, flags)		\
do {					\
	local_irq_save(flags);		\
	(port)->done = 1;		\
} while (0)

static void give_back_if_busy(struct port *port, unsigned long flags)
{
	if (port->busy)
		local_irq_restore(flags);
}

void disables_whatever_was_before(struct port *port)
{
	unsigned long flags;

	local_irq_save(flags);
	give_back_if_busy(port, flags);
	msleep(1);
	hush(port, flags);
	msleep(2); /* wrong: lock-sleep-in-atomic */
	local_irq_restore(flags);
	msleep(3);
}

static void keep_here(struct dev *dev)
{
	if (look(dev))
		migrate_disable();
}

static void map_perhaps(struct dev *dev)
{
	if (look(dev))
		kunmap_atomic(dev->page);
}

void lets_go_of_what_may_have_been_kept(struct dev *dev)
{
	keep_here(dev);
	if (dev->kept) {
		migrate_enable();
		return;
	}
	migrate_disable();
	fill(dev);
	migrate_enable();
}

void leaves_migration_disabled(struct dev *dev)
{
	migrate_disable();
	if (dev->kept)
		return; /* wrong: lock-imbalance */
	fill(dev);
	migrate_enable();
}

void unmapped_perhaps(struct dev *dev)
{
	dev->page = kmap_atomic(dev->frame);
	map_perhaps(dev);
	msleep(1);
}

void mapped_again_for_certain(struct dev *dev)
{
	map_perhaps(dev);
	dev->page = kmap_atomic(dev->frame);
	msleep(1); /* wrong: lock-sleep-in-atomic */
	kunmap_atomic(dev->page);
}

static void drop_perhaps(struct dev *dev)
{
	if (look(dev))
		spin_unlock(&dev->lock);
}

int takes_the_lock_of_the_caller_again(struct dev *dev, struct dev *other)
{
	lockdep_assert_held(&dev->lock);
	spin_unlock(&dev->lock);
	drop_perhaps(other);
	msleep(1);
	spin_lock(&dev->lock);
	msleep(1); /* wrong: lock-sleep-in-atomic */
	drop_perhaps(dev);
	msleep(1);
	return 0;
}
