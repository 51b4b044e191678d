# SPDX-License-Identifier: GPL-2.0-or-later
"""Conditions of several parts: behind one that did not hold, one of the parts is false.

Where paths met, of which each knows another part to be false, what else is assumed there tells which one it is: after
``if (a && WARN_ON(b && c)) return;`` whoever goes on with ``a`` and ``c`` goes on without ``b``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reviewer.context.facts import EXCLUDED, NONZERO, VALUE, Facts, value_of
from reviewer.context.otherwise import Way
from reviewer.source.cfg import Call, Edge, Function, Literal

_LEAST = 3  # parts: of two, what follows from the one is known of the other already
_BOTH = 2

Part = tuple[str, bool]
Parts = tuple[Part, ...]
_Chain = list[tuple[Way, Part]]


def conjunctions(function: Function) -> dict[Way, Parts]:
    """The ways that are taken where one part of a condition is false, to all of its parts and what each asks for."""
    asked = {
        node.result: f"{node.name}({','.join(node.args)})"
        for node in function.calls()
        if node.result and node.result.startswith("$")
    }
    before: dict[int, int] = {}
    for block in function.blocks:
        for edge in block.edges:
            before[edge.target] = before.get(edge.target, 0) + 1
    chains = [
        chain
        for head, block in enumerate(function.blocks)
        for away in {edge.target for edge in block.edges}
        if len(chain := list(_chain(function, head, away, before, asked))) >= _LEAST
    ]
    found: dict[Way, Parts] = {}
    for chain in sorted(chains, key=len, reverse=True):
        parts = tuple(part for _, part in chain)
        for way, _ in chain:
            found.setdefault(way, parts)
    return found


def _chain(
    function: Function, head: int, away: int, before: dict[int, int], asked: dict[str, str]
) -> Iterator[tuple[Way, Part]]:
    """The parts that are asked from the block ``head`` on, one after the other, to go ``away`` where one is false."""
    at, seen = head, set[int]()
    while at not in seen:
        seen.add(at)
        edges = function.blocks[at].edges
        leaves = [position for position, edge in enumerate(edges) if edge.target == away]
        if len(edges) != _BOTH or len(leaves) != 1:
            return
        goes_on = edges[1 - leaves[0]]
        part = _part(goes_on, asked)
        if part is None:
            return
        yield (at, leaves[0]), part
        at = goes_on.target
        if before[at] != 1 or any(not isinstance(node, Call) for node in function.blocks[at].nodes):
            return


def _part(edge: Edge, asked: dict[str, str]) -> Part | None:
    """What is asked where ``edge`` is taken, and whether it is true then."""
    if len(edge.literals) != 1:
        return None
    literal: Literal = edge.literals[0]
    text = asked.get(literal.left, literal.left)
    truth = literal.truth
    return (text, truth) if truth is not None and not text.startswith("$") else None


def condition_text(parts: Parts) -> str:
    """The text by which facts know a condition."""
    return "&&".join(text if truth else f"!{text}" for text, truth in parts)


def excluded(facts: Facts) -> tuple[Parts, ...]:
    """The conditions that are known not to hold."""
    return tuple(parts for (letter, _), parts in facts.items() if letter == EXCLUDED)


def with_excluded(facts: Facts, found: tuple[Parts, ...], assumed: Iterable[Part]) -> Facts | None:
    """``facts``, of which ``found`` are excluded, and what follows where expressions are as assumed; None where they
    cannot be."""
    given = dict(assumed)
    for parts in found:
        left: list[Part] = []
        for text, truth in parts:
            value = value_of(facts, text)
            known = given.get(text) if value is None else value != 0
            if known is None:
                left.append((text, truth))
            elif known != truth:
                break
        else:
            if not left:
                return None
            if len(left) == 1:
                (text, truth), *_ = left
                facts = {**facts, (VALUE, text): 0 if truth else NONZERO}
    return facts
