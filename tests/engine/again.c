/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Locks taken a second time, or not after all. A line that is to be found names the check; every other stays silent. */
struct path { bool wants_sem; bool nowait; int level; };
struct forest { struct rw_semaphore sem; struct mutex lock; spinlock_t busy; };

int search(struct forest *forest, struct path *path)
{
	if (path->wants_sem) {
		if (path->nowait) {
			if (!down_read_trylock(&forest->sem))
				return -EAGAIN;
		} else {
			down_read(&forest->sem);
		}
	}
	look_below(forest);
	if (path->wants_sem)
		up_read(&forest->sem);
	return 0;
}

int search_next(struct forest *forest, struct path *path)
{
	int ret;

	down_read(&forest->sem);
	path->wants_sem = false;
	ret = search(forest, path);
	up_read(&forest->sem);
	return ret;
}

int search_on(struct forest *forest, struct path *path)
{
	int ret;

	if (path->nowait) {
		if (!down_read_trylock(&forest->sem))
			return -EAGAIN;
	} else {
		down_read(&forest->sem);
	}
	path->wants_sem = true;
	ret = search(forest, path); /* wrong: lock-reader-recursion */
	up_read(&forest->sem);
	return ret;
}

/* As many are released as were taken: a loop up to the same number runs as the first did. */
struct shelf { struct mutex lock; int used; };

void empty_all(struct forest *forest, struct shelf **shelves, int count)
{
	int i;

	for (i = 0; i < count; i++)
		mutex_lock(&shelves[i]->lock);
	sort_all(shelves, count);
	for (i = 0; i < count; i++)
		mutex_unlock(&shelves[i]->lock);
	mutex_lock(&forest->lock);
	forget_shelves(forest);
	mutex_unlock(&forest->lock);
}

void fill_one(struct forest *forest, struct shelf *shelf)
{
	mutex_lock(&forest->lock);
	mutex_lock(&shelf->lock);
	shelf->used++;
	mutex_unlock(&shelf->lock);
	mutex_unlock(&forest->lock);
}

/* Memory of the kernel is copied by the callee, which asks whether it is the user's. */
static size_t copy_guarded(void *to, size_t bytes, struct iov_iter *from)
{
	if (user_backed_iter(from))
		might_fault();
	return copy_plain(to, bytes, from);
}

int read_page(struct forest *forest, struct bio_vec *page, void *to)
{
	struct iov_iter iter;
	size_t found;

	iov_iter_bvec(&iter, ITER_SOURCE, page, 1, 4096);
	spin_lock(&forest->busy);
	found = copy_guarded(to, 4096, &iter);
	spin_unlock(&forest->busy);
	return found == 4096 ? 0 : -EIO;
}

int read_given(struct forest *forest, struct iov_iter *iter, void *to)
{
	size_t found;

	spin_lock(&forest->busy);
	found = copy_guarded(to, 4096, iter); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&forest->busy);
	return found == 4096 ? 0 : -EIO;
}

/* A wait that a file defines itself may let go of the lock meanwhile. */
#define wait_event_idle_forest(forest, condition) \
	wait_event_cmd((forest)->idle, condition, spin_unlock(&(forest)->busy), spin_lock(&(forest)->busy))

void settle(struct forest *forest)
{
	spin_lock(&forest->busy);
	wait_event_idle_forest(forest, !forest->settling);
	forest->settling = true;
	spin_unlock(&forest->busy);
}

void settle_asleep(struct forest *forest)
{
	spin_lock(&forest->busy);
	wait_event_idle(forest->idle, !forest->settling); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&forest->busy);
}
