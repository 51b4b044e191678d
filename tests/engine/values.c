/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ways that are not gone, as the values say. A line that is to be found names the check; every other line stays silent. */
struct dev { spinlock_t lock; struct mutex setup; refcount_t users; struct file *file; int level; };
DEFINE_FREE(put_now, struct file *, if (!IS_ERR_OR_NULL(_T)) put_and_wait(_T))
static inline bool IS_ERR(const void *ptr)
{
	return IS_ERR_VALUE((unsigned long)ptr);
}
static inline bool IS_ERR_OR_NULL(const void *ptr)
{
	return !ptr || IS_ERR_VALUE((unsigned long)ptr);
}
static DEFINE_MUTEX(types_lock);
static struct types *types;

void put_and_wait(struct file *file)
{
	msleep(1);
}

int taken_out_in_time(struct dev *dev)
{
	struct file *file __free(put_now) = open_it(dev);

	if (IS_ERR(file))
		return PTR_ERR(file);
	dev->file = no_free_ptr(file);
	rcu_read_lock();
	use(dev);
	rcu_read_unlock();
	return 0;
}

int in_a_reader(struct dev *dev)
{
	guard(rcu)();
	struct file *file __free(put_now) = open_it(dev);

	if (IS_ERR(file))
		return PTR_ERR(file);
	dev->file = no_free_ptr(file);
	return 0;
}

int kept_in_a_reader(struct dev *dev)
{
	guard(rcu)();
	struct file *file __free(put_now) = open_it(dev);

	if (IS_ERR(file))
		return PTR_ERR(file);
	dev->file = file;
	return 0; /* wrong: rcu-sleep-in-reader */
}

static int nap(struct dev *dev, int level)
{
	if (dev->level == level) {
		if (level > LEVEL_CORE)
			msleep(100);
		else
			mdelay(100);
	}
	return 0;
}

void core_test(struct dev *dev)
{
	local_irq_disable();
	nap(dev, LEVEL_CORE);
	local_irq_enable();
}

void device_test(struct dev *dev)
{
	local_irq_disable();
	nap(dev, LEVEL_DEVICES); /* wrong: lock-sleep-in-atomic */
	local_irq_enable();
}

void last_processor(struct dev *dev)
{
	local_irq_disable();
	system_state = SYSTEM_SUSPEND;
	mutex_lock(&dev->setup);
	dev->level = 0;
	mutex_unlock(&dev->setup);
	system_state = SYSTEM_RUNNING;
	local_irq_enable();
}

void with_others(struct dev *dev)
{
	local_irq_disable();
	mutex_lock(&dev->setup); /* wrong: lock-sleep-in-atomic */
	dev->level = 0;
	mutex_unlock(&dev->setup);
	system_state = SYSTEM_RUNNING;
	local_irq_enable();
}

static struct types *get_types(void)
{
	if (!types) {
		mutex_lock(&types_lock);
		if (!types)
			types = parse_types();
		mutex_unlock(&types_lock);
	}
	return types;
}

static struct types *renew_types(void)
{
	mutex_lock(&types_lock);
	types = parse_types();
	mutex_unlock(&types_lock);
	return types;
}

void uses_types(struct dev *dev)
{
	get_types();
	mutex_lock(&types_lock);
	use(get_types());
	mutex_unlock(&types_lock);
}

void changes_types(struct dev *dev)
{
	mutex_lock(&types_lock);
	use(renew_types()); /* wrong: lock-recursive-class */
	mutex_unlock(&types_lock);
}

static void put_set(struct dev *dev)
{
	if (refcount_dec_not_one(&dev->users))
		return;
	mutex_lock(&types_lock);
	forget(dev);
	mutex_unlock(&types_lock);
}

static void drop_set(struct dev *dev)
{
	mutex_lock(&types_lock);
	forget(dev);
	mutex_unlock(&types_lock);
}

void puts_one_of_two(struct dev *dev)
{
	mutex_lock(&types_lock);
	put_set(dev);
	mutex_unlock(&types_lock);
}

void drops_one(struct dev *dev)
{
	mutex_lock(&types_lock);
	drop_set(dev); /* wrong: lock-recursive-class */
	mutex_unlock(&types_lock);
}

struct ctx { raw_spinlock_t raw; struct task *task; struct ctx *parent; refcount_t users; int mode; };
static DEFINE_MUTEX(parser_lock);
static struct types *parsed;

