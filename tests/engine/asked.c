// SPDX-License-Identifier: GPL-2.0-or-later
/* A function that only asks about its context is such a question, and so is the bit of a gfp mask. */

struct kiln { spinlock_t lock; struct mutex mutex; int heat; };

static void kiln_fire(struct kiln *kiln)
{
	mutex_lock(&kiln->mutex);
	kiln->heat++;
	mutex_unlock(&kiln->mutex);
}

static bool kiln_in_atomic(void)
{
	if (IS_ENABLED(CONFIG_PREEMPTION) && rcu_preempt_depth())
		return true;
	if (!IS_ENABLED(CONFIG_PREEMPT_COUNT))
		return true;
	return !preemptible();
}

static bool kiln_is_atomic(void)
{
	return in_interrupt() || irqs_disabled();
}

static bool kiln_may_wait(void)
{
	return preemptible();
}

static bool kiln_is_in_interrupt(void)
{
	return in_hardirq();
}

/* Asks about something else as well. */

static bool kiln_is_hot(struct kiln *kiln)
{
	if (kiln->heat)
		return false;
	return in_interrupt();
}

static irqreturn_t kiln_interrupt(int irq, void *data)
{
	struct kiln *kiln = data;
	bool atomic = kiln_is_atomic();

	if (!kiln_in_atomic())
		kiln_fire(kiln);
	if (!atomic)
		kiln_fire(kiln);
	if (kiln_may_wait())
		kiln_fire(kiln);
	if (!kiln_is_in_interrupt())
		kiln_fire(kiln);
	return IRQ_HANDLED;
}

static void kiln_stoke(struct kiln *kiln)
{
	msleep(2); /* wrong: lock-sleep-in-atomic */
	kiln->heat++;
}

static void kiln_vent(struct kiln *kiln)
{
	msleep(3); /* wrong: lock-sleep-in-atomic */
	kiln->heat--;
}

static irqreturn_t kiln_interrupt_odd(int irq, void *data)
{
	struct kiln *kiln = data;

	if (!kiln_is_hot(kiln))
		kiln_stoke(kiln);
	if (kiln_in_atomic())
		kiln_vent(kiln);
	return IRQ_HANDLED;
}

int kiln_probe(struct kiln *kiln)
{
	request_irq(2, kiln_interrupt_odd, 0, "kiln", kiln);
	return request_irq(1, kiln_interrupt, 0, "kiln", kiln);
}

/* What sees interrupts alone says nothing of a lock. */

void kiln_tend(struct kiln *kiln)
{
	spin_lock(&kiln->lock);
	if (kiln_may_wait())
		msleep(1);
	if (!kiln_is_in_interrupt())
		msleep(1); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&kiln->lock);
}

/* The answer is the same each time it is looked at. */

void kiln_empty(struct kiln *kiln)
{
	bool may_wait = kiln_may_wait();

	if (may_wait)
		mutex_lock(&kiln->mutex);
	kiln->heat = 0;
	if (may_wait)
		mutex_unlock(&kiln->mutex);
}

static void kiln_wait(struct kiln *kiln, gfp_t gfp)
{
	bool can_wait = !!(gfp & __GFP_DIRECT_RECLAIM);

	kiln->heat++;
	if (can_wait)
		cond_resched();
}

static void kiln_rest(struct kiln *kiln, gfp_t gfp)
{
	if (gfp & __GFP_DIRECT_RECLAIM)
		msleep(1);
}

static void kiln_pause(struct kiln *kiln, gfp_t gfp)
{
	bool can_wait = gfp & __GFP_DIRECT_RECLAIM;

	if (can_wait)
		msleep(1);
}

void kiln_bake(struct kiln *kiln)
{
	spin_lock(&kiln->lock);
	kiln_wait(kiln, GFP_NOWAIT);
	kiln_rest(kiln, GFP_ATOMIC);
	kiln_pause(kiln, GFP_NOWAIT);
	spin_unlock(&kiln->lock);
}

void kiln_cool(struct kiln *kiln)
{
	spin_lock(&kiln->lock);
	kiln_wait(kiln, GFP_KERNEL); /* wrong: lock-sleep-in-atomic */
	kiln_rest(kiln, GFP_NOIO); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&kiln->lock);
}
