/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is done to objects in one state only, and lists of such objects. Lines that are to be found name the check. */
struct call { struct list_head node; int state; bool muted; struct mutex setup; };
struct desk { spinlock_t lock; struct list_head waiting; };
struct info { int state; };

static inline int state_of(const struct call *call)
{
	return smp_load_acquire(&call->state);
}

static void describe(struct call *call, struct info *info)
{
	info->state = state_of(call);
	if (info->state == CALL_WAITING)
		return;
	mutex_lock(&call->setup);
	mutex_unlock(&call->setup);
}

static void describe_all_but_muted(struct call *call)
{
	if (call->muted)
		return;
	mutex_lock(&call->setup);
	mutex_unlock(&call->setup);
}

void describe_those_that_wait(struct desk *desk, struct info *info)
{
	struct call *call;

	spin_lock(&desk->lock);
	list_for_each_entry(call, &desk->waiting, node)
		describe(call, info);
	spin_unlock(&desk->lock);
}

void describe_those_that_do_not_wait(struct desk *desk, struct info *info)
{
	struct call *call;

	spin_lock(&desk->lock);
	list_for_each_entry(call, &desk->waiting, node)
		if (state_of(call) != CALL_WAITING)
			describe(call, info); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&desk->lock);
}

void describe_those_that_are_not_muted(struct desk *desk)
{
	struct call *call;

	spin_lock(&desk->lock);
	list_for_each_entry(call, &desk->waiting, node)
		describe_all_but_muted(call); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&desk->lock);
}

void describe_one(struct desk *desk, struct call *call, struct info *info)
{
	spin_lock(&desk->lock);
	describe(call, info); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&desk->lock);
}

void describe_one_that_waits(struct desk *desk, struct call *call, struct info *info)
{
	spin_lock(&desk->lock);
	if (state_of(call) == CALL_WAITING)
		describe(call, info);
	spin_unlock(&desk->lock);
}

/* What is stored by a macro is there as after an assignment. */
struct parcel { atomic_t left; bool failed; bool sealed; struct mutex lock; spinlock_t busy; };

static void unpack(struct parcel *parcel)
{
	if (parcel->failed)
		return;
	mutex_lock(&parcel->lock);
	mutex_unlock(&parcel->lock);
}

static void part_arrives(struct parcel *parcel, bool failed)
{
	if (failed)
		WRITE_ONCE(parcel->failed, true);
	if (atomic_dec_and_test(&parcel->left))
		unpack(parcel);
}

void part_is_lost(struct parcel *parcel)
{
	spin_lock(&parcel->busy);
	part_arrives(parcel, true);
	spin_unlock(&parcel->busy);
}

void part_is_here(struct parcel *parcel)
{
	spin_lock(&parcel->busy);
	part_arrives(parcel, false); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&parcel->busy);
}

void parcel_is_mended(struct parcel *parcel)
{
	if (!parcel->failed)
		return;
	WRITE_ONCE(parcel->failed, false);
	spin_lock(&parcel->busy);
	unpack(parcel); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&parcel->busy);
}

struct member { struct list_head list; struct file *file; };

static int look_at(struct file *file)
{
	if (S_ISSOCK(file_inode(file)->i_mode))
		msleep(1);
	return 0;
}

int look_at_one(struct desk *desk, struct file *file)
{
	int ret;

	spin_lock(&desk->lock);
	ret = look_at(file); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&desk->lock);
	return ret;
}

int look_at_first_file(struct desk *desk)
{
	int ret = 0;

	spin_lock(&desk->lock);
	if (!list_empty(&desk->members)) {
		struct member *member;
		struct file *file;

		member = list_first_entry(&desk->members, struct member, list);
		file = member->file;
		ret = look_at(file);
	}
	spin_unlock(&desk->lock);
	return ret;
}

int look_at_first_socket(struct desk *desk)
{
	struct member *member;
	int ret = 0;

	spin_lock(&desk->lock);
	member = list_first_entry(&desk->members, struct member, list);
	if (S_ISSOCK(file_inode(member->file)->i_mode))
		ret = look_at(member->file); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&desk->lock);
	return ret;
}

/* A state that was found is not the one that was set since. */
enum valve_state { VALVE_SHUT, VALVE_OPEN };
struct valve { spinlock_t lock; enum valve_state state; };

static void valve_drain(struct valve *valve)
{
	if (valve->state == VALVE_OPEN)
		msleep(1);
}

void valve_opens(struct valve *valve)
{
	spin_lock(&valve->lock);
	if (valve->state == VALVE_SHUT) {
		valve->state = VALVE_OPEN;
		valve_drain(valve); /* wrong: lock-sleep-in-atomic */
	}
	spin_unlock(&valve->lock);
}

void valve_stays_shut(struct valve *valve)
{
	spin_lock(&valve->lock);
	if (valve->state == VALVE_SHUT)
		valve_drain(valve);
	spin_unlock(&valve->lock);
}

void valve_is_shut(struct valve *valve)
{
	spin_lock(&valve->lock);
	if (valve->state == VALVE_OPEN) {
		valve->state = VALVE_SHUT;
		valve_drain(valve);
	}
	spin_unlock(&valve->lock);
}
