/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who holds what, and who is asked. A line that is to be found names the check; every other line stays silent. */
struct dev { spinlock_t lock; struct task *task; };

static void dev_sched_in(struct preempt_notifier *notifier, int cpu)
{
	spin_lock(&the_dev.lock); /* wrong: rt-spinlock-preempt-irq-off */
	spin_unlock(&the_dev.lock);
}

static void dev_idle(struct work_struct *work, int cpu)
{
	spin_lock(&the_dev.lock);
	spin_unlock(&the_dev.lock);
}

struct preempt_ops dev_ops = { .sched_in = dev_sched_in, };
struct idle_ops idle_ops = { .go_idle = dev_idle, };

void task_ends(struct preempt_notifier *notifier)
{
	preempt_disable();
	notifier->ops->sched_in(notifier, 0);
	preempt_enable();
}

void task_idles(struct idle *idle)
{
	preempt_disable();
	idle->ops->go_idle(idle, 0); /* wrong: rt-spinlock-preempt-irq-off */
	preempt_enable();
}

void asks_first(void)
{
	bool no_rcu = !rcu_is_watching();
	if (no_rcu)
		ct_nmi_enter();
	use();
	if (no_rcu)
		ct_nmi_exit();
}

void asks_not(void)
{
	ct_nmi_enter(); /* wrong: entry-rcu-transition-cargo-cult */
	use();
	ct_nmi_exit();
}

struct netdev { struct mutex lock; struct netdev *lower; int state; };
struct table { struct mutex lock; struct mutex setup; struct hlist_head list; };
static DEFINE_MUTEX(group_lock);

static void close_lower(struct netdev *dev, int number)
{
	if (!lower_of(&dev, &number))
		return;
	mutex_lock(&dev->lock);
	dev->state = 0;
	mutex_unlock(&dev->lock);
}

static void close_same(struct netdev *dev, int number)
{
	if (!number_of(&number))
		return;
	mutex_lock(&dev->lock);
	dev->state = 0;
	mutex_unlock(&dev->lock);
}

void close_one(struct netdev *dev)
{
	mutex_lock(&dev->lock);
	close_lower(dev, 1);
	mutex_unlock(&dev->lock);
}

void close_twice(struct netdev *dev)
{
	mutex_lock(&dev->lock);
	close_same(dev, 1); /* wrong: lock-recursive-class */
	mutex_unlock(&dev->lock);
}

static void on_cpu(void *data)
{
	use(rcu_dereference_protected(data->pids, mutex_is_locked(&group_lock)));
}

static void in_worker(struct work_struct *work)
{
	use(rcu_dereference_protected(the.pids, mutex_is_locked(&group_lock))); /* wrong: lock-assert-not-held */
}

void everywhere(struct table *table)
{
	INIT_WORK(&table->work, in_worker);
	mutex_lock(&group_lock);
	on_each_cpu(on_cpu, table, 1);
	mutex_unlock(&group_lock);
}

static int remember(struct table *table, int key)
{
	struct entry *entry;

	mutex_lock(&table->lock);
	entry = table_find(table, key);
	mutex_unlock(&table->lock);
	if (entry)
		return 0;
	entry = kzalloc(sizeof(*entry), GFP_KERNEL);
	mutex_lock(&table->lock);
	hlist_add_head(&entry->node, &table->list);
	mutex_unlock(&table->lock);
	return 0;
}

int set_up(struct table *table, int key)
{
	int err;

	mutex_lock(&table->setup);
	err = remember(table, key);
	mutex_unlock(&table->setup);
	return err;
}

static int remember_any(struct table *table, int key)
{
	struct entry *entry;

	mutex_lock(&table->lock);
	entry = table_find(table, key);
	mutex_unlock(&table->lock);
	if (entry)
		return 0;
	entry = kzalloc(sizeof(*entry), GFP_KERNEL);
	mutex_lock(&table->lock);
	hlist_add_head(&entry->node, &table->list); /* wrong: lock-drop-retake-no-recheck */
	mutex_unlock(&table->lock);
	return 0;
}

int set_up_any(struct table *table, int key)
{
	return remember_any(table, key);
}

static int fault_in(struct netdev *dev, bool *unlocked)
{
	int ret = handle(dev);

	if (ret & VM_RETRY) {
		mutex_lock(&dev->lock);
		*unlocked = true;
	}
	return 0;
}

void fault_once(struct netdev *dev)
{
	bool unlocked;

	mutex_lock(&dev->lock);
	fault_in(dev, &unlocked);
	mutex_unlock(&dev->lock);
}

