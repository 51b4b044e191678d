// SPDX-License-Identifier: GPL-2.0-or-later
/* A handler that is set up only where a member of its object says so is not entered where it says otherwise. */

struct lamp {
	struct led_classdev dev;
	struct timer_list timer;
	struct hrtimer fader;
	struct mutex mutex;
	int can_sleep;
	int slow;
	int fades;
	int level;
};

static void lamp_set(struct led_classdev *dev, int level)
{
	struct lamp *lamp = container_of(dev, struct lamp, dev);

	if (lamp->can_sleep)
		msleep(1);
	lamp->level = level;
}

static void lamp_set_slowly(struct led_classdev *dev, int level)
{
	struct lamp *lamp = container_of(dev, struct lamp, dev);

	if (lamp->slow)
		msleep(1); /* wrong: lock-sleep-in-atomic */
	lamp->level = level;
}

static void lamp_set_always(struct led_classdev *dev, int level)
{
	struct lamp *lamp = container_of(dev, struct lamp, dev);

	if (lamp->can_sleep)
		msleep(1); /* wrong: lock-sleep-in-atomic */
	lamp->level = level;
}

static void lamp_fade(struct lamp *lamp)
{
	if (!lamp->fades)
		msleep(1);
	lamp->level--;
}

static void lamp_glow(struct lamp *lamp)
{
	if (lamp->fades)
		msleep(1); /* wrong: lock-sleep-in-atomic */
	lamp->level--;
}

static enum hrtimer_restart lamp_fader(struct hrtimer *timer)
{
	struct lamp *lamp = container_of(timer, struct lamp, fader);

	lamp_fade(lamp);
	lamp_glow(lamp);
	return HRTIMER_NORESTART;
}

static void lamp_timer(struct timer_list *timer)
{
	struct lamp *lamp = container_of(timer, struct lamp, timer);

	if (!lamp->fades)
		msleep(1); /* wrong: lock-sleep-in-atomic */
}

void lamp_switch(struct lamp *lamp)
{
	if (lamp->fades)
		hrtimer_start(&lamp->fader, 100, HRTIMER_MODE_REL);
	mod_timer(&lamp->timer, jiffies);
}

void lamp_hurry(struct lamp *lamp)
{
	lamp->slow = 0;
}

int lamp_probe(struct lamp *lamp, struct lamp *other, int kind)
{
	lamp->can_sleep = lamp_can_sleep(kind);
	lamp->fades = kind == 3;
	if (!lamp->can_sleep)
		lamp->dev.brightness_set = lamp_set;
	if (!lamp->slow)
		lamp->dev.brightness_set = lamp_set_slowly;
	if (!other->can_sleep)
		lamp->dev.brightness_set = lamp_set_always;
	hrtimer_setup(&lamp->fader, lamp_fader, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	timer_setup(&lamp->timer, lamp_timer, 0);
	return 0;
}
