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

/* A question that answers with a lock held or with an error. */
static int lock_and_test_alive(struct forest *forest)
{
	if (mutex_lock_interruptible(&forest->lock))
		return -EINTR;
	if (!forest->alive) {
		mutex_unlock(&forest->lock);
		return -ENODEV;
	}
	return 0;
}

int poll_forest(struct forest *forest)
{
	if (lock_and_test_alive(forest))
		return POLL_GONE;
	mutex_unlock(&forest->lock);
	return forest->events ? POLL_READY : 0;
}

int poll_forgetful(struct forest *forest)
{
	if (lock_and_test_alive(forest))
		return POLL_GONE;
	if (!forest->events)
		return 0; /* wrong: lock-imbalance */
	mutex_unlock(&forest->lock);
	return POLL_READY;
}

/* What a macro is given may be evaluated inside the reader that it opens. */
#define tell_in_rcu(forest, format, args...) do { rcu_read_lock(); tell(forest, format, ##args); rcu_read_unlock(); } while (0)
#define tell_warning(forest, format, args...) tell_in_rcu(forest, "warning: " format, ##args)
#define tell_aloud(forest, format, args...) tell(forest, "!" format, ##args)

static const char *name_of(struct forest *forest)
{
	return rcu_dereference(forest->name);
}

static int forest_open(struct inode *inode, struct file *file)
{
	struct forest *forest = inode->i_private;

	tell_warning(forest, "%s opened", forest->named ? name_of(forest) : "nobody");
	return 0;
}

static int forest_flush(struct file *file, fl_owner_t id)
{
	struct forest *forest = file->private_data;

	tell_aloud(forest, "%s flushed", name_of(forest)); /* wrong: rcu-deref-outside-reader */
	return 0;
}

static const struct file_operations forest_fops = {
	.open = forest_open,
	.flush = forest_flush,
};

/* A mark on the task is made by a caller who holds what the marked way takes for held. */
static int forest_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	struct forest *forest = file->private_data;

	if (current->journal_info == FOREST_WRITES) {
		current->journal_info = NULL;
		lockdep_assert_held(&forest->lock);
	}
	return write_back(forest);
}

static int forest_release(struct inode *inode, struct file *file)
{
	struct forest *forest = file->private_data;

	if (!current->journal_info)
		lockdep_assert_held(&forest->lock); /* wrong: lock-assert-not-held */
	return 0;
}

static const struct file_operations forest_sync_fops = {
	.fsync = forest_fsync,
	.release = forest_release,
};

/* Who claims to run in a task knows where it is registered. */
static void page_read(struct bio *bio)
{
	struct forest *forest = bio->bi_private;

	ASSERT(in_task());
	mutex_lock(&forest->lock);
	forest->pages++;
	mutex_unlock(&forest->lock);
}

static void page_written(struct bio *bio)
{
	struct forest *forest = bio->bi_private;

	WARN_ON(in_task());
	mutex_lock(&forest->lock); /* wrong: lock-sleep-in-atomic */
	forest->pages++;
	mutex_unlock(&forest->lock);
}

void submit_pages(struct bio *reads, struct bio *writes)
{
	reads->bi_end_io = page_read;
	submit_bio(reads);
	writes->bi_end_io = page_written;
	submit_bio(writes);
}

/* While no device can interrupt, what its handler takes is taken with interrupts enabled. */
struct trap { raw_spinlock_t lock; int saved; };

static irqreturn_t trap_sprung(int irq, void *data)
{
	struct trap *trap = data;

	raw_spin_lock(&trap->lock);
	trap->saved = 0;
	raw_spin_unlock(&trap->lock);
	return IRQ_HANDLED;
}

int trap_set(struct trap *trap, int irq)
{
	return request_irq(irq, trap_sprung, IRQF_NO_THREAD, "trap", trap);
}

int trap_suspend_noirq(struct trap *trap)
{
	msleep(20);
	raw_spin_lock(&trap->lock);
	trap->saved = 1;
	raw_spin_unlock(&trap->lock);
	return 0;
}

int trap_suspend(struct trap *trap)
{
	msleep(20);
	raw_spin_lock(&trap->lock); /* wrong: lock-irq-unsafe */
	trap->saved = 1;
	raw_spin_unlock(&trap->lock);
	return 0;
}

