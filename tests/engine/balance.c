/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ways out have in common: locks that others balance, conditions that come twice, locks under two names. */
struct dev { spinlock_t lock; raw_spinlock_t hw; struct mutex setup; };

struct held_back { spinlock_t lock; struct rw_semaphore requests; int more; };

void root_may_be_missing(struct held_back *first)
{
	while (first) {
		spinlock_t *lock = NULL;

		if (first->more) {
			lock = lock_of(first);
			spin_lock(lock);
		}
		first = next_of(first);
		if (lock)
			spin_unlock(lock);
	}
}

int failure_lets_go_for_caller(struct held_back *held, void *data)
{
	if (!store(data))
		return 0;
	if (held->more)
		spin_unlock_bh(&held->lock);
	held->more = 0;
	return -1;
}

int only_prepares(struct dev *dev)
{
	if (!dev->a)
		return 0;
	spin_lock(&dev->lock);
	dev->a = 2;
	return 0;
}

static int give_back(struct dev *dev)
{
	spin_unlock(&dev->lock);
	return 1;
}

#define wait_for_dev(dev) mutex_lock_interruptible(&(dev)->setup)

int macro_that_may_fail(struct dev *dev)
{
	int err = wait_for_dev(dev);

	if (err < 0)
		return -EINTR;
	dev->a = 3;
	mutex_unlock(&dev->setup);
	return 4;
}

static struct dev *pointer_comes_with_reader(struct dev *dev)
{
	struct dev *found;

	rcu_read_lock();
	found = rcu_dereference(dev->peer);
	if (dev->b)
		return peer_of(found);
	rcu_read_unlock();
	return NULL;
}

static struct dev *nothing_found_but_left_in_reader(struct dev *dev)
{
	struct dev *found;

	rcu_read_lock();
	found = copy_of(rcu_dereference(dev->peer));
	if (dev->b)
		return NULL; /* wrong: rcu-unlock-imbalance */
	rcu_read_unlock();
	return found;
}

void same_flag_tested_twice(struct dev *dev)
{
	if (!dev_test_shared(dev))
		spin_lock(&dev->lock);
	count(dev);
	if (!dev_test_shared(dev))
		spin_unlock(&dev->lock);
	count(dev);
}

bool answer_is_a_double_negation(struct dev *dev, int all)
{
	if (all) {
		int got = spin_trylock(&dev->lock);

		return !!got;
	}
	if (dev->a) {
		spin_lock(&dev->lock);
		return true;
	}
	if (dev->b)
		give_back(dev);
	return false;
}

void equal_locks_are_one(spinlock_t *first, spinlock_t *second)
{
	spin_lock(first);
	if (second != first)
		spin_lock(second);
	count(first);
	if (second != first)
		spin_unlock(second);
	spin_unlock(first);
	msleep(1);
}

void released_under_equal_name(spinlock_t *first, spinlock_t *second)
{
	spin_lock(first);
	if (first != second) {
		spin_unlock(first);
		return;
	}
	spin_unlock(second);
	msleep(1);
}

static void unlock_and_free(struct kref *ref)
{
	struct dev *dev = container_of(ref, struct dev, ref);

	spin_unlock(&dev->lock);
	kfree(dev);
}

static int put_with(struct kref *ref, void (*release)(struct kref *ref))
{
	if (refcount_dec_and_test(&ref->refcount)) {
		release(ref);
		return 1;
	}
	return 0;
}

void release_function_unlocks(struct dev *dev)
{
	spin_lock(&dev->lock);
	if (put_with(&dev->ref, unlock_and_free))
		return;
	spin_unlock(&dev->lock);
}

static void walk_again(struct dev *dev)
{
	int locked = 1;

	walk(dev, &locked);
	if (!locked)
		mutex_lock(&dev->setup);
}

void callee_says_that_it_unlocked(struct dev *dev)
{
	mutex_lock(&dev->setup);
	walk_again(dev);
	mutex_unlock(&dev->setup);
}

struct counted { seqcount_t seq; spinlock_t lock; };

