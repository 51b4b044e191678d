# SPDX-License-Identifier: GPL-2.0-or-later
"""Locks that are taken in interrupts, and elsewhere with interrupts enabled.

Source: Documentation/locking/lockdep-design.rst, "Single-lock state rules". Whoever holds a raw spinlock of the core
has interrupts disabled, and that lock is taken in interrupts: what is taken inside it follows the same rule
("Multi-lock dependency rules").
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from reviewer.context.effects import Acquisition, Analysis, Event, EventKind, Interruptible
from reviewer.context.enabled import held_unsaid
from reviewer.context.entry import Entry, entries, ways_in
from reviewer.context.order import has_own_classes
from reviewer.context.schema import EntryKind, LockClass
from reviewer.model import Step
from reviewer.source.cfg import Function

if TYPE_CHECKING:
    from reviewer.context.analysis import Analyser

_HARD_ON_RT = frozenset((EntryKind.HARDIRQ, EntryKind.RAW_LOCK))
_HARD = _HARD_ON_RT | {EntryKind.HARDIRQ_THREADED}
_SOFT = frozenset((EntryKind.SOFTIRQ,))
_MOST_FUNCTIONS = 60


class Taker(NamedTuple):
    """A function that takes a lock in an interrupt: how it is entered, and what leads to the lock."""

    entry: Entry
    function: Function
    acquisition: Acquisition

    def runs(self, function: Function) -> bool:
        """Whether its way to the lock leads through ``function``: what sleeps there is wrong itself and shows nothing
        of interrupts."""
        place = (function.path, function.name)
        return any((step.path, step.function) == place for step in self.acquisition.steps)


_TABLE = re.compile(rb"^(?:static\s+)?const\s+struct\s+(\w+)\s+\w+\s*=\s*\{", re.MULTILINE)


class Handlers:
    """The functions of a program that take locks in interrupts, asked for one class at a time."""

    def __init__(self, analyser: Analyser) -> None:
        self._analyser = analyser
        self._found: dict[tuple[str, bool, frozenset[EntryKind], str], Taker | None] = {}

    def interruptible(self, function: Function, analysis: Analysis, entry: Entry | None) -> Iterator[Event]:
        """An event for each lock that ``function``, entered as ``entry`` says, takes with interrupts enabled for
        certain while an interrupt takes it too."""
        for found in analysis.interruptible.values():
            proof = self._proof(function, found, entry)
            if proof is None:
                continue
            on_rt, step = proof
            taker = self._taker(function, found, rt=on_rt)
            if taker is None:
                continue
            steps = found.acquisition.steps
            shown = (step,) if step is not None else self._registered(function, entry)
            yield Event(
                EventKind.INTERRUPTIBLE,
                function,
                found.line,
                steps[0].text,
                "",
                found.state._replace(rt=True) if on_rt else found.state,
                steps,
                False,
                (),
                (found.acquisition.lock_class.rpartition(":")[2], taker.function.name),
                (taker.entry.step, *taker.acquisition.steps, *shown),
            )

    def _proof(self, function: Function, found: Interruptible, entry: Entry | None) -> tuple[bool, Step | None] | None:
        """What shows that interrupts are enabled: whether only on PREEMPT_RT, and a step; None where nothing does."""
        raw = self._analyser.api.classes[found.acquisition.kind] is LockClass.RAW
        if entry is not None:
            threaded = raw and entry.kind is EntryKind.HARDIRQ_THREADED and not found.rt and not found.state.irq
            return (True, None) if threaded else None
        if found.rt:
            return True, found.proof
        if found.state.rt is True:
            return None
        if found.state.irq == "on" or found.proof is not None:
            return False, found.proof
        if held_unsaid(found.state, self._analyser.api):
            return None
        ways = ways_in(self._analyser.program, self._analyser.api, function)
        if ways and all(way.kind is EntryKind.TASK for way in ways):
            return False, ways[0].step
        return None

    def _registered(self, function: Function, entry: Entry | None) -> tuple[Step, ...]:
        """Where another function hands ``function`` over to whoever enters it."""
        if entry is None:
            return ()
        path, line = entry.step.path, entry.step.line
        extent = self._analyser.program.extent_at(path, line)
        if extent is None or extent.name == function.name:
            return ()
        return (Step(path, line, extent.name, f"<- hands over {function.name}()"),)

    def _taker(self, function: Function, found: Interruptible, *, rt: bool) -> Taker | None:
        acquisition = found.acquisition
        kinds = (_HARD_ON_RT,) if rt else (_HARD,) if acquisition.bh else (_HARD, _SOFT)
        for wanted in kinds:
            key = (acquisition.lock_class, self._is_shared(acquisition), wanted, function.path)
            if key not in self._found:
                self._found[key] = next(self._search(acquisition, wanted, function), None)
            taker = self._found[key]
            if taker is not None and self._is_left_out(taker, function, acquisition):
                others = self._search(acquisition, wanted, function)
                taker = next((other for other in others if not self._is_left_out(other, function, acquisition)), None)
            if taker is not None:
                return taker
        return None

    def _is_shared(self, acquisition: Acquisition) -> bool:
        return acquisition.kind in self._analyser.api.kinds.shared

    def _is_left_out(self, taker: Taker, function: Function, acquisition: Acquisition) -> bool:
        """Whether the interrupt says nothing: it runs ``function`` itself, or its handler is called by hand to take the
        lock, by a driver that keeps the interrupt from coming at times, as where it polls."""
        handler = (taker.function.path, taker.function.name)
        by_hand = any((step.path, step.function) == handler for step in acquisition.steps)
        return (
            taker.runs(function)
            or (by_hand and self._masks(taker.function.path))
            or self._are_variants(taker.function.path, function.path)
        )

    def _are_variants(self, one: str, other: str) -> bool:
        """Whether two files are for two kinds of device: each fills a table of operations of the folder's own."""
        folder = posixpath.dirname(one)
        if one == other or folder != posixpath.dirname(other):
            return False
        program = self._analyser.program
        both = set(_TABLE.findall(program.text(one) or b"")) & set(_TABLE.findall(program.text(other) or b""))
        return any(not program.mentions_below("include", name.decode("latin-1")) for name in both)

    def _masks(self, path: str) -> bool:
        names = {name.encode() for name, what in self._analyser.api.irq.items() if what == "masked"}
        return any(names & used for used in self._analyser.orders.words(path).values())

    def _search(self, wanted: Acquisition, kinds: frozenset[EntryKind], user: Function) -> Iterator[Taker]:
        analyser = self._analyser
        owner, _, member = wanted.lock_class.rpartition(":")[2].rpartition(".")
        words: dict[str, Mapping[str, frozenset[bytes]]] = {}
        for path in analyser.orders.paths(owner or member, member, user.path):
            text = analyser.program.text(path) or b""
            if has_own_classes(text, member):
                return
            words[path] = analyser.orders.words(path)
        for path, name in _reaching(words, member.encode())[:_MOST_FUNCTIONS]:
            for function in analyser.program.functions(path, name):
                yield from self._takes(function, wanted, kinds)

    def _takes(self, function: Function, wanted: Acquisition, kinds: frozenset[EntryKind]) -> Iterator[Taker]:
        analyser = self._analyser
        if not function.static and not analyser.program.filled(function):
            return
        for entry in entries(analyser.program, analyser.api, function):
            if entry.kind not in kinds:
                continue
            for acquisition in analyser.summary(function).acquisitions.values():
                both_share = self._is_shared(acquisition) and self._is_shared(wanted)
                if acquisition.lock_class == wanted.lock_class and not acquisition.conditions and not both_share:
                    yield Taker(entry, function, acquisition)


