# SPDX-License-Identifier: GPL-2.0-or-later
"""With which locks a function is called by those who call it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from reviewer.context.analysis import Analyser
from reviewer.context.callers import callers
from reviewer.context.effects import Under
from reviewer.context.locks import canonical
from reviewer.context.reach import roots
from reviewer.context.requirements import ANYTHING
from reviewer.source.cfg import Function
from reviewer.source.expression import last_member, root

RCU = "rcu"
_GLOBAL = re.compile(r"[A-Za-z_]\w*")
_DEEPEST = 5
_ABOVE = 2
_BELOW = 2
_MOST = 30


class Use(NamedTuple):
    """A call of ``callee`` in ``function`` with the locks that are held there."""

    function: Function
    line: int
    callee: str
    args: tuple[str, ...]
    under: Under

    def holds(self, lock: str) -> bool:
        """Whether a lock called like ``lock`` is held on every path."""
        return any(last_member(name) == last_member(lock) for name in self.under.always)

    def may_hold(self, lock: str) -> bool:
        """Whether a lock called like ``lock`` is held on some path, or one that is not known."""
        return any(name == ANYTHING or last_member(name) == last_member(lock) for name in self.under.sometimes)


def uses(analyser: Analyser, function: Function, callee: str = "") -> Iterator[Use]:
    """The calls in ``function``, or those of ``callee``."""
    analysis = analyser.analyse(function)
    for call in function.calls():
        under = analysis.under.get((call.line, call.name)) if callee in ("", call.name) else None
        if under is not None:
            yield Use(function, call.line, call.name, call.args, under)


def belongs(use: Use, lock: str) -> bool:
    """Whether ``lock`` has to do with the call: a global lock, a reader, or one that an argument leads to."""
    start = root(lock)
    if start not in (*use.function.params, *use.function.locals):
        return True
    own = root(canonical(use.function, start))
    return any(root(canonical(use.function, argument)) in (start, own) for argument in use.args)


def always_held(analyser: Analyser, use: Use, lock: str, depth: int = _ABOVE) -> bool:
    """Whether a lock called like ``lock`` is held at the call: taken in the function, or by all who call it."""
    if use.holds(lock):
        return True
    above = callers(analyser.program, use.function) if depth else ()
    calls = [call for caller in above for call in uses(analyser, caller, use.function.name)]
    return bool(calls) and all(always_held(analyser, call, lock, depth - 1) for call in calls)


def held_by_all(analyser: Analyser, function: Function, depth: int = _ABOVE + 1) -> frozenset[str]:
    """The last members of the locks, other than readers, that all who are known to call ``function`` hold."""
    found: list[frozenset[str]] = []
    for caller in callers(analyser.program, function):
        for call in uses(analyser, caller, function.name):
            held = frozenset(last_member(name) for name in call.under.always if name != RCU)
            found.append(held or (held_by_all(analyser, caller, depth - 1) if depth > 1 else held))
    return frozenset.intersection(*found) if found else frozenset()


def takes(analyser: Analyser, function: Function, lock: str, depth: int = _BELOW) -> bool:
    """Whether ``function``, or what it calls, takes a lock called like ``lock`` itself."""
    found = list(uses(analyser, function))
    if any(use.may_hold(lock) for use in found):
        return True
    return depth > 0 and any(
        takes(analyser, callee, lock, depth - 1)
        for name in dict.fromkeys(use.callee for use in found)
        for callee in analyser.callees(name, function)
        if callee.path == function.path and callee is not function
    )


def is_private(analyser: Analyser, function: Function, lock: str) -> bool:
    """Whether ``lock`` is a global of the file of ``function`` that no other file can name."""
    if not _GLOBAL.fullmatch(lock) or lock == RCU:
        return False
    text = analyser.program.files.read(function.path) or b""
    declared = rb"^static\s+(?:DEFINE_\w+\(\s*|struct\s+\w+\s+|\w+_t\s+)" + lock.encode() + rb"\b"
    return re.search(declared, text, re.MULTILINE) is not None


def may_come_from_above(analyser: Analyser, function: Function, lock: str, *, nests: bool) -> bool:
    """Whether somebody above ``function`` may hold ``lock``; True where that is not known.

    A lock that does not nest and that the function itself took before cannot have come from above, unless a caller
    that is in sight takes it now.
    """
    waiting, seen = [(function, 0)], {(function.path, function.name)}
    while waiting:
        here, depth = waiting.pop()
        above = callers(analyser.program, here)
        entered = bool(roots(analyser, here))
        private = is_private(analyser, here, lock)
        if not above and not entered and nests and not (private and analyser.program.members(here)):
            return True
        for caller in above:
            calls = list(uses(analyser, caller, here.name))
            if any(use.may_hold(lock) for use in calls):
                return True
            if (caller.path, caller.name) in seen:
                continue
            if depth >= _DEEPEST or len(seen) >= _MOST:
                if nests:
                    return True
                continue
            seen.add((caller.path, caller.name))
            waiting.append((caller, depth + 1))
    return False
