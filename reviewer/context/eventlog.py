# SPDX-License-Identifier: GPL-2.0-or-later
"""What happens in one function, noted once for each context in which it happens."""

from __future__ import annotations

from typing import TypedDict, Unpack

from reviewer.context.effects import Analysis, Assumptions, Effect, Event, EventKind
from reviewer.context.facts import TAKEN_AT, Facts
from reviewer.context.since import begun
from reviewer.context.state import State
from reviewer.model import Step
from reviewer.source.cfg import Call, Function, Guard, Loop

_NOTHING: Assumptions = frozenset()


class Details(TypedDict, total=False):
    """What ``Event`` has fields of the same names for, where they are not empty."""

    masked: bool
    detail: tuple[str, ...]
    argument: str
    last: bool
    granted: Assumptions


class EventLog:
    """The events of ``function`` while its paths are followed.

    With ``outside_only`` nobody asks for more than its summary: nothing is noted that callers are not told.
    """

    def __init__(self, function: Function, *, outside_only: bool) -> None:
        self.function = function
        self.outside_only = outside_only
        self.analysis = Analysis()
        self._seen: set[tuple[object, ...]] = set()
        self._noted: dict[tuple[object, ...], int] = {}
        self._told: dict[tuple[object, ...], tuple[Step, ...]] = {}

    def clear(self) -> None:
        """Forget what was found, to follow the function once more."""
        self.analysis = Analysis()
        self._seen.clear()
        self._noted.clear()
        self._told.clear()

    def event(
        self,
        kind: EventKind,
        node: Call | Guard | Loop,
        state: State,
        facts: Facts,
        steps: tuple[Step, ...],
        **more: Unpack[Details],
    ) -> Event:
        """Something that happens here, which is not noted yet."""
        shown = tuple(
            (name, *facts[TAKEN_AT, name])
            for held in sorted(state.locks)
            if (TAKEN_AT, name := held.expression) in facts
        ) + begun(facts)
        return Event(
            kind,
            self.function,
            node.line,
            _callee(node),
            more.get("argument", ""),
            state,
            steps,
            more.get("masked", False),
            shown,
            more.get("detail", ()),
            last=more.get("last", False),
            granted=more.get("granted", _NOTHING),
        )

    def is_new(self, effect: Effect, line: int, state: State) -> bool:
        """Whether ``effect`` was not told as another one of the call on ``line`` yet.

        What happens at any time is not told again of the last reference to an object; several ways count as one, and
        so do objects that have several tables of operations.
        """
        others = tuple(way.steps for way in effect.others)
        if others and self._told.setdefault((effect.key, others, line, state), effect.steps) != effect.steps:
            return False
        *key, last, tables = effect.key
        inner = tuple((step.path, step.function) for step in effect.steps[1:2])
        if tables and self._told.setdefault((*key, last, inner, line, state), effect.steps) != effect.steps:
            return False
        if last and (*key, False, tables, inner, line, state) in self._seen:
            return False
        self._seen.add((*key, last, tables, inner, line, state))
        return True

    def note(self, event: Event) -> None:
        """Keep an event; the same thing in the same context once, and what is sure before all others."""
        if self.outside_only:
            return
        key = (event.kind, event.line, event.callee, event.state, event.masked, event.steps[-1:])
        events = self.analysis.events
        at = self._noted.setdefault(key, len(events))
        if at == len(events):
            events.append(event)
        elif event.is_sure and not events[at].is_sure:
            events[at] = event


def _callee(node: Call | Guard | Loop) -> str:
    return node.cls if isinstance(node, Guard) else node.name
