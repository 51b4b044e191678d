# SPDX-License-Identifier: GPL-2.0-or-later
"""The pieces that the lines of reports are made of: a lock, a frame of a trace, a task.

Formats: print_lock(), __print_lock_name() and lockdep_print_held_locks() of kernel/locking/lockdep.c, ``%pS`` of
Documentation/core-api/printk-formats.rst, and the traces of the architectures.
"""

from __future__ import annotations

import re
from typing import Final

from reviewer.splat.records import Frame, Lock, Wait

_LOCK: Final = re.compile(
    r"(?:(?P<instance>[0-9a-f]{8,16}|\(____ptrval____\)) )?\(?\((?P<name>.{1,160}?)\)\{(?P<usage>[-.+?]{1,8})\}"
    r"(?:-\{(?P<outer>\d):(?P<inner>\d)\})?(?P<rest>.*)"
)
_AT: Final = re.compile(r",? ?at: (?P<at>.{1,300})")
_VERSION: Final = re.compile(r"(?P<name>.{1,160}?)(?:#(?P<version>\d{1,6}))?(?:/(?P<subclass>\d{1,2}))?$")
_ADDRESS: Final = re.compile(r"\(?\[<[0-9a-fx]{1,18}>\]\)? ?|(?:\[[0-9a-f]{8,16}\] ){1,2}|#\d{1,3} {1,2}")
_SYMBOL: Final = r"[A-Za-z_.$][\w.$]{0,199}"
_FRAME: Final = re.compile(
    rf"(?P<unsure>\? )?(?P<function>{_SYMBOL})(?:\+0x(?P<offset>[0-9a-f]{{1,8}})/0x(?P<size>[0-9a-f]{{1,8}}))?"
    r"(?: \[(?P<module>[\w-]{1,60})(?: [0-9a-f]{8,64})?\])?(?: \([A-Z]{1,4}\)| \(unreliable\))?"
    r"(?: (?P<path>[\w./+-]{1,200}\.(?:[chS]|rs)):(?P<line>\d{1,7}))?(?P<inline> \[inline\])?(?P<rest>.*)"
)
# What a mail program's line break leaves of a decoded frame's end.
PLACE: Final = re.compile(r"(?P<path>[\w./+-]{1,200}\.(?:[chS]|rs)):(?P<line>\d{1,7})(?P<inline> \[inline\])?$")


def lock_of(text: str) -> Lock | None:
    """The lock that ``text`` begins with; where it was taken if the rest of the text says so."""
    match = _LOCK.match(text)
    if match is None:
        return None
    at = _AT.match(match["rest"])
    return named(
        match["name"],
        usage=match["usage"],
        wait=Wait(int(match["outer"]), int(match["inner"])) if match["outer"] else None,
        instance=match["instance"] or "",
        at=symbol_of(at["at"]) if at else None,
    )


def is_cut(text: str) -> bool:
    """Whether ``text`` is a lock that has an address, and ends before it says where the lock was taken."""
    lock = lock_of(re.sub(r"^#\d{1,3}: ", "", text))
    return lock is not None and bool(lock.instance) and lock.at is None


def named(
    label: str, *, usage: str = "", wait: Wait | None = None, instance: str = "", at: Frame | None = None
) -> Lock:
    """A lock by the label of its class: name, version, subclass."""
    match = _VERSION.match(label)
    if match is None:
        return Lock(label, usage=usage, wait=wait, instance=instance, at=at)
    version, subclass = int(match["version"] or 1), int(match["subclass"] or 0)
    return Lock(match["name"], version, subclass, usage, wait, instance, at)


def frame_of(text: str) -> Frame | None:
    """The frame that is all of ``text``; a bare word without offset or place is none."""
    frame, rest = _frame(text)
    if frame is None or rest.strip(" )") or (frame.offset is None and not frame.path):
        return None
    return frame


def symbol_of(text: str) -> Frame | None:
    """A place as ``%pS`` prints it, whatever follows; an address alone gives none."""
    frame, _ = _frame(text)
    return frame


def _frame(text: str) -> tuple[Frame | None, str]:
    address = _ADDRESS.match(text)
    match = _FRAME.match(text, address.end() if address else 0)
    if match is None:
        return None, text
    return (
        Frame(
            match["function"],
            int(match["offset"], 16) if match["offset"] else None,
            int(match["size"], 16) if match["size"] else None,
            match["module"] or "",
            match["unsure"] is not None,
            match["inline"] is not None,
            match["path"] or "",
            int(match["line"]) if match["line"] else None,
        ),
        match["rest"],
    )
