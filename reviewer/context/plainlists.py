# SPDX-License-Identifier: GPL-2.0-or-later
"""Lists that RCU readers walk and that are changed by primitives which do not care for readers.

Source: Documentation/RCU/checklist.rst, on the list macros; include/linux/rculist.h.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from reviewer.context.callers import users
from reviewer.context.effects import Event, EventKind
from reviewer.context.graceperiod import ends, waited_above, waits
from reviewer.context.state import State
from reviewer.context.tables import Api
from reviewer.model import Step
from reviewer.source.cfg import Call, Function, Loop
from reviewer.source.expression import last_member
from reviewer.source.program import Program

_DEEPEST = 2
_LINK = re.compile(r"&([A-Za-z_]\w*)->(\w+)")


class _Change(NamedTuple):
    """A call that changes the list on which ``variable`` of type ``type`` is linked by ``member``."""

    call: Call
    variable: str
    type: str
    member: str


def plain_changes(program: Program, api: Api, function: Function) -> Iterator[Event]:
    """Changes of lists in ``function`` for which other functions of the file use the primitive that readers need."""
    if ends(function) or any(waits(call) for call in function.calls()):
        return  # readers are waited for, or have gone: what is left is private
    for change in _changes(function):
        wanted = api.for_readers.get(change.call.name)
        if wanted is None or _is_made(program, api, function, change.variable):
            continue
        walker = _others(program, api, function, change, wanted)
        if walker is None or _on_other_list(function, walker, change, api) or waited_above(program, function):
            continue
        name = change.call.name
        step = Step(function.path, change.call.line, function.name, f"{name}(&{change.variable}->{change.member})")
        detail = (f"{name}()", f"{wanted}()", walker.name, change.member)
        kind = EventKind.READERS_FORGOTTEN
        yield Event(kind, function, change.call.line, name, "", State(), (step,), False, (), detail)


def _changes(function: Function) -> Iterator[_Change]:
    for call in function.calls():
        link = _LINK.fullmatch(call.args[0]) if call.args else None
        known = function.types.get(link.group(1)) if link is not None else None
        if link is not None and known is not None:
            yield _Change(call, link.group(1), known, link.group(2))


def _is_made(program: Program, api: Api, function: Function, variable: str, depth: int = _DEEPEST) -> bool:
    """Whether ``function``, or a callee that ``variable`` is the answer of, allocates memory."""
    return any(call.name in api.allocators for call in function.calls()) or any(
        _is_made(program, api, callee, "", depth - 1)
        for call in function.calls()
        if depth and (call.result == variable or (not variable and call.result))
        for callee in program.resolve(call.name, function.path)
    )


def _on_other_list(function: Function, walker: Function, change: _Change, api: Api) -> bool:
    """Whether the entry was found on a list that ``walker`` does not walk."""
    nodes = list(function.nodes())
    heads = {node.args[0] for node in nodes if isinstance(node, Call) and node.result == change.variable and node.args}
    for node in nodes:
        if isinstance(node, Loop) and change.variable in node.args and change.member in node.args[1:]:
            heads.add(node.args[node.args.index(change.member, 1) - 1])
    heads = {head[1:] for head in heads if head.startswith("&")}
    walked = {last_member(node.args[1]) for node in _walks(walker, change, api)}
    return bool(heads) and all(head in function.locals or last_member(head) not in walked for head in heads)


def _walks(walker: Function, change: _Change, api: Api) -> Iterator[Loop]:
    """The loops of ``walker`` that go over such lists in a reader."""
    return (
        node
        for node in walker.nodes()
        if isinstance(node, Loop)
        and node.name in api.rcu_iterators
        and change.member in node.args[2:3]
        and walker.types.get(node.args[0]) == change.type
    )


def _others(program: Program, api: Api, function: Function, change: _Change, wanted: str) -> Function | None:
    """A function that walks the list in an RCU reader, if every other one changes it as ``wanted`` does."""
    walker: Function | None = None
    careful = False
    for other in users(program, function.path, change.member):
        if walker is None and any(_walks(other, change, api)):
            walker = other
        for its in _changes(other) if other.name != function.name else ():
            if (its.type, its.member) != (change.type, change.member):
                continue
            if its.call.name in api.for_readers and api.for_readers[its.call.name] == wanted:
                return None
            careful = careful or (its.call.name == wanted and _head(its.call) == _head(change.call))
    return walker if careful else None


def _head(call: Call) -> str:
    """The list, by its last member, to which something is added; empty where it is taken away."""
    return last_member(call.args[1]) if len(call.args) > 1 else ""
