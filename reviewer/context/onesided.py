# SPDX-License-Identifier: GPL-2.0-or-later
"""Locks and counters whose only release, or only acquisition, a patch has taken out of a function."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reviewer.context.balance import PAIRS, imbalance, placed
from reviewer.context.callers import callers
from reviewer.context.effects import WALKED, Analysis, Event, Exit
from reviewer.context.irqflags import left_disabled
from reviewer.context.locks import acquires, releases
from reviewer.context.state import State
from reviewer.context.tables import Api
from reviewer.model import Step
from reviewer.source.cfg import Function
from reviewer.source.expression import last_member

if TYPE_CHECKING:
    from reviewer.context.analysis import Analyser


def newly_one_sided(
    before: Analysis, after: Analysis, old: Function, new: Function, analyser: Analyser
) -> Iterator[Event]:
    """One event for each lock or counter that all ways out gave back ``before`` and all leave changed ``after``.

    Interrupts that were disabled by hand and are no longer enabled again count as one.
    The function calls nothing that it did not call before, which could stand in for what was taken out. Silent where a
    caller or another function of the file does the other half alone: then the patch mends what was done twice.
    """
    was, now = before.summary.exits, after.summary.exits
    if not was or not now or not {node.name for node in new.calls()} <= {node.name for node in old.calls()}:
        return
    first = min(now, key=lambda exit_: exit_.line)
    others = _others(analyser, new)
    for lock in sorted(before.taken) if _is_sure(*was, *now, about=("locks", WALKED)) else ():
        name = last_member(lock[1])
        if not lock[1] or any(lock in exit_.gained | exit_.released | exit_.perhaps for exit_ in was):
            continue
        # What is called and not followed was called before, too, when the function gave the lock back itself.
        if all(lock in left for _, left in after.left_with):
            if not any(_change(other, name, analyser.api) < 0 for other in others):
                yield placed(imbalance(new, first, None, State(), lock[1], "lock", lock[0]), lock, after.taken)
        elif all(lock in exit_.released for exit_ in now):
            lines = [line for expression, line in releases(new, analyser.api) if last_member(expression) == name]
            if lines and not any(_change(other, name, analyser.api) > 0 for other in others):
                wrong = imbalance(new, first, None, State(), lock[1], "lock let go", lock[0])
                yield _at_release(wrong, min(lines), wrong.callee)
    # A call that is not followed is no doubt here: who enables interrupts for its caller is called with them off.
    if (
        not any(left_disabled(exit_) or "irq" in exit_.unsure for exit_ in was)
        and all(left_disabled(exit_) and not exit_.gained for exit_ in now)
        and _switched(new, analyser.api) > 0
        and not any(_switched(other, analyser.api) < 0 for other in others)
    ):
        yield placed(imbalance(new, first, None, State(), "interrupts", "irqs"), ("irq", ""), after.taken)
    for counter, raises, lowers, what in PAIRS:
        if (counter, "") not in before.taken or not _is_sure(*was, about=(counter,)):
            continue
        if any(getattr(exit_, counter) for exit_ in was):
            continue
        if all(getattr(exit_, counter) > 0 for exit_ in now):
            if not any(_counted(other, counter, analyser.api) < 0 for other in others):
                yield imbalance(new, first, None, State(), raises, what)
        elif all(getattr(exit_, counter) < 0 and counter not in exit_.unsure for exit_ in now):
            lines = [node.line for node in new.calls() if analyser.api.counters.get(node.name, {}).get(counter, 0) < 0]
            if lines and not any(_counted(other, counter, analyser.api) > 0 for other in others):
                wrong = imbalance(new, first, None, State(), lowers, f"{what} let go")
                yield _at_release(wrong, min(lines), lowers)


def _is_sure(*exits: Exit, about: tuple[str, ...]) -> bool:
    return not any(exit_.unsure.intersection(about) for exit_ in exits)


def _at_release(event: Event, line: int, text: str) -> Event:
    """The event at the release that has lost its counterpart."""
    step = Step(event.function.path, line, event.function.name, text)
    return event._replace(line=line, steps=(step,))


def _others(analyser: Analyser, function: Function) -> tuple[Function, ...]:
    """The other functions of the file, and the callers."""
    program, path = analyser.program, function.path
    names = {extent.name for extent in program.extents(path)} - {function.name}
    beside = (other for name in sorted(names) for other in program.functions(path, name))
    return (*beside, *(caller for caller in callers(program, function) if caller.path != path))


def _change(function: Function, name: str, api: Api) -> int:
    """Whether ``function`` itself only takes (1) or only releases (-1) locks whose last member is ``name``."""
    takes = any(last_member(lock) == name for _, lock in acquires(function, api))
    gives = any(last_member(lock) == name for lock, _ in releases(function, api))
    return takes - gives


def _switched(function: Function, api: Api) -> int:
    """Whether ``function`` itself only disables interrupts by hand (1) or only enables them (-1)."""
    kinds = {api.irq.get(node.name) for node in function.calls()}
    return bool(kinds & {"disable", "save"}) - bool(kinds & {"enable", "restore"})


def _counted(function: Function, counter: str, api: Api) -> int:
    """Whether ``function`` itself only raises (1) or only lowers (-1) ``counter``."""
    changes = [api.counters.get(node.name, {}).get(counter, 0) for node in function.calls()]
    return any(change > 0 for change in changes) - any(change < 0 for change in changes)
