/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls through a member of a structure that is not defined here: only what takes what is given can be meant. */
#define tile panel
struct own_ops {
	void (*refresh)(struct panel *panel);
	void (*reset)(struct panel *panel, int how);
	void (*print)(struct panel *panel, const char *format, ...);
	void (*poll)(void *data);
	void (*sync)(void);
};
struct panel { raw_spinlock_t lock; struct foreign *foreign; struct shade *shade; void *data; };
struct shade { int level; };
typedef struct panel panel_t;

static void panel_refresh(struct panel *panel)
{
	msleep(1);
}

static void panel_reset(struct panel *panel, int how)
{
	msleep(1);
}

static void panel_print(struct panel *panel, const char *format, ...)
{
	msleep(1);
}

static void panel_poll(void *data)
{
	msleep(1);
}

static void panel_sync(void)
{
	msleep(1);
}

static const struct own_ops own_ops = {
	.refresh = panel_refresh,
	.reset = panel_reset,
	.print = panel_print,
	.poll = panel_poll,
	.sync = panel_sync,
};

void as_many(struct panel *panel)
{
	raw_spin_lock(&panel->lock);
	panel->foreign->refresh(panel); /* wrong: lock-sleep-in-atomic */
	raw_spin_unlock(&panel->lock);
}

void more(struct panel *panel)
{
	raw_spin_lock(&panel->lock);
	panel->foreign->refresh(panel, 1);
	panel->foreign->sync(panel);
	raw_spin_unlock(&panel->lock);
}

void fewer(struct panel *panel)
{
	raw_spin_lock(&panel->lock);
	panel->foreign->reset(panel);
	raw_spin_unlock(&panel->lock);
}

void none_taken_and_none_given(struct panel *panel)
{
	raw_spin_lock(&panel->lock);
	panel->foreign->sync(); /* wrong: lock-sleep-in-atomic */
	raw_spin_unlock(&panel->lock);
}

void what_may_be_a_macro_for_two(struct panel *panel)
{
	raw_spin_lock(&panel->lock);
	panel->foreign->reset(PANEL_AND_HOW); /* wrong: lock-sleep-in-atomic */
	raw_spin_unlock(&panel->lock);
}

void any_number(struct panel *panel)
{
	raw_spin_lock(&panel->lock);
	panel->foreign->print(panel, "%d %d", 1, 2); /* wrong: lock-sleep-in-atomic */
	raw_spin_unlock(&panel->lock);
}

void pointer_to_another_structure(struct panel *panel, struct shade *shade)
{
	raw_spin_lock(&panel->lock);
	panel->foreign->refresh(shade);
	panel->foreign->refresh(panel->shade);
	panel->foreign->reset(panel->shade, 1);
	raw_spin_unlock(&panel->lock);
}

void pointer_to_anything(struct panel *panel, struct shade *shade)
{
	raw_spin_lock(&panel->lock);
	panel->foreign->poll(shade); /* wrong: lock-sleep-in-atomic */
	raw_spin_unlock(&panel->lock);
}

void pointer_that_is_not_clear(struct panel *panel)
{
	void *other = panel->shade;

	raw_spin_lock(&panel->lock);
	panel->foreign->refresh(panel->data); /* wrong: lock-sleep-in-atomic */
	panel->foreign->refresh(other); /* wrong: lock-sleep-in-atomic */
	raw_spin_unlock(&panel->lock);
}

void pointer_by_another_name(struct panel *panel, panel_t *alias, struct tile *tile)
{
	raw_spin_lock(&panel->lock);
	panel->foreign->refresh(alias); /* wrong: lock-sleep-in-atomic */
	panel->foreign->refresh(tile); /* wrong: lock-sleep-in-atomic */
	raw_spin_unlock(&panel->lock);
}

void by_way_of_a_local(struct panel *panel, struct shade *shade)
{
	void (*refresh)(struct shade *shade, int how) = panel->foreign->refresh;

	raw_spin_lock(&panel->lock);
	refresh(shade, 1);
	raw_spin_unlock(&panel->lock);
}
