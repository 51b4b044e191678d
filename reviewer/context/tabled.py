# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tables know that a call does: sleep, allocate, free, take a lock, write a sequence counter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from reviewer.context.effects import Condition, Effect, EventKind
from reviewer.context.facts import MOVED, NONZERO, SLEPT, Facts, Parameter, gfp_of, value_of
from reviewer.context.locks import canonical
from reviewer.context.notes import Notes
from reviewer.context.place import Place
from reviewer.context.schema import LockClass
from reviewer.context.state import State
from reviewer.context.tables import Operation
from reviewer.model import Step
from reviewer.source.cfg import Call, Guard
from reviewer.source.expression import plain, unwrap

if TYPE_CHECKING:
    from reviewer.context.analysis import Analyser
    from reviewer.context.flow import Flow


class Tabled:
    """Notes what a call does by its name; ``flow`` is the function in which it stands."""

    def __init__(self, analyser: Analyser, notes: Notes) -> None:
        self.analyser = analyser
        self.api = analyser.api
        self.notes = notes

    def apply(self, flow: Flow, node: Call, state: State, facts: Facts, given: Facts | None) -> None:
        """Note what the tables say of a call, before which ``given`` was known where that is more than ``facts``."""
        name, api = node.name, self.api
        step = self.notes.step(flow, node)
        for effect in self._effects(flow, node, state, facts, step):
            self.notes.effect(flow, node, Place(flow, state, facts if given is None else given), effect)
        if given is not None and (SLEPT, "") in given:
            facts.setdefault((SLEPT, ""), given[SLEPT, ""])
        lock_call = api.locks.get(name)
        if lock_call is not None and lock_call.operation not in (Operation.RELEASE, Operation.DOWNGRADE):
            self.locking(flow, node, state, facts, lock_call.kind, step, trying="try" in name)
        if api.irq.get(name) == "enable" and not (flow.body.noinstr and name in api.irq_untraced):
            self.notes.simple(flow, node, state, facts, EventKind.IRQ_ENABLE, step)

    def _effects(self, flow: Flow, node: Call, state: State, facts: Facts, step: Step) -> Iterator[Effect]:
        """What a call does besides changing the context."""
        name, api = node.name, self.api
        if (dropped := self._dropped_meanwhile(flow, node)) is not None:
            suffix = -1 if "irq" in name else 0
            yield Effect.of(EventKind.SLEEP, step, minus=frozenset({("*", dropped)}), delta=(suffix, 0, 0, 0))
        elif self._sleeps(flow, node, state):
            yield Effect.of(EventKind.SLEEP, step)
        elif name in api.sleeps_preempt_disabled:
            yield Effect.of(EventKind.SLEEP, step, delta=(0, -1, 0, 0))
        elif name in api.sleeps_if and node.args:
            yield from self._sleeps_if(flow, node, facts, step)
        elif name in api.sleeps_between:
            yield from self._sleeps_between(flow, node, facts, step)
        elif name in api.allocators:
            yield from self._allocation(flow, node, facts, step)
        elif name in api.frees:
            yield Effect.of(EventKind.FREE, step)
        elif name in api.handles_irq:
            yield Effect.of(EventKind.HANDLE_IRQ, step)
        elif name in api.spinlock_takers and not self._irqsafe_timer(flow, node):
            yield Effect.of(EventKind.SPINLOCK, step)
        elif name in api.seqcount_writers and self._plain_seqcount(flow, node):
            yield Effect.of(EventKind.SEQCOUNT_WRITE, step)

    def _sleeps(self, flow: Flow, node: Call, state: State) -> bool:
        """Whether a call may sleep whatever it is told of that by its arguments."""
        name, api = node.name, self.api
        return (
            api.sleeps_always(name)
            or (name in api.user_access and state.pagefault <= 0 and not self._of_kernel(flow, node))
            or (name in api.sleeps_unless and not self._allowed(flow, api.sleeps_unless[name]))
        )

    def _irqsafe_timer(self, flow: Flow, node: Call) -> bool:
        """Whether it is the timer of a structure whose timers are TIMER_IRQSAFE: for those no lock is taken."""
        argument = plain(node.args[0]) if node.args else ""
        owner, separator, _ = argument.rpartition("->")
        return bool(separator) and self.analyser.program.type_of(owner, flow.function) in self.api.irqsafe_owners

    def _of_kernel(self, flow: Flow, node: Call) -> bool:
        """Whether what is copied by is an iterator of the function itself, over memory that is not the user's."""
        own = {argument for argument in node.args if argument.startswith("&") and argument[1:] in flow.function.locals}
        return bool(own) and any(
            call.name in self.api.kernel_iterators and call.args and call.args[0] in own
            for call in flow.function.calls()
        )

    def _plain_seqcount(self, flow: Flow, node: Call) -> bool:
        """Whether the counter is declared as one without a lock of its own."""
        return bool(node.args) and (
            self.analyser.program.type_of(node.args[0], flow.function) == self.api.plain_seqcount
        )

    def _allowed(self, flow: Flow, word: str) -> bool:
        """Whether the driver says the word that keeps a call of its own from sleeping."""
        return self.analyser.program.said_beside(flow.function.path, word)

    def _dropped_meanwhile(self, flow: Flow, node: Call) -> str | None:
        """The lock that a call lets go of while it sleeps, or None where it does no such thing."""
        for table, member in ((self.api.drops_lock, ""), (self.api.drops_queue_lock, ".lock")):
            if node.name in table and node.args:
                return canonical(flow.function, node.args[min(table[node.name], len(node.args) - 1)]) + member
        return None

    def locking(
        self, flow: Flow, node: Call | Guard, state: State, facts: Facts, kind: str, step: Step, *, trying: bool
    ) -> None:
        """Note that a lock is taken, as sleep or as lock that sleeps on PREEMPT_RT."""
        if trying:
            return
        effect = {
            LockClass.SLEEPING: EventKind.SLEEP,
            LockClass.SPIN: EventKind.SPINLOCK,
            LockClass.LOCAL: EventKind.LOCAL_LOCK,
        }.get(self.api.classes[kind])
        if effect is not None:
            self.notes.simple(flow, node, state, facts, effect, step)

    def _allocation(self, flow: Flow, node: Call, facts: Facts, step: Step) -> Iterator[Effect]:
        position = self.api.allocators[node.name]
        if position < len(node.args):
            blocking = gfp_of(facts, node.args[position], flow.function.params, self.api)
        else:
            blocking = True if node.name in self.api.optional_gfp else None
        yield from _if_blocking(EventKind.BLOCKING_ALLOCATION, blocking, step)
        yield Effect.of(EventKind.ALLOCATION, step)

    def _sleeps_if(self, flow: Flow, node: Call, facts: Facts, step: Step) -> Iterator[Effect]:
        argument = node.args[0]
        inner = re.fullmatch(r"gfpflags_allow_blocking\((.*)\)", argument)
        if inner or node.name == "might_alloc":
            blocking = gfp_of(facts, inner.group(1) if inner else argument, flow.function.params, self.api)
            yield from _if_blocking(EventKind.SLEEP, blocking, step)

    def _sleeps_between(self, flow: Flow, node: Call, facts: Facts, step: Step) -> Iterator[Effect]:
        """A register is looked at again and again: whether the time between is zero may be the caller's choice."""
        position = self.api.sleeps_between[node.name]
        time = unwrap(node.args[position]) if position < len(node.args) else ""
        if value_of(facts, time) == 0:
            return
        conditions: tuple[Condition, ...] = ()
        if time in flow.function.params and (MOVED, time) not in facts:
            conditions = (Condition(flow.function.params.index(time), "value", NONZERO),)
        yield Effect.of(EventKind.SLEEP, step, conditions=conditions)


def _if_blocking(kind: EventKind, blocking: bool | Parameter | None, step: Step) -> Iterator[Effect]:
    """What happens where a gfp mask lets the call sleep: for certain, or as a parameter says."""
    if blocking is True:
        yield Effect.of(kind, step)
    elif isinstance(blocking, Parameter):
        yield Effect.of(kind, step, conditions=(Condition(blocking.position, "gfp", True),))
