# SPDX-License-Identifier: GPL-2.0-or-later
"""Where an effect is noted: as an event of the function, and in its summary for the callers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reviewer.context.asserted import without
from reviewer.context.depending import for_callers
from reviewer.context.effects import (
    MAYBE_LOWERED,
    MOST_CONDITIONS,
    NO_DELTA,
    SLEEPING,
    SLEEPING_ON_RT,
    Effect,
    EventKind,
)
from reviewer.context.enabled import slept
from reviewer.context.eventlog import Details
from reviewer.context.facts import Facts
from reviewer.context.locks import around, canonical, in_parameters
from reviewer.context.once import unknown
from reviewer.context.place import Place
from reviewer.context.schema import EntryKind
from reviewer.context.shown import shown_as
from reviewer.context.state import Origin, State, atomic
from reviewer.context.ways import joined
from reviewer.model import Step
from reviewer.source.cfg import Call, Function, Guard, Loop
from reviewer.source.expression import identifiers, last_member, root

if TYPE_CHECKING:
    from reviewer.context.analysis import Analyser
    from reviewer.context.flow import Flow

_NONE = frozenset[tuple[str, str]]()
_LOWEST = -3
# Calls that a witness may show: a longer one nobody follows.
_LONGEST_CHAIN = 16
# Calls down to what sleeps: further down it may depend on what is not seen.
_NEAR = 3


class Notes:
    """Notes effects of calls, guards and loops; ``flow`` is the function in which they stand."""

    def __init__(self, analyser: Analyser) -> None:
        self.api = analyser.api

    def step(self, flow: Flow, node: Call | Guard) -> Step:
        """The step of a witness for a call or a guard."""
        return Step(flow.function.path, node.line, flow.function.name, shown_as(node, self.api))

    def simple(self, flow: Flow, node: Call | Guard, state: State, facts: Facts, kind: EventKind, step: Step) -> None:
        """Note an effect that has no conditions."""
        self.effect(flow, node, Place(flow, state, facts), Effect.of(kind, step))

    def timer_wait(self, flow: Flow, node: Call, state: State, facts: Facts) -> None:
        """The callback of an hrtimer is waited for: whether that can sleep, the place says where it is set up."""
        timer = canonical(flow.function, node.args[0])
        effect = Effect.of(EventKind.TIMER_WAIT, self.step(flow, node), subject=timer)
        self.effect(flow, node, Place(flow, state, facts), effect)

    def walked(self, flow: Flow, node: Loop, state: State, facts: Facts, step: Step) -> None:
        """An RCU list is walked: who opens the reader may be a caller."""
        self.effect(flow, node, Place(flow, state, facts), Effect.of(EventKind.RCU_WALK, step))

    def effect(self, flow: Flow, node: Call | Guard | Loop, place: Place, effect: Effect) -> None:
        """Note an effect as an event where its context is known to be wrong, and in the summary for callers."""
        state, facts = place.state, place.facts
        if effect.kind is EventKind.TIMER_WAIT and not effect.subject.startswith("#"):
            of = flow.analyser.set_ups.object_of(effect.subject, flow.function)
            effect = effect._replace(subject=f"#{of}" if of else effect.subject)
        here = state
        if flow.body.asserted_at_times and place.conditions:
            here = without(here, flow.body.asserted_at_times)
        for kind, expression in sorted(effect.minus) if effect.minus else ():
            held = next((h for h in sorted(here.locks) if h.expression == expression), None) or next(
                (
                    h
                    for h in sorted(here.locks)
                    if last_member(h.expression) == last_member(expression)
                    and (kind in ("*", "?") or h.kind in ("?", kind))
                ),
                None,
            )
            if held is None:  # xa_lock() is given the structure that holds the lock
                held = next((h for h in sorted(here.locks) if h.expression == around(expression)), None)
            if held is None and _unseen(flow.function, expression):
                here = here._replace(locks=frozenset(h for h in here.locks if h.kind != kind))
            if held is not None:
                here = here._replace(locks=here.locks - {held})
        if effect.free:
            here = here._replace(locks=frozenset(h for h in here.locks if h.expression not in effect.free))
        if effect.irq_on:
            here = here._replace(irq="on", suffix=0)
        if effect.delta != NO_DELTA:
            suffix, preempt, bh, rcu = effect.delta
            here = here._replace(
                suffix=here.suffix + suffix, preempt=here.preempt + preempt, bh=here.bh + bh, rcu=here.rcu + rcu
            )
        if effect.rt is not None and state.rt is not None and effect.rt != state.rt:
            return
        world = effect.rt if effect.rt is not None else state.rt
        if here.may_sleep and not self._taken_since(here):
            return
        wrong = self._wrong(effect.kind, here, world, place)
        if wrong and (effect.assumed or state.entry) and self._never_comes(flow, effect, place):
            return
        if not effect.conditions:
            if not flow.outside_only:
                self._event(flow, node, here._replace(rt=world), facts, effect)
            if effect.kind in SLEEPING and not effect.masked and len(effect.steps) <= _NEAR:
                slept(flow, effect, state, facts)
        if effect.kind is EventKind.RCU_WALK and (here.rcu > 0 or here.locks):
            return  # protected here
        if effect.kind is EventKind.SEQCOUNT_WRITE and place.atomic(here, rt=True) is not None:
            return  # nothing preempts it here
        own = len(effect.steps) == 1 and effect.kind is EventKind.SLEEP
        once = flow.body.once
        if own and (once.is_guarded(node.line) or (isinstance(node, Call) and once.registers(node.name, facts))):
            return
        if own and flow.body.choices.is_by_object(node.line):
            return
        seldom = place.is_seldom or flow.body.deferred.is_by_object(node.line, (*effect.conditions, *place.conditions))
        if len(effect.steps) < _LONGEST_CHAIN and not seldom:
            self._summarise(flow, place, effect, world, masked=effect.masked or wrong)

    @staticmethod
    def _event(flow: Flow, node: Call | Guard | Loop, state: State, facts: Facts, effect: Effect) -> None:
        detail = (effect.subject,) if effect.kind is EventKind.TIMER_WAIT else ()
        if effect.kind in SLEEPING:
            state = flow.body.choices.meant(state, facts, node.line, at_times=bool(effect.assumed))
        if flow.is_new(effect, node.line, state):
            granted = unknown(effect.assumed, facts, flow.api, flow.function.locals)
            more = Details(masked=effect.masked, detail=detail, last=effect.last, granted=granted)
            flow.note(flow.event(effect.kind, node, state, facts, effect.steps, **more))

    @staticmethod
    def _never_comes(flow: Flow, effect: Effect, place: Place) -> bool:
        """Whether what ``effect`` takes for granted is never so here, by all that is put into the members it names.

        Nor does what has another way come where the system restarts.
        """
        entry = place.state.entry
        if entry == EntryKind.RESTART and effect.called in flow.api.sleeps_not_at_restart:
            return True
        if entry and flow.analyser.arranged.excludes(flow.function, effect, place.facts):
            return True
        if not effect.assumed:
            return False
        if flow.analyser.owners.contradict(flow.function, effect.assumed):
            return True
        analyser, told = flow.analyser, place.for_callers(effect.assumed)
        if not told:
            return False
        elsewhere = entry != EntryKind.PANIC and analyser.panics.mean(flow.function, effect, told)
        return elsewhere or analyser.exclusive.contradict(flow.function, effect, told)

    def _taken_since(self, state: State) -> bool:
        """Whether something forbids to sleep that began after the context was asked for: then nothing did."""
        reason = atomic(state, self.api, rt=state.rt is True)
        begun = reason is not None and reason.what != "entry" and reason.origin is Origin.TAKEN
        return begun or any(held.origin is Origin.TAKEN for held in state.locks)

    @staticmethod
    def _wrong(kind: EventKind, state: State, world: bool | None, place: Place) -> bool:
        """Whether the context here already forbids what happens in ``world``: with PREEMPT_RT, without it or both."""
        if kind in SLEEPING:
            return world is not True and (state.rcu > 0 or place.atomic(state, rt=False) is not None)
        if kind in SLEEPING_ON_RT:
            return world is not False and place.atomic(state, rt=True) is not None
        if kind is EventKind.SEQCOUNT_WRITE:  # a writer that is serialised here
            return any(held.origin is Origin.TAKEN for held in state.locks)
        return False

    @staticmethod
    def _summarise(flow: Flow, place: Place, effect: Effect, world: bool | None, *, masked: bool) -> None:
        function, state = flow.function, place.state
        minus = _NONE
        if effect.minus or state.dropped:
            minus = (
                frozenset(
                    (kind, in_parameters(function, expression))
                    for kind, expression in effect.minus
                    if not any(held.expression == expression and held.origin is Origin.TAKEN for held in state.locks)
                )
                | place.dropped
            )
        conditions = effect.conditions
        if assumed := place.conditions:
            conditions += tuple(c for c in assumed if c not in conditions)
        if len(conditions) > MOST_CONDITIONS:
            return
        suffix, preempt, bh, rcu = effect.delta
        summary = flow.analysis.summary
        (told, last, tables), free = place.said(effect.assumed), effect.free | place.free
        if effect.tables:
            outside = ((flow.outside(path, place.facts), names) for path, names in effect.tables)
            exchanged = flow.body.exchanged
            tables |= {
                (path, names)
                for path, names in outside
                if path.startswith("P") and identifiers(path).isdisjoint(exchanged)
            }
        new = Effect(
            effect.kind,
            conditions,
            minus,
            effect.irq_on or state.irq in ("on", "restored") or "irq" + MAYBE_LOWERED in state.unsure,
            (
                min(0, state.suffix + suffix),
                _lowered(state, "preempt", preempt),
                _lowered(state, "bh", bh),
                _lowered(state, "rcu", rcu),
            ),
            world,
            masked,
            effect.steps,
            in_parameters(function, effect.subject) if effect.subject else "",
            effect.apart,
            effect.through,
            told,
            frozenset(flow.outside(expression, place.facts) for expression in free) if free else free,
            effect.last or last,
            tables,
            where=for_callers(place, effect),
        )
        key = new.key
        old = summary.effects.get(key)
        summary.effects[key] = joined(old, new) if old is not None else new


def _lowered(state: State, counter: str, change: int) -> int:
    """How far a counter of the caller is lowered, at the most."""
    if state.unsure and counter + MAYBE_LOWERED in state.unsure:
        return _LOWEST
    lowered: int = getattr(state, counter) + change
    return lowered if lowered < 0 else 0


def _unseen(function: Function, expression: str) -> bool:
    """Whether a callee names a lock by a variable of its own, as ``xas.xa->xa_lock``: it may be any that is held."""
    start = root(expression)
    known = expression.startswith("?") or start in (expression, *function.params)
    return not known and start not in function.locals
