# SPDX-License-Identifier: GPL-2.0-or-later
"""What a call or a guard does to the context: from the tables, else from the summary of the callee."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reviewer.context.acquire import awaited, guest_entered, taken, taken_again, taken_inside, waited
from reviewer.context.annotations import is_early
from reviewer.context.assignments import converted
from reviewer.context.assume import presume
from reviewer.context.descent import Descent
from reviewer.context.effects import EventKind
from reviewer.context.enabled import held_unsaid
from reviewer.context.entry import runs_alone
from reviewer.context.facts import (
    DECIDED,
    FLAGS,
    MEANING,
    MOVED,
    NEGATIVE_VALUE,
    REPLACED,
    SLEPT,
    STANDS,
    TAKEN_AT,
    UNMOVED,
    VALUE,
    Facts,
    forget,
    note_error,
    note_same,
)
from reviewer.context.locks import apply_suffix, canonical, drop, equal_name, in_caller, take
from reviewer.context.lookups import note_lookup, note_stale
from reviewer.context.shown import ANONYMOUS, FREE_PREFIX, guard_name, shown_as
from reviewer.context.since import since
from reviewer.context.state import ASSERTED, Held, Origin, State, Task, counted
from reviewer.context.tabled import Tabled
from reviewer.context.tables import LockCall, Operation
from reviewer.source.cfg import Call, Function, Guard
from reviewer.source.expression import identifiers, last_member, plain, root, split_arguments
from reviewer.source.guards import CONDITIONAL

if TYPE_CHECKING:
    from reviewer.context.analysis import Analyser
    from reviewer.context.flow import Flow, Forks

_TASK_STATE = re.compile(r"\bTASK_[A-Z]+\b")
_OUT_PARAMETER = re.compile(r"&\w+")


class Calls(Descent):
    """Applies calls to states; ``flow`` is the function in which the call stands."""

    def __init__(self, analyser: Analyser) -> None:
        super().__init__(analyser)
        self.tabled = Tabled(analyser, self.notes)
        self._ordinary: dict[str, bool] = {}

    def call(self, flow: Flow, node: Call, state: State, facts: Facts) -> Forks:
        """The states after a call."""
        if self.is_ordinary(node.name):
            given = _given(node, facts)
            forks = self._descend(flow, node, self._forget_results(flow, node, state, facts), facts, given)
            flow.requirements.met(node, state)
            return forks
        flow.requirements.asserted(node, state, facts)
        forks = self._call(flow, node, state, facts)
        flow.requirements.called(node, state, [after for after, _ in forks])
        return forks

    def _call(self, flow: Flow, node: Call, state: State, facts: Facts) -> Forks:
        given = _given(node, facts)
        state = self._forget_results(flow, node, state, facts)
        name = node.name
        if self.analyser.is_own(name, flow.function.path):
            return self._descend(flow, node, state, facts, given)
        if name in self.api.predicates or name == "IS_ENABLED":
            self._predicate(node, facts)
            return [(state, facts)]
        if name in self.api.demands.denied and node.args:
            expression = canonical(flow.function, node.args[0])
            gone = frozenset(held for held in state.locks if held.expression == expression)
            return [(state._replace(locks=state.locks - gone), facts)]
        if name in self.api.demands.asserted and node.args:
            asserted = self._assert(flow, node, state)
            if held_unsaid(asserted, self.api):
                facts.pop((SLEPT, ""), None)
            return [(asserted, facts)]
        if node.result is None and name in self.api.demands.violated:
            presume(flow.function, node, self.api.demands.violated[name], facts)
        self._decided(flow, node, state, facts)
        self._waits(flow, node, state, facts)
        self.tabled.apply(flow, node, state, facts, given)
        changed = self._table_change(flow, node, state, facts)
        if changed is not None:
            return changed
        if self.api.demands.wrappers.fullmatch(name):
            self._demanded(flow, node, state, facts)
        if self.api.is_known(name):
            return [(state, facts)]
        if self.api.opaque.fullmatch(name):
            if flow.opened:
                self._opened(flow, node, state, facts)
            return [(state, facts)]
        return self._descend(flow, node, state, facts, given)

    def _decided(self, flow: Flow, node: Call, state: State, facts: Facts) -> None:
        """What a lookup has decided, and an insertion that relies on it."""
        name = node.name
        if self.api.insert_checks.fullmatch(name):
            for key in [key for key in facts if key[0] == DECIDED]:
                del facts[key]
        elif self.api.insert.fullmatch(name):
            note_stale(flow, node, state, facts)
        if self.api.lookup.fullmatch(name):
            for key in [key for key, decision in facts.items() if key[0] == DECIDED and decision.call == name]:
                del facts[key]  # the same search again, whatever its answer goes into
            if node.result:
                note_lookup(state, facts, self.api, node.result, name, node.line)

    def _waits(self, flow: Flow, node: Call, state: State, facts: Facts) -> None:
        """Whom a call waits for, and locks that it takes and releases before it returns."""
        name, api = node.name, self.api
        if name in api.waits_for_readers and node.args:
            waited(flow, node, self.notes.step(flow, node), state, facts)
        if name in api.waits_for_handlers and node.args:
            awaited(flow, node, self.notes.step(flow, node), state, facts)
        if name in api.transitions.guest:
            guest_entered(flow, node, self.notes.step(flow, node), state, facts)
        if name in api.hrtimers.wait and node.args:
            self.notes.timer_wait(flow, node, state, facts)
        if (inside := api.locks_inside.get(name)) is not None:
            kind, lock = inside
            taken_inside(flow, node, kind, lock, self.notes.step(flow, node), state, facts)

    def is_ordinary(self, name: str) -> bool:
        """Whether no table has anything to say of ``name``, as of nearly all functions."""
        found = self._ordinary.get(name)
        if found is None:
            api, demands = self.api, self.api.demands
            named = (api.waits_for_readers, api.waits_for_handlers, api.hrtimers.wait, api.locks_inside)
            more = (api.transitions.guest, demands.violated, demands.asserted, demands.denied, ("IS_ENABLED",))
            patterns = (api.insert_checks, api.insert, api.lookup, api.remove, demands.wrappers, api.opaque)
            found = self._ordinary[name] = not (
                api.is_known(name)
                or demands.asserts(name)
                or api.lowers_reference.fullmatch(name)
                or demands.takers.fullmatch(name.removeprefix("."))
                or any(name in table for table in (*named, *more))
                or any(pattern.fullmatch(name) for pattern in patterns)
            )
        return found

    # What is known before the call

    def _forget_results(self, flow: Flow, node: Call, state: State, facts: Facts) -> State:
        if node.result:
            forget(facts, node.result)
            if node.result in flow.function.params:
                facts[REPLACED, node.result] = True
            if flow.analyser.is_predicate(node.name, flow.function.path):
                note_same(facts, node)
            note_error(facts, node, self.api)
            if node.name in self.api.converts:
                converted(flow, node, facts)
            flow.body.references.called(node, facts)
        flow.body.own_references.called(node, facts)
        if node.name in self.api.taken_out and node.args:
            forget(facts, node.args[0])
            facts[VALUE, node.args[0]] = 0
        if not self.is_ordinary(node.name) and self.api.remove.fullmatch(node.name) and node.args:
            gone = identifiers(node.args[0])
            for key in [key for key in facts if key[0] == DECIDED and key[1] in gone]:
                del facts[key]
        for argument in () if node.name in self.api.steady else node.args:
            if (
                argument[:1] != "&" or not _OUT_PARAMETER.fullmatch(argument) or (STANDS, argument[1:]) in facts
            ):  # a lock stays where it is
                continue
            number = argument[1:] in flow.function.locals and argument[1:] not in flow.function.types
            says = number and "lock" in argument
            known = (VALUE, argument[1:]) in facts
            if says or (known and ("lock" in argument or any(h.origin is Origin.TAKEN for h in state.locks))):
                # As with get_user_pages_remote(..., &locked): the callee may drop the lock and say so here.
                state = state.doubted({"locks"})
            forget(facts, argument[1:])
            released = {root(name) for _, name in state.dropped}
            if argument[1:] in flow.function.params or argument[1:] in released:
                facts[MOVED, argument[1:]] = True  # what is taken under that name may be another lock
        return state

    def _predicate(self, node: Call, facts: Facts) -> None:
        if not node.result:
            return
        first = node.args[0] if node.args else ""
        if node.name == "IS_ENABLED":
            if first == "CONFIG_PREEMPT_RT":
                facts[MEANING, node.result] = ("rt", "")
            else:
                facts[MEANING, node.result] = ("same", f"IS_ENABLED({first})")
        else:
            facts[MEANING, node.result] = (self.api.predicates[node.name], first)

    def _assert(self, flow: Flow, node: Call, state: State) -> State:
        expression = canonical(flow.function, node.args[0])
        name = last_member(expression)
        if any(
            last_member(held.expression) == name and not flow.are_apart(held.expression, expression)
            for held in state.locks
        ):
            return state
        kind = self.api.demands.asserted[node.name]
        if kind not in self.api.classes:
            kind = self.analyser.lock_kind(flow.function, expression, writing=kind == "writing")
        return state._replace(locks=state.locks | {Held(kind, expression, Origin.ASSERTED)})

    # State changes that the tables know

    def _table_change(self, flow: Flow, node: Call, state: State, facts: Facts) -> Forks | None:
        name, api = node.name, self.api
        lock_call = api.locks.get(name)
        if lock_call is not None:
            return self._lock(flow, node, lock_call, state, facts)
        if name in api.counters:
            return [(since(state, counted(state, api.counters[name]), facts, node, api), facts)]
        if name in api.irq:
            if api.irq[name] in ("asserted", "disable", "save") and self._alone(flow.function):
                if node.args:
                    facts[FLAGS, node.args[0]] = state.irq
                return [(state, facts)]
            changed = self._irq(api.irq[name], node.args[0] if node.args else "", state, facts)
            return [(since(state, changed, facts, node, api), facts)]
        if name in api.task_set:
            task = _task_state(node)
            flow.resets_task = flow.resets_task or task is Task.RUNNING
            return [(state._replace(task=task), facts)]
        if name in api.task_running:
            flow.resets_task = True
            return [(state._replace(task=Task.RUNNING), facts)]
        if name in api.eqs:
            return [(state._replace(eqs=api.eqs[name], unsure=state.unsure - {"eqs"}), facts)]
        return None

    def _alone(self, function: Function) -> bool:
        """Whether nothing can sleep for want of another task, before the scheduler runs (GFP_BOOT_MASK in gfp.h) or in
        a callback."""
        return is_early(function) or runs_alone(self.analyser.program, self.api, function)

    @staticmethod
    def _irq(what: str, flags: str, state: State, facts: Facts) -> State:
        if what == "save":
            facts[FLAGS, flags] = state.irq
            return state._replace(irq="off")
        if what == "masked":
            return state.doubted({"irq"})
        if what == "asserted":
            return state if state.irq else state._replace(irq=ASSERTED)
        if what == "restore":
            return state._replace(irq=facts.get((FLAGS, flags), "restored"))
        return state._replace(irq="off" if what == "disable" else "on")

    def _lock(self, flow: Flow, node: Call, lock: LockCall, state: State, facts: Facts) -> Forks:
        if lock.name:
            source = shown = expression = in_caller(flow.function, lock.name, node.args)
        elif lock.argument < len(node.args):
            source = node.args[lock.argument]
            shown, expression = plain(source), canonical(flow.function, source)
        else:
            return [(state, facts)]
        flags = node.args[-1] if lock.suffix == "irqsave" and len(node.args) > 1 else ""
        if lock.operation is Operation.RELEASE:
            expression = equal_name(expression, state, facts)
            left = drop(state, facts, lock.kind, expression, flow.are_apart)
            return [(apply_suffix(left, self.api, lock.kind, lock.suffix, -1, facts, flags), facts)]
        if lock.operation is Operation.DOWNGRADE:
            kind = self.api.downgraded[lock.kind]
            state = drop(state, facts, lock.kind, expression, flow.are_apart)
            return [(take(state, facts, kind, expression, shown, node.line, shown_as(node, self.api)), facts)]
        if lock.operation is Operation.ACQUIRE and "nest" not in node.name:
            self._taken_twice(flow, node, lock.kind, expression, state, facts)
        if lock.operation is not Operation.TRY and "nest" not in node.name and "trylock" not in node.name:
            taken(flow, node, lock.kind, expression, source, lock.suffix, self.notes.step(flow, node), state, facts)
        held_facts = dict(facts)
        held = take(state, held_facts, lock.kind, expression, shown, node.line, shown_as(node, self.api))
        held = apply_suffix(held, self.api, lock.kind, lock.suffix, 1, held_facts, flags)
        if lock.operation is Operation.ACQUIRE:
            return [(held, held_facts)]
        if not node.result:
            return [(held, held_facts)] if lock.operation is Operation.TRY_ZERO else [(state, facts)]
        success, failure = (0, "nonzero") if lock.operation is Operation.TRY_ZERO else ("nonzero", 0)
        held_facts["value", node.result] = success
        facts["value", node.result] = failure
        return [(held, held_facts), (state, facts)]

    def _taken_twice(
        self, flow: Flow, node: Call | Guard, kind: str, expression: str, state: State, facts: Facts
    ) -> None:
        """Note a lock that is held already: the same one, no part of its name assigned since.

        Where something was called in between, it may have let go of the lock for a moment.
        """
        for held in state.locks:
            what = taken_again(held.kind, kind, self.api.kinds) if held.expression == expression else None
            same = what is not None and held.origin is Origin.TAKEN and (STANDS, expression) in facts
            if what is None or not same or "locks" in state.unsure or "(" in expression:
                continue
            shown, line, _ = facts.get((TAKEN_AT, expression), (last_member(expression), 0, ""))
            steps = (self.notes.step(flow, node),)
            event = flow.event(what, node, state, facts, steps, detail=(shown, str(line)))
            if (UNMOVED, expression) in facts:
                flow.note(event)
            elif held.kind == kind and kind in self.api.kinds.exclusive:
                flow.again.setdefault(held, event)

    # Guards

    def guard(self, flow: Flow, node: Guard, state: State, facts: Facts) -> Forks:
        """The states after a guard begins or ends."""
        api, cls = self.api, node.cls
        if cls.startswith(FREE_PREFIX):
            if node.enter or facts.get((VALUE, node.argument)) == 0:
                return [(state, facts)]
            if cls.removeprefix(FREE_PREFIX) not in api.frees:
                return self._defined_guard(flow, node, state, facts)
            self.notes.simple(flow, node, state, facts, EventKind.FREE, self.notes.step(flow, node))
            return [(state, facts)]
        if not node.enter and node.variable and facts.get((VALUE, node.status)) not in (None, 0):
            return [(state, facts)]  # nothing was taken
        sign = 1 if node.enter else -1
        if cls in api.irq_guards:
            changed = self._irq("save" if node.enter else "restore", "guard", state, facts)
            return [(since(state, changed, facts, node, api), facts)]
        if cls in api.counter_guards:
            return [(since(state, counted(state, api.counter_guards[cls], sign), facts, node, api), facts)]
        if cls not in api.lock_guards:
            flow.requirements.guarded(node)
            return self._defined_guard(flow, node, state, facts)
        kind, suffix = api.lock_guards[cls]
        expression = canonical(flow.function, node.argument)
        failed: Forks = []
        if node.enter and node.variable:
            if node.can_fail:
                failed = [(state, {**facts, (VALUE, node.status): NEGATIVE_VALUE})]
            facts[VALUE, node.status] = 0
        if node.enter:
            if "_try" not in cls and "nest" not in cls:
                self._taken_twice(flow, node, kind, expression, state, facts)
                taken(flow, node, kind, expression, node.argument, suffix, self.notes.step(flow, node), state, facts)
            self.tabled.locking(flow, node, state, facts, kind, self.notes.step(flow, node), trying="_try" in cls)
            state = take(
                state, facts, kind, expression, plain(node.argument), node.line, f"guard({cls})({node.argument})"
            )
        else:
            state = drop(state, facts, kind, expression, flow.are_apart)
        return [
            (
                apply_suffix(
                    state, api, kind, "irqsave" if suffix == "irq" else suffix, sign, facts, "guard" + expression
                ),
                facts,
            ),
            *failed,
        ]

    def _defined_guard(self, flow: Flow, node: Guard, state: State, facts: Facts) -> Forks:
        """A guard that the tables do not know: what its definition in the tree says."""
        name = guard_name(node)
        callees = self.analyser.callees(name, flow.function)
        if not callees:
            if node.enter:
                flow.requirements.taken_unnamed(node.line, frozenset())
            return [(state.doubted({"irq"}) if node.enter else state, facts)]  # it may disable them
        arguments = tuple(split_arguments(node.argument)) if node.argument else ()
        result = None
        if not node.cls.startswith(FREE_PREFIX):
            variable = (node.variable or ANONYMOUS,)
            arguments = variable if callees[0].via == "DEFINE_CLASS" and not node.enter else (*arguments, *variable)
            if node.enter:
                result = node.status if callees[0].via in CONDITIONAL else node.variable or ANONYMOUS
                forget(facts, result)
        if not node.enter:
            flow.body.references.end(node, facts)
        forks = self._descend(flow, Call(node.line, name, arguments, result), state, facts)
        for _, known in forks:
            flow.body.references.passed(node, known)
        return forks


def _given(node: Call, facts: Facts) -> Facts | None:
    """What is known before a call that may write to objects, where something is known of one of them; else None.

    Its answer may be put into a member of one.
    """
    if node.result is not None and "->" in node.result and (VALUE, node.result) in facts:
        return dict(facts)
    for argument in node.args:
        if _OUT_PARAMETER.fullmatch(argument):
            known = (argument[1:] + ".", argument[1:] + "&", argument[1:] + "==")
            if any(text == argument[1:] or text.startswith(known) for _, text in facts):
                return dict(facts)
    return None


def _task_state(node: Call) -> Task:
    """What set_current_state() and its like set."""
    words = {word for argument in node.args for word in _TASK_STATE.findall(argument)}
    if "TASK_RUNNING" in words:
        return Task.RUNNING
    return Task.WAITING if words else Task.SET
