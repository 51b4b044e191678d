# SPDX-License-Identifier: GPL-2.0-or-later
"""Locks that a function releases only where a parameter says so, or where two objects are not the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable

from reviewer.context.effects import Condition
from reviewer.context.locks import around
from reviewer.context.reached import Reached
from reviewer.source.cfg import Call, Function
from reviewer.source.expression import last_member, plain, split_member

Calls = Callable[[Call], Reached]
"""From a call to what it reaches."""


def released_if_other(function: Function) -> frozenset[str]:
    """The last members of locks that are released where their owner is another one than some variable.

    Such a function holds one lock or two, as the objects are the same or not. A lock that is released only where
    something is the same as another member of its object was taken only there, too.
    """
    found, same = set[str](), set[str]()
    for block in function.blocks:
        for edge in block.edges:
            compared = {
                text
                for literal in edge.literals
                if isinstance(literal.right, str) and literal.operator in ("==", "!=")
                for text in (literal.left, literal.right)
            }
            for node in function.blocks[edge.target].nodes[:1] if compared else ():
                if isinstance(node, Call) and "unlock" in node.name and node.args:
                    lock = plain(node.args[0])
                    if any(lock.startswith((owner + "->", owner + ".")) for owner in compared):
                        found.add(last_member(lock))
                    if any(split_member(text) and around(text) == around(lock) for text in compared):
                        same.add(last_member(lock))
    releases = Counter(last_member(node.args[0]) for node in function.calls() if "unlock" in node.name and node.args)
    return frozenset(found | {name for name in same if releases[name] == 1})


def released_if_wanted(function: Function, reached: Calls) -> dict[str, Callable[[Condition], bool]]:
    """The last members of locks that are released where a parameter says so, to whether a condition says otherwise.

    What is handed to a function that unlocks need not be the lock: ``reached`` tells which one that is.
    """
    found: dict[str, set[tuple[int, bool]]] = defaultdict(set)
    for block in function.blocks:
        for edge in block.edges:
            said = [
                (function.params.index(literal.left), literal.truth)
                for literal in edge.literals
                if literal.left in function.params and literal.truth is not None
            ]
            for node in function.blocks[edge.target].nodes[:1] if said else ():
                if isinstance(node, Call) and "unlock" in node.name and node.args:
                    for name in {last_member(node.args[0]), *_released(reached(node))}:
                        found[name].update((at, truth) for at, truth in said if not function.pointers[at])

    def otherwise(released: set[tuple[int, bool]]) -> Callable[[Condition], bool]:
        return lambda asked: asked.operator == "value" and (asked.position, asked.operand == 0) in released

    return {name: otherwise(released) for name, released in found.items()}


def _released(found: Reached) -> frozenset[str]:
    """The last members of the locks that the functions that a call reaches let go of."""
    exits = [exit_ for callee in found.callees for exit_ in callee.summary.exits]
    return frozenset(last_member(name) for exit_ in exits for _, name in exit_.released)
