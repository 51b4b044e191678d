# SPDX-License-Identifier: GPL-2.0-or-later
"""Global locks of one file that each function which releases them has taken before.

No callee, however it is reached, lets go of such a lock for its caller, and a function that returns with it held has
forgotten it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reviewer.source.preprocess import blank_comments_and_strings

if TYPE_CHECKING:
    from reviewer.source.cfg import Function
    from reviewer.source.program import Program

_DEFINED = rb"\bstatic\s+(?:DEFINE_(?:MUTEX|(?:RAW_)?SPINLOCK|RWLOCK)\(\s*%s\s*\)|DECLARE_RWSEM\(\s*%s\s*\))"
_GIVEN = rb"(?:\b(\w+)\s*\(|\bguard\s*\(\s*\w+\s*\)\s*\(|\bscoped_guard\s*\(\s*\w+\s*,)\s*&\s*%s\s*[,)]"
_ANY = rb"&\s*%s\b"
_RELEASE = re.compile(rb"\w*(?:unlock\w*|up_(?:read|write))")
_TAKE = re.compile(rb"\w*(?<!un)(?:lock(?:_\w+)?|down_(?:read|write)\w*)")
_HARMLESS = re.compile(rb"|lockdep_\w+|\w+_is_(?:locked|held\w*|contended)|\w+_init|\w+_destroy")  # empty: a guard


class OwnLocks:
    """Answers for the files of a program, each question once."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._known: dict[tuple[str, str], bool] = {}

    def has(self, function: Function, lock: str) -> bool:
        """Whether ``lock``, as ``function`` writes it, is such a lock of its file."""
        if not lock.isidentifier() or lock in function.locals or lock in function.params:
            return False
        key = (function.path, lock)
        if key not in self._known:
            self._known[key] = self._look(function.path, lock.encode())
        return self._known[key]

    def _look(self, path: str, lock: bytes) -> bool:
        raw = self._program.text(path) or b""
        if not re.search(_DEFINED % (lock, lock), raw):
            return False
        text = blank_comments_and_strings(raw)
        calls = [(match.start(), match.group(1) or b"") for match in re.finditer(_GIVEN % lock, text)]
        if len(calls) != len(re.findall(_ANY % lock, text)):
            return False  # its address goes elsewhere
        releases = [at for at, name in calls if _RELEASE.fullmatch(name)]
        takes = [at for at, name in calls if _TAKE.fullmatch(name) and not _RELEASE.fullmatch(name)]
        if len(releases) + len(takes) + sum(bool(_HARMLESS.fullmatch(name)) for _, name in calls) < len(calls):
            return False
        lines = {at: raw.count(b"\n", 0, at) + 1 for at in (*releases, *takes)}
        return all(
            (extent := self._program.extent_at(path, lines[at])) is not None
            and any(extent.line <= lines[take] < lines[at] for take in takes)
            for at in releases
        )
