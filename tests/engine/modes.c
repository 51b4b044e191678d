/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Modes that a macro of the file stands for. A line that is to be found names the check; every other line stays silent. */
#define DELAY_MODE HRTIMER_MODE_REL_SOFT
#define POLL_MODE HRTIMER_MODE_REL
struct delay { spinlock_t lock; spinlock_t queue; struct hrtimer timer; struct hrtimer poll; };

static enum hrtimer_restart delay_over(struct hrtimer *timer)
{
	struct delay *delay = container_of(timer, struct delay, timer);

	spin_lock(&delay->lock);
	delay->over = 1;
	spin_unlock(&delay->lock);
	return HRTIMER_NORESTART;
}

static enum hrtimer_restart poll_over(struct hrtimer *timer)
{
	struct delay *delay = container_of(timer, struct delay, poll);

	spin_lock(&delay->queue);
	delay->over = 2;
	spin_unlock(&delay->queue);
	return HRTIMER_NORESTART;
}

void start_delay(struct delay *delay)
{
	hrtimer_setup(&delay->timer, delay_over, CLOCK_MONOTONIC, DELAY_MODE);
	hrtimer_setup(&delay->poll, poll_over, CLOCK_MONOTONIC, POLL_MODE);
}

void stop_delay(struct delay *delay)
{
	msleep(1);
	spin_lock_bh(&delay->lock);
	delay->over = 0;
	spin_unlock_bh(&delay->lock);
	spin_lock_bh(&delay->queue); /* wrong: lock-irq-unsafe */
	delay->over = 0;
	spin_unlock_bh(&delay->queue);
}
