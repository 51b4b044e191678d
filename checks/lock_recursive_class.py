# SPDX-License-Identifier: GPL-2.0-or-later
"""A lock is taken that is held already."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report | None:
    lock, _ = context.detail
    return Report(
        subject=lock,
        message=f"{context.call} takes {lock}, which is held already",
        question=f"Is {lock} not held here already?",
        was=f"{context.call} took {lock} a second time",
        consequence="The task waits for itself.",
    )


CHECK = Check(
    id="lock-recursive-class",
    area="locking",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="A lock is not taken by the one who holds it.",
    why="Spinlocks, mutexes and writers of a rwsem are not recursive: the task waits for itself.",
    events=frozenset({EventKind.TAKEN_TWICE}),
    judge=judge,
    sources=(
        Source(
            "Documentation/kernel-hacking/locking.rst",
            "(spinlocks, rwlocks and mutexes are not recursive in",
            "Deadlock: Simple and Advanced",
        ),
        Source(
            "Documentation/kernel-hacking/locking.rst",
            "tries to grab a spinlock twice",
            "Deadlock: Simple and Advanced",
        ),
    ),
    wrong=(
        """
        static DEFINE_MUTEX(early_lock);

        static void add_file(struct device_files *files)
        {
                if (!files_root) {
                        mutex_lock(&early_lock);
                        list_add(&files->link, &early_list);
                        mutex_unlock(&early_lock);
                }
        }
        void add_early_files(void)
        {
                struct device_files *files;

                mutex_lock(&early_lock);
                list_for_each_entry(files, &early_list, link)
                        add_file(files); /* wrong */
                mutex_unlock(&early_lock);
        }
        """,
        """
        struct dev { raw_spinlock_t lock; };
        void show(struct dev *dev)
        {
                guard(raw_spinlock_irq)(&dev->lock);
                raw_spin_lock_irq(&dev->lock); /* wrong */
                dev->shown++;
                raw_spin_unlock_irq(&dev->lock);
        }
        """,
        """
        static DEFINE_MUTEX(all_lock);
        static void all_lock_take(void)
        {
                mutex_lock(&all_lock);
        }
        static int resize(struct dev *dev, int n)
        {
                if (dev->gone)
                        return 0;
                all_lock_take();
                dev->n = n;
                mutex_unlock(&all_lock);
                return 0;
        }
        void shutdown(struct dev *dev)
        {
                mutex_lock(&all_lock);
                resize(dev, 0); /* wrong */
                mutex_unlock(&all_lock);
        }
        """,
        """
        struct dev { spinlock_t lock; int n; };
        static void count(struct dev *dev)
        {
                guard(spinlock)(&dev->lock);
                dev->n++;
        }
        void add(struct dev *dev)
        {
                spin_lock(&dev->lock);
                count(dev); /* wrong */
                spin_unlock(&dev->lock);
        }
        """,
        """
        struct dev { struct rw_semaphore sem; rwlock_t lock; int n; };
        static void grow(struct dev *dev)
        {
                down_write(&dev->sem);
                dev->n++;
                up_write(&dev->sem);
        }
        void look(struct dev *dev)
        {
                down_read(&dev->sem);
                if (!dev->n)
                        grow(dev); /* wrong */
                up_read(&dev->sem);
        }
        void count(struct dev *dev)
        {
                read_lock(&dev->lock);
                write_lock(&dev->lock); /* wrong */
                dev->n++;
                write_unlock(&dev->lock);
                read_unlock(&dev->lock);
        }
        """,
    ),
    right=(
        """
        static DEFINE_MUTEX(early_lock);

        static void add_file(struct device_files *files)
        {
                if (!files_root) {
                        mutex_lock(&early_lock);
                        list_add(&files->link, &early_list);
                        mutex_unlock(&early_lock);
                        return;
                }
                create_file(files_root, files);
        }
        void add_early_files(void)
        {
                struct device_files *files;

                files_root = create_dir("files");
                mutex_lock(&early_lock);
                list_for_each_entry(files, &early_list, link)
                        add_file(files);
                mutex_unlock(&early_lock);
        }
        """,
        """
        struct dev { struct mutex lock; int n; };
        static void set(struct dev *dev, int n, bool locked)
        {
                if (!locked)
                        mutex_lock(&dev->lock);
                dev->n = n;
                if (!locked)
                        mutex_unlock(&dev->lock);
        }
        static void wait(struct dev *dev)
        {
                mutex_unlock(&dev->lock);
                schedule();
                mutex_lock(&dev->lock);
        }
        static void count(struct dev *dev)
        {
                mutex_lock(&dev->lock);
                dev->n++;
                mutex_unlock(&dev->lock);
        }
        void several(struct dev *dev, struct dev *other)
        {
                mutex_lock(&dev->lock);
                set(dev, 1, true);
                wait(dev);
                count(other);
                mutex_unlock(&dev->lock);
                count(dev);
        }
        """,
        """
        struct dev { rwlock_t lock; int n; };
        static int read_n(struct dev *dev)
        {
                guard(read_lock)(&dev->lock);
                return dev->n;
        }
        int twice(struct dev *dev)
        {
                guard(read_lock)(&dev->lock);
                return read_n(dev) + dev->n;
        }
        """,
        """
        struct dev { struct mutex lock; struct list_head link; };
        void lock_all(struct list_head *all)
        {
                struct dev *dev;

                list_for_each_entry(dev, all, link)
                        mutex_lock(&dev->lock);
                list_for_each_entry(dev, all, link)
                        mutex_unlock(&dev->lock);
        }
        """,
        """
        struct dev { spinlock_t lock; };
        void both(struct dev *one, struct dev *two)
        {
                spin_lock(&one->lock);
                spin_lock_nested(&two->lock, SINGLE_DEPTH_NESTING);
                spin_unlock(&two->lock);
                spin_unlock(&one->lock);
        }
        """,
        """
        struct dev { spinlock_t lock; struct dev *parent; };
        void climb(struct dev *dev)
        {
                spin_lock(&dev->lock);
                while (dev->parent) {
                        dev = dev->parent;
                        spin_lock(&dev->lock);
                }
                unlock_chain(dev);
        }
        """,
    ),
)
