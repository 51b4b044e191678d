/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts that lie in callees. A line that is to be found names the check; every other line stays silent. */
struct dev { spinlock_t lock; raw_spinlock_t hw; struct mutex setup; };

#define dev_lock_irqsave_node(dev, flags) do { raw_spin_lock_irqsave(&(dev)->hw, flags); } while (0)
#define dev_unlock_irqrestore_node(dev, flags) raw_spin_unlock_irqrestore(&(dev)->hw, flags)
#define DEV_MODE(n) (1 << (n))

static void *make(struct dev *dev, gfp_t gfp)
{
	return kmalloc(12, gfp);
}

void passes_atomic(struct dev *dev)
{
	spin_lock(&dev->lock);
	make(dev, GFP_ATOMIC);
	spin_unlock(&dev->lock);
}

void passes_blocking(struct dev *dev)
{
	spin_lock(&dev->lock);
	make(dev, GFP_KERNEL); /* wrong: lock-gfp-blocking-in-atomic */
	spin_unlock(&dev->lock);
}

static void work(struct dev *dev, bool may_sleep)
{
	if (may_sleep)
		cond_resched();
	dev->a++;
}

void passes_false(struct dev *dev)
{
	spin_lock(&dev->lock);
	work(dev, false);
	spin_unlock(&dev->lock);
	work(dev, true);
}

void passes_true(struct dev *dev)
{
	spin_lock(&dev->lock);
	work(dev, true); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&dev->lock);
}

static void take_dev(struct dev *dev) { spin_lock(&dev->lock); }
static void leave_dev(struct dev *dev) { spin_unlock(&dev->lock); }

void wrapped(struct dev *dev)
{
	take_dev(dev);
	msleep(1); /* wrong: lock-sleep-in-atomic */
	leave_dev(dev);
	msleep(1);
}

static bool try_dev(struct dev *dev)
{
	if (dev->dead)
		return false;
	spin_lock(&dev->lock);
	return true;
}

void wrapped_try(struct dev *dev)
{
	if (!try_dev(dev)) {
		msleep(1);
		return;
	}
	msleep(1); /* wrong: lock-sleep-in-atomic */
	leave_dev(dev);
	msleep(1);
}

static void drop_and_sleep(struct dev *dev)
{
	spin_unlock(&dev->lock);
	msleep(1);
	spin_lock(&dev->lock);
}

void callee_drops(struct dev *dev)
{
	spin_lock(&dev->lock);
	drop_and_sleep(dev);
	spin_unlock(&dev->lock);
}

void callee_drops_another(struct dev *dev, struct dev *other)
{
	spin_lock(&other->lock);
	spin_lock(&dev->lock);
	drop_and_sleep(dev); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&dev->lock);
	spin_unlock(&other->lock);
}

void lock_macro(struct dev *dev)
{
	unsigned long flags;

	dev_lock_irqsave_node(dev, flags);
	make(dev, GFP_ATOMIC); /* wrong: rt-alloc-under-raw-spinlock */
	dev_unlock_irqrestore_node(dev, flags);
	make(dev, GFP_ATOMIC);
}

static void take_with_flags(struct dev *dev, unsigned long *flags)
{
	raw_spin_lock_irqsave(&dev->hw, *flags);
}

static void leave_with_flags(struct dev *dev, unsigned long *flags)
{
	raw_spin_unlock_irqrestore(&dev->hw, *flags);
}

void flags_by_pointer(struct dev *dev)
{
	unsigned long flags;

	take_with_flags(dev, &flags);
	dev->a = 1;
	leave_with_flags(dev, &flags);
	msleep(1);
}

enum mode { MODE_FAST, MODE_SLOW };

static void settle(struct dev *dev, enum mode mode)
{
	if (mode == MODE_SLOW)
		msleep(1);
}

void enum_argument(struct dev *dev)
{
	spin_lock(&dev->lock);
	settle(dev, MODE_FAST);
	settle(dev, MODE_SLOW); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&dev->lock);
}

static void flush(struct dev *dev, unsigned int what)
{
	if (what & DEV_WAIT)
		msleep(1);
}

void flag_bits(struct dev *dev, unsigned int what)
{
	spin_lock(&dev->lock);
	flush(dev, DEV_NOW);
	flush(dev, DEV_MODE(3));
	flush(dev, DEV_WAIT | DEV_NOW); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&dev->lock);
}

static int deepest(struct dev *dev) { might_sleep(); return 0; }
static int deeper(struct dev *dev) { return dev->a && deepest(dev); }

