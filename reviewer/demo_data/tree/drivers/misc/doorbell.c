// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Doorbell: a device that is given tokens and rings when one is done.
 *
 * This driver belongs to the example tree; there is no such device.
 */
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/swait.h>
#include <linux/sysfs.h>

#define DOORBELL_TOKEN	0x00
#define DOORBELL_RATE	0x04

struct doorbell_waiter {
	struct list_head	node;
	struct swait_queue_head	queue;
	u32			token;
	bool			done;
};

struct doorbell {
	raw_spinlock_t		lock;		/* protects waiters and count */
	struct list_head	waiters;
	unsigned int		count;
	spinlock_t		stats_lock;	/* protects calls */
	u64			calls;
	struct mutex		rate_lock;	/* protects rate */
	u32			rate;
	void __iomem		*regs;
	int			irq;
};

static struct doorbell_waiter *doorbell_find(struct doorbell *db, u32 token)
{
	struct doorbell_waiter *waiter;

	lockdep_assert_held(&db->lock);

	list_for_each_entry(waiter, &db->waiters, node) {
		if (waiter->token == token)
			return waiter;
	}
	return NULL;
}

/* The device is done with @token. */
static void doorbell_complete(struct doorbell *db, u32 token)
{
	struct doorbell_waiter *waiter;

	raw_spin_lock(&db->lock);
	waiter = doorbell_find(db, token);
	if (waiter) {
		WRITE_ONCE(waiter->done, true);
		swake_up_one(&waiter->queue);
	}
	raw_spin_unlock(&db->lock);
}

static irqreturn_t doorbell_interrupt(int irq, void *data)
{
	struct doorbell *db = data;
	u32 token = readl(db->regs + DOORBELL_TOKEN);

	if (!token)
		return IRQ_NONE;

	doorbell_complete(db, token);
	return IRQ_HANDLED;
}

/* Sleeps until the device has rung for @token. */
int doorbell_wait(struct doorbell *db, u32 token)
{
	struct doorbell_waiter waiter = { .token = token };

	init_swait_queue_head(&waiter.queue);

	raw_spin_lock_irq(&db->lock);
	list_add(&waiter.node, &db->waiters);
	db->count++;
	raw_spin_unlock_irq(&db->lock);

	swait_event_exclusive(waiter.queue, READ_ONCE(waiter.done));

	raw_spin_lock_irq(&db->lock);
	list_del(&waiter.node);
	db->count--;
	raw_spin_unlock_irq(&db->lock);

	spin_lock(&db->stats_lock);
	db->calls++;
	spin_unlock(&db->stats_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(doorbell_wait);

void doorbell_set_rate(struct doorbell *db, u32 rate)
{
	mutex_lock(&db->rate_lock);
	db->rate = rate;
	writel(rate, db->regs + DOORBELL_RATE);
	mutex_unlock(&db->rate_lock);
}
EXPORT_SYMBOL_GPL(doorbell_set_rate);

static int doorbell_probe(struct platform_device *pdev)
{
	struct doorbell *db;

	db = devm_kzalloc(&pdev->dev, sizeof(*db), GFP_KERNEL);
	if (!db)
		return -ENOMEM;

	raw_spin_lock_init(&db->lock);
	INIT_LIST_HEAD(&db->waiters);
	spin_lock_init(&db->stats_lock);
	mutex_init(&db->rate_lock);
	platform_set_drvdata(pdev, db);

	db->regs = devm_platform_ioremap_resource(pdev, 0);
	if (IS_ERR(db->regs))
		return PTR_ERR(db->regs);

	db->irq = platform_get_irq(pdev, 0);
	if (db->irq < 0)
		return db->irq;

	return request_irq(db->irq, doorbell_interrupt, IRQF_NO_THREAD, "doorbell", db);
}

static struct platform_driver doorbell_driver = {
	.probe	= doorbell_probe,
	.driver	= {
		.name	= "doorbell",
	},
};
module_platform_driver(doorbell_driver);

MODULE_DESCRIPTION("Doorbell, an example");
MODULE_LICENSE("GPL");
