# SPDX-License-Identifier: GPL-2.0-or-later
"""Variables that keep what a lock has to be given back: interrupt flags, the index of an SRCU reader.

Source: include/linux/irqflags.h, local_irq_save(); include/linux/srcu.h, srcu_read_lock().
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reviewer.context.effects import EventKind
from reviewer.context.facts import KEEPS, Facts
from reviewer.context.irqflags import interrupts_off
from reviewer.context.schema import LockClass
from reviewer.context.tables import Api, Operation
from reviewer.context.watch import Path, Watcher
from reviewer.model import Step
from reviewer.source.cfg import AnyNode, Assign, Call, Function, is_repeated, placed_calls
from reviewer.source.expression import identifiers

if TYPE_CHECKING:
    from reviewer.context.flow import Flow

FLAGS, INDEX = "interrupt flags", "SRCU index"


class Saved(Watcher):
    """Notes a second value for such a variable while the first is still needed."""

    def __init__(self, flow: Flow) -> None:
        super().__init__(flow)
        params = frozenset(flow.function.params)
        self._own = frozenset(flow.function.locals) - params | {f"*{name}" for name in params}

    @staticmethod
    def matter(function: Function, api: Api) -> bool:
        """Whether ``function`` saves anything twice, or may do it again."""
        kept = [(variable, block) for block, call in placed_calls(function) if (variable := saves(call, api)[0])]
        if len(kept) != len({variable for variable, _ in kept}):
            return True
        return any(is_repeated(function, block) for block in {block for _, block in kept})

    def before(self, node: AnyNode, path: Path) -> None:
        """Report what is overwritten, and forget what somebody else gets to know."""
        state, facts = path
        if isinstance(node, Assign):
            self._told(identifiers(node.value), facts)
        if not isinstance(node, Call):
            return
        variable, kind = saves(node, self._api)
        known = facts.get((KEEPS, variable)) if variable else None
        if known is None:
            if not variable:
                self._told({word for argument in node.args for word in identifiers(argument)}, facts)
                if self._enables(node):
                    self._told({key[1] for key, what in facts.items() if key[0] == KEEPS and what[0] == FLAGS}, facts)
            return
        if kind == FLAGS and not interrupts_off(state):
            return  # somebody has enabled them, who needs none
        function = self._flow.function
        step = Step(function.path, node.line, function.name, _text(node))
        _, line, call = known
        detail = (kind, variable, str(line), call)
        self._flow.note(self._flow.event(EventKind.SAVED_TWICE, node, state, facts, (step,), detail=detail))

    def after(self, node: AnyNode, path: Path) -> None:
        """Remember what has been saved."""
        _, facts = path
        if isinstance(node, Call):
            variable, kind = saves(node, self._api)
            if variable in self._own:
                facts[KEEPS, variable] = (kind, node.line, _text(node))

    def _enables(self, node: Call) -> bool:
        """Whether interrupts are enabled, so that the flags are not needed any more, or may be."""
        lock = self._api.locks.get(node.name)
        released = lock is not None and lock.operation is Operation.RELEASE and lock.suffix == "irq"
        return released or self._api.irq.get(node.name) in ("enable", "masked")

    @staticmethod
    def _told(words: set[str] | frozenset[str], facts: Facts) -> None:
        for word in words:
            facts.pop((KEEPS, word), None)
            facts.pop((KEEPS, f"*{word}"), None)


def saves(node: Call, api: Api) -> tuple[str, str]:
    """The variable in which a call keeps something, and what; empty where it does not."""
    if api.irq.get(node.name) == "save" and node.args:
        return node.args[0], FLAGS
    lock = api.locks.get(node.name)
    if lock is None or lock.operation is not Operation.ACQUIRE:
        return "", ""
    if lock.suffix == "irqsave" and len(node.args) > 1:
        return node.args[-1], FLAGS
    if api.classes[lock.kind] is LockClass.READER and node.result and node.result.isidentifier() and node.args:
        return node.result, INDEX
    return "", ""


def _text(node: Call) -> str:
    return f"{node.name}({', '.join(node.args)})"
