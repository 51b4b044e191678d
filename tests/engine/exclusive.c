// SPDX-License-Identifier: GPL-2.0-or-later
/* What one member is set to only where another is otherwise is not found where that other one is so. */

enum duct_way { DUCT_OFF, DUCT_SELF, DUCT_ALL };
enum duct_kind { DUCT_SMALL, DUCT_WIDE, DUCT_TALL };
enum duct_stage { DUCT_REST, DUCT_RUNNING };

struct duct {
	spinlock_t lock;
	struct mutex mutex;
	enum duct_kind kind;
	enum duct_way way;
	enum duct_way drain;
	enum duct_way given;
	enum duct_stage stage;
	enum duct_stage pump;
	enum duct_stage age;
	bool polled;
	int count;
};

void duct_probe(struct duct *duct)
{
	duct->stage = DUCT_REST;
	duct->pump = DUCT_REST;
	switch (duct->kind) {
	case DUCT_SMALL:
	case DUCT_WIDE:
		if (duct->count)
			duct->way = DUCT_ALL;
		else
			duct->way = DUCT_OFF;
		break;
	default:
		duct->way = DUCT_SELF;
	}
	duct->drain = duct->count ? DUCT_ALL : DUCT_SELF;
}

static void duct_process(struct duct *duct)
{
	if (duct->way == DUCT_ALL) {
		mutex_lock(&duct->mutex);
		duct->count = 0;
		mutex_unlock(&duct->mutex);
	}
}

static void duct_process_drain(struct duct *duct)
{
	if (duct->drain == DUCT_ALL)
		msleep(1);
}

static void duct_process_given(struct duct *duct)
{
	if (duct->given == DUCT_ALL)
		msleep(1);
}

static void duct_process_new(struct duct *duct)
{
	if (duct->age == DUCT_REST)
		msleep(1);
}

static void duct_process_alone(struct duct *duct)
{
	if (duct->way == DUCT_SELF)
		msleep(1);
}

void duct_interrupt_tall(struct duct *duct)
{
	spin_lock(&duct->lock);
	if (duct->kind == DUCT_TALL)
		duct_process(duct);
	if (duct->kind == DUCT_TALL)
		duct_process_drain(duct); /* wrong: lock-sleep-in-atomic */
	if (duct->kind == DUCT_TALL)
		duct_process_given(duct); /* wrong: lock-sleep-in-atomic */
	if (duct->kind == DUCT_TALL)
		duct_process_new(duct); /* wrong: lock-sleep-in-atomic */
	if (duct->kind == DUCT_WIDE)
		duct_process_alone(duct);
	spin_unlock(&duct->lock);
}

/* A new object has what nobody put there. */

void duct_grow(struct duct *duct)
{
	duct->age = DUCT_RUNNING;
}

/* What is copied may be anything. */

void duct_copy(struct duct *duct, struct duct *from)
{
	if (duct->kind == DUCT_SMALL)
		duct->given = DUCT_ALL;
	else
		duct->count = 1;
	if (duct->count)
		duct->given = DUCT_OFF;
	duct->given = from->given;
}

/* The mode of the transfer decides whether the stage is ever entered. */

static void duct_begin(struct duct *duct)
{
	duct->stage = DUCT_RUNNING;
	duct->pump = DUCT_RUNNING;
}

static void duct_start(struct duct *duct)
{
	duct->count++;
	if (duct->polled)
		return;
	duct_begin(duct);
}

void duct_prime(struct duct *duct)
{
	duct->pump = DUCT_RUNNING;
}

static void duct_transfer(struct duct *duct)
{
	duct_start(duct);
	if (!duct->polled)
		return;
	if (duct->stage != DUCT_REST)
		msleep(1);
}

static void duct_transfer_with_pump(struct duct *duct)
{
	duct_start(duct);
	if (!duct->polled)
		return;
	if (duct->pump != DUCT_REST)
		msleep(1);
}

void duct_transfer_polled(struct duct *duct)
{
	spin_lock(&duct->lock);
	duct->polled = true;
	duct_transfer(duct);
	duct_transfer_with_pump(duct); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&duct->lock);
}
