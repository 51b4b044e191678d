# SPDX-License-Identifier: GPL-2.0-or-later
"""What the answer of a function tells of the memory that it was given: ``may_sleep(dev)`` is true where
``dev->slow`` is, if it returns false wherever that is not so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from reviewer.context.assume import assume
from reviewer.context.assumptions import GLOBAL, in_caller
from reviewer.context.effects import Answer, Assumptions
from reviewer.context.facts import MEANING, MOVED, NONZERO, SEEN, SYMBOL, VALUE, WHERE, Facts, Implied, Value, compare
from reviewer.context.place import Place
from reviewer.source.cfg import Literal
from reviewer.source.expression import ACCESSED, constant, is_path, split, unwrap

if TYPE_CHECKING:
    from reviewer.context.flow import Flow
    from reviewer.context.state import State

_MOST = 4
"""So many values are told apart."""
_LARGEST = 16
"""A helper has so many blocks at the most. What it returns is no object: that one is asked itself."""
_COMPARED = re.compile(rf"((?:{ACCESSED}|[A-Za-z_])[\w.>-]*)([=!]=)([A-Za-z0-9_]+)")
_ASKED = re.compile(rf"(?:{ACCESSED}|[A-Za-z_$])[\w.>-]*(?:&[A-Z]\w*)?")
_BRACKETED = re.compile(r"(?<![\w)\]])\((\w+)\)(?=->|\.)")
"""A parameter of a macro, as it stands there."""
_COMPARES = re.compile(r"[=<>]=")
_MEMORY = re.compile(r"[>.(]")
_TELLING = frozenset((VALUE, SYMBOL, SEEN))

Follows = tuple[tuple[str, str, frozenset[Implied]], ...]
"""The letter of a fact, what stands behind the result of the call in its text, and what follows from it."""


class Answers:
    """What the returns of one function tell, gathered on its paths."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        function = flow.function
        self._is_helper = len(function.blocks) <= _LARGEST and not function.returns.endswith("*")
        self._returned: list[tuple[str, Value | None, State, Facts]] = []

    def returned(self, text: str, value: Value | None, state: State, facts: Facts) -> None:
        """``text``, which is ``value``, is returned on the path that knows ``facts``."""
        if self._is_helper:
            self._returned.append((text, value, state, facts))

    def told(self) -> tuple[Answer, ...]:
        """What the answers tell where they are true or not, or are one of the few numbers that there are.

        Last comes what they tell besides where a parameter is true, or is not.
        """
        always = tuple(self._told_where(None))
        known = frozenset((*each[:3], one) for each in always for one in each.told)
        found = [answer for given in self._deciding() for answer in self._told_where(given)]
        more = (
            each._replace(told=frozenset(one for one in each.told if (*each[:3], one) not in known)) for each in found
        )
        return always + tuple(answer for answer in more if answer.told)

    def _deciding(self) -> Iterator[tuple[int, bool]]:
        """The parameters that decide what an answer tells: their positions, and whether they are true."""
        function = self._flow.function
        for position, (name, is_pointer) in enumerate(zip(function.params, function.pointers, strict=True)):
            keys = ((VALUE, name), (WHERE[VALUE], name))
            if (
                not is_pointer
                and any(key in facts for *_, facts in self._returned for key in keys)
                and not any((MOVED, name) in facts for *_, facts in self._returned)
            ):
                yield position, True
                yield position, False

    def _told_where(self, given: tuple[int, bool] | None) -> Iterator[Answer]:
        """The answers where the parameter ``given`` is as it says; as they always are without one."""
        found: dict[Value | None, Assumptions] = {}
        asks: tuple[Literal, ...] = ()
        if given is not None:
            asks = (Literal(self._flow.function.params[given[0]], "!=", 0, given[1]),)
        for text, value, state, facts in sorted(self._returned, key=_certain):
            known = _where(asks, self._flow, state, facts) if asks else facts
            if known is not None:
                self._gather(found, text, value, state, known)
            nothing = {possible for possible, told in found.items() if not told}
            if None in nothing or (0 in nothing and len(nothing) > 1) or len(found) > _MOST:
                return
        numbers = sorted(value for value in found if isinstance(value, int) and value > 0)
        asked = [("!=", 0), *((operator, number) for number in numbers for operator in ("==", "<="))]
        for operator, right in asked:
            for truth in (True, False):
                if told := _told(found, operator, right, truth=truth):
                    yield Answer(operator, right, truth, told, given)

    def _gather(
        self, found: dict[Value | None, Assumptions], text: str, value: Value | None, state: State, facts: Facts
    ) -> None:
        ways: list[tuple[Value | None, Facts]] = [(value, facts)]
        if value is None and (_MEMORY.search(text) or (MEANING, text) in facts or (WHERE[VALUE], text) in facts):
            cases: tuple[tuple[Value, Iterable[Literal]], ...] = ((NONZERO, _where_true(text)), (0, _where_false(text)))
            possible_ways = ((possible, _where(literals, self._flow, state, facts)) for possible, literals in cases)
            ways = [(possible, known) for possible, known in possible_ways if known is not None]
        for possible, known in ways:
            before = found.get(possible)
            if before is None or before:
                of_memory = any(letter in _TELLING and _MEMORY.search(about) for letter, about in known)
                told = Place(self._flow, state, known).for_callers(frozenset()) if of_memory else frozenset()
                found[possible] = told if before is None else before & told