int in_an_expression(struct dev *dev)
{
	int ret;

	preempt_disable();
	ret = dev->b ?: deeper(dev); /* wrong: lock-sleep-in-atomic */
	preempt_enable();
	return ret;
}

void held_by_annotation(struct dev *dev) __must_hold(&dev->hw)
{
	kfree(dev->p); /* wrong: rt-free-under-raw-spinlock */
}

void held_by_assertion(struct dev *dev)
{
	lockdep_assert_held(&dev->hw);
	msleep(1); /* wrong: lock-sleep-in-atomic */
}

static void again(struct dev *dev, int n)
{
	if (n)
		again(dev, n - 1);
	dev->a++;
}

void recursion(struct dev *dev)
{
	spin_lock(&dev->lock);
	again(dev, 3);
	spin_unlock(&dev->lock);
	msleep(1);
}

void prints(struct dev *dev)
{
	raw_spin_lock(&dev->hw);
	pr_warn("late\n");
	console_flush_all(false, NULL, NULL);
	WARN_ON_ONCE(dev->a);
	raw_spin_unlock(&dev->hw);
}

void state_argument(struct dev *dev, int state)
{
	spin_lock(&dev->lock);
	work(dev, state == MODE_SLOW);
	spin_unlock(&dev->lock);
}

static void wait_for_others(struct dev *dev)
{
	if (dev->waiters) {
		raw_spin_unlock_irq(&dev->hw);
		spin_lock(&dev->lock);
		spin_unlock(&dev->lock);
		raw_spin_lock_irq(&dev->hw);
	}
}

static void run_one(struct dev *dev)
{
	raw_spin_unlock_irq(&dev->hw);
	dev->fn(dev);
	raw_spin_lock_irq(&dev->hw);
	wait_for_others(dev);
}

void run_all(struct dev *dev)
{
	raw_spin_lock_irq(&dev->hw);
	run_one(dev);
	raw_spin_unlock_irq(&dev->hw);
}

static void pin_slow(struct dev *dev) { spin_lock(&dev->lock); spin_unlock(&dev->lock); }
static void pin_fast(struct dev *dev) { dev->a++; }

static const struct pin_ops slow_ops = {
	.pin = pin_slow,
};

static const struct pin_ops fast_ops = {
	.pin = pin_fast,
};

void through_a_table(struct dev *dev)
{
	raw_spin_lock(&dev->hw);
	dev->ops->pin(dev); /* wrong: rt-spinlock-under-raw-spinlock */
	raw_spin_unlock(&dev->hw);
}

static void report_up(struct node *node, unsigned long flags)
	__releases(node->lock)
{
	struct node *child;

	for (;;) {
		if (node->busy) {
			raw_spin_unlock_irqrestore(&node->lock, flags);
			return;
		}
		if (!node->parent)
			break;
		raw_spin_unlock_irqrestore(&node->lock, flags);
		child = node;
		node = node->parent;
		raw_spin_lock_irqsave(&node->lock, flags);
	}
	wake_root(flags);
}

void reports(struct dev *dev)
{
	struct node *node = dev->node;
	unsigned long flags;

	raw_spin_lock_irqsave(&node->lock, flags);
	if (!node->quiet) {
		raw_spin_unlock_irqrestore(&node->lock, flags);
		return;
	}
	report_up(node, flags);
	msleep(1);
}

static void end_period(struct domain *domain)
{
	struct usage *dom = domain->usage_dom;

	mutex_unlock(&dom->period_mutex);
}

void advance(struct domain *domain)
{
	mutex_lock(&domain->usage_dom->period_mutex);
	if (domain->idle) {
		mutex_unlock(&domain->usage_dom->period_mutex);
		return;
	}
	end_period(domain);
}

static bool is_server(struct dev *dev) { return dev->server; }
static bool serves(struct dev *dev) { return dev->server > 3; }

void asked_twice(struct dev *dev)
{
	if (!serves(dev))
		spin_lock(&dev->lock);
	dev->a++;
	if (!serves(dev))
		spin_unlock(&dev->lock);
	msleep(1);
}

static void settle_locked(struct dev *dev, bool *locked)
{
	if (*locked) {
		spin_unlock(&dev->lock);
		*locked = false;
	}
	cond_resched();
}

void told_through_a_pointer(struct dev *dev)
{
	bool locked = true;

	spin_lock(&dev->lock);
	settle_locked(dev, &locked);
	if (locked)
		spin_unlock(&dev->lock);
}

