# SPDX-License-Identifier: GPL-2.0-or-later
"""Allocation or freeing in an interrupt that is not threaded."""

from reviewer.check import Check, Context, EventKind, Kernels, Reason, Severity, Source, Where, called_where

_FREES = Source(
    "Documentation/core-api/real-time/differences.rst", "applies to memory deallocation routines", "Memory allocation"
)


def _cites(context: Context, _reason: Reason) -> tuple[Source, ...]:
    return (_FREES,) if context.event.kind is EventKind.FREE else ()


CHECK = Check(
    id="rt-alloc-in-hardirq",
    area="rt",
    severity=Severity.QUESTION,
    kernels=Kernels.PREEMPT_RT,
    rule="Code that stays in hard interrupt context on PREEMPT_RT neither allocates nor frees memory.",
    why="The allocators take sleeping locks on PREEMPT_RT; system vectors, IPIs and IRQF_NO_THREAD "
    "handlers are not threaded there.",
    events=frozenset({EventKind.ALLOCATION, EventKind.FREE}),
    judge=called_where(
        Where.ENTERED,
        rt=True,
        message="{call} runs {place}, on PREEMPT_RT too",
        question="Can {call} run here, {place}?",
        cites=_cites,
    ),
    sources=(
        Source(
            "Documentation/core-api/real-time/differences.rst",
            "What remains problematic is code that explicitly",
            "Memory allocation",
        ),
        _FREES,
        Source("Documentation/locking/locktypes.rst", "cannot be invoked from truly atomic", "raw_spinlock_t on RT"),
    ),
    wrong=(
        """
        DEFINE_IDTENTRY_SYSVEC(sysvec_wakeup)
        {
                struct note *note = kmalloc(sizeof(*note), GFP_ATOMIC); /* wrong */
        }
        """,
        """
        static irqreturn_t tick(int irq, void *data)
        {
                kfree(data); /* wrong */
                return IRQ_HANDLED;
        }
        int setup(int irq, void *data)
        {
                return request_irq(irq, tick, IRQF_NO_THREAD, "tick", data);
        }
        """,
    ),
    right=(
        """
        static irqreturn_t threaded_on_rt(int irq, void *data)
        {
                struct note *note = kmalloc(8, GFP_ATOMIC);
                return IRQ_HANDLED;
        }
        int setup(int irq, void *data)
        {
                return request_irq(irq, threaded_on_rt, IRQF_SHARED, "dev", data);
        }
        """,
        """
        static void later(struct work_struct *work)
        {
                kfree(work);
        }
        void setup(struct work_struct *work)
        {
                INIT_WORK(work, later);
        }
        """,
    ),
)
