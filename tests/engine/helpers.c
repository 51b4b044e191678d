// SPDX-License-Identifier: GPL-2.0-or-later
/* What a helper answers tells of the object that it was given, as if its callers had asked themselves. */

struct unit {
	spinlock_t lock;
	struct mutex setup;
	struct unit *next;
	bool slow;
	bool busy;
	bool ready;
	int mode;
	int count;
	struct unit_options options;
};

struct unit_options { int mode; bool eager; };

#define UNIT_OPTIONS(unit) ((unit)->options)

static bool unit_may_sleep(struct unit *unit)
{
	return unit->slow && !unit->busy;
}

static bool unit_may_sleep_for_once(struct unit *unit)
{
	if (!unit->slow)
		return false;
	unit->count++;
	return true;
}

static int unit_count(struct unit *unit)
{
	if (!unit->slow)
		return 1;
	return unit->count;
}

static bool unit_is_idle(struct unit *unit)
{
	return unit->mode == UNIT_IDLE;
}

static bool unit_sleeps_at_last(struct unit *unit)
{
	return unit_may_sleep(unit) && unit->ready;
}

static bool unit_is_any(struct unit *unit)
{
	return unit->slow || unit->ready && unit->busy;
}

static bool unit_becomes_slow(struct unit *unit)
{
	if (unit->ready)
		unit->slow = true;
	return unit->slow;
}

static bool unit_tells_of_another(struct unit *unit)
{
	unit = unit->next;
	return unit->slow;
}

static void unit_work(struct unit *unit)
{
	if (unit_may_sleep(unit))
		msleep(1);
}

static void unit_work_once(struct unit *unit)
{
	if (unit_may_sleep_for_once(unit))
		msleep(1);
}

static void unit_work_twice(struct unit *unit)
{
	int count = unit_count(unit);

	if (count != 1)
		msleep(1);
}

static void unit_work_on(struct unit *unit)
{
	if (unit_sleeps_at_last(unit))
		msleep(1);
}

static void unit_work_idle(struct unit *unit)
{
	if (!unit_is_idle(unit))
		return;
	msleep(1);
}

static void unit_work_any(struct unit *unit)
{
	if (unit_is_any(unit))
		msleep(1);
}

static void unit_work_busy(struct unit *unit)
{
	if (!unit_is_any(unit))
		msleep(1);
}

static void unit_work_slow(struct unit *unit)
{
	if (unit_becomes_slow(unit))
		msleep(1);
}

static bool unit_is_of_no_mode(struct unit *unit)
{
	return !unit->mode == UNIT_RUNNING;
}

static void unit_work_odd(struct unit *unit)
{
	if (unit_is_of_no_mode(unit))
		msleep(1);
}

static bool unit_is_not_running(struct unit *unit)
{
	return !(unit->mode == UNIT_RUNNING);
}

static void unit_work_other(struct unit *unit)
{
	if (unit_is_not_running(unit))
		msleep(1);
}

static void unit_work_next(struct unit *unit)
{
	if (unit_tells_of_another(unit))
		msleep(1);
}

void unit_handle(struct unit *unit)
{
	spin_lock(&unit->lock);
	if (!unit->slow) {
		unit_work(unit);
		unit_work_once(unit);
		unit_work_twice(unit);
		unit_work_on(unit);
		unit_work_any(unit); /* wrong: lock-sleep-in-atomic */
		unit_work_slow(unit); /* wrong: lock-sleep-in-atomic */
		unit_work_next(unit); /* wrong: lock-sleep-in-atomic */
	}
	if (unit->slow) {
		unit_work_busy(unit);
		unit_work(unit); /* wrong: lock-sleep-in-atomic */
	}
	if (!unit->ready)
		unit_work(unit); /* wrong: lock-sleep-in-atomic */
	if (!unit->busy)
		unit_work_twice(unit); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&unit->lock);
}

void unit_handle_mode(struct unit *unit)
{
	spin_lock(&unit->lock);
	if (unit->mode == UNIT_RUNNING) {
		unit_work_idle(unit);
		unit_work_other(unit);
		unit_work_odd(unit); /* wrong: lock-sleep-in-atomic */
	}
	if (unit->mode != UNIT_RUNNING)
		unit_work_idle(unit); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&unit->lock);
}

/* A macro that only names a part of the unit. */

static struct unit_options unit_options(struct unit *unit)
{
	return UNIT_OPTIONS(unit);
}

static bool unit_saves_power(struct unit *unit)
{
	return UNIT_OPTIONS(unit).mode == UNIT_SAVING && UNIT_OPTIONS(unit).eager;
}

static bool unit_other_saves_power(struct unit *unit)
{
	return unit_options(unit->next).mode == UNIT_SAVING;
}

static void unit_work_saving(struct unit *unit)
{
	if (unit_saves_power(unit))
		msleep(1);
}

static void unit_work_other_saving(struct unit *unit)
{
	if (unit_other_saves_power(unit))
		msleep(1);
}

void unit_handle_power(struct unit *unit)
{
	spin_lock(&unit->lock);
	if (UNIT_OPTIONS(unit).mode == UNIT_SPENDING) {
		unit_work_saving(unit);
		unit_work_other_saving(unit); /* wrong: lock-sleep-in-atomic */
	}
	if (!UNIT_OPTIONS(unit).eager)
		unit_work_saving(unit);
	if (UNIT_OPTIONS(unit).mode == UNIT_SAVING)
		unit_work_saving(unit); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&unit->lock);
}

static void unit_set_mode(struct unit *unit)
{
	UNIT_OPTIONS(unit).mode = UNIT_SAVING;
	unit_work_saving(unit);
}

static void unit_save_next(struct unit *unit)
{
	struct unit *next = unit->next;

	if (!unit_saves_power(next))
		return;
	msleep(1);
}

void unit_handle_next(struct unit *unit)
{
	struct unit *next = unit->next;

	spin_lock(&unit->lock);
	if (UNIT_OPTIONS(next).mode == UNIT_SPENDING) {
		unit_save_next(unit);
		unit_set_mode(unit); /* wrong: lock-sleep-in-atomic */
	}
	if (UNIT_OPTIONS(next).mode == UNIT_LASTING)
		unit_save_next(unit);
	if (UNIT_OPTIONS(next).mode == UNIT_SAVING)
		unit_save_next(unit); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&unit->lock);
}

/* It is asked for again under the lock because it may have changed. */

void unit_start(struct unit *unit)
{
	if (unit_may_sleep(unit))
		return;
	spin_lock(&unit->lock);
	if (unit_may_sleep(unit))
		msleep(1); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&unit->lock);
}

void unit_stop(struct unit *unit)
{
	if (!unit_may_sleep_for_once(unit))
		return;
	spin_lock(&unit->lock);
	if (!unit_may_sleep_for_once(unit))
		msleep(1); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&unit->lock);
}
