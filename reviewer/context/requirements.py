# SPDX-License-Identifier: GPL-2.0-or-later
"""What the calls of one function demand of its context, and what of that it leaves to its callers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from reviewer.context.assumptions import refuted
from reviewer.context.conditions import UNKNOWN, Clause
from reviewer.context.demanded import demanded, words
from reviewer.context.effects import (
    MOST_CONDITIONS,
    Condition,
    Requirement,
    RequirementKey,
    Site,
    Standing,
    Under,
)
from reviewer.context.evaluated import perhaps_inside
from reviewer.context.facts import ASSUMED, SYMBOL, VALUE, Facts, value_of
from reviewer.context.locks import canonical
from reviewer.context.match import satisfied
from reviewer.context.offered import standing_of
from reviewer.context.oneof import names_of
from reviewer.context.place import Place
from reviewer.context.reached import Required, required
from reviewer.context.state import State
from reviewer.model import Step
from reviewer.source.cfg import Call, Function, Guard, Loop
from reviewer.source.expression import last_member, plain, unwrap

if TYPE_CHECKING:
    from reviewer.context.flow import Flow

MOST = 16
"""So many requirements of a function are remembered."""
ANYTHING = "?"
"""Stands among the locks that are held on some path for one that is not known."""
_LONGEST_CHAIN = 12
_CONTEXTS = frozenset(("irqs", "preempt", "rcu", "walk"))
_MOST_SITES = 400
_TASK_MEMBER = "current->"


class Requirements:
    """Collects the requirements of one function while its paths are followed."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._api = flow.api
        self._found: dict[
            tuple[int, str, RequirementKey | None, RequirementKey], tuple[Requirement, set[Standing]]
        ] = {}
        self._takers: dict[int, frozenset[str]] = {}  # line to the last members of what is taken; empty: anything
        self._counters: set[str] = set()
        self.in_doubt = False  # on paths that were not followed, anything may be held

    # What is met on the way

    def asserted(self, node: Call, state: State, facts: Facts) -> None:
        """A call that says itself what it demands."""
        if not self._api.demands.asserts(node.name):
            return
        function = self._flow.function
        for clause in demanded(self._flow.analyser.program, self._api, function, node):
            text = f"{node.name}({','.join(node.args)})" if len(",".join(node.args)) < 60 else f"{node.name}()"
            step = Step(function.path, node.line, function.name, text)
            self._demand(clause, step, node.line, node.name, state, facts)

    def walked(self, node: Loop, state: State, facts: Facts) -> None:
        """An iteration macro: what it asserts itself, or what the functions assert that it calls."""
        as_call = Call(node.line, node.name, node.args)
        if self._api.demands.asserts(node.name):
            self.asserted(as_call, state, facts)
            return
        macro = self._flow.analyser.program.loop_macro(node.name, self._flow.function.path)
        if macro is not None:
            summary = self._flow.analyser.summary(macro)
            brought = required(self._flow.function, node, summary)
            self.inherited(as_call, brought, Place(self._flow, state, facts))

    def inherited(self, node: Call, brought: Iterable[Required], place: Place) -> None:
        """What the callee leaves to its callers."""
        for requirement, source, asked, unless_null in brought:
            if any(at < len(node.args) and value_of(place.facts, unwrap(node.args[at])) == 0 for at in unless_null):
                continue
            if requirement.assumed and refuted(requirement.assumed, place.facts):
                continue
            conditions: list[Condition] = []
            for condition in asked:
                answer = satisfied(condition, node.args, place.facts, self._flow.function, self._api)
                if answer is False or (answer is None and not names_of(condition.operand)):
                    break
                if isinstance(answer, Condition):
                    conditions.append(answer)
            else:
                own = requirement._replace(conditions=tuple(conditions)) if conditions else requirement
                self._note(own, node.line, node.name, source, place)

    def called(self, node: Call, before: State, after: list[State]) -> None:
        """A call that by its name takes something, though nothing is known to be held because of it."""
        self.met(node, before)
        if node.args and self._api.lowers_reference.fullmatch(node.name):
            self._counters.add(last_member(plain(node.args[0])))
        if self._api.demands.takers.fullmatch(node.name.removeprefix(".")) and all(
            (state.locks, state.rcu, state.preempt, state.irq) == (before.locks, before.rcu, before.preempt, before.irq)
            for state in after
        ):
            self._takers.setdefault(node.line, self._taken_inside(node))

    def met(self, node: Call, state: State) -> None:
        """A call, whatever it is."""
        if self._flow.outside_only:
            return
        held = frozenset(lock.expression for lock in state.locks)
        held |= frozenset(("rcu",)) if state.rcu > 0 else frozenset()
        perhaps = held | frozenset((ANYTHING,)) if state.unsure & {"locks", "rcu"} else held
        under, key = self._flow.analysis.under, (node.line, node.name)
        known = under.get(key)
        under[key] = Under(held, perhaps) if known is None else Under(known.always & held, known.sometimes | perhaps)

    def _taken_inside(self, node: Call) -> frozenset[str]:
        """What a call leaves locked that the tables hide, as far as its definition is in sight."""
        if (named := self._api.demands.named.get(node.name)) is not None:
            return frozenset((named,))
        found = self._flow.analyser.callees(node.name, self._flow.function)
        if len(found) != 1:
            return frozenset()
        summary = self._flow.analyser.summary(found[0])
        return frozenset(last_member(name) for exit_ in summary.exits for _, name in exit_.gained)

    def guarded(self, node: Guard) -> None:
        """A guard of a class that the tables do not know."""
        if node.enter and self._api.demands.takers.fullmatch(node.cls):
            named = self._api.demands.named.get(node.cls)
            self._takers.setdefault(node.line, frozenset((named,)) if named is not None else frozenset())

    def taken_unnamed(self, line: int, names: frozenset[str]) -> None:
        """Something is taken that has no name here: locks with these last members, or (empty) nobody knows what."""
        known = self._takers.setdefault(line, names)
        self._takers[line] = known | names if known and names else frozenset()

    # What stands at the end

    def finish(self) -> tuple[Site, ...]:
        """The calls with demands; what is open goes into the summary of the function."""
        sites: list[Site] = []
        summary = self._flow.analysis.summary
        under = self._flow.analysis.under
        for key, known in under.items():
            taken = [names or frozenset((ANYTHING,)) for at, names in self._takers.items() if at < key[0]]
            taken += [frozenset((ANYTHING,))] if self.in_doubt else []
            under[key] = known._replace(sometimes=known.sometimes.union(*taken))
        held: set[tuple[int, str, RequirementKey | None]] = set()
        for (line, callee, source, _), (requirement, standings) in self._found.items():
            if (
                standings != {Standing.OPEN}
                or self.in_doubt
                or self._perhaps_taken(requirement, line)
                or perhaps_inside(self._flow.analyser, self._flow.function, line, callee)
            ):
                held.add((line, callee, source))
        for (line, callee, source, _), (requirement, standings) in self._found.items():
            standing = Standing.OPEN
            if (line, callee, source) in held:
                own = standings == {Standing.TAKEN} or self._certainly_taken(requirement, line)
                standing = Standing.TAKEN if own else Standing.HELD
            if len(sites) < _MOST_SITES:
                sites.append(Site(line, callee, source, requirement, standing))
            if standing is not Standing.OPEN or len(requirement.steps) > _LONGEST_CHAIN:
                continue
            old = summary.requirements.get(requirement.key)
            shorter = old is None or (len(requirement.steps), requirement.steps) < (len(old.steps), old.steps)
            if old is not None:
                both = old.unless_null & requirement.unless_null
                best = requirement if shorter else old
                summary.requirements[requirement.key] = best._replace(
                    unless_null=both, assumed=old.assumed & requirement.assumed
                )
            elif len(summary.requirements) < MOST:
                summary.requirements[requirement.key] = requirement
        return tuple(sites)

    def _perhaps_taken(self, requirement: Requirement, line: int) -> bool:
        if any(need.kind == "unused" and last_member(need.expression) in self._counters for need in requirement.needs):
            return True
        names = {last_member(need.expression) for need in requirement.needs}
        locking = any(need.kind not in ("irqs", "preempt") for need in requirement.needs)
        return locking and any(at < line and (not taken or taken & names) for at, taken in self._takers.items())

    def _certainly_taken(self, requirement: Requirement, line: int) -> bool:
        """Whether what the tables say takes a lock without naming it took the one that would do."""
        locks = {need.expression for need in requirement.needs if need.kind in ("lock", "anyone")}
        named = set(self._api.demands.named.values())
        return any(at < line and taken & locks & named for at, taken in self._takers.items())

    # One demand

    def _demand(self, clause: Clause, step: Step, line: int, name: str, state: State, facts: Facts) -> None:
        if UNKNOWN in clause or all(need.kind == "unused" for need in clause):
            return  # a counter alone says nothing of locks
        function = self._flow.function
        needs = frozenset(
            need._replace(expression=canonical(function, need.expression) if need.expression else "") for need in clause
        )
        if any("(" in need.expression or "$" in need.expression for need in needs):
            return
        requirement = Requirement(needs, (), words(clause), (step,))
        self._note(requirement, line, name, None, Place(self._flow, state, facts))

    def _note(
        self,
        requirement: Requirement,
        line: int,
        callee: str,
        source: RequirementKey | None,
        place: Place,
    ) -> None:
        standing = standing_of(requirement.needs, place.state, self._api)
        if standing is Standing.OPEN and _is_presumed(requirement, place.facts):
            standing = Standing.HELD
        own = self._left_to_callers(requirement, standing, place)
        if own is None:
            return
        known = self._found.get((line, callee, source, own.key))
        if known is None:
            self._found[line, callee, source, own.key] = (own, {standing})
        else:
            known[1].add(standing)
            merged = known[0]._replace(
                unless_null=known[0].unless_null & own.unless_null, assumed=known[0].assumed & own.assumed
            )
            self._found[line, callee, source, own.key] = (merged, known[1])

    def _left_to_callers(self, requirement: Requirement, standing: Standing, place: Place) -> Requirement | None:
        """What is demanded in ``place``, in the words of callers; None where that is too much to remember."""
        flow = self._flow
        here = [condition for condition in place.conditions if condition not in requirement.conditions]
        no_null = frozenset(condition.position for condition in here if _is_no_null(condition, flow.function))
        conditions = requirement.conditions + tuple(
            condition for condition in here if not _is_no_null(condition, flow.function)
        )
        if len(conditions) > MOST_CONDITIONS:
            return None
        needs = frozenset(
            need._replace(expression=flow.outside(need.expression, place.facts) if need.expression else "")
            for need in requirement.needs
        )
        return requirement._replace(
            needs=needs,
            conditions=conditions,
            unless_null=requirement.unless_null | no_null,
            assumed=place.for_callers(requirement.assumed) if standing is Standing.OPEN else requirement.assumed,
        )


def _is_presumed(requirement: Requirement, facts: Facts) -> bool:
    """Whether the code knows of itself that a requirement is met: it has asked for the context, or left a mark."""
    asked = (ASSUMED, "atomic") in facts and any(need.kind in _CONTEXTS for need in requirement.needs)
    return asked or any(_is_own_mark(key, known) for key, known in facts.items())


def _is_own_mark(key: tuple[str, str], known: object) -> bool:
    """Whether a fact says that the task has been given a mark, as by a caller who knows what this one takes for held.

    A flag that is tested among others says less: it may be one of the task itself.
    """
    kind, text = key
    if not text.startswith(_TASK_MEMBER) or "&" in text:
        return False
    return (kind == SYMBOL and known is True and "==" in text) or (kind == VALUE and known not in (0, "negative"))


def _is_no_null(condition: Condition, function: Function) -> bool:
    """Whether the condition only says that a pointer is one: callers are presumed not to pass NULL."""
    is_pointer = condition.position < len(function.pointers) and function.pointers[condition.position]
    return is_pointer and condition.operator == "value" and condition.operand == "nonzero"
