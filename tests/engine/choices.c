/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A condition chooses between a lock that spins and one that sleeps. */
struct port { rwlock_t lock; struct rw_semaphore sem; struct list_head list; };
struct event { int flags; void __user *data; char *buffer; int length; };
struct stream { struct stream *next; bool nonatomic; spinlock_t lock; struct mutex mutex; };

static int event_copy(struct event *event, char *to)
{
	int length = event->length;

	if (event->flags & EVENT_FROM_USER) {
		length = min(length, 8);
		if (copy_from_user(to, event->data, length))
			return -EFAULT;
		return length;
	}
	memcpy(to, event->buffer, length);
	return length;
}

static int event_copy_in_parts(struct event *event, char *to)
{
	int flags = event->flags;

	if (event->flags & EVENT_FROM_USER) {
		while (flags > 0) {
			if (copy_from_user(to, event->data, 8))
				return -EFAULT;
			flags -= 8;
		}
	}
	return 0;
}

int port_deliver_in_parts(struct port *port, struct event *event, bool atomic, char *to)
{
	int copied;

	if (atomic)
		read_lock(&port->lock);
	else
		down_read(&port->sem);
	copied = event_copy_in_parts(event, to);
	if (atomic)
		read_unlock(&port->lock);
	else
		up_read(&port->sem);
	return copied;
}

static void event_log(struct event *event)
{
	mutex_lock(&log_mutex);
	log_event(event);
	mutex_unlock(&log_mutex);
}

int port_deliver(struct port *port, struct event *event, bool atomic, char *to)
{
	int copied;

	if (atomic)
		read_lock(&port->lock);
	else
		down_read(&port->sem);
	copied = event_copy(event, to);
	if (atomic)
		read_unlock(&port->lock);
	else
		up_read(&port->sem);
	return copied;
}

int port_deliver_atomic(struct port *port, struct event *event, char *to)
{
	int copied;

	read_lock(&port->lock);
	copied = event_copy(event, to); /* wrong: lock-sleep-in-atomic */
	read_unlock(&port->lock);
	return copied;
}

void port_log(struct port *port, struct event *event, bool atomic)
{
	if (atomic)
		read_lock(&port->lock);
	else
		down_read(&port->sem);
	event_log(event); /* wrong: lock-sleep-in-atomic */
	if (atomic)
		read_unlock(&port->lock);
	else
		up_read(&port->sem);
}

void port_waits(struct port *port, bool atomic)
{
	if (atomic)
		read_lock(&port->lock);
	else
		down_read(&port->sem);
	msleep(10); /* wrong: lock-sleep-in-atomic */
	if (atomic)
		read_unlock(&port->lock);
	else
		up_read(&port->sem);
}

void streams_lock(struct stream *first)
{
	struct stream *s;

	for (s = first; s; s = s->next) {
		if (s->nonatomic)
			mutex_lock_nested(&s->mutex, 1);
		else
			spin_lock_nested(&s->lock, 1);
	}
}

void streams_lock_all(struct stream *first)
{
	struct stream *s;

	for (s = first; s; s = s->next) {
		spin_lock_nested(&s->lock, 1);
		mutex_lock_nested(&s->mutex, 1); /* wrong: lock-sleep-in-atomic */
	}
}

static void stream_lock(struct stream *s)
{
	if (s->nonatomic)
		mutex_lock(&s->mutex);
	else
		spin_lock(&s->lock);
}

void stream_lock_atomic(struct stream *s, spinlock_t *lock)
{
	spin_lock(lock);
	stream_lock(s);
	stream_advance(s);
	stream_unlock(s);
	spin_unlock(lock);
}

static void stream_lock_either(struct stream *s, bool nonatomic)
{
	if (nonatomic)
		mutex_lock(&s->mutex);
	else
		spin_lock(&s->lock);
}

void stream_lock_wrong(struct stream *s, spinlock_t *lock)
{
	spin_lock(lock);
	stream_lock_either(s, true); /* wrong: lock-sleep-in-atomic */
	stream_advance(s);
	mutex_unlock(&s->mutex);
	spin_unlock(lock);
}
