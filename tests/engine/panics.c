// SPDX-License-Identifier: GPL-2.0-or-later
/* A flag that is set in a panic alone is not found set elsewhere. */

struct till;

struct till_user { void (*panicked)(struct till *till); };

struct till {
	struct list_head list;
	struct mutex lock;
	const struct till_user *user;
	int direct;
	int early;
	int count;
};
static LIST_HEAD(tills);

static void till_count(struct till *till)
{
	mutex_lock(&till->lock); /* wrong: rcu-sleep-in-reader */
	till->count = 0;
	mutex_unlock(&till->lock);
}

static void till_received(struct till *till)
{
	int direct = READ_ONCE(till->direct);

	if (direct)
		till_count(till);
}

static void till_received_early(struct till *till)
{
	if (till->early)
		msleep(1); /* wrong: lock-sleep-in-atomic */
}

static irqreturn_t till_interrupt(int irq, void *data)
{
	struct till *till = data;

	till_received(till);
	till_received_early(till);
	return IRQ_HANDLED;
}

static void till_ask(struct till *till, int *answer)
{
	if (!answer) {
		till->direct = 1;
		till->early = 1;
	}
	till->count++;
}

void till_poll(struct till *till)
{
	int answer;

	till_ask(till, &answer);
}

void till_hurry(struct till *till)
{
	till->early = 1;
}

static void till_user_panicked(struct till *till)
{
	till_ask(till, NULL);
}

static const struct till_user till_user = { .panicked = till_user_panicked };

static int till_panics(struct notifier_block *this, unsigned long event, void *data)
{
	struct till *till;

	list_for_each_entry(till, &tills, list) {
		till->direct = 1;
		till->user->panicked(till);
		till_received(till);
	}
	return NOTIFY_DONE;
}

static struct notifier_block till_block = { .notifier_call = till_panics };

int till_probe(struct till *till, int irq)
{
	till->user = &till_user;
	till->direct = 0;
	till->early = 0;
	atomic_notifier_chain_register(&panic_notifier_list, &till_block);
	return request_irq(irq, till_interrupt, 0, "till", till);
}
