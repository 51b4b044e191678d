/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A lock that is set up at two places is of two classes. Lines that are to be found name the check. */
struct space { spinlock_t lock; int type; struct bus *bus; };
struct bus { spinlock_t lock; };
struct queue { spinlock_t lock; int type; struct bus *bus; };

void set_up_shared(struct space *space)
{
	space->type = SPACE_SHARED;
	spin_lock_init(&space->lock);
}

void set_up_own(struct space *space)
{
	space->type = SPACE_OWN;
	spin_lock_init(&space->lock);
}

void set_up_queue(struct queue *queue)
{
	spin_lock_init(&queue->lock);
}

void attach_unless_shared(struct space *space, struct bus *bus)
{
	if (space->type == SPACE_SHARED)
		return;
	spin_lock(&bus->lock);
	spin_lock(&space->lock);
	spin_unlock(&space->lock);
	spin_unlock(&bus->lock);
}

void release_shared(struct space *space)
{
	spin_lock(&space->lock);
	spin_lock(&space->bus->lock);
	spin_unlock(&space->bus->lock);
	spin_unlock(&space->lock);
}

void attach_queue_unless_shared(struct queue *queue, struct bus *bus)
{
	if (queue->type == SPACE_SHARED)
		return;
	spin_lock(&bus->lock);
	spin_lock(&queue->lock); /* wrong: lock-order-inversion */
	spin_unlock(&queue->lock);
	spin_unlock(&bus->lock);
}

void release_queue(struct queue *queue)
{
	spin_lock(&queue->lock);
	spin_lock(&queue->bus->lock); /* wrong: lock-order-inversion */
	spin_unlock(&queue->bus->lock);
	spin_unlock(&queue->lock);
}
