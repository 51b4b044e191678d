/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an answer, a warning or an equal object tells of a path. Lines that are to be found name the check. */
struct pool { spinlock_t lock; int busy; };
struct dev {
	spinlock_t lock;
	struct mutex setup;
	struct semaphore done;
	struct pool *pool;
	struct dev *parent;
	bool slow;
	gfp_t gfp;
};
struct board { struct dev dev; int lines; };

static void finish(struct dev *dev, struct pool *pool, bool locked)
{
	local_irq_enable();
	if (pool->busy)
		spin_unlock(&pool->lock);
}

void interrupts_are_on_whatever_was_unlocked(struct dev *dev, struct pool *pool)
{
	spin_lock(&pool->lock);
	local_irq_disable();
	finish(dev, pool, true);
	msleep(1);
}

static void unlock_type(struct dev *dev, int type)
{
	if (type == TYPE_BH)
		spin_unlock_bh(&dev->lock);
	else
		spin_unlock(&dev->lock);
}

static void lock_type(struct dev *dev, int type)
{
	if (type == TYPE_BH)
		spin_lock_bh(&dev->lock);
	else
		spin_lock(&dev->lock);
}

static void refill(struct dev *dev)
{
	int type = type_of(dev);

	unlock_type(dev, type);
	mutex_lock(&dev->setup);
	mutex_unlock(&dev->setup);
	lock_type(dev, type);
}

void bottom_halves_are_on_meanwhile(struct dev *dev)
{
	spin_lock_bh(&dev->lock);
	refill(dev);
	spin_unlock_bh(&dev->lock);
}

static void put_dev(struct dev *dev)
{
	if (WARN_ON(dev->pool))
		cancel_work_sync(&dev->work);
	dev->parent = NULL;
}

void after_a_warning(struct dev *dev)
{
	spin_lock(&dev->lock);
	put_dev(dev);
	spin_unlock(&dev->lock);
}

static void mask_of(struct dev *dev, gfp_t *mask)
{
	*mask = dev->gfp;
}

static void walk(struct dev *dev)
{
	gfp_t mask;

	mask_of(dev, &mask);
	if (gfpflags_allow_blocking(mask))
		cond_resched();
}

void mask_from_elsewhere(struct dev *dev)
{
	spin_lock(&dev->lock);
	walk(dev);
	spin_unlock(&dev->lock);
}

static struct dev *child_or_error(struct dev *parent, int number)
{
	struct dev *dev = ERR_PTR(-EEXIST);
	int error;

	if (number < 0)
		goto out;
	mutex_lock(&parent->setup);
	dev = find_child(parent, number);
	if (IS_ERR(dev))
		goto unlock;
	error = check(dev);
	if (error) {
		dev = ERR_PTR(error);
		goto unlock;
	}
	return dev;
unlock:
	mutex_unlock(&parent->setup);
out:
	return dev;
}

int number_of_an_error(struct dev *dev)
{
	struct task_struct *task;

	mutex_lock(&dev->setup);
	task = kthread_run(scan, dev, "scan");
	if (IS_ERR(task)) {
		mutex_unlock(&dev->setup);
		return PTR_ERR(task);
	}
	return 0;
}

int number_of_no_error(struct dev *dev)
{
	mutex_lock(&dev->setup);
	if (dev->slow) {
		return 0; /* wrong: lock-imbalance */
	}
	mutex_unlock(&dev->setup);
	return 0;
}

static int try_dev(struct dev *dev)
{
	int locked;

	locked = spin_trylock(&dev->lock) != 0;
	return locked;
}

void answer_of_a_comparison(struct dev *dev)
{
	if (!try_dev(dev))
		msleep(1);
	else
		msleep(2); /* wrong: lock-sleep-in-atomic */
}

int one_object_or_two(struct dev *a, struct dev *b)
{
	mutex_lock(&a->setup);
	if (a == b)
		return 0;
	mutex_lock_nested(&b->setup, 1);
	if (b->slow) {
		mutex_unlock(&b->setup);
		mutex_unlock(&a->setup);
		return -EBUSY;
	}
	return 0;
}

void one_parent_or_two(struct dev *dev, struct dev *target)
{
	struct dev *parent = dev->parent;

	if (dev->slow) {
		spin_lock(&target->parent->lock);
	} else {
		spin_lock(&target->parent->lock);
		spin_lock_nested(&parent->lock, 1);
	}
	dev->parent = target->parent;
	if (dev->parent != parent)
		spin_unlock(&dev->parent->lock);
	if (dev != parent)
		spin_unlock(&parent->lock);
}

void completed_later(struct dev *dev)
{
	down(&dev->done);
	if (dev->slow)
		goto out;
	submit_bio(&dev->bio);
	return;
out:
	up(&dev->done);
}

static int step(struct dev *dev, bool wait)
{
	if (wait)
		return -EAGAIN;
	if (dev->slow) {
		spin_unlock(&dev->lock);
		return -EBUSY;
	}
	return 0;
}

int one_class_is_clear(struct dev *dev, bool wait)
{
	int error;

	spin_lock(&dev->lock);
	error = step(dev, wait);
	if (error) {
		msleep(1);
		return error;
	}
	msleep(1); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&dev->lock);
	return 0;
}

static void read_lines(struct board *board)
{
	if (board->dev.slow)
		msleep(1);
	else
		udelay(1);
}

void known_by_another_name(struct dev *dev)
{
	struct board *board = board_of(dev);

	if (dev->slow) {
		read_lines(board);
	} else {
		spin_lock(&dev->lock);
		read_lines(board);
		spin_unlock(&dev->lock);
	}
}

void known_by_no_name(struct dev *dev)
{
	spin_lock(&dev->lock);
	read_lines(board_of(dev)); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&dev->lock);
}

