# SPDX-License-Identifier: GPL-2.0-or-later
"""Which names the patch of a mail touches: those in its changed lines, and the functions its hunks say they are in."""

from __future__ import annotations

import re
from collections.abc import Collection

from reviewer.mail.quote import hunks_of
from reviewer.mail.thread import Thread

_WORD = re.compile(rb"[A-Za-z_]\w*")
_HUNK_END = b"@@"


def touching(thread: Thread, names: Collection[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Subject and touched ``names`` of each patch of the thread that touches any, in the thread's order."""
    found = []
    for raw in thread.messages:
        if not raw.is_patch:
            continue
        words: set[bytes] = set()
        for hunk in hunks_of(raw.raw):
            words.update(_WORD.findall(hunk.header.rpartition(_HUNK_END)[2]))
            for line in hunk.lines:
                if line.changed:
                    words.update(_WORD.findall(line.text))
        touched = tuple(sorted(name for name in names if name.encode("utf-8", "replace") in words))
        if touched:
            found.append((raw.message.subject, touched))
    return tuple(found)