static void wake(struct dev *dev, unsigned int token, int how)
{
	if (token == ~0) {
		dev->a++;
		return;
	}
	if (how == WAKE_NOW)
		return;
	msleep(1);
}

static void wake_one(struct dev *dev, unsigned int token)
{
	if (token == ~0)
		return;
	msleep(1);
}

void all_of_them(struct dev *dev)
{
	spin_lock(&dev->lock);
	wake_one(dev, ~0);
	spin_unlock(&dev->lock);
}

void one_of_them(struct dev *dev)
{
	spin_lock(&dev->lock);
	wake_one(dev, dev->token); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&dev->lock);
}

void perhaps_now(struct dev *dev)
{
	spin_lock(&dev->lock);
	wake(dev, dev->token, dev->how);
	spin_unlock(&dev->lock);
}

static int walk_all(struct dev *dev)
{
	struct dev *other;

	mutex_unlock(&dev_mutex);
	for_each_dev(other, dev) {
		if (other->odd)
			spin_lock(&other->lock);
		touch(other);
		if (other->odd)
			spin_unlock(&other->lock);
	}
	return dev->err;
}

int walked(struct dev *dev)
{
	int ret;

	if (dev->busy)
		return -EINTR;
	mutex_lock(&dev_mutex);
	ret = dev->n;
	walk_all(dev);
	return ret;
}

/* A function that is handed down is called where the callee calls its parameter. */

static void visit_all(struct box *b, void (*visit)(struct box *b))
{
	visit(b);
}

static void visit_further(struct box *b, void (*visitor)(struct box *b))
{
	visit_all(b, visitor);
}

static void visitor_that_sleeps(struct box *b)
{
	msleep(1);
}

static void visitor_that_counts(struct box *b)
{
	b->count++;
}

static void hands_down_under_lock(struct box *b)
{
	spin_lock(&b->lock);
	visit_further(b, visitor_that_sleeps); /* wrong: lock-sleep-in-atomic */
	visit_further(b, visitor_that_counts);
	spin_unlock(&b->lock);
	visit_further(b, &visitor_that_sleeps);
}

static void visit_unlocked(struct box *b, void (*visit)(struct box *b))
{
	spin_unlock(&b->lock);
	visit(b);
	spin_lock(&b->lock);
}

static void hands_down_to_who_lets_go(struct box *b)
{
	spin_lock(&b->lock);
	visit_unlocked(b, visitor_that_sleeps);
	spin_unlock(&b->lock);
}

/* A local pointer that is set once is what it was set to. */

static void calls_through_local(struct box *b)
{
	void (*step)(struct box *b) = visitor_that_sleeps;

	spin_lock(&b->lock);
	step(b); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&b->lock);
}

static void calls_through_one_of_two(struct box *b)
{
	void (*step)(struct box *b) = visitor_that_sleeps;

	if (b->count)
		step = visitor_that_counts;
	spin_lock(&b->lock);
	step(b);
	spin_unlock(&b->lock);
}

/* What is done once was done before the lock was taken. */

static DEFINE_MUTEX(clock_mutex);
static bool fallback_registered;

static void clock_register(struct box *b)
{
	mutex_lock(&clock_mutex);
	b->count++;
	mutex_unlock(&clock_mutex);
}

static struct box *clock_fallback(struct box *b)
{
	if (!fallback_registered) {
		clock_register(b);
		fallback_registered = true;
	}
	return b;
}

static void clock_boot(struct box *b)
{
	mutex_lock(&clock_mutex);
	b = clock_fallback(b);
	if (b->count)
		clock_register(b); /* wrong: lock-recursive-class */
	mutex_unlock(&clock_mutex);
}

/* What is set up by the first call was set up before an atomic one. */

static void chip_set_up(struct box *b)
{
	if (!chip_initialized(b)) {
		mutex_lock(&b->setup);
		b->map = kzalloc(64, GFP_KERNEL);
		mutex_unlock(&b->setup);
	}
}

static void chip_inject(struct box *b)
{
	chip_set_up(b);
	b->count++;
}

static void chip_inject_and_wait(struct box *b)
{
	chip_set_up(b);
	msleep(1); /* wrong: lock-sleep-in-atomic */
}

static irqreturn_t chip_handler(int irq, void *data)
{
	chip_inject(data);
	chip_inject_and_wait(data);
	return IRQ_HANDLED;
}

/* So was the handler, as the mark says that stands beside it. */

static irqreturn_t bay_handler(int irq, void *data);

