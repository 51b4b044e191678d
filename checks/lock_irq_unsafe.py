# SPDX-License-Identifier: GPL-2.0-or-later
"""A lock that an interrupt takes is taken with interrupts enabled."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report | None:
    if context.state.rt is True:
        return None
    lock, handler = context.detail
    return Report(
        subject=lock,
        message=f"takes {lock} with interrupts enabled; {handler}() takes it in an interrupt",
        question=f"What keeps {handler}() from interrupting this on the same CPU? It waits for {lock} then.",
        was=f"{context.function}() took {lock} with interrupts enabled",
        consequence="The interrupt waits for the lock that the interrupted code holds.",
    )


CHECK = Check(
    id="lock-irq-unsafe",
    area="locking",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="A lock that is taken in an interrupt is never taken with that interrupt enabled.",
    why="The interrupt comes on the CPU that holds the lock and waits for it for ever.",
    events=frozenset({EventKind.INTERRUPTIBLE}),
    judge=judge,
    sources=(
        Source(
            "Documentation/locking/lockdep-design.rst",
            "cannot be ever acquired with irq enabled",
            "Single-lock state rules:",
        ),
        Source(
            "Documentation/locking/spinlocks.rst",
            "it is _not_ ok if the interrupt happens on the same CPU",
            "Lesson 3: spinlocks revisited.",
        ),
    ),
    wrong=(
        """
        struct port { spinlock_t lock; struct list_head done; };
        static irqreturn_t port_interrupt(int irq, void *data)
        {
                struct port *port = data;

                spin_lock(&port->lock);
                port->count++;
                spin_unlock(&port->lock);
                return IRQ_HANDLED;
        }
        int port_reset(struct port *port)
        {
                msleep(10);
                spin_lock(&port->lock); /* wrong */
                port->count = 0;
                spin_unlock(&port->lock);
                return 0;
        }
        int port_probe(struct port *port)
        {
                return request_irq(port->irq, port_interrupt, 0, "port", port);
        }
        """,
        """
        struct gate { raw_spinlock_t lock; };
        static void gate_mask(struct irq_data *d)
        {
                struct gate *gate = irq_data_get_irq_chip_data(d);

                raw_spin_lock(&gate->lock);
                gate->masked++;
                raw_spin_unlock(&gate->lock);
        }
        static const struct irq_chip gate_chip = {
                .irq_mask = gate_mask,
        };
        static void gate_set(struct gate *gate)
        {
                raw_spin_lock(&gate->lock);
                gate->masked = 0;
                raw_spin_unlock(&gate->lock);
        }
        int gate_setup(struct device *dev)
        {
                struct gate *gate = devm_kzalloc(dev, sizeof(*gate), GFP_KERNEL);

                gate_set(gate); /* wrong */
                return 0;
        }
        """,
        """
        struct queue { spinlock_t lock; struct timer_list timer; struct work_struct work; };
        static void queue_expired(struct timer_list *t)
        {
                struct queue *queue = from_timer(queue, t, timer);

                spin_lock(&queue->lock);
                queue->expired = true;
                spin_unlock(&queue->lock);
        }
        static void queue_work_fn(struct work_struct *work)
        {
                struct queue *queue = container_of(work, struct queue, work);

                spin_lock(&queue->lock); /* wrong */
                queue->expired = false;
                spin_unlock(&queue->lock);
        }
        void queue_init(struct queue *queue)
        {
                INIT_WORK(&queue->work, queue_work_fn);
                timer_setup(&queue->timer, queue_expired, 0);
        }
        """,
    ),
    right=(
        """
        struct port { spinlock_t lock; struct list_head done; };
        static irqreturn_t port_interrupt(int irq, void *data)
        {
                struct port *port = data;

                spin_lock(&port->lock);
                port->count++;
                spin_unlock(&port->lock);
                return IRQ_HANDLED;
        }
        int port_reset(struct port *port)
        {
                msleep(10);
                spin_lock_irq(&port->lock);
                port->count = 0;
                spin_unlock_irq(&port->lock);
                return 0;
        }
        int port_drain(struct port *port)
        {
                disable_irq(port->irq);
                spin_lock(&port->lock);
                port->count = 0;
                spin_unlock(&port->lock);
                enable_irq(port->irq);
                return 0;
        }
        int port_count(struct port *port)
        {
                int count;

                spin_lock(&port->lock);
                count = port->count;
                spin_unlock(&port->lock);
                return count;
        }
        int port_trigger(struct port *port)
        {
                msleep(10);
                scoped_port_irqs_off(port) {
                        spin_lock(&port->lock);
                        port->count = 1;
                        spin_unlock(&port->lock);
                }
                return 0;
        }
        int port_probe(struct port *port)
        {
                return request_irq(port->irq, port_interrupt, 0, "port", port);
        }
        """,
        """
        struct queue { spinlock_t lock; struct timer_list timer; struct work_struct work; };
        static void queue_expired(struct timer_list *t)
        {
                struct queue *queue = from_timer(queue, t, timer);

                spin_lock(&queue->lock);
                queue->expired = true;
                spin_unlock(&queue->lock);
        }
        static void queue_work_fn(struct work_struct *work)
        {
                struct queue *queue = container_of(work, struct queue, work);

                spin_lock_bh(&queue->lock);
                queue->expired = false;
                spin_unlock_bh(&queue->lock);
        }
        void queue_init(struct queue *queue)
        {
                INIT_WORK(&queue->work, queue_work_fn);
                timer_setup(&queue->timer, queue_expired, 0);
        }
        """,
    ),
)
