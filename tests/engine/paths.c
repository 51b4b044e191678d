/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths through one function. A line that is to be found names the check; every other line stays silent. */
struct dev { spinlock_t lock; raw_spinlock_t hw; struct mutex setup; };

void guard_to_the_end(struct dev *dev)
{
	guard(spinlock)(&dev->lock);
	msleep(1); /* wrong: lock-sleep-in-atomic */
}

void scoped_guard_ends(struct dev *dev)
{
	scoped_guard(spinlock, &dev->lock) {
		dev->a = 1;
		if (dev->b)
			break;
	}
	msleep(1);
}

void scoped_guard_inside(struct dev *dev)
{
	scoped_guard(spinlock_irqsave, &dev->lock) {
		dev->a = 1;
		msleep(1); /* wrong: lock-sleep-in-atomic */
	}
}

int goto_leaves_guard(struct dev *dev)
{
	{
		guard(raw_spinlock_irqsave)(&dev->hw);
		if (dev->b)
			goto out;
	}
out:
	msleep(1);
	return 0;
}

int failed_trylock_holds_nothing(struct dev *dev)
{
	if (!spin_trylock(&dev->lock)) {
		msleep(1);
		return -EAGAIN;
	}
	dev->a++;
	spin_unlock(&dev->lock);
	msleep(2);
	return 0;
}

void trylock_in_a_loop(struct dev *dev)
{
	unsigned long flags;

	while (!raw_spin_trylock_irqsave(&dev->hw, flags))
		cpu_relax();
	msleep(1); /* wrong: lock-sleep-in-atomic */
	raw_spin_unlock_irqrestore(&dev->hw, flags);
	msleep(1);
}

void flag_says_locked(struct dev *dev, bool wanted)
{
	bool locked = false;

	if (wanted) {
		spin_lock(&dev->lock);
		locked = true;
	}
	dev->a++;
	if (locked)
		spin_unlock(&dev->lock);
	msleep(1);
}

void same_condition_twice(struct dev *dev, bool wanted)
{
	if (wanted)
		spin_lock(&dev->lock);
	dev->a++;
	if (wanted)
		spin_unlock(&dev->lock);
	else
		msleep(1);
}

void break_keeps_the_lock(struct dev *dev)
{
	do {
		spin_lock(&dev->lock);
		if (dev->a)
			break;
		spin_unlock(&dev->lock);
	} while (!dev->b);
	msleep(1); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&dev->lock);
}

void alias_of_the_lock(struct vcpu *vcpu)
{
	struct kvm *kvm = vcpu->kvm;

	write_lock(&vcpu->kvm->mmu_lock);
	write_unlock(&kvm->mmu_lock);
	msleep(1);
}

void two_locks_one_alias(struct vcpu *vcpu)
{
	struct kvm *kvm = vcpu->kvm;

	write_lock(&kvm->mmu_lock);
	read_lock(&vcpu->kvm->other);
	read_unlock(&vcpu->kvm->other);
	msleep(1); /* wrong: lock-sleep-in-atomic */
	write_unlock(&vcpu->kvm->mmu_lock);
}

void irqsave_around_a_retry(struct dev *dev)
{
	unsigned long flags;

again:
	local_irq_save(flags);
	if (!dev->a) {
		local_irq_restore(flags);
		msleep(1);
		goto again;
	}
	local_irq_restore(flags);
	msleep(1);
}

void irqs_off_is_atomic(struct dev *dev)
{
	local_irq_disable();
	mutex_lock(&dev->setup); /* wrong: lock-sleep-in-atomic */
	local_irq_enable();
	mutex_unlock(&dev->setup);
}

int interruptible(struct dev *dev)
{
	int ret = mutex_lock_interruptible(&dev->setup);

	if (ret)
		return ret;
	dev->a++;
	mutex_unlock(&dev->setup);
	return 0;
}

int walk_and_leave(struct dev *dev)
{
	struct dev *entry;

	rcu_read_lock();
	list_for_each_entry_rcu(entry, &dev->list, link) {
		if (entry->a == 3)
			break;
		if (entry->a == 4)
			continue;
		if (entry->a == 5)
			goto unlock;
	}
	switch (dev->a) {
	case 1:
		dev->b = 1;
		break;
	case 2 ... 5:
		dev->b = 2;
		fallthrough;
	default:
		dev->b = 3;
	}
unlock:
	rcu_read_unlock();
	mutex_lock(&dev->setup);
	mutex_unlock(&dev->setup);
	return 0;
}

