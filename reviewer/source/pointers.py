# SPDX-License-Identifier: GPL-2.0-or-later
"""Which functions a call through a structure member can reach."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from typing import NamedTuple

from reviewer.source.cfg import Function

_EXPORTS = re.compile(rb"^EXPORT_\w*SYMBOL\w*\(", re.MULTILINE)
MOST = 4
"""Where more functions than this stand in a member, which of them is meant is not known."""


class Instance(NamedTuple):
    """One function that stands in the member. ``apart`` are files and folders whose code runs with another one only.

    A path that comes from there and goes through this function does not exist: AMD's tables are not Intel's.
    ``member`` is ``structure.field``: files with tables of their own that leave it out do not mean it. ``flags`` are
    members that the table sets to true. ``assigned`` holds where no table has it, but an assignment puts it there.
    """

    function: Function
    apart: frozenset[str]
    member: str
    flags: frozenset[str] = frozenset()
    assigned: bool = False


class Entry(NamedTuple):
    """``.field = function`` in a table of ``structure`` that stands in the file ``path``.

    The function is empty where the file puts into the member what any caller gives it.
    """

    path: str
    structure: str
    function: str


def chosen(entries: Iterable[Entry], user: str, *, serves: bool) -> tuple[Entry, ...]:
    """The entries that a call in the file ``user`` can mean, or none where that is not clear.

    The file's own tables come first, then those of its folder, unless it ``serves`` others too: the tables of a library
    may stand anywhere. Structures are not mixed, nor are many instances; a member that callers fill can be anything.
    """
    every = sorted(set(entries))
    anything = {entry.structure for entry in every if not entry.function}
    found = tuple(entry for entry in every if entry.function)
    if any(entry.structure in anything for entry in found):
        return ()
    own = tuple(entry for entry in found if entry.path == user)
    near = tuple(entry for entry in found if posixpath.dirname(entry.path) == posixpath.dirname(user))
    if own:
        return own if len({entry.function for entry in own}) <= MOST else ()
    if len({entry.structure for entry in found}) != 1:
        return ()
    for some in (found,) if serves else (near, found):
        if some and len({(entry.path, entry.function) for entry in some}) <= MOST:
            return some
    return ()


def exports(text: bytes) -> bool:
    """Whether a file has functions for other modules. Source: include/linux/export.h."""
    return _EXPORTS.search(text) is not None


def apart_from(entry: Entry, entries: Iterable[Entry]) -> frozenset[str]:
    """Where the other instances are at home: their folder, or their file where both lie in one folder."""
    here = posixpath.dirname(entry.path)
    apart: set[str] = set()
    for other in entries:
        there = posixpath.dirname(other.path)
        if other.path != entry.path:
            apart.add(other.path if there == here or here.startswith(there + "/") else there + "/")
    return frozenset(apart)


def is_apart(path: str, apart: frozenset[str]) -> bool:
    """Whether the file ``path`` is one of ``apart`` or lies in one of its folders."""
    return any(path == place or (place.endswith("/") and path.startswith(place)) for place in apart)
