# SPDX-License-Identifier: GPL-2.0-or-later
"""Variables that only ever get one of a few constants: a switch that has a case for each goes no other way."""

from __future__ import annotations

from collections import defaultdict

from reviewer.source.cfg import Assign, Block, Edge, Function, Loop, written_by
from reviewer.source.expression import constant, root


def never_taken(function: Function) -> frozenset[tuple[int, int]]:
    """The ways out of a block, by block and position, for any other value of a variable that has no other."""
    found = [(at, position) for at, block in enumerate(function.blocks) if (position := _otherwise(block)) is not None]
    ranges = _ranges(function) if found else {}
    return frozenset(
        (at, position)
        for at, position in found
        for name, cases in [_cases(function.blocks[at].edges)]
        if name in ranges and ranges[name] <= cases
    )


def _otherwise(block: Block) -> int | None:
    """The position of the one edge that says nothing where all others are cases of a switch."""
    plain = [position for position, edge in enumerate(block.edges) if not edge.literals]
    return plain[0] if len(plain) == 1 and len(block.edges) > 1 and _cases(block.edges)[0] else None


def _cases(edges: tuple[Edge, ...]) -> tuple[str, frozenset[int]]:
    """What the edges compare with constants, and with which; nothing where they do something else."""
    literals = [edge.literals[0] for edge in edges if edge.literals]
    if any(literal.operator != "==" or not literal.holds for literal in literals):
        return "", frozenset()
    names = {literal.left for literal in literals}
    cases = frozenset(literal.right for literal in literals if isinstance(literal.right, int))
    return (names.pop(), cases) if len(names) == 1 else ("", frozenset())


def _ranges(function: Function) -> dict[str, set[int]]:
    """The local variables that are assigned constants and nothing else, with these."""
    values: dict[str, set[int]] = defaultdict(set)
    other = {argument[1:] for call in function.calls() for argument in call.args if argument.startswith("&")}
    for node in function.nodes():
        known = constant(node.value) if isinstance(node, Assign) else None
        if isinstance(node, Loop):
            other.update(root(argument) for argument in node.args)
        elif isinstance(node, Assign) and known is not None:
            values[node.target].add(known)
        elif (name := written_by(node)) is not None:
            other.add(name)
    return {name: known for name, known in values.items() if name in function.locals and name not in other}
