# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known on every way to a node of a function, for questions that need no more than its statements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from reviewer.source.cfg import AnyNode, Edge, Function

_T = TypeVar("_T")


def known_at(
    function: Function,
    number: int,
    node: AnyNode,
    after: Callable[[frozenset[_T], Sequence[AnyNode]], frozenset[_T]],
    told: Callable[[Edge], frozenset[_T]],
) -> frozenset[_T]:
    """What is known on every way to ``node``, which stands in the block ``number``; nothing is where it begins.

    ``after`` says what is left of what is known behind some nodes, ``told`` what an edge adds.
    """
    known: dict[int, frozenset[_T]] = {0: frozenset()}
    waiting = [0]
    while waiting:
        at = waiting.pop()
        block = function.blocks[at]
        left = after(known[at], block.nodes)
        for edge in block.edges:
            there = left | told(edge)
            merged = there if edge.target not in known else known[edge.target] & there
            if known.get(edge.target) != merged:
                known[edge.target] = merged
                waiting.append(edge.target)
    nodes = function.blocks[number].nodes
    before = next(position for position, each in enumerate(nodes) if each is node)
    return after(known.get(number, frozenset()), nodes[:before])