def newly_interruptible(before: Analysis, after: Analysis, function: Function) -> Iterator[Event]:
    """The locks with which a function disabled interrupts, and which it takes now with interrupts enabled."""
    disabling = {taken.lock_class for taken in before.summary.acquisitions.values() if _own(taken, "off")}
    otherwise = {taken.lock_class for taken in before.summary.acquisitions.values() if taken.irqs != "off"}
    for found in after.interruptible.values():
        taken = found.acquisition
        if found.rt or not _own(taken, "on") or taken.lock_class not in disabling - otherwise:
            continue
        yield Event(
            EventKind.IRQS_LEFT_ON,
            function,
            found.line,
            taken.steps[0].text,
            "",
            found.state,
            taken.steps,
            False,
            (),
            (taken.lock_class.rpartition(":")[2],),
            (found.proof,) if found.proof is not None else (),
        )


def _own(acquisition: Acquisition, irqs: str) -> bool:
    """Whether the function takes the lock itself, with interrupts as said."""
    return len(acquisition.steps) == 1 and acquisition.irqs == irqs


def _reaching(words: Mapping[str, Mapping[str, frozenset[bytes]]], word: bytes) -> list[tuple[str, str]]:
    """(file, name) of the functions that use ``word`` or call functions of these files that do, nearest first."""
    found: dict[tuple[str, str], None] = {}
    names = {word}
    while names:
        new = {
            (path, name): None
            for path, functions in words.items()
            for name, used in functions.items()
            if used & names and (path, name) not in found
        }
        found.update(new)
        names = {name.encode() for _, name in new}
    return list(found)
