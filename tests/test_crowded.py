# SPDX-License-Identifier: GPL-2.0-or-later
"""Which effects callers are told of, where a function brings about many."""

from __future__ import annotations

from reviewer.context.crowded import told
from reviewer.context.effects import Condition, Effect, EventKind
from reviewer.model import Step
from tests.findings import brought_by

_MANY = 40


def _effect(kind: EventKind, at: int, text: str, *, masked: bool = False) -> Effect:
    condition = Condition(0, "==", str(at))
    steps = (Step("a.c", at, "f", "g()"), Step("a.c", at, "g", text))
    return Effect(kind, (condition,), frozenset(), False, (0, 0, 0, 0), None, masked, steps)


def _of_one_kind(*, masked: bool = False) -> list[Effect]:
    return [_effect(EventKind.SPINLOCK, at, "spin_lock(&a->lock)", masked=masked) for at in range(_MANY)]


def test_few_are_told_as_they_were_found() -> None:
    few = _of_one_kind()[:3][::-1]
    assert told(few) == few


def test_another_kind_is_told_though_it_was_found_last() -> None:
    last = _effect(EventKind.SLEEP, _MANY, "msleep(1)")
    kept = told([*_of_one_kind(), last])
    assert last in kept
    assert len(kept) < _MANY


def test_another_call_in_the_same_context_is_told_though_it_was_found_last() -> None:
    same = [
        _effect(EventKind.SLEEP, 0, "mutex_lock(&a->lock)")._replace(apart=frozenset((str(at),))) for at in range(_MANY)
    ]
    last = _effect(EventKind.SLEEP, 0, "mutex_lock(&a->other)")._replace(apart=frozenset(("a.c", "b.c")))
    assert last in told([*same, last])


def test_what_is_wrong_inside_already_is_dropped_first() -> None:
    open_ = _of_one_kind()[:20]
    assert [each for each in told([*_of_one_kind(masked=True), *open_]) if not each.masked] == open_


def test_sleep_is_found_behind_many_locks_of_a_kind() -> None:
    cases = "".join(f"\tif (way == {at})\n\t\tmsleep({at});\n" for at in range(1, _MANY))
    code = f"""
struct pipe {{ spinlock_t lock; struct mutex users; }};
static void drain(struct pipe *pipe, int way)
{{
{cases}\tkfree(kmalloc(4, GFP_KERNEL));
}}
void use(struct pipe *pipe)
{{
	spin_lock(&pipe->lock);
	drain(pipe, 0);
	spin_unlock(&pipe->lock);
}}
"""
    assert [finding.check for finding in brought_by(code)] == ["lock-gfp-blocking-in-atomic"]
