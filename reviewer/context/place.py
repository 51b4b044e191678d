# SPDX-License-Identifier: GPL-2.0-or-later
"""One point of one path: what it says to callers, worked out once for all that a call there brings about."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reviewer.context.assumptions import Taken, for_callers, taken_for_granted
from reviewer.context.conjunctions import Parts, excluded, with_excluded
from reviewer.context.depending import told_by
from reviewer.context.effects import Assumptions, Condition, OfTables, Where
from reviewer.context.facts import VALUE, Facts
from reviewer.context.implied import Rule, rules, with_assumed
from reviewer.context.locks import in_parameters
from reviewer.context.once import about_last
from reviewer.context.state import Reason, State, atomic

if TYPE_CHECKING:
    from reviewer.context.flow import Flow


class Said(NamedTuple):
    """What a path takes for granted, whether that is about the last reference to an object, and the object's tables."""

    assumed: Assumptions
    last: bool
    tables: OfTables


class Place:
    """The point with ``state`` and ``facts`` on a path of ``flow``. What it says of values does not change after.

    ``granted`` is what was found out about what effects of the call that stands here take for granted: the same point
    where that holds, and what must hold of parameters; None where it does not.
    """

    __slots__ = (
        "_asked",
        "_assumed",
        "_atomic",
        "_conditions",
        "_dropped",
        "_excluded",
        "_free",
        "_kinds",
        "_rules",
        "_said",
        "_seldom",
        "_taken",
        "_where",
        "facts",
        "flow",
        "granted",
        "state",
    )

    def __init__(self, flow: Flow, state: State, facts: Facts) -> None:
        self.flow = flow
        self.state = state
        self.facts = facts
        self._conditions: tuple[Condition, ...] | None = None
        self._free: frozenset[str] | None = None
        self._seldom: bool | None = None
        self._kinds: frozenset[str] | None = None
        self._asked: frozenset[str] | None = None
        self._dropped: frozenset[tuple[str, str]] | None = None
        self._rules: tuple[Rule, ...] | None = None
        self._excluded: tuple[Parts, ...] = ()
        self._taken: Taken | None = None
        self._where: frozenset[Where] | None = None
        self._assumed: dict[Assumptions, Assumptions] = {}
        self._said: dict[Assumptions, Said] = {}
        self._atomic: dict[bool, Reason | None] = {}
        self.granted: dict[Assumptions, tuple[Place, list[Condition]] | None] = {}

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What the path has assumed about the parameters."""
        if self._conditions is None:
            self._conditions = self.flow.body.conditions(self.facts)
        return self._conditions

    @property
    def free(self) -> frozenset[str]:
        """The locks that nobody holds any more, in the words of the function."""
        if self._free is None:
            self._free = self.flow.doubts.free(self.state, self.facts)
        return self._free

    @property
    def is_seldom(self) -> bool:
        """Whether few calls of the function come here."""
        if self._seldom is None:
            once = self.flow.body.once
            self._seldom = once.is_first(self.facts) or once.has_warned(self.facts)
        return self._seldom

    @property
    def kinds(self) -> frozenset[str]:
        """The letters of all that is known, but for what a call may add to it (``SLEPT``)."""
        if self._kinds is None:
            self._kinds = frozenset([letter for letter, _ in self.facts])
        return self._kinds

    @property
    def asked(self) -> frozenset[str]:
        """The global variables of which a value is known."""
        if self._asked is None:
            own = self.flow.function
            named = (text for letter, text in self.facts if letter == VALUE and text.isidentifier())
            self._asked = frozenset(text for text in named if text not in own.params and text not in own.locals)
        return self._asked

    @property
    def dropped(self) -> frozenset[tuple[str, str]]:
        """The locks of callers that are released here, in their words, by kind."""
        if self._dropped is None:
            function, dropped = self.flow.function, self.state.dropped
            self._dropped = frozenset((kind, in_parameters(function, name)) for kind, name in dropped)
        return self._dropped

    def for_callers(self, below: Assumptions) -> Assumptions:
        """What the path takes for granted, with what a callee does (``below``)."""
        found = self._assumed.get(below)
        if found is None:
            function, body = self.flow.function, self.flow.body
            if self._taken is None:
                self._taken = taken_for_granted(
                    function, self.facts, body.changed, body.copied, body.pointed, self.flow.api.raised_in_panic
                )
            found = self._assumed[below] = for_callers(self._taken, function, body.changed, below)
        return found

    @property
    def where(self) -> frozenset[Where]:
        """What the path takes for granted besides, as the function's parameters are."""
        if self._where is None:
            self._where = told_by(self)
        return self._where

    def knowing(self, facts: Facts) -> Place:
        """The same point where more is known."""
        return Place(self.flow, self.state, facts)

    def said(self, below: Assumptions) -> Said:
        """The same, with what it says of the object that it is about."""
        found = self._said.get(below)
        if found is None:
            told, flow = self.for_callers(below), self.flow
            tables = flow.analyser.table_mates.filling(flow.function, told)
            found = self._said[below] = Said(told, about_last(told, flow.api), tables)
        return found

    def assuming(self, assumed: Assumptions) -> Place | None:
        """The same point where ``assumed`` holds; None where it cannot."""
        if not assumed:
            return self
        if self._rules is None:
            self._rules = rules(self.facts)
            self._excluded = excluded(self.facts)
        known = with_assumed(self.facts, self._rules, assumed)
        if known is not None and self._excluded:
            known = with_excluded(known, self._excluded, assumed)
        if known is None or known is self.facts:
            return None if known is None else self
        return self.knowing(known)

    def atomic(self, state: State, *, rt: bool) -> Reason | None:
        """The reason for which nothing may sleep in ``state``, most often the state of this point."""
        if state is not self.state:
            return atomic(state, self.flow.api, rt=rt)
        if rt not in self._atomic:
            self._atomic[rt] = atomic(state, self.flow.api, rt=rt)
        return self._atomic[rt]
