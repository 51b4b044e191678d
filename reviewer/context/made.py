# SPDX-License-Identifier: GPL-2.0-or-later
"""Objects that a function has made and shown to nobody yet: no flag of theirs says that they are on a list."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reviewer.context.effects import EventKind
from reviewer.source.cfg import AnyNode, Assign, Call, Function, Return, reached_from, written_by
from reviewer.source.expression import constant, root, unwrap

if TYPE_CHECKING:
    from reviewer.context.analysis import Analyser

_MAKES = frozenset((EventKind.ALLOCATION, EventKind.BLOCKING_ALLOCATION))
_SHARES = frozenset((EventKind.SPINLOCK, EventKind.RCU_WALK))


def marked(function: Function) -> dict[int, frozenset[int]]:
    """The lines right behind a condition on a member of a parameter, to the positions of such parameters.

    What is done there is done to objects of which the member says something, as that they are on a list.
    """
    answers = {
        node.result: found
        for node in function.calls()
        if node.result and (found := {name for text in node.args if (name := _object(text, function))})
    }
    ways: dict[int, list[set[str]]] = defaultdict(list)
    for block in function.blocks:
        for edge in block.edges:
            asked = set[str]()
            for literal in edge.literals:
                asked |= answers.get(literal.left, {_object(literal.left, function)})
            ways[edge.target].append(asked - {""})
    return {
        node.line: frozenset(function.params.index(name) for name in told)
        for number, each in ways.items()
        if (told := set.intersection(*each))
        for node in function.blocks[number].nodes
    }


def _object(text: str, function: Function) -> str:
    """The parameter of whose object a member is named."""
    start = root(text.removeprefix("&"))
    return start if start in function.params and f"{start}->" in text else ""


def is_new(analyser: Analyser, function: Function, call: Call, name: str) -> bool:
    """Whether ``name`` at ``call`` is what the function got from one that makes objects, and is known to nobody else.

    Who makes an object takes no lock for it and finds none on a list.
    """
    if name not in function.locals:
        return False
    writes = [node for node in function.nodes() if written_by(node) == name]
    makers = [node for node in writes if isinstance(node, Call)]
    if len(makers) != 1 or not _makes(analyser, function, makers[0]):
        return False
    if any(isinstance(node, Assign) and constant(node.value) != 0 for node in writes):
        return False
    made, used = _place(function, makers[0]), _place(function, call)
    shown = (_place(function, node) for node in function.nodes() if node is not call and _shows(node, name))
    return not any(_leads(function, made, at) and _leads(function, at, used) for at in shown)


def _makes(analyser: Analyser, function: Function, maker: Call) -> bool:
    callees = analyser.callees(maker.name, function)
    if len(callees) != 1:
        return False
    summary = analyser.summary(callees[0])
    kinds = {effect.kind for effect in summary.effects.values()}
    return bool(kinds & _MAKES) and not kinds & _SHARES and not summary.acquisitions


def _shows(node: AnyNode, name: str) -> bool:
    """Whether others may know the object ``name`` after ``node``."""
    if isinstance(node, Assign | Return):
        return unwrap(node.value) == name
    return isinstance(node, Call) and name in node.args


def _place(function: Function, node: AnyNode) -> tuple[int, int]:
    """The block of ``node`` and its position there."""
    return next(
        (number, at)
        for number, block in enumerate(function.blocks)
        for at, other in enumerate(block.nodes)
        if other is node
    )


def _leads(function: Function, start: tuple[int, int], end: tuple[int, int]) -> bool:
    """Whether a path leads from one node to another."""
    if start[0] == end[0] and start[1] < end[1]:
        return True
    return end[0] in reached_from(function, start[0])
