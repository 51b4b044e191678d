// SPDX-License-Identifier: GPL-2.0-or-later
/* A handler that is put into one element of an array is not called for another one. */

#define RING_DATA 0
#define RING_EXTRA 1
#define RING_EVENTS 2
#define RING_FIRST 0

enum port_queue { QUEUE_FAST, QUEUE_SLOW, QUEUE_LAST = QUEUE_SLOW };

struct port_ring {
	int head;
	int size;
	void (*receive)(struct port_ring *ring);
	void (*refill)(struct port_ring *ring);
	void (*drain)(struct port_ring *ring);
	void (*resume)(struct port_ring *ring);
	void (*advance)(struct port_ring *ring);
};

struct port {
	spinlock_t lock;
	int count;
	struct port_ring rings[3];
	struct port_ring queues[2];
};

static void port_event(struct port_ring *ring)
{
	msleep(1);
}

static void port_refill(struct port_ring *ring)
{
	msleep(1);
}

static void port_drain(struct port_ring *ring)
{
	msleep(1);
}

static void port_resume(struct port_ring *ring)
{
	msleep(1);
}

static void port_advance(struct port_ring *ring)
{
	msleep(1);
}

static void port_shift(struct port_ring *ring)
{
	msleep(1);
}

void port_set_up(struct port *port)
{
	struct port_ring *ring;
	int i;

	for (i = 0; i < port->count; i++) {
		ring = &port->rings[i];
		switch (i) {
		case RING_DATA:
			ring->size = 16;
			break;
		case RING_EXTRA:
			ring->size = 4;
			break;
		case RING_EVENTS:
			ring->size = 2;
			ring->receive = port_event;
			break;
		}
	}
}

void port_set_up_others(struct port *port)
{
	struct port_ring *slow = &port->queues[QUEUE_SLOW];
	struct port_ring *moved;
	int i = 0;

	port->rings[RING_DATA].refill = port_refill;
	slow->drain = port_drain;
	port->rings[port->count].resume = port_resume;
	moved = &port->rings[i];
	i++;
	if (i == RING_EXTRA)
		moved->advance = port_advance;
	if (i == RING_EXTRA)
		port->rings[i].advance = port_shift;
}

static void port_receive(struct port_ring *ring)
{
	ring->head++;
	if (ring->receive)
		ring->receive(ring);
}

static void port_handle(struct port *port, struct port_ring *ring)
{
	if (port->count)
		port_receive(ring);
}

void port_poll_data(struct port *port)
{
	spin_lock(&port->lock);
	port_handle(port, &port->rings[RING_DATA]);
	port->rings[RING_EXTRA].receive(&port->rings[RING_EXTRA]);
	spin_unlock(&port->lock);
}

void port_poll_events(struct port *port)
{
	struct port_ring *ring = &port->rings[RING_EVENTS];

	spin_lock(&port->lock);
	port_handle(port, ring); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&port->lock);
}

void port_poll_all(struct port *port)
{
	int i;

	spin_lock(&port->lock);
	for (i = 0; i < port->count; i++)
		port_handle(port, &port->rings[i]); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&port->lock);
}

void port_refill_extra(struct port *port)
{
	spin_lock(&port->lock);
	port->rings[RING_EXTRA].refill(&port->rings[RING_EXTRA]);
	spin_unlock(&port->lock);
}

/* Two names of one index. */
void port_refill_first(struct port *port)
{
	spin_lock(&port->lock);
	port->rings[RING_FIRST].refill(&port->rings[RING_FIRST]); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&port->lock);
}

void port_drain_fast(struct port *port)
{
	spin_lock(&port->lock);
	port->queues[QUEUE_FAST].drain(&port->queues[QUEUE_FAST]);
	spin_unlock(&port->lock);
}

void port_drain_last(struct port *port)
{
	spin_lock(&port->lock);
	port->queues[QUEUE_LAST].drain(&port->queues[QUEUE_LAST]); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&port->lock);
}

/* Nobody knows which ring it was. */
void port_resume_data(struct port *port)
{
	spin_lock(&port->lock);
	port->rings[RING_DATA].resume(&port->rings[RING_DATA]); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&port->lock);
}

/* The index has moved on when it is asked. */
void port_advance_data(struct port *port)
{
	spin_lock(&port->lock);
	port->rings[RING_DATA].advance(&port->rings[RING_DATA]); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&port->lock);
}
