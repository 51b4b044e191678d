# SPDX-License-Identifier: GPL-2.0-or-later
"""Conditions on the context, as asserts and dereferences are given them, to what they ask for.

A condition becomes clauses that must all hold; a clause holds where one of its needs is met. What is not understood
is the need ``unknown``: a clause with it asks for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from reviewer.context.effects import Need
from reviewer.context.tables import Demands
from reviewer.source.expression import constant, split, split_arguments, unwrap

Clause = frozenset[Need]
Definition = Callable[[str], tuple[tuple[str, ...], str] | None]
"""From the name of a function to its parameters and the one expression that it returns."""

UNKNOWN = Need("unknown", "")
_UNKNOWN: Clause = frozenset((UNKNOWN,))
_CALL = re.compile(r"(\w+)\((.*)\)")
_COMPARED = re.compile(r"(\w+\(.*\))(?:(!=|==|>)(0|LOCK_STATE_NOT_HELD|1|LOCK_STATE_HELD))")
_COUNTER = re.compile(r"(?:refcount_read|atomic_read)\((.*)\)")
_MOST_CLAUSES = 6
_DEEPEST = 3


def clauses(text: str, api: Demands, definition: Definition, *, holds: bool = True, depth: int = 0) -> list[Clause]:
    """What it takes for the condition ``text``, written without white space, to be ``holds``."""
    text = unwrap(text)
    for operator, conjunction in (("||", not holds), ("&&", holds)):
        parts = split(text, operator)
        if len(parts) > 1:
            found = [clauses(part, api, definition, holds=holds, depth=depth) for part in parts]
            return _all(found) if conjunction else _any(found)
    if text.startswith("!") and not text.startswith("!="):
        return clauses(text[1:], api, definition, holds=not holds, depth=depth)
    known = constant(text)
    if known is not None:
        return [] if bool(known) == holds else [frozenset()]
    compared = _COMPARED.fullmatch(text)
    if compared is not None and _closed(compared.group(1)):
        is_none = (compared.group(2) == "==") == (compared.group(3) in ("0", "LOCK_STATE_NOT_HELD"))
        return clauses(compared.group(1), api, definition, holds=holds != is_none, depth=depth)
    return _call(text, api, definition, holds, depth)


def _call(text: str, api: Demands, definition: Definition, holds: bool, depth: int) -> list[Clause]:
    match = _CALL.fullmatch(text)
    if match is None or not _closed(text):
        return [_UNKNOWN]
    name, arguments = match.group(1), split_arguments(match.group(2))
    if not holds:
        counter = _COUNTER.fullmatch(text)
        return [frozenset((Need("unused", counter.group(1)),)) if counter else _UNKNOWN]
    kind = api.tests.get(name)
    if kind == "anyone":
        return [frozenset((Need("anyone", arguments[0]),))]
    if kind in ("held", "typed"):
        exclusive = kind == "typed" and arguments[1:] == ("0",)
        return [frozenset((Need("exclusive" if exclusive else "lock", arguments[0]),))]
    if kind is not None:
        return [frozenset((Need(kind, arguments[0] if kind == "srcu" else ""),))]
    meaning = definition(name) if depth < _DEEPEST else None
    if meaning is None or len(meaning[0]) != len([argument for argument in arguments if argument]):
        return [_UNKNOWN]
    return clauses(
        substitute(meaning[1], dict(zip(meaning[0], arguments, strict=False))), api, definition, depth=depth + 1
    )


def _all(found: list[list[Clause]]) -> list[Clause]:
    return [clause for some in found for clause in some][:_MOST_CLAUSES]


def _any(found: list[list[Clause]]) -> list[Clause]:
    result: list[Clause] = [frozenset()]
    for some in found:
        result = [clause | other for clause in result for other in some]
        if len(result) > _MOST_CLAUSES:
            return [_UNKNOWN]
    return result


def substitute(text: str, values: dict[str, str]) -> str:
    """``text`` with arguments in the place of parameters."""
    return re.sub(r"(?<![\w.>])[A-Za-z_]\w*", lambda match: values.get(match.group(), match.group()), text)


def _closed(text: str) -> bool:
    """Whether the bracket that ends ``text`` is the partner of its first one."""
    depth = 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth == 0 and char == ")":
            return at == len(text) - 1
    return False
