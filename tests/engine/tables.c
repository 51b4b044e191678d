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
	void (*take_out)(struct map *map);
	void (*put_in)(struct map *map);
	void (*move)(struct map *map);
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

static void lookup_found(struct map *map)
{
	map = find_map(map);
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

const struct map_ops found_ops = {
	.put = put_fast,
	.lookup = lookup_found,
};

const struct map_ops unclear_ops = {
	USUAL_OPERATIONS,
	.release = release_unclear,
};

void forget_any(struct map *map)
{
	forget_called_directly(map);
}

struct table { struct map map; spinlock_t lock; };

static void table_poke(struct table *table)
{
	struct map *map = &table->map;

	if (map->ops->poke)
		map->ops->poke(map);
}

static void __take_out(struct map *map, int at)
{
	struct table *table = container_of(map, struct table, map);

	spin_lock(&table->lock);
	table_poke(table);
	spin_unlock(&table->lock);
}

static void take_out_first(struct map *map)
{
	__take_out(map, 0);
}

static void take_out_second(struct map *map)
{
	__take_out(map, 1);
}

static void __put_in(struct map *map, int at)
{
	struct table *table = container_of(map, struct table, map);

	spin_lock(&table->lock);
	table_poke(table); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&table->lock);
}

static void put_in_plain(struct map *map)
{
	__put_in(map, 0);
}

static void put_in_poked(struct map *map)
{
	__put_in(map, 1);
}

static void __move_over(struct map *map, struct map *other)
{
	struct table *table = container_of(map, struct table, map);

	spin_lock(&table->lock);
	table_poke(table); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&table->lock);
}

static void move_over(struct map *map)
{
	__move_over(map->next, map);
}

static void poke_slowly(struct map *map)
{
	mutex_lock(&map->lock);
	mutex_unlock(&map->lock);
}

static void put_in_batch(struct map *map)
{
	put_fast(map, 1);
}

#define BATCH_OPERATIONS(_name) \
	.merge = merge_##_name, \
	.put_batch = _name##_in_batch

const struct map_ops first_table_ops = {
	BATCH_OPERATIONS(put),
	.take_out = take_out_first,
	.put_in = put_in_plain,
	.move = move_over,
};

const struct map_ops second_table_ops = {
	.take_out = take_out_second,
};

const struct map_ops poked_table_ops = {
	.poke = poke_slowly,
	.put_in = put_in_poked,
};
