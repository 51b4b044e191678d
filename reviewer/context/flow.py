# SPDX-License-Identifier: GPL-2.0-or-later
"""Carry the execution context along every path of one function.

Path sensitivity follows Das, Lerner and Seigle (ESP, PLDI 2002): at each block one set of facts for each distinct
state; equal states join, different ones stay apart.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from reviewer.context.acquire import distrusted
from reviewer.context.answers import Answers, told_by
from reviewer.context.assignments import assigned
from reviewer.context.assume import assume
from reviewer.context.balance import COUNTERS, Moves, unbalanced
from reviewer.context.conjunctions import condition_text
from reviewer.context.crowded import told
from reviewer.context.cursors import keep_alike
from reviewer.context.doubts import Doubts
from reviewer.context.effects import DISTRUSTED, WALKED, Analysis, Event, Exit, Left
from reviewer.context.endless import waited_for
from reviewer.context.eventlog import EventLog
from reviewer.context.facts import (
    EXCLUDED,
    MEANING,
    MOVED,
    NEGATIVE_VALUE,
    NONZERO,
    SYMBOL,
    TAKEN_AT,
    VALUE,
    Facts,
    forget,
    value_of,
)
from reviewer.context.implied import join_facts
from reviewer.context.irqflags import disables_by_hand, interrupts_off, note_saved, saved_at
from reviewer.context.locks import canonical, in_parameters, other_names, returned_as
from reviewer.context.reached import Reached
from reviewer.context.requirements import Requirements
from reviewer.context.schema import EntryKind, LockClass
from reviewer.context.settings import Settings, settings_of
from reviewer.context.shown import shown_as
from reviewer.context.state import ASSERTED, Held, Origin, State, Task, reassured
from reviewer.context.stores import stored
from reviewer.context.tables import Operation
from reviewer.context.temporaries import forget_temporaries
from reviewer.model import Step
from reviewer.source.cfg import AnyNode, Assign, Call, Function, Guard, Loop
from reviewer.source.expression import identifiers, is_path, last_member, root, unwrap

if TYPE_CHECKING:
    from reviewer.context.analysis import Analyser

_STATES_PER_BLOCK = 16
_MANY = 4
"""Of so many states in a block, none is followed that only differs from another by being in more doubt."""
_VISITS = 6000
_EXITS = 60
Forks = list[tuple[State, Facts]]


class Flow(EventLog):
    """The analysis of one function, entered as ``start`` says. ``opened`` are effects as in ``Analyser.opened``.

    With ``outside_only`` only the summary of what it finds is of use, see ``EventLog``.
    """

    def __init__(
        self,
        analyser: Analyser,
        function: Function,
        start: State,
        opened: Mapping[tuple[str, str], Collection[tuple[object, ...]]] | None = None,
        *,
        outside_only: bool = False,
    ) -> None:
        self.analyser = analyser
        self.opened = opened or {}
        self.api = analyser.api
        super().__init__(function, outside_only=outside_only)
        self.body = analyser.body(function)
        self.start = self._annotated(start)
        self.doubts = Doubts(function, self.body, analyser.own_locks, self.api.kinds)
        self.let_go_below: set[tuple[str, str]] = set()
        self.taken_below: set[tuple[str, str]] = set()
        self.perhaps_released: set[tuple[str, str]] = set()
        # By line of the return: locks of an object that was handed to an unknown operation, and all others.
        self.passed_held: set[tuple[int, tuple[str, str]]] = set()
        self.passed_other: set[tuple[int, tuple[str, str]]] = set()
        # By line of the return: locks that are held under the name of another object, which was found to be the same.
        self._held_as: set[tuple[int, tuple[str, str]]] = set()
        # Lines of returns before which interrupts were disabled and what they were was kept by the function alone.
        self._flags_lost: set[int] = set()
        self._given_up: set[str] = set()
        self._raised: set[str] = set()
        self._fell: set[str] = set()
        self.resets_task = False
        self.suspected: list[tuple[Held, Event]] = []
        self._settings: Settings | None = None
        self._answers = Answers(self)
        self.again: dict[Held, Event] = {}
        self._watchers = tuple(watcher(self) for watcher in self.body.watchers)
        self._reached: dict[tuple[int, str, tuple[str, ...]], Reached] = {}
        # Ways out of a block, by block and position: those that were taken, and on what text the others were refused.
        self._went: set[tuple[int, int]] = set()
        self._refused: dict[tuple[int, int], set[str]] = {}
        self._rechecked: frozenset[str] = frozenset()
        self.awaited: frozenset[str] = frozenset()
        # What anything was known of where a lock was taken, or the like.
        self._known_when_taken: set[str] = set()
        self.requirements = Requirements(self)

    def _annotated(self, state: State) -> State:
        for annotation in self.function.annotations:
            if annotation.name.startswith("__must_hold") and annotation.argument:
                expression = canonical(self.function, annotation.argument)
                kind = self.analyser.lock_kind(self.function, expression)
                state = state._replace(locks=state.locks | {Held(kind, expression, Origin.ASSERTED)})
        return state

    def run(self) -> Analysis:
        """Follow all paths to a fixpoint.

        Code that looks at memory once more after taking a lock does so because it may have changed meanwhile: where no
        path goes one way of such a condition, what was known of it is forgotten with each lock that is taken. Code that
        nobody leaves waits for others to change what it has set itself: that is not known either.
        """
        self._follow()
        found = self._looked_at_again()
        awaited = waited_for(self.function, self._went, self._refused)
        if awaited or not found.isdisjoint(self._known_when_taken):
            self._rechecked, self.awaited = found, awaited
            self._begin_again()
            self._follow()
        if self.analysis.complete and self._settings:
            self.analysis.summary.settings = self._settings
        if self.analysis.complete:
            self.analysis.summary.answers = self._answers.told()
        if self.resets_task:
            self._reset_task()
        if self.perhaps_released:
            perhaps = frozenset(self.perhaps_released)
            exits = self.analysis.summary.exits
            self.analysis.summary.exits = {exit_._replace(perhaps=perhaps): None for exit_ in exits}
        if not self.analysis.complete:
            self._distrust_exits()
        self._settle()
        if not self.outside_only:
            self._balance()
        self.analysis.sites = self.requirements.finish()
        return self.analysis

    def _begin_again(self) -> None:
        """Forget what was found on the paths."""
        self.clear()
        self.doubts.clear()
        self.let_go_below.clear()
        self.taken_below.clear()
        self.perhaps_released.clear()
        self.passed_held.clear()
        self.passed_other.clear()
        self._held_as.clear()
        self._flags_lost.clear()
        self._given_up.clear()
        self.suspected.clear()
        self._settings = None
        self._answers = Answers(self)
        self.again.clear()
        self.requirements = Requirements(self)

    def _looked_at_again(self) -> frozenset[str]:
        """What is in memory and decides a condition of which one way was never taken."""
        own = {*self.function.params, *self.function.locals}
        texts = {text for way, found in self._refused.items() if way not in self._went for text in found}
        return frozenset(text for text in texts if text not in own and not text.startswith("$"))

    def _follow(self) -> None:
        blocks = self.function.blocks
        states: list[dict[State, Facts]] = [{} for _ in blocks]
        panics = self.start.entry == EntryKind.PANIC
        states[0][self.start] = {(VALUE, name): NONZERO for name in self.api.raised_in_panic if panics}
        rank = self.body.rank
        heap: list[tuple[int, int, int, State]] = [(0, 0, 0, self.start)]
        queued = {(0, self.start)}
        visits = sequence = 0
        while heap:
            _, _, block, state = heapq.heappop(heap)
            queued.discard((block, state))
            visits += 1
            if visits > _VISITS:
                self.analysis.complete = False
                break
            for after, facts in self._block(block, state, dict(states[block][state])):
                for target, arrived, carried in self._leave(block, after, facts):
                    if len(states[target]) >= _MANY and arrived.is_covered(carried, states[target]):
                        self.requirements.in_doubt = True
                        continue
                    known = states[target].get(arrived)
                    if known is None:
                        if len(states[target]) >= _STATES_PER_BLOCK:
                            self.analysis.complete = False
                            continue
                        states[target][arrived] = carried
                    elif not join_facts(known, carried):
                        continue
                    if (target, arrived) not in queued:
                        sequence += 1
                        queued.add((target, arrived))
                        heapq.heappush(heap, (rank.get(target, 0), sequence, target, arrived))

    def _reset_task(self) -> None:
        """The task state was reset somewhere: callers may find it so, unless it is set again."""
        exits = (exit_ if exit_.task else exit_._replace(task=Left.RESET) for exit_ in self.analysis.summary.exits)
        self.analysis.summary.exits = dict.fromkeys(exits)

    def _distrust_exits(self) -> None:
        """Not all paths were followed: what the exits say of the state is not known to be all."""
        exits = {exit_._replace(unsure=DISTRUSTED, task=Left.RESET): None for exit_ in self.analysis.summary.exits}
        self.analysis.summary.exits = exits

    def _block(self, block: int, state: State, facts: Facts) -> Forks:
        forks: Forks = [(state, facts)]
        for node in self.function.blocks[block].nodes:
            after: Forks = []
            for before, known in forks:
                after += self.step(node, self._world(node.line, before), known)
                self._given_up.update(kind for state, _ in after for kind, _ in state.dropped)
                if before.locks:
                    self.doubts.let_go.update(*(before.locks - state.locks for state, _ in after))
            forks = after[:_STATES_PER_BLOCK]
        return forks

    def _world(self, line: int, state: State) -> State:
        """Lines of a preprocessor arm for one kind of kernel are judged for that kind only."""
        for first, last, meaning in self.function.rt:
            if first <= line <= last:
                return state if state.rt == meaning else state._replace(rt=meaning)
        return state

    def _leave(self, block: int, state: State, facts: Facts) -> Iterator[tuple[int, State, Facts]]:
        for watcher in self._watchers:
            watcher.conditions(self.function.blocks[block].edges, (state, facts))
        for position, edge in enumerate(self.function.blocks[block].edges):
            if (block, position) in self.body.never_taken:
                continue
            carried = dict(facts)
            after: State | None = state
            for literal in edge.literals:
                after = assume(after, carried, literal, self.function, self.api) if after is not None else None
                if after is None:
                    meaning = facts.get((MEANING, literal.left), ("same", literal.left))
                    if meaning[0] == "same":
                        self._refused.setdefault((block, position), set()).update(
                            (meaning[1], *told_by(meaning[1], facts))
                        )
                    break
            if after is not None:
                self._went.add((block, position))
                if (otherwise := self.body.otherwise.get((block, position))) is not None:
                    carried[otherwise] = False
                if (parts := self.body.conjunctions.get((block, position))) is not None:
                    carried[EXCLUDED, condition_text(parts)] = parts
                if (last := self.body.last_read.get((block, position))) is not None:
                    forget_temporaries(carried, last)
                yield edge.target, after, carried

    def _settle(self) -> None:
        """Drop what was noted under a lock that may have been let go of meanwhile."""
        certain = self.doubts.is_certain
        self.analysis.edges = {key: edge for key, edge in self.analysis.edges.items() if certain(edge.held)}
        for held, event in self.suspected:
            if certain(held):
                self.note(event)
        self.analysis.again = [event for held, event in self.again.items() if certain(held)]
        found = [distrusted(each, self._given_up) for each in self.analysis.summary.acquisitions.values()]
        self.analysis.summary.acquisitions = {acquisition.key: acquisition for acquisition in found}
        kept = told(self.analysis.summary.effects.values())
        self.analysis.summary.effects = {effect.key: effect for effect in kept}

    # Nodes

    def step(self, node: AnyNode, state: State, facts: Facts) -> Forks:
        """The states after one node."""
        for watcher in self._watchers:
            watcher.before(node, (state, facts))
        if state.irq == "off" and not state.is_certain("irq") and self._disables_interrupts(node):
            state = state._replace(irq="restored")  # whatever they were, this is what they are given back
        forks = self._step(node, state, facts)
        if any(after.unsure for after, _ in forks):
            certain = self._is_certain(node)
            forks = [(reassured(state, after, direct=certain), known) for after, known in forks]
        for after, known in forks:
            for watcher in self._watchers:
                watcher.after(node, (after, known))
            if after is not state:
                self._note_taken(node, state, after, known)
        return forks

    def _is_certain(self, node: AnyNode) -> bool:
        """Whether a step takes and disables for certain what it does: a primitive, or what is like one."""
        if not isinstance(node, Call):
            return isinstance(node, Guard)
        return self.api.is_known(node.name) or (self._is_ordinary(node) and self.reached(node).certain)

    def _is_ordinary(self, node: Call) -> bool:
        """Whether no table says what a call does, nor a parameter which function it calls."""
        return node.name not in self.function.params and self.analyser.calls.is_ordinary(node.name)

    def _disables_interrupts(self, node: AnyNode) -> bool:
        """Whether a step disables interrupts for certain, on PREEMPT_RT too."""
        if not isinstance(node, Call):
            return disables_by_hand(node, self.api)
        if (lock := self.api.locks.get(node.name)) is not None:
            is_raw = self.api.classes[lock.kind] is LockClass.RAW
            return is_raw and lock.operation is Operation.ACQUIRE and lock.suffix in ("irq", "irqsave")
        if not self._is_ordinary(node):
            return disables_by_hand(node, self.api)
        found = self.reached(node)
        return found.certain and all(exit_.irq == "off" for exit_ in found.callees[0].summary.exits)

    def _note_taken(self, node: AnyNode, before: State, after: State, facts: Facts) -> None:
        """Remember where locks are taken and counters raised."""
        taken = self.analysis.taken
        new = after.locks - before.locks
        if new:
            for key in [key for key in facts if key[0] in (VALUE, SYMBOL)]:
                about = key[1].partition("==")[0]
                self._known_when_taken |= {key[1], about}
                if key[1] in self._rechecked or about in self._rechecked:
                    del facts[key]
        for held in new:
            if held.origin is Origin.TAKEN:
                _, line, call = facts.get((TAKEN_AT, held.expression), ("", node.line, ""))
                taken.setdefault((held.kind, self.outside(held.expression, facts)), (line, call))
        rises = [name for name in COUNTERS if getattr(after, name) > getattr(before, name)]
        if isinstance(node, Call) and (new or rises):
            self._not_null(node, facts)
        for counter in COUNTERS:
            if counter in rises:
                taken.setdefault((counter, ""), (node.line, ""))
                self._raised.add(counter)
            elif getattr(after, counter) < getattr(before, counter):
                self._fell.add(counter)
        if note_saved(node, before, after, facts, self.body.own_flags, self.api) and isinstance(node, Call):
            taken.setdefault(("irq", ""), (node.line, shown_as(node, self.api)))
            self._raised.add("irq")
        elif interrupts_off(before) and not interrupts_off(after):
            self._fell.add("irq")

    def _not_null(self, node: Call, facts: Facts) -> None:
        """What is locked, or kept by a counter, is there: a later test of the pointer tells whether it was locked."""
        for argument in node.args:
            if argument in self.function.locals and self.function.types.get(argument, "").endswith("*"):
                facts.setdefault((VALUE, argument), NONZERO)

    def _step(self, node: AnyNode, state: State, facts: Facts) -> Forks:
        if isinstance(node, Call):
            forks = self.analyser.calls.call(self, node, state, facts)
            for put in stored((node,), self.api.stores) if node.name in self.api.stores else ():
                for _, known in forks if put.value else ():
                    assigned(self, Assign(node.line, put.target, put.value), known)
            return forks
        if isinstance(node, Guard):
            return self.analyser.calls.guard(self, node, state, facts)
        if isinstance(node, Assign):
            assigned(self, node, facts)
            if self.api.alone.get(node.target, node.value) != node.value:  # nobody else runs, nobody is waited for
                state = state.doubted({"irq", "preempt"})
            return [(state, facts)]
        if isinstance(node, Loop):
            self._walk(node, state, facts)
            return [(state, facts)]
        self._return(node.value, node.line, state, facts)
        return [(state, facts)]

    def _walk(self, node: Loop, state: State, facts: Facts) -> None:
        self.requirements.walked(node, state, facts)
        wanted = self.api.rcu_iterators.get(node.name)
        if wanted is not None and len(node.args) == wanted:
            step = Step(self.function.path, node.line, self.function.name, f"{node.name}()")
            self.analyser.calls.notes.walked(self, node, state, facts, step)
        for argument in self.body.cursors.of(node):
            if is_path(argument):
                keep_alike(argument, state, facts)
                forget(facts, argument)

    def _return(self, text: str, line: int, state: State, facts: Facts) -> None:
        text = unwrap(text)
        meaning = facts.get((MEANING, text))
        value = value_of(facts, meaning[1] if meaning and meaning[0] == "same" else text) if text else None
        if value is None:
            kind = "any" if text else "none"
        elif value == 0:
            kind = "zero"
        elif value == NEGATIVE_VALUE or (isinstance(value, int) and value < 0):
            kind = "negative"
        else:
            kind = "nonzero"
        if kind == "any" and value_of(facts, f"IS_ERR({text})") not in (None, 0):
            kind = "nonzero"
        if text:
            self._answers.returned(text, value, state, facts)
        if self._settings is None or self._settings:
            settings = settings_of(self.function, facts, self.body.written, self.api.clears)
            self._settings = settings if self._settings is None else self._settings & settings
        if len(self.analysis.summary.exits) >= _EXITS:
            return
        for held in sorted(state.locks):
            if held.origin is Origin.TAKEN and (known := facts.get((TAKEN_AT, held.expression))) is not None:
                self.analysis.taken[held.kind, self.outside(held.expression, facts)] = (known[1], known[2])
            for name in other_names(held.expression, facts):
                self._held_as.add((line, (held.kind, self.outside(name, facts, text))))
        taken = (held for held in state.locks if held.origin is Origin.TAKEN)
        self.analysis.left_with.add(
            (kind, frozenset((held.kind, self.outside(held.expression, facts)) for held in taken))
        )
        left = Exit(
            kind,
            frozenset(
                (held.kind, self.outside(held.expression, facts, text))
                for held in state.locks
                if held.origin is Origin.TAKEN and not self.doubts.concern(held)
            ),
            frozenset((kind_, in_parameters(self.function, expression)) for kind_, expression in state.dropped),
            "" if state.irq == ASSERTED else state.irq,
            state.suffix,
            state.preempt,
            state.bh,
            state.migrate,
            state.pagefault,
            state.kmap,
            state.rcu,
            state.instrumentation,
            state.eqs,
            state.unsure | self.doubts.of_counters(state, facts) | self._walked_locks(state),
            self.body.conditions(facts, of_exit=True),
            line,
            state.rt,
            Left.WAITING if state.task is Task.WAITING else Left.ALONE,
        )
        self.analysis.summary.exits[left] = None
        if saved_at(facts):
            self._flags_lost.add(line)

    def _walked_locks(self, state: State) -> frozenset[str]:
        """Locks of an array or list that is walked: a second walk lets go of them, which no single path shows."""
        stepped = self.body.cursors.stepped
        walked = any(held.origin is Origin.TAKEN and identifiers(held.expression) & stepped for held in state.locks)
        return frozenset((WALKED,)) if walked else frozenset()

    def outside(self, expression: str, facts: Facts, returned: str = "") -> str:
        """A lock's name for callers; a parameter that was assigned to means nothing to them."""
        start = root(expression)
        if start in self.body.handed_out and expression.startswith(start):
            return self.body.handed_out[start] + expression[len(start) :]
        if start in self.function.locals and is_path(returned):
            name = returned_as(self.function, expression, returned)
            if name is not None:
                return name
        if (MOVED, start) in facts:
            return "?." + last_member(expression)
        return in_parameters(self.function, expression)

    def are_apart(self, one: str, other: str) -> bool:
        """Whether two expressions certainly name two locks: they are declared at different places."""
        if one == other:
            return False
        classes = {self.analyser.program.lock_class(each, self.function) for each in (one, other)}
        return None not in classes and len(classes) > 1

    def reached(self, node: Call) -> Reached:
        """What a call reaches. The summaries of others stay as they are while one function is followed."""
        key = (node.line, node.name, node.args)
        found = self._reached.get(key)
        if found is None:
            found = self._reached[key] = self.body.reached(node)
        return found

    def _balance(self) -> None:
        """Returns that leave RCU nesting or locks as no other return of that kind does."""
        known = self.analysis
        given_back = {(held.kind, self.outside(held.expression, {})) for held in self.doubts.let_go}
        moves = Moves(
            self.let_go_below - self.taken_below,
            self.taken_below - given_back,
            {last_member(held.expression) for held in self.doubts.let_go}
            | {name for _, name in known.taken if self.analyser.own_locks.has(self.function, name)},
            self._raised,
            self._fell,
            self.passed_held - self.passed_other,
            self._held_as,
            self._flags_lost,
        )
        known.events += unbalanced(self.function, known.summary, self.start, self.api, known.taken, moves, self.reached)
