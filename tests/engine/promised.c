/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions that promise a lock and return without it on failure. Lines that are to be found name the check. */
struct queue { spinlock_t lock; struct mutex setup; struct timer_list timer; };
struct group { spinlock_t lock; spinlock_t stats; struct timer_list timer; struct queue *queue; };

static void group_expired(struct timer_list *timer)
{
	struct group *group = from_timer(group, timer, timer);

	spin_lock(&group->lock);
	spin_unlock(&group->lock);
	spin_lock(&group->stats);
	spin_unlock(&group->stats);
}

void group_init(struct group *group)
{
	timer_setup(&group->timer, group_expired, 0);
}

static int prepare(struct group *group, int type)
	__acquires(&queue->lock)
{
	struct queue *queue;
	int ret;

	ret = open_queue(group);
	if (ret)
		return ret;
	queue = group->queue;
	mutex_lock(&queue->setup);
	spin_lock_irq(&queue->lock);
	if (!is_known(queue, type)) {
		ret = -EOPNOTSUPP;
		goto fail;
	}
	mutex_unlock(&queue->setup);
	return 0;
fail:
	spin_unlock_irq(&queue->lock);
	mutex_unlock(&queue->setup);
	if (ret == -EBUSY)
		ret = restart_later();
	return ret;
}

int set_weight(struct group *group)
{
	int ret = prepare(group, 1);

	if (ret)
		return ret;
	spin_lock(&group->lock);
	weigh(group);
	spin_unlock(&group->lock);
	spin_unlock_irq(&group->queue->lock);
	return 0;
}

void show_stats(struct group *group)
{
	mutex_lock(&group->queue->setup);
	spin_lock(&group->stats); /* wrong: lock-irq-unsafe */
	count(group);
	spin_unlock(&group->stats);
	mutex_unlock(&group->queue->setup);
}
