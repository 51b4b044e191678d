# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the value of a subexpression, which has a temporary name like ``$3``, is read for the last time."""

from __future__ import annotations

import re
from collections.abc import Collection

from reviewer.context.facts import DECISION, GFP, MEANING, SYMBOL, VALUE, Facts
from reviewer.source.cfg import AnyNode, Assign, Block, Call, Function, texts_of, written_by

_TEMPORARY = re.compile(r"\$\d+")
_OF_ONE_NAME = frozenset((VALUE, MEANING, GFP, DECISION))


def last_read(function: Function, kept: Collection[str]) -> dict[tuple[int, int], frozenset[str]]:
    """For ways out of a block, by block and position, the temporaries that nothing reads any more from there on.

    Those in ``kept`` are told of by somebody to the end of the path.
    """
    numbers: dict[str, int] = {}
    read, written = [], []
    for block in function.blocks:
        reads, writes = _used(block, numbers)
        read.append(reads)
        written.append(writes)
    if not numbers:
        return {}
    for text in (*function.aliases.values(), *kept):
        for name in _TEMPORARY.findall(text) if "$" in text else ():
            numbers.pop(name, None)
    live = _live(function, read, written)
    found = {}
    for number, block in enumerate(function.blocks):
        for position, edge in enumerate(block.edges):
            last = (written[number] | live[number]) & ~live[edge.target]
            if last and (names := frozenset(name for name, bit in numbers.items() if bit & last)):
                found[number, position] = names
    return found


def forget_temporaries(facts: Facts, names: Collection[str]) -> None:
    """Drop what is known of ``names``."""
    gone = [
        key
        for key in facts
        if key[1][:1] == "$"
        and (
            (key[0] in _OF_ONE_NAME and key[1] in names)
            or (key[0] == SYMBOL and _is_named(key[1]) and key[1].partition("==")[0] in names)
        )
    ]
    for key in gone:
        del facts[key]


def _is_named(text: str) -> bool:
    """Whether something is compared with a constant: two variables that are equal are one object."""
    return text.partition("==")[2][:1].isupper()


def _live(function: Function, read: list[int], written: list[int]) -> list[int]:
    """The temporaries, as sets of bits, that may be read from the beginning of each block on."""
    live = list(read)
    before: list[list[int]] = [[] for _ in live]
    for number, block in enumerate(function.blocks):
        for edge in block.edges:
            before[edge.target].append(number)
    waiting = [number for number, bits in enumerate(live) if bits]
    while waiting:
        number = waiting.pop()
        for other in before[number]:
            more = live[other] | (live[number] & ~written[other])
            if more != live[other]:
                live[other] = more
                waiting.append(other)
    return live


def _used(block: Block, numbers: dict[str, int]) -> tuple[int, int]:
    """The temporaries that a block reads before it writes them, and those that it writes."""
    reads = writes = 0
    for node in block.nodes:
        for text in _texts(node):
            if "$" in text:
                reads |= _bits(text, numbers) & ~writes
        target = written_by(node)
        if target is not None and target[:1] == "$" and _TEMPORARY.fullmatch(target):
            writes |= _bits(target, numbers)
    for edge in block.edges:
        for literal in edge.literals:
            if "$" in literal.left:
                reads |= _bits(literal.left, numbers) & ~writes
            if isinstance(literal.right, str) and "$" in literal.right:
                reads |= _bits(literal.right, numbers) & ~writes
    return reads, writes


def _bits(text: str, numbers: dict[str, int]) -> int:
    found = 0
    for name in _TEMPORARY.findall(text):
        found |= numbers.setdefault(name, 1 << len(numbers))
    return found


def _texts(node: AnyNode) -> tuple[str, ...]:
    """The texts in which ``node`` may read temporaries: what is called, too, and no temporary that it sets."""
    if isinstance(node, Assign) and _TEMPORARY.fullmatch(node.target):
        return (node.value,)
    return (node.name, *node.args) if isinstance(node, Call) else texts_of(node)
