/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is done where a member is one of several constants is not done where it is none of them. */

enum lift_state { LIFT_IDLE, LIFT_UP, LIFT_DOWN, LIFT_HELD, LIFT_LOST, LIFT_OLD };

struct lift {
	spinlock_t lock;
	struct mutex door;
	enum lift_state state;
	enum lift_state wanted;
	bool broken;
	int floor;
};

static void lift_wait(struct lift *lift)
{
	if (lift->state == LIFT_UP || lift->state == LIFT_DOWN)
		msleep(1);
}

static void lift_stop(struct lift *lift)
{
	switch (lift->state) {
	case LIFT_UP:
	case LIFT_DOWN:
	case LIFT_HELD:
		lift->floor++;
		msleep(1);
		break;
	default:
		break;
	}
}

static void lift_wait_or_mend(struct lift *lift)
{
	if (lift->state == LIFT_UP || lift->broken)
		msleep(1);
}

static void lift_wait_anyway(struct lift *lift)
{
	if (lift->state == LIFT_UP || lift->state == LIFT_DOWN || lift->state == LIFT_HELD ||
	    lift->state == LIFT_LOST || lift->state == LIFT_OLD)
		msleep(1);
}

static void lift_begin_and_wait(struct lift *lift)
{
	if (lift->state == LIFT_IDLE)
		lift->state = LIFT_UP;
	if (lift->state == LIFT_UP || lift->state == LIFT_DOWN)
		msleep(1);
}

void lift_call_idle(struct lift *lift)
{
	spin_lock(&lift->lock);
	if (lift->state == LIFT_IDLE) {
		lift_wait(lift);
		lift_stop(lift);
		lift_wait_or_mend(lift); /* wrong: lock-sleep-in-atomic */
		lift_wait_anyway(lift);
		lift_begin_and_wait(lift); /* wrong: lock-sleep-in-atomic */
	}
	spin_unlock(&lift->lock);
}

void lift_call_down(struct lift *lift)
{
	spin_lock(&lift->lock);
	if (lift->state == LIFT_DOWN)
		lift_wait(lift); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&lift->lock);
}

void lift_call_held(struct lift *lift)
{
	spin_lock(&lift->lock);
	if (lift->state == LIFT_HELD)
		lift_stop(lift); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&lift->lock);
}

void lift_call_any(struct lift *lift)
{
	spin_lock(&lift->lock);
	lift_wait(lift); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&lift->lock);
}

void lift_call_idle_or_lost(struct lift *lift)
{
	spin_lock(&lift->lock);
	if (lift->state == LIFT_IDLE || lift->state == LIFT_LOST)
		lift_wait(lift);
	spin_unlock(&lift->lock);
}

void lift_call_idle_or_up(struct lift *lift)
{
	spin_lock(&lift->lock);
	if (lift->state == LIFT_IDLE || lift->state == LIFT_UP)
		lift_wait(lift); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&lift->lock);
}

void lift_settle(struct lift *lift)
{
	spin_lock(&lift->lock);
	lift->state = LIFT_IDLE;
	lift_wait(lift);
	spin_unlock(&lift->lock);
}

void lift_raise(struct lift *lift)
{
	spin_lock(&lift->lock);
	lift->state = LIFT_UP;
	lift_wait(lift); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&lift->lock);
}

void lift_want_idle(struct lift *lift)
{
	spin_lock(&lift->lock);
	if (lift->wanted == LIFT_IDLE)
		lift_wait(lift); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&lift->lock);
}

/* Of many ways to the same, each with another constant, none is there for any other. */

static void lift_open(struct lift *lift)
{
	mutex_lock(&lift->door);
	lift->floor++;
	mutex_unlock(&lift->door);
}

static void lift_go(struct lift *lift)
{
	switch (lift->state) {
	case LIFT_UP:
		lift->floor++;
		lift_open(lift);
		break;
	case LIFT_DOWN:
		lift->floor--;
		lift_open(lift);
		break;
	case LIFT_HELD:
		lift_open(lift);
		break;
	case LIFT_LOST:
		lift->floor = 0;
		lift_open(lift);
		break;
	default:
		break;
	}
}

static void lift_go_or_break(struct lift *lift)
{
	switch (lift->state) {
	case LIFT_UP:
		lift->floor++;
		lift_open(lift);
		break;
	case LIFT_DOWN:
		lift->floor--;
		lift_open(lift);
		break;
	case LIFT_HELD:
		lift_open(lift);
		break;
	default:
		if (lift->broken)
			lift_open(lift);
		break;
	}
}

void lift_go_old(struct lift *lift)
{
	spin_lock(&lift->lock);
	if (lift->state == LIFT_OLD) {
		lift_go(lift);
		lift_go_or_break(lift); /* wrong: lock-sleep-in-atomic */
	}
	spin_unlock(&lift->lock);
}

void lift_go_lost(struct lift *lift)
{
	spin_lock(&lift->lock);
	if (lift->state == LIFT_LOST)
		lift_go(lift); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&lift->lock);
}

void lift_go_up(struct lift *lift)
{
	spin_lock(&lift->lock);
	if (lift->state == LIFT_UP)
		lift_go(lift); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&lift->lock);
}
