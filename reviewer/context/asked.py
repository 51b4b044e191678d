# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions that only ask about their own context, and so are such questions themselves: ``return !preemptible();``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reviewer.context.tables import Api
from reviewer.source.cfg import Call, Function, Literal, Return
from reviewer.source.expression import constant, unwrap

_BLOCKS = 16
_WAYS = 64
_ASKED = re.compile(r"(!*)(?:(\$\d+)|(\w+)\(\))")
_CONTEXT = frozenset(("atomic", "interrupt", "task"))
_OPTION = "IS_ENABLED"

_Known = str | None
"""On a path: the question, if any, whose answer said that nothing forbids to sleep."""


def asks(function: Function, api: Api) -> str:
    """As which question of the table the function counts; empty where it is none.

    One of those is answered no, or ``task`` and ``no_interrupt`` yes, only where the context was asked for and allows
    to sleep.
    """
    if len(function.blocks) > _BLOCKS:
        return ""
    called = {call.name for call in function.calls()}
    if not all(name in api.predicates or name == _OPTION for name in called):
        return ""
    if not any(api.predicates.get(name) in _CONTEXT for name in called):
        return ""
    if any(not isinstance(node, Call | Return) for node in function.nodes()):
        return ""
    found = list(_ways(function, api))
    if len(found) >= _WAYS:
        return ""
    for answer, names in ((False, ("atomic", "interrupt")), (True, ("task", "no_interrupt"))):
        said = [known for value, known in found if value is None or value == answer]
        if said and None not in said:
            return names["interrupt" in said]
    return ""


def _ways(function: Function, api: Api) -> Iterator[tuple[bool | None, _Known]]:
    """What each way through the function answers, None where that is not clear, and what was known by then."""
    waiting: list[tuple[int, _Known, dict[str, str], frozenset[int]]] = [(0, None, {}, frozenset())]
    told = 0
    while waiting and told < _WAYS:
        number, known, answers, passed = waiting.pop()
        if number in passed:
            continue
        block = function.blocks[number]
        answers = dict(answers)
        for node in block.nodes:
            if isinstance(node, Call) and node.result is not None:
                answers[node.result] = api.predicates.get(node.name, "")
            elif isinstance(node, Return):
                for answer in _answers(unwrap(node.value), known, answers, api):
                    told += 1
                    yield answer
        for edge in block.edges:
            after = known
            for literal in edge.literals:
                after = _allows(answers.get(literal.left, ""), literal) or after
            waiting.append((edge.target, after, answers, passed | {number}))


def _answers(text: str, known: _Known, answers: dict[str, str], api: Api) -> Iterator[tuple[bool | None, _Known]]:
    value = constant(text)
    if value is not None:
        yield value != 0, known
        return
    match = _ASKED.fullmatch(text)
    what = (answers.get(match.group(2), "") or api.predicates.get(match.group(3), "")) if match is not None else ""
    if match is None or what not in _CONTEXT:
        yield None, known
        return
    denied = len(match.group(1)) % 2 == 1
    for truth in (True, False):
        yield truth != denied, (what if truth == (what == "task") else None) or known


def _allows(what: str, literal: Literal) -> _Known:
    """The question, where ``literal`` says that its answer allows to sleep."""
    return what if what in _CONTEXT and literal.truth is (what == "task") else None
