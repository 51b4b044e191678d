# SPDX-License-Identifier: GPL-2.0-or-later
"""An hrtimer is started in a mode that expires in another context than the one it was set up in."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    timer, started, set_up = context.detail
    return Report(
        subject=timer,
        message=f"{timer} is started with {started} and set up with {set_up}",
        question=f"In which context does {timer} expire? It is set up with {set_up} and started with {started} here.",
        was=f"{timer} was started with {started} and set up with {set_up}",
        consequence="The kernel warns, and the timer expires as it was set up.",
    )


CHECK = Check(
    id="rt-hrtimer-mode-mismatch",
    area="rt",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="An hrtimer is started with the _SOFT or _HARD of the mode that it was set up with.",
    why="The mode at the set-up chooses the clock base, and with it the context of the callback.",
    events=frozenset({EventKind.OTHER_MODE}),
    judge=judge,
    sources=(
        Source("kernel/time/hrtimer.c", "match on CONFIG_PREEMPT_RT = n", "in hrtimer_start_range_ns"),
        Source("kernel/time/hrtimer.c", "match on CONFIG_PREEMPT_RT = n", "in hrtimer_start_range_ns_common"),
    ),
    wrong=(
        """
        struct lamp { struct hrtimer blink; int on; };
        static enum hrtimer_restart lamp_blink(struct hrtimer *timer)
        {
                return HRTIMER_NORESTART;
        }
        void lamp_init(struct lamp *lamp)
        {
                hrtimer_setup(&lamp->blink, lamp_blink, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT);
        }
        void lamp_start(struct lamp *lamp)
        {
                hrtimer_start(&lamp->blink, ms_to_ktime(5), HRTIMER_MODE_REL); /* wrong */
        }
        """,
        """
        struct lamp { struct hrtimer blink; int on; };
        static enum hrtimer_restart lamp_blink(struct hrtimer *timer)
        {
                return HRTIMER_NORESTART;
        }
        void lamp_init(struct lamp *lamp)
        {
                hrtimer_init(&lamp->blink, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
                lamp->blink.function = lamp_blink;
                hrtimer_start(&lamp->blink, next_blink(lamp), HRTIMER_MODE_ABS); /* wrong */
        }
        """,
    ),
    right=(
        """
        struct lamp { struct hrtimer blink, fade; int on; };
        struct horn { struct hrtimer blink; };
        static enum hrtimer_restart lamp_blink(struct hrtimer *timer)
        {
                return HRTIMER_NORESTART;
        }
        void lamp_init(struct lamp *lamp, struct horn *horn, enum hrtimer_mode mode)
        {
                hrtimer_setup(&lamp->blink, lamp_blink, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_SOFT);
                hrtimer_setup(&lamp->fade, lamp_blink, CLOCK_MONOTONIC, mode);
                hrtimer_setup(&horn->blink, lamp_blink, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
        }
        void lamp_start(struct lamp *lamp, struct horn *horn)
        {
                hrtimer_start(&lamp->blink, ms_to_ktime(5), HRTIMER_MODE_ABS_SOFT);
                hrtimer_start(&lamp->fade, ms_to_ktime(5), HRTIMER_MODE_REL_HARD);
                hrtimer_start(&horn->blink, ms_to_ktime(5), HRTIMER_MODE_REL_PINNED);
        }
        """,
    ),
)
