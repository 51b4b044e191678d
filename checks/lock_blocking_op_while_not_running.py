# SPDX-License-Identifier: GPL-2.0-or-later
"""A call that may sleep between set_current_state() and schedule()."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source

# Preemption points and waits that set the state themselves keep what was set, or are what is waited with.
_KEEPS = ("cond_resched", "might_sleep", "might_fault", "wait_woken", "usleep_range", "usleep_range_state")


def judge(context: Context) -> Report | None:
    if not context.state.not_running or not context.direct or context.schedules or context.callee in _KEEPS:
        return None
    return Report(
        subject=context.callee,
        message=f"{context.call} may sleep while the task state is not TASK_RUNNING",
        question=f"Can {context.call} sleep here? It would set the task state, set before, back to TASK_RUNNING.",
        was=f"{context.call} was called while the task state was not TASK_RUNNING",
        consequence="The state is lost: schedule() does not wait, or a wakeup is missed.",
    )


CHECK = Check(
    id="lock-blocking-op-while-not-running",
    area="locking",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="Nothing blocks between set_current_state() and the schedule() that it was set for.",
    why="A sleeping function returns with TASK_RUNNING, so that the schedule() that follows does not wait.",
    events=frozenset({EventKind.SLEEP, EventKind.BLOCKING_ALLOCATION}),
    judge=judge,
    sources=(
        Source("kernel/sched/core.c", "Blocking primitives will set (and therefore destroy)", "in __might_sleep"),
    ),
    wrong=(
        """
        void work_on(struct worker *worker)
        {
                set_current_state(TASK_INTERRUPTIBLE);
                look_for_work(worker);
                if (get_current_state() != TASK_RUNNING)
                        try_to_freeze(); /* wrong */
                schedule();
        }
        """,
        """
        static bool asked_to_stop(struct worker *worker) { return worker->stop; }
        void worker_loop(struct worker *worker)
        {
                for (;;) {
                        set_current_state(TASK_INTERRUPTIBLE);
                        if (asked_to_stop(worker))
                                break;
                        if (!worker->frozen)
                                schedule();
                        try_to_freeze(); /* wrong */
                }
                __set_current_state(TASK_RUNNING);
        }
        """,
        """
        void wait_for_work(struct worker *worker)
        {
                set_current_state(TASK_INTERRUPTIBLE);
                mutex_lock(&worker->lock); /* wrong */
                mutex_unlock(&worker->lock);
                schedule();
        }
        """,
    ),
    right=(
        """
        void work_on(struct worker *worker)
        {
                set_current_state(TASK_INTERRUPTIBLE);
                look_for_work(worker);
                if (get_current_state() == TASK_RUNNING)
                        try_to_freeze();
                else
                        schedule();
        }
        """,
        """
        void wait_until(struct worker *worker, ktime_t *end)
        {
                set_current_state(TASK_INTERRUPTIBLE);
                schedule_hrtimeout_range_clock(end, 0, HRTIMER_MODE_ABS, CLOCK_REALTIME);
                mutex_lock(&worker->setup);
                mutex_unlock(&worker->setup);
        }
        """,
        """
        void wait_for_work(struct worker *worker)
        {
                set_current_state(TASK_INTERRUPTIBLE);
                spin_lock(&worker->lock);
                if (worker->work)
                        __set_current_state(TASK_RUNNING);
                spin_unlock(&worker->lock);
                schedule();
                mutex_lock(&worker->setup);
                mutex_unlock(&worker->setup);
        }
        """,
        """
        void wait_for_work(struct worker *worker)
        {
                DEFINE_WAIT(wait);

                for (;;) {
                        prepare_to_wait(&worker->queue, &wait, TASK_UNINTERRUPTIBLE);
                        if (worker->work)
                                break;
                        schedule();
                }
                finish_wait(&worker->queue, &wait);
                mutex_lock(&worker->setup);
                mutex_unlock(&worker->setup);
        }
        """,
        """
        int worker_thread(void *data)
        {
                for (;;) {
                        set_current_state(TASK_INTERRUPTIBLE);
                        if (kthread_should_park())
                                break;
                        schedule();
                }
                kthread_parkme();
                return 0;
        }
        """,
        """
        void give_up(struct worker *worker)
        {
                set_current_state(TASK_INTERRUPTIBLE);
                __set_current_state(TASK_RUNNING);
                mutex_lock(&worker->setup);
                mutex_unlock(&worker->setup);
        }
        """,
    ),
)
