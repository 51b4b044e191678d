# SPDX-License-Identifier: GPL-2.0-or-later
"""References that a guard holds, in its scope, to what it has looked up, told apart by the counter.

To look something up and to try to get a reference to it fails while what was found is about to go. In the scope of a
guard that has got one, another of the kind is got at the first try, and none that such a guard lets go of is the last.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from reviewer.context.assumptions import SOME
from reviewer.context.effects import Assumptions
from reviewer.context.facts import MEANING, NONZERO, REFERENCE, VALUE, Facts
from reviewer.context.tables import Api
from reviewer.source.cfg import Call, Function, Guard, Literal, Return
from reviewer.source.expression import constant, root
from reviewer.source.guards import GuardCall
from reviewer.source.program import Program

if TYPE_CHECKING:
    from reviewer.context.analysis import Analyser

TRIED: Final = f"{SOME}tried:"
LAST: Final = f"{SOME}last:"
"""Before the kind of a reference in assumptions: whether a try to get one succeeds, or one let go of is the last."""

_COUNTER = re.compile(r"&(\w+)->([\w.>-]+)")
_DEEPEST = 3
"""So many calls one below the other are looked into."""


class Answer(NamedTuple):
    """What the answer of a call tells: ``what`` is one of the beginnings above, ``kind`` the kind of the reference."""

    what: str
    kind: str

    @property
    def text(self) -> str:
        """What an assumption about the answer says."""
        return self.what + self.kind


class Counters:
    """Answers for one program which counter a function answers for, each worked out once."""

    def __init__(self, program: Program, api: Api) -> None:
        self._program = program
        self._api = api
        self._known: dict[tuple[str, str, str], str] = {}

    def told_by(self, name: str, path: str, what: str, depth: int = 0) -> str:
        """The kind of the reference about which the function ``name`` of the file ``path`` tells ``what``, or nothing.

        It returns the answer of a call that changes the counter, or what is always so.
        """
        key = (name, path, what)
        if key not in self._known:
            self._known[key] = ""
            found = self._program.own_functions(path, name) if depth < _DEEPEST else ()
            kinds = {self._answered(function, what, depth) for function in found}
            self._known[key] = kinds.pop() if len(kinds) == 1 else ""
        return self._known[key]

    def _answered(self, function: Function, what: str, depth: int) -> str:
        given = {node.value for node in function.nodes() if isinstance(node, Return)}
        answers = {node.result: node for node in function.calls() if node.result in given and node.args}
        always = 1 if what == TRIED else 0
        if not answers or any(value not in answers and constant(value) != always for value in given):
            return ""
        kinds = {self._counted(node, function, what, depth) for node in answers.values()}
        return kinds.pop() if len(kinds) == 1 else ""

    def _counted(self, node: Call, function: Function, what: str, depth: int) -> str:
        if not (self._api.keeps if what == TRIED else self._api.last_reference).fullmatch(node.name):
            return self.told_by(node.name, function.path, what, depth + 1)
        counter = _COUNTER.fullmatch(node.args[0])
        of = function.types.get(counter.group(1), "") if counter is not None else ""
        return re.sub(r"\W+", ":", of + counter.group(2)) if counter is not None and of else ""


class References:
    """The references that the calls and guards of ``function`` get and let go of."""

    def __init__(self, analyser: Analyser, function: Function) -> None:
        self._analyser = analyser
        self._function = function
        self._answers = {node.result: answer for node, answer in self._told(function)}
        self._held: dict[str, frozenset[str]] = {}

    def called(self, node: Call, facts: Facts) -> None:
        """Forget what an earlier call has answered, and remember what the answer of this one tells."""
        if node.result and (answer := self._answers.get(node.result)) is not None:
            facts.pop((VALUE, answer.text), None)
            facts[MEANING, node.result] = (answer.what, answer.text)

    def end(self, node: Guard, facts: Facts) -> None:
        """The scope of a guard is about to end: what it lets go of is not the last where another guard holds one."""
        for kind in self._kinds(node):
            facts[REFERENCE, kind] = facts.get((REFERENCE, kind), 1) - 1
            if facts[REFERENCE, kind]:
                facts[VALUE, LAST + kind] = 0

    def passed(self, node: Guard, facts: Facts) -> None:
        """The scope of a guard has begun or ended."""
        for kind in self._kinds(node):
            if node.enter:
                facts[REFERENCE, kind] = facts.get((REFERENCE, kind), 0) + 1
            facts.pop((VALUE, LAST + kind), None)

    def _kinds(self, node: Guard) -> frozenset[str]:
        """The kinds of the references that the class of a guard gets by looking something up, and lets go of."""
        if node.cls not in self._held:
            begun = self._below(GuardCall.BEGIN.of(node.cls), TRIED)
            self._held[node.cls] = begun & self._below(GuardCall.END.of(node.cls), LAST) if begun else begun
        return self._held[node.cls]

    def _below(self, name: str, what: str) -> frozenset[str]:
        """The kinds of references that what one end of a scope calls tells ``what`` about."""
        return frozenset(
            answer.kind
            for end in self._analyser.callees(name, self._function)
            for call in end.calls()
            for function in self._analyser.callees(call.name, end)
            for _, answer in self._told(function)
            if answer.what == what
        )

    def _told(self, function: Function) -> Iterator[tuple[Call, Answer]]:
        """The calls that tell whether they got a reference to what was found, or let go of the last one."""
        for node in function.calls():
            if not node.args or node.result is None or not node.result.startswith("$"):
                continue
            of = root(node.args[0])
            for what in (TRIED, LAST):
                found = what == LAST or (of in function.locals and of not in function.params)
                if found and (kind := self._analyser.counters.told_by(node.name, function.path, what)):
                    yield node, Answer(what, kind)


def learn(facts: Facts, meaning: tuple[str, str], literal: Literal) -> None:
    """Note that a try was in vain, or that the last reference went, where ``literal`` about the answer says so."""
    what, text = meaning
    truth = literal.truth
    if truth is not None and truth != (what == TRIED):
        facts[VALUE, text] = NONZERO if truth else 0


def in_vain(assumed: Assumptions, facts: Facts) -> bool:
    """Whether a try to get a reference is assumed to be in vain in the scope of a guard that holds one."""
    return any(
        letter == REFERENCE and count and (TRIED + kind, False) in assumed for (letter, kind), count in facts.items()
    )
