# SPDX-License-Identifier: GPL-2.0-or-later
"""Ask the checks about one function: its own events, entered as its callers and registrations say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reviewer.check import Check, Context, Report
from reviewer.context.analysis import Analyser
from reviewer.context.callbacks import paired
from reviewer.context.customs import held_by_all
from reviewer.context.effects import Analysis, Event, EventKind
from reviewer.context.entry import Entry, entries
from reviewer.context.fallibleguards import fallible_guards
from reviewer.context.nullchecks import unchecked
from reviewer.context.pairs import given_back_elsewhere
from reviewer.context.plainlists import plain_changes
from reviewer.context.since import SINCE
from reviewer.context.state import Origin, Reason
from reviewer.context.tables import LockKinds
from reviewer.context.transitions import guests_in_readers
from reviewer.granted import conditional
from reviewer.model import Kernels, Step
from reviewer.source.cfg import Function

_DISABLED = {
    "preempt": "preemption disabled",
    "irq": "interrupts disabled",
    "bh": "bottom halves disabled",
}
# Events whose own lines tell how it came to this.
_SHOWS = frozenset(
    (
        EventKind.UNBALANCED,
        EventKind.USE_AFTER_READER,
        EventKind.USE_AFTER_LOCK,
        EventKind.FREED_TOO_EARLY,
        EventKind.NULL_NOT_ASKED,
    )
)

_ORDERS = frozenset(
    (
        EventKind.LOCK_ORDER,
        EventKind.READER_ORDER,
        EventKind.DOCUMENTED_ORDER,
        EventKind.WAITS_FOR_HANDLER,
        EventKind.GUEST_IN_READER,
    )
)
_AGAIN = frozenset(
    (EventKind.TAKEN_TWICE, EventKind.READER_RECURSION, EventKind.WAITS_FOR_ITSELF, EventKind.READ_TWICE)
)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One report of one check. ``witness`` leads from where the context begins to the offending call.

    ``own`` is the number of leading steps of the witness that only show the context. ``entered`` tells whether the
    context comes from how the function is entered. ``masked`` ones are not told again but count in comparisons.
    """

    check: Check
    report: Report
    event: Event
    witness: tuple[Step, ...]
    own: int
    entered: bool
    masked: bool

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What makes two occurrences in two versions the same."""
        return (self.check.id, self.event.function.path, self.event.function.name, self.report.subject)

    @property
    def place(self) -> tuple[str, int, tuple[Step, ...]]:
        """Where it is, for telling equal reports apart."""
        return (self.check.id, self.event.line, self.event.steps)


def judge(
    analyser: Analyser, function: Function, checks: Sequence[Check], *, entered: bool = True, more: Sequence[Event] = ()
) -> Iterator[Occurrence]:
    """Every occurrence in ``function``, one for each place; ``entered`` asks for interrupts and callbacks too.

    ``more`` are events that the function's own analysis does not know of.
    """
    seen: set[tuple[object, ...]] = set()
    # What the body of a primitive does to the context is what the context is made of; a change of it may be wrong.
    primitive = analyser.api.is_primitive(function.name) and not function.static
    if primitive and not more:
        return
    if analyser.not_with_rt(function.path):
        checks = [check for check in checks if check.kernels is not Kernels.PREEMPT_RT]
    starts: list[tuple[Entry | None, Analysis]] = [(None, analyser.analyse(function))]
    ways_in = entries(analyser.program, analyser.api, function) if entered and not primitive else ()
    starts += [(way_in, analyser.analyse(function, way_in.state)) for way_in in ways_in]
    for entry, analysis in starts:
        orders = analyser.orders
        besides = (
            (
                *more,
                *orders.inversions(function, analysis),
                *orders.against_documents(function, analysis),
                *paired(analyser, function, analysis),
                *analyser.hrtimers.started(function),
                *guests_in_readers(analyser, function, analysis),
                *fallible_guards(analyser.program, function),
                *analyser.handler_waits.under_lock(function, analysis),
                *unchecked(analyser.program, analyser.api, function),
                *plain_changes(analyser.program, analyser.api, function),
            )
            if entry is None
            else ()
        )
        own = (
            e
            for e in analysis.events
            if e.kind is not EventKind.TIMER_WAIT
            and (e.kind is not EventKind.UNBALANCED or not given_back_elsewhere(analyser, e))
            and (e.kind is not EventKind.STALE_INSERT or not held_by_all(analyser, e.function))
        )
        waits = (analyser.hrtimers.wait(event) for event in analysis.events if event.kind is EventKind.TIMER_WAIT)
        waited = (event for event in waits if event is not None)
        interrupted = analyser.handlers.interruptible(function, analysis, entry)
        for event in (*own, *besides, *interrupted, *waited) if not primitive else more:
            context = Context(event, analyser.api)
            for check in checks:
                if event.kind not in check.events:
                    continue
                report = check.judge(context)
                if report is None:
                    continue
                report = conditional(report, event)
                reason = context.atomic(rt=check.kernels is Kernels.PREEMPT_RT)
                if entry is not None and not report.entered:
                    continue  # told for process context already
                if entry is not None:
                    lead = [*event.context, entry.step]
                else:
                    lead = [*event.context, *_context_steps(event, reason, analyser.api.kinds)]
                occurrence = Occurrence(
                    check, report, event, (*lead, *event.steps), len(lead), report.entered, event.masked
                )
                key = (*occurrence.identity, *occurrence.place, occurrence.masked)
                if key not in seen:
                    seen.add(key)
                    yield occurrence


def _context_steps(event: Event, reason: Reason | None, kinds: LockKinds) -> list[Step]:
    """The step that shows where the context began, as a reader would look for it."""
    locks = [one for one in event.shown if one[0] not in SINCE.values()]
    if event.kind in _SHOWS:
        return [Step(event.function.path, line, event.function.name, call) for _, _, line, call in locks]
    if event.kind in _ORDERS:
        return [Step(event.function.path, at, event.function.name, call) for _, _, at, call in locks if at]
    if event.kind in _AGAIN:
        lock, taken_on = event.detail
        return [
            Step(event.function.path, at, event.function.name, call)
            for _, shown, at, call in event.shown
            if shown == lock and at == int(taken_on)
        ]
    title = {**kinds.titles, **_DISABLED}.get(reason.what) if reason is not None else None
    if reason is None or title is None or (reason.origin is not Origin.TAKEN and reason.what not in SINCE):
        return []
    wanted = SINCE.get(reason.what, reason.expression)
    for expression, _, line, call in event.shown:
        if expression == wanted and line:
            return [Step(event.function.path, line, event.function.name, f"{call} <- {title}")]
    return []
