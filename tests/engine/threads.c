/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads of the kernel, which have no user's memory. A line that is to be found names the check. */
struct queue { spinlock_t lock; struct work_struct work; struct callback_head at_return; void __user *from; char *to; };

static int fetch(struct queue *queue)
{
	if (queue->from)
		return copy_from_user(queue->to, queue->from, 8);
	return 0;
}

/*
 * fetch_later() - fetch what was asked for, in a thread
 */
static void fetch_later(struct work_struct *work)
{
	struct queue *queue = container_of(work, struct queue, work);

	spin_lock(&queue->lock);
	fetch(queue);
	spin_unlock(&queue->lock);
}

static void wait_later(struct work_struct *work)
{
	struct queue *queue = container_of(work, struct queue, work);

	spin_lock(&queue->lock);
	msleep(1); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&queue->lock);
}

static void fetch_now_or_later(struct work_struct *work)
{
	struct queue *queue = container_of(work, struct queue, work);

	spin_lock(&queue->lock);
	fetch(queue); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&queue->lock);
}

static void fetch_at_return(struct callback_head *head)
{
	struct queue *queue = container_of(head, struct queue, at_return);

	spin_lock(&queue->lock);
	fetch(queue); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&queue->lock);
}

void set_up_queues(struct queue *first, struct queue *second, struct queue *third)
{
	INIT_WORK(&first->work, fetch_later);
	INIT_WORK(&second->work, wait_later);
	INIT_WORK(&third->work, fetch_now_or_later);
	init_task_work(&third->at_return, fetch_at_return);
	fetch_now_or_later(&third->work);
}
