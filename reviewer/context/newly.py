# SPDX-License-Identifier: GPL-2.0-or-later
"""What a function leaves held or disabled, or takes again, only since a patch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Final

from reviewer.context.balance import PAIRS, imbalance, placed, unnamed
from reviewer.context.body import counters_lowered
from reviewer.context.cursors import moves_on
from reviewer.context.effects import WALKED, Analysis, Event, EventKind, Exit
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
    was, now = ({unnamed(exit_) for exit_ in analysis.summary.exits} for analysis in (before, after))
    unclear = frozenset[str]().union(*(exit_.unsure for exit_ in was))
    released = _released(function, api)
    walks = _walks(function)

    def earlier(exit_: Exit) -> list[Exit]:
        line = came_from(exit_.line)
        if line is None:
            return [old for old in was if old.value == exit_.value] or list(was)
        return [old for old in was if old.line == line]

    for lock in sorted(set(before.taken) & {lock for exit_ in now for lock in exit_.gained}):
        name = last_member(lock[1])
        lines = released.get(name, [])
        # A second walk that lets go of what the first one took would show as a loop or release not there before.
        known = unclear if any(came_from(line) is None for line in (*walks, *lines)) else unclear | {WALKED}
        wrong = [
            exit_
            for exit_ in now
            if lock in exit_.gained
            and not exit_.unsure & {"locks", WALKED} - known
            and ((old := earlier(exit_)) or not was)
            and not any(lock in o.gained for o in old)
        ]
        right = [exit_.line for exit_ in now if lock not in exit_.gained]
        if not right and not handed_over and lines and not any(lock in exit_.gained for exit_ in was):
            right = [0]
        if wrong and right and name not in api.handed_on:
            first = min(wrong, key=lambda exit_: exit_.line)
            yield placed(imbalance(function, first, min(right), State(), lock[1], "lock", lock[0]), lock, after.taken)
    for counter, raises, _, what in PAIRS:
        wrong = [
            exit_
            for exit_ in now
            if (counter, "") in before.taken
            and getattr(exit_, counter) > 0
            and not exit_.unsure & {counter} - unclear
            and ((old := earlier(exit_)) or not was)
            and not any(getattr(o, counter) > 0 for o in old)
        ]
        right = [exit_.line for exit_ in now if not getattr(exit_, counter)]
        if not was and counter in counters_lowered(function, api):
            right = [0]
        if wrong and right:
            yield imbalance(function, min(wrong, key=lambda e: e.line), min(right), State(), raises, what)
    if ("irq", "") in before.taken and ("irq", "") in after.taken and not any(map(left_disabled, was)):
        left = [e for e in now if left_disabled(e) and not e.gained and not e.unsure & {"irq"} - unclear]
        if left:
            right = [exit_.line for exit_ in now if not left_disabled(exit_)]
            first = min(left, key=lambda exit_: exit_.line)
            wrong_now = imbalance(function, first, min(right, default=0), State(), "interrupts", "irqs")
            yield placed(wrong_now, ("irq", ""), after.taken)


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
