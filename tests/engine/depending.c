/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a function asks of an object only for some values of an argument, it has asked where that is given. */

struct dev {
	spinlock_t lock;
	struct dev *next;
	bool ready;
	bool slow;
};

static void dev_finish(struct dev *dev, bool early)
{
	if (early && !dev->ready)
		return;
	msleep(1);
}

static void dev_finish_soon(struct dev *dev, bool early)
{
	dev->ready = dev->slow;
	if (early && !dev->ready)
		return;
	msleep(1);
}

static void dev_finish_somehow(struct dev *dev, bool early)
{
	if (dev->next)
		dev_finish(dev, early);
	else
		msleep(1);
}

void dev_handle(struct dev *dev, bool early)
{
	spin_lock(&dev->lock);
	if (!dev->ready) {
		dev_finish(dev, true);
		dev_finish(dev, false); /* wrong: lock-sleep-in-atomic */
		dev_finish_soon(dev, true); /* wrong: lock-sleep-in-atomic */
		dev_finish(dev, early); /* wrong: lock-sleep-in-atomic */
		dev_finish_somehow(dev, true); /* wrong: lock-sleep-in-atomic */
		if (dev->next)
			dev_finish_somehow(dev, true);
	}
	spin_unlock(&dev->lock);
}

void dev_handle_as_told(struct dev *dev, bool early)
{
	spin_lock(&dev->lock);
	if (!dev->ready && early)
		dev_finish(dev, early);
	else if (!dev->ready)
		dev_finish(dev, early); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&dev->lock);
}
