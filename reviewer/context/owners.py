# SPDX-License-Identifier: GPL-2.0-or-later
"""Members that point from an object back to the one that it was made for: where that has it, they are never NULL.

As with ``port->rx`` where all that is put there comes from ``channel_start(&port->rx, port)``, which makes a channel
and sets its ``channel->port`` before it hands it out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from reviewer.context.callers import users
from reviewer.context.setups import owner_of
from reviewer.context.stores import stored
from reviewer.context.tables import Api
from reviewer.source.cfg import AnyNode, Assign, Call, Function, Return, reachable, texts_of, written_by
from reviewer.source.expression import constant, last_member, plain, root, unwrap
from reviewer.source.preprocess import blank_comments_and_strings
from reviewer.source.program import Program

if TYPE_CHECKING:
    from reviewer.context.effects import Assumptions

_MEMBER = re.compile(r"([a-z_]\w*)->(\w+)->(\w+)")


class _Member(NamedTuple):
    """``member`` of a ``structure`` that is defined in the file ``path``, so that no other file knows it."""

    path: str
    structure: str
    member: str


class _Put(NamedTuple):
    """``value`` is put into a member of what ``owner`` points to; both are empty where that is not known.

    Of what a call returns the value is empty, of what is put there by the address of the member it is this address.
    """

    function: Function
    node: AnyNode
    owner: str
    value: str


class Owners:
    """Answers for the functions of ``program``."""

    def __init__(self, program: Program, api: Api) -> None:
        self._program = program
        self._api = api
        self._found: dict[tuple[_Member, str], bool] = {}

    def contradict(self, function: Function, assumed: Assumptions) -> bool:
        """Whether ``assumed``, in the words of ``function``, has an object not point to what it was made for."""
        matches = (_MEMBER.fullmatch(text) for text, truth in assumed if not truth)
        return any(self._points(function, *match.groups()) for match in matches if match is not None)

    def _points(self, function: Function, owner: str, member: str, back: str) -> bool:
        structure = function.types.get(owner, "")
        key = (_Member(function.path, structure.removesuffix("*"), member), back)
        if key not in self._found:
            self._found[key] = structure.endswith("*") and self._always_points(*key)
        return self._found[key]

    def _always_points(self, of: _Member, back: str) -> bool:
        """Whether all that is put into the member has been made for its owner, and points ``back`` to it."""
        puts = self._puts(of)
        kept = [put for put in puts or () if constant(put.value) != 0]
        filled = [self._brings_one(put, back) for put in kept]
        return any(filled) and None not in filled

    def _brings_one(self, put: _Put, back: str) -> bool | None:
        """Whether an object that points to its owner is put there; False where nothing is, None where anything may."""
        function, node, owner = put.function, put.node, put.owner
        if isinstance(node, Assign):
            return (bool(owner) and self._made(function, node, put.value, back) == owner) or None
        callees = self._program.resolve(node.name, function.path) if isinstance(node, Call) else ()
        if not owner or not isinstance(node, Call) or len(callees) != 1 or len(callees[0].params) != len(node.args):
            return None
        out = callees[0].params[node.args.index(put.value)] if put.value in node.args else ""
        shown = _handed_out(callees[0], out) if out else _returned(callees[0], self._api)
        if shown is None or (put.value and not out):
            return None
        made = [self._made(callees[0], each, value, back) for each, value in shown]
        given = {node.args[callees[0].params.index(name)] if name in callees[0].params else "" for name in made}
        return bool(made) if given <= {owner} else None

    def _made(self, function: Function, shown: AnyNode, value: str, back: str) -> str:
        """The variable that is always in the member ``back`` of the object ``value``, made here, when it is ``shown``.

        Nothing where that is not clear, or where the member is ever given anything else.
        """
        makers = [node for node in function.nodes() if written_by(node) == value]
        maker = makers[0] if len(makers) == 1 and value in function.locals else None
        structure = function.types.get(value, "").removesuffix("*")
        if not isinstance(maker, Call) or maker.name not in self._api.allocators or not structure:
            return ""
        puts = self._puts(_Member(function.path, structure, back)) or []
        if len(puts) != 1 or puts[0].function != function or puts[0].owner != value or not puts[0].value:
            return ""
        points = puts[0].value
        written = sum(written_by(node) == points for node in function.nodes())
        return points if written <= (points in function.locals) and _comes_first(function, puts[0].node, shown) else ""

    def _puts(self, of: _Member) -> list[_Put] | None:
        """All that is put into the member; None where that cannot be found."""
        text = blank_comments_and_strings(self._program.text(of.path) or b"")
        if not of.path.endswith(".c") or not re.search(rb"^struct\s+%b\s*\{" % of.structure.encode(), text, re.M):
            return None
        using = users(self._program, of.path, of.member)
        read = {
            node.line for each in using for node in each.nodes() if last_member(written_by(node) or "") == of.member
        }
        places = re.finditer(rb"(?:->|\.)%b\s*=(?!=)" % of.member.encode(), text)
        if any(text.count(b"\n", 0, place.start()) + 1 not in read for place in places):
            return None  # in a table, a macro, or an arm of an #if that is not read
        return [put for function in using for put in self._put_by(function, of)]

    def _put_by(self, function: Function, of: _Member) -> Iterator[_Put]:
        address = re.compile(rf"&[\w>.\[\]-]*(?:->|\.){of.member}(?![\w.\[]|->)")
        for node in function.nodes():
            for put in stored((node,), self._api.stores):
                if self._means(put.target, of, function):
                    yield _Put(function, node, owner_of(plain(put.target)), put.value)
            for text in texts_of(node):
                for match in address.finditer(text):
                    if self._means(match.group(), of, function):
                        whole = isinstance(node, Call) and match.group() == text and node.args.count(text) == 1
                        yield (
                            _Put(function, node, owner_of(plain(text)), text) if whole else _Put(function, node, "", "")
                        )
            if _is_overwritten(node) and self._program.type_of(plain(texts_of(node)[0]), function) == of.structure:
                yield _Put(function, node, "", "")

    def _means(self, target: str, of: _Member, function: Function) -> bool:
        """Whether ``target`` may be the member."""
        target = plain(target)
        if last_member(target) != of.member or target == of.member:
            return False
        return self._program.type_of(owner_of(target), function) in (of.structure, None)


def _is_overwritten(node: AnyNode) -> bool:
    """Whether all of what ``node`` names first gets other contents: ``*to = *from``, or a call that has its size."""
    if isinstance(node, Assign):
        return node.target.startswith("*") and node.value[:1] in ("*", "(", "{")
    return isinstance(node, Call) and any("sizeof" in text for text in node.args[1:])


def _returned(function: Function, api: Api) -> list[tuple[AnyNode, str]]:
    """The objects that ``function`` returns, and where."""
    errors = {node.result for node in function.calls() if api.error_pointers.get(node.name) == "makes"}
    returns = [node for node in function.nodes() if isinstance(node, Return) and node.value not in errors]
    return [(each, each.value) for each in returns if each.value and constant(each.value) != 0]


def _handed_out(function: Function, out: str) -> list[tuple[AnyNode, str]] | None:
    """The objects that ``function`` puts where its parameter ``out`` points, and how; None where that is not clear."""
    found = list[tuple[AnyNode, str]]()
    for node in function.nodes():
        target = written_by(node) or ""
        if target == out or any(unwrap(text) == out or text.startswith(f"&{out}") for text in texts_of(node)):
            return None
        if root(target) == out:
            if not isinstance(node, Assign) or target != f"*{out}":
                return None
            if constant(node.value) != 0:
                found.append((node, node.value))
    return found


def _comes_first(function: Function, put: AnyNode, shown: AnyNode) -> bool:
    """Whether every way to ``shown`` leads over ``put``."""
    at, there = (next(n for n, block in enumerate(function.blocks) if node in block.nodes) for node in (put, shown))
    if at == there:
        return function.blocks[at].nodes.index(put) < function.blocks[at].nodes.index(shown)
    return there not in reachable(function, lambda block, _: block != at)