void counter_with_interrupts_off(struct counted *counted)
{
	unsigned long flags;

	local_irq_save(flags);
	write_seqcount_begin(&counted->seq);
	write_seqcount_end(&counted->seq);
	local_irq_restore(flags);
}

void serialised_elsewhere(struct counted *counted)
{
	spin_lock(&counted->lock);
	counter_with_interrupts_off(counted);
	spin_unlock(&counted->lock);
}

void counter_without_preemption_rules(struct counted *counted)
{
	raw_write_seqcount_begin(&counted->seq);
	msleep(1);
	raw_write_seqcount_end(&counted->seq);
}

void compared_twice(struct dev *dev, int number)
{
	unsigned long long size;

	if (number != 3)
		spin_lock(&dev->lock);
	if (sizeof(size) > sizeof(long))
		spin_lock(&dev->hw);
	size = dev->a;
	if (sizeof(size) > sizeof(long))
		spin_unlock(&dev->hw);
	if (number != 3)
		spin_unlock(&dev->lock);
}

void option_decides_twice(struct dev *dev)
{
	local_irq_disable();
	if (!IS_ENABLED(CONFIG_LATE))
		local_irq_enable();
	dev->a++;
	if (IS_ENABLED(CONFIG_LATE))
		local_irq_enable();
	msleep(1);
}

static void unlock_by_other_name(struct part_of *part)
{
	struct owner *owner = owner_of(part);

	if (part->several)
		spin_unlock(&owner->link);
	msleep(1);
}

void held_under_own_name(struct dev *dev)
{
	spin_lock(dev_lock_of(dev));
	unlock_by_other_name(dev->part);
	msleep(1);
}

static int leave_walk(struct dev *dev)
{
	if (dev->a)
		rcu_read_unlock();
	return 0;
}

#define LATER 1
#define AT_ONCE 2

static int stop_dev(struct dev *dev, int flags)
{
	if (flags & (LATER | AT_ONCE))
		return 0;
	wait_for_peer(dev);
	msleep(1);
	return 1;
}

void several_bits_are_asked_for(struct dev *dev)
{
	spin_lock(&dev->lock);
	stop_dev(dev, dev->a ? (LATER | DEV_AUTO) : LATER);
	stop_dev(dev, 0); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&dev->lock);
}

void reference_is_killed(struct dev *dev)
{
	spin_lock(&dev->lock);
	percpu_ref_kill(&dev->users);
	spin_unlock(&dev->lock);
}

#define LAZY 4

static void finish_dev(struct dev *dev)
{
	if (dev->flags & LAZY)
		return;
	msleep(1);
}

static void finish_quick(struct dev *dev)
{
	if (is_quick(dev))
		return;
	finish_dev(dev);
}

void lazy_in_caller_too(struct dev *dev)
{
	spin_lock(&dev->lock);
	if (dev->flags & LAZY)
		finish_dev(dev);
	else
		finish_dev(dev); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&dev->lock);
}

void predicate_of_caller(struct dev *peer)
{
	spin_lock(&peer->lock);
	if (is_quick(peer))
		finish_quick(peer);
	spin_unlock(&peer->lock);
}

void flags_copied(struct dev *dev, int flags)
{
	spin_lock(&dev->lock);
	if (flags & LAZY) {
		dev->flags = flags;
		finish_dev(dev);
	}
	spin_unlock(&dev->lock);
}

static void set_and_finish(struct dev *dev)
{
	dev->quick = 1;
	if (dev->quick)
		msleep(1);
}

void written_below(struct dev *dev)
{
	spin_lock(&dev->lock);
	if (!dev->quick)
		set_and_finish(dev); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&dev->lock);
}

static struct dev *error_or_read_locked(struct dev *from)
{
	struct dev *dev = find_dev(from);

	if (IS_ERR(dev))
		goto out;
	spin_lock(&dev->lock);
	if (!dev->a) {
		spin_unlock(&dev->lock);
		dev = ERR_PTR(-ENOENT);
	}
out:
	return dev;
}

