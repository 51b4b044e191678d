/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions that nobody calls by name. A line that is to be found names the check; every other line stays silent. */

struct unit { spinlock_t lock; raw_spinlock_t raw; struct mutex setup; struct hrtimer timer; struct rw_semaphore sem; };

/* A primary handler becomes a thread on PREEMPT_RT, unless IRQF_ONESHOT keeps it from it. */
static irqreturn_t unit_primary(int irq, void *data)
{
	struct unit *unit = data;

	spin_lock(&unit->lock);
	spin_unlock(&unit->lock);
	return IRQ_WAKE_THREAD;
}

static irqreturn_t unit_primary_oneshot(int irq, void *data)
{
	struct unit *unit = data;

	spin_lock(&unit->lock); /* wrong: rt-spinlock-in-hardirq */
	spin_unlock(&unit->lock);
	return IRQ_WAKE_THREAD;
}

static irqreturn_t unit_thread(int irq, void *data)
{
	msleep(1);
	return IRQ_HANDLED;
}

int unit_request(struct unit *unit)
{
	if (request_threaded_irq(1, unit_primary, unit_thread, 0, "unit", unit))
		return -EBUSY;
	return request_threaded_irq(2, unit_primary_oneshot, unit_thread, IRQF_ONESHOT, "unit", unit);
}

/* The mode of a timer. */
static enum hrtimer_restart unit_soft(struct hrtimer *timer)
{
	struct unit *unit = container_of(timer, struct unit, timer);

	spin_lock(&unit->lock);
	spin_unlock(&unit->lock);
	return HRTIMER_NORESTART;
}

static enum hrtimer_restart unit_hard(struct hrtimer *timer)
{
	struct unit *unit = container_of(timer, struct unit, timer);

	spin_lock(&unit->lock); /* wrong: rt-spinlock-in-hardirq */
	spin_unlock(&unit->lock);
	return HRTIMER_NORESTART;
}

void unit_timers(struct unit *unit, struct hrtimer *other)
{
	hrtimer_setup(&unit->timer, unit_soft, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT);
	hrtimer_init(other, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_PINNED_HARD);
	other->function = unit_hard;
}

/* Operations that are assigned, not initialised. */
static void unit_mask(struct irq_data *data)
{
	struct unit *unit = irq_data_get_irq_chip_data(data);

	spin_lock(&unit->lock); /* wrong: rt-spinlock-under-raw-spinlock */
	spin_unlock(&unit->lock);
}

void unit_chip(struct irq_chip_type *type)
{
	type->chip.irq_mask = unit_mask;
}

/* An array of structures without names of members. */
static int fault_off(unsigned long addr, unsigned int fsr, struct pt_regs *regs)
{
	mutex_lock(&fault_lock); /* wrong: lock-sleep-in-atomic */
	mutex_unlock(&fault_lock);
	return 0;
}

static int fault_on(unsigned long addr, unsigned int fsr, struct pt_regs *regs)
{
	if (interrupts_enabled(regs))
		local_irq_enable();
	mutex_lock(&fault_lock);
	mutex_unlock(&fault_lock);
	return 0;
}

static struct fsr_info fsr_info[] = {
	{ fault_off, SIGSEGV, 0, "off" },
	{ fault_on, SIGSEGV, 0, "on" },
};

/* An atomic notifier chain is walked in an RCU reader. */
static int unit_notice(struct notifier_block *nb, unsigned long event, void *data)
{
	synchronize_rcu(); /* wrong: rcu-sleep-in-reader */
	return NOTIFY_OK;
}

static int unit_notice_blocking(struct notifier_block *nb, unsigned long event, void *data)
{
	synchronize_rcu();
	return NOTIFY_OK;
}

static struct notifier_block unit_nb = {
	.notifier_call = unit_notice,
};

static struct notifier_block unit_blocking_nb = {
	.notifier_call = unit_notice_blocking,
};

int unit_notifiers(void)
{
	register_reboot_notifier(&unit_blocking_nb);
	return atomic_notifier_chain_register(&panic_notifier_list, &unit_nb);
}

/* A core that has one operation for callers with bottom halves disabled leaves the other to those that may sleep. */
static int cell_send(struct atm_vcc *vcc, struct sk_buff *skb)
{
	msleep(1);
	return 0;
}

static int cell_send_bh(struct atm_vcc *vcc, struct sk_buff *skb)
{
	msleep(1); /* wrong: lock-sleep-in-atomic */
	return 0;
}

