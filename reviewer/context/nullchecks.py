# SPDX-License-Identifier: GPL-2.0-or-later
"""Pointers that an RCU reader follows at once, where every other reader of the file asks first whether they are NULL.

Source: include/linux/rcupdate.h, RCU_INIT_POINTER() (updaters publish NULL) and rcu_access_pointer().
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

from reviewer.context.callers import users
from reviewer.context.effects import Event, EventKind
from reviewer.context.state import State
from reviewer.context.tables import Api
from reviewer.model import Step
from reviewer.source.cfg import AnyNode, Assign, Block, Call, Function, Literal, texts_of
from reviewer.source.expression import constant, last_member, unwrap
from reviewer.source.program import Program

_ENOUGH = 2  # so many others that ask make a custom where it is not seen who publishes NULL
_VARIABLE = re.compile(r"[A-Za-z_]\w*")
_MEMBER = re.compile(r".*(?:->|\.)[A-Za-z_]\w*")
_NOT_EVALUATED = re.compile(r"\b(?:sizeof|typeof|__typeof__|offsetof)\((?:[^()]|\([^()]*\))*\)")
_ADDRESS = re.compile(r"&[A-Za-z_]\w*->")
_STORES = frozenset(("rcu_assign_pointer", "RCU_INIT_POINTER"))


class _Fetch(NamedTuple):
    """``variable`` is fetched by the node ``at`` of ``block``; ``source`` names what it is fetched from."""

    variable: str
    source: str
    call: Call
    block: int
    at: int


class _Use(NamedTuple):
    """What happens first to a fetched pointer: it is used as ``text``, or (empty) asked for NULL, or (0) else."""

    line: int
    text: str


def unchecked(program: Program, api: Api, function: Function) -> Iterator[Event]:
    """Fetched pointers that ``function`` follows without a question, though they can be NULL as others know."""
    fetched = [(fetch, list(_first_uses(function, fetch))) for fetch in _fetches(function, api)]
    for fetch, uses in fetched:
        found = [use for use in uses if use.text]
        if not found or _asked_otherwise(function, fetch, fetched):
            continue
        like = _like(program, api, function, fetch)
        if like is None:
            continue
        use = min(found)
        other, line = like
        detail = (fetch.variable, f"{fetch.call.name}()", other.name, str(line))
        step = Step(function.path, use.line, function.name, use.text)
        shown = ((fetch.variable, fetch.variable, fetch.call.line, f"{fetch.variable} = {fetch.call.name}()"),)
        kind = EventKind.NULL_NOT_ASKED
        yield Event(kind, function, use.line, fetch.variable, "", State(), (step,), False, shown, detail)


def _fetches(function: Function, api: Api) -> Iterator[_Fetch]:
    for at, block in enumerate(function.blocks):
        for index, node in enumerate(block.nodes):
            if not isinstance(node, Call) or not node.result or not _VARIABLE.fullmatch(node.result):
                continue
            if api.fetches(node.name):
                source = _source(node)
                if source:
                    yield _Fetch(node.result, source, node, at, index)


def _asked_otherwise(function: Function, fetch: _Fetch, fetched: list[tuple[_Fetch, list[_Use]]]) -> bool:
    """Whether ``function`` asks the same place by another fetch, or some place without following the pointer.

    What the one pointer holds often tells of another one.
    """
    by_fetch = any(
        other is not fetch and other.source == fetch.source and any(use.line and not use.text for use in uses)
        for other, uses in fetched
    )
    return by_fetch or any(node.name == "rcu_access_pointer" for node in function.calls())


def _source(node: Call) -> str:
    """What a pointer is fetched from: a member, or whatever the accessor of that name looks at."""
    if re.fullmatch(r"s?rcu_dereference(?:_bh|_sched|_all)?(?:_check|_notrace)?", node.name):
        place = unwrap(node.args[0]) if node.args else ""
        return "." + last_member(place) if _MEMBER.fullmatch(place) else ""
    return node.name


def _first_uses(function: Function, fetch: _Fetch) -> Iterator[_Use]:
    """On each path from ``fetch``: what is done to the pointer first, if anything."""
    waiting, seen = [(fetch.block, fetch.at + 1)], {fetch.block}
    while waiting:
        at, index = waiting.pop()
        block = function.blocks[at]
        met = _in_nodes(block.nodes[index:], fetch.variable)
        met = met or _in_conditions(block, fetch.variable)
        if met is not None:
            if met.line:
                yield met
            continue
        for edge in block.edges:
            if edge.target not in seen:
                seen.add(edge.target)
                waiting.append((edge.target, 0))


def _in_nodes(nodes: tuple[AnyNode, ...], variable: str) -> _Use | None:
    for node in nodes:
        for text in _texts(node):
            evaluated = _ADDRESS.sub("&", _NOT_EVALUATED.sub("", text))
            followed = _followed(variable).search(evaluated)
            if followed is not None and not _itself(variable).search(evaluated[: followed.start()]):
                return _Use(node.line, text)
            if _itself(variable).search(evaluated):
                return _Use(0, "")
        if variable in (getattr(node, "result", None), getattr(node, "target", None)):
            return _Use(0, "")
    return None


def _in_conditions(block: Block, variable: str) -> _Use | None:
    literals = [literal for edge in block.edges for literal in edge.literals]
    texts = [(literal, text) for literal in literals for text in (literal.left, str(literal.right))]
    for literal, text in texts:
        if _itself(variable).search(text):
            return _Use(literal.line if _asks(literal, variable) else 0, "")
    for literal, text in texts:
        if _followed(variable).search(_ADDRESS.sub("&", text)) and literal.line:
            return _Use(literal.line, text)
    return None


def _asks(literal: Literal, variable: str) -> bool:
    """Whether a condition is the question for NULL."""
    return unwrap(literal.left) == variable and literal.operator in ("==", "!=") and constant(str(literal.right)) == 0


@functools.lru_cache(maxsize=4096)
def _followed(variable: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!->)(?<![.\w$]){re.escape(variable)}->")


@functools.lru_cache(maxsize=4096)
def _itself(variable: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!->)(?<![.\w$]){re.escape(variable)}\b(?!->)")


def _texts(node: AnyNode) -> tuple[str, ...]:
    """The expressions of ``node`` in the order in which they are evaluated."""
    if isinstance(node, Assign):
        return (node.value, node.target) if node.target != node.value else (node.value,)
    return texts_of(node)


# What others do


def _like(program: Program, api: Api, function: Function, fetch: _Fetch) -> tuple[Function, int] | None:
    """Another function of the file that asks, and where, if all do who use the pointer and it can be NULL."""
    word = fetch.source.removeprefix(".")
    asking: list[tuple[Function, int]] = []
    for other in users(program, function.path, word):
        if other.name == function.name:
            continue
        for its in _fetches(other, api):
            if its.source != fetch.source:
                continue
            uses = list(_first_uses(other, its))
            if any(use.text for use in uses):
                return None
            asking += [(other, use.line) for use in uses]
    if fetch.source.startswith("."):
        return asking[0] if asking and _set_to_null(program, function.path, word) else None
    return asking[0] if len({other.name for other, _ in asking}) >= _ENOUGH else None


def _set_to_null(program: Program, path: str, member: str) -> bool:
    """Whether a function of the file publishes NULL in ``member``."""
    return any(
        node.name in _STORES
        and len(node.args) > 1
        and constant(node.args[1]) == 0
        and last_member(node.args[0]) == member
        for user in users(program, path, member)
        for node in user.calls()
    )