static struct types *get_parsed(void)
{
	struct types *own = smp_load_acquire(&parsed);

	if (!own) {
		mutex_lock(&parser_lock);
		own = parsed;
		if (!own) {
			own = parse_types();
			smp_store_release(&parsed, own);
		}
		mutex_unlock(&parser_lock);
	}
	return own;
}

static struct types *parse_again(void)
{
	struct types *own = smp_load_acquire(&parsed);

	if (!own) {
		mutex_lock(&parser_lock);
		own = parse_types();
		mutex_unlock(&parser_lock);
	}
	return own;
}

void parses_once(struct ctx *ctx)
{
	get_parsed();
	mutex_lock(&parser_lock);
	use(get_parsed());
	mutex_unlock(&parser_lock);
}

void parses_each_time(struct ctx *ctx)
{
	mutex_lock(&parser_lock);
	use(parse_again()); /* wrong: lock-recursive-class */
	mutex_unlock(&parser_lock);
}

static void put_ctx(struct ctx *ctx)
{
	if (ctx->task == TASK_DEAD)
		msleep(1);
}

void ends(struct ctx *ctx)
{
	raw_spin_lock_irq(&ctx->raw);
	put_ctx(ctx);
	WRITE_ONCE(ctx->task, TASK_DEAD);
	raw_spin_unlock_irq(&ctx->raw);
}

void ends_first(struct ctx *ctx)
{
	raw_spin_lock_irq(&ctx->raw);
	WRITE_ONCE(ctx->task, TASK_DEAD);
	put_ctx(ctx); /* wrong: lock-sleep-in-atomic */
	raw_spin_unlock_irq(&ctx->raw);
}

void ends_for_all_to_see(struct ctx *ctx)
{
	raw_spin_lock_irq(&ctx->raw);
	put_ctx(ctx);
	smp_store_release(&ctx->task, TASK_DEAD);
	raw_spin_unlock_irq(&ctx->raw);
}

void ends_for_all_to_see_first(struct ctx *ctx)
{
	raw_spin_lock_irq(&ctx->raw);
	smp_store_release(&ctx->task, TASK_DEAD);
	put_ctx(ctx); /* wrong: lock-sleep-in-atomic */
	raw_spin_unlock_irq(&ctx->raw);
}

static void let_go(struct ctx *ctx)
{
	if (refcount_dec_and_test(&ctx->users)) {
		if (ctx->parent)
			let_go(ctx->parent);
	} else if (ctx->task == TASK_DEAD) {
		msleep(1);
	}
}

void leaves(struct ctx *ctx)
{
	raw_spin_lock_irq(&ctx->raw);
	let_go(ctx);
	WRITE_ONCE(ctx->task, TASK_DEAD);
	raw_spin_unlock_irq(&ctx->raw);
}

void leaves_last(struct ctx *ctx)
{
	raw_spin_lock_irq(&ctx->raw);
	WRITE_ONCE(ctx->task, TASK_DEAD);
	let_go(ctx); /* wrong: lock-sleep-in-atomic */
	raw_spin_unlock_irq(&ctx->raw);
}

static void drop(struct ctx *ctx)
{
	if (refcount_dec_and_test(&ctx->users))
		msleep(1);
}

void drops_one_of_two(struct ctx *ctx)
{
	raw_spin_lock_irq(&ctx->raw);
	drop(ctx);
	ctx->mode = 0;
	raw_spin_unlock_irq(&ctx->raw);
}

void drops_another(struct ctx *ctx, struct ctx *other)
{
	raw_spin_lock_irq(&ctx->raw);
	drop(other); /* wrong: lock-sleep-in-atomic */
	ctx->mode = 0;
	raw_spin_unlock_irq(&ctx->raw);
}

void drops_parent(struct ctx *ctx)
{
	raw_spin_lock_irq(&ctx->raw);
	drop(ctx->parent); /* wrong: lock-sleep-in-atomic */
	ctx->mode = 0;
	raw_spin_unlock_irq(&ctx->raw);
}

void drops_parent_of_two(struct ctx *ctx)
{
	raw_spin_lock_irq(&ctx->raw);
	drop(ctx->parent);
	ctx->parent->mode = 0;
	raw_spin_unlock_irq(&ctx->raw);
}

