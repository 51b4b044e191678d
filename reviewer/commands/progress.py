# SPDX-License-Identifier: GPL-2.0-or-later
"""Progress for people who wait: on stderr, only on a terminal, only after a second."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import Final

_PATIENCE: Final = 1.0  # seconds


@contextlib.contextmanager
def progress(what: str) -> Iterator[None]:
    """Say ``what`` is going on, with the seconds it has taken, for as long as the block runs."""
    if not sys.stderr.isatty():
        yield
        return
    done = threading.Event()
    ticker = threading.Thread(target=_tick, args=(what, done), daemon=True)
    ticker.start()
    try:
        yield
    finally:
        done.set()
        ticker.join()


def _tick(what: str, done: threading.Event) -> None:
    seconds = 0
    line = ""
    while not done.wait(_PATIENCE):
        seconds += 1
        line = f"{what} ... {seconds} s"
        sys.stderr.write(f"\r{line}")
        sys.stderr.flush()
    if line:
        # Blanks rather than an escape sequence: a dumb terminal understands them too.
        sys.stderr.write(f"\r{' ' * len(line)}\r")
        sys.stderr.flush()
