# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tables know that a call does: sleep, allocate, free, take a lock, write a sequence counter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reviewer.context.effects import Condition, Effect, EventKind
from reviewer.context.facts import MOVED, NONZERO, Facts, Parameter, gfp_of, value_of
from reviewer.context.locks import canonical
from reviewer.context.notes import NO_DELTA, Notes
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

    def apply(self, flow: Flow, node: Call, state: State, facts: Facts) -> None:
        """Note what the tables say of a call."""
        name, api = node.name, self.api
        step = self.notes.step(flow, node)
        dropped = self._dropped_meanwhile(flow, node)
        if dropped is not None:
            suffix = -1 if "irq" in name else 0
            kinds = frozenset({("*", dropped)})
            self.notes.effect(
                flow,
                node,
                Place(flow, state, facts),
                Effect(EventKind.SLEEP, (), kinds, False, (suffix, 0, 0, 0), None, False, (step,)),
            )
        elif (
            api.sleeps_always(name)
            or (name in api.user_access and state.pagefault <= 0 and not self._of_kernel(flow, node))
            or (name in api.sleeps_unless and not self._allowed(flow, api.sleeps_unless[name]))
        ):
            self.notes.simple(flow, node, state, facts, EventKind.SLEEP, step)
        elif name in api.sleeps_preempt_disabled:
            effect = Effect(EventKind.SLEEP, (), frozenset(), False, (0, -1, 0, 0), None, False, (step,))
            self.notes.effect(flow, node, Place(flow, state, facts), effect)
        elif name in api.sleeps_if and node.args:
            self._sleeps_if(flow, node, state, facts, step)
        elif name in api.sleeps_between:
            self._sleeps_between(flow, node, state, facts, step)
        elif name in api.allocators:
            self._allocation(flow, node, state, facts)
        elif name in api.frees:
            self.notes.simple(flow, node, state, facts, EventKind.FREE, step)
        elif name in api.handles_irq:
            self.notes.simple(flow, node, state, facts, EventKind.HANDLE_IRQ, step)
        elif name in api.spinlock_takers and not self._irqsafe_timer(flow, node):
            self.notes.simple(flow, node, state, facts, EventKind.SPINLOCK, step)
        elif name in api.seqcount_writers and self._plain_seqcount(flow, node):
            self.notes.simple(flow, node, state, facts, EventKind.SEQCOUNT_WRITE, step)
        lock_call = api.locks.get(name)
        if lock_call is not None and lock_call.operation not in (Operation.RELEASE, Operation.DOWNGRADE):
            self.locking(flow, node, state, facts, lock_call.kind, step, trying="try" in name)
        if api.irq.get(name) == "enable" and not (flow.body.noinstr and name in api.irq_untraced):
            self.notes.simple(flow, node, state, facts, EventKind.IRQ_ENABLE, step)

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

    def _allocation(self, flow: Flow, node: Call, state: State, facts: Facts) -> None:
        position = self.api.allocators[node.name]
        step = self.notes.step(flow, node)
        if position < len(node.args):
            blocking = gfp_of(facts, node.args[position], flow.function.params, self.api)
        else:
            blocking = True if node.name in self.api.optional_gfp else None
        self._gfp_effect(flow, node, state, facts, blocking, EventKind.BLOCKING_ALLOCATION, step)
        self.notes.simple(flow, node, state, facts, EventKind.ALLOCATION, step)

    def _sleeps_if(self, flow: Flow, node: Call, state: State, facts: Facts, step: Step) -> None:
        argument = node.args[0]
        inner = re.fullmatch(r"gfpflags_allow_blocking\((.*)\)", argument)
        if inner or node.name == "might_alloc":
            blocking = gfp_of(facts, inner.group(1) if inner else argument, flow.function.params, self.api)
            self._gfp_effect(flow, node, state, facts, blocking, EventKind.SLEEP, step)

    def _sleeps_between(self, flow: Flow, node: Call, state: State, facts: Facts, step: Step) -> None:
        """A register is looked at again and again: whether the time between is zero may be the caller's choice."""
        position = self.api.sleeps_between[node.name]
        time = unwrap(node.args[position]) if position < len(node.args) else ""
        if value_of(facts, time) == 0:
            return
        conditions: tuple[Condition, ...] = ()
        if time in flow.function.params and (MOVED, time) not in facts:
            conditions = (Condition(flow.function.params.index(time), "value", NONZERO),)
        effect = Effect(EventKind.SLEEP, conditions, frozenset(), False, NO_DELTA, None, False, (step,))
        self.notes.effect(flow, node, Place(flow, state, facts), effect)

    def _gfp_effect(
        self,
        flow: Flow,
        node: Call,
        state: State,
        facts: Facts,
        blocking: bool | Parameter | None,
        kind: EventKind,
        step: Step,
    ) -> None:
        if blocking is True:
            self.notes.simple(flow, node, state, facts, kind, step)
        elif isinstance(blocking, Parameter):
            condition = Condition(blocking.position, "gfp", True)
            self.notes.effect(
                flow,
                node,
                Place(flow, state, facts),
                Effect(kind, (condition,), frozenset(), False, NO_DELTA, None, False, (step,)),
            )