void ternary_flags(struct dev *dev, int n)
{
	gfp_t gfp = n ? GFP_ATOMIC : GFP_NOWAIT;

	spin_lock(&dev->lock);
	dev->p = kmalloc(12, gfp);
	spin_unlock(&dev->lock);
}

void free_at_scope_end(struct dev *dev)
{
	char *p __free(kfree) = kmalloc(3, GFP_KERNEL);

	if (!p)
		return;
	scoped_guard(spinlock, &dev->lock)
		dev->a = p[0];
	msleep(1);
}

void other_arm_of_the_preprocessor(struct dev *dev)
{
	spin_lock(&dev->lock);
#ifndef CONFIG_DEV_FAST
	msleep(1); /* wrong: lock-sleep-in-atomic */
#else
	udelay(1);
#endif
	spin_unlock(&dev->lock);
}

void only_without_rt(struct dev *dev)
{
	raw_spin_lock(&dev->hw);
#ifndef CONFIG_PREEMPT_RT
	dev->p = kmalloc(12, GFP_ATOMIC);
#endif
	raw_spin_unlock(&dev->hw);
}

void context_is_asked(struct dev *dev)
{
	if (!in_atomic()) /* wrong: lock-in-atomic-test */
		msleep(1);
}

void context_kept_in_a_variable(struct dev *dev)
{
	bool atomic = in_atomic(); /* wrong: lock-in-atomic-test */

	if (!atomic)
		msleep(1);
}

void context_asked_under_a_lock(struct dev *dev)
{
	spin_lock(&dev->lock);
	context_is_asked(dev);
	context_kept_in_a_variable(dev);
	spin_unlock(&dev->lock);
}

void sleeps_if_told(struct dev *dev, gfp_t gfp)
{
	spin_lock(&dev->lock);
	might_sleep_if(dev->slow);
	might_sleep_if(gfpflags_allow_blocking(gfp));
	spin_unlock(&dev->lock);
}

void statistics_of_ww_mutex(struct dev *dev)
{
	spin_lock(&dev->lock);
	ww_mutex_lock_acquired(&dev->setup, dev->ctx);
	spin_unlock(&dev->lock);
}

void fast_loop_macro(struct dev *dev)
{
	struct dev *entry;

	spin_lock(&dev->lock);
	for_each_dev_entry(entry, dev) {
		if (entry->a)
			continue;
		entry->b = 1;
	}
	spin_unlock(&dev->lock);
	msleep(1);
}

void returns_in_the_middle(struct dev *dev)
{
	spin_lock_irq(&dev->lock);
	if (!dev->a) {
		spin_unlock_irq(&dev->lock);
		return;
	}
	spin_unlock_irq(&dev->lock);
	synchronize_rcu();
}

void statement_expression(struct dev *dev)
{
	int n;

	preempt_disable();
	n = ({ int m = dev->a; msleep(m); m; }); /* wrong: lock-sleep-in-atomic */
	dev->b = n;
	preempt_enable();
}

static void one_at_a_time(struct dev *dev)
{
	dev->a--;
	spin_unlock_irq(&dev->lock);
	put_one(dev);
	spin_lock_irq(&dev->lock);
}

void unlocked_and_locked_again(struct dev *dev)
{
	spin_lock_irq(&dev->lock);
	while (dev->a) {
		one_at_a_time(dev);
		if (need_resched()) {
			spin_unlock_irq(&dev->lock);
			cond_resched();
			spin_lock_irq(&dev->lock);
		}
	}
	spin_unlock_irq(&dev->lock);
}

int lock_behind_a_pointer(struct dev *dev)
{
	struct mutex *held = NULL;
	int ret = -EINVAL;

	if (!dev->a)
		goto out;
	held = &dev->setup;
	mutex_lock(held);
	ret = 0;
out:
	if (held)
		mutex_unlock(held);
	return ret;
}

void leaves_as_many_as_it_finds(struct dev *dev, int wanted)
{
	while (preempt_depth_of(dev) > wanted)
		preempt_enable();
	while (reader_depth_of(dev) > wanted)
		rcu_read_unlock();
}

int dev_state_hold(struct dev *dev)
{
	if (dev->quiet) {
		local_bh_disable();
		return 0;
	}
	preempt_disable();
	return 0;
}

