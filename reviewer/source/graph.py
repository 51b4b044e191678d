# SPDX-License-Identifier: GPL-2.0-or-later
"""A control-flow graph under construction: blocks, edges, and what is undone where a scope is left."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
from tree_sitter import Node

from reviewer.source import cfg
from reviewer.source.side import Side

WHITE = str.maketrans("", "", " \t\n\r\f\v")


def text_of(node: Node) -> str:
    """The text of ``node`` without white space."""
    return (node.text or b"").decode("latin-1").translate(WHITE)


def named(node: Node) -> list[Node]:
    """The named children of ``node`` without comments."""
    return [child for child in node.named_children if child.type != "comment"]


def declared_name(node: Node | None) -> str:
    """The identifier that a declarator declares, or an empty string."""
    while node is not None:
        if node.type in ("identifier", "field_identifier"):
            return text_of(node)
        inner = node.child_by_field_name("declarator")
        if inner is None:
            inner = next(
                (c for c in node.named_children if c.type.endswith("declarator") or c.type == "identifier"), None
            )
        node = inner
    return ""


@dataclass(slots=True)
class Scope:
    """A block of C with what has to be undone when it is left, in the order it was acquired."""

    cleanups: list[cfg.Guard] = field(default_factory=list)


@dataclass(slots=True)
class Target:
    """Where ``break`` and ``continue`` go, and how many scopes stay open there."""

    on_break: int
    on_continue: int | None
    depth: int


@dataclass(slots=True)
class Jump:
    """A goto, until the place of its label is known."""

    block: int
    label: str
    scopes: list[tuple[Scope, int]]


class Graph:
    """The graph of one function, and the place in it where the next thing happens."""

    def __init__(self, side: Side, cleanups: dict[int, str]) -> None:
        self.side = side
        self.free_functions = cleanups
        self.nodes: list[list[cfg.AnyNode]] = [[]]
        self.edges: list[list[cfg.Edge]] = [[]]
        self.current: int | None = 0
        self.scopes: list[Scope] = []
        self.targets: list[Target] = []
        self.labels: dict[str, tuple[int, list[tuple[Scope, int]]]] = {}
        self.jumps: list[Jump] = []
        self.temporaries = 0
        self.assigned: dict[str, tuple[int, str | None]] = {}
        self.locals: set[str] = set()
        self.types: dict[str, set[str]] = {}
        self.truths: dict[str, bool] = {}  # by name: whether all variables of that name are 0 or 1
        self.receivers: dict[str, set[str]] = {}

    def declared(self, variable: str) -> None:
        """``variable``, if any, is a local one that is set where it is declared."""
        if variable:
            self.locals.add(variable)
            count, alias = self.assigned.get(variable, (0, None))
            self.assigned[variable] = (count + 1, alias)

    def new(self) -> int:
        """A new block, by its number."""
        self.nodes.append([])
        self.edges.append([])
        return len(self.nodes) - 1

    def emit(self, node: cfg.AnyNode) -> None:
        """Add what happens next; nothing does where the code cannot be reached."""
        if self.current is not None:
            self.nodes[self.current].append(node)

    def edge(self, source: int | None, target: int, *literals: cfg.Literal) -> None:
        """Let the block ``source``, if any, lead to ``target`` where all ``literals`` hold."""
        if source is not None:
            self.edges[source].append(cfg.Edge(target, literals))

    def enter(self, block: int) -> None:
        """Go on in ``block``."""
        self.edge(self.current, block)
        self.current = block

    def undo(self, scope: Scope, line: int, keep: int = 0) -> None:
        """End on ``line`` what ``scope`` began, the last first, but for the first ``keep``."""
        for cleanup in reversed(scope.cleanups[keep:]):
            self.emit(msgspec.structs.replace(cleanup, line=line))

    def begin(self, guard: cfg.Guard) -> None:
        """The scope of ``guard`` begins, and ends with the block."""
        self.emit(guard)
        if self.scopes:
            self.scopes[-1].cleanups.append(msgspec.structs.replace(guard, enter=False))

    def unwind(self, depth: int, line: int) -> None:
        """Leave on ``line`` all scopes but the outer ``depth``."""
        for scope in reversed(self.scopes[depth:]):
            self.undo(scope, line)

    def open_scopes(self) -> list[tuple[Scope, int]]:
        """The scopes that are open here, each with the number of what it has to undo so far."""
        return [(scope, len(scope.cleanups)) for scope in self.scopes]

    def finish(self) -> None:
        """Connect every goto with its label, leaving the scopes in between."""
        for jump in self.jumps:
            if jump.label not in self.labels:
                continue
            target, at_label = self.labels[jump.label]
            self.current = jump.block
            common = 0
            while common < min(len(jump.scopes), len(at_label)) and jump.scopes[common][0] is at_label[common][0]:
                common += 1
            for scope, count in reversed(jump.scopes[common:]):
                for cleanup in reversed(scope.cleanups[:count]):
                    self.emit(msgspec.structs.replace(cleanup, line=0))
            if common:
                scope, count = jump.scopes[common - 1]
                for cleanup in reversed(scope.cleanups[at_label[common - 1][1] : count]):
                    self.emit(msgspec.structs.replace(cleanup, line=0))
            self.edge(jump.block, target)
