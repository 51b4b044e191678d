# SPDX-License-Identifier: GPL-2.0-or-later
"""Entry and exit of contexts in which RCU may not watch: what code does between them and behind them.

Source: Documentation/core-api/entry.rst; kernel-doc of irqentry_enter() and irqentry_exit(); include/linux/rcupdate.h,
rcu_read_lock().
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reviewer.context.acquire import GUEST
from reviewer.context.annotations import is_noinstr
from reviewer.context.effects import Analysis, Event, EventKind
from reviewer.context.facts import ENTERED, LEFT, Facts
from reviewer.context.schema import Watching
from reviewer.context.state import State
from reviewer.context.tables import Api
from reviewer.context.watch import Path, Watcher
from reviewer.model import Step
from reviewer.source.cfg import AnyNode, Call, Function, Guard, Return

if TYPE_CHECKING:
    from reviewer.context.analysis import Analyser
    from reviewer.context.flow import Flow

_NOT_WATCHING = frozenset((Watching.GUEST, Watching.IDLE))
_IDLE_CODE = "__cpuidle"
_RCU_GUARD = "rcu"


class Transitions(Watcher):
    """Follows such entries and exits within one function."""

    def __init__(self, flow: Flow) -> None:
        super().__init__(flow)
        function, table = flow.function, flow.api.transitions
        core = function.path.startswith(table.core) or is_noinstr(function) or _IDLE_CODE in function.words
        core = core or any(call.name in table.asks for call in function.calls())
        by_hand = (call for call in function.calls() if call.name in table.by_hand)
        self._first = None if core else min(by_hand, key=lambda call: call.line, default=None)
        self._instruments = {self._allows(call) for call in function.calls()} >= {1, -1}

    @staticmethod
    def matter(function: Function, api: Api) -> bool:
        """Whether ``function`` does anything of the kind."""
        names = {call.name for call in function.calls()}
        table = api.transitions
        return (
            not names.isdisjoint(table.by_hand)
            or not names.isdisjoint(table.last)
            or not names.isdisjoint(table.deprecated)
            or any(api.eqs.get(name) in _NOT_WATCHING for name in names)
            or any(api.counters.get(name, {}).get("instrumentation") for name in names)
            or is_noinstr(function)
        )

    def before(self, node: AnyNode, path: Path) -> None:
        """Report what must not be where it stands."""
        state, facts = path
        if isinstance(node, Return):
            if self._instruments and state.instrumentation > 0 and "instrumentation" not in state.unsure:
                self._note(EventKind.INSTRUMENTATION_LEFT, Call(node.line, "return", ()), state, facts, "return")
        elif isinstance(node, Guard):
            if node.enter and node.cls == _RCU_GUARD and state.eqs in _NOT_WATCHING:
                self._note(EventKind.RCU_IN_EQS, node, state, facts, f"guard({node.cls})()")
        elif isinstance(node, Call):
            self._called(node, state, facts)

    def after(self, node: AnyNode, path: Path) -> None:
        """Remember which of them has been passed."""
        _, facts = path
        if not isinstance(node, Call):
            return
        table = self._api.transitions
        if node.name in table.last:
            facts[LEFT, ""] = (node.name, node.line)
        elif node.name in table.enters:
            facts[ENTERED, ""] = (node.name, node.line)
        elif node.name in table.leaves:
            facts.pop((ENTERED, ""), None)

    def _called(self, node: Call, state: State, facts: Facts) -> None:
        table, text = self._api.transitions, f"{node.name}()"
        if node is self._first:
            self._note(EventKind.RCU_BY_HAND, node, state, facts, text)
        if node.name in table.deprecated and self._is_there(table.deprecated[node.name].split()[0]):
            self._note(EventKind.DEPRECATED, node, state, facts, text, table.deprecated[node.name])
        if (
            state.eqs in _NOT_WATCHING
            and state.is_certain("eqs")
            and (
                table.readers.fullmatch(node.name)
                or (table.traces.fullmatch(node.name) and not self._flow.body.noinstr and state.instrumentation <= 0)
            )
        ):
            self._note(EventKind.RCU_IN_EQS, node, state, facts, text)
        left, entered = facts.get((LEFT, "")), facts.get((ENTERED, ""))
        if left is not None and (self._sleeps(node) or _instruments(node, self._api) == 1):
            self._note(EventKind.AFTER_EXIT, node, state, facts, text, left[0], str(left[1]))
        elif entered is not None and self._sleeps(node):
            self._note(EventKind.SLEEPS_UNWATCHED, node, state, facts, text, entered[0], str(entered[1]))

    def _allows(self, node: Call) -> int:
        """1 where the call allows instrumentation and leaves it so, -1 where it forbids it again."""
        own = _instruments(node, self._api)
        if own or self._api.is_known(node.name) or self._api.opaque.fullmatch(node.name):
            return own
        callees = self._flow.analyser.callees(node.name, self._flow.function)
        exits = self._flow.analyser.summary(callees[0]).exits if len(callees) == 1 else ()
        changes = {exit_.instrumentation for exit_ in exits}
        return changes.pop() if len(changes) == 1 else 0

    def _is_there(self, name: str) -> bool:
        return bool(self._flow.analyser.program.resolve(name, self._flow.function.path))

    def _sleeps(self, node: Call) -> bool:
        """Whether the call sleeps whatever its arguments are, as far as one can see."""
        if self._api.is_known(node.name) or self._api.opaque.fullmatch(node.name):
            return self._api.sleeps_always(node.name) or node.name in self._api.sleeps_preempt_disabled
        callees = self._flow.analyser.callees(node.name, self._flow.function)
        return len(callees) == 1 and any(
            effect.kind is EventKind.SLEEP and not effect.conditions and not effect.assumed and not effect.masked
            for effect in self._flow.analyser.summary(callees[0]).effects.values()
        )

    def _note(self, kind: EventKind, node: Call | Guard, state: State, facts: Facts, text: str, *detail: str) -> None:
        function = self._flow.function
        step = Step(function.path, node.line, function.name, text)
        self._flow.note(self._flow.event(kind, node, state, facts, (step,), detail=detail))


def guests_in_readers(analyser: Analyser, function: Function, analysis: Analysis) -> Iterator[Event]:
    """An event for each way into a guest in a reader that others wait for.

    Who opens it beside the entry does so for what handles the exits without leaving the guest, as in
    arch/powerpc/kvm/book3s_hv.c.
    """
    for edge in analysis.edges.values():
        if edge.acquisition.kind != GUEST or len(edge.acquisition.steps) == 1:
            continue
        held = analyser.program.lock_class(edge.held.expression, function) or ""
        if held.rpartition(":")[2] in analyser.api.transitions.not_into_guest:
            yield Event.of_edge(EventKind.GUEST_IN_READER, function, edge, (edge.where[0],))


def _instruments(node: Call, api: Api) -> int:
    return api.counters.get(node.name, {}).get("instrumentation", 0)
