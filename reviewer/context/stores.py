# SPDX-License-Identifier: GPL-2.0-or-later
"""What is put into variables and members: by assignments, as the answers of calls, and by calls that only store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from typing import NamedTuple

from reviewer.source.cfg import AnyNode, Assign, Call


class Store(NamedTuple):
    """``value`` is put into ``target`` on ``line``; it is empty for the answer of a call."""

    target: str
    value: str
    line: int


def stored(nodes: Iterable[AnyNode], calls: Set[str]) -> Iterator[Store]:
    """What ``nodes`` store. ``calls`` put their second argument into the first, or where that points."""
    for node in nodes:
        if isinstance(node, Assign):
            yield Store(node.target, node.value, node.line)
        elif isinstance(node, Call):
            if node.result:
                yield Store(node.result, "", node.line)
            if node.name in calls and len(node.args) > 1:
                yield Store(node.args[0].removeprefix("&"), node.args[1], node.line)