/* Whether a window is needed depends on the register: who names one may know that it is none of those. */
struct window { rwlock_t lock; void __iomem *base; };

static int offset_of(struct window *window, unsigned long reg, unsigned long *offset)
{
	if (reg < WINDOWED)
		return 0;
	*offset = reg - WINDOWED;
	return 1;
}

static unsigned int window_read(struct window *window, unsigned long reg)
{
	unsigned long offset = reg;
	unsigned int found;
	int far = offset_of(window, reg, &offset);

	if (far == 1)
		write_lock(&window->lock);
	found = readl(window->base + offset);
	if (far == 1)
		write_unlock(&window->lock);
	return found;
}

unsigned int window_status(struct window *window)
{
	unsigned int found;

	read_lock(&window->lock);
	found = window_read(window, STATUS_REG);
	read_unlock(&window->lock);
	return found;
}

static unsigned int window_read_far(struct window *window, unsigned long reg)
{
	unsigned int found;

	write_lock(&window->lock);
	found = readl(window->base + reg);
	write_unlock(&window->lock);
	return found;
}

unsigned int window_state(struct window *window)
{
	unsigned int found;

	read_lock(&window->lock);
	found = window_read_far(window, STATE_REG); /* wrong: lock-recursive-class */
	read_unlock(&window->lock);
	return found;
}

/* Memory that a device shares is allocated as the flags say. */
void *more_pages(struct window *window, struct device *dev, dma_addr_t *at)
{
	void *page;

	write_lock(&window->lock);
	page = dma_alloc_noncoherent(dev, 4096, at, DMA_BIDIRECTIONAL, GFP_KERNEL); /* wrong: lock-gfp-blocking-in-atomic */
	write_unlock(&window->lock);
	return page;
}

static int window_move(struct window *window, unsigned long *reg)
{
	if (*reg < WINDOWED)
		return 0;
	*reg -= WINDOWED;
	return 1;
}

static void window_write(struct window *window, unsigned long reg, unsigned int value)
{
	int far = window_move(window, &reg);

	if (far == 1)
		write_lock(&window->lock);
	writel(value, window->base + reg);
	if (far == 1)
		write_unlock(&window->lock);
}

void window_clear(struct window *window)
{
	read_lock(&window->lock);
	window_write(window, STATUS_REG, 0);
	read_unlock(&window->lock);
}

/* Sleeps only while something goes on that the caller knows of, as its kernel-doc says. */
void percpu_ref_switch_to_percpu(struct percpu_ref *ref)
{
	spin_lock_irq(&percpu_ref_switch_lock);
	wait_event_lock_irq(percpu_ref_switch_waitq, !ref->data->confirm_switch, percpu_ref_switch_lock);
	spin_unlock_irq(&percpu_ref_switch_lock);
}

void settle_count(struct forest *forest)
{
	spin_lock(&forest->busy);
	percpu_ref_switch_to_percpu(&forest->users);
	spin_unlock(&forest->busy);
}

void settle_count_raw(struct forest *forest)
{
	raw_spin_lock(&forest->raw);
	percpu_ref_switch_to_percpu(&forest->users); /* wrong: rt-spinlock-under-raw-spinlock */
	raw_spin_unlock(&forest->raw);
}

struct probe { unsigned long flags; int cleaned; };
static DEFINE_MUTEX(direct_lock);

static void probe_clean(struct probe *probe)
{
	if (!(probe->flags & PROBE_MODIFIES))
		return;
	mutex_lock(&direct_lock);
	probe->cleaned++;
	mutex_unlock(&direct_lock);
}

void probe_direct_gone(struct probe *probe)
{
	if (!(probe->flags & PROBE_ENABLED))
		return;
	mutex_lock(&direct_lock);
	probe_clean(probe);
	mutex_unlock(&direct_lock);
}

void probe_modifying_gone(struct probe *probe)
{
	mutex_lock(&direct_lock);
	if (probe->flags & PROBE_MODIFIES)
		probe_clean(probe); /* wrong: lock-recursive-class */
	mutex_unlock(&direct_lock);
}

static void probe_own(struct probe *probe)
{
	struct probe own = { .cleaned = 1, .flags = PROBE_STUB };

	probe_register(&own);
	probe_clean(&own);
}

void probe_changed(struct probe *probe)
{
	mutex_lock(&direct_lock);
	probe_own(probe);
	mutex_unlock(&direct_lock);
}