static const struct atmdev_ops cell_ops = {
	.send = cell_send,
	.send_bh = cell_send_bh,
};

/* The stopper runs its functions with preemption disabled, stop_machine() with interrupts disabled. */
static int stopped_here(void *data)
{
	msleep(1); /* wrong: lock-sleep-in-atomic */
	return 0;
}

static int stopped_everywhere(void *data)
{
	msleep(1); /* wrong: lock-sleep-in-atomic */
	return 0;
}

int stop(void)
{
	if (stop_one_cpu(0, stopped_here, NULL))
		return 1;
	return stop_machine(stopped_everywhere, NULL, NULL);
}

/* A writer that goes on as a reader holds the lock all the time. */
int unit_downgrade(struct unit *unit)
{
	down_write(&unit->sem);
	if (unit->ready) {
		up_write(&unit->sem);
		return 1;
	}
	downgrade_write(&unit->sem);
	unit_read(unit);
	up_read(&unit->sem);
	return 0;
}

/* Locks that the call names only in what it is called. */
int rtnl_left_held(struct net_device *dev)
{
	rtnl_lock();
	if (!dev->up)
		return -ENODEV; /* wrong: lock-imbalance */
	rtnl_unlock();
	return 0;
}

/* The writer of a sequence counter is not preempted. */
void count(struct unit *unit)
{
	write_seqcount_begin(&unit->seq);
	msleep(1); /* wrong: lock-sleep-in-atomic */
	write_seqcount_end(&unit->seq);
}

/* The name of a function of the kernel, and not that function. */
static void spi_write(struct unit *unit, int value)
{
	writel(value, unit->base);
}

void unit_write(struct unit *unit)
{
	spin_lock(&unit->lock);
	spi_write(unit, 1);
	spin_unlock(&unit->lock);
}

/* Runtime PM sleeps, where nothing says that it is fit for interrupts. */
void unit_resume(struct unit *unit)
{
	spin_lock(&unit->lock);
	pm_runtime_get_sync(unit->dev); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&unit->lock);
}

/* Guard classes that the tree defines. */
struct hub { struct mutex lock; raw_spinlock_t raw; };

DEFINE_GUARD(hub, struct hub *, hub_lock(_T), mutex_unlock(&_T->lock))
DEFINE_LOCK_GUARD_1(hub_raw, struct hub, raw_spin_lock(&_T->lock->raw), raw_spin_unlock(&_T->lock->raw))
DEFINE_LOCK_GUARD_0(quiet, local_irq_disable(), local_irq_enable())
DEFINE_CLASS(hub_of, struct hub *, hub_drop(_T), hub_find(id), int id)
DEFINE_FREE(hub_drop, struct hub *, if (_T) hub_drop(_T))

static void hub_lock(struct hub *hub)
{
	mutex_lock(&hub->lock);
}

static struct hub *hub_find(int id)
{
	might_sleep();
	return hubs[id];
}

static void hub_drop(struct hub *hub)
{
	synchronize_rcu();
}

void hub_guarded(struct hub *hub)
{
	guard(hub)(hub);
	msleep(1);
}

void hub_guarded_in_reader(struct hub *hub)
{
	rcu_read_lock();
	scoped_guard(hub, hub) /* wrong: rcu-sleep-in-reader */
		hub->users++;
	rcu_read_unlock();
}

void hub_under_raw(struct hub *hub)
{
	guard(hub_raw)(hub);
	msleep(1); /* wrong: lock-sleep-in-atomic */
}

void hub_after_raw(struct hub *hub)
{
	scoped_guard(hub_raw, hub)
		hub->users++;
	msleep(1);
}

void hub_quiet(void)
{
	scoped_guard(quiet)
		msleep(1); /* wrong: lock-sleep-in-atomic */
	msleep(1);
}

void hub_freed_in_reader(struct hub *hub)
{
	struct hub *mine __free(hub_drop) = hub;

	rcu_read_lock();
	use(mine);
	rcu_read_unlock();
}

/* What the code asserts of interrupts holds until the end of the function, and says nothing to the caller. */
void unit_quiet(struct unit *unit)
{
	lockdep_assert_irqs_disabled();
	msleep(1); /* wrong: lock-sleep-in-atomic */
}

static void unit_asserts(struct unit *unit)
{
	lockdep_assert_irqs_disabled();
	unit->count++;
}