void drops_former_parent(struct ctx *ctx, struct ctx *next)
{
	raw_spin_lock_irq(&ctx->raw);
	drop(ctx->parent); /* wrong: lock-sleep-in-atomic */
	ctx->parent = next;
	ctx->parent->mode = 0;
	raw_spin_unlock_irq(&ctx->raw);
}

/* Two ways to sleep: who has ruled out both does not, who has ruled out one is told of the other. */
struct pipe { spinlock_t lock; bool polled; bool bulk; wait_queue_head_t drained; int level; };

static void drain(struct pipe *pipe)
{
	if (!pipe->polled)
		wait_event(pipe->drained, !pipe->level);
	if (pipe->bulk)
		msleep(4);
}

void drain_small_polled(struct pipe *pipe)
{
	pipe->polled = true;
	pipe->bulk = false;
	spin_lock(&pipe->lock);
	drain(pipe);
	spin_unlock(&pipe->lock);
}

void drain_polled(struct pipe *pipe)
{
	pipe->polled = true;
	spin_lock(&pipe->lock);
	drain(pipe); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&pipe->lock);
}

void drain_small(struct pipe *pipe)
{
	pipe->bulk = false;
	spin_lock(&pipe->lock);
	drain(pipe); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&pipe->lock);
}

void drain_any(struct pipe *pipe)
{
	spin_lock(&pipe->lock);
	drain(pipe); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&pipe->lock);
}

/* A flag that is set to a condition: where it is true, so are its parts. */
static void drain_fast(struct pipe *pipe, int level)
{
	bool fast = level > 8 && pipe->bulk && !pipe->polled;

	if (fast)
		msleep(4);
}

static void drain_slowly(struct pipe *pipe, int level)
{
	bool slow = level > 8 || !pipe->polled;

	if (slow)
		msleep(4);
}

void drain_as_set(struct pipe *pipe, int level)
{
	pipe->polled = true;
	spin_lock(&pipe->lock);
	drain_fast(pipe, level);
	drain_slowly(pipe, level); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&pipe->lock);
}

void drain_fast_at_once(struct pipe *pipe, int level)
{
	spin_lock(&pipe->lock);
	drain_fast(pipe, level); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&pipe->lock);
}

long set_limit(struct dev *dev, unsigned long limit)
{
	unsigned long old = xchg(&dev->limit, limit);

	if (dev->used <= limit || limit >= old)
		return 0;
	msleep(1);
	return 1;
}

static void set_own_limit(struct dev *dev, unsigned long limit)
{
	set_limit(dev, limit);
}

void limit_lifted(struct dev *dev)
{
	rcu_read_lock();
	set_own_limit(dev, DEV_LIMIT_MAX);
	rcu_read_unlock();
}

void limit_lowered(struct dev *dev, unsigned long limit)
{
	rcu_read_lock();
	set_own_limit(dev, limit); /* wrong: rcu-sleep-in-reader */
	rcu_read_unlock();
}

static void waits_seldom(int rare, int slow, int cold, int dirty, int full)
{
	if (rare && slow && cold && dirty && full)
		msleep(1);
}

void never_so_full(struct pipe *pipe)
{
	spin_lock(&pipe->lock);
	waits_seldom(1, 1, 1, 1, 0);
	spin_unlock(&pipe->lock);
}

static void put_ctx_slowly(struct ctx *ctx)
{
	if (refcount_dec_and_test(&ctx->users))
		msleep(1);
}

void hands_reference_to_work(struct ctx *ctx)
{
	raw_spin_lock(&ctx->raw);
	refcount_inc(&ctx->users);
	if (!schedule_work(&ctx->work))
		put_ctx_slowly(ctx);
	raw_spin_unlock(&ctx->raw);
}

void hands_reference_that_it_was_given(struct ctx *ctx)
{
	raw_spin_lock(&ctx->raw);
	if (!schedule_work(&ctx->work))
		put_ctx_slowly(ctx); /* wrong: lock-sleep-in-atomic */
	raw_spin_unlock(&ctx->raw);
}

void hands_reference_to_another(struct ctx *ctx)
{
	raw_spin_lock(&ctx->raw);
	refcount_inc(&ctx->parent->users);
	if (!schedule_work(&ctx->work))
		put_ctx_slowly(ctx); /* wrong: lock-sleep-in-atomic */
	raw_spin_unlock(&ctx->raw);
}
