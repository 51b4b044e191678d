/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members that are read into a variable before they are asked for. Lines that are to be found name the check. */
struct link { spinlock_t lock; struct mutex users; struct mutex sent; struct work_struct work; int in_panic; int muted; };

static void deliver(struct work_struct *work)
{
	struct link *link = container_of(work, struct link, work);
	int in_panic = READ_ONCE(link->in_panic);

	handle(link);
	if (in_panic)
		return;
	mutex_lock(&link->users);
	mutex_unlock(&link->users);
}

static void received(struct link *link)
{
	int in_panic = READ_ONCE(link->in_panic);

	if (in_panic)
		deliver(&link->work);
	else
		schedule_work(&link->work);
}

static void received_other_than_muted(struct link *link)
{
	int muted = READ_ONCE(link->muted);

	if (!muted)
		deliver(&link->work);
}

void poll_link(struct link *link)
{
	spin_lock(&link->lock);
	received(link);
	spin_unlock(&link->lock);
}

void poll_without_asking(struct link *link)
{
	spin_lock(&link->lock);
	received_other_than_muted(link); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&link->lock);
}

void poll_in_panic(struct link *link)
{
	link->in_panic = 1;
	spin_lock(&link->lock);
	received_other_than_muted(link);
	spin_unlock(&link->lock);
}

void asks_again_with_the_lock(struct link *link)
{
	int in_panic = READ_ONCE(link->in_panic);

	if (in_panic)
		return;
	spin_lock(&link->lock);
	if (link->in_panic)
		msleep(1); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&link->lock);
}

static void reads_again(struct link *link)
{
	int in_panic;

	do {
		in_panic = READ_ONCE(link->in_panic);
		if (in_panic)
			msleep(1);
	} while (in_panic);
	msleep(2);
}

void waits_for_the_panic(struct link *link)
{
	link->in_panic = 1;
	spin_lock(&link->lock);
	reads_again(link); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&link->lock);
}
