# SPDX-License-Identifier: GPL-2.0-or-later
"""A function that asserts a lock, reached without it."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source, required_report


def judge(context: Context) -> Report | None:
    if not context.required_kinds <= {"lock", "anyone", "exclusive", "irqs", "preempt", "unused"}:
        return None
    return required_report(context)


CHECK = Check(
    id="lock-assert-not-held",
    area="locking",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="A function that asserts a lock or a context is only called with that lock held, in that context.",
    why="lockdep warns there, and what the lock protects is used while others change it.",
    events=frozenset({EventKind.REQUIRES}),
    judge=judge,
    sources=(
        Source(
            "Documentation/locking/lockdep-design.rst",
            "lockdep_assert_held* family of macros assert that a particular lock is held at a certain time",
            "Annotations",
        ),
    ),
    wrong=(
        """
        struct port { struct mutex setup; int speed; };
        static void port_write(struct port *port, int speed)
        {
                lockdep_assert_held(&port->setup);
                port->speed = speed;
        }
        static void port_reset(struct port *port)
        {
                port_write(port, 0);
        }
        static long port_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
        {
                struct port *port = file->private_data;

                port_reset(port); /* wrong */
                return 0;
        }
        static const struct file_operations port_fops = {
                .unlocked_ioctl = port_ioctl,
        };
        """,
        """
        struct port { raw_spinlock_t lock; struct work_struct work; };
        static void port_kick(struct port *port)
        {
                lockdep_assert_irqs_disabled();
                port->kicked = true;
        }
        static void port_work(struct work_struct *work)
        {
                port_kick(container_of(work, struct port, work)); /* wrong */
        }
        void port_init(struct port *port)
        {
                INIT_WORK(&port->work, port_work);
        }
        """,
        """
        struct port { struct mutex setup; int pages; };
        static int port_pages(struct port *port)
        {
                lockdep_assert_held(&port->setup);
                return port->pages;
        }
        static int port_map(struct file *file, struct vm_area_struct *vma)
        {
                lockdep_assert_held_write(&vma->vm_mm->mmap_lock);
                return port_pages(file->private_data); /* wrong */
        }
        static const struct file_operations port_fops = {
                .mmap = port_map,
        };
        """,
    ),
    right=(
        """
        struct port { struct mutex setup; int speed; };
        static void port_write(struct port *port, int speed)
        {
                lockdep_assert_held(&port->setup);
                port->speed = speed;
        }
        static void port_reset(struct port *port)
        {
                port_write(port, 0);
        }
        static long port_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
        {
                struct port *port = file->private_data;

                guard(mutex)(&port->setup);
                port_reset(port);
                return 0;
        }
        static const struct file_operations port_fops = {
                .unlocked_ioctl = port_ioctl,
        };
        """,
        """
        struct port { struct mutex setup; int speed; };
        void port_write(struct port *port, int speed, bool locked)
        {
                if (!locked)
                        mutex_lock(&port->setup);
                lockdep_assert_held(&port->setup);
                port->speed = speed;
                if (!locked)
                        mutex_unlock(&port->setup);
        }
        static long port_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
        {
                port_write(file->private_data, 1, false);
                return 0;
        }
        static const struct file_operations port_fops = {
                .unlocked_ioctl = port_ioctl,
        };
        """,
        """
        struct port { raw_spinlock_t lock; struct work_struct work; };
        static void port_kick(struct port *port)
        {
                lockdep_assert_irqs_disabled();
                port->kicked = true;
        }
        static void port_work(struct work_struct *work)
        {
                struct port *port = container_of(work, struct port, work);

                raw_spin_lock_irq(&port->lock);
                port_kick(port);
                raw_spin_unlock_irq(&port->lock);
        }
        void port_init(struct port *port)
        {
                INIT_WORK(&port->work, port_work);
        }
        """,
        """
        static int port_map(struct file *file, struct vm_area_struct *vma)
        {
                lockdep_assert_held_write(&vma->vm_mm->mmap_lock);
                return 0;
        }
        static const struct file_operations port_fops = {
                .mmap = port_map,
        };
        """,
        """
        struct port { struct work_struct work; int count; };
        static void port_put(struct port *port)
        {
                if (in_task()) {
                        port->count--;
                } else if (in_hardirq()) {
                        lockdep_assert_irqs_disabled();
                        port->count -= 2;
                }
        }
        static void port_work(struct work_struct *work)
        {
                port_put(container_of(work, struct port, work));
        }
        void port_init(struct port *port)
        {
                INIT_WORK(&port->work, port_work);
        }
        """,
        """
        struct port { refcount_t users; struct work_struct work; };
        static void port_work(struct work_struct *work)
        {
                struct port *port = container_of(work, struct port, work);

                WARN_ON(refcount_read(&port->users));
                kfree(port);
        }
        void port_init(struct port *port)
        {
                INIT_WORK(&port->work, port_work);
        }
        """,
    ),
)
