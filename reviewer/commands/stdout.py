# SPDX-License-Identifier: GPL-2.0-or-later
"""Writing the result: whole, in one encoding, to a reader who may stop reading."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator


def write_data(text: str) -> None:
    """Write data for programs: UTF-8 whatever the locale."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8"))
    sys.stdout.buffer.flush()


@contextlib.contextmanager
def reader_may_leave() -> Iterator[None]:
    """Let the block end quietly when the reader of stdout is gone, as with ``| head``."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # What Python still holds for stdout must go nowhere, or it fails once more at exit.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
