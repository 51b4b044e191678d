# SPDX-License-Identifier: GPL-2.0-or-later
"""All that the files of one folder put into the members of a name, where that is clear."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Set
from typing import NamedTuple

from reviewer.context.callers import users
from reviewer.context.setups import owner_of
from reviewer.context.stores import stored
from reviewer.source.cfg import Call, Function
from reviewer.source.expression import last_member, plain
from reviewer.source.program import Program


class Put(NamedTuple):
    """A value that a block of a function puts into a member of the structure; None where that is not clear."""

    function: Function
    block: int
    value: str
    structure: str | None


class Puts:
    """Answers for the functions of ``program``. ``stores`` are calls that put a value somewhere."""

    def __init__(self, program: Program, stores: Set[str]) -> None:
        self._program = program
        self._stores = stores
        self._found: dict[tuple[str, str], tuple[Put, ...] | None] = {}

    def meant(self, paths: frozenset[str], member: str) -> list[Put]:
        """What is put into members of that name which the files ``paths``, of one folder, can mean; unclear: nothing.

        Where these files put something into the member themselves, it is the one of the same structure.
        """
        every = self._puts(posixpath.dirname(next(iter(paths))), member) or ()
        near = {put.structure for put in every if put.function.path in paths}
        return [put for put in every if not near or put.structure is None or near & {put.structure, None}]

    def _puts(self, folder: str, member: str) -> tuple[Put, ...] | None:
        """What the files of ``folder`` put into members of that name; None where that is not clear."""
        key = (folder, member)
        if key not in self._found:
            filled = re.compile(rb"[{,\s]\.%b\s*=(?!=)" % member.encode())
            found: list[Put] = []
            for path in self._program.mentions_below(folder, member):
                using = users(self._program, path, member)
                taken = any(_is_given_away(call, member, self._stores) for each in using for call in each.calls())
                if taken or filled.search(self._program.text(path) or b""):
                    self._found[key] = None
                    return None
                found += (put for function in using for put in self._put_by(function, member))
            self._found[key] = tuple(found)
        return self._found[key]

    def _put_by(self, function: Function, member: str) -> Iterator[Put]:
        for number, block in enumerate(function.blocks):
            for target, value, _ in stored(block.nodes, self._stores):
                if last_member(target) == member != target:
                    yield Put(function, number, value, self._program.type_of(owner_of(plain(target)), function))


def _is_given_away(call: Call, member: str, stores: Set[str]) -> bool:
    """Whether somebody else is given the address of the member, to put there what he likes."""
    given = call.args[1:] if call.name in stores else call.args
    return any(text.startswith("&") and last_member(text) == member for text in given)
