# SPDX-License-Identifier: GPL-2.0-or-later
"""A function of C as a control-flow graph of small typed nodes.

Expressions are kept as text without white space. Lines are 1-based lines of the file. The types are msgspec structures
so that the cache can store them and validates what it reads back.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

_CAN_FAIL: Final = re.compile(r"\w+_(?:try|intr|kill)(?:_\w+)?")


class Node(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """Something that happens at ``line``."""

    line: int


class Call(Node, frozen=True, array_like=True, tag="c", gc=False):
    """A call of ``name`` with the texts of its arguments; ``result`` is the variable that takes its value, or None.

    A call through a structure member is called ``.member``, an unknown callee ``?``.
    """

    name: str
    args: tuple[str, ...]
    result: str | None = None


class Assign(Node, frozen=True, array_like=True, tag="a", gc=False):
    """``target = value``; the value ``?`` stands for anything (compound assignment, increment)."""

    target: str
    value: str


class Guard(Node, frozen=True, array_like=True, tag="g", gc=False):
    """A ``guard()``, ``scoped_guard()``, ``CLASS()`` or ``__free()`` whose scope begins (``enter``) or ends here.

    ``variable`` is the name that code in its scope has for it; empty where it has none.
    """

    cls: str
    argument: str
    enter: bool
    variable: str = ""

    @property
    def can_fail(self) -> bool:
        """Whether the lock may not be got, by the name: so the kernel calls what DEFINE_GUARD_COND() makes."""
        return _CAN_FAIL.fullmatch(self.cls) is not None

    @property
    def status(self) -> str:
        """What stands for the answer of ACQUIRE_ERR(): 0 where the lock was got, an error where it was not."""
        return guard_status(self.variable)


def guard_status(variable: str) -> str:
    """``Guard.status`` of the guard that ``variable`` names."""
    return "$" + variable


class Loop(Node, frozen=True, array_like=True, tag="l", gc=False):
    """An iteration macro such as ``list_for_each_entry_rcu`` with the texts of its arguments."""

    name: str
    args: tuple[str, ...]


class Return(Node, frozen=True, array_like=True, tag="r", gc=False):
    """``return value``; empty where there is no value. The end of a void function is one too."""

    value: str


AnyNode = Call | Assign | Guard | Loop | Return


WARNED: Final = "$warned"
"""In conditions: what is not zero where an assertion like WARN_ON() has failed."""


class Literal(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A condition on an edge: ``left operator right`` is ``holds``. ``right`` is an int where it is a constant."""

    left: str
    operator: str
    right: int | str
    holds: bool
    line: int = 0

    @property
    def truth(self) -> bool | None:
        """Whether it says that ``left`` is true; None where it asks for something else, as a number."""
        if self.right != 0 or self.operator not in ("==", "!="):
            return None
        return self.holds == (self.operator == "!=")


