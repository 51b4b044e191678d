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

struct walk { struct list_head cursor; struct group *group; struct group *other; bool locked; int flags; };
static DEFINE_RAW_SPINLOCK(things_lock);
static DEFINE_SPINLOCK(groups_lock);

static void walk_start(struct walk *walk, struct group *group, struct group *other)
{
	memset(walk, 0, sizeof(*walk));
	walk->other = other ? other : find_group();
	if (group) {
		walk->group = group;
		return;
	}
	raw_spin_lock(&things_lock);
	walk->locked = true;
}

static struct thing *walk_next(struct walk *walk)
{
	if (walk->group) {
		spin_lock(&groups_lock);
		spin_unlock(&groups_lock);
	}
	return take_next(&walk->cursor);
}

static struct thing *walk_next_other(struct walk *walk)
{
	if (walk->other) {
		spin_lock(&groups_lock);
		spin_unlock(&groups_lock);
	}
	return take_next(&walk->cursor);
}

static void walk_group(struct walk *walk, struct group *group)
{
	walk->group = group;
}

void walk_all(void)
{
	struct walk walk;

	walk_start(&walk, NULL, NULL);
	walk_next(&walk);
	raw_spin_unlock(&things_lock);
}

void walk_all_of_the_other(void)
{
	struct walk walk;

	walk_start(&walk, NULL, NULL);
	walk_next_other(&walk); /* wrong: rt-spinlock-under-raw-spinlock */
	raw_spin_unlock(&things_lock);
}

void walk_a_group_later(struct group *group)
{
	struct walk walk;

	walk_start(&walk, NULL, NULL);
	walk_group(&walk, group);
	walk_next(&walk); /* wrong: rt-spinlock-under-raw-spinlock */
	raw_spin_unlock(&things_lock);
}

void walk_cleared(void)
{
	struct walk walk;

	memset(&walk, 0, sizeof(walk));
	raw_spin_lock(&things_lock);
	walk_next(&walk);
	raw_spin_unlock(&things_lock);
}

void walk_cleared_in_part(void)
{
	struct walk walk;

	memset(&walk, 0, sizeof(walk.cursor));
	raw_spin_lock(&things_lock);
	walk_next(&walk); /* wrong: rt-spinlock-under-raw-spinlock */
	raw_spin_unlock(&things_lock);
}

void walk_initialised(void)
{
	struct walk walk = { .locked = true, };

	raw_spin_lock(&things_lock);
	walk_next(&walk);
	raw_spin_unlock(&things_lock);
}

void walk_initialised_with_a_group(struct group *group)
{
	struct walk walk = { .locked = true, .group = group };

	raw_spin_lock(&things_lock);
	walk_next(&walk); /* wrong: rt-spinlock-under-raw-spinlock */
	raw_spin_unlock(&things_lock);
}

void walk_initialised_by_position(struct group *group)
{
	struct walk walk = { { }, group };

	raw_spin_lock(&things_lock);
	walk_next(&walk); /* wrong: rt-spinlock-under-raw-spinlock */
	raw_spin_unlock(&things_lock);
}

static void walk_as_told(struct walk *walk)
{
	if (walk->flags & WALK_GROUPS)
		walk_next_other(walk);
}

void walk_initialised_without_flags(struct group *group)
{
	struct walk walk = { .other = group };

	raw_spin_lock(&things_lock);
	walk_as_told(&walk);
	raw_spin_unlock(&things_lock);
}

void walk_initialised_with_flags(struct group *group)
{
	struct walk walk = { .other = group, .flags = flags_of(group) };

	raw_spin_lock(&things_lock);
	walk_as_told(&walk); /* wrong: rt-spinlock-under-raw-spinlock */
	raw_spin_unlock(&things_lock);
}

static void wipe_group(void *info)
{
	unsigned long flags = (unsigned long)info;

	if (flags & WIPE_MEMBERS) {
		spin_lock(&groups_lock);
		spin_unlock(&groups_lock);
	}
}

void wipe_group_alone(void)
{
	raw_spin_lock(&things_lock);
	wipe_group((void *)WIPE_NAME);
	raw_spin_unlock(&things_lock);
}

void wipe_group_with_members(void)
{
	raw_spin_lock(&things_lock);
	wipe_group((void *)(WIPE_NAME | WIPE_MEMBERS)); /* wrong: rt-spinlock-under-raw-spinlock */
	raw_spin_unlock(&things_lock);
}

/* A parameter goes into a member, which a callee asks later. */
struct wire { spinlock_t lock; bool polled; };

static void wait_idle(struct wire *wire)
{
	if (wire->polled)
		udelay(100);
	else
		msleep(1);
}

static void transfer(struct adapter *adapter, bool polled)
{
	struct wire *wire = adapter_data(adapter);

	wire->polled = polled;
	wait_idle(wire);
}

void transfer_polled(struct adapter *adapter)
{
	spin_lock(&adapter->lock);
	transfer(adapter, true);
	transfer(adapter, false); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&adapter->lock);
}

#ifdef CONFIG_GROUPS
#define WALK_OF(__other)	.locked = true,		\
				.other = (__other)
#define WALK_IN(__group)	.group = (__group)
#else
#define WALK_OF(__other)	.locked = true
#define WALK_IN(__group)
#endif
#define WALK_UNCLEAR(__group)	INIT_CURSOR, __group

static struct group *group_walked(struct walk *walk)
{
	return walk->group;
}

static bool walk_is_plain(struct walk *walk)
{
	return group_walked(walk) == NULL;
}

static void walk_unless_plain(struct walk *walk)
{
	if (!walk_is_plain(walk)) {
		spin_lock(&groups_lock);
		spin_unlock(&groups_lock);
	}
}

void walk_initialised_by_macro(struct group *other)
{
	struct walk walk = { WALK_OF(other) };

	raw_spin_lock(&things_lock);
	walk_next(&walk);
	walk_unless_plain(&walk);
	raw_spin_unlock(&things_lock);
}

void walk_initialised_by_macro_with_a_group(struct group *group)
{
	struct walk walk = { WALK_IN(group) };

	raw_spin_lock(&things_lock);
	walk_next(&walk); /* wrong: rt-spinlock-under-raw-spinlock */
	walk_unless_plain(&walk); /* wrong: rt-spinlock-under-raw-spinlock */
	raw_spin_unlock(&things_lock);
}

void walk_initialised_by_macros(struct group *group)
{
	struct walk walk = { WALK_OF(group), WALK_IN(NULL) };

	raw_spin_lock(&things_lock);
	walk_unless_plain(&walk);
	raw_spin_unlock(&things_lock);
}

void walk_initialised_by_a_macro_that_is_unclear(struct group *group)
{
	struct walk walk = { WALK_UNCLEAR(group) };

	raw_spin_lock(&things_lock);
	walk_unless_plain(&walk); /* wrong: rt-spinlock-under-raw-spinlock */
	raw_spin_unlock(&things_lock);
}
