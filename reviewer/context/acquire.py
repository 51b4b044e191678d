# SPDX-License-Identifier: GPL-2.0-or-later
"""Which locks a function and its callees take, and what is held meanwhile."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from reviewer.context.assumptions import refuted
from reviewer.context.effects import MOST_CONDITIONS, Acquisition, Condition, Edge, EventKind
from reviewer.context.enabled import interruptible, interrupts
from reviewer.context.facts import STANDS, SYMBOL, TAKEN_AT, Facts, value_of
from reviewer.context.locks import around, canonical, in_parameters
from reviewer.context.match import presumed, satisfied
from reviewer.context.place import Place
from reviewer.context.schema import LockClass
from reviewer.context.setups import owner_of
from reviewer.context.state import Held, Origin, State
from reviewer.context.tables import LockKinds
from reviewer.model import Step
from reviewer.source.cfg import Call, Function, Guard, written_by
from reviewer.source.expression import last_member, root

if TYPE_CHECKING:
    from reviewer.context.flow import Flow
    from reviewer.context.reached import Acquired

WAIT = "wait"
"""Stands among the kinds of locks for a wait for all readers of an srcu_struct: it never gets past one."""
HANDLER = "handler"
"""The same for a wait for a function that runs on its own; its ``lock_class`` is the member by which it was set up."""
GUEST = "guest"
"""The same for the entry into a guest, which may stay there for as long as it likes."""
_NO_LOCKS = frozenset((HANDLER, GUEST))
ANY = "*"
"""Stands for any lock of the caller."""
_FLAG = re.compile(r"&[A-Z_]\w*$")
_MOST = 40
LONGEST_CHAIN = 6
"""So many calls lead to a lock that is taken, at the most."""


def taken_again(held: str, taken: str, kinds: LockKinds) -> EventKind | None:
    """What it is if whoever holds a lock as ``held`` takes it as ``taken``; None where that is allowed."""
    if held in kinds.exclusive or kinds.writers.get(held) == taken:
        return EventKind.TAKEN_TWICE
    return EventKind.READER_RECURSION if held == taken and held in kinds.fair else None


def taken(
    flow: Flow,
    node: Call | Guard,
    kind: str,
    expression: str,
    source: str,
    suffix: str,
    step: Step,
    state: State,
    facts: Facts,
) -> None:
    """The function itself takes a lock; ``source`` is the lock as it is written, or as the tables name it, and
    ``suffix`` that of the call."""
    named = source in flow.api.named_locks
    lock_class = source if named else flow.analyser.program.lock_class(source, flow.function) or ""
    irqs, bh = interrupts(state, facts, suffix)
    acquisition = Acquisition(kind, lock_class, expression, (), frozenset(), irqs, bh, (step,))
    if not flow.outside_only:
        interruptible(flow, node, acquisition, suffix, state, facts)
        _read_twice(flow, node, acquisition, state, facts)
    _note(flow, node, acquisition, Place(flow, state, facts))


def waited(flow: Flow, node: Call, step: Step, state: State, facts: Facts) -> None:
    """A call waits for all readers of the srcu_struct that it is given first."""
    source = node.args[0]
    lock_class = flow.analyser.program.lock_class(source, flow.function) or ""
    irqs, bh = interrupts(state, facts)
    expression = canonical(flow.function, source)
    acquisition = Acquisition(WAIT, lock_class, expression, (), frozenset(), irqs, bh, (step,))
    _waits_for_itself(flow, node, acquisition, state, facts)
    _note(flow, node, acquisition, Place(flow, state, facts))


def awaited(flow: Flow, node: Call, step: Step, state: State, facts: Facts) -> None:
    """A call waits until the handler of the object that it is given first has ended."""
    expression = canonical(flow.function, node.args[0])
    of = flow.analyser.set_ups.object_of(expression, flow.function)
    if of:
        irqs, bh = interrupts(state, facts)
        _note(
            flow,
            node,
            Acquisition(HANDLER, of, expression, (), frozenset(), irqs, bh, (step,)),
            Place(flow, state, facts),
        )


def guest_entered(flow: Flow, node: Call, step: Step, state: State, facts: Facts) -> None:
    """A call enters a guest."""
    irqs, bh = interrupts(state, facts)
    _note(flow, node, Acquisition(GUEST, GUEST, GUEST, (), frozenset(), irqs, bh, (step,)), Place(flow, state, facts))


def taken_inside(flow: Flow, node: Call, kind: str, name: str, step: Step, state: State, facts: Facts) -> None:
    """A call that is not followed takes the lock ``name`` of the tables, and releases it."""
    irqs, bh = interrupts(state, facts)
    acquisition = Acquisition(kind, name, name, (), frozenset(), irqs, bh, (step,))
    _twice(flow, node, acquisition, state, facts)
    _note(flow, node, acquisition, Place(flow, state, facts))


def inherit(flow: Flow, node: Call, callee: Function, brought: Iterable[Acquired], place: Place) -> None:
    """What the callee takes is taken in this call, where the arguments let it."""
    state, facts = place.state, place.facts
    irqs, bh = interrupts(state, facts)
    for acquisition, asked in brought:
        conditions: list[Condition] = []
        possible = True
        for condition in asked:
            answer = satisfied(condition, node.args, facts, flow.function, flow.api)
            possible = possible and (bool(answer) or (answer is None and presumed(condition, callee)))
            if isinstance(answer, Condition):
                conditions.append(answer)
        if not possible or refuted(acquisition.assumed, facts) or _of_own(flow.function, acquisition, facts):
            continue
        here = acquisition
        if conditions or (irqs and not acquisition.irqs) or (bh and not acquisition.bh):
            here = acquisition._replace(
                irqs=acquisition.irqs or irqs, bh=acquisition.bh or bh, conditions=tuple(conditions)
            )
        if not conditions and not flow.outside_only:
            _twice(flow, node, here, state, facts)
            if not acquisition.irqs:
                interruptible(flow, node, here, "", state, facts)
        _note(flow, node, here, place)


def _asked_of(acquisition: Acquisition, facts: Facts) -> Iterator[str]:
    """The flags with which alone an object has the lock taken, of which nothing says that it has them."""
    return (text for text, truth in acquisition.assumed if truth and _FLAG.search(text) and not value_of(facts, text))


def _of_own(function: Function, acquisition: Acquisition, facts: Facts) -> bool:
    """Whether the lock is taken for objects with a flag only, and this one is the function's own: it knows better."""
    return any(text.partition(".")[0] in function.locals for text in _asked_of(acquisition, facts))