class Edge(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """To the block ``target``, taken where every literal is as it says."""

    target: int
    literals: tuple[Literal, ...] = ()


class Block(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Nodes without a branch between them, and the edges out."""

    nodes: tuple[AnyNode, ...]
    edges: tuple[Edge, ...]


class Annotation(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """``__must_hold(x)``, ``__acquires(x)``, ``__releases(x)`` on a function."""

    name: str
    argument: str


class Function(msgspec.Struct, frozen=True, array_like=True):
    """One function definition. ``blocks[0]`` is the entry. ``pointers`` tells which parameters are pointers.

    ``via`` is the macro that defines it (``DEFINE_IDTENTRY_SYSVEC``) or empty. ``aliases`` maps a local variable that
    is assigned exactly once to the expression it stands for. ``rt`` lists (first line, last line, meaning) of
    preprocessor arms that exist only with (True) or only without (False) CONFIG_PREEMPT_RT. ``types`` names the type
    of each parameter and local, and ``returns`` that of the value, with a ``*`` for a pointer; what is not clear is
    left out. ``receivers`` maps a member that is called to the expressions of what it is a member of. ``reading`` is 0
    for the usual preprocessor arms; a function that was read again with others has another.
    """

    name: str
    path: str
    line: int
    end: int
    params: tuple[str, ...]
    pointers: tuple[bool, ...]
    static: bool
    via: str
    words: tuple[str, ...]
    annotations: tuple[Annotation, ...]
    aliases: dict[str, str]
    locals: tuple[str, ...]
    rt: tuple[tuple[int, int, bool], ...]
    blocks: tuple[Block, ...]
    types: dict[str, str] = {}
    returns: str = ""
    reading: int = 0
    receivers: dict[str, tuple[str, ...]] = {}

    def nodes(self) -> Iterator[AnyNode]:
        """What all blocks do, in their order."""
        return (node for block in self.blocks for node in block.nodes)

    def calls(self) -> Iterator[Call]:
        """The calls among that."""
        return (node for node in self.nodes() if isinstance(node, Call))


class Extent(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a function stands: name, first and last line, and whether the grammar read all of it."""

    name: str
    line: int
    end: int
    readable: bool


def extent_at(extents: Iterable[Extent], line: int) -> Extent | None:
    """The function in which the 1-based ``line`` lies, if any."""
    return next((extent for extent in extents if extent.line <= line <= extent.end), None)


class Layout(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where the functions of a file stand. ``dead`` are the first and last lines of preprocessor arms not read."""

    extents: tuple[Extent, ...] = ()
    dead: tuple[tuple[int, int], ...] = ()

    def extent_at(self, line: int) -> Extent | None:
        """The function in which the 1-based ``line`` lies, if any."""
        return extent_at(self.extents, line)

    def is_dead(self, line: int) -> bool:
        """Whether the 1-based ``line`` lies in an arm that was not read."""
        at = bisect_right(self.dead, line, key=lambda arm: arm[0]) - 1
        return at >= 0 and line <= self.dead[at][1]


def written_by(node: AnyNode) -> str | None:
    """What ``node`` gives a value to, if it does: the target of an assignment, or what takes the result of a call."""
    return node.target if isinstance(node, Assign) else node.result if isinstance(node, Call) else None


def texts_of(node: AnyNode) -> tuple[str, ...]:
    """The expressions that stand in ``node``: what is assigned to and the value, arguments, what is returned."""
    if isinstance(node, Assign):
        return (node.target, node.value)
    if isinstance(node, Guard):
        return (node.argument,)
    return (node.value,) if isinstance(node, Return) else node.args


def reverse_postorder(function: Function) -> list[int]:
    """The blocks of ``function`` in an order in which each comes before those it leads to, loops aside."""
    seen, out = {0}, []
    stack = [(0, iter(function.blocks[0].edges))]
    while stack:
        block, edges = stack[-1]
        for edge in edges:
            if edge.target not in seen:
                seen.add(edge.target)
                stack.append((edge.target, iter(function.blocks[edge.target].edges)))
                break
        else:
            out.append(block)
            stack.pop()
    return out[::-1]


def placed_calls(function: Function) -> Iterator[tuple[int, Call]]:
    """The calls in ``function``, each with the block in which it stands."""
    return ((at, node) for at, block in enumerate(function.blocks) for node in block.nodes if isinstance(node, Call))


def is_avoidable(function: Function, block: int) -> bool:
    """Whether some way out of ``function`` does not lead through ``block``."""
    around = reachable(function, lambda _, edge: edge.target != block) if block else ()
    return any(not function.blocks[at].edges for at in around)


def is_repeated(function: Function, block: int) -> bool:
    """Whether some way out of ``block`` leads back to it."""
    return block in reached_from(function, block)


Taken = Callable[[int, Edge], bool]
"""Whether an edge out of a block is taken."""


def reached_from(function: Function, block: int, is_taken: Taken | None = None) -> set[int]:
    """The blocks to which some way out of ``block`` leads; itself only where one leads back to it.

    Only edges that are taken make up a way: all of them, where ``is_taken`` is not given.
    """
    waiting, seen = [block], set[int]()
    while waiting:
        at = waiting.pop()
        edges = function.blocks[at].edges
        targets = {edge.target for edge in edges if is_taken is None or is_taken(at, edge)} - seen
        seen |= targets
        waiting += targets
    return seen


def reachable(function: Function, is_taken: Taken) -> set[int]:
    """The blocks that run where only edges that are taken lead on: the entry and what is reached from it."""
    return {0} | reached_from(function, 0, is_taken)
