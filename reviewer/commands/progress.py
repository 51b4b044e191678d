# SPDX-License-Identifier: GPL-2.0-or-later
"""What is being done, for people who wait: on a terminal and after a second, or with ``--verbose`` line by line."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from typing import Final

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from reviewer.config import Options
from reviewer.pipeline import Tell, nobody
from reviewer.report.plain import clean_line

_BEGIN: Final = time.monotonic()
_PATIENCE: Final = 1.0  # seconds
_LONGEST: Final = 60  # characters of what is being done: the line is not to be wrapped


@contextlib.contextmanager
def progress(what: str, options: Options) -> Iterator[Tell]:
    """Say ``what`` is going on for as long as the block runs, and what the block itself tells in between."""
    if options.verbose:
        _line(what)
        yield _line
        return
    console = Console(file=sys.stderr, markup=False, highlight=False, emoji=False)
    if options.quiet or not console.is_interactive:
        yield nobody
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    bar = Progress(*columns, console=console, transient=True)
    task = bar.add_task(what, total=None)
    patience = threading.Timer(_PATIENCE, bar.start)
    patience.daemon = True
    patience.start()
    try:
        yield lambda text: bar.update(task, description=clean_line(text)[:_LONGEST])
    finally:
        patience.cancel()
        patience.join()
        bar.stop()


def _line(text: str) -> None:
    sys.stderr.write(f"reviewer: {time.monotonic() - _BEGIN:5.1f} s  {clean_line(text)}\n")
    sys.stderr.flush()
