# SPDX-License-Identifier: GPL-2.0-or-later
"""Members that have just been given a value: by a function, or by one that it has handed the object to.

Whoever gets the object next is told by them what to do: which command to send, whether to wait.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Set

from reviewer.context.facts import MOVED, PUT, STORED, VALUE, Facts, value_of
from reviewer.context.oneof import BETWEEN
from reviewer.source.cfg import Function
from reviewer.source.expression import constant, last_member, root

Settings = frozenset[tuple[str, str]]
"""Members of the objects that a function is given, ``P0->command``, and what it puts there: ``P1``, ``READ``, ``1``."""

_MOST = 16
_OF_PARAMETER = re.compile(r"P(\d+)->(.+)")
_PARAMETER = re.compile(r"P(\d+)")


def is_set_in(function: Function, target: str) -> bool:
    """Whether ``target`` is a member of an object of ``function``, or of one that it was given."""
    start = root(target)
    return target.startswith((start + ".", start + "->")) and (
        start in function.params or (start in function.locals and "->" not in target)
    )


def settings_of(function: Function, facts: Facts, written: Set[str], clears: Set[str]) -> Settings:
    """What the path that knows ``facts`` leaves in the objects it was given, where it writes to members of a name.

    Nothing of those that it hands on, other than to be cleared (``clears``).
    """
    found = set[tuple[str, str]]()
    given = set[str]()
    for (letter, text), known in facts.items():
        if letter not in (STORED, PUT, VALUE) or "->" not in text:
            continue
        start, _, member = text.partition("->")
        if start not in function.params or (MOVED, start) in facts:
            continue
        path = f"P{function.params.index(start)}->{member}"
        if letter == STORED:
            if (MOVED, function.params[known]) not in facts:
                found.add((path, f"P{known}"))
        elif letter == PUT:
            found.update((path, name) for name in known if len(known) == 1)
        elif isinstance(known, int) and last_member(text) in written:
            found.add((path, str(known)))
        given.add(start)
    if given:
        given &= {argument for call in function.calls() if call.name not in clears for argument in call.args}
    changed = {f"P{function.params.index(name)}" for name in given}
    return frozenset(sorted(one for one in found if one[0].partition("->")[0] not in changed)[:_MOST])


def in_caller(
    settings: Iterable[tuple[str, str]], caller: Function, args: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """The settings of a callee that is given ``args``, of the caller's own objects, in its words."""
    found = []
    for path, value in sorted(settings):
        match, given = _OF_PARAMETER.fullmatch(path), _PARAMETER.fullmatch(value)
        if match is None or int(match[1]) >= len(args) or (given is not None and int(given[1]) >= len(args)):
            continue
        of = args[int(match[1])]
        if of.startswith("&") and of[1:] in caller.locals:
            found.append((f"{of[1:]}.{match[2]}", args[int(given[1])] if given is not None else value))
    return tuple(found)


def put(facts: Facts, function: Function, target: str, text: str) -> None:
    """``text``, which stands for a value that a callee was given, is in ``target`` now."""
    value = value_of(facts, text)
    if value is not None:
        facts[VALUE, target] = value
    elif names_constant(function, text):
        facts[PUT, target] = frozenset((text,))


def names_constant(function: Function, text: str) -> bool:
    """Whether ``text`` may be the name of a constant: it is none of the variables of ``function``."""
    named = text.isidentifier() and constant(text) is None
    return named and text not in function.params and text not in function.locals


def is_another(text: str, facts: Facts) -> bool:
    """Whether ``text`` says that a member is none of some constants of which it was set to one, on whatever path."""
    found = _none_of(text)
    return found is not None and (PUT, found[0]) in facts and facts[PUT, found[0]] <= found[1]


@functools.lru_cache(maxsize=16384)
def _none_of(text: str) -> tuple[str, frozenset[str]] | None:
    if not text.endswith(BETWEEN):
        return None
    path, _, labels = text.partition("==")
    return path, frozenset(labels.split(BETWEEN)) - {""}
