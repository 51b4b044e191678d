# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions of timers that never run: the timer is set up again, with another function, before each start."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from reviewer.context.callers import users
from reviewer.context.handedon import plain_value
from reviewer.context.settings import names_constant
from reviewer.context.setups import owner_of
from reviewer.context.tables import Registration
from reviewer.source.cfg import Assign, Call, Function, reachable
from reviewer.source.expression import last_member, plain
from reviewer.source.program import Program


class _Use(NamedTuple):
    """What is done with a timer, and where in the function: the block, and the position in it."""

    function: Function
    block: int
    position: int
    node: Call | Assign
    owner: str

    def structure(self, program: Program) -> str | None:
        return program.type_of(self.owner, self.function)


def is_superseded(program: Program, registration: Registration, timer: str, name: str, near: Iterable[str]) -> bool:
    """Whether no start of ``timer``, a member, comes upon the function ``name`` that it was set up with.

    The files ``near`` are asked first whether they set it up and start it, then all files of their folders. Where the
    timer is handed to somebody else, nothing is known.
    """
    member = last_member(timer)
    if not registration.started_by or not timer.startswith("&") or not owner_of(timer):
        return False
    files = set(near)
    if not any(_starts_again(program.text(path) or b"", registration, member) for path in files):
        return False
    files |= program.mentions_below_any({posixpath.dirname(path) for path in files if path.endswith(".c")}, (member,))
    uses = [use for path in sorted(files) for user in users(program, path, member) for use in _uses(user, member)]
    meant = {use.structure(program) for use in uses if _function(use.node, registration) == name}
    uses = [use for use in uses if None in meant or use.structure(program) in {*meant, None}]
    starts = [use for use in uses if isinstance(use.node, Call) and use.node.name in registration.started_by]
    return (
        bool(starts)
        and all(_is_known(use, registration) for use in uses)
        and all(_is_set_up_before(use, uses, registration, name) for use in starts)
    )


def _starts_again(text: bytes, registration: Registration, member: str) -> bool:
    """Whether a file sets ``member`` up and starts it."""
    return member.encode() in text and all(
        re.search(rb"\b(?:%b)\s*\([^;]*\b%b\b" % ("|".join(sorted(names)).encode(), member.encode()), text)
        for names in (registration.position, registration.started_by)
    )


def _uses(function: Function, member: str) -> Iterator[_Use]:
    """The nodes to which the address of the member goes, and what is written to the member's own members."""
    for number, block in enumerate(function.blocks):
        for position, node in enumerate(block.nodes):
            if isinstance(node, Call):
                texts = [text for text in node.args if text.startswith("&")]
            elif isinstance(node, Assign):
                texts = [owner_of(node.target), *([node.value] if node.value.startswith("&") else [])]
            else:
                continue
            found = [owner_of(plain(text)) for text in texts if last_member(text) == member]
            if isinstance(node, (Call, Assign)) and found:
                yield _Use(function, number, position, node, found[0])


def _function(node: Call | Assign, registration: Registration) -> str:
    """The function that a set-up names; empty where ``node`` is no set-up."""
    at = registration.position.get(node.name) if isinstance(node, Call) else None
    return plain_value(node.args[at]) if isinstance(node, Call) and at is not None and at < len(node.args) else ""


def _is_known(use: _Use, registration: Registration) -> bool:
    """Whether no more is done to the timer than to set it up, start it, stop it or say when it expires."""
    if isinstance(use.node, Assign):
        return not use.node.value.startswith("&") and not names_constant(use.function, use.node.value)
    return use.node.name in {*registration.position, *registration.started_by, *registration.stopped_by}


def _is_set_up_before(start: _Use, uses: list[_Use], registration: Registration, name: str) -> bool:
    """Whether each way through the function to ``start`` sets the timer up, and none with the function ``name``."""
    set_up = [
        use
        for use in uses
        if use.function is start.function and use.owner == start.owner and _function(use.node, registration)
    ]
    if any(_function(use.node, registration) == name for use in set_up):
        return False
    if any(use.block == start.block and use.position < start.position for use in set_up):
        return True
    passed = {use.block for use in set_up}
    return start.block not in reachable(start.function, lambda block, _: block not in passed)
