# SPDX-License-Identifier: GPL-2.0-or-later
"""The contexts of functions and of their lines: how a function is entered, by whom, and what then holds on each line.

What is found is a set of contexts, each with its witness. That somebody enters a function in a context is known where
a caller or a table says so; that nobody enters it otherwise is not known where callers may be missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from reviewer.context.analysis import Analyser
from reviewer.context.callers import MOST, callers
from reviewer.context.closure import Key, key_of
from reviewer.context.locks import canonical
from reviewer.context.marks import Names, Taken, marks
from reviewer.context.reach import roots
from reviewer.context.state import Held, Origin, State
from reviewer.context.trace import Trace, trace
from reviewer.model import Mark, Step
from reviewer.source.cfg import Function
from reviewer.source.expression import last_member, root

_MOST_ARRIVALS = 32
_MOST_STATES = 4  # in which one call is made
_LARGE = 150  # blocks
_NOWHERE = "?."


class Begin(StrEnum):
    """Where the witness of an arrival begins."""

    ENTRY = "entry"
    UNKNOWN = "callers not known"
    FURTHER = "callers not looked at"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One way in which a function is entered: ``state`` in its own words, ``steps`` from the outermost frame down.

    ``taken`` tells of the locks of callers how they are written and where they were taken.
    """

    state: State
    steps: tuple[Step, ...]
    begin: Begin
    taken: Mapping[str, Taken]


_FURTHER = Arrival(State(), (), Begin.FURTHER, {})


class Contexts:
    """Answers for one analyser; what was computed for one question serves the next.

    With ``few``, of a function that has more callers than that only those in its own file are looked at, and nobody
    above them: what so many have in common is mostly nothing, and takes long to find. Very large callers are left out,
    too.
    """

    def __init__(self, analyser: Analyser, few: int | None = None) -> None:
        self.analyser = analyser
        self._few = few
        self._traces: dict[tuple[Key, State], Trace] = {}
        self._arrivals: dict[tuple[Key, int], tuple[Arrival, ...]] = {}

    def trace(self, function: Function, state: State) -> Trace:
        """The states of the lines of ``function``, entered in ``state``."""
        key = (key_of(function), state)
        if key not in self._traces:
            self._traces[key] = trace(self.analyser, function, state)
        return self._traces[key]

    def arrivals(self, function: Function, levels: int) -> tuple[Arrival, ...]:
        """How ``function`` is entered, with callers up to ``levels`` calls above; each context once, shortest first."""
        return self._above(function, levels, ())

    def lines(self, function: Function, levels: int) -> Lines:
        """What holds on the lines of ``function``, however it is entered."""
        return Lines(self, function, self.arrivals(function, levels))

    def _above(self, function: Function, levels: int, below: tuple[Key, ...]) -> tuple[Arrival, ...]:
        key = (key_of(function), levels)
        if key in self._arrivals:
            return self._arrivals[key]
        found: dict[State, Arrival] = {}
        for arrival in sorted(self._ways(function, levels, below), key=lambda one: (len(one.steps), one.steps)):
            found.setdefault(arrival.state, arrival)
        result = tuple(found.values())
        if len(result) > _MOST_ARRIVALS:
            result = (*result[:_MOST_ARRIVALS], _FURTHER)
        if not below:  # else callers that are below already were left out
            self._arrivals[key] = result
        return result

    def _ways(self, function: Function, levels: int, below: tuple[Key, ...]) -> Iterator[Arrival]:
        known = False
        for arrival in self._entries(function):
            known = True
            yield arrival
        if levels <= 0:
            if not known:
                yield _FURTHER
            return
        above = callers(self.analyser.program, function)
        if len(above) >= MOST:
            yield _FURTHER
        near, left = self._near(function, above, levels)
        if len(near) < len(above):
            known = True
            yield _FURTHER
        here = (*below, key_of(function))
        for caller in near:
            if key_of(caller) in here:
                continue
            for arrival in self._through(caller, function, left, here):
                known = True
                yield arrival
        if not known:
            yield Arrival(State(), (), Begin.UNKNOWN, {})

    def _entries(self, function: Function) -> Iterator[Arrival]:
        """How those enter ``function`` who do not call it by name: as a table says, or nobody knows how."""
        known = False
        for way in roots(self.analyser, function):
            known = True
            yield Arrival(way.state, (way.step,), Begin.ENTRY, {})
        if not known and (filled := sorted(self.analyser.program.filled(function))):
            structure, member = filled[0]
            step = Step(function.path, function.line, function.name, f"<- struct {structure}.{member}")
            yield Arrival(State(), (step,), Begin.UNKNOWN, {})

    def _near(self, function: Function, above: tuple[Function, ...], levels: int) -> tuple[tuple[Function, ...], int]:
        """The callers that are looked at, and how many calls up from them."""
        if self._few is None:
            return above, levels
        many = len(above) > self._few
        near = (caller for caller in above if len(caller.blocks) <= _LARGE)
        return tuple(caller for caller in near if not many or caller.path == function.path), 1 if many else levels

    def _through(self, caller: Function, function: Function, levels: int, below: tuple[Key, ...]) -> Iterator[Arrival]:
        for above in self._above(caller, levels - 1, below):
            traced = self.trace(caller, above.state)
            for (line, name, args), states in sorted(traced.calls.items()):
                if name != function.name:
                    continue
                step = Step(caller.path, line, caller.name, f"{name}()")
                steps = above.steps or (_top(caller, above.begin),)
                for state in sorted(states, key=_order)[:_MOST_STATES]:
                    entered, taken = _handed_in(state, traced, above, function, line, args)
                    yield Arrival(entered, (*steps, step), above.begin, taken)


