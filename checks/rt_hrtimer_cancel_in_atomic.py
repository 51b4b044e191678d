# SPDX-License-Identifier: GPL-2.0-or-later
"""hrtimer_cancel() where nothing may sleep, of a timer whose callback runs in a thread on PREEMPT_RT."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report | None:
    reason = context.atomic(rt=True)
    if reason is None:
        return None
    timer, mode = context.detail
    place = context.place(reason)
    return context.report(
        reason,
        message=f"{context.call} waits for {timer}, set up with {mode}, {place}",
        question=f"Can this wait {place}? {timer} is set up with {mode}, so that its callback runs in a thread "
        "on PREEMPT_RT.",
    )


CHECK = Check(
    id="rt-hrtimer-cancel-in-atomic",
    area="rt",
    severity=Severity.BUG,
    kernels=Kernels.PREEMPT_RT,
    rule="hrtimer_cancel() of a timer that is not set up with a _HARD mode is called where one may sleep.",
    why="On PREEMPT_RT the callback of such a timer is preemptible, so that the wait takes a sleeping lock.",
    events=frozenset({EventKind.TIMER_WAIT}),
    judge=judge,
    sources=(
        Source("kernel/time/hrtimer.c", "This function is called on PREEMPT_RT kernels when"),
        Source("Documentation/core-api/real-time/differences.rst", "hrtimer_cancel() or timer_delete_sync()"),
    ),
    wrong=(
        """
        struct lamp { struct hrtimer blink; raw_spinlock_t lock; int on; };
        static enum hrtimer_restart lamp_blink(struct hrtimer *timer)
        {
                return HRTIMER_NORESTART;
        }
        void lamp_init(struct lamp *lamp)
        {
                hrtimer_setup(&lamp->blink, lamp_blink, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
        }
        static void lamp_quiet(struct hrtimer *timer)
        {
                hrtimer_cancel(timer);
        }
        void lamp_stop(struct lamp *lamp)
        {
                raw_spin_lock(&lamp->lock);
                lamp_quiet(&lamp->blink); /* wrong */
                raw_spin_unlock(&lamp->lock);
        }
        void lamp_put(struct lamp *lamp)
        {
                preempt_disable();
                hrtimer_cancel(&lamp->blink); /* wrong */
                preempt_enable();
        }
        """,
    ),
    right=(
        """
        struct lamp { struct hrtimer blink, fade; raw_spinlock_t lock; spinlock_t other; int on; };
        static enum hrtimer_restart lamp_blink(struct hrtimer *timer)
        {
                return HRTIMER_NORESTART;
        }
        void lamp_init(struct lamp *lamp)
        {
                hrtimer_setup(&lamp->blink, lamp_blink, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
                hrtimer_setup(&lamp->fade, lamp_blink, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT);
        }
        void lamp_stop(struct lamp *lamp)
        {
                raw_spin_lock(&lamp->lock);
                hrtimer_cancel(&lamp->blink);
                hrtimer_try_to_cancel(&lamp->fade);
                raw_spin_unlock(&lamp->lock);
                spin_lock(&lamp->other);
                hrtimer_cancel(&lamp->fade);
                spin_unlock(&lamp->other);
        }
        """,
    ),
    misses=(
        """
        struct lamp { struct hrtimer blink; };
        void lamp_init(struct lamp *lamp, enum hrtimer_mode mode)
        {
                hrtimer_setup(&lamp->blink, lamp_blink, CLOCK_MONOTONIC, mode);
        }
        void lamp_put(struct lamp *lamp)
        {
                preempt_disable();
                hrtimer_cancel(&lamp->blink);
                preempt_enable();
        }
        """,
    ),
)