void test_loop(struct netdev *dev)
{
	while (dev->state) {
		set_current_state(TASK_INTERRUPTIBLE);
		usleep_range(100, 1000);
	}
}

void locks_its_own(struct netdev *dev)
{
	spinlock_t lock;

	spin_lock_init(&lock);
	mutex_lock(&dev->lock);
	wait_with(dev, &lock);
	close_same(dev, 1); /* wrong: lock-recursive-class */
	mutex_unlock(&dev->lock);
}

struct poller { int (*poll)(struct poller *poller); };
struct queue { struct poller backlog; };

static int poll_backlog(struct poller *poller)
{
	msleep(1);
	return 0;
}

static void set_up_queue(struct queue *queue)
{
	queue->backlog.poll = poll_backlog;
}

static void polls_backlog(struct dev *dev, struct queue *queue)
{
	spin_lock(&dev->lock);
	queue->backlog.poll(&queue->backlog); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&dev->lock);
}

struct udc { spinlock_t lock; int queued; };

static void udc_done(struct udc *udc)
{
	spin_unlock(&udc->lock);
	give_back(udc);
	spin_lock(&udc->lock);
}

static void udc_again(struct udc *udc)
{
	spin_lock(&udc->lock);
	udc->queued = 1;
	spin_unlock(&udc->lock);
}

static void udc_status(struct udc *udc)
{
	udc->request = kmalloc(8, GFP_KERNEL);
	udc_done(udc);
}

static void udc_restart(struct udc *udc)
{
	udc->request = kmalloc(8, GFP_KERNEL);
	udc_again(udc); /* wrong: lock-irq-unsafe */
}

static irqreturn_t udc_irq(int irq, void *data)
{
	struct udc *udc = data;

	spin_lock(&udc->lock);
	udc->queued = 0;
	spin_unlock(&udc->lock);
	return IRQ_HANDLED;
}

int udc_start(struct udc *udc)
{
	return request_irq(udc->irq, udc_irq, 0, "udc", udc);
}

static void polls_its_poller(struct dev *dev, struct poller *poller)
{
	spin_lock(&dev->lock);
	poller->poll(poller); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&dev->lock);
}

/* Of an object that is no lock lockdep alone knows who holds it; a pointer to a lock is one. */
struct shelf { struct mutex setup; int books; struct lockdep_map dep_map; };

static int shelf_books(struct shelf *shelf)
{
	lockdep_assert_held(shelf);
	return shelf->books;
}

static void shelf_add(struct shelf *shelf)
{
	struct mutex *lock = &shelf->setup;

	lockdep_assert_held(lock);
	shelf->books++;
}

static long shelf_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct shelf *shelf = file->private_data;

	if (shelf_books(shelf))
		shelf_add(shelf); /* wrong: lock-assert-not-held */
	return 0;
}

static const struct file_operations shelf_fops = {
	.unlocked_ioctl = shelf_ioctl,
};

/* Nobody else has an object whose last reference is gone. */
struct twig { struct twig __rcu *parent; atomic_t count; struct work_struct work; struct work_struct peek; };
static DEFINE_MUTEX(twigs_lock);

static struct twig *twig_parent(struct twig *twig)
{
	return rcu_dereference_check(twig->parent, lockdep_is_held(&twigs_lock) || !atomic_read(&twig->count));
}

static void twig_put(struct twig *twig)
{
	if (!atomic_dec_and_test(&twig->count))
		return;
	twig->left = twig_parent(twig)->left;
}

static void twig_work(struct work_struct *work)
{
	twig_put(container_of(work, struct twig, work));
}

static void twig_peek(struct work_struct *work)
{
	struct twig *twig = container_of(work, struct twig, peek);

	twig->left = twig_parent(twig)->left; /* wrong: rcu-deref-outside-reader */
}

void twig_init(struct twig *twig)
{
	INIT_WORK(&twig->work, twig_work);
	INIT_WORK(&twig->peek, twig_peek);
}

/* Two locks that only share the name of a member: the structures that they stand in are not the same. */
struct shelf { spinlock_t lock; struct list_head full; };
struct crate { spinlock_t lock; int state; struct list_head node; };

static void wait_for_crate(struct crate *crate, int state)
{
	assert_spin_locked(&crate->lock);
again:
	set_current_state(TASK_UNINTERRUPTIBLE);
	if (crate->state & state) {
		spin_unlock(&crate->lock);
		schedule();
		spin_lock(&crate->lock);
		goto again;
	}
	__set_current_state(TASK_RUNNING);
}