static int bay_configure(struct box *b, int wanted)
{
	if (!b->requested && request_irq(b->irq, bay_handler, 0, "bay", b))
		return -EBUSY;
	b->requested = true;
	b->count = wanted;
	return 0;
}

static int bay_configure_each_time(struct box *b, int wanted)
{
	if (!b->requested && request_irq(b->irq, bay_handler, 0, "bay", b)) /* wrong: lock-sleep-in-atomic */
		return -EBUSY;
	b->count = wanted;
	return 0;
}

static int bay_power(struct box *b)
{
	if (!b->powered)
		msleep(1); /* wrong: lock-sleep-in-atomic */
	b->powered = true;
	return 0;
}

static irqreturn_t bay_handler(int irq, void *data)
{
	bay_configure(data, 1);
	bay_configure_each_time(data, 1);
	bay_power(data);
	return IRQ_HANDLED;
}

static int chip_request(struct box *b)
{
	return request_irq(b->irq, chip_handler, 0, "chip", b);
}

/* Who holds the lock of an object holds a reference to it. */

static void task_free(struct box *b)
{
	raw_spin_lock(&b->pi_lock);
	b->count--;
	raw_spin_unlock(&b->pi_lock);
}

static void task_put(struct box *b)
{
	if (refcount_dec_and_test(&b->usage))
		task_free(b);
}

static void task_timer(struct box *b)
{
	raw_spin_lock(&b->pi_lock);
	task_put(b);
	task_free(b); /* wrong: lock-recursive-class */
	raw_spin_unlock(&b->pi_lock);
}

/* The body of a call that the context is made of. */

void migrate_enable(void)
{
	preempt_disable();
	msleep(1);
	preempt_enable();
}

static void kills_under_lock(struct box *b)
{
	spin_lock(&b->lock);
	percpu_ref_kill(&b->refs);
	spin_unlock(&b->lock);
}

/* An assertion that names no context but the last reference. */

static void last_put(struct rcu_head *head)
{
	struct box *b = container_of(head, struct box, rcu);

	WARN_ON(refcount_read(&b->usage));
	b->count = 0;
}

static void last_put_later(struct box *b)
{
	call_rcu(&b->rcu, last_put);
}

/* Who has a task of its own may give up the CPU. */

static void process_one(struct worker *worker)
{
	worker->count++;
	if (worker->task)
		cond_resched();
}

static void process_any(struct worker *worker)
{
	worker->count++;
	cond_resched(); /* wrong: lock-sleep-in-atomic */
}

static void work_action(struct softirq_action *action)
{
	process_one(this_cpu_worker());
	process_any(this_cpu_worker());
}

static void work_start(void)
{
	open_softirq(WORK_SOFTIRQ, work_action);
}

/* Nothing follows a call that never returns. */

static void __noreturn box_dead(struct box *b)
{
	for (;;)
		b->count++;
}

static void box_done(struct box *b)
{
	b->count--;
}

static void box_exit(struct box *b)
{
	if (b->dying) {
		preempt_disable();
		box_dead(b);
	}
	if (b->count > 1) {
		preempt_disable();
		box_done(b);
		msleep(1); /* wrong: lock-sleep-in-atomic */
		preempt_enable();
	}
	msleep(2);
}

/* What a function leaves behind differs with and without PREEMPT_RT. */
static void unit_hold(void)
{
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		local_bh_disable();
	else
		preempt_disable();
}

static void unit_release(void)
{
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		local_bh_enable();
	else
		preempt_enable();
}

void unit_save(struct unit *unit)
{
	unit_hold();
	spin_lock(&unit->spinlock); /* wrong: rt-spinlock-preempt-irq-off */
	spin_unlock(&unit->spinlock);
	msleep(1); /* wrong: lock-sleep-in-atomic */
	unit_release();
	msleep(1);
}

/* That this is no interrupt says nothing of what was disabled by hand. */
void unit_save_outside_interrupts(struct unit *unit)
{
	preempt_disable();
	BUG_ON(in_hardirq());
	msleep(1); /* wrong: lock-sleep-in-atomic */
	preempt_enable();
}

/* One half of a condition is decided here, the other in a callee. */
static void tank_rinse(struct tank *tank)
{
	if (!tank_is_dirty(tank))
		return;
	msleep(1);
}

static void tank_empty(struct tank *tank, bool atomic)
{
	if (!tank_is_dirty(tank) || !atomic) {
		tank_rinse(tank);
		return;
	}
	tank->later = true;
}

void tank_empty_in_atomic(struct tank *tank)
{
	spin_lock(&tank->spinlock);
	tank_empty(tank, true);
	tank_empty(tank, false); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&tank->spinlock);
}

