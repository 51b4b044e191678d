/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What holds since another line of the same function. A line that is to be found names the check. */
struct dev { spinlock_t lock; struct mutex setup; };

void asked_before_interrupts_were_disabled(struct dev *dev)
{
	unsigned long flags;

	if (in_interrupt())
		return;
	msleep(1);
	local_irq_save(flags);
	msleep(1); /* wrong: lock-sleep-in-atomic */
	local_irq_restore(flags);
	msleep(1);
}

static DEFINE_MUTEX(paths_mutex);
void global_lock_taken_twice(struct dev *dev)
{
	mutex_lock(&paths_mutex);
	if (dev->a)
		mutex_lock(&paths_mutex); /* wrong: lock-recursive-class */
	dev->a = 1;
	mutex_unlock(&paths_mutex);
}