void console_write(struct port *port)
{
	unsigned long flags;
	int locked = 1;

	if (port->sysrq)
		locked = 0;
	else if (port->oops)
		locked = spin_trylock_irqsave(&port->lock, flags);
	else
		spin_lock_irqsave(&port->lock, flags);
	port->written++;
	if (locked)
		spin_unlock_irqrestore(&port->lock, flags);
}

int waits_with_the_lock_of_the_queue(struct line *line)
{
	guard(spinlock)(&line->wait.lock);
	return wait_event_interruptible_locked(line->wait, line->ready);
}

int looked_at_once_more(struct dev *dev)
{
	if (!dev->ready)
		return 0;
	spin_lock(&dev->lock);
	if (!dev->ready)
		return 0; /* wrong: lock-imbalance */
	spin_unlock(&dev->lock);
	return 0;
}

int may_sleep_once_looked_at_again(struct dev *dev)
{
	if (dev->dead)
		return -ENODEV;
	mutex_lock(&dev->setup);
	spin_lock(&dev->lock);
	if (dev->dead)
		msleep(1); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&dev->lock);
	mutex_unlock(&dev->setup);
	return 0;
}

void locked_by_a_flag_in_memory(struct dev *dev)
{
	if (dev->shared)
		spin_lock(&dev->lock);
	dev->a = 1;
	if (dev->shared)
		spin_unlock(&dev->lock);
}

void doubt_ends_where_a_lock_is_taken(struct dev *dev)
{
	spin_lock(&dev->lock);
	dev_put_elsewhere(dev);
	msleep(1);
	raw_spin_lock(&dev->hw);
	msleep(2); /* wrong: lock-sleep-in-atomic */
	raw_spin_unlock(&dev->hw);
	msleep(3);
	preempt_disable();
	msleep(4); /* wrong: lock-sleep-in-atomic */
	preempt_enable();
	msleep(5);
}

void doubt_comes_again(struct dev *dev)
{
	dev_put_elsewhere(dev);
	spin_lock(&dev->lock);
	dev_put_elsewhere(dev);
	msleep(1);
	spin_unlock(&dev->lock);
}

/* A lock of a node is let go of once that of its parent is tried for. */

void hand_over_hand(struct node *first)
{
	struct node *node = first, *below = NULL;
	bool stop;

	for (; node != NULL; node = node->parent) {
		stop = READ_ONCE(total.done) || !raw_spin_trylock(&node->funnel);
		if (below != NULL)
			raw_spin_unlock(&below->funnel);
		if (stop)
			return;
		below = node;
	}
	raw_spin_unlock(&below->funnel);
}

/* Before the scheduler runs, GFP_KERNEL does not sleep. */

static void __init early_table(struct dev *dev)
{
	lockdep_assert_irqs_disabled();
	dev->table = kcalloc(8, 8, GFP_KERNEL); /* wrong: lock-gfp-blocking-in-atomic */
}

static void late_table(struct dev *dev)
{
	lockdep_assert_irqs_disabled();
	dev->table = kcalloc(8, 8, GFP_KERNEL); /* wrong: lock-gfp-blocking-in-atomic */
}

/* A callee that lets go of the lock in the last of several states. */

static void port_last(struct dev *dev)
{
	dev->a = 0;
	mutex_unlock(&dev->setup);
}

void port_advance(struct dev *dev)
{
	mutex_lock(&dev->setup);
	if (READ_ONCE(dev->state) == PORT_FIRST) {
		if (!dev->a) {
			mutex_unlock(&dev->setup);
			return;
		}
		WRITE_ONCE(dev->state, PORT_LAST);
	}
	if (READ_ONCE(dev->state) == PORT_LAST)
		port_last(dev);
}

void port_forget(struct dev *dev)
{
	mutex_lock(&dev->setup);
	if (dev->a)
		return; /* wrong: lock-imbalance */
	port_last(dev);
}

/* The caller's lock of one object is let go of for that of another. */

static struct base *switch_base(struct timer *timer, struct base *base, struct base *wanted)
{
	if (base != wanted) {
		if (timer->running)
			return base;
		raw_spin_unlock(&base->lock);
		raw_spin_lock(&wanted->lock);
		timer->base = wanted;
	}
	return wanted;
}

