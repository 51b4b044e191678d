# SPDX-License-Identifier: GPL-2.0-or-later
"""What a function leaves held or disabled, or takes again, only since a patch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Set
from functools import partial
from typing import Final

from reviewer.context.balance import PAIRS, imbalance, placed, unnamed
from reviewer.context.body import counters_lowered
from reviewer.context.cursors import moves_on
from reviewer.context.effects import WALKED, Analysis, Event, EventKind, Exit, Taken
from reviewer.context.irqflags import left_disabled
from reviewer.context.locks import releases
from reviewer.context.state import State
from reviewer.context.tables import Api
from reviewer.source.cfg import Assign, Function, Loop
from reviewer.source.expression import last_member

_TWICE: Final = EventKind.TAKEN_TWICE


def newly_unbalanced(
    before: Analysis,
    after: Analysis,
    function: Function,
    came_from: Callable[[int], int | None],
    api: Api,
    *,
    handed_over: bool,
) -> Iterator[Event]:
    """One event for each lock or counter that a way out gave back in ``before`` and leaves held in ``after``.

    One more where interrupts were enabled again and now stay disabled.

    What the function was before is the best witness of what it is meant to do: its name and the value it returns do
    not count here, nor whatever was unclear about its ways out already. ``came_from`` tells for a line of the function
    which one it was; for a new return those of the same kind are asked, or all. One that never returned had none.
    ``handed_over`` says that the patch lets go of something elsewhere: then a function may have come to leave on every
    way what it lets go of only inside.
    """
    ways = _Ways(before, after, came_from)
    yield from _locks(ways, before.taken, after.taken, function, api, handed_over=handed_over)
    yield from _counters(ways, before.taken, function, api)
    if ("irq", "") in before.taken and ("irq", "") in after.taken:
        yield from _interrupts(ways, after.taken, function)


class _Ways:
    """The ways out of a function before and after a patch. ``unclear`` is what some old ones were in doubt of."""

    def __init__(self, before: Analysis, after: Analysis, came_from: Callable[[int], int | None]) -> None:
        self.was, self.now = ({unnamed(exit_) for exit_ in analysis.summary.exits} for analysis in (before, after))
        self.unclear = frozenset[str]().union(*(exit_.unsure for exit_ in self.was))
        self.came_from = came_from

    def that_newly(self, keep: Callable[[Exit], bool], doubts: Set[str]) -> list[Exit]:
        """Those that ``keep`` something which their like gave back before. None of them has one of the ``doubts``."""
        found = [exit_ for exit_ in self.now if keep(exit_) and not exit_.unsure & doubts]
        return [
            exit_
            for exit_ in found
            if ((earlier := self._earlier(exit_)) or not self.was) and not any(map(keep, earlier))
        ]

    def _earlier(self, exit_: Exit) -> list[Exit]:
        line = self.came_from(exit_.line)
        if line is None:
            return [old for old in self.was if old.value == exit_.value] or list(self.was)
        return [old for old in self.was if old.line == line]


def _locks(
    ways: _Ways, taken_before: Taken, taken: Taken, function: Function, api: Api, *, handed_over: bool
) -> Iterator[Event]:
    released = _released(function, api)
    walks = _walks(function)
    for lock in sorted(set(taken_before) & {lock for exit_ in ways.now for lock in exit_.gained}):
        name = last_member(lock[1])
        if name in api.handed_on:
            continue
        lines = released.get(name, [])
        # A second walk that lets go of what the first one took would show as a loop or release not there before.
        is_new = any(ways.came_from(line) is None for line in (*walks, *lines))
        known = ways.unclear if is_new else ways.unclear | {WALKED}
        wrong = ways.that_newly(partial(_gains, lock), {"locks", WALKED} - known)
        right = [exit_.line for exit_ in ways.now if not _gains(lock, exit_)]
        if not right and not handed_over and lines and not any(_gains(lock, exit_) for exit_ in ways.was):
            right = [0]
        if wrong and right:
            yield placed(imbalance(function, _first(wrong), min(right), State(), lock[1], "lock", lock[0]), lock, taken)


def _counters(ways: _Ways, taken_before: Taken, function: Function, api: Api) -> Iterator[Event]:
    for counter, raises, _, what in PAIRS:
        if (counter, "") not in taken_before:
            continue
        wrong = ways.that_newly(partial(_raises, counter), {counter} - ways.unclear)
        right = [exit_.line for exit_ in ways.now if not getattr(exit_, counter)]
        if not ways.was and counter in counters_lowered(function, api):
            right = [0]
        if wrong and right:
            yield imbalance(function, _first(wrong), min(right), State(), raises, what)


def _interrupts(ways: _Ways, taken: Taken, function: Function) -> Iterator[Event]:
    if any(map(left_disabled, ways.was)):
        return
    doubts = {"irq"} - ways.unclear
    left = [exit_ for exit_ in ways.now if left_disabled(exit_) and not exit_.gained and not exit_.unsure & doubts]
    if left:
        right = [exit_.line for exit_ in ways.now if not left_disabled(exit_)]
        wrong = imbalance(function, _first(left), min(right, default=0), State(), "interrupts", "irqs")
        yield placed(wrong, ("irq", ""), taken)


def _gains(lock: tuple[str, str], exit_: Exit) -> bool:
    return lock in exit_.gained


def _raises(counter: str, exit_: Exit) -> bool:
    value: int = getattr(exit_, counter)
    return value > 0


def _first(exits: list[Exit]) -> Exit:
    return min(exits, key=lambda exit_: exit_.line)


def newly_retaken(before: Analysis, after: Analysis) -> Iterator[Event]:
    """The locks that are taken while they are held, in a function that did not do so ``before``.

    Whether something that is called in between lets go of them for a moment is not known; the function got along
    without that.
    """
    known = {event.detail[0] for event in (*before.again, *before.events, *after.events) if event.kind is _TWICE}
    yield from (event for event in after.again if event.detail[0] not in known)


def _walks(function: Function) -> list[int]:
    """The lines that step a variable."""
    nodes = function.nodes()
    return [node.line for node in nodes if isinstance(node, Loop) or (isinstance(node, Assign) and moves_on(node))]


def _released(function: Function, api: Api) -> dict[str, list[int]]:
    """The lines on which the function itself lets go of locks, by their last member."""
    found: dict[str, list[int]] = defaultdict(list)
    for lock, line in releases(function, api):
        found[last_member(lock)].append(line)
    return found
