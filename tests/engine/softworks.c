/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Works on a workqueue that runs in softirqs. A line that is to be found names the check. */
struct card { spinlock_t lock; struct work_struct work; struct timer_list timer; };

static void card_expired(struct timer_list *timer)
{
	struct card *card = from_timer(card, timer, timer);

	spin_lock(&card->lock);
	msleep(1); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&card->lock);
}

static void card_work(struct work_struct *work)
{
	struct card *card = container_of(work, struct card, work);

	spin_lock(&card->lock);
	card->done = 1;
	spin_unlock(&card->lock);
}

void card_init(struct card *card)
{
	timer_setup(&card->timer, card_expired, 0);
	INIT_WORK(&card->work, card_work);
}

void card_kick(struct card *card)
{
	queue_work(system_bh_wq, &card->work);
}