static void store_slowly(struct xarray *xa, gfp_t gfp) __must_hold(xa->xa_lock)
{
	if (gfpflags_allow_blocking(gfp)) {
		xa_unlock(xa);
		kmem_cache_alloc(cache, gfp);
		xa_lock(xa);
	}
}

void lock_named_by_its_structure(struct dev *dev)
{
	xa_lock(&dev->set);
	store_slowly(&dev->set, GFP_KERNEL);
	xa_unlock(&dev->set);
}

static void store_by_a_state(struct xarray *xa, gfp_t gfp)
{
	XA_STATE(state, xa, 0);

	if (gfpflags_allow_blocking(gfp)) {
		xa_unlock(state.xa);
		kmem_cache_alloc(cache, gfp);
		xa_lock(state.xa);
	}
}

void lock_named_by_a_state(struct dev *dev)
{
	xa_lock(&dev->set);
	store_by_a_state(&dev->set, GFP_KERNEL);
	xa_unlock(&dev->set);
}

struct file_map { struct mutex rmap; int mapped; };

int link_file(struct file_map *map, bool keep_locked)
{
	if (map) {
		mutex_lock(&map->rmap);
		map->mapped++;
		if (!keep_locked)
			mutex_unlock(&map->rmap);
	}
	return 0;
}

int link_other(struct file_map *map, bool check)
{
	mutex_lock(&map->rmap);
	if (check && map->mapped)
		return 1; /* wrong: lock-imbalance */
	map->mapped++;
	if (map->mapped > 5) {
		mutex_unlock(&map->rmap);
		return 1;
	}
	mutex_unlock(&map->rmap);
	return 0;
}

/* A lock of this file that nobody releases without having taken it: no callee lets go of it for its caller. */
static DEFINE_MUTEX(outer_mutex);
static DEFINE_MUTEX(own_mutex);
static DEFINE_MUTEX(parted_mutex);
static DEFINE_MUTEX(lent_mutex);

void forget_own(struct dev *dev)
{
	if (!dev->a)
		return;
	mutex_lock(&outer_mutex);
	mutex_lock(&own_mutex);
	dev->ops->walk(dev);
	mutex_unlock(&outer_mutex);
} /* wrong: lock-imbalance */

void use_own(struct dev *dev)
{
	mutex_lock(&own_mutex);
	dev->a = 0;
	mutex_unlock(&own_mutex);
	scoped_guard(mutex, &own_mutex)
		dev->a++;
	guard(mutex)(&own_mutex);
	dev->a++;
}

void first_part(struct dev *dev)
{
	if (!dev->a)
		return;
	mutex_lock(&parted_mutex);
	dev->ops->walk(dev);
}

void second_part(struct dev *dev)
{
	dev->a = 0;
	mutex_unlock(&parted_mutex);
}

void lend(struct dev *dev)
{
	if (!dev->a)
		return;
	mutex_lock(&lent_mutex);
	dev->ops->walk(dev, &lent_mutex);
}

/* A way out of which it is not clear what it leaves held says nothing of the others. */
static int drop_at_times(struct dev *dev)
{
	if (!dev->late)
		return -EIO;
	mutex_unlock(&dev->setup);
	return -EIO;
}

int forget_once(struct dev *dev)
{
	if (mutex_lock_interruptible(&dev->setup))
		return -ERESTARTSYS;
	if (!dev->a) {
		mutex_unlock(&dev->setup);
		return -EAGAIN;
	}
	if (!dev->b)
		return -ENOMEM; /* wrong: lock-imbalance */
	if (drop_at_times(dev))
		return 1;
	mutex_unlock(&dev->setup);
	return 0;
}

int keep_on_error(struct dev *dev)
{
	mutex_lock(&dev->setup);
	if (!dev->a) {
		mutex_unlock(&dev->setup);
		return -EAGAIN;
	}
	if (!dev->b)
		return -EPROBE_DEFER;
	if (drop_at_times(dev))
		return 1;
	mutex_unlock(&dev->setup);
	return 0;
}