def distrusted(acquisition: Acquisition, given_up: Collection[str]) -> Acquisition:
    """The acquisition in a function that lets go of its caller's locks of the kinds ``given_up``: maybe of any of them,
    as one that goes from the lock of one object to that of another."""
    if acquisition.kind not in given_up:
        return acquisition
    return acquisition._replace(minus=acquisition.minus | {ANY})


def _kept(state: State, acquisition: Acquisition) -> list[Held]:
    """The locks that are held when the lock is taken."""
    if "locks" in state.unsure or ANY in acquisition.minus:
        return []
    gone = {last_member(name) for name in acquisition.minus}
    holders = {around(name) for name in acquisition.minus}
    return [
        held
        for held in sorted(state.locks)
        if last_member(held.expression) not in gone and held.expression not in holders
    ]


def _twice(flow: Flow, node: Call, acquisition: Acquisition, state: State, facts: Facts) -> None:
    name = acquisition.expression
    if acquisition.kind in _NO_LOCKS:
        return
    if acquisition.kind == WAIT:
        _waits_for_itself(flow, node, acquisition, state, facts)
        return
    if flow.api.classes[acquisition.kind] is LockClass.READER:
        _read_twice(flow, node, acquisition, state, facts)
        return
    if "(" in name or "[" in name or name.startswith("?"):
        return
    if acquisition.asked and acquisition.asked & _set_here(flow.function):
        return  # the callee takes it for some values only, and this is where the value comes from
    if any(_asked_of(acquisition, facts)):
        return
    for held in _kept(state, acquisition):
        kind = taken_again(held.kind, acquisition.kind, flow.api.kinds)
        if held.expression != name or kind is None or held.origin is not Origin.TAKEN:
            continue
        if (STANDS, name) not in facts:
            continue
        start, function = root(name), flow.function
        if start not in function.params and start not in function.locals:
            named = name in flow.api.named_locks
            own = name if named else flow.analyser.program.lock_class(name, function)
            if own is None or own != acquisition.lock_class:
                continue
        shown, line, _ = facts.get((TAKEN_AT, name), (last_member(name), 0, ""))
        event = flow.event(kind, node, state, facts, acquisition.steps, detail=(shown, str(line)))
        flow.suspected.append((held, event))


def _read_twice(flow: Flow, node: Call | Guard, acquisition: Acquisition, state: State, facts: Facts) -> None:
    """A reader is opened whose index the object keeps, while it keeps that of another."""
    call = _called(acquisition.steps[-1].text)
    lock = flow.api.locks.get(call)
    if lock is None or not lock.name.startswith("P0") or flow.api.classes[lock.kind] is not LockClass.READER:
        return
    for held in _kept(state, acquisition):
        shown, line, text = facts.get((TAKEN_AT, held.expression), ("", 0, ""))
        if held.expression == acquisition.expression and held.origin is Origin.TAKEN and _called(text) == call:
            steps, detail = acquisition.steps, (shown, str(line))
            event = flow.event(EventKind.READ_TWICE, node, state, facts, steps, detail=detail)
            flow.suspected.append((held, event))


