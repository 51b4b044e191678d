# SPDX-License-Identifier: GPL-2.0-or-later
"""The states after a call whose callee leaves the context other than it found it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from operator import attrgetter
from typing import TYPE_CHECKING

from reviewer.context.effects import DISTRUSTED, MAYBE_LOWERED, UNCHANGED, UNMOVED_EXIT, WALKED, Exit, Left, Summary
from reviewer.context.facts import FLAGS, NONZERO, VALUE, Facts, forget
from reviewer.context.locks import canonical, drop, in_caller, in_parameters, take
from reviewer.context.match import satisfied
from reviewer.context.schema import COUNTERS
from reviewer.context.state import State, Task, moved
from reviewer.source.cfg import Call, Function
from reviewer.source.expression import last_member

if TYPE_CHECKING:
    from reviewer.context.flow import Flow, Forks

_FIELDS = {"irq": ("irq", "suffix"), **{counter: (counter,) for counter in sorted(COUNTERS)}}
"""By what can be in doubt: the fields of ``Exit`` that say it."""
_counted = attrgetter(*(field for fields in _FIELDS.values() for field in fields))
_CHANGES = ("irq", "suffix", *sorted(COUNTERS), "eqs")
_READER = "RCU"  # in __releases() and __acquires(): not a lock (include/linux/rcupdate.h)
_PROMISED = frozenset(("locks", "rcu"))  # what __releases() and __acquires() speak of
_ENABLED = frozenset(("on", "restored"))


def apply_exits(flow: Flow, node: Call, callee: Function, summary: Summary, state: State, facts: Facts) -> Forks:
    """Split by class of return value where that says which exit was taken; else what differs becomes unsure."""
    possible = [
        exit_
        for exit_ in summary.exits
        if (exit_.rt is None or state.rt is None or exit_.rt == state.rt)
        and all(
            satisfied(condition, node.args, facts, flow.function, flow.api) is not False
            for condition in exit_.conditions
        )
    ]
    state = _perhaps_released(flow, node, possible, _with_task(flow, possible, state), facts)
    if summary.exits and all(exit_.unsure >= DISTRUSTED for exit_ in summary.exits):
        moves_locks = any(exit_.gained or exit_.released for exit_ in summary.exits)
        return [(state.doubted(DISTRUSTED if moves_locks else DISTRUSTED - {"locks"}), facts)]
    changes = {exit_.change for exit_ in possible}
    doubts = frozenset.intersection(*(exit_.unsure for exit_ in possible)) if possible else frozenset[str]()
    if not changes or (changes == {UNCHANGED} and not doubts):
        return [(state, facts)]
    if len(changes) == 1:
        if node.result and {exit_.value for exit_ in possible} in ({"zero"}, {"nonzero"}):
            facts[VALUE, node.result] = 0 if possible[0].value == "zero" else NONZERO
        return [(_apply(flow, node, possible[0]._replace(unsure=doubts), state, facts), facts)]
    if (worlds := _worlds(possible)) is not None:
        return [
            (_apply(flow, node, exit_, state._replace(rt=exit_.rt), known), known)
            for exit_, known in ((exit_, dict(facts)) for exit_ in worlds)
        ]
    classes: dict[str, dict[tuple[object, ...], Exit]] = defaultdict(dict)
    for exit_ in possible:
        classes["nonzero" if exit_.value == "negative" else exit_.value][exit_.change] = exit_
    # Of a pointer, "nonzero" is ERR_PTR() and "any" mostly what was wanted: which one it is, IS_ERR() tells.
    tellable = not callee.returns.endswith("*") or set(classes) != {"any", "nonzero"}
    clear = [len(exits) == 1 for exits in classes.values()]
    ways = {name: [*exits.values()] for name, exits in classes.items()}
    split = _split(flow, node, ways, state, facts) if node.result and tellable and any(clear) else None
    if split is not None and all(clear):
        return split
    annotated = _annotated(flow, node, callee, state, facts)
    if annotated is not None:
        return [(annotated.doubted(_differing(possible) - _PROMISED), facts)]
    return split if split is not None else [(_joined(flow, node, possible, state, facts), facts)]


def _with_task(flow: Flow, possible: list[Exit], state: State) -> State:
    """The state with what the callee leaves of the task state, where all its ways out agree."""
    left = {exit_.task for exit_ in possible}
    if left == {Left.WAITING}:
        return state._replace(task=Task.WAITING)
    if Left.RESET in left:
        flow.resets_task = True
        return state._replace(task=Task.RUNNING)
    return state


def _perhaps_released(flow: Flow, node: Call, possible: list[Exit], state: State, facts: Facts) -> State:
    """The state where what is held may have been released below: that differs between the ways out of some callee."""
    below = frozenset[tuple[str, str]]().union(*(exit_.perhaps for exit_ in possible))
    if not below:
        return state
    perhaps = {(kind, in_caller(flow.function, name, node.args)) for kind, name in below}
    _note_perhaps(flow, perhaps, facts)
    held = {(lock.kind, lock.expression) for lock in state.locks}
    return state.doubted({"locks"}) if held & perhaps else state


def _note_perhaps(flow: Flow, released: Iterable[tuple[str, str]], facts: Facts) -> None:
    outside = ((kind, flow.outside(name, facts)) for kind, name in released)
    flow.perhaps_released.update((kind, name) for kind, name in outside if not name.startswith("?"))


def _joined(flow: Flow, node: Call, exits: list[Exit], state: State, facts: Facts) -> State:
    """The state after a call that left by one of ``exits``, nobody knows which."""
    if len(exits) == 1:
        return _apply(flow, node, exits[0], state, facts)
    found = [exit_.released for exit_ in exits]
    at_times = frozenset.union(*found) - frozenset.intersection(*found)
    _note_perhaps(flow, ((kind, in_caller(flow.function, name, node.args)) for kind, name in at_times), facts)
    return _apply(flow, node, _alike(exits), state, facts).doubted(_differing(exits))


def _differing(possible: list[Exit]) -> frozenset[str]:
    """What is not the same on all ways out."""
    found = set[str]()
    unlike = len(set(map(_counted, possible))) > 1
    for name, fields in _FIELDS.items() if unlike else ():
        changes = {tuple(getattr(exit_, field) for field in fields) for exit_ in possible}
        if len(changes) > 1:
            found.add(name)
            if any(
                exit_.irq in _ENABLED or exit_.suffix < 0 if name == "irq" else getattr(exit_, name) < 0
                for exit_ in possible
            ):
                found.add(name + MAYBE_LOWERED)
    if len({(exit_.gained, exit_.released) for exit_ in possible}) > 1:
        found.add("locks")
    return frozenset(found)


def _alike(possible: list[Exit]) -> Exit:
    """What all ways out have in common, as one lock that is released on each of them, as with xas_unlock_type()."""
    first = possible[0]
    found = UNMOVED_EXIT._replace(unsure=frozenset.intersection(*(exit_.unsure for exit_ in possible)))
    found = found._replace(released=frozenset.intersection(*(exit_.released for exit_ in possible)))
    if len({exit_.gained for exit_ in possible}) == 1:
        found = found._replace(gained=first.gained)
    for field in _CHANGES:
        if len({getattr(exit_, field) for exit_ in possible}) == 1:
            found = found._replace(**{field: getattr(first, field)})
    return found


def _worlds(possible: list[Exit]) -> tuple[Exit, Exit] | None:
    """The ways out with and without PREEMPT_RT, where nothing else decides between them."""
    found = []
    for rt in (True, False):
        ways = [exit_ for exit_ in possible if exit_.rt in (None, rt)]
        if len({exit_.change for exit_ in ways}) != 1:
            return None
        found.append(ways[0]._replace(rt=rt, unsure=frozenset.intersection(*(exit_.unsure for exit_ in ways))))
    return found[0], found[1]


def unnamed(releases: Iterable[tuple[str, str]], state: State) -> frozenset[tuple[str, str]]:
    """The locks held in ``state`` of which the callee may release one, under a name that means nothing here.

    ``releases`` are those that it has no name for, as kind and last member.
    """
    held = {last_member(lock.expression) for lock in state.locks}
    kinds = {kind for kind, member in releases if member not in held}
    return frozenset((lock.kind, lock.expression) for lock in state.locks if lock.kind in kinds)


def _split(flow: Flow, node: Call, classes: dict[str, list[Exit]], state: State, facts: Facts) -> Forks | None:
    """One state for each class of the return value, if the classes exclude each other.

    What differs between the ways out of one class is unsure.
    """
    names = set(classes)
    if "none" in names or node.result is None:
        return None
    if names == {"zero", "nonzero"}:
        values: dict[str, int | str] = {"zero": 0, "nonzero": "nonzero"}
    elif names == {"any", "zero"}:
        values = {"any": "nonzero", "zero": 0}
    elif names == {"any", "nonzero"}:
        values = {"any": 0, "nonzero": "nonzero"}
    else:
        return None
    forks: Forks = []
    for name, exits in classes.items():
        known = dict(facts)
        after = _joined(flow, node, exits, state, known)
        known[VALUE, node.result] = values[name]
        forks.append((after, known))
    return forks


def _apply(flow: Flow, node: Call, exit_: Exit, state: State, facts: Facts) -> State:
    for kind, expression in sorted(exit_.released):
        before = state.locks
        state = drop(state, facts, kind, in_caller(flow.function, expression, node.args), flow.are_apart)
        flow.let_go_below.update((held.kind, flow.outside(held.expression, facts)) for held in before - state.locks)
    for kind, expression in sorted(exit_.gained):
        name = in_caller(flow.function, expression, node.args, node.result)
        if name.startswith("?"):
            flow.requirements.taken_unnamed(node.line, frozenset((last_member(name),)))
            continue  # a lock that has no name here: it was found in the callee, and is let go of by whoever knows it
        state = take(state, facts, kind, name, name, node.line, f"{node.name}()")
        flow.taken_below.add((kind, flow.outside(name, facts)))
    irq = exit_.irq
    if irq == "off" and state.irq != "off":
        facts[FLAGS, "callee"] = state.irq
    elif irq == "restored":
        irq = facts.get((FLAGS, "callee"), "restored")
        state = state._replace(irq=irq)
    for name in node.args:
        if exit_.gained and name.isidentifier() and "flags" in name:
            forget(facts, name)
    if doubts := _inherited(exit_):
        state = state.doubted(doubts)
    return state._replace(
        irq=irq or state.irq,
        suffix=moved(state.suffix, exit_.suffix),
        preempt=moved(state.preempt, exit_.preempt),
        bh=moved(state.bh, exit_.bh),
        migrate=moved(state.migrate, exit_.migrate),
        pagefault=moved(state.pagefault, exit_.pagefault),
        kmap=moved(state.kmap, exit_.kmap),
        rcu=moved(state.rcu, exit_.rcu),
        instrumentation=moved(state.instrumentation, exit_.instrumentation),
        eqs=exit_.eqs or state.eqs,
    )


def _inherited(exit_: Exit) -> frozenset[str]:
    """What the caller cannot be sure of either: the callee's own locks are its own business unless some stay held."""
    if exit_.gained or exit_.released:
        return exit_.unsure - {WALKED} | ({"locks"} if WALKED in exit_.unsure else frozenset())
    return exit_.unsure - {"locks", WALKED}


def _annotated(flow: Flow, node: Call, callee: Function, state: State, facts: Facts) -> State | None:
    """What ``__releases()`` promises, where the paths through the callee were not understood."""
    annotations = [a for a in callee.annotations if a.name in ("__releases", "__acquires") and a.argument]
    if not annotations or len({a.name for a in annotations}) != 1:
        return None
    for annotation in annotations:
        if annotation.argument == _READER:
            state = state._replace(rcu=moved(state.rcu, -1 if annotation.name == "__releases" else 1))
            continue
        expression = in_caller(flow.function, in_parameters(callee, canonical(callee, annotation.argument)), node.args)
        held = next(
            (
                h
                for h in sorted(state.locks)
                if h.expression == expression or last_member(h.expression) == last_member(expression)
            ),
            None,
        )
        if annotation.name == "__releases" and held is not None:
            state = drop(state, facts, held.kind, held.expression, flow.are_apart)
            state = state.doubted({"irq", "bh"})
    return state