static void empty_crate(struct shelf *shelf, struct crate *crate)
{
	assert_spin_locked(&shelf->lock);
	assert_spin_locked(&crate->lock);
	spin_unlock(&crate->lock);
	spin_unlock(&shelf->lock);
	spin_lock(&crate->lock);
	wait_for_crate(crate, 1);
	spin_unlock(&crate->lock);
	spin_lock(&shelf->lock);
}

static void empty_crate_too_soon(struct shelf *shelf, struct crate *crate)
{
	assert_spin_locked(&shelf->lock);
	assert_spin_locked(&crate->lock);
	wait_for_crate(crate, 1); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&crate->lock);
}

void empty_shelf(struct shelf *shelf, int soon)
{
	struct crate *crate;

	spin_lock(&shelf->lock);
	while (!list_empty(&shelf->full)) {
		crate = list_first_entry(&shelf->full, struct crate, node);
		spin_lock(&crate->lock);
		if (soon)
			empty_crate_too_soon(shelf, crate);
		else
			empty_crate(shelf, crate);
	}
	spin_unlock(&shelf->lock);
}

/* What an object of the function's own points to stays as long as the object. */
struct line { struct track __rcu *track; };
struct track { int gauge; };

int gauge_of_new_line(struct plan *plan)
{
	struct line *line = line_create(plan);
	struct track *track;
	int gauge;

	rcu_read_lock();
	track = rcu_dereference(line->track);
	rcu_read_unlock();
	gauge = track->gauge;
	line_close(line);
	return gauge;
}

int gauge_of_line(struct plan *plan)
{
	struct line *line = line_get_or_create(plan);
	struct track *track;

	rcu_read_lock();
	track = rcu_dereference(line->track);
	rcu_read_unlock();
	return track->gauge; /* wrong: rcu-use-after-unlock */
}

/* How a lock that is only asserted was taken, and that one slept under it, shows nothing of interrupts. */
struct port { spinlock_t lock; spinlock_t events; int count; };
struct roster { spinlock_t lock; struct mutex changing; int *names; };

static irqreturn_t port_irq(int irq, void *data)
{
	struct port *port = data;

	spin_lock(&port->events);
	port->count++;
	spin_unlock(&port->events);
	return IRQ_HANDLED;
}

int port_start(struct port *port)
{
	return request_irq(port->irq, port_irq, 0, "port", port);
}

static void enroll_asserted(struct roster *roster, struct port *port)
{
	lockdep_assert_held(&roster->lock);
	roster->names = kmalloc(8, GFP_KERNEL); /* wrong: lock-gfp-blocking-in-atomic */
	spin_lock(&port->events);
	port->count = 0;
	spin_unlock(&port->events);
}

static void enroll_asserted_late(struct roster *roster, struct port *port)
{
	roster->names = kmalloc(8, GFP_KERNEL);
	lockdep_assert_held(&roster->lock);
	spin_lock(&port->events);
	port->count = 0;
	spin_unlock(&port->events);
}

static void enroll_changing(struct roster *roster, struct port *port)
{
	lockdep_assert_held(&roster->changing);
	roster->names = kmalloc(8, GFP_KERNEL);
	spin_lock(&port->events); /* wrong: lock-irq-unsafe */
	port->count = 0;
	spin_unlock(&port->events);
}

static void count_asserted(struct roster *roster, struct port *port)
{
	lockdep_assert_held(&roster->lock);
	spin_lock(&port->events);
	port->count = 0;
	spin_unlock(&port->events);
}

void count_careful(struct roster *roster, struct port *port)
{
	unsigned long flags;

	msleep(1);
	spin_lock_irqsave(&roster->lock, flags);
	count_asserted(roster, port);
	spin_unlock_irqrestore(&roster->lock, flags);
}

void count_careless(struct roster *roster, struct port *port)
{
	msleep(1);
	spin_lock(&roster->lock);
	count_asserted(roster, port); /* wrong: lock-irq-unsafe */
	spin_unlock(&roster->lock);
}

static long port_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct roster *roster = file->private_data;
	struct port *port = roster->port;

	lockdep_assert_held(&roster->lock);
	spin_lock(&port->events);
	port->count = 0;
	spin_unlock(&port->events);
	return 0;
}

static const struct file_operations port_fops = { .unlocked_ioctl = port_ioctl };
