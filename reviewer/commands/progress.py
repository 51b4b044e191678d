# SPDX-License-Identifier: GPL-2.0-or-later
"""Progress for people who wait: on stderr, only on a terminal, only after a second."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Final

_PATIENCE: Final = 1.0  # seconds


@contextlib.contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Say ``what`` is going on, with the seconds it has taken, for as long as the block runs.

    The block may tell how much of how much is done.
    """
    share = [0, 0]

    def tell(done: int, total: int) -> None:
        share[:] = done, total

    if not sys.stderr.isatty():
        yield tell
        return
    done = threading.Event()
    ticker = threading.Thread(target=_tick, args=(what, done, share), daemon=True)
    ticker.start()
    try:
        yield tell
    finally:
        done.set()
        ticker.join()


def _tick(what: str, done: threading.Event, share: Sequence[int]) -> None:
    seconds = 0
    line = ""
    while not done.wait(_PATIENCE):
        seconds += 1
        part = f" {share[0]} of {share[1]}," if share[1] else ""
        line = f"{what} ...{part} {seconds} s".ljust(len(line))
        sys.stderr.write(f"\r{line}")
        sys.stderr.flush()
    if line:
        # Blanks rather than an escape sequence: a dumb terminal understands them too.
        sys.stderr.write(f"\r{' ' * len(line)}\r")
        sys.stderr.flush()
