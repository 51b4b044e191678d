# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions of a program to events and summaries, each computed once."""

from __future__ import annotations

import re

from reviewer.context.calls import Calls
from reviewer.context.effects import EMPTY, Analysis, Summary
from reviewer.context.flow import Flow
from reviewer.context.state import State
from reviewer.context.tables import Api
from reviewer.source.cfg import Assign, Call, Function, Return
from reviewer.source.expression import last_member
from reviewer.source.kconfig import excluded_with
from reviewer.source.program import Program

_PREDICATE_NAME = re.compile(r"(?:.*_)?(?:is|has|enabled|supported|active|can|use|needs|IS_ERR)(?:_.*)?")
_SMALL = 8  # blocks
_READS = frozenset(
    ("READ_ONCE", "test_bit", "atomic_read", "container_of", "per_cpu", "this_cpu_read", "rcu_access_pointer")
)

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
        self._not_with_rt: dict[str, bool] = {}
        self._predicates: dict[tuple[str, str], bool] = {}
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

    def is_predicate(self, name: str, user: str) -> bool:
        """Whether a call of ``name`` only looks: two calls then give the same answer while nothing is assigned."""
        key = (name, user)
        if key not in self._predicates:
            self._predicates[key] = bool(_PREDICATE_NAME.fullmatch(name)) or self._only_looks(name, user)
        return self._predicates[key]

    def _only_looks(self, name: str, user: str) -> bool:
        if self.api.is_known(name) or self.api.opaque.fullmatch(name):
            return False
        found = self.program.resolve(name, user)
        if len(found) != 1 or len(found[0].blocks) > _SMALL:
            return False
        nodes = [node for block in found[0].blocks for node in block.nodes]
        return all(
            isinstance(node, Return)
            or (isinstance(node, Assign) and node.target in found[0].locals)
            or (isinstance(node, Call) and node.name in _READS)
            for node in nodes
        )

    def not_with_rt(self, path: str) -> bool:
        """Whether ``path`` is not built with PREEMPT_RT."""
        if path not in self._not_with_rt:
            self._not_with_rt[path] = excluded_with(self.program.files, path, "PREEMPT_RT")
        return self._not_with_rt[path]

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
