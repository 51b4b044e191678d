# SPDX-License-Identifier: GPL-2.0-or-later
"""A call that may sleep in atomic context."""

from reviewer.check import Check, EventKind, Kernels, Severity, Source, Where, called_where

CHECK = Check(
    id="lock-sleep-in-atomic",
    area="locking",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="Functions that may sleep are not called with a spinlock held, with preemption or interrupts "
    "disabled, or in an interrupt.",
    why="The scheduler is entered from atomic context; the lock stays held for as long as the task sleeps.",
    events=frozenset({EventKind.SLEEP}),
    judge=called_where(
        Where.ANYWHERE,
        rt=False,
        message="{call} may sleep {place}",
        question="Can this sleep? {call} is called {place}.",
    ),
    sources=(
        Source(
            "Documentation/kernel-hacking/locking.rst",
            "you can never call them while holding a",
            "What Functions Are Safe To Call From Interrupts?",
        ),
        Source("include/linux/kernel.h", "a stack trace if it is executed in", "might_sleep"),
        Source(
            "Documentation/locking/locktypes.rst",
            "Sleeping locks can only be acquired in preemptible",
            "Sleeping locks",
        ),
    ),
    wrong=(
        """
        void copy_back(struct request *request, struct iov_iter *iter, void *from)
        {
                spin_lock(&request->lock);
                copy_to_iter(from, request->length, iter); /* wrong */
                spin_unlock(&request->lock);
        }
        """,
        """
        static int look_until_ready(struct dev *dev, unsigned int sleep_us)
        {
                u32 status;

                return readl_poll_timeout(dev->base, status, status & DEV_READY, sleep_us, 1000);
        }
        void wait_for_ready(struct dev *dev)
        {
                spin_lock(&dev->lock);
                look_until_ready(dev, 10); /* wrong */
                spin_unlock(&dev->lock);
        }
        """,
        """
        void wait_for_ready(struct dev *dev)
        {
                u32 status;

                spin_lock(&dev->lock);
                regmap_read_poll_timeout(dev->map, DEV_STATUS, status, status & READY, DEV_SLEEP_US, 1000); /* wrong */
                spin_unlock(&dev->lock);
        }
        """,
        """
        static void port_start_tx(struct uart_port *port)
        {
                usleep_range(10, 20); /* wrong */
        }
        static const struct uart_ops port_ops = {
                .start_tx = port_start_tx,
        };
        """,
        """
        static netdev_tx_t eth_xmit(struct sk_buff *skb, struct net_device *dev)
        {
                mutex_lock(&dev->lock); /* wrong */
                mutex_unlock(&dev->lock);
                return NETDEV_TX_OK;
        }
        static const struct net_device_ops eth_ops = {
                .ndo_start_xmit = eth_xmit,
        };
        """,
        """
        struct dev { spinlock_t lock; };
        void reset(struct dev *dev)
        {
                spin_lock(&dev->lock);
                msleep(10); /* wrong */
                spin_unlock(&dev->lock);
        }
        """,
        """
        struct dev { spinlock_t lock; struct mutex setup; };
        static void configure(struct dev *dev)
        {
                mutex_lock(&dev->setup);
                mutex_unlock(&dev->setup);
        }
        void reset_through_a_callee(struct dev *dev)
        {
                guard(spinlock_irqsave)(&dev->lock);
                configure(dev); /* wrong */
        }
        """,
        """
        static irqreturn_t handler(int irq, void *data)
        {
                msleep(1); /* wrong */
                return IRQ_HANDLED;
        }
        int setup(int irq)
        {
                return request_irq(irq, handler, 0, "dev", NULL);
        }
        """,
        """
        struct dev { spinlock_t lock; };
        int attempt(struct dev *dev)
        {
                if (spin_trylock(&dev->lock)) {
                        synchronize_rcu(); /* wrong */
                        spin_unlock(&dev->lock);
                }
                return 0;
        }
        """,
    ),
    right=(
        """
        void copy_back(struct request *request, struct bio_vec *vecs, void *from)
        {
                struct iov_iter iter;

                iov_iter_bvec(&iter, ITER_DEST, vecs, request->nr, request->length);
                spin_lock(&request->lock);
                copy_to_iter(from, request->length, &iter);
                spin_unlock(&request->lock);
        }
        """,
        """
        static int look_until_ready(struct dev *dev, unsigned int sleep_us)
        {
                u32 status;

                return readl_poll_timeout(dev->base, status, status & DEV_READY, sleep_us, 1000);
        }
        void wait_for_ready(struct dev *dev)
        {
                u32 status;

                spin_lock(&dev->lock);
                regmap_read_poll_timeout(dev->map, DEV_STATUS, status, status & DEV_READY, 0, 1000);
                look_until_ready(dev, 0);
                spin_unlock(&dev->lock);
                look_until_ready(dev, 10);
        }
        """,
        """
        static int port_startup(struct uart_port *port)
        {
                msleep(1);
                return 0;
        }
        static const struct uart_ops port_ops = {
                .startup = port_startup,
        };
        """,
        """
        struct dev { spinlock_t lock; };
        void reset(struct dev *dev)
        {
                spin_lock(&dev->lock);
                dev->busy = 1;
                spin_unlock(&dev->lock);
                msleep(10);
        }
        """,
        """
        struct dev { spinlock_t lock; };
        static void settle(struct dev *dev, bool may_sleep)
        {
                if (may_sleep)
                        msleep(1);
                else
                        udelay(1000);
        }
        void reset(struct dev *dev)
        {
                spin_lock(&dev->lock);
                settle(dev, false);
                spin_unlock(&dev->lock);
                settle(dev, true);
        }
        """,
        """
        struct dev { spinlock_t lock; };
        void reset(struct dev *dev)
        {
                spin_lock_irq(&dev->lock);
                wait_event_lock_irq(dev->wait, dev->ready, dev->lock);
                spin_unlock_irq(&dev->lock);
        }
        """,
        """
        struct dev { spinlock_t lock; };
        int reset(struct dev *dev, bool locked)
        {
                if (!locked)
                        spin_lock(&dev->lock);
                dev->busy = 1;
                if (!locked)
                        spin_unlock(&dev->lock);
                return 0;
        }
        """,
        """
        void peek(struct dev *dev, void __user *to)
        {
                spin_lock(&dev->lock);
                pagefault_disable();
                dev->left = __copy_to_user(to, dev->data, 8);
                pagefault_enable();
                spin_unlock(&dev->lock);
        }
        """,
        """
        static irqreturn_t quick(int irq, void *data)
        {
                return IRQ_WAKE_THREAD;
        }
        static irqreturn_t slow(int irq, void *data)
        {
                msleep(1);
                return IRQ_HANDLED;
        }
        int setup(int irq)
        {
                return request_threaded_irq(irq, quick, slow, 0, "dev", NULL);
        }
        """,
    ),
)
