# SPDX-License-Identifier: GPL-2.0-or-later
"""What a call does to the context by the functions that it reaches: their summaries, and what they are handed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reviewer.context.acquire import inherit
from reviewer.context.annotations import never_returns
from reviewer.context.answers import learn
from reviewer.context.assumptions import by_state, of_some_object, refuted
from reviewer.context.depending import settled
from reviewer.context.effects import Assumptions, Condition, Effect, EventKind, Summary
from reviewer.context.facts import MEANING, MOVED, REFERENCE, SOUGHT, STORED, UNMOVED, Facts
from reviewer.context.filled import of_stored
from reviewer.context.locks import in_caller
from reviewer.context.match import presumed, satisfied
from reviewer.context.notes import Notes
from reviewer.context.place import Place
from reviewer.context.reached import Brought, brought_about
from reviewer.context.references import in_vain
from reviewer.context.returns import apply_exits, unnamed
from reviewer.context.settings import put
from reviewer.context.sought import note_sought, sought_for
from reviewer.context.state import State, Task
from reviewer.source.cfg import Call, Function
from reviewer.source.expression import last_member, plain

if TYPE_CHECKING:
    from reviewer.context.analysis import Analyser
    from reviewer.context.flow import Flow, Forks

# Names of functions that let go of something, for when they are not followed.
_LETS_GO = re.compile(r"(?:^|_)(?:un(?:lock|pin)|release|drop|enable|put)(?:_|$)")


class Descent:
    """Brings what callees do to the calls that reach them; ``flow`` is the function in which a call stands."""

    def __init__(self, analyser: Analyser) -> None:
        self.analyser = analyser
        self.api = analyser.api
        self.notes = Notes(analyser)

    def _descend(self, flow: Flow, node: Call, state: State, facts: Facts, given: Facts | None = None) -> Forks:
        """``given`` is what is known where the callee begins, of objects that it is given to write to too."""
        for key in [key for key in facts if key[0] == UNMOVED]:
            del facts[key]  # whoever is called may let go of a lock and take it again
        if state.eqs and node.name.startswith("."):
            state = state.doubted({"eqs"})  # they may leave it for good, as loongarch's kvm_handle_exit() does
        if node.name in flow.function.params:
            self._parameter_called(flow, node, state, facts)
            flow.doubts.not_followed(node, state, facts)
            return [(state, facts)]
        reached = flow.reached(node)
        if not reached.callees:
            if self.api.fetches(node.name):
                return [(state, facts)]
            flow.doubts.not_followed(node, state, facts)
            if _LETS_GO.search(node.name):
                state = state.doubted({"locks", "irq", "preempt", "bh"})
            return [(state, facts)]
        if reached.sleeps:
            state = state._replace(task=Task.RUNNING)  # who sleeps comes back as TASK_RUNNING
        if reached.apart:
            flow.doubts.not_followed(node, state, facts)
        if given is None:
            given = facts
        else:
            given.update((key, value) for key, value in facts.items() if key[0] == MOVED)
        place = Place(flow, state, given)
        released: set[tuple[str, str]] = set()
        for callee in reached.callees:
            lost = unnamed(callee.unnamed, state) if callee.unnamed and state.locks else frozenset()
            for brought in callee.effects:
                if isinstance(brought, Brought):
                    self._inherit(node, place, brought, lost)
                    continue
                self._handed_down(node, place, brought, callee.function)
                released.update(
                    (kind, "?." + last_member(name))
                    for handed in self._handed(flow, node, brought)
                    for exit_ in handed.exits
                    for kind, name in exit_.released
                )
        if released:  # as with kref_put(), whose release function lets go of the lock of its caller
            flow.doubts.not_followed(node, state, facts)
            state = state._replace(dropped=state.dropped | released).doubted({"locks"})
        if len(reached.callees) != 1 or reached.apart:
            if reached.releases:
                state = state.doubted({"locks"})  # which of them is called, and lets go of its caller's lock
            if reached.resets_task:
                flow.resets_task = True
                state = state._replace(task=Task.RUNNING)
            return [(state, facts)]
        callee = reached.callees[0]
        for target, value in reached.settings:
            put(facts, flow.function, target, value)
        learn(reached.follows, node.result or "", facts)
        if state is not place.state:
            place = Place(flow, state, given)
        flow.requirements.inherited(node, reached.required, place)
        note_sought(node, flow.function, (callee.function,), facts)
        inherit(flow, node, callee.function, reached.acquired, place)
        if never_returns(callee.function):
            return []
        if reached.asks and node.result:
            facts[MEANING, node.result] = (reached.asks, "")
        if reached.leaves_all:
            return [(state, facts)]
        return apply_exits(flow, node, callee.function, callee.summary, state, facts)

    def _opened(self, flow: Flow, node: Call, state: State, facts: Facts) -> None:
        """What a patch has put into a function that is not followed otherwise."""
        for callee in self.analyser.callees(node.name, flow.function):
            new = flow.opened.get((callee.path, callee.name), ())
            for key, effect in list(self.analyser.summary(callee).effects.items()):
                if key in new and effect.kind is not EventKind.PARAMETER_CALLED:
                    for way in effect.ways:
                        self._bring(node, Place(flow, state, facts), way, callee)

    def _parameter_called(self, flow: Flow, node: Call, state: State, facts: Facts) -> None:
        """``f()`` where ``f`` is a parameter: what it does, the caller knows who hands it down."""
        step = self.notes.step(flow, node)
        effect = Effect.of(EventKind.PARAMETER_CALLED, step, subject=plain(node.name))
        self.notes.effect(flow, node, Place(flow, state, facts), effect)

    def _handed_down(self, node: Call, place: Place, effect: Effect, callee: Function) -> None:
        """Put what the function that is handed down does in the place where the callee calls it."""
        flow = place.flow
        given = in_caller(flow.function, effect.subject, node.args)
        if given in flow.function.params:
            self._bring(node, place, effect, callee)
            return
        for summary in self._handed(flow, node, effect):
            for own in summary.effects.values():
                if own.kind is EventKind.PARAMETER_CALLED or own.conditions or own.minus:
                    continue
                suffix, preempt, bh, rcu = (a + b for a, b in zip(effect.delta, own.delta, strict=True))
                joined = own._replace(
                    conditions=effect.conditions,
                    minus=effect.minus,
                    irq_on=effect.irq_on or own.irq_on,
                    delta=(suffix, preempt, bh, rcu),
                    rt=own.rt if effect.rt is None else effect.rt,
                    steps=(*effect.steps, *own.steps),
                    subject="",
                    apart=effect.apart | own.apart,
                    through=effect.through | own.through,
                    assumed=effect.assumed | of_some_object(own.assumed),
                    free=effect.free,
                    where=effect.where,
                    tables=effect.tables,
                )
                if own.rt is None or effect.rt is None or own.rt == effect.rt:
                    self._bring(node, place, joined, callee)

    def _handed(self, flow: Flow, node: Call, effect: Effect) -> list[Summary]:
        """The functions that the callee is given to call."""
        given = in_caller(flow.function, effect.subject, node.args)
        return [self.analyser.summary(function) for function in self.analyser.handed_over(given, flow.function)]

    def _demanded(self, flow: Flow, node: Call, state: State, facts: Facts) -> None:
        """A call of which only what it asserts is of interest."""
        flow.requirements.inherited(node, flow.reached(node).required, Place(flow, state, facts))

    def _bring(self, node: Call, place: Place, effect: Effect, callee: Function) -> None:
        """An effect of ``callee`` that is not the same on every path."""
        brought = brought_about(self.analyser, place.flow.function, node, effect, callee)
        if brought is not None:
            self._inherit(node, place, brought)

    def _inherit(
        self, node: Call, place: Place, brought: Brought, lost: frozenset[tuple[str, str]] = frozenset()
    ) -> None:
        effect = brought.effect
        if brought.in_user and place.state.pagefault > 0:
            return  # page faults are disabled: it fails instead of sleeping
        caller = place.flow.function
        if place.flow.body.own_references.outlives(node, effect, place.facts):
            return
        if place.flow.body.outlasting.keeps(node, effect, place.state, place.facts):
            return
        if effect.where:
            effect = settled(effect, place.facts)
        conditions: list[Condition] = []
        there = place
        if assumed := effect.assumed:
            if assumed not in place.granted:  # most effects of a callee take the same for granted
                place.granted[assumed] = self._granted(node, place, assumed)
            granted = place.granted[assumed]
            if granted is None:
                return
            there, conditions = granted[0], [*granted[1]]
        for condition in brought.conditions:
            answer = satisfied(condition, node.args, there.facts, caller, self.api)
            if answer is False or (answer is None and not presumed(condition, brought.callee)):
                return
            if isinstance(answer, Condition):
                conditions.append(answer)
        if brought.in_user and not conditions and self._is_without_user(place, effect):
            return
        if conditions or lost:
            effect = effect._replace(conditions=tuple(conditions), minus=effect.minus | lost)
        self.notes.effect(place.flow, node, there, effect)

    def _granted(self, node: Call, place: Place, assumed: Assumptions) -> tuple[Place, list[Condition]] | None:
        """The place of ``node`` where what an effect takes for granted is so, and what must hold of parameters for it.

        None where it is otherwise.
        """
        body, facts = place.flow.body, place.facts
        if refuted(assumed, facts) or by_state(assumed, body.cursors.listed, self.api.exclusive_questions, facts):
            return None
        if body.becomes and any(truth and node.line < body.becomes.get(text, 0) for text, truth in assumed):
            return None  # it comes to be so after the call
        if any(body.cleared.contradicts(text, truth, facts) for text, truth in assumed):
            return None
        if body.once.outlives(node.line, assumed) or (REFERENCE in place.kinds and in_vain(assumed, facts)):
            return None
        known = place.assuming(assumed)
        sought = sought_for(assumed, place.flow.function, facts) if SOUGHT in place.kinds else []
        given = body.filled.given(assumed, node.args, facts)
        if known is None or sought is None or given is None:
            return None
        return known, sought + given + (of_stored(assumed, facts) if STORED in place.kinds else [])

    def _is_without_user(self, place: Place, effect: Effect) -> bool:
        """Whether memory of the task's own user is accessed where nothing may sleep, and there is none."""
        if place.atomic(place.state, rt=False) is None or effect.called in self.api.others_user:
            return False
        return place.flow.body.has_no_user
