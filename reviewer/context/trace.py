# SPDX-License-Identifier: GPL-2.0-or-later
"""In which states each line of a function runs: the same analysis as for findings, written down line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reviewer.context.facts import TAKEN_AT, Facts
from reviewer.context.flow import Flow, Forks
from reviewer.context.state import Held, State
from reviewer.source.cfg import AnyNode, Call, Function

if TYPE_CHECKING:
    from reviewer.context.analysis import Analyser


Known = tuple[str, int, str]
"""How a lock is written, the line and the call that took it."""


@dataclass(frozen=True, slots=True)
class Trace:
    """The states of one function, entered as ``start`` says.

    ``before`` are by line those in which what stands there begins, ``after`` those that it leaves. ``calls`` are those
    in which a callee is entered, by line and name, with the arguments it is given. ``taken`` gives for the expression
    of a lock how it is written, the line and the call that took it first, ``held`` by line those that took what is held
    there. Of ``doubtful`` locks it is not certain that they are still held. ``complete`` tells whether all paths were
    followed.
    """

    function: Function
    before: dict[int, frozenset[State]]
    after: dict[int, frozenset[State]]
    calls: dict[tuple[int, str, tuple[str, ...]], frozenset[State]]
    taken: dict[str, Known]
    held: dict[int, dict[str, Known]]
    doubtful: frozenset[tuple[str, str]]
    complete: bool

    def at(self, line: int) -> frozenset[State]:
        """The states in which ``line`` runs; none where that is not known.

        A line on which nothing happens, such as a comment, runs as its neighbours do where those agree.
        """
        if line in self.before:
            return self.before[line]
        if not self.function.line <= line <= self.function.end:
            return frozenset()
        above = max((at for at in self.after if at < line), default=None)
        below = min((at for at in self.before if at > line), default=None)
        if above is None or below is None:
            return self.before[below] if below is not None and above is None else frozenset()
        return self.after[above] if self.after[above] == self.before[below] else frozenset()

    def taken_at(self, line: int) -> Mapping[str, Known]:
        """The like of ``taken`` with those that took what is held on ``line``, or on the nearest line above it."""
        nearest = max((at for at in self.held if at <= line), default=None)
        return self.taken if nearest is None else {**self.taken, **self.held[nearest]}

    def is_certain(self, held: Held) -> bool:
        """Whether a lock that a state names is held for certain."""
        return (held.kind, held.expression) not in self.doubtful


def trace(analyser: Analyser, function: Function, start: State | None = None) -> Trace:
    """Follow all paths of ``function`` once more and write down the states."""
    analyser.summary(function)  # its callees first, one after the other and not one inside the other
    flow = _Recorder(analyser, function, start if start is not None else State())
    complete = flow.run().complete
    names = {(held.kind, held.expression): held for held in flow.seen_locks}
    doubtful = frozenset(name for name, held in names.items() if not flow.doubts.is_certain(held))
    seen = flow.record
    return Trace(
        function,
        {line: frozenset(states) for line, states in seen.before.items()},
        {line: frozenset(states) for line, states in seen.after.items()},
        {call: frozenset(states) for call, states in seen.calls.items()},
        seen.taken,
        seen.held,
        doubtful,
        complete,
    )


@dataclass(slots=True)
class _Record:
    before: dict[int, set[State]] = field(default_factory=dict)
    after: dict[int, set[State]] = field(default_factory=dict)
    calls: dict[tuple[int, str, tuple[str, ...]], set[State]] = field(default_factory=dict)
    taken: dict[str, Known] = field(default_factory=dict)
    held: dict[int, dict[str, Known]] = field(default_factory=dict)


class _Recorder(Flow):
    def __init__(self, analyser: Analyser, function: Function, start: State) -> None:
        self.record = _Record()
        self.seen_locks: set[Held] = set()
        self._begins, self._decides = _line_heads(function)
        super().__init__(analyser, function, start)

    def _follow(self) -> None:
        self.record = _Record()
        super()._follow()

    def step(self, node: AnyNode, state: State, facts: Facts) -> Forks:
        if id(node) in self._begins:
            self._arrive(node.line, state, facts)
        if isinstance(node, Call):
            self.record.calls.setdefault((node.line, node.name, node.args), set()).add(state)
        forks = super().step(node, state, facts)
        for after, known in forks:
            self._leaves(node.line, after, known)
        return forks

    def _leave(self, block: int, state: State, facts: Facts) -> Iterator[tuple[int, State, Facts]]:
        for line in _decided_on(self.function, block):
            if block in self._decides:
                self._arrive(line, state, facts)
            self._leaves(line, state, facts)
        return super()._leave(block, state, facts)

    def _arrive(self, line: int, state: State, facts: Facts) -> None:
        self.record.before.setdefault(line, set()).add(state)
        self._see(line, state, facts)

    def _leaves(self, line: int, state: State, facts: Facts) -> None:
        self.record.after.setdefault(line, set()).add(state)
        self._see(line, state, facts)

    def _see(self, line: int, state: State, facts: Facts) -> None:
        self.seen_locks |= state.locks
        here = self.record.held.setdefault(line, {})
        for held in state.locks:
            if (known := facts.get((TAKEN_AT, held.expression))) is not None:
                self.record.taken.setdefault(held.expression, known)
                here.setdefault(held.expression, known)


def _decided_on(function: Function, block: int) -> frozenset[int]:
    """The line on which the way out of a block is decided; empty where there is but one."""
    edges = function.blocks[block].edges
    return frozenset(edge.literals[0].line for edge in edges if edge.literals and edge.literals[0].line)


def _line_heads(function: Function) -> tuple[frozenset[int], frozenset[int]]:
    """What stands first on its line, so that the state before it is that in which the line begins.

    Nodes by identity, and the blocks whose decision does.
    """
    last: dict[int, set[int]] = {0: {0}}
    for block in function.blocks:
        for edge in block.edges:
            line = edge.literals[0].line if edge.literals else 0
            line = line or (block.nodes[-1].line if block.nodes else 0)
            last.setdefault(edge.target, set()).add(line)
    nodes: set[int] = set()
    blocks: set[int] = set()
    for number, block in enumerate(function.blocks):
        came_from = last.get(number, set())
        for node in block.nodes:
            if came_from != {node.line}:
                nodes.add(id(node))
            came_from = {node.line}
        if any(came_from != {line} for line in _decided_on(function, number)):
            blocks.add(number)
    return frozenset(nodes), frozenset(blocks)
