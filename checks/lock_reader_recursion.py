# SPDX-License-Identifier: GPL-2.0-or-later
"""A rwsem is taken for reading by a task that has it for reading already."""

from reviewer.check import Check, Context, EventKind, Kernels, Report, Severity, Source


def judge(context: Context) -> Report:
    lock, line = context.detail
    return Report(
        subject=lock,
        message=f"{context.call} takes {lock} for reading a second time, after line {line}",
        question=f"What if a writer comes between the two? {lock} is held for reading since line {line}.",
        was=f"{context.call} took {lock} for reading a second time",
        interleaving=(
            ("CPU 0", "CPU 1"),
            (f"reads {lock} (line {line})", ""),
            ("", f"waits to write {lock}"),
            (f"{context.call} waits behind the writer", ""),
        ),
    )


CHECK = Check(
    id="lock-reader-recursion",
    area="locking",
    severity=Severity.BUG,
    kernels=Kernels.ALL,
    rule="A rwsem is not taken for reading by a task that has it for reading already.",
    why="A writer that waits stops new readers: the second read waits for the writer, and the writer for the first.",
    events=frozenset({EventKind.READER_RECURSION}),
    judge=judge,
    sources=(
        Source(
            "Documentation/locking/lockdep-design.rst",
            "While non-recursive readers will cause a self deadlock if trying to acquire inside",
            "Recursive read locks:",
        ),
    ),
    wrong=(
        """
        struct shelf { struct rw_semaphore sem; int books; };
        static int shelf_count(struct shelf *shelf)
        {
                guard(rwsem_read)(&shelf->sem);
                return shelf->books;
        }
        int shelf_show(struct shelf *shelf)
        {
                int n;

                down_read(&shelf->sem);
                n = shelf_count(shelf); /* wrong */
                up_read(&shelf->sem);
                return n;
        }
        """,
    ),
    right=(
        """
        struct shelf { struct rw_semaphore sem; rwlock_t lock; struct shelf *above; int books; };
        static int shelf_count(struct shelf *shelf)
        {
                guard(rwsem_read)(&shelf->sem);
                return shelf->books;
        }
        static void shelf_wait(struct shelf *shelf)
        {
                up_read(&shelf->sem);
                wait_for_book(shelf);
                down_read(&shelf->sem);
        }
        int shelf_show(struct shelf *shelf)
        {
                int n;

                down_read(&shelf->sem);
                n = shelf_count(shelf->above);
                shelf_wait(shelf);
                if (!down_read_trylock(&shelf->sem))
                        n = 0;
                else
                        up_read(&shelf->sem);
                up_read(&shelf->sem);
                read_lock(&shelf->lock);
                read_lock(&shelf->lock);
                read_unlock(&shelf->lock);
                read_unlock(&shelf->lock);
                return n + shelf_count(shelf);
        }
        """,
    ),
)
