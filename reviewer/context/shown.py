# SPDX-License-Identifier: GPL-2.0-or-later
"""How calls and guards are named: in a chain of steps that a reader follows, and where the tree is asked about them."""

from __future__ import annotations

import re

from reviewer.context.tables import Api
from reviewer.source.cfg import Call, Guard
from reviewer.source.guards import GuardCall

FREE_PREFIX = "__free:"
"""What the class of a ``__free()`` variable begins with."""


ANONYMOUS = "guard"
"""What the variable of a ``guard()`` is called, which has a name that nobody knows."""


def guard_name(node: Guard) -> str:
    """The name under which what a guard does is looked up in the tree."""
    if node.cls.startswith(FREE_PREFIX):
        return GuardCall.FREE.of(node.cls.removeprefix(FREE_PREFIX))
    return (GuardCall.BEGIN if node.enter else GuardCall.END).of(node.cls)


def shown_as(node: Call | Guard, api: Api) -> str:
    """The call with what a reader needs of its arguments, ``kzalloc(GFP_KERNEL)``, or the guard."""
    if isinstance(node, Guard):
        freed = node.cls.startswith(FREE_PREFIX)
        return f"{node.cls.removeprefix(FREE_PREFIX)}()" if freed else f"guard({node.cls})({node.argument})"
    return f"{node.name}({_gist(node, api)})"


def _gist(node: Call, api: Api) -> str:
    """The gfp mask, the lock or the sequence counter."""
    position = api.allocators.get(node.name)
    if position is not None:
        mask = node.args[position] if position < len(node.args) else ""
        return re.sub(r"([|&])", r" \1 ", mask) if re.fullmatch(r"[\w|&~()]+", mask) else ""
    lock = api.locks.get(node.name)
    if lock is not None and lock.argument < len(node.args):
        return node.args[lock.argument]
    return node.args[0] if node.name in api.seqcount_writers and node.args else ""
