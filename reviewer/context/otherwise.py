# SPDX-License-Identifier: GPL-2.0-or-later
"""What holds where a switch over a member of an object goes to its default: the member is none of the other cases.

The default is for many values, those that a caller puts there are few. Cases that go on into the default are not told.
"""

from __future__ import annotations

import re
from collections.abc import Set

from reviewer.context.facts import SYMBOL
from reviewer.context.oneof import BETWEEN
from reviewer.source.cfg import Block, Call, Function
from reviewer.source.expression import is_path, root, split_member

_MOST = 32
_LABEL = re.compile(r"\w+")

Way = tuple[int, int]
"""A way out of a block: the block, and the position of the edge."""


def otherwise(function: Function, converters: Set[str]) -> dict[Way, tuple[str, str]]:
    """The fact that does not hold on a way to a default. ``converters`` give what they are given in another form."""
    found: dict[Way, tuple[str, str]] = {}
    for at, block in enumerate(function.blocks):
        plain = [position for position, edge in enumerate(block.edges) if not edge.literals]
        if len(plain) != 1 or len(block.edges) < 2:
            continue
        path = _switched(block, converters)
        if not is_path(path) or split_member(path) is None or root(path) not in function.params:
            continue
        falling = _leading_to(function, block.edges[plain[0]].target, at)
        ways = [(position, edge) for position, edge in enumerate(block.edges) if edge.literals]
        labels = [str(edge.literals[0].right) for _, edge in ways if edge.target not in falling]
        told = [label for label in labels if _LABEL.fullmatch(label)]
        if told and len(told) <= _MOST:
            key = (SYMBOL, f"{path}==" + "".join(label + BETWEEN for label in told))
            found[at, plain[0]] = key
            found.update(((at, position), key) for position, edge in ways if edge.target in falling)
    return found


def _switched(block: Block, converters: Set[str]) -> str:
    """What the ways out of ``block`` compare with constants; nothing where they do something else."""
    literals = [edge.literals for edge in block.edges if edge.literals]
    names = {each[0].left for each in literals}
    if len(names) != 1 or any(len(each) != 1 or each[0].operator != "==" or not each[0].holds for each in literals):
        return ""
    (name,) = names
    last = block.nodes[-1] if block.nodes else None
    if isinstance(last, Call) and last.result == name:
        return last.args[0] if last.name in converters and len(last.args) == 1 else ""
    return name


def _leading_to(function: Function, target: int, head: int) -> set[int]:
    """The blocks from which ``target`` can be reached without coming through ``head``."""
    before: dict[int, list[int]] = {}
    for at, block in enumerate(function.blocks):
        for edge in block.edges:
            before.setdefault(edge.target, []).append(at)
    found, waiting = {target}, [target]
    while waiting:
        new = {at for at in before.get(waiting.pop(), ()) if at != head} - found
        found |= new
        waiting += new
    return found
