# SPDX-License-Identifier: GPL-2.0-or-later
"""What the effects of a callee are to a caller is worked out once, however many take the same for granted."""

from __future__ import annotations

from collections import Counter

import pytest

from reviewer.context import descent, reached
from reviewer.context.analysis import Analyser
from reviewer.context.assumptions import refuted
from reviewer.context.effects import Assumptions, Effect, EventKind, Summary
from reviewer.context.facts import Facts
from reviewer.source.cfg import Call, Function
from reviewer.source.program import Program
from reviewer.source.store import Store
from tests.findings import API
from tests.memory_files import MemoryFiles

_BOX = "struct box { struct mutex outer; int ready; };\n"
_GRANTED = """
static void fill(struct box *b)
{
	if (!b->ready)
		return;
	msleep(1);
	b->p = kmalloc(1, GFP_KERNEL);
	spin_lock(&b->lock);
	spin_unlock(&b->lock);
}
void any(struct box *b)
{
	fill(b);
}
void unready(struct box *b)
{
	if (b->ready)
		return;
	fill(b);
}
"""
_CIRCLE = """
void fall(struct box *b, int n)
{
	msleep(n);
	if (n)
		rise(b, n - 1);
}
void rise(struct box *b, int n)
{
	spin_lock(&b->lock);
	spin_unlock(&b->lock);
	if (n)
		fall(b, n);
}
"""


def _summary(name: str, code: str) -> Summary:
    program = Program(MemoryFiles({"kernel/box.c": _BOX + code}), Store(None))
    (function,) = program.functions("kernel/box.c", name)
    return Analyser(program, API).summary(function)


def _kinds(summary: Summary) -> set[EventKind]:
    return {effect.kind for effect in summary.effects.values()}


def test_what_effects_take_for_granted_is_asked_once_of_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def noted(assumed: Assumptions, facts: Facts) -> bool:
        asked.append(assumed)
        return refuted(assumed, facts)

    monkeypatch.setattr(descent, "refuted", noted)
    assert {EventKind.SLEEP, EventKind.BLOCKING_ALLOCATION, EventKind.SPINLOCK} <= _kinds(_summary("any", _GRANTED))
    assert asked == [frozenset({("b->ready", True)})]
    assert _kinds(_summary("unready", _GRANTED)) == set()  # another place, where the answer is another one


def test_an_effect_in_a_circle_is_put_into_words_once_for_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    put: Counter[object] = Counter()
    brought_about = reached.brought_about

    def counted(analyser: Analyser, caller: Function, node: Call, effect: Effect, *rest: object) -> object:
        put[caller.name, node, effect] += 1
        return brought_about(analyser, caller, node, effect, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(reached, "brought_about", counted)
    for name in ("fall", "rise"):
        assert {EventKind.SLEEP, EventKind.SPINLOCK} <= _kinds(_summary(name, _CIRCLE))
    assert put
    put.clear()
    _summary("fall", _CIRCLE)
    assert set(put.values()) == {1}
