/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operations that the table of the running function leaves out. Lines that are to be found name the check. */
struct map { const struct map_ops *ops; struct mutex lock; };
struct map_ops {
	void (*release)(struct map *map);
	void (*forget)(struct map *map);
	void (*merge)(struct map *map, struct map *other);
	void (*poke)(struct map *map);
	void (*put)(struct map *map, int at);
	void (*lookup)(struct map *map);
};

static void clear(struct map *map)
{
	if (map->ops->poke) {
		mutex_lock(&map->lock);
		map->ops->poke(map);
		mutex_unlock(&map->lock);
	}
}

static void put_slowly(struct map *map, int at)
{
	mutex_lock(&map->lock);
	map->count--;
	mutex_unlock(&map->lock);
}

static void put_fast(struct map *map, int at)
{
	map->count--;
}

static void put_all(struct map *map)
{
	clear(map);
	map->ops->put(map, 0);
}

static void lookup_plain(struct map *map)
{
	rcu_read_lock();
	put_all(map);
	map->ops->put(map, 1);
	rcu_read_unlock();
}

static void lookup_poked(struct map *map)
{
	rcu_read_lock();
	map->ops->put(map, 1); /* wrong: rcu-sleep-in-reader */
	rcu_read_unlock();
}

static void lookup_slow(struct map *map)
{
	rcu_read_lock();
	put_all(map); /* wrong: rcu-sleep-in-reader */
	rcu_read_unlock();
}

static void lookup_another(struct map *map)
{
	map = map->next;
	rcu_read_lock();
	put_all(map); /* wrong: rcu-sleep-in-reader */
	rcu_read_unlock();
}

static void release_plain(struct map *map)
{
	rcu_read_lock();
	clear(map);
	rcu_read_unlock();
}

static void release_poked(struct map *map)
{
	rcu_read_lock();
	clear(map); /* wrong: rcu-sleep-in-reader */
	rcu_read_unlock();
}

static void forget_called_directly(struct map *map)
{
	rcu_read_lock();
	clear(map); /* wrong: rcu-sleep-in-reader */
	rcu_read_unlock();
}

static void merge_plain(struct map *map, struct map *other)
{
	rcu_read_lock();
	clear(other); /* wrong: rcu-sleep-in-reader */
	rcu_read_unlock();
}

static void release_unclear(struct map *map)
{
	rcu_read_lock();
	clear(map); /* wrong: rcu-sleep-in-reader */
	rcu_read_unlock();
}

static void poke_it(struct map *map)
{
	map->ops = NULL;
}

const struct map_ops plain_ops = {
	.release = release_plain,
	.forget = forget_called_directly,
	.put = put_fast,
	.lookup = lookup_plain,
	.merge = merge_plain, /* and no more */
};

const struct map_ops poked_ops = {
	.release = release_poked,
	.poke = poke_it,
	.put = &put_slowly,
	.lookup = lookup_poked,
};

const struct map_ops slow_ops = {
	.put = put_slowly,
	.lookup = lookup_slow
};

const struct map_ops another_ops = {
	.put = put_fast,
	.lookup = lookup_another,
};

const struct map_ops unclear_ops = {
	USUAL_OPERATIONS,
	.release = release_unclear,
};

void forget_any(struct map *map)
{
	forget_called_directly(map);
}