/* The lock is let go of by an operation, as the assertion after it says. */

int freeze(struct dev *dev)
{
	int error;

	mutex_lock(&dev->setup);
	if (dev->ops->freeze) {
		error = dev->ops->freeze(dev);
		lockdep_assert_not_held(&dev->setup);
	} else {
		mutex_unlock(&dev->setup);
		error = sync_dev(dev);
	}
	return error;
}

/* What a boolean was set to decides later too. */

int handle_command(struct dev *dev, struct command *command)
{
	const bool need_lock = (command->number != COMMAND_CLEAN_UP);
	int error = 0;

	if (need_lock)
		mutex_lock(&dev->setup);
	switch (command->number) {
	case COMMAND_CLEAN_UP:
		clean_up_locked(dev);
		break;
	case COMMAND_START:
		clean_up_locked(dev); /* wrong: lock-recursive-class */
		break;
	}
	if (need_lock)
		mutex_unlock(&dev->setup);
	return error;
}

/* The primitive is given the structure that holds the lock, one way or the other. */

struct table { spinlock_t xa_lock; };
struct xas { struct table *xa; };

static void xas_unlock_either(struct xas *xas, unsigned int type)
{
	if (type == XA_LOCK_IRQ)
		xa_unlock_irq(xas->xa);
	else
		xa_unlock(xas->xa);
}

static void xas_lock_either(struct xas *xas, unsigned int type)
{
	if (type == XA_LOCK_IRQ)
		xa_lock_irq(xas->xa);
	else
		xa_lock(xas->xa);
}

static void xas_more(struct xas *xas, unsigned int type)
	__must_hold(xas->xa->xa_lock)
{
	msleep(1); /* wrong: lock-sleep-in-atomic */
	xas_unlock_either(xas, type);
	msleep(2);
	xas_lock_either(xas, type);
}

static void switch_queue(struct rq *rq, struct rq *other)
{
	struct rq *locked = rq;

	if (locked != other) {
		raw_spin_rq_unlock(locked);
		locked = other;
		raw_spin_rq_lock(other);
	}
	other->count++;
	if (locked != rq) {
		raw_spin_rq_unlock(locked);
		raw_spin_rq_lock(rq);
	}
}

/* Who backs off does so by what is returned. */

int both_at_once(struct buffer *a, struct buffer *b, struct ww_acquire_ctx *ctx)
{
	int error = ww_mutex_lock(&a->mutex, ctx);

	if (error)
		return error;
	error = ww_mutex_lock(&b->mutex, ctx);
	if (error == -EALREADY)
		return -EINVAL;
	if (!error)
		ww_mutex_unlock(&b->mutex);
	ww_mutex_unlock(&a->mutex);
	return 0;
}

/* A lock that is taken when an operation is prepared, and released when it is done. */

static DECLARE_RWSEM(group_rwsem);

int group_can_move(struct dev *dev)
{
	int error;

	down_read(&group_rwsem);
	if (!dev->enabled)
		return 0;
	error = dev_allows(dev);
	if (error)
		goto out;
	return 0;
out:
	up_read(&group_rwsem);
	return dev_complain(dev);
}

void group_moved(struct dev *dev)
{
	dev->moved++;
	up_read(&group_rwsem);
}

static DECLARE_RWSEM(other_rwsem);

int other_can_move(struct dev *dev)
{
	down_read(&other_rwsem);
	if (!dev->enabled)
		return 0; /* wrong: lock-imbalance */
	up_read(&other_rwsem);
	return dev_complain(dev);
}

int group_asks(struct dev *dev)
{
	if (!dev->a)
		return 0;
	return group_can_move(dev);
}

/* The timer of delayed work is TIMER_IRQSAFE. */

static void flush_late(struct delayed_work *work, struct dev *dev)
{
	local_irq_disable();
	del_timer_sync(&work->timer);
	del_timer_sync(&dev->timer); /* wrong: rt-spinlock-preempt-irq-off */
	local_irq_enable();
}

static void clean_up_locked(struct dev *dev)
{
	mutex_lock(&dev->setup);
	dev->a = 0;
	mutex_unlock(&dev->setup);
}

/* One callee takes the lock and another releases it: a way out that misses the second one is told of. */

static void limits_start(struct dev *dev)
{
	mutex_lock(&dev->setup);
}

