# SPDX-License-Identifier: GPL-2.0-or-later
"""Questions that code asks about its own context: whether it may sleep, whether interrupts are disabled.

Source: include/linux/preempt.h, in_atomic(); Documentation/locking/locktypes.rst, spinlock_t and PREEMPT_RT.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reviewer.context.effects import Event, EventKind
from reviewer.context.facts import IRQ_TEST, TAKEN_AT, Facts
from reviewer.context.locks import canonical
from reviewer.context.schema import LockClass
from reviewer.context.state import Origin, State
from reviewer.context.tables import Api
from reviewer.context.watch import Path, Watcher
from reviewer.model import Step
from reviewer.source.cfg import AnyNode, Call, Edge, Function

_IN_ATOMIC = "in_atomic"
_RCU_DEPTH = "rcu_preempt_depth"
_IRQS_DISABLED = "irqs_disabled"
_ASSERTION = "lockdep_assert_irqs_disabled"
_HELD = frozenset(("lockdep_assert_held", "lockdep_assert_held_write", "assert_spin_locked"))


class ContextTests(Watcher):
    """Notes decisions by in_atomic(), and assertions of disabled interrupts under a spinlock_t."""

    @staticmethod
    def matter(function: Function, api: Api) -> bool:
        """Whether ``function`` asks any of it."""
        return any(call.name in (_IN_ATOMIC, _ASSERTION) or _tests(call, api) for call in function.calls())

    def before(self, node: AnyNode, path: Path) -> None:
        """Note a question; a value that is not kept is not decided by."""
        state, facts = path
        if not isinstance(node, Call):
            return
        if node.name == _IN_ATOMIC and node.result is not None:
            if not any(_allows(call) for call in self._flow.function.calls()):
                self._note(EventKind.ASKS_IN_ATOMIC, node.line, f"{_IN_ATOMIC}()", state, ())
        elif node.name == _ASSERTION:
            self._asserted(node.line, f"{_ASSERTION}()", state, facts)
        elif node.name.startswith("WARN_ON") and node.args[:1] == ("!irqs_disabled()",):
            self._asserted(node.line, f"{node.name}(!irqs_disabled())", state, facts)

    def after(self, node: AnyNode, path: Path) -> None:
        """Keep in mind what holds the answer."""
        _, facts = path
        if isinstance(node, Call) and _tests(node, self._api) and node.result is not None:
            facts[IRQ_TEST, node.result] = node.line

    def conditions(self, edges: Iterable[Edge], path: Path) -> None:
        """A branch that goes nowhere where interrupts are enabled is an assertion, as with BUG_ON()."""
        state, facts = path
        for edge in edges:
            target = self._flow.function.blocks[edge.target]
            for literal in edge.literals:
                line = facts.get((IRQ_TEST, literal.left))
                enabled = literal.right == 0 and literal.holds == (literal.operator == "==")
                if line is not None and enabled and not target.nodes and not target.edges:
                    self._asserted(line, "BUG_ON(!irqs_disabled())", state, facts)

    def _asserted(self, line: int, text: str, state: State, facts: Facts) -> None:
        """Report where a spinlock_t is held and nothing else has disabled interrupts."""
        if state.irq == "off" or state.preempt > 0 or state.entry or state.unsure or state.rt is False:
            return
        kinds = {held: self._api.classes.get(held.kind) for held in state.locks}
        if any(kind not in (LockClass.SPIN, LockClass.SLEEPING, LockClass.READER) for kind in kinds.values()):
            return
        for held, kind in sorted(kinds.items()):
            if kind is LockClass.SPIN and (state.suffix > 0 or held.origin is Origin.ASSERTED):
                shown = facts.get((TAKEN_AT, held.expression), (held.expression, 0, ""))[0]
                self._note(EventKind.ASSERTS_IRQS_OFF, line, text, state, (shown,))
                return
        lock = next(self._asserted_locks(), None) if not state.locks else None
        if lock is not None:
            self._note(EventKind.ASSERTS_IRQS_OFF, line, text, state, (lock,))

    def _asserted_locks(self) -> Iterator[str]:
        """The spinlock_t that the function wants held, wherever it says so."""
        function = self._flow.function
        for call in function.calls():
            if call.name in _HELD and call.args:
                expression = canonical(function, call.args[0])
                kind = self._flow.analyser.lock_kind(function, expression)
                if self._api.classes.get(kind) is LockClass.SPIN:
                    yield call.args[0].removeprefix("&")

    def _note(self, kind: EventKind, line: int, text: str, state: State, detail: tuple[str, ...]) -> None:
        function = self._flow.function
        step = Step(function.path, line, function.name, text)
        self._flow.note(Event(kind, function, line, text, "", state, (step,), False, (), detail))


def _allows(call: Call) -> bool:
    """Whether the function asks for RCU readers too, or asks in_atomic() in order to complain."""
    return call.name == _RCU_DEPTH or any(f"{_IN_ATOMIC}()" in argument for argument in call.args)


def _tests(call: Call, api: Api) -> bool:
    return call.name == _IRQS_DISABLED and call.name in api.predicates
