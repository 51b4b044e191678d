# SPDX-License-Identifier: GPL-2.0-or-later
"""Which function of a file takes objects off a list and frees them under a lock."""

from __future__ import annotations

from reviewer.context.locks import acquires
from reviewer.context.tables import Api
from reviewer.source.cfg import Function
from reviewer.source.expression import last_member, plain, root
from reviewer.source.program import Program


def frees_from_list(program: Program, api: Api, function: Function, member: str, lock: str) -> str | None:
    """The other function of the same file that looks an object up under ``lock`` and has it freed.

    The object is unlinked by ``member`` and freed there or in a function that it is handed to. ``member`` and ``lock``
    are last members. Functions that free what they are given by their own caller do not count: when they run is
    decided elsewhere, as for the removal of a device.
    """
    others = [
        other
        for extent in program.extents(function.path)
        for other in program.functions(function.path, extent.name)
        if other.line == extent.line and other.name != function.name
    ]
    freed = {other.name: found for other in others if (found := _freed(other, api, member))}
    for other in others:
        if lock not in {last_member(plain(taken)) for _, taken in acquires(other, api)}:
            continue
        looked_up = {call.result for call in other.calls() if call.result and api.lookup.fullmatch(call.name)}
        handed = {arg for call in other.calls() if call.name in freed for arg in call.args}
        if looked_up & (freed.get(other.name, set()) | handed):
            return other.name
    return None


def _freed(function: Function, api: Api, member: str) -> set[str]:
    """The variables of ``function`` whose object is unlinked by ``member`` and freed."""
    unlinked: set[str] = set()
    freed: set[str] = set()
    for call in function.calls():
        if call.args and api.remove.fullmatch(call.name) and last_member(call.args[0]) == member:
            unlinked.add(root(call.args[0]))
        elif call.args and call.name in api.frees:
            freed.add(plain(call.args[0]))
    return unlinked & freed
