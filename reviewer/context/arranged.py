# SPDX-License-Identifier: GPL-2.0-or-later
"""Handlers that are put into an object, or whose timer is started, only where a member of the object says so.

As with ``if (!led->can_sleep) led->dev.brightness_set = led_set;``: where ``led_set()`` is entered through that member,
``led->can_sleep`` is false. What says so must be set where the handler is set up, and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from typing import NamedTuple

from reviewer.context.callers import users
from reviewer.context.effects import Effect
from reviewer.context.everyway import known_at
from reviewer.context.facts import SEEN, VALUE, Facts
from reviewer.context.handedon import plain_value
from reviewer.context.setups import owner_of
from reviewer.context.stores import stored
from reviewer.context.tables import Api, Registration
from reviewer.source.cfg import AnyNode, Assign, Call, Edge, Function, texts_of, written_by
from reviewer.source.expression import is_path, last_member, plain, root
from reviewer.source.preprocess import blank_comments_and_strings
from reviewer.source.program import Program

_MEMBER = re.compile(r"[a-z_]\w*->\w+")

_Known = frozenset[tuple[str, bool]]


class _Place(NamedTuple):
    """A node of a function, and the object that is meant there: a variable."""

    function: Function
    block: int
    node: AnyNode
    of: str


class Arranged:
    """Answers for the functions of ``program``."""

    def __init__(self, program: Program, api: Api) -> None:
        self._program = program
        self._api = api
        self._found: dict[tuple[str, str], tuple[list[_Place], list[_Place]] | None] = {}

    def excludes(self, function: Function, effect: Effect, facts: Facts) -> bool:
        """Whether ``function``, entered as a handler, never comes to ``effect``, by what it takes for granted."""
        if not function.static or not function.path.endswith(".c"):
            return False
        own = ((text, known != 0) for (letter, text), known in facts.items() if letter in (VALUE, SEEN))
        taken = sorted({(text, truth) for text, truth in (*effect.assumed, *own) if _MEMBER.fullmatch(text)})
        return any(self._is_otherwise(function, text, truth) for text, truth in taken)

    def _is_otherwise(self, function: Function, text: str, truth: bool) -> bool:
        key = (function.path, function.name)
        if key not in self._found:
            self._found[key] = self._places(function)
        found = self._found[key]
        structure, member = self._program.type_of(owner_of(text), function), last_member(text)
        if found is None or structure is None or not self._is_private(structure, function.path):
            return False
        set_up, begun = found
        return all(self._says(place, structure, member, truth=not truth) for place in begun) and self._is_set_there(
            function.path, structure, member, set_up
        )

    def _is_private(self, structure: str, path: str) -> bool:
        text = self._program.text(path) or b""
        return re.search(rb"^struct\s+%b\s*\{" % structure.encode(), text, re.MULTILINE) is not None

    def _says(self, place: _Place, structure: str, member: str, *, truth: bool) -> bool:
        """Whether it is known where the handler is put there, or its timer started, that the member is ``truth``."""
        told = (f"{place.of}->{member}", truth)
        return self._program.type_of(place.of, place.function) == structure and told in known_at(
            place.function, place.block, place.node, _after, _told
        )

    def _is_set_there(self, path: str, structure: str, member: str, set_up: list[_Place]) -> bool:
        """Whether the member is written to only in functions that set the handler up, and before they do so."""
        before = {place.function.name: place.node.line for place in set_up}
        for user in users(self._program, path, member):
            for target, _, line in stored(user.nodes(), self._api.stores):
                meant = last_member(target) == member != target
                if not meant or self._program.type_of(owner_of(plain(target)), user) not in (structure, None):
                    continue
                if line >= before.get(user.name, 0):
                    return False
        return True

    def _places(self, function: Function) -> tuple[list[_Place], list[_Place]] | None:
        """Where the handler is set up, and where it is put into use; None where that is not clear."""
        name, path = function.name, function.path
        text = blank_comments_and_strings(self._program.text(path) or b"")
        mentions = len(re.findall(rb"\b%b\b(?!\s*\()" % name.encode(), text))
        set_up, begun = list[_Place](), list[_Place]()
        for user in users(self._program, path, name):
            for block, node in _nodes(user):
                if isinstance(node, Assign) and plain_value(node.value) == name and is_path(node.target):
                    place = _Place(user, block, node, root(node.target))
                    set_up.append(place)
                    begun.append(place)
                elif isinstance(node, Call) and any(plain_value(argument) == name for argument in node.args):
                    starts = self._starts(user, node, name)
                    if starts is None:
                        return None
                    set_up.append(_Place(user, block, node, owner_of(plain(node.args[0]))))
                    begun += starts
        return (set_up, begun) if begun and len(set_up) == mentions else None

    def _starts(self, user: Function, node: Call, name: str) -> list[_Place] | None:
        """The starts of the timer that is set up by ``node``; None where somebody else may start it."""
        for registration in self._api.registrations:
            at = registration.position.get(node.name)
            if at is None or registration.member or not registration.started_by or at >= len(node.args):
                continue
            timer = last_member(plain(node.args[0]))
            if plain_value(node.args[at]) != name or not node.args[0].startswith("&") or not owner_of(node.args[0]):
                return None
            return self._uses(user.path, timer, registration)
        return None

    def _uses(self, path: str, timer: str, registration: Registration) -> list[_Place] | None:
        found = list[_Place]()
        known = {*registration.position, *registration.started_by, *registration.stopped_by}
        for user in users(self._program, path, timer):
            for block, node in _nodes(user):
                given = [text for text in texts_of(node) if text.startswith("&") and last_member(plain(text)) == timer]
                if not given:
                    continue
                if not isinstance(node, Call) or node.name not in known:
                    return None
                if node.name in registration.started_by:
                    found.append(_Place(user, block, node, owner_of(plain(given[0]))))
        return found


def _nodes(function: Function) -> Iterator[tuple[int, AnyNode]]:
    return ((number, node) for number, block in enumerate(function.blocks) for node in block.nodes)


def _after(known: _Known, nodes: Iterable[AnyNode]) -> _Known:
    changed: Set[str] = {written for node in nodes if (written := written_by(node))}
    return frozenset(one for one in known if one[0] not in changed and root(one[0]) not in changed)


def _told(edge: Edge) -> _Known:
    return frozenset(
        (literal.left, literal.truth)
        for literal in edge.literals
        if literal.truth is not None and _MEMBER.fullmatch(literal.left)
    )
