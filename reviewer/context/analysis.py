# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions of a program to events and summaries, each computed once."""

from __future__ import annotations

from reviewer.context.calls import Calls
from reviewer.context.effects import EMPTY, Analysis, Summary
from reviewer.context.flow import Flow
from reviewer.context.state import State
from reviewer.context.tables import Api
from reviewer.source.cfg import Function
from reviewer.source.expression import last_member
from reviewer.source.program import Program

DEPTH = 4
"""How many levels of callees are followed below a function that is analysed for itself."""


class Analyser:
    """The analysis of one ``Program``. Results do not depend on the order of the questions.

    ``pinned`` functions are always summarised to full depth: they are the ones whose change is judged, and their
    summaries are compared between two versions.
    """

    def __init__(self, program: Program, api: Api, depth: int = DEPTH) -> None:
        self.program = program
        self.api = api
        self.depth = depth
        self.calls = Calls(self)
        self.pinned: frozenset[tuple[str, str]] = frozenset()
        self._memo: dict[tuple[str, str, int, State, int], Analysis] = {}
        self._running: set[tuple[str, str, int]] = set()

    def analyse(self, function: Function, start: State | None = None, depth: int | None = None) -> Analysis:
        """Analyse ``function`` for itself, entered in the context ``start``."""
        depth = self.depth if depth is None else depth
        state = start if start is not None else State()
        key = (function.path, function.name, function.line, state, depth)
        known = self._memo.get(key)
        if known is None:
            mark = key[:3]
            if mark in self._running:
                return Analysis()
            self._running.add(mark)
            try:
                known = Flow(self, function, state, depth).run()
            finally:
                self._running.discard(mark)
            self._memo[key] = known
        return known

    def callees(self, name: str, flow: Flow) -> tuple[Function, ...]:
        """What a call of ``name`` can reach; nothing where that is not known or too far down."""
        if flow.depth <= 0:
            return ()
        return tuple(f for f in self.program.resolve(name, flow.function.path) if f is not flow.function)

    def summary(self, callee: Function, flow: Flow) -> Summary:
        """The callee seen from outside, as deep as there is depth left."""
        if (callee.path, callee.name, callee.line) in self._running:
            return EMPTY
        depth = self.depth if (callee.path, callee.name) in self.pinned else flow.depth - 1
        return self.analyse(callee, None, depth).summary

    def lock_kind(self, function: Function, expression: str, mode: str) -> str:
        """The kind of a lock from its declaration; ``?`` where that is not clear. ``mode`` is read, write or empty."""
        types = self.program.lock_types(last_member(expression), function.path)
        kinds = {self.api.types.get(name, "?") for name in types}
        if len(kinds) != 1:
            return "?"
        (kind,) = kinds
        if kind == "read":
            return "write" if mode == "write" else "read"
        if kind == "rwsem_read":
            return "rwsem_write" if mode == "write" else "rwsem_read"
        return kind
