/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Locks that a callee hands to its caller. A line that is to be found names the check; every other line stays silent. */
struct queue { raw_spinlock_t lock; int n; };
struct task { raw_spinlock_t pi_lock; struct queue *queue; };
struct held { struct queue *queue; };

static struct queue *task_queue_lock(struct task *task, unsigned long *flags)
{
	struct queue *queue;

	for (;;) {
		queue = READ_ONCE(task->queue);
		raw_spin_lock_irqsave(&queue->lock, *flags);
		if (queue == task->queue)
			return queue;
		raw_spin_unlock_irqrestore(&queue->lock, *flags);
	}
}

static struct queue *queue_get_lock(int n)
{
	struct queue *queue = find_queue(n);

	if (!queue)
		return NULL;
	raw_spin_lock(&queue->lock);
	return queue;
}

static int entry_map_lock(int n, spinlock_t **lockp)
{
	spinlock_t *lock = lock_of_entry(n);

	spin_lock(lock);
	*lockp = lock;
	return n;
}

static void hold_queue(struct held *held, int n)
{
	struct queue *queue = find_queue(n);

	raw_spin_lock(&queue->lock);
	held->queue = queue;
}

void balanced_by_result(struct task *task)
{
	unsigned long flags;
	struct queue *queue = task_queue_lock(task, &flags);

	kfree(queue->old); /* wrong: rt-free-under-raw-spinlock */
	raw_spin_unlock_irqrestore(&queue->lock, flags);
	kfree(task);
}

int left_by_result(struct task *task)
{
	unsigned long flags;
	struct queue *queue;

	queue = task_queue_lock(task, &flags);
	if (queue->n)
		return -EBUSY; /* wrong: lock-imbalance */
	raw_spin_unlock_irqrestore(&queue->lock, flags);
	return 0;
}

int not_found(int n)
{
	struct queue *queue = queue_get_lock(n);

	if (!queue) {
		msleep(1);
		return -ENODEV;
	}
	msleep(1); /* wrong: lock-sleep-in-atomic */
	raw_spin_unlock(&queue->lock);
	msleep(1);
	return 0;
}

void balanced_by_out_parameter(int n)
{
	spinlock_t *ptl;

	entry_map_lock(n, &ptl);
	msleep(1); /* wrong: lock-sleep-in-atomic */
	spin_unlock(ptl);
	msleep(1);
}

void balanced_by_structure(int n)
{
	struct held held;

	hold_queue(&held, n);
	msleep(1); /* wrong: lock-sleep-in-atomic */
	raw_spin_unlock(&held.queue->lock);
	msleep(1);
}

static struct queue *queue_found(int n)
{
	struct queue *queue = find_queue(n);

	raw_spin_lock(&queue->lock);
	if (queue->n)
		return queue;
	return NULL;
}

static bool lock_for(raw_spinlock_t *lock)
{
	raw_spin_lock(lock);
	return true;
}

static void unlock_now_and_then(raw_spinlock_t *lock, bool *locked)
{
	if (*locked) {
		raw_spin_unlock(lock);
		*locked = false;
	}
}

void walk_with_breaks(struct queue *queue, int n)
{
	bool locked = false;

	for (; n > 0; n--) {
		if (!(n % 32))
			unlock_now_and_then(&queue->lock, &locked);
		if (!locked)
			locked = lock_for(&queue->lock);
		queue->n++;
	}
	if (locked)
		raw_spin_unlock(&queue->lock);
}

static struct queue *queue_add_lock(struct task *task, int n)
{
	struct queue *queue = new_queue(n);

	if (!queue)
		return ERR_PTR(-ENOMEM);
	raw_spin_lock(&task->pi_lock);
	return queue;
}

static void count_task(struct task *task)
{
	raw_spin_lock(&task->pi_lock);
	raw_spin_unlock(&task->pi_lock);
}

int add_or_count(struct task *task, int n)
{
	struct queue *queue = queue_add_lock(task, n);
	int err = 0;

	if (IS_ERR(queue)) {
		err = PTR_ERR(queue);
		goto out;
	}
	raw_spin_unlock(&task->pi_lock);
out:
	if (err)
		count_task(task);
	return err;
}
