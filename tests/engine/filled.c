/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects that are filled from parameters and handed on, also to a callback. Lines that are to be found name the check. */
struct line { const char *text; struct peer *peer; struct peer *owner; int type; };
struct port { spinlock_t lock; struct peer *peer; };

static void print_peer(struct buffer *to, void *data)
{
	struct line *line = data;

	if (line->peer)
		name_of(to, line->peer, kmalloc(64, GFP_KERNEL));
}

static void print(struct line *line, void (*more)(struct buffer *, void *))
{
	struct buffer *to = buffer_of(line);

	if (more)
		more(to, line);
}

static void tell(const char *text, struct peer *peer)
{
	struct line line = {};

	line.text = text;
	line.peer = peer;
	print(&line, print_peer);
}

static void tell_in_short(struct peer *peer)
{
	DEFINE_LINE(line, SHORT);

	line.peer = peer;
	print(&line, print_peer);
}

void tell_in_short_without_a_peer(struct port *port)
{
	spin_lock(&port->lock);
	tell_in_short(NULL);
	tell_in_short(port->peer); /* wrong: lock-gfp-blocking-in-atomic */
	spin_unlock(&port->lock);
}

void tell_without_a_peer(struct port *port)
{
	spin_lock(&port->lock);
	tell("no peer", NULL);
	spin_unlock(&port->lock);
}

void tell_with_the_peer(struct port *port)
{
	spin_lock(&port->lock);
	tell("peer", port->peer); /* wrong: lock-gfp-blocking-in-atomic */
	spin_unlock(&port->lock);
}

void tell_of_nobody(struct port *port)
{
	struct line line;

	line.peer = NULL;
	spin_lock(&port->lock);
	print(&line, print_peer);
	spin_unlock(&port->lock);
}

void tell_of_another_in_the_end(struct port *port)
{
	struct line line;

	line.peer = NULL;
	if (port->peer)
		line.peer = port->peer;
	spin_lock(&port->lock);
	print(&line, print_peer); /* wrong: lock-gfp-blocking-in-atomic */
	spin_unlock(&port->lock);
}

void tell_of_another_line(struct port *port, struct line *line)
{
	struct line own;

	own.peer = NULL;
	spin_lock(&port->lock);
	print(line, print_peer); /* wrong: lock-gfp-blocking-in-atomic */
	spin_unlock(&port->lock);
	forget_line(&own);
}