/* A lock that was taken and released since is no longer held by whoever held it before. */
struct berth { spinlock_t lock; int count; };
struct quay { struct berth *berth[4]; struct berth *own; int count; };

static void quay_sail(struct quay *quay, struct berth *berth)
{
	int i;

	for (i = 0; i < quay->count; i++)
		spin_unlock(&quay->berth[i]->lock);
	spin_lock(&berth->lock);
	berth->count++;
	spin_unlock(&berth->lock);
	for (i = 0; i < berth->count; i++)
		msleep(1);
	spin_lock(&berth->lock);
}

void quay_run(struct quay *quay)
{
	spin_lock(&quay->own->lock);
	quay_sail(quay, quay->own);
	spin_unlock(&quay->own->lock);
}

static void berth_look(struct berth *berth, bool twice)
{
	if (twice) {
		spin_lock(&berth->lock);
		berth->count++;
		spin_unlock(&berth->lock);
	}
	msleep(1);
}

void quay_look(struct quay *quay, bool twice)
{
	spin_lock(&quay->own->lock);
	berth_look(quay->own, twice); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&quay->own->lock);
}

void quay_look_from_another(struct quay *quay, struct berth *other)
{
	spin_lock(&other->lock);
	quay_sail(quay, quay->own); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&other->lock);
}

/* What stands beside a function in its table is true of the object that it is called for. */
struct pins { int (*read)(struct pins *pins); bool can_sleep; };

static int slow_pins_read(struct pins *pins)
{
	msleep(1);
	return 0;
}

static const struct pins slow_pins = {
	.read = slow_pins_read,
	.can_sleep = true,
};

static int pins_read(struct pins *pins, bool can_sleep)
{
	if (!can_sleep)
		WARN_ON(pins->can_sleep);
	return pins->read(pins);
}

void pins_read_in_atomic(struct tank *tank, struct pins *pins)
{
	spin_lock(&tank->spinlock);
	pins_read(pins, false);
	pins_read(pins, true); /* wrong: lock-sleep-in-atomic */
	if (!pins->can_sleep)
		pins->read(pins);
	else
		pins->read(pins); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&tank->spinlock);
}

/* A lock that is asserted on some ways only: where what was passed decides, the callers know whether they hold it. */
struct vat { spinlock_t lock; };

static void vat_line(struct vat *vat, void *liner)
{
	if (vat->shared)
		lockdep_assert_held(&vat->lock);
	if (liner)
		vat->liner = liner;
	else
		vat->liner = kmalloc(4, GFP_KERNEL);
}

void vat_line_with(struct vat *vat, void *liner)
{
	vat_line(vat, NULL);
	spin_lock(&vat->lock);
	vat_line(vat, liner);
	vat_line(vat, NULL); /* wrong: lock-gfp-blocking-in-atomic */
	spin_unlock(&vat->lock);
}

static void vat_paint(struct vat *vat, void *colour)
{
	lockdep_assert_held(&vat->lock);
	if (!colour)
		msleep(1); /* wrong: lock-sleep-in-atomic */
	if (vat->shared)
		lockdep_assert_held(&vat->lock);
}

struct ring { spinlock_t lock; struct device *dev; dma_addr_t bus; void *descriptors; };

void ring_grows_at_once(struct ring *ring)
{
	spin_lock(&ring->lock);
	ring->descriptors = dmam_alloc_coherent(ring->dev, 4096, &ring->bus, GFP_ATOMIC);
	spin_unlock(&ring->lock);
}

void ring_grows(struct ring *ring)
{
	spin_lock(&ring->lock);
	ring->descriptors = dma_alloc_noncoherent(ring->dev, 4096, &ring->bus, DMA_BIDIRECTIONAL, GFP_KERNEL); /* wrong: lock-gfp-blocking-in-atomic */
	spin_unlock(&ring->lock);
}

struct shelf { spinlock_t lock; struct mm_struct *mm; };

static int shelf_charge(struct shelf *shelf, struct folio *folio, gfp_t gfp)
{
	return mem_cgroup_charge(folio, shelf->mm, gfp);
}

void shelf_is_charged(struct shelf *shelf, struct folio *folio)
{
	spin_lock(&shelf->lock);
	shelf_charge(shelf, folio, GFP_NOWAIT);
	shelf_charge(shelf, folio, GFP_KERNEL); /* wrong: lock-gfp-blocking-in-atomic */
	spin_unlock(&shelf->lock);
}
