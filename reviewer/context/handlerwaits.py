# SPDX-License-Identifier: GPL-2.0-or-later
"""Waits for a work item, timer or interrupt handler with a lock held that it takes.

Source: kernel-doc of timer_delete_sync() (kernel/time/timer.c) and synchronize_irq() (kernel/irq/manage.c).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reviewer.context.acquire import HANDLER
from reviewer.context.effects import Acquisition, Analysis, Edge, Event, EventKind
from reviewer.context.setups import owner_of
from reviewer.model import Step
from reviewer.source.cfg import Assign, Call, Function
from reviewer.source.expression import last_member

if TYPE_CHECKING:
    from reviewer.context.analysis import Analyser

_FUNCTION = "function"


class HandlerWaits:
    """What the handlers of a program take, asked for one object at a time."""

    def __init__(self, analyser: Analyser) -> None:
        self._analyser = analyser

    def under_lock(self, function: Function, analysis: Analysis) -> Iterator[Event]:
        """An event for each wait in ``function`` with a lock held that the handler takes."""
        for edge in analysis.edges.values():
            if edge.acquisition.kind != HANDLER:
                continue
            lock = self._lock(function, edge)
            handlers = self._handlers(edge.acquisition.lock_class, function) if lock else ()
            taken = [self._takes(handler, lock, edge) for handler, _ in handlers]
            chosen = next((acquisition for acquisition in taken if acquisition is not None), None)
            if chosen is None or None in taken or any(_runs(one, function) for one in taken):
                continue
            handler, registered = handlers[taken.index(chosen)]
            detail = (lock.rpartition(":")[2], handler.name)
            context = (registered, *chosen.steps)
            yield Event.of_edge(EventKind.WAITS_FOR_HANDLER, function, edge, detail, context=context)

    def _lock(self, function: Function, edge: Edge) -> str:
        """The class of the lock that is held, if it is a global one or belongs to the object that has the handler."""
        expression = edge.held.expression
        if expression in self._analyser.api.named_locks:
            return expression
        found = self._analyser.program.lock_class(expression, function) or ""
        owner = owner_of(expression)
        if not owner:
            return found if ":" in found else ""
        return found if owner == owner_of(edge.acquisition.expression) else ""

    def _takes(self, handler: Function, lock: str, edge: Edge) -> Acquisition | None:
        for acquisition in self._analyser.summary(handler).acquisitions.values():
            exclusive = not self._analyser.api.kinds.exclusive.isdisjoint((acquisition.kind, edge.held.kind))
            if acquisition.lock_class == lock and exclusive and not acquisition.conditions:
                return acquisition
        return None

    def _handlers(self, of: str, user: Function) -> tuple[tuple[Function, Step], ...]:
        """The functions that are set up for the object ``of``, each with where."""
        found: dict[tuple[str, str], tuple[Function, Step]] = {}
        for function, node in self._analyser.set_ups.uses(of, user.path):
            for name in self._given(node):
                for handler in self._analyser.handed_over(name.removeprefix("&"), function):
                    text = f"{node.name}()" if isinstance(node, Call) else f".{_FUNCTION} ="
                    step = Step(function.path, node.line, function.name, f"{text} <- sets up {handler.name}()")
                    found.setdefault((handler.path, handler.name), (handler, step))
        return tuple(found.values())

    def _given(self, node: Call | Assign) -> tuple[str, ...]:
        """The functions that a call, or an assignment as to an hrtimer, sets up."""
        if isinstance(node, Assign):
            return (node.value,) if last_member(node.target) == _FUNCTION else ()
        positions = (
            registration.position[node.name]
            for registration in self._analyser.api.registrations
            if not registration.member and node.name in registration.position
        )
        return tuple(node.args[at] for at in positions if 0 < at < len(node.args))


def _runs(acquisition: Acquisition | None, function: Function) -> bool:
    """Whether the handler gets to the lock through ``function`` itself, which then waits for itself or never does."""
    steps = acquisition.steps if acquisition is not None else ()
    return any((step.path, step.function) == (function.path, function.name) for step in steps)
