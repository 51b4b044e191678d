# SPDX-License-Identifier: GPL-2.0-or-later
"""Locks and counters whose only release, or only acquisition, a patch has taken out of a function."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, NamedTuple

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
    change = _Change(before, after, new, analyser.api, _others(analyser, new))
    if _is_sure(*was, *now, about=("locks", WALKED)):
        yield from _locks(change)
    yield from _interrupts(change)
    yield from _counters(change)


class _Change(NamedTuple):
    """What a patch does to ``function``; ``others`` are the functions that may do the other half."""

    before: Analysis
    after: Analysis
    function: Function
    api: Api
    others: tuple[Function, ...]

    @property
    def was(self) -> Collection[Exit]:
        """The ways out before the patch."""
        return self.before.summary.exits

    @property
    def now(self) -> Collection[Exit]:
        """Those after it."""
        return self.after.summary.exits

    def wrong(self, subject: str, what: str, kind: str = "") -> Event:
        """The event of the first way out, where all leave ``subject`` otherwise than they should."""
        first = min(self.now, key=lambda exit_: exit_.line)
        return imbalance(self.function, first, None, State(), subject, what, kind)


def _locks(change: _Change) -> Iterator[Event]:
    was, now, api = change.was, change.now, change.api
    for lock in sorted(change.before.taken):
        kind, expression = lock
        name = last_member(expression)
        if not expression or any(lock in exit_.gained | exit_.released | exit_.perhaps for exit_ in was):
            continue
        # What is called and not followed was called before, too, when the function gave the lock back itself.
        if all(lock in left for _, left in change.after.left_with):
            if not any(_change(other, name, api) < 0 for other in change.others):
                yield placed(change.wrong(expression, "lock", kind), lock, change.after.taken)
        elif all(lock in exit_.released for exit_ in now):
            lines = [line for released, line in releases(change.function, api) if last_member(released) == name]
            if lines and not any(_change(other, name, api) > 0 for other in change.others):
                wrong = change.wrong(expression, "lock let go", kind)
                yield _at_release(wrong, min(lines), wrong.callee)


def _interrupts(change: _Change) -> Iterator[Event]:
    # A call that is not followed is no doubt here: who enables interrupts for its caller is called with them off.
    if (
        not any(left_disabled(exit_) or "irq" in exit_.unsure for exit_ in change.was)
        and all(left_disabled(exit_) and not exit_.gained for exit_ in change.now)
        and _switched(change.function, change.api) > 0
        and not any(_switched(other, change.api) < 0 for other in change.others)
    ):
        yield placed(change.wrong("interrupts", "irqs"), ("irq", ""), change.after.taken)


def _counters(change: _Change) -> Iterator[Event]:
    api, others = change.api, change.others
    for counter, raises, lowers, what in PAIRS:
        if (counter, "") not in change.before.taken or not _is_sure(*change.was, about=(counter,)):
            continue
        if any(getattr(exit_, counter) for exit_ in change.was):
            continue
        if all(getattr(exit_, counter) > 0 for exit_ in change.now):
            if not any(_counted(other, counter, api) < 0 for other in others):
                yield change.wrong(raises, what)
        elif all(getattr(exit_, counter) < 0 and counter not in exit_.unsure for exit_ in change.now):
            calls = change.function.calls()
            lines = [node.line for node in calls if api.counters.get(node.name, {}).get(counter, 0) < 0]
            if lines and not any(_counted(other, counter, api) > 0 for other in others):
                yield _at_release(change.wrong(lowers, f"{what} let go"), min(lines), lowers)


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