/* A parameter says that the caller wants the lock, which the function that unlocks finds by itself. */
static void lock_setup_of(struct dev *dev)
{
	mutex_lock(&dev->setup);
}

static void unlock_setup_of(struct dev *dev)
{
	mutex_unlock(&dev->setup);
}

void insert_and_perhaps_keep(struct part_of *part, bool keep)
{
	struct dev *dev = part->dev;

	if (dev) {
		lock_setup_of(dev);
		dev->a++;
		if (!keep)
			unlock_setup_of(dev);
	}
}

void insert_and_forget(struct part_of *part, bool keep)
{
	struct dev *dev = part->dev;

	if (dev) {
		lock_setup_of(dev);
		if (dev->b)
			return; /* wrong: lock-imbalance */
		if (!keep)
			unlock_setup_of(dev);
	}
}

int lends_to_who_completes(struct held_back *held)
{
	int answered;

	down_read_non_owner(&held->requests);
	answered = is_answered(held);
	if (answered) {
		up_read_non_owner(&held->requests);
		return answered;
	}
	queue_request(held);
	return 1;
}

/* All ways out release the lock of the caller, some of them another one besides. */
struct node { spinlock_t lock; struct owner *owner; struct node *above; };

static struct node *destroy(struct node *node)
{
	struct node *above = NULL;

	if (node->users) {
		spin_unlock(&node->lock);
		return NULL;
	}
	if (node->owner) {
		spin_unlock(&node->lock);
		spin_unlock(&node->owner->lock);
	} else {
		spin_unlock(&node->lock);
	}
	msleep(1);
	if (node->above) {
		above = node->above;
		spin_lock(&above->lock);
	}
	return above;
}

static inline void destroy_all(struct node *victim)
{
	while ((victim = destroy(victim)) != NULL)
		;
}

void destroy_list(struct list_head *list)
{
	while (!list_empty(list)) {
		struct node *node = list_entry(list->prev, struct node, list);

		spin_lock(&node->lock);
		if (node->dead) {
			spin_unlock(&node->lock);
			continue;
		}
		destroy_all(node);
	}
}

static spinlock_t *search_table(struct dev *dev, spinlock_t **lock);

int second_search_finds_another(struct dev *dev)
{
	spinlock_t *lock;
	int err = -EINVAL;

	if (!search_table(dev, &lock))
		return -ENOENT;
	if (dev->a) {
		spin_unlock(lock);
		return 0;
	}
	dev->a = 5;
	spin_unlock(lock);
	if (!search_table(dev, &lock))
		return -ENOENT;
	spin_lock(lock);
	if (dev->b)
		return -EBUSY; /* wrong: lock-imbalance */
	if (dev->c)
		goto out;
	err = 0;
out:
	spin_unlock(lock);
	return err;
}

/* A key is not switched meanwhile; a variable is one of the constants that it gets. */
int transmit(struct dev *dev, struct frame *frame)
{
	int result;

	if (frame->bad)
		goto failed;
	if (static_branch_unlikely(&dev_locking_key))
		mutex_lock(&dev->setup);
	result = frame->length;
	if (static_branch_unlikely(&dev_locking_key))
		mutex_unlock(&dev->setup);
	if (result)
		goto failed;
	return 0;
failed:
	trace_failed(frame);
	return 0;
}

int run_in_stages(struct dev *dev, int flags)
{
	int stage = 1;

	if (!dev->a)
		return 0;
	if (flags & SECOND)
		stage = 2;
	mutex_lock(&dev->setup);
	switch (stage) {
	case 1:
		dev->b = 1;
		mutex_unlock(&dev->setup);
		break;
	case 2:
		dev->b = 2;
		mutex_unlock(&dev->setup);
		start_again(dev);
		break;
	}
	return 0;
}