def _called(text: str) -> str:
    return text.partition("(")[0]


def _waits_for_itself(flow: Flow, node: Call | Guard, acquisition: Acquisition, state: State, facts: Facts) -> None:
    name = acquisition.expression
    for held in _kept(state, acquisition):
        reader = flow.api.classes.get(held.kind) is LockClass.READER and held.origin is Origin.TAKEN
        if not reader or held.expression != name or "(" in name or name.startswith("?"):
            continue
        if flow.analyser.program.lock_class(name, flow.function) != (acquisition.lock_class or None):
            continue
        shown, line, _ = facts.get((TAKEN_AT, name), (last_member(name), 0, ""))
        steps, detail = acquisition.steps, (shown, str(line))
        flow.suspected.append((held, flow.event(EventKind.WAITS_FOR_ITSELF, node, state, facts, steps, detail=detail)))


def _chosen(locks: tuple[str, ...], facts: Facts) -> tuple[str, ...]:
    """Those of ``locks`` whose object was compared with a symbol."""
    asked = [text for letter, text in facts if letter == SYMBOL and "==" in text]
    found = ((name, owner_of(name)) for name in locks if asked)
    return tuple(
        name for name, owner in found if any(owner and text.startswith((f"{owner}->", f"{owner}.")) for text in asked)
    )


def _note(flow: Flow, node: Call | Guard, acquisition: Acquisition, place: Place) -> None:
    if not flow.outside_only:
        _note_edges(flow, node, acquisition, place)
    function, state, facts = flow.function, place.state, place.facts
    if flow.body.once.is_first(facts) or flow.body.once.is_last(facts) or flow.body.decided_by_number(facts):
        return
    conditions = acquisition.conditions + tuple(c for c in place.conditions if c not in acquisition.conditions)
    if len(conditions) > MOST_CONDITIONS:
        return
    expression = flow.outside(acquisition.expression, facts)
    if not acquisition.lock_class and not expression.startswith("P"):
        return
    minus = frozenset(name for _, name in place.dropped)
    if acquisition.minus:
        minus |= {
            name if name == ANY else in_parameters(function, name)
            for name in acquisition.minus
            if not any(held.expression == name and held.origin is Origin.TAKEN for held in state.locks)
        }
    if "locks" in state.unsure:
        minus |= {ANY}
    outside = Acquisition(
        acquisition.kind,
        acquisition.lock_class,
        expression,
        conditions,
        minus,
        acquisition.irqs,
        acquisition.bh,
        acquisition.steps,
        acquisition.asked | place.asked,
        place.for_callers(acquisition.assumed),
        acquisition.marked | flow.body.marked.get(node.line, frozenset()),
    )
    acquisitions, key = flow.analysis.summary.acquisitions, outside.key
    old = acquisitions.get(key)
    shorter = old is not None and (len(outside.steps), outside.steps) < (len(old.steps), old.steps)
    if shorter or (old is None and len(acquisitions) < _MOST):
        acquisitions[key] = outside
    if old is not None and (old.asked, old.assumed, old.marked) != (outside.asked, outside.assumed, outside.marked):
        kept = acquisitions[key]
        asked, marked = old.asked & outside.asked, old.marked & outside.marked
        acquisitions[key] = kept._replace(asked=asked, assumed=old.assumed & outside.assumed, marked=marked)


def _note_edges(flow: Flow, node: Call | Guard, acquisition: Acquisition, place: Place) -> None:
    state, facts = place.state, place.facts
    if not acquisition.lock_class or acquisition.conditions or _another_held(flow, acquisition, state):
        return
    for held in _kept(state, acquisition):
        if held.expression != acquisition.expression:
            key = (held.kind, held.expression, acquisition.kind, acquisition.lock_class)
            known = flow.analysis.edges.get(key)
            if known is None or len(acquisition.steps) < len(known.acquisition.steps):
                where = facts.get((TAKEN_AT, held.expression), (last_member(held.expression), 0, ""))
                chosen = _chosen((held.expression, acquisition.expression), facts)
                flow.analysis.edges[key] = Edge(held, acquisition, node.line, state, where, chosen)


def _another_held(flow: Flow, acquisition: Acquisition, state: State) -> bool:
    """Whether a lock of the same class is held already, and nobody knows whether it is that of the same object.

    If it is, the callee does not take it here; if not, the outer one may well be what keeps others away.
    """
    name = acquisition.expression
    return name.startswith("?") and any(
        last_member(held.expression) == last_member(name)
        and flow.analyser.program.lock_class(held.expression, flow.function) == acquisition.lock_class
        for held in state.locks
    )


def _set_here(function: Function) -> frozenset[str]:
    """The variables that the function gives a value to."""
    return frozenset(name for node in function.nodes() if (name := written_by(node)))
