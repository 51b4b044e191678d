# SPDX-License-Identifier: GPL-2.0-or-later
"""Loops that no path leaves: they wait for others to change what the function has set itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Set

from reviewer.source.cfg import Function, reached_from

Way = tuple[int, int]
"""One of the edges out of a block, by its position."""


def waited_for(function: Function, went: Set[Way], refused: Mapping[Way, Set[str]]) -> frozenset[str]:
    """What decides a condition without which some loop is never left.

    Paths ``went`` some ways. Others were ``refused``, on account of what was known of these texts.
    """
    never = [way for way in refused if way not in went]
    if not never:
        return frozenset()
    targets: dict[int, set[int]] = defaultdict(set)
    for block, position in went:
        targets[block].add(function.blocks[block].edges[position].target)
    found = (refused[way] for way in never if _is_endless(function, targets, way[0]))
    return frozenset(text for texts in found for text in texts if not text.startswith("$"))


def _is_endless(function: Function, went: Mapping[int, Set[int]], block: int) -> bool:
    """Whether the ways that paths ``went`` lead from ``block`` back to it, and never out of the function."""
    around = reached_from(function, block, lambda at, edge: edge.target in went.get(at, ()))
    return block in around and all(function.blocks[at].edges for at in around)
