/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members that a function fills with what its callers give it. Lines that are to be found name the check. */
typedef void (*tick_fn_t)(struct wheel *wheel);

struct wheel {
	void (*spin)(struct wheel *wheel);
	void (*tick)(struct wheel *wheel);
	void (*stop)(struct wheel *wheel);
	void (*turn)(struct wheel *wheel);
	struct mutex lock;
};

static void slow(struct wheel *wheel)
{
	mutex_lock(&wheel->lock);
	mutex_unlock(&wheel->lock);
}

void wheel_init(struct wheel *wheel, void (*spin)(struct wheel *wheel), tick_fn_t tick)
{
	wheel->spin = spin;
	wheel->tick = tick;
}

void wheel_init_plain(struct wheel *wheel)
{
	wheel->spin = slow;
	wheel->tick = slow;
	wheel->turn = slow;
}

static void wheel_stop_with(struct wheel *wheel, int number, tick_fn_t stop)
{
	wheel->stop = stop;
}

static void wheel_turn_with(struct wheel *wheel, tick_fn_t turn)
{
	wheel->turn = turn;
}

void wheel_init_stops(struct wheel *wheel, struct wheel_data *data)
{
	wheel_stop_with(wheel, number_of(wheel, 1), slow);
	wheel_stop_with(wheel, 2, NULL);
	wheel_turn_with(wheel, data->turn);
}

void spin_any(struct wheel *wheel)
{
	preempt_disable();
	wheel->spin(wheel);
	preempt_enable();
}

void tick_any(struct wheel *wheel)
{
	preempt_disable();
	wheel->tick(wheel);
	preempt_enable();
}

void turn_any(struct wheel *wheel)
{
	preempt_disable();
	wheel->turn(wheel);
	preempt_enable();
}

void stop_slowly(struct wheel *wheel)
{
	preempt_disable();
	wheel->stop(wheel); /* wrong: lock-sleep-in-atomic */
	preempt_enable();
}

/* What the answer of a call is put into tells nothing of what it was before. */
struct meter { spinlock_t lock; struct mutex setup; bool ready; bool known; };

static void meter_probe(struct meter *meter)
{
	meter->ready = ask(meter);
	if (!meter->ready)
		mutex_lock(&meter->setup);
}

static void meter_look(struct meter *meter)
{
	if (!meter->known)
		mutex_lock(&meter->setup);
}

void meter_read(struct meter *meter)
{
	spin_lock(&meter->lock);
	if (meter->ready && meter->known) {
		meter_probe(meter); /* wrong: lock-sleep-in-atomic */
		meter_look(meter);
	}
	spin_unlock(&meter->lock);
}
