/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is done at once for some objects and by a callback for others. Lines that are to be found name the check. */
struct tag { struct kref ref; struct rcu_head rcu; struct shop *shop; };
struct shop { raw_spinlock_t lock; };

static void free_tag(struct tag *tag)
{
	kfree(tag);
}

static void free_tag_rcu(struct rcu_head *rcu)
{
	free_tag(container_of(rcu, struct tag, rcu));
}

static void release_tag(struct kref *ref)
{
	struct tag *tag = container_of(ref, struct tag, ref);

	if (!shop_of(tag)) {
		free_tag(tag);
		return;
	}
	call_rcu(&tag->rcu, free_tag_rcu);
}

void put_a_tag_that_readers_may_see(struct shop *shop, struct tag *tag)
{
	raw_spin_lock(&shop->lock);
	release_tag(&tag->ref);
	raw_spin_unlock(&shop->lock);
}

void put_at_once(struct shop *shop, struct tag *tag)
{
	raw_spin_lock(&shop->lock);
	free_tag(tag); /* wrong: rt-free-under-raw-spinlock */
	raw_spin_unlock(&shop->lock);
}

static void release_as_told(struct tag *tag, bool seen)
{
	if (seen)
		call_rcu(&tag->rcu, free_tag_rcu);
	else
		free_tag(tag);
}

void put_as_told(struct shop *shop, struct tag *tag)
{
	raw_spin_lock(&shop->lock);
	release_as_told(tag, true);
	release_as_told(tag, false); /* wrong: rt-free-under-raw-spinlock */
	raw_spin_unlock(&shop->lock);
}

static void release_both(struct tag *tag, struct tag *other)
{
	free_tag(tag);
	call_rcu(&other->rcu, free_tag_rcu);
}

void put_both(struct shop *shop, struct tag *tag, struct tag *other)
{
	raw_spin_lock(&shop->lock);
	release_both(tag, other); /* wrong: rt-free-under-raw-spinlock */
	raw_spin_unlock(&shop->lock);
}