def _told(found: dict[Value | None, Assumptions], operator: str, right: int, *, truth: bool) -> Assumptions:
    """What is known where it is ``truth`` that the answer is ``operator right``."""
    possible = [
        told for value, told in found.items() if value is None or compare(value, operator, right) is not (not truth)
    ]
    alike = frozenset.intersection(*possible) if possible else frozenset()
    return frozenset(one for one in alike if "?" not in one[0] and not one[0].startswith(GLOBAL))


def _certain(returned: tuple[str, Value | None, State, Facts]) -> bool:
    return returned[1] is not None


def _where(literals: Iterable[Literal], flow: Flow, state: State, facts: Facts) -> Facts | None:
    """What is known where all ``literals`` hold; None where they cannot."""
    known = dict(facts)
    return known if all(assume(state, known, each, flow.function, flow.api) is not None for each in literals) else None


def _where_true(text: str) -> Iterator[Literal]:
    """What holds where ``text`` is true, as far as it is a conjunction of simple questions."""
    text = unwrap(text)
    for part in split(text, "&&") if len(split(text, "||")) == 1 and "?" not in text else ():
        if (literal := _literal(unwrap(part))) is not None:
            yield literal


def _where_false(text: str) -> Iterator[Literal]:
    """What does not hold where ``text`` is false: one question, or a disjunction."""
    text = unwrap(text)
    for part in split(text, "||") if "?" not in text else ():
        if (literal := _literal(unwrap(part))) is not None:
            yield Literal(literal.left, literal.operator, literal.right, not literal.holds)


def _literal(text: str) -> Literal | None:
    text = _BRACKETED.sub(r"\1", text)
    denied, bracketed = text[:1] == "!", text[1:2] == "("
    text = unwrap(text.removeprefix("!"))
    if denied and not bracketed and _COMPARES.search(text):
        return None  # what is compared is the denied operand
    if (compared := _COMPARED.fullmatch(text)) is not None:
        left, operator, right = compared.groups()
        known = constant(right)
        return Literal(left, operator, right if known is None else known, not denied)
    return Literal(text, "!=", 0, not denied) if _ASKED.fullmatch(text) and constant(text) is None else None


def follows(answers: tuple[Answer, ...], args: tuple[str, ...]) -> Follows:
    """What follows from the answers of a callee that is given ``args``, in the caller's words."""
    found: dict[tuple[str, str], list[Implied]] = {}
    for operator, right, truth, told, given in answers:
        key = (WHERE[VALUE], "") if operator == "!=" else (WHERE[SYMBOL], f"{operator}{right}")
        there = [_as_fact(text, holds, truth) for text, holds in in_caller(told, args)]
        if given is not None:
            argument, is_true = (unwrap(args[given[0]]), given[1]) if given[0] < len(args) else ("", True)
            known = constant(argument)
            if known is None:
                inner = frozenset(one._replace(truth=is_true) for one in there)
                there = [Implied(truth, (WHERE[VALUE], argument), inner)] if is_path(argument) and inner else []
            elif (known != 0) is not is_true:
                continue
        found.setdefault(key, []).extend(there)
    return tuple((*key, frozenset(implied)) for key, implied in found.items() if implied)


def _as_fact(text: str, holds: bool, truth: bool) -> Implied:
    letter, value = (SYMBOL, holds) if _COMPARES.search(text) else (VALUE, NONZERO if holds else 0)
    return Implied(truth, (letter, text), value)


def learn(found: Follows, result: str, facts: Facts) -> None:
    """Note what follows where ``result``, the answer of a call, turns out to be something."""
    meaning = facts.get((MEANING, result), ("", "")) if found else ("", "")
    for name in (result, meaning[1]) if meaning[0] == "same" else (result,):
        facts.update(((letter, name + text), implied) for letter, text, implied in found)


def told_by(result: str, facts: Facts) -> Iterator[str]:
    """What the answer ``result`` tells of."""
    return (one.key[1] for one in facts.get((WHERE[VALUE], result), ()))
