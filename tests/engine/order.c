/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which locks are taken while others are held. A line that is to be found names the check; every other stays silent. */
struct vm { struct mutex lock; struct mutex slots_lock; struct mutex stats_lock; raw_spinlock_t map_lock; };
struct vcpu { struct vm *vm; struct mutex mutex; raw_spinlock_t vcpu_lock; int where; };

static int vcpu_lock_where(struct vcpu *vcpu, unsigned long *flags)
{
	raw_spin_lock_irqsave(&vcpu->vcpu_lock, *flags);
	return vcpu->where;
}

static void vcpu_unlock_where(struct vcpu *vcpu, unsigned long flags)
{
	raw_spin_unlock_irqrestore(&vcpu->vcpu_lock, flags);
}

static void vcpu_move(struct vcpu *vcpu)
{
	if (!moves_matter)
		return;
	guard(raw_spinlock_irqsave)(&vcpu->vm->map_lock);
	vcpu->where = 0;
}

void move_inside(struct vcpu *vcpu)
{
	unsigned long flags;
	int from = vcpu_lock_where(vcpu, &flags);

	note_somewhere_else(from);
	vcpu_move(vcpu); /* wrong: lock-order-inversion */
	vcpu_unlock_where(vcpu, flags);
}

void map_all(struct vm *vm, struct vcpu **vcpus, int n)
{
	int i;

	guard(raw_spinlock_irqsave)(&vm->map_lock);
	for (i = 0; i < n; i++) {
		struct vcpu *vcpu = vcpus[i];

		scoped_guard(raw_spinlock, &vcpu->vcpu_lock) /* wrong: lock-order-inversion */
			vcpu->where = i;
	}
}

void in_order(struct vm *vm, struct vcpu *vcpu)
{
	mutex_lock(&vm->lock);
	mutex_lock(&vcpu->mutex);
	mutex_unlock(&vcpu->mutex);
	mutex_unlock(&vm->lock);
}

int other_way_by_trying(struct vcpu *vcpu)
{
	mutex_lock(&vcpu->mutex);
	if (!mutex_trylock(&vcpu->vm->lock)) {
		mutex_unlock(&vcpu->mutex);
		return -EAGAIN;
	}
	mutex_unlock(&vcpu->vm->lock);
	mutex_unlock(&vcpu->mutex);
	return 0;
}

void other_way_after_release(struct vcpu *vcpu)
{
	mutex_lock(&vcpu->mutex);
	mutex_unlock(&vcpu->mutex);
	mutex_lock(&vcpu->vm->lock);
	mutex_unlock(&vcpu->vm->lock);
}

static void take_vm(struct vcpu *vcpu)
{
	mutex_unlock(&vcpu->mutex);
	mutex_lock(&vcpu->vm->lock);
	mutex_unlock(&vcpu->vm->lock);
	mutex_lock(&vcpu->mutex);
}

void other_way_released_in_between(struct vcpu *vcpu)
{
	mutex_lock(&vcpu->mutex);
	take_vm(vcpu);
	mutex_unlock(&vcpu->mutex);
}

void slots_then_stats(struct vm *vm)
{
	mutex_lock(&vm->slots_lock);
	mutex_lock_nested(&vm->stats_lock, SINGLE_DEPTH_NESTING);
	mutex_unlock(&vm->stats_lock);
	mutex_unlock(&vm->slots_lock);
}

void stats_then_slots(struct vm *vm)
{
	mutex_lock(&vm->stats_lock);
	mutex_lock(&vm->slots_lock);
	mutex_unlock(&vm->slots_lock);
	mutex_unlock(&vm->stats_lock);
}

struct pair { struct ww_mutex one; struct ww_mutex two; };

int one_then_two(struct pair *pair, struct ww_acquire_ctx *ctx)
{
	int err = ww_mutex_lock(&pair->one, ctx);

	if (err)
		return err;
	err = ww_mutex_lock(&pair->two, ctx);
	if (!err)
		ww_mutex_unlock(&pair->two);
	ww_mutex_unlock(&pair->one);
	return err;
}

int two_then_one(struct pair *pair, struct ww_acquire_ctx *ctx)
{
	int err = ww_mutex_lock(&pair->two, ctx);

	if (err)
		return err;
	err = ww_mutex_lock(&pair->one, ctx);
	if (!err)
		ww_mutex_unlock(&pair->one);
	ww_mutex_unlock(&pair->two);
	return err;
}

static void go_on_to(struct vm *from, struct vm *to)
{
	mutex_unlock(&from->lock);
	mutex_lock(&to->lock);
}

