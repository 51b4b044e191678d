# SPDX-License-Identifier: GPL-2.0-or-later
"""An interrupt is handed on from a handler that is a thread on PREEMPT_RT."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report | None:
    state = context.state
    if state.entry != "hardirq_threaded" or state.rt is False or context.atomic(rt=True) is not None:
        return None
    return Report(
        subject=context.callee,
        message=f"{context.call} is called with interrupts enabled: the handler is a thread on PREEMPT_RT",
        question=f"Are interrupts disabled when {context.call} is called? This handler is forced into a thread.",
        was=f"{context.call} was called with interrupts enabled",
        entered=True,
    )


CHECK = Check(
    id="rt-handle-irq-in-threaded-handler",
    area="rt",
    severity=Severity.BUG,
    kernels=Kernels.PREEMPT_RT,
    rule="generic_handle_irq() and generic_handle_domain_irq() are called in interrupt context, interrupts disabled.",
    why="With forced threading an ordinary handler runs in a thread with interrupts enabled; the flow handler warns.",
    events=frozenset({EventKind.HANDLE_IRQ}),
    judge=judge,
    sources=(Source("kernel/irq/irqdesc.c", "must be called from an IRQ context with irq regs", "generic_handle_irq"),),
    wrong=(
        """
        static irqreturn_t bank_handler(int irq, void *data)
        {
                generic_handle_domain_irq(data, 3); /* wrong */
                return IRQ_HANDLED;
        }
        int bank_probe(struct bank *bank)
        {
                return devm_request_threaded_irq(bank->dev, bank->irq, bank_handler, NULL, IRQF_SHARED, "bank", bank);
        }
        """,
        """
        static irqreturn_t bank_handler(int irq, void *data)
        {
                struct bank *bank = data;

                generic_handle_irq(bank->child); /* wrong */
                return IRQ_HANDLED;
        }
        int bank_probe(struct bank *bank)
        {
                return devm_request_irq(bank->dev, bank->irq, bank_handler, IRQF_SHARED, "bank", bank);
        }
        """,
    ),
    right=(
        """
        static irqreturn_t bank_primary(int irq, void *data)
        {
                generic_handle_irq(3);
                return IRQ_WAKE_THREAD;
        }
        static irqreturn_t bank_thread(int irq, void *data)
        {
                return IRQ_HANDLED;
        }
        int bank_probe(struct bank *bank)
        {
                return request_threaded_irq(bank->irq, bank_primary, bank_thread, IRQF_ONESHOT, "bank", bank);
        }
        """,
        """
        static irqreturn_t bank_handler(int irq, void *data)
        {
                struct bank *bank = data;

                generic_handle_domain_irq_safe(bank->domain, 3);
                return IRQ_HANDLED;
        }
        int bank_probe(struct bank *bank)
        {
                return request_irq(bank->irq, bank_handler, 0, "bank", bank);
        }
        """,
        """
        static irqreturn_t bank_handler(int irq, void *data)
        {
                struct bank *bank = data;

                generic_handle_irq(bank->child);
                return IRQ_HANDLED;
        }
        int bank_probe(struct bank *bank)
        {
                return request_irq(bank->irq, bank_handler, IRQF_NO_THREAD, "bank", bank);
        }
        """,
        """
        static void bank_chained(struct irq_desc *desc)
        {
                generic_handle_irq(3);
        }
        void bank_probe(struct bank *bank)
        {
                irq_set_chained_handler(bank->irq, bank_chained);
        }
        """,
    ),
)
