# SPDX-License-Identifier: GPL-2.0-or-later
"""What a path has assumed about the parameters of its function, as conditions that callers understand."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from reviewer.context.effects import Condition
from reviewer.context.facts import GFP, REPLACED, SYMBOL, VALUE, Facts
from reviewer.context.oneof import BETWEEN
from reviewer.source.cfg import Function, written_by

_BITS = re.compile(r"[A-Za-z_]\w*|\([A-Z_]\w*(?:\|[A-Z_]\w*)+\)")
_MOST_OF_EXIT = 4
"""A way out is told in any case, since nobody goes on without one: those that differ in more count as one."""
_Subject = tuple[int, str, str | None]


class Subjects:
    """Tells the facts about parameters of ``function`` from all others, whatever names they have there."""

    def __init__(self, function: Function) -> None:
        self._positions = {name: index for index, name in enumerate(function.params) if name}
        self._positions |= _same(function, self._positions)
        self._names = function.params
        self._known: dict[tuple[str, str], _Subject | None] = {}
        self._answers = _answers_about_numbers(function)

    def conditions(self, facts: Facts, *, of_exit: bool = False) -> tuple[Condition, ...]:
        """What the path that knows ``facts`` has assumed.

        What is left with is the same for all callers where the parameter was given another value, as by a loop.
        """
        found: list[Condition] = []
        subjects = self._known
        for key, known in facts.items() if self._positions else ():
            subject = subjects[key] if key in subjects else subjects.setdefault(key, self._subject(*key))
            if subject is not None:
                position, operator, of = subject
                if of_exit and (REPLACED, self._names[position]) in facts:
                    continue
                if of is not None and BETWEEN in of and (of_exit or known in (0, False)):
                    continue  # of what it is not, more is known one by one
                if of is not None:
                    found.append(Condition(position, operator, of, known != 0))
                else:
                    found.append(Condition(position, operator, known))
        found = sorted(found, key=str) if len(found) > 1 else found
        return tuple(found[:_MOST_OF_EXIT] if of_exit else found)

    def decided_by_number(self, facts: Facts) -> bool:
        """Whether a callee has decided, by a number that the function is given, that the path goes here.

        For which numbers it does is not known: callers who say one may know that it is none of them.
        """
        return any(isinstance(known := facts.get((VALUE, name)), int) and known > 0 for name in self._answers)

    def _subject(self, letter: str, text: str) -> _Subject | None:
        """Which parameter a fact is about, the operator of the condition that it makes, and a flag or symbol."""
        positions = self._positions
        if letter == VALUE:
            head, mark, flag = text.partition("&")
            if text in positions:
                return positions[text], "value", None
            if mark and head in positions and _BITS.fullmatch(flag):
                return positions[head], "&", flag.strip("()")
            if text[:1] == "*" and text[1:] in positions:
                return positions[text[1:]], "points to", None
        elif letter == SYMBOL:
            head, mark, symbol = text.partition("==")
            if mark and head in positions:
                return positions[head], "==", symbol
        elif letter == GFP and text in positions:
            return positions[text], "gfp", None
        return None


def _answers_about_numbers(function: Function) -> frozenset[str]:
    """The variables that hold nothing but the answer of a call which is given a number of the function's callers."""
    numbers = {
        name for name, is_pointer in zip(function.params, function.pointers, strict=False) if name and not is_pointer
    }
    if not numbers:
        return frozenset()
    written = Counter(written_by(node) for node in function.nodes())
    numbers = {name for name in numbers if not written[name]}
    return frozenset(
        call.result
        for call in function.calls()
        if call.result in function.locals
        and written[call.result] == 1
        and not numbers.isdisjoint(argument.removeprefix("&") for argument in call.args)
    )


def _same(function: Function, positions: Mapping[str, int]) -> dict[str, int]:
    """The variables that are parameters under another name, perhaps of another type: neither changes."""
    named = {name: value for name, value in function.aliases.items() if value in positions}
    if not named:
        return {}
    changed = {written_by(node) for node in function.nodes()}
    return {name: positions[value] for name, value in named.items() if value not in changed}
