/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a function leaves to its caller: the task state, and whether instrumentation is allowed. */
struct worker { wait_queue_head_t queue; struct mutex setup; int work; int kind; };

static void worker_prepare(struct worker *worker, struct wait_queue_entry *wait)
{
	worker->kind = 1;
	prepare_to_wait(&worker->queue, wait, TASK_INTERRUPTIBLE);
}

static void worker_prepare_twice_removed(struct worker *worker, struct wait_queue_entry *wait)
{
	mutex_lock(&worker->setup);
	mutex_unlock(&worker->setup);
	worker_prepare(worker, wait);
}

void worker_blocks_after_helper(struct worker *worker, struct wait_queue_entry *wait)
{
	worker_prepare(worker, wait);
	mutex_lock(&worker->setup); /* wrong: lock-blocking-op-while-not-running */
	mutex_unlock(&worker->setup);
	schedule();
}

void worker_blocks_after_two(struct worker *worker, struct wait_queue_entry *wait)
{
	worker_prepare_twice_removed(worker, wait);
	mutex_lock(&worker->setup); /* wrong: lock-blocking-op-while-not-running */
	mutex_unlock(&worker->setup);
	schedule();
}

void worker_blocks_before_helper(struct worker *worker, struct wait_queue_entry *wait)
{
	mutex_lock(&worker->setup);
	mutex_unlock(&worker->setup);
	worker_prepare(worker, wait);
	schedule();
	mutex_lock(&worker->setup);
	mutex_unlock(&worker->setup);
}

static void worker_finish(struct worker *worker, struct wait_queue_entry *wait)
{
	if (worker->work)
		finish_wait(&worker->queue, wait);
	else
		__set_current_state(TASK_RUNNING);
}

void worker_blocks_after_the_end(struct worker *worker, struct wait_queue_entry *wait)
{
	worker_prepare(worker, wait);
	worker_finish(worker, wait);
	mutex_lock(&worker->setup);
	mutex_unlock(&worker->setup);
}

static void worker_may_finish(struct worker *worker, struct wait_queue_entry *wait)
{
	if (worker->work)
		__set_current_state(TASK_RUNNING);
}

void worker_blocks_after_what_may_be_the_end(struct worker *worker, struct wait_queue_entry *wait)
{
	set_current_state(TASK_UNINTERRUPTIBLE);
	worker_may_finish(worker, wait);
	mutex_lock(&worker->setup);
	mutex_unlock(&worker->setup);
}

static int worker_may_prepare(struct worker *worker, struct wait_queue_entry *wait)
{
	if (worker->work)
		return -EBUSY;
	prepare_to_wait(&worker->queue, wait, TASK_INTERRUPTIBLE);
	return 0;
}

void worker_that_may_not_be_prepared(struct worker *worker, struct wait_queue_entry *wait)
{
	worker_may_prepare(worker, wait);
	mutex_lock(&worker->setup);
	mutex_unlock(&worker->setup);
}

static void worker_state(struct worker *worker, int state)
{
	__set_current_state(state);
}

void worker_blocks_in_a_state_that_was_handed_down(struct worker *worker)
{
	worker_state(worker, TASK_RUNNING);
	mutex_lock(&worker->setup);
	mutex_unlock(&worker->setup);
}

static __always_inline void allow(struct worker *worker)
{
	instrumentation_begin();
	worker->kind = 2;
}

static __always_inline void forbid(struct worker *worker)
{
	worker->kind = 0;
	instrumentation_end();
}

static noinline void worker_look(struct worker *worker)
{
	worker->work = 0;
}

noinstr void worker_trap(struct worker *worker)
{
	allow(worker);
	worker_look(worker);
	forbid(worker);
}

noinstr void worker_trap_after_the_end(struct worker *worker)
{
	allow(worker);
	forbid(worker);
	worker_look(worker); /* wrong: entry-noinstr-callee */
}

noinstr void worker_trap_left_early(struct worker *worker)
{
	allow(worker);
	if (worker->work)
		return; /* wrong: entry-instrumentation-balance */
	worker_look(worker);
	forbid(worker);
}

static __always_inline void allow_for_some(struct worker *worker)
{
	if (worker->kind)
		instrumentation_begin();
}

noinstr void worker_trap_for_some(struct worker *worker)
{
	allow_for_some(worker);
	worker_look(worker);
}