def _order(state: State) -> list[object]:
    """The same order in every run: sets have none."""
    return [sorted(map(repr, field)) if isinstance(field, frozenset) else repr(field) for field in state]


def _top(function: Function, begin: Begin) -> Step:
    return Step(function.path, function.line, function.name, f"<- {begin.value}")


def _handed_in(
    state: State, traced: Trace, above: Arrival, function: Function, line: int, args: tuple[str, ...]
) -> tuple[State, dict[str, Taken]]:
    """The state in which a callee begins, in its own words, and where the locks in it were taken."""
    caller = traced.function
    taken_at = traced.taken_at(line)
    locks: set[Held] = set()
    taken: dict[str, Taken] = {}
    for held in state.locks:
        if not traced.is_certain(held):
            continue
        name = _renamed(held.expression, caller, function, args)
        locks.add(Held(held.kind, name, Origin.ASSERTED))
        if held.expression in above.taken and held.origin is Origin.ASSERTED:
            taken[name] = above.taken[held.expression]
        elif (known := taken_at.get(held.expression)) is not None:
            written, at, call = known
            taken[name] = Taken(written, at, f"taken by {call}, {caller.path}:{at} in {caller.name}()")
    return state._replace(locks=frozenset(locks), dropped=frozenset(), sure=frozenset()), taken


def _renamed(expression: str, caller: Function, function: Function, args: tuple[str, ...]) -> str:
    """A lock of the caller as the callee writes it: through the parameter that was given the most of it."""
    best = ""
    length = 0
    for parameter, argument in zip(function.params, args, strict=False):
        given = canonical(caller, argument)
        rest = expression.removeprefix(given)
        if not given or rest == expression or (rest and not rest.startswith(("->", "."))) or len(given) <= length:
            continue
        length = len(given)
        best = parameter + ("->" + rest.lstrip("->.") if rest else "")
    if best:
        return canonical(function, best)
    own = {*caller.params, *caller.locals}
    return _NOWHERE + last_member(expression) if root(expression) in own else expression


class Lines:
    """What holds on the lines of one function."""

    def __init__(self, contexts: Contexts, function: Function, arrivals: tuple[Arrival, ...]) -> None:
        self.function = function
        self.arrivals = arrivals
        self._api = contexts.analyser.api
        self._entered = [(arrival, contexts.trace(function, arrival.state)) for arrival in arrivals]

    def states(self, line: int) -> frozenset[State]:
        """The states in which ``line`` runs, on all ways in."""
        return frozenset().union(*(traced.at(line) for _, traced in self._entered))

    def has(self, line: int) -> bool:
        """Whether anything happens on ``line``."""
        return any(line in traced.before for _, traced in self._entered)

    def marks(self, line: int) -> tuple[Mark, ...] | None:
        """The context of ``line`` in short; None where nothing is known of the line."""
        states = self.states(line)
        if not states:
            return None
        found = marks(states, self.names(line), self._api)
        complete = all(traced.complete for _, traced in self._entered)
        return found if complete else tuple(replace(mark, always=False) for mark in found)

    def names(self, line: int) -> Names:
        """What is known of the locks that the states of ``line`` name."""
        taken: dict[str, Taken] = {}
        doubtful: frozenset[tuple[str, str]] = frozenset()
        for arrival, traced in self._entered:
            doubtful |= traced.doubtful
            for name, (written, at, call) in traced.taken_at(line).items():
                taken.setdefault(name, Taken(written, at, f"taken by {call} on line {at}"))
            for name, told in arrival.taken.items():
                taken.setdefault(name, told)
        return Names(doubtful, taken)