static void visit(struct vm *vm, struct vm *other)
{
	struct vm *locked = vm;

	go_on_to(locked, other);
	locked = other;
	go_on_to(locked, vm);
}

void visit_others(struct vm *vm, struct vm *other)
{
	mutex_lock(&vm->lock);
	visit(vm, other);
	mutex_unlock(&vm->lock);
}

/* A lock of one object, one below it, and in that the same lock of another object: one way, not two. */

struct tree { spinlock_t lock; spinlock_t branches_lock; struct tree *branch; };

static void tree_mark_branches(struct tree *tree)
{
	spin_lock(&tree->branches_lock);
	spin_lock(&tree->branch->lock);
	tree->branch->marked = true;
	spin_unlock(&tree->branch->lock);
	spin_unlock(&tree->branches_lock);
}

void tree_mark(struct tree *tree)
{
	spin_lock(&tree->lock);
	tree_mark_branches(tree);
	spin_unlock(&tree->lock);
}

/* What is held further out is taken again below for an object that is found there: no second order. */

struct ring { struct mutex ring_lock; struct mutex tasks_lock; struct mutex users_lock; struct list_head works; };
struct work { struct ring *ring; struct list_head node; int links; };

static void cancel_work(struct work *work)
{
	struct ring *ring = ring_of(work);

	mutex_lock(&ring->ring_lock);
	unlink_next(work);
	mutex_unlock(&ring->ring_lock);
}

void cancel_ring(struct ring *ring)
{
	struct work *work;

	mutex_lock(&ring->ring_lock);
	mutex_lock(&ring->tasks_lock);
	list_for_each_entry(work, &ring->works, node)
		cancel_work(work);
	mutex_unlock(&ring->tasks_lock);
	mutex_unlock(&ring->ring_lock);
}

void tell_tasks(struct ring *ring)
{
	mutex_lock(&ring->ring_lock);
	mutex_lock(&ring->tasks_lock);
	mutex_unlock(&ring->tasks_lock);
	mutex_unlock(&ring->ring_lock);
}

void cancel_users(struct ring *ring)
{
	struct work *work;

	mutex_lock(&ring->users_lock);
	list_for_each_entry(work, &ring->works, node)
		cancel_work(work); /* wrong: lock-order-inversion */
	mutex_unlock(&ring->users_lock);
}

void tell_users(struct ring *ring)
{
	mutex_lock(&ring->ring_lock);
	mutex_lock(&ring->users_lock); /* wrong: lock-order-inversion */
	mutex_unlock(&ring->users_lock);
	mutex_unlock(&ring->ring_lock);
}

struct group { spinlock_t list_lock; struct list_head rings; };
struct ring { struct group *group; spinlock_t fill_lock; struct list_head rings; unsigned long flags; struct ring *next; };

void rings_stop(struct group *group, struct ring *ring)
{
	spin_lock(&group->list_lock);
	spin_lock(&ring->fill_lock); /* wrong: lock-order-inversion */
	ring->flags = 0;
	spin_unlock(&ring->fill_lock);
	spin_unlock(&group->list_lock);
}

static struct ring *ring_make(struct group *group, gfp_t gfp)
{
	struct ring *ring = kzalloc(sizeof(*ring), gfp);

	if (!ring)
		return NULL;
	ring->group = group;
	return ring;
}

static void ring_free(struct ring *ring)
{
	if (test_and_clear_bit(RING_LISTED, &ring->flags)) {
		spin_lock(&ring->group->list_lock);
		list_del(&ring->rings);
		spin_unlock(&ring->group->list_lock);
	}
	kfree(ring);
}

static struct ring *ring_next(struct ring *ring)
{
	struct ring *new = NULL;

	spin_lock(&ring->fill_lock);
	if (ring->next)
		goto out;
	spin_unlock(&ring->fill_lock);
	new = ring_make(ring->group, GFP_KERNEL);
	spin_lock(&ring->fill_lock);
	if (!ring->next) {
		ring->next = new;
		goto out;
	}
	if (new)
		ring_free(new);
out:
	spin_unlock(&ring->fill_lock);
	return ring->next;
}

void ring_drop_next(struct ring *ring)
{
	struct ring *old;

	spin_lock(&ring->fill_lock);
	old = ring->next;
	ring->next = NULL;
	ring_free(old); /* wrong: lock-order-inversion */
	spin_unlock(&ring->fill_lock);
}

void ring_listed_then_freed(struct ring *ring)
{
	struct ring *new = ring_make(ring->group, GFP_KERNEL);

	if (!new)
		return;
	ring_list(ring->group, new);
	spin_lock(&ring->fill_lock);
	ring_free(new); /* wrong: lock-order-inversion */
	spin_unlock(&ring->fill_lock);
}