void unit_calls(struct unit *unit)
{
	local_irq_disable();
	unit_asserts(unit);
	local_irq_enable();
	msleep(1);
}

/* Classes of the scheduler are defined by a macro. */
static void enqueue_task_unit(struct rq *rq, struct task_struct *p, int flags)
{
	kfree(p->unit); /* wrong: rt-free-under-raw-spinlock */
}

DEFINE_SCHED_CLASS(unit) = {
	.enqueue_task = enqueue_task_unit,
};

/* Alone on the only processor: nothing waits for a lock. */
static void resume_alone(void)
{
	mutex_lock(&setup_lock);
	mutex_unlock(&setup_lock);
}

static int suspend_alone(void)
{
	lockdep_assert_irqs_disabled();
	spin_lock(&setup_spin);
	spin_unlock(&setup_spin);
	return 0;
}

static struct syscore_ops alone_ops = {
	.suspend = suspend_alone,
	.resume = resume_alone,
};

/* What sleeps in an interrupt is a mistake of its own; it does not show that interrupts are enabled. */
struct bell { raw_spinlock_t lock; void *ring; };
static void bell_ring(struct bell *bell)
{
	void *ring = kzalloc(8, GFP_KERNEL); /* wrong: lock-gfp-blocking-in-atomic */

	raw_spin_lock(&bell->lock);
	bell->ring = ring;
	raw_spin_unlock(&bell->lock);
}
static irqreturn_t bell_interrupt(int irq, void *data)
{
	bell_ring(data);
	return IRQ_HANDLED;
}
int bell_probe(struct bell *bell)
{
	return request_irq(bell->irq, bell_interrupt, 0, "bell", bell);
}

/* A lock of the caller that is released with interrupts enabled, and taken again as it was, has them disabled. */
struct link { spinlock_t lock; struct link *parent; bool irq_safe; int users; struct hrtimer timer; };
static int link_idle(struct link *link, int (*callback)(struct link *))
{
	int ret;

	if (link->irq_safe)
		spin_unlock(&link->lock);
	else
		spin_unlock_irq(&link->lock);
	ret = callback(link);
	if (link->irq_safe)
		spin_lock(&link->lock);
	else
		spin_lock_irq(&link->lock);
	if (link->parent) {
		spin_unlock(&link->lock);
		spin_lock(&link->parent->lock);
		link->users++;
		spin_unlock(&link->parent->lock);
		spin_lock(&link->lock);
	}
	return ret;
}
static enum hrtimer_restart link_expired(struct hrtimer *timer)
{
	struct link *link = container_of(timer, struct link, timer);
	unsigned long flags;