int run_in_two_of_three_stages(struct dev *dev, int flags)
{
	int stage = 1;

	if (!dev->a)
		return 0;
	if (flags & SECOND)
		stage = 2;
	else if (flags & THIRD)
		stage = 3;
	mutex_lock(&dev->setup);
	switch (stage) {
	case 1:
		dev->b = 1;
		mutex_unlock(&dev->setup);
		break;
	case 2:
		mutex_unlock(&dev->setup);
		start_again(dev);
		break;
	}
	return 0; /* wrong: lock-imbalance */
}

/* What was taken from the object says that its lock is held. */
int read_buffer(struct dev *dev, size_t length)
{
	char *buffer;

	buffer = dev->buffer;
	if (buffer)
		mutex_lock(&dev->setup);
	else
		buffer = kmalloc(length, GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;
	length = fill(dev, buffer, length);
	if (buffer == dev->buffer)
		mutex_unlock(&dev->setup);
	else
		kfree(buffer);
	return length;
}

int read_buffer_of_owner(struct dev *dev, struct dev *owner)
{
	mutex_lock(&dev->setup);
	if (owner == dev->owner) {
		mutex_unlock(&dev->setup);
		return -EBUSY;
	}
	if (dev->b)
		return -EIO; /* wrong: lock-imbalance */
	dev->b = 1;
	mutex_unlock(&dev->setup);
	return 0;
}

/* The same processor each time; another function comes afterwards. */
int sever(struct dev *dev)
{
	int err;

	preempt_disable();
	if (dev->gone) {
		err = -EIO;
		goto out;
	}
	if (active_cpu != smp_processor_id())
		spin_lock_bh(&table_lock); /* wrong: rt-spinlock-preempt-irq-off */
	err = sever_path(dev);
	if (active_cpu != smp_processor_id())
		spin_unlock_bh(&table_lock);
out:
	preempt_enable();
	return err;
}

int dev_pre_command(struct dev *dev, bool wanted)
{
	if (wanted)
		mutex_lock(&dev->setup);
	if (dev->gone) {
		if (wanted)
			mutex_unlock(&dev->setup);
		return 0;
	}
	dev->b = 1;
	return 0;
}

static void leave_cpu(struct dev *dev)
{
	migrate_enable();
}

static void lend_cpu(struct dev *dev)
{
	migrate_disable();
}

int migration_left_by_an_operation(struct dev *dev)
{
	int err = -EINVAL;

	lend_cpu(dev);
	if (dev->gone)
		goto out;
	dev->ops->leave(dev);
	return dev->a ? -EIO : 0;
out:
	leave_cpu(dev);
	return err;
}

int migration_forgotten(struct dev *dev)
{
	lend_cpu(dev);
	if (dev->gone)
		return -EINVAL; /* wrong: lock-imbalance */
	if (dev->a) {
		leave_cpu(dev);
		return -EIO;
	}
	leave_cpu(dev);
	return 0;
}

/* A lock that one call takes and another lets go of, as a member of the object says, is kept in between. */

int dock_notify(struct dock *dock, unsigned long action)
{
	int error = 0;

	switch (action) {
	case DOCK_GOING:
		mutex_lock(&dock->mutex);
		if (dock->removing) {
			error = -EBUSY;
			mutex_unlock(&dock->mutex);
			break;
		}
		dock->busy = true;
		break;
	case DOCK_GONE:
		dock->busy = false;
		mutex_unlock(&dock->mutex);
		break;
	}
	return error;
}

int dock_notify_unmarked(struct dock *dock, unsigned long action)
{
	int error = 0;

	switch (action) {
	case DOCK_GOING:
		mutex_lock(&dock->mutex);
		if (dock->removing) {
			error = -EBUSY;
			mutex_unlock(&dock->mutex);
			break;
		}
		dock->count++;
		break;
	case DOCK_GONE:
		mutex_unlock(&dock->mutex);
		break;
	}
	return error; /* wrong: lock-imbalance */
}

int dock_move(struct dock *dock)
{
	mutex_lock(&dock->mutex);
	dock->busy = true;
	if (dock->removing)
		return -EBUSY; /* wrong: lock-imbalance */
	dock->busy = false;
	mutex_unlock(&dock->mutex);
	return 0;
}
