/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a function asks of an object only for some values of an argument, it has asked where that is given. */

struct dev {
	spinlock_t lock;
	struct dev *next;
	bool ready;
	bool slow;
};

static bool dev_may_wait(struct dev *dev, bool early)
{
	if (early)
		return dev->ready;
	return dev->slow;
}

static void dev_prepare(struct dev *dev, bool early)
{
	if (!dev_may_wait(dev, early))
		return;
	msleep(1);
}

static void dev_prepare_late(struct dev *dev)
{
	dev_prepare(dev, false);
}

static void dev_prepare_next(struct dev *dev, bool early)
{
	dev_prepare(dev->next, early);
}

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
	if (!dev->slow) {
		dev_prepare(dev, false);
		dev_prepare_late(dev);
		dev_prepare(dev, true); /* wrong: lock-sleep-in-atomic */
	} else if (!dev->ready) {
		dev_prepare(dev, true);
		dev_prepare_late(dev); /* wrong: lock-sleep-in-atomic */
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

void dev_handle_next(struct dev *dev)
{
	spin_lock(&dev->lock);
	if (!dev->next->slow) {
		dev_prepare_next(dev, false);
		dev_prepare_next(dev, true); /* wrong: lock-sleep-in-atomic */
	}
	if (!dev->slow)
		dev_prepare_next(dev, false); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&dev->lock);
}

void dev_handle_as_told(struct dev *dev, bool early)
{
	spin_lock(&dev->lock);
	if (!dev->ready && early)
		dev_prepare(dev, early);
	else if (!dev->ready)
		dev_prepare(dev, early); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&dev->lock);
}

void dev_handle_another(struct dev *dev, bool early)
{
	struct dev *next = dev->next;
	bool wait;

	spin_lock(&dev->lock);
	wait = dev_may_wait(next, early);
	next = next->next;
	if (early || !wait)
		goto out;
	if (!next->slow)
		msleep(1); /* wrong: lock-sleep-in-atomic */
out:
	spin_unlock(&dev->lock);
}

void dev_handle_the_same(struct dev *dev, bool early)
{
	struct dev *next = dev->next;
	bool wait;

	spin_lock(&dev->lock);
	wait = dev_may_wait(next, early);
	if (early || !wait)
		goto out;
	if (!next->slow)
		msleep(1);
	if (!next->ready)
		msleep(2); /* wrong: lock-sleep-in-atomic */
out:
	spin_unlock(&dev->lock);
}
