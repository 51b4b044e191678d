/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls through a member: which structure it is a member of decides what is called. */
struct slow_ops { void (*finish)(void *object); };
struct quick_ops { void (*finish)(void *object); };
struct part { raw_spinlock_t lock; struct slow_ops *slow; struct quick_ops *quick; void (*finish)(struct part *part); };

static void finish_slowly(void *object)
{
	msleep(1);
}

static struct slow_ops slow_ops = {
	.finish = finish_slowly,
};

void call_of_the_structure(struct part *part)
{
	raw_spin_lock(&part->lock);
	part->slow->finish(part); /* wrong: lock-sleep-in-atomic */
	raw_spin_unlock(&part->lock);
}

void call_by_way_of_a_local(struct part *part)
{
	struct slow_ops *ops = part->slow;

	raw_spin_lock(&part->lock);
	ops->finish(part); /* wrong: lock-sleep-in-atomic */
	raw_spin_unlock(&part->lock);
}

void namesake_of_another_structure(struct part *part)
{
	raw_spin_lock(&part->lock);
	part->quick->finish(part);
	part->finish(part);
	raw_spin_unlock(&part->lock);
}

struct reader { int (*read)(struct reader *reader); };

static int read_slowly(struct reader *reader)
{
	msleep(1);
	return 0;
}

void set_up_reader(struct reader *reader)
{
	reader->read = read_slowly;
}

struct pmu { void (*read)(struct perf_event *event); };

static void count_slowly(struct perf_event *event)
{
	msleep(1); /* wrong: lock-sleep-in-atomic */
}

void set_up_counter(struct pmu *pmu)
{
	pmu->read = count_slowly;
}
