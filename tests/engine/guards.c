/* Scopes that end by themselves. Every form of include/linux/cleanup.h leaves the state that its definition says. */
struct rail { struct srcu_struct readers; void *chip; };
struct line { struct rail *rail; int users; };
struct line_ref { struct rail *rail; int index; void *chip; };
struct bus { struct line *line; struct mutex lock; raw_spinlock_t raw; spinlock_t spin; int users; };

DEFINE_CLASS(line_ref,
	     struct line_ref,
	     srcu_read_unlock(&_T.rail->readers, _T.index),
	     ({
		struct line_ref made;

		made.rail = line->rail;
		made.index = srcu_read_lock(&made.rail->readers);
		made.chip = srcu_dereference(made.rail->chip, &made.rail->readers);

		made;
	     }),
	     const struct line *line)
DEFINE_CLASS(bus_of, struct mutex *, mutex_unlock(_T), bus_find(number), int number)
DEFINE_CLASS(bus_maybe, struct bus *, if (_T) bus_leave(_T), ({ if (_T) bus_enter(_T); _T; }), struct bus *_T)
EXTEND_CLASS(bus_of, _first, bus_find(0), void)
DEFINE_GUARD(bus, struct bus *, mutex_lock(&_T->lock), mutex_unlock(&_T->lock))
DEFINE_GUARD_COND(bus, _intr, mutex_lock_interruptible(&_T->lock), _RET == 0)
DEFINE_LOCK_GUARD_1(bus_raw, struct bus, raw_spin_lock_irqsave(&_T->lock->raw, _T->flags),
		    raw_spin_unlock_irqrestore(&_T->lock->raw, _T->flags), unsigned long flags)
DEFINE_LOCK_GUARD_1_COND(bus_raw, _try, raw_spin_trylock_irqsave(&_T->lock->raw, _T->flags))
/* The lock of an object that the guard itself remembers, taken by a macro that hands on what it is given. */
#define bus_lock_first(...) __acquire_ret(_bus_lock_first(__VA_ARGS__), &__ret->raw)
DEFINE_LOCK_GUARD_1(bus_first, struct bus, _T->first = bus_lock_first(_T->lock), raw_spin_unlock(&_T->first->raw),
		    struct bus *first)
DEFINE_FREE(bus_drop, struct bus *, if (_T) bus_drop(_T))

static struct mutex *bus_find(int number)
{
	struct mutex *lock = &buses[number].lock;

	mutex_lock(lock);
	return lock;
}

static struct bus *_bus_lock_first(struct bus *bus)
{
	struct bus *first = bus->next;

	raw_spin_lock(&first->raw);
	return first;
}

static void bus_enter(struct bus *bus)
{
	raw_spin_lock(&bus->raw);
}

static void bus_leave(struct bus *bus)
{
	raw_spin_unlock(&bus->raw);
}

static void bus_drop(struct bus *bus)
{
	synchronize_rcu();
}

static void line_touch(struct line *line)
{
	lockdep_assert(srcu_read_lock_held(&line->rail->readers));
	line->users++;
}

static void bus_touch(struct bus *bus)
{
	lockdep_assert_held(&bus->lock);
	bus->users++;
}

static void line_in_scope(struct line *line)
{
	CLASS(line_ref, ref)(line);

	line_touch(line);
}

static void line_out_of_scope(struct line *line)
{
	{
		CLASS(line_ref, ref)(line);

		line->users = 0;
	}
	line_touch(line);
}

void line_waits_in_scope(struct line *line)
{
	CLASS(line_ref, ref)(line);

	synchronize_srcu(&ref.rail->readers); /* wrong: srcu-wait-in-reader */
}

static void bus_returned_locked(struct bus *bus)
{
	CLASS(bus_of, lock)(1);

	bus_touch(bus);
}

static void bus_of_another_class(struct bus *bus)
{
	CLASS(bus_of_first, lock)();

	bus_touch(bus);
}

