# SPDX-License-Identifier: GPL-2.0-or-later
"""Work that is many, shared out among processes."""

from __future__ import annotations

import ctypes
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from multiprocessing.util import Finalize
from typing import Any, Final, TypeVar

_Tools = TypeVar("_Tools")
_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

MOST: Final = 2
"""Processes at once: each may need 600 MB, and the machine belongs to its user."""

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_PATIENCE: Final = 60  # seconds
_A_MOMENT: Final = 0.005
_Cells = ctypes.Array[ctypes.c_ulonglong]
_tools: list[Any] = []  # of this process, where it is a worker


def in_order(
    function: Callable[[_Tools, _Task], _Result],
    tasks: Sequence[_Task],
    tools: Callable[[], AbstractContextManager[_Tools]],
    processes: int = MOST,
) -> Iterator[_Result]:
    """What ``function`` says of each task, in their order, computed by up to ``processes`` processes.

    ``tools`` makes what a process works with, once for all its tasks. All three must be picklable. Where no process can
    be started, or one dies, what is left is done in this one. What ``function`` raises is raised here.
    """
    count = min(processes, len(tasks), len(os.sched_getaffinity(0)))
    done = 0
    if count > 1:
        try:
            for result in _shared(function, tasks, tools, count):
                done += 1
                yield result
        except (OSError, BrokenProcessPool):
            pass  # no memory or no process to be had: slower, with the same result
    if done < len(tasks):
        with tools() as own:
            for task in tasks[done:]:
                yield function(own, task)


def _shared(
    function: Callable[[_Tools, _Task], _Result],
    tasks: Sequence[_Task],
    tools: Callable[[], AbstractContextManager[_Tools]],
    count: int,
) -> Iterator[_Result]:
    # "spawn": this process may have threads, and children that must not be shared.
    executor = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _begin, (tools,))
    try:
        with _uninterrupted():
            futures = [executor.submit(_work, function, task) for task in tasks]
        for future in futures:
            yield future.result()
    except BaseException:
        for child in multiprocessing.active_children():  # nobody waits for what they are at
            child.terminate()
        raise
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


class Peer:
    """The other one of two processes that share one work: each tells which piece it is at, by a number.

    ``cells`` is memory that both have, ``own`` the position of this process in it, ``is_alive`` whether the other runs.
    """

    def __init__(self, cells: _Cells, own: int, is_alive: Callable[[], bool]) -> None:
        self._cells = cells
        self._own = own
        self._is_alive = is_alive

    def begin(self, piece: int) -> None:
        """Tell the other which piece this process is at; 0 for none."""
        self._cells[self._own] = piece

    def is_at(self, piece: int) -> bool:
        """Whether the other is at that piece. One that has ended, or was waited for too long, is at none."""
        return self._cells[1 - self._own] == piece and self._is_alive()

    def wait(self, piece: int) -> None:
        """Wait until the other is no longer at that piece; for a minute at most, as it may have been stopped."""
        end = time.monotonic() + _PATIENCE
        while self.is_at(piece):
            time.sleep(_A_MOMENT)
            if time.monotonic() > end:
                self._is_alive = _never


def _never() -> bool:
    return False


@contextmanager
def beside(
    function: Callable[[_Tools, _Task, Peer], None],
    task: _Task,
    tools: Callable[[], AbstractContextManager[_Tools]],
) -> Iterator[Peer | None]:
    """Have another process do ``function`` for the length of the block, if one can be had; nobody waits for its end.

    What it does must be of use only, and not needed: it may get nowhere. All three must be picklable. Yields the other
    process, or None where there is none; ``function`` gets this one.
    """
    if len(os.sched_getaffinity(0)) < MOST:
        yield None
        return
    spawn = multiprocessing.get_context("spawn")
    try:
        cells = spawn.RawArray("Q", MOST)
        helper = spawn.Process(target=_help, args=(function, task, tools, cells), daemon=True)
        with _uninterrupted():
            helper.start()
    except OSError:  # no memory or no process to be had
        yield None
        return
    try:
        yield Peer(cells, 0, helper.is_alive)
    finally:
        helper.terminate()
        helper.join()


def _help(
    function: Callable[[_Tools, _Task, Peer], None],
    task: _Task,
    tools: Callable[[], AbstractContextManager[_Tools]],
    cells: _Cells,
) -> None:
    # Whatever fails here fails in the process that is helped as well, and that tells the user.
    with suppress(Exception):
        _begin(tools)
        # A parent that ends takes this process with it.
        function(_tools[0], task, Peer(cells, 1, lambda: True))


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let signals wait: a process whose parent stops while it hands over what it is to do complains on stderr."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(tools: Callable[[], AbstractContextManager[Any]]) -> None:
    """Leave interrupts to the parent, end with it however it ends, and have the tools at hand."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)  # they were blocked when this process was made
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    stack = ExitStack()
    _tools.append(stack.enter_context(tools()))
    Finalize(None, stack.close, exitpriority=1)


def _work(function: Callable[[Any, _Task], _Result], task: _Task) -> _Result:
    return function(_tools[0], task)


def _end_with(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(1)