static int reinit(struct dev *dev) __releases(&dev->lock) __releases(RCU)
{
	if (dev->slow)
		return -EAGAIN;
	spin_unlock(&dev->lock);
	rcu_read_unlock();
	if (dev->parent)
		return -EBUSY;
	return 0;
}

int promised_to_leave_the_reader(struct dev *dev)
{
	int error;

	rcu_read_lock();
	spin_lock(&dev->lock);
	error = reinit(dev);
	if (error == -EAGAIN)
		return error;
	msleep(1);
	return 0;
}

/* The caller has asked the object that the callee finds by itself; what the callee copies is of that name too. */
struct block { u64 next; u64 last; };
struct unit { struct dev *dev; struct block *block; u64 next; };

static int unit_skip(struct dev *dev)
{
	struct unit *unit = unit_of(dev);

	if (fast_units && unit->block->next != 0)
		unit->next = unit->block->next;
	if (!unit->next)
		msleep(1);
	return 1;
}

static int unit_pass(struct dev *dev)
{
	return unit_skip(dev);
}

void asked_before(struct dev *dev)
{
	struct unit *unit = unit_of(dev);
	struct block *block = unit->block;

	spin_lock(&dev->lock);
	if (fast_units && block->next)
		unit_pass(dev);
	spin_unlock(&dev->lock);
}

void asked_for_another(struct dev *dev)
{
	struct unit *unit = unit_of(dev);

	spin_lock(&dev->lock);
	if (unit->block->last)
		unit_pass(dev); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&dev->lock);
}

static void unit_reset(struct dev *dev)
{
	struct unit *unit = unit_of(dev);

	unit->next = 0;
	if (!unit->next)
		msleep(1);
}

void changed_since(struct dev *dev, struct unit *unit)
{
	spin_lock(&dev->lock);
	if (unit->next)
		unit_reset(dev); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&dev->lock);
}

struct phase { const char *name; void (*begin)(void); };

void asks_twice_for_one_name(struct phase *phase, struct dev *dev)
{
	if (strcmp(phase->name, "softirq"))
		local_bh_disable();
	phase->begin();
	if (strcmp(phase->name, "softirq"))
		local_bh_enable();
	mutex_lock(&dev->setup);
	mutex_unlock(&dev->setup);
}

void asks_for_two_names(struct phase *phase)
{
	if (strcmp(phase->name, "softirq"))
		local_bh_disable();
	phase->begin();
	if (strcmp(phase->name, "hardirq"))
		local_bh_enable();
	msleep(1); /* wrong: lock-sleep-in-atomic */
}

struct packet { int flags; unsigned int bits; char *data; };

static int expand(struct packet *packet, void *buf)
{
	if (packet->bits & BITS_USER)
		return copy_from_user(buf, packet->data, 8);
	return 0;
}

static int expand_if_long(struct packet *packet, void *buf)
{
	if (!packet_is_long(packet))
		return 0;
	return expand(packet, buf);
}

static int deliver(struct packet *packet, void *buf, int atomic)
{
	if (packet_is_long(packet) && WARN_ON(atomic && (packet->bits & BITS_USER)))
		return -EINVAL;
	return expand_if_long(packet, buf);
}

static int deliver_another(struct packet *packet, struct packet *other, void *buf, int atomic)
{
	if (packet_is_long(packet) && WARN_ON(atomic && (packet->bits & BITS_USER)))
		return -EINVAL;
	packet = other;
	return expand_if_long(packet, buf);
}

static int deliver_any(struct packet *packet, void *buf, int atomic)
{
	if (packet_is_long(packet) && WARN_ON(atomic && (packet->bits & BITS_USER)))
		return -EINVAL;
	return expand(packet, buf);
}

int deliver_where_nothing_sleeps(struct dev *dev, struct packet *packet, void *buf)
{
	int ret;

	spin_lock(&dev->lock);
	ret = deliver(packet, buf, 1);
	spin_unlock(&dev->lock);
	return ret;
}

int deliver_as_if_it_could_sleep(struct dev *dev, struct packet *packet, void *buf)
{
	int ret;

	spin_lock(&dev->lock);
	ret = deliver(packet, buf, 0); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&dev->lock);
	return ret;
}

int deliver_what_nobody_asked_about(struct dev *dev, struct packet *packet, struct packet *other, void *buf)
{
	int ret;

	spin_lock(&dev->lock);
	ret = deliver_another(packet, other, buf, 1); /* wrong: lock-sleep-in-atomic */
	ret |= deliver_any(packet, buf, 1); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&dev->lock);
	return ret;
}

/* What a macro asks about a member of what it is given. */

#define dev_is_quick(dev) (!(dev)->slow)
#define dev_is_not_quick(dev) (!dev_is_quick(dev))

static void settle(struct dev *dev)
{
	if (!dev_is_quick(dev))
		msleep(1);
}

static void settle_at_once(struct dev *dev)
{
	if (dev_is_quick(dev))
		msleep(1);
}

void settle_what_is_quick(struct dev *dev)
{
	spin_lock(&dev->lock);
	if (!dev->slow)
		settle(dev);
	if (dev->slow)
		settle_at_once(dev);
	spin_unlock(&dev->lock);
}

void settle_what_is_slow(struct dev *dev)
{
	spin_lock(&dev->lock);
	if (dev->slow)
		settle(dev); /* wrong: lock-sleep-in-atomic */
	if (!dev->slow)
		settle_at_once(dev); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&dev->lock);
}

void settle_another(struct dev *dev)
{
	spin_lock(&dev->lock);
	if (!dev->slow)
		settle(dev->parent); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&dev->lock);
}
