# SPDX-License-Identifier: GPL-2.0-or-later
"""Interrupt flags are saved into a variable that still holds those of an outer section."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report | None:
    kind, variable, line, call = context.detail
    if kind != "interrupt flags":
        return None
    return Report(
        subject=variable,
        message=f"{context.call} overwrites {variable}, which {call} on line {line} has saved and nothing restored",
        question=f"Which state does the outer section restore? {variable} from line {line} is overwritten here.",
        was=f"{variable} was overwritten here",
        consequence="Interrupts stay disabled: what is saved here says that they were, and the outer state is lost.",
    )


CHECK = Check(
    id="lock-irqflags-overwritten",
    area="locking",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="Sections that save the interrupt flags nest with one variable for each level.",
    why="The inner section saves that interrupts are disabled, and the outer one restores that.",
    events=frozenset({EventKind.SAVED_TWICE}),
    judge=judge,
    sources=(
        Source(
            "Documentation/kernel-hacking/locking.rst",
            "variant which saves whether interrupts were on or",
            "Locking Between Hard IRQ and Softirqs/Tasklets",
        ),
        Source(
            "Documentation/locking/locktypes.rst",
            "Save and disable / restore interrupt disabled state",
            "Spinning locks",
        ),
    ),
    wrong=(
        """
        struct lane { spinlock_t lock; struct list_head cars; };
        void lane_move(struct lane *from, struct lane *to)
        {
                unsigned long flags;

                spin_lock_irqsave(&from->lock, flags);
                spin_lock_irqsave(&to->lock, flags); /* wrong */
                list_splice_init(&from->cars, &to->cars);
                spin_unlock_irqrestore(&to->lock, flags);
                spin_unlock_irqrestore(&from->lock, flags);
        }
        void lane_stop(struct lane *lane)
        {
                unsigned long flags;

                local_irq_save(flags);
                if (lane->cars.next)
                        spin_lock_irqsave(&lane->lock, flags); /* wrong */
                stop_cars(lane);
                spin_unlock_irqrestore(&lane->lock, flags);
                local_irq_restore(flags);
        }
        void lane_print(struct lane *lane)
        {
                unsigned long flags;

        next:
                spin_lock_irqsave(&lane->lock, flags); /* wrong */
                if (lane->cars.next) {
                        spin_unlock(&lane->lock);
                        print_car(lane);
                        goto next;
                }
                spin_unlock_irqrestore(&lane->lock, flags);
        }
        void lane_await(struct lane *lane, unsigned long *flags)
        {
                spin_lock_irqsave(&lane->lock, *flags);
                while (!lane->cars.next) {
                        spin_unlock(&lane->lock);
                        cpu_relax();
                        spin_lock_irqsave(&lane->lock, *flags); /* wrong */
                }
        }
        """,
    ),
    right=(
        """
        struct lane { spinlock_t lock; struct list_head cars; };
        void lane_move(struct lane *from, struct lane *to)
        {
                unsigned long flags, inner;

                spin_lock_irqsave(&from->lock, flags);
                spin_lock_irqsave(&to->lock, inner);
                list_splice_init(&from->cars, &to->cars);
                spin_unlock_irqrestore(&to->lock, inner);
                spin_unlock_irqrestore(&from->lock, flags);
        }
        void lane_walk(struct lane *lane, struct lane *next)
        {
                unsigned long flags;

                spin_lock_irqsave(&lane->lock, flags);
                lane->seen++;
                spin_unlock_irqrestore(&lane->lock, flags);
                spin_lock_irqsave(&next->lock, flags);
                lane_done(next, flags);
                spin_lock_irqsave(&lane->lock, flags);
                lane->seen--;
                spin_unlock_irqrestore(&lane->lock, flags);
        }
        void lane_wait(struct lane *lane)
        {
                unsigned long flags, kept;

                spin_lock_irqsave(&lane->lock, flags);
                while (!lane->free) {
                        spin_unlock_irq(&lane->lock);
                        msleep(1);
                        spin_lock_irqsave(&lane->lock, flags);
                }
                kept = flags;
                spin_unlock(&lane->lock);
                spin_lock_irqsave(&lane->other, flags);
                spin_unlock_irqrestore(&lane->other, kept);
        }
        void lane_clear(struct lane *lane)
        {
                unsigned long flags;

                for (; lane; lane = lane->next) {
                        spin_lock_irqsave(&lane->lock, flags);
                        if (lane->closed) {
                                spin_unlock_irq(&lane->lock);
                                continue;
                        }
                        if (lane->jammed) {
                                lane_release(lane, &flags);
                                continue;
                        }
                        lane->seen = 0;
                        spin_unlock_irqrestore(&lane->lock, flags);
                }
        }
        void lane_await(struct lane *lane, unsigned long *flags)
        {
                spin_lock_irqsave(&lane->lock, *flags);
                while (!lane->cars.next) {
                        if (lane->closed)
                                lane_release(lane, flags);
                        else
                                spin_unlock_irqrestore(&lane->lock, *flags);
                        cpu_relax();
                        spin_lock_irqsave(&lane->lock, *flags);
                }
        }
        """,
    ),
)
