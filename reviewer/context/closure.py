# SPDX-License-Identifier: GPL-2.0-or-later
"""Summaries of functions over everything that they call, however deep, each computed once.

Callees come before their callers; functions that call each other in a circle are computed together until their
summaries no longer change. What a summary says therefore does not depend on which function was asked about first.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from reviewer.context.effects import EMPTY, Summary
from reviewer.context.filesets import Numbers
from reviewer.context.moved import moved_summary
from reviewer.source.cfg import Call, Function, Return
from reviewer.source.unlike import Unlike

_ROUNDS = 8
"""After so many rounds a circle of functions is taken as it is. Summaries are bounded; few need more than three."""


_FEW = 4
"""Where more than one of so many functions of a circle differs from the base, it is computed anew."""


class Key(NamedTuple):
    """A function of a tree, as one choice of preprocessor arms makes it."""

    path: str
    name: str
    line: int
    reading: int


def key_of(function: Function) -> Key:
    """The key of ``function``."""
    return Key(function.path, function.name, function.line, function.reading)


class Keeper(Protocol):
    """Summaries of one tree that were computed by an earlier run; ``reviewer.context.kept`` has them."""

    def find(self, function: Function) -> Known | None:
        """The summary of ``function``, where it is kept and still true."""

    def keep(self, circle: Mapping[Key, Known]) -> None:
        """Keep the summaries of a circle: who looks for them finds all of them or none."""


class Peer(Protocol):
    """Another process that computes summaries of the same tree, and keeps them where ``Keeper`` finds them."""

    def begin(self, circle: int) -> None:
        """Tell it which circle is being computed here; 0 for none."""

    def is_at(self, circle: int) -> bool:
        """Whether it computes that one now. What it has done when it turns to another can be found."""

    def wait(self, circle: int) -> None:
        """Wait until it is no longer at that one, or has had time enough: ``is_at`` does not hold afterwards."""


class Known:
    """A summary, and the set of files (see ``Numbers``) in which it and everything that it rests on is written.

    A summary that is given as a function is made when it is asked for: most are only there for their files.
    """

    __slots__ = ("_summary", "files")

    def __init__(self, summary: Summary | Callable[[], Summary], files: int) -> None:
        self._summary = summary
        self.files = files

    @property
    def summary(self) -> Summary:
        """The summary."""
        if not isinstance(self._summary, Summary):
            self._summary = self._summary()
        return self._summary


class Base(NamedTuple):
    """The summaries of another tree, and what differs from it: what rests on nothing that does is the same in both."""

    closure: Closure
    unlike: Unlike


class Closure:
    """The summaries of one tree. ``callees`` and ``summarise`` look at one function."""

    def __init__(
        self,
        callees: Callable[[Function], Sequence[Function]],
        summarise: Callable[[Function], Summary],
        base: Base | None = None,
    ) -> None:
        self._callees = callees
        self._summarise = summarise
        self._base = base
        self.numbers: Numbers = base.closure.numbers if base is not None else Numbers()
        self._unlike = self.numbers.set_of(base.unlike.files) if base is not None else 0
        self._edited = self.numbers.set_of(base.unlike.edits) if base is not None else 0
        self._alike: dict[Key, bool] = {}
        self._known: dict[Key, Known] = {}
        self.keeper: Keeper | None = None
        self.peer: Peer | None = None
        self.backwards = False
        """Whether to go from the last callee to the first: of two processes one does. It changes no summary."""
        self._busy = False
        self._circle: dict[Key, Summary] = {}
        # Of the functions that are being ordered and computed only: it keeps them in memory.
        self._below: dict[Key, Sequence[Function]] = {}

    def summary(self, function: Function) -> Summary:
        """The summary of ``function``; inside a circle that is being computed, the one of the last round."""
        key = key_of(function)
        if key in self._circle:
            return self._circle[key]
        found = self._known.get(key)
        return (found if found is not None else self.known(function)).summary

    def is_open(self, function: Function) -> bool:
        """Whether ``function`` belongs to a circle that is being computed."""
        return key_of(function) in self._circle

    def known(self, function: Function) -> Known:
        """The summary of ``function`` with the files that it rests on."""
        found = self._ready(function)
        if found is None:
            self._compute_all(self._order(function))
            found = self._known[key_of(function)]
        return found

    def _compute_all(self, circles: Iterable[list[Function]]) -> None:
        """Compute circles, callees first. What the peer is at is put off, with all that rests on it."""
        if self._busy:
            for circle in circles:
                self._compute(circle)
            return
        self._busy = True
        try:
            waiting = [circle for circle in circles if not self._is_done(circle, self.peer)]
            while waiting:
                left = [circle for circle in waiting if not self._is_done(circle, self.peer)]
                if len(left) == len(waiting) and self.peer is not None:
                    self.peer.wait(_number(left[0]))  # callees come first: nothing else can be in its way
                    self._take_or_compute(left.pop(0), self.peer)
                waiting = left
        finally:
            self._busy = False

    def _is_done(self, circle: list[Function], peer: Peer | None) -> bool:
        """Whether the summaries of a circle are known: they are now, unless the peer is at it or at its callees."""
        if peer is None:
            self._compute(circle)
            return True
        members = {key_of(function): function for function in circle}
        called = {key_of(callee) for key, function in members.items() for callee in self._called(key, function)}
        if not called <= self._known.keys() | members.keys() or peer.is_at(_number(circle)):
            return False
        self._take_or_compute(circle, peer)
        return True

    def _take_or_compute(self, circle: list[Function], peer: Peer) -> None:
        """Have the summaries of a circle from the peer where they are there, else compute them."""
        if None in [self._ready(function) for function in circle]:
            peer.begin(_number(circle))
            try:
                self._compute(circle)
            finally:
                peer.begin(0)

    def _ready(self, function: Function) -> Known | None:
        key = key_of(function)
        found = self._known.get(key)
        if found is None:
            if self._base is not None:
                found = self._as_in_base(function, self._base)
            elif self.keeper is not None:
                found = self.keeper.find(function)
            if found is not None:
                self._known[key] = found
        return found

    def _as_in_base(self, function: Function, base: Base) -> Known | None:
        """The summary from the base, where nothing differs in the files that it rests on."""
        same = base.unlike.counterpart(function)
        found = base.closure.known(same) if same is not None else None
        if found is None or found.files & (self._unlike | self._edited):
            return None
        self._alike[key_of(function)] = True
        return found

    def _taken_over(self, members: Mapping[Key, Function], below: Iterable[Function], files: int, base: Base) -> bool:
        """Take the summaries of a circle from the base, if all that it calls is to its callers what it is there."""
        same = {key: base.unlike.counterpart(function) for key, function in members.items()}
        if None in same.values() or not all(self._is_alike(callee, base) for callee in below):
            return False
        for key, function in same.items():
            if function is not None:
                found = base.closure.known(function)
                self._alike[key] = True
                self._known[key] = Known(partial(self._moved, found, function.path, base), files)
        return True

    def _says_the_same(
        self, members: Mapping[Key, Function], below: Mapping[Key, Mapping[Key, Function]], files: int, base: Base
    ) -> bool:
        """Take the summaries of a circle from the base, if the few functions in it that differ say what they said.

        They must do so with the summaries of the base, and at the begin, when nothing is known of the circle: else
        two functions could bear each other out in what neither of them does any more. What they said is asked once
        more: what does not decide whether a circle is settled may be older in its summaries.
        """
        old = {key: base.unlike.namesake(function) for key, function in members.items()}
        changed = [key for key, function in members.items() if base.unlike.counterpart(function) is None]
        differing = [
            key
            for key in members
            if key in changed
            or any(callee in changed for callee in below[key])
            or not all(self._is_alike(c, base) for callee, c in below[key].items() if callee not in members)
        ]
        before = [function for function in old.values() if function is not None]
        if len(before) < len(members) or len(differing) > len(members) // _FEW:
            return False
        was = {
            key: self._moved(base.closure.known(function), function.path, base)
            for key, function in zip(members, before, strict=True)
        }
        known = {key_of(function): base.closure.known(function).summary for function in before}
        for there, here in ((dict.fromkeys(known, EMPTY), dict.fromkeys(members, EMPTY)), (known, was)):
            for key in differing:
                function = old[key]
                said = base.closure.with_circle(there, function) if function is not None else EMPTY
                if moved_summary(said, key.path, base.unlike.moves).told != self.with_circle(here, members[key]).told:
                    return False
        self._settle({key: Known(summary, files) for key, summary in was.items()})
        return True

    def with_circle(self, circle: Mapping[Key, Summary], function: Function) -> Summary:
        """The summary of ``function`` where these are the summaries of what it is in a circle with."""
        self._circle.update(circle)
        try:
            return self._summarise(function)
        finally:
            for key in circle:
                del self._circle[key]

    def _is_alike(self, function: Function, base: Base) -> bool:
        """Whether callers of ``function``, whose summary is known, find in it what they find in the base."""
        key = key_of(function)
        if key not in self._alike:
            self._alike[key] = False  # for those that it is in a circle with
            twin = base.unlike.twin(function)
            if twin is not None:
                was = self._moved(base.closure.known(twin), twin.path, base)
                self._alike[key] = was.told == self._known[key].summary.told and (
                    # Callers read the text of an expression, and that of what it calls.
                    not _is_expression(function)
                    or all(self._is_alike(callee, base) for callee in self._callees(function))
                )
        return self._alike[key]

    @staticmethod
    def _moved(known: Known, path: str, base: Base) -> Summary:
        return moved_summary(known.summary, path, base.unlike.moves)

    def _order(self, start: Function) -> Iterator[list[Function]]:
        """The circles below ``start`` that are not computed yet, callees first (Tarjan, SIAM J. Comput. 1972)."""
        index: dict[Key, int] = {}
        lowest: dict[Key, int] = {}
        stack: list[Function] = []
        on_stack: set[Key] = set()
        work: list[tuple[Function, Iterator[Function]]] = []

        def enter(function: Function) -> None:
            key = key_of(function)
            index[key] = lowest[key] = len(index)
            stack.append(function)
            on_stack.add(key)
            callees = self._called(key, function)
            work.append((function, reversed(callees) if self.backwards else iter(callees)))

        enter(start)
        while work:
            function, remaining = work[-1]
            key = key_of(function)
            for callee in remaining:
                other = key_of(callee)
                if other in on_stack:
                    lowest[key] = min(lowest[key], index[other])
                elif other not in index and self._ready(callee) is None:
                    enter(callee)
                    break
            else:
                work.pop()
                if work:
                    above = key_of(work[-1][0])
                    lowest[above] = min(lowest[above], lowest[key])
                if lowest[key] == index[key]:
                    circle: list[Function] = []
                    while not circle or circle[-1] is not function:
                        circle.append(stack.pop())
                        on_stack.discard(key_of(circle[-1]))
                    yield self._callees_first(sorted(circle, key=key_of))
                    for done in circle:
                        self._below.pop(key_of(done), None)

    def _called(self, key: Key, function: Function) -> Sequence[Function]:
        found = self._below.get(key)
        if found is None:
            found = self._below[key] = self._callees(function)
        return found

    def _callees_first(self, circle: Sequence[Function]) -> list[Function]:
        """A circle in the order in which news spreads fastest: half as many rounds as by name in a large one."""
        if len(circle) == 1:
            return [*circle]
        left = {key_of(function) for function in circle}
        found: list[Function] = []
        for first in circle:
            work = [(first, iter(self._called(key_of(first), first)))] if key_of(first) in left else []
            left.discard(key_of(first))
            while work:
                function, remaining = work[-1]
                callee = next((callee for callee in remaining if key_of(callee) in left), None)
                if callee is None:
                    found.append(function)
                    work.pop()
                else:
                    left.discard(key_of(callee))
                    work.append((callee, iter(self._called(key_of(callee), callee))))
        return found

    def _compute(self, circle: list[Function]) -> None:
        members = {key_of(function): function for function in circle}
        below = {key: {key_of(c): c for c in self._called(key, function)} for key, function in members.items()}
        outside = {key: c for callees in below.values() for key, c in callees.items() if key not in members}
        files = self.numbers.set_of(function.path for function in circle)
        for callee in outside.values():
            files |= self.known(callee).files
        if self._base is not None and self._taken_over(members, outside.values(), files, self._base):
            return
        if len(circle) == 1 and key_of(circle[0]) not in below[key_of(circle[0])]:
            self._settle({key_of(circle[0]): Known(self._summarise(circle[0]), files)})
            return
        if self._base is not None and self._says_the_same(members, below, files, self._base):
            return
        above = {key: [other for other in members if key in below[other]] for key in members}
        self._circle.update(dict.fromkeys(members, EMPTY))
        waiting = set(members)
        for _ in range(_ROUNDS):
            for key, function in members.items():
                if key not in waiting:  # which may have come to wait in this round: news goes all the way up
                    continue
                waiting.discard(key)
                new = self._summarise(function)
                if new.whole != self._circle[key].whole:
                    waiting.update(above[key])
                self._circle[key] = new
            if not waiting:
                break
        self._settle({key: Known(self._circle.pop(key), files) for key in members})

    def _settle(self, circle: Mapping[Key, Known]) -> None:
        self._known.update(circle)
        for key in circle:
            self._below.pop(key, None)
        if self.keeper is not None:
            self.keeper.keep(circle)


def _number(circle: Sequence[Function]) -> int:
    """A number for a circle, the same in every process and never 0; two with the same are not computed at once."""
    return zlib.crc32(circle[0].name.encode()) + 1


def _is_expression(function: Function) -> bool:
    """Whether ``function`` is a macro, or returns one expression and does nothing else."""
    others = [node for node in function.nodes() if not isinstance(node, Call)]
    return "macro" in function.words or (len(others) == 1 and isinstance(others[0], Return) and bool(others[0].value))