	spin_lock_irqsave(&link->lock, flags);
	link->users = 0;
	spin_unlock_irqrestore(&link->lock, flags);
	return HRTIMER_NORESTART;
}
void link_init(struct link *link)
{
	hrtimer_init(&link->timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	link->timer.function = link_expired;
}
static void link_wait(struct link *link)
{
	spin_unlock_irq(&link->lock);
	schedule();
	spin_lock_irq(&link->lock);
}
static void link_settle(struct link *link)
{
	link_wait(link);
	spin_unlock(&link->lock);
	spin_lock(&link->parent->lock);
	link->users++;
	spin_unlock(&link->parent->lock);
	spin_lock(&link->lock);
}

struct hc { struct mutex mutex; };
static struct hc_driver __read_mostly plain_driver;
static struct pmu own_pmu;

static void plain_stop(struct hc *hc)
{
	mutex_lock(&hc->mutex);
	mutex_unlock(&hc->mutex);
}

static void own_stop(struct perf_event *event, int flags)
{
	mutex_lock(&own_hc.mutex); /* wrong: lock-sleep-in-atomic */
	mutex_unlock(&own_hc.mutex);
}

static int fill_tables(void)
{
	plain_driver.stop = plain_stop;
	own_pmu.stop = own_stop;
	return 0;
}

/* A handler of a PCI device. */
static irqreturn_t unit_polled(int irq, void *data)
{
	msleep(1); /* wrong: lock-sleep-in-atomic */
	return IRQ_WAKE_THREAD;
}

int unit_request_polled(struct pci_dev *dev, struct unit *unit)
{
	return pci_request_irq(dev, 0, unit_polled, unit_thread, unit, "polled");
}

/* The last reference goes in an RCU reader. */
static void unit_released(struct percpu_ref *ref)
{
	synchronize_rcu(); /* wrong: rcu-sleep-in-reader */
}

int unit_count(struct percpu_ref *ref)
{
	return percpu_ref_init(ref, unit_released, 0, GFP_KERNEL);
}

/* Instances of a state of CPU hotplug. */
static int unit_cpu_starting(unsigned int cpu, struct hlist_node *node)
{
	spin_lock(&cpu_unit(cpu)->lock); /* wrong: rt-spinlock-preempt-irq-off */
	spin_unlock(&cpu_unit(cpu)->lock);
	return 0;
}

static int unit_cpu_online(unsigned int cpu, struct hlist_node *node)
{
	msleep(1);
	return 0;
}

int unit_states(void)
{
	if (cpuhp_setup_state_multi(CPUHP_AP_UNIT_STARTING, "unit:starting", unit_cpu_starting, NULL))
		return -EBUSY;
	return cpuhp_setup_state_multi(CPUHP_AP_ONLINE_DYN, "unit:online", unit_cpu_online, NULL);
}

/* A chained handler by its place in a structure. */
static void unit_chained(struct irq_desc *desc)
{
	struct unit *unit = irq_desc_get_handler_data(desc);

	spin_lock(&unit->lock); /* wrong: rt-spinlock-in-hardirq */
	spin_unlock(&unit->lock);
}

void unit_chain(struct gpio_irq_chip *girq)
{
	girq->parent_handler = unit_chained;
}

/* User space enters with interrupts enabled. */
struct tally { spinlock_t lock; spinlock_t calm; int count; };

static irqreturn_t tally_interrupt(int irq, void *data)
{
	struct tally *tally = data;

	spin_lock(&tally->lock);
	tally->count++;
	spin_unlock(&tally->lock);
	return IRQ_HANDLED;
}

static long tally_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct tally *tally = file->private_data;

	spin_lock_irq(&tally->lock);
	tally->count--;
	spin_unlock_irq(&tally->lock);
	spin_lock(&tally->calm);
	tally->count--;
	spin_unlock(&tally->calm);
	spin_lock(&tally->lock); /* wrong: lock-irq-unsafe */
	tally->count--;
	spin_unlock(&tally->lock);
	return 0;
}

static const struct file_operations tally_operations = {
	.unlocked_ioctl = tally_ioctl,
};

int tally_request(struct tally *tally)
{
	return request_irq(3, tally_interrupt, 0, "tally", tally);
}

/* The last transfers before the power goes: no other task is left to hold a lock, but nobody wakes who sleeps either. */
static int bus_transfer(struct i2c_adapter *adapter, struct i2c_msg *messages, int count)
{
	spin_lock(&unit_lock);
	spin_unlock(&unit_lock);
	msleep(1); /* wrong: lock-sleep-in-atomic */
	return count;
}

static const struct i2c_algorithm bus_algorithm = {
	.xfer_atomic = bus_transfer,
};

/* A handler that is called by hand where its interrupt is disabled. */
struct polled { spinlock_t lock; int irq; int done; };

static irqreturn_t polled_interrupt(int irq, void *data)
{
	struct polled *polled = data;

	spin_lock(&polled->lock);
	polled->done = 1;
	spin_unlock(&polled->lock);
	return IRQ_HANDLED;
}

static void poll_until_done(struct polled *polled)
{
	while (!polled->done) {
		polled_interrupt(polled->irq, polled);
		usleep_range(100, 200);
	}
}

static void transfer_polled(struct polled *polled)
{
	polled->done = 0;
	poll_until_done(polled);
}

void poll_it(struct polled *polled)
{
	disable_irq(polled->irq);
	transfer_polled(polled);
	enable_irq(polled->irq);
}

int polled_request(struct polled *polled)
{
	return request_irq(polled->irq, polled_interrupt, 0, "polled", polled);
}

/* Functions that are registered by others, who hand on what they are given. */
typedef void (*part_fn_t)(struct work_struct *work);
struct part { struct work_struct work; struct timer_list timer; raw_spinlock_t hw; spinlock_t lock; int count; };

#define PART_INIT_DELAYED_WORK(__part, __fn, __data)	INIT_DELAYED_WORK(&(__part)->work, __fn)

static int part_request(struct part *part, irq_handler_t handler, unsigned long flags)
{
	return request_irq(part->irq, handler, flags, "part", part);
}

static int part_request_shared(struct part *part, unsigned long more, irq_handler_t handler)
{
	return part_request(part, handler, IRQF_SHARED | more);
}

