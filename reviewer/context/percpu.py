# SPDX-License-Identifier: GPL-2.0-or-later
"""The number of the CPU and pointers to its data, and what keeps a task on that CPU.

Source: Documentation/locking/preempt-locking.rst, rule 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from reviewer.context.effects import Analysis, Event, EventKind
from reviewer.context.facts import OWN_CPU, TAKEN_AT, Facts
from reviewer.context.irqflags import disables_by_hand
from reviewer.context.schema import LockClass
from reviewer.context.state import Held, Origin, State
from reviewer.context.tables import Api
from reviewer.context.watch import Path, Watcher
from reviewer.model import Step
from reviewer.source.cfg import AnyNode, Assign, Call, Function, Guard, texts_of
from reviewer.source.expression import identifiers

_OF_A_CPU = re.compile(r"&?\*?(?:per_cpu|per_cpu_ptr|cpu_rq|cpu_data)\(.*\)")
_VARIABLE = re.compile(r"[A-Za-z_]\w*")


class OwnCpu(NamedTuple):
    """The CPU's number, or its data, as ``call`` told in ``line`` where the task could still be moved.

    ``pin`` and ``pinned`` are the call and line that ended that, or empty and 0; ``by_irq`` where it
    disabled interrupts.
    """

    line: int
    call: str
    pin: str = ""
    pinned: int = 0
    by_irq: bool = False


class PerCpu(Watcher):
    """Follows such values into a section that wants to stay on one CPU."""

    @staticmethod
    def matter(function: Function, api: Api) -> bool:
        """Whether ``function`` asks for its CPU."""
        nodes = function.nodes()
        return any(isinstance(node, Call) and api.own_cpu.fullmatch(node.name) for node in nodes)

    def before(self, node: AnyNode, path: Path) -> None:
        """Report a value from before the section that is used inside."""
        state, facts = path
        for variable, known in _all(facts):
            if state.dropped or bool(known.pinned) == _free(state, self._api):
                # A lock of the caller's kept the task there, something else keeps it, or the section is over.
                del facts[OWN_CPU, variable]
            elif known.pinned and any(variable in identifiers(text) for text in texts_of(node)):
                del facts[OWN_CPU, variable]
                told = (variable, known.call, known.pin, str(known.pinned), str(node.line))
                kind = EventKind.CPU_BEFORE_IRQS_OFF if known.by_irq else EventKind.CPU_BEFORE_PIN
                self._report(kind, known.line, variable, known.call, state, told)
        if (
            isinstance(node, Call)
            and node.args
            and node.name.startswith(self._api.cpu_pinned)
            and self._asks(node, state)
        ):
            step = Step(self._flow.function.path, node.line, self._flow.function.name, f"{node.name}()")
            kind, given = EventKind.CPU_PINNED, node.args[0]
            self._flow.note(Event(kind, self._flow.function, node.line, node.name, given, state, (step,), False, ()))
        if isinstance(node, Call) and self._asks(node, state) and not self._bound():
            self._asked(node, state, facts)
        elif isinstance(node, Call) and self._api.own_cpu.fullmatch(node.name) and not _free(state, self._api):
            self._flow.analysis.asks_pinned = True

    def _asks(self, node: Call, state: State) -> bool:
        return bool(self._api.own_cpu.fullmatch(node.name)) and _free(state, self._api)

    def _bound(self) -> bool:
        """Whether the file has threads or callbacks that stay on one CPU; which functions they run is not seen."""
        text = self._flow.analyser.program.files.read(self._flow.function.path) or b""
        return bool(self._api.bound_to_cpu.search(text))

    def _asked(self, node: Call, state: State, facts: Facts) -> None:
        lock = next((held for held in sorted(state.locks) if self._may_sleep_with(held)), None)
        if lock is not None and not state.dropped:
            shown = facts.get((TAKEN_AT, lock.expression), (lock.expression, 0, ""))[0]
            call = f"{node.name}()"
            self._report(EventKind.CPU_WHILE_PREEMPTIBLE, node.line, node.name, call, state, (shown, call))

    def after(self, node: AnyNode, path: Path) -> None:
        """Note new values, and the beginning of a section."""
        state, facts = path
        # Whoever disables interrupts may have disabled preemption before, as callees of the scheduler have: only what
        # a patch moves out of such a section is told of.
        by_irq = disables_by_hand(node, self._api)
        if by_irq or _pins(node, self._api):
            pin = (
                f"guard({node.cls})" if isinstance(node, Guard) else f"{node.name}()" if isinstance(node, Call) else ""
            )
            for variable, known in _all(facts):
                if not known.pinned:
                    facts[OWN_CPU, variable] = known._replace(pin=pin, pinned=node.line, by_irq=by_irq)
        elif (
            isinstance(node, Call)
            and self._api.own_cpu.fullmatch(node.name)
            and node.result
            and _free(state, self._api)
        ):
            if _VARIABLE.fullmatch(node.result):
                facts[OWN_CPU, node.result] = OwnCpu(node.line, f"{node.name}()")
        elif isinstance(node, Assign) and _VARIABLE.fullmatch(node.target) and _OF_A_CPU.fullmatch(node.value):
            for variable, known in _all(facts):
                if variable in identifiers(node.value) and not known.pinned:
                    facts[OWN_CPU, node.target] = known

    def _may_sleep_with(self, held: Held) -> bool:
        return self._api.classes.get(held.kind) is LockClass.SLEEPING and held.origin is Origin.TAKEN

    def _report(
        self, kind: EventKind, line: int, subject: str, call: str, state: State, detail: tuple[str, ...]
    ) -> None:
        function = self._flow.function
        step = Step(function.path, line, function.name, call)
        self._flow.note(Event(kind, function, line, subject, "", state, (step,), False, (), detail))


def _free(state: State, api: Api) -> bool:
    """Whether nothing here keeps the task on its CPU, as far as this function can tell."""
    pinned = state.preempt > 0 or state.bh > 0 or state.migrate > 0 or state.kmap > 0 or state.suffix > 0
    held = any(api.classes.get(lock.kind) not in (LockClass.SLEEPING, LockClass.READER) for lock in state.locks)
    return not (pinned or held or state.irq == "off" or state.entry or state.unsure or state.eqs)


def _pins(node: AnyNode, api: Api) -> bool:
    """Whether ``node`` disables preemption or migration by its own name."""
    if isinstance(node, Guard):
        counters = api.counter_guards.get(node.cls, {})
        return node.enter and ("preempt" in counters or "migrate" in counters)
    if not isinstance(node, Call):
        return False
    counters = api.counters.get(node.name, {})
    return "rcu" not in counters and (counters.get("preempt", 0) > 0 or counters.get("migrate", 0) > 0)


def newly_before_irqs_off(before: Analysis, after: Analysis) -> Iterator[Event]:
    """The CPU that a function asked for where it had seen to staying there, and asks for now before it does."""
    if before.asks_pinned and not any(event.kind is EventKind.CPU_BEFORE_IRQS_OFF for event in before.events):
        for event in after.events:
            if event.kind is EventKind.CPU_BEFORE_IRQS_OFF:
                yield event._replace(kind=EventKind.CPU_BEFORE_PIN)


def _all(facts: Facts) -> list[tuple[str, OwnCpu]]:
    return [(key[1], value) for key, value in facts.items() if key[0] == OWN_CPU]