static int limits_commit(struct dev *dev)
{
	dev->a = 1;
	mutex_unlock(&dev->setup);
	return 0;
}

int limits_update(struct dev *dev)
{
	int error = 0;

	limits_start(dev);
	if (dev->b) {
		error = -ENODEV;
		goto unfreeze;
	}
	error = limits_commit(dev);
unfreeze:
	if (error)
		dev->a = 0;
	return error; /* wrong: lock-imbalance */
}

/* One arm leaves the unlocking to an operation, the other does it. */

int flush_holder(struct dev *dev)
{
	mutex_lock(&dev->setup);
	if (dev->ops && dev->ops->sync)
		dev->ops->sync(dev);
	else {
		mutex_unlock(&dev->setup);
		sync_dev(dev);
	}
	return 0;
}

int operation_failed(struct dev *dev)
{
	int error;

	mutex_lock(&dev->setup);
	error = dev->ops->sync(dev);
	if (error)
		goto out;
	mutex_unlock(&dev->setup);
out:
	dev->a = error;
	return 0; /* wrong: lock-imbalance */
}

/* An object comes locked, an error does not. */

static struct page *page_reserve(struct dev *dev, int n)
{
	struct page *page;

	for (;;) {
		mutex_lock(&dev->setup);
		page = page_load(dev, n);
		if (PTR_ERR(page) != -EBUSY)
			break;
		mutex_unlock(&dev->setup);
	}
	if (IS_ERR(page))
		mutex_unlock(&dev->setup);
	return page;
}

static struct page *page_find(struct dev *dev, int n)
{
	struct page *page;

	mutex_lock(&dev->setup);
	page = page_load(dev, n);
	if (IS_ERR(page))
		return page; /* wrong: lock-imbalance */
	mutex_unlock(&dev->setup);
	return page;
}

/* Where page faults are disabled access to user memory fails instead of sleeping, in a callee too. */

static int write_key(struct frame __user *frame)
{
	return __put_user(1, &frame->key);
}

static int write_frame(struct frame __user *frame)
{
	int error;

	preempt_disable();
	pagefault_disable();
	error = write_key(frame);
	pagefault_enable();
	error |= write_key(frame); /* wrong: lock-sleep-in-atomic */
	preempt_enable();
	return error;
}

/* Of two things one is true: where the first turns out not to be, the second is. */

void either_twice(struct dev *dev)
{
	if (dev->a || dev->b)
		spin_lock(&dev->lock);
	dev->c = 1;
	if (dev->a || dev->b)
		spin_unlock(&dev->lock);
	else
		msleep(1);
	if (dev->a && dev->b)
		spin_lock(&dev->lock);
	dev->c = 2;
	if (dev->a && dev->b)
		spin_unlock(&dev->lock);
	else
		msleep(2);
}

void either_and_then_the_other_one(struct dev *dev)
{
	if (dev->a || dev->b)
		spin_lock(&dev->lock);
	if (!dev->b)
		msleep(1); /* wrong: lock-sleep-in-atomic */
	if (dev->a || dev->b)
		spin_unlock(&dev->lock);
}

void either_until_it_changes(struct dev *dev)
{
	if (dev->a || dev->b)
		spin_lock(&dev->lock);
	dev->b = dev->next;
	if (dev->a || dev->b)
		dev->c = 1;
	else
		msleep(1); /* wrong: lock-sleep-in-atomic */
	if (dev->c)
		spin_unlock(&dev->lock);
} /* wrong: lock-imbalance */

int flag_set_on_one_way(struct dev *dev, int wanted)
{
	int slow = 0, quick = 0;

	if (wanted == 1)
		quick = 1;
	else
		slow = dev->a;
	if (quick)
		spin_lock(&dev->lock);
	if (wanted != 1)
		msleep(slow);
	if (wanted == 1)
		msleep(2); /* wrong: lock-sleep-in-atomic */
	if (quick)
		spin_unlock(&dev->lock);
	return slow;
}

/* The same order is asked for twice. */
void unit_move(struct unit *unit, int by)
{
	int way = by - unit->count;

	if (way > 0) {
		preempt_disable();
		unit->count = by;
	}
	unit_moved(unit);
	if (way > 0)
		preempt_enable();
	if (way <= 0)
		unit->count = by;
}