static void bus_not_any_more(struct bus *bus)
{
	scoped_class(bus_of, lock, 1)
		bus_touch(bus);
	bus_touch(bus);
}

void bus_if_any(struct bus *bus)
{
	CLASS(bus_maybe, own)(bus);

	msleep(1); /* wrong: lock-sleep-in-atomic */
}

static int bus_acquired(struct bus *bus)
{
	int err;

	ACQUIRE(bus_intr, held)(bus);
	if ((err = ACQUIRE_ERR(bus_intr, &held)))
		return err;
	bus_touch(bus);
	return 0;
}

static int bus_not_acquired(struct bus *bus)
{
	ACQUIRE(mutex_intr, held)(&bus->lock);
	if (ACQUIRE_ERR(mutex_intr, &held)) {
		bus_touch(bus); /* wrong: lock-assert-not-held */
		return -EINTR;
	}
	bus_touch(bus);
	return 0;
}

int bus_raw_acquired(struct bus *bus)
{
	ACQUIRE(bus_raw_try, held)(bus);
	if (ACQUIRE_ERR(bus_raw_try, &held)) {
		msleep(1);
		return -EBUSY;
	}
	msleep(1); /* wrong: lock-sleep-in-atomic */
	return 0;
}

void bus_of_the_first(struct bus *bus)
{
	scoped_guard(bus_first, bus)
		msleep(1); /* wrong: lock-sleep-in-atomic */
	msleep(1);
}

int bus_scoped_or_not(struct bus *bus)
{
	scoped_guard(raw_spinlock_try, &bus->raw) {
		bus->users++;
		return 0;
	}
	msleep(1);
	scoped_cond_guard(mutex_intr, return -EINTR, &bus->lock)
		bus_touch(bus);
	scoped_cond_guard(raw_spinlock_try, return -EBUSY, &bus->raw)
		msleep(1); /* wrong: lock-sleep-in-atomic */
	return 0;
}

int bus_tried_in_loop(struct bus *bus)
{
	int tries;

	for (tries = 0; tries < 3; tries++) {
		scoped_cond_guard(raw_spinlock_try, continue, &bus->raw) {
			bus->users++;
			return 0;
		}
	}
	msleep(1);
	scoped_cond_guard(raw_spinlock_try, goto out, &bus->raw)
		bus->users--;
	return 0;
out:
	return -EBUSY;
}

static struct bus *bus_given_away(struct bus *first)
{
	raw_spin_lock(&first->raw);
	{
		struct bus *bus __free(bus_drop) = first->next;

		if (!bus)
			goto out;
		raw_spin_unlock(&first->raw);
		return_ptr(bus);
	}
out:
	raw_spin_unlock(&first->raw);
	return NULL;
}

static struct bus *bus_dropped(struct bus *first)
{
	guard(raw_spinlock)(&first->raw);
	struct bus *bus __free(bus_drop) = bus_next(first);

	if (!bus)
		return NULL;
	if (bus->users) /* a user keeps it */
		return no_free_ptr(bus);
	return NULL; /* wrong: lock-sleep-in-atomic */
}

static struct bus *bus_kept(struct bus *first)
{
	guard(raw_spinlock)(&first->raw);
	struct bus *bus __free(bus_drop) = bus_next(first);

	if (!bus)
		return NULL;
	bus->users++;
	return_ptr(bus);
}

static long bus_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct bus *bus = file->private_data;

	line_in_scope(bus->line);
	line_out_of_scope(bus->line); /* wrong: srcu-deref-outside-reader */
	bus_returned_locked(bus);
	bus_of_another_class(bus);
	bus_not_any_more(bus); /* wrong: lock-assert-not-held */
	bus_acquired(bus);
	bus_not_acquired(bus);
	return 0;
}

static const struct file_operations bus_operations = {
	.unlocked_ioctl = bus_ioctl,
};