static int part_request_either(struct part *part, irq_handler_t handler, bool threaded)
{
	if (threaded)
		return request_threaded_irq(part->irq, NULL, handler, 0, "part", part);
	return request_irq(part->irq, handler, 0, "part", part);
}

static irqreturn_t part_interrupt(int irq, void *data)
{
	struct part *part = data;

	spin_lock(&part->lock); /* wrong: rt-spinlock-in-hardirq */
	spin_unlock(&part->lock);
	return IRQ_HANDLED;
}

static irqreturn_t part_interrupt_shared(int irq, void *data)
{
	struct part *part = data;

	spin_lock(&part->lock);
	spin_unlock(&part->lock);
	msleep(1); /* wrong: lock-sleep-in-atomic */
	return IRQ_HANDLED;
}

static irqreturn_t part_interrupt_either(int irq, void *data)
{
	msleep(1);
	return IRQ_HANDLED;
}

static irqreturn_t part_interrupt_unknown(int irq, void *data)
{
	msleep(1);
	return IRQ_HANDLED;
}

static void part_work(struct work_struct *work)
{
	msleep(1);
}

int part_set_up(struct part *part, unsigned long flags)
{
	PART_INIT_DELAYED_WORK(part, (void *)part_work, part);
	part_request_either(part, part_interrupt_either, part->threaded);
	part_request(part, part_interrupt_unknown, flags);
	part_request_shared(part, flags, part_interrupt_shared);
	return part_request(part, (irq_handler_t)part_interrupt, IRQF_NO_THREAD);
}

/* Algorithms of the crypto API are used in softirq; their keys are set in process context. */
static int sum_update(struct shash_desc *desc, const u8 *data, unsigned int length)
{
	mutex_lock(&sum_lock); /* wrong: lock-sleep-in-atomic */
	mutex_unlock(&sum_lock);
	return 0;
}

static int sum_setkey(struct crypto_shash *transform, const u8 *key, unsigned int length)
{
	mutex_lock(&sum_lock);
	mutex_unlock(&sum_lock);
	return 0;
}

static struct shash_alg sum_algorithm = {
	.update = sum_update,
	.setkey = sum_setkey,
};

static int tally_answer(struct sk_buff *message, struct genl_info *info)
{
	struct tally *tally = info->user_ptr[0];

	spin_lock(&tally->lock); /* wrong: lock-irq-unsafe */
	tally->count = 0;
	spin_unlock(&tally->lock);
	return 0;
}

static const struct genl_small_ops tally_commands[] = {
	{ .doit = tally_answer },
};

struct outlet { struct list_head list; struct mutex lock; int full; };
static LIST_HEAD(outlets);

static void deliver_unless_in_oops(struct outlet *outlet)
{
	if (oops_in_progress) {
		outlet->full = 1;
	} else {
		mutex_lock(&outlet->lock);
		outlet->full = 0;
		mutex_unlock(&outlet->lock);
	}
}

static void send_unless_in_oops(struct outlet *outlet)
{
	deliver_unless_in_oops(outlet);
}

static void send_at_once(struct outlet *outlet)
{
	mutex_lock(&outlet->lock); /* wrong: rcu-sleep-in-reader */
	outlet->full = 0;
	mutex_unlock(&outlet->lock);
}

static int outlet_panics(struct notifier_block *this, unsigned long event, void *data)
{
	struct outlet *outlet;

	list_for_each_entry(outlet, &outlets, list) {
		send_unless_in_oops(outlet);
		send_at_once(outlet);
	}
	return NOTIFY_DONE;
}

static void fill_unless_in_oops(struct outlet *outlet)
{
	if (!oops_in_progress) {
		mutex_lock(&outlet->lock); /* wrong: rcu-sleep-in-reader */
		outlet->full = 1;
		mutex_unlock(&outlet->lock);
	}
}

static int outlet_changes(struct notifier_block *this, unsigned long event, void *data)
{
	struct outlet *outlet;

	list_for_each_entry(outlet, &outlets, list)
		fill_unless_in_oops(outlet);
	return NOTIFY_DONE;
}

static struct notifier_block panic_block = { .notifier_call = outlet_panics };
static struct notifier_block change_block = { .notifier_call = outlet_changes };

void register_outlets(void)
{
	atomic_notifier_chain_register(&panic_notifier_list, &panic_block);
	atomic_notifier_chain_register(&change_notifier_list, &change_block);
}