void unit_move_back(struct unit *unit, int by)
{
	int way = by - unit->count;

	if (way < 0)
		preempt_disable();
	unit->count = by;
	if (way >= 0)
		return;
	msleep(1); /* wrong: lock-sleep-in-atomic */
	preempt_enable();
}

/* Objects of one list are all locked alike, as each of them says. */
struct voice { spinlock_t lock; struct mutex mutex; bool sleeps; struct list_head link; };

void voices_start(struct list_head *voices, struct voice *own)
{
	struct voice *v;

	list_for_each_entry(v, voices, link) {
		if (v->sleeps)
			mutex_lock(&v->mutex);
		else
			spin_lock(&v->lock);
		v->started = true;
	}
	list_for_each_entry(v, voices, link) {
		if (v->sleeps)
			mutex_unlock(&v->mutex);
		else
			spin_unlock(&v->lock);
	}
}

void voices_stop(struct list_head *voices)
{
	struct voice *v;

	list_for_each_entry(v, voices, link) {
		spin_lock(&v->lock);
		if (v->started)
			mutex_lock(&v->mutex); /* wrong: lock-sleep-in-atomic */
		else
			v->late = true;
	}
}

/* Two characters are two values. */
int dev_written(struct dev *dev, const char *text)
{
	spin_lock(&dev->lock);
	if (text[1] == '\0' || text[1] == '\n') {
		if (text[0] == '1') {
			dev->on = 1;
			spin_unlock(&dev->lock);
			return 1;
		}
		if (text[0] == '0') {
			dev->on = 0;
			return 1; /* wrong: lock-imbalance */
		}
	}
	spin_unlock(&dev->lock);
	return -EINVAL;
}

/* A pointer stays equal to a variable that nobody writes after the boot. */
static struct spare *dev_spare;
static DEFINE_MUTEX(dev_spare_lock);
static DEFINE_MUTEX(dev_other_lock);

static int __init dev_spares(void)
{
	dev_spare = spare_new();
	return 0;
}

void dev_with_spare(struct dev *dev)
{
	struct spare *spare = spare_new();

	if (!spare) {
		mutex_lock(&dev_spare_lock);
		spare = dev_spare;
	}
	spare_use(spare);
	if (spare != dev_spare)
		kfree(spare);
	else
		mutex_unlock(&dev_spare_lock);
}

void dev_spends_spare(struct dev *dev)
{
	struct spare *spare = spare_new();

	if (!spare) {
		mutex_lock(&dev_other_lock);
		spare = dev_spare;
	}
	if (spare != dev_spare) {
		kfree(spare);
		return;
	}
	if (dev->dead)
		return; /* wrong: lock-imbalance */
	mutex_unlock(&dev_other_lock);
}

/* What a variable equals, a member that it is put into equals too. */

struct sending { const void *data; const void *more; };
static DEFINE_MUTEX(dev_data_lock);
static DEFINE_MUTEX(dev_more_lock);

static char *dev_after(char *dev_spare)
{
	dev_spare += 2;
	return dev_spare;
}

int send_in_the_spare(struct dev *dev)
{
	struct sending part[2];
	struct spare *own;

	if (dev->a || !mutex_trylock(&dev_data_lock)) {
		own = spare_new();
		if (!own)
			return -ENOMEM;
	} else {
		own = dev_spare;
	}
	part[0].data = own;
	part[1].more = own + 1;
	send_parts(part);
	if (part[0].data == dev_spare)
		mutex_unlock(&dev_data_lock);
	else
		spare_free(own);
	return 0;
}

int send_in_the_other_part(struct dev *dev)
{
	struct sending part[2];
	struct spare *own;

	if (dev->a || !mutex_trylock(&dev_more_lock)) {
		own = spare_new();
		if (!own)
			return -ENOMEM;
	} else {
		own = dev_spare;
	}
	part[0].data = own;
	part[1].more = own + 1;
	send_parts(part);
	if (part[1].more == dev_spare)
		mutex_unlock(&dev_more_lock);
	else
		spare_free(own);
	return 0; /* wrong: lock-imbalance */
}

/* What is a directory is no regular file. */
static void give_back(struct inode *inode)
{
	if (!S_ISREG(inode->i_mode))
		return;
	msleep(1);
}

void give_back_under_lock(struct inode *inode)
{
	spin_lock(&inode->i_lock);
	if (S_ISDIR(inode->i_mode))
		give_back(inode);
	else
		give_back(inode); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&inode->i_lock);
}
