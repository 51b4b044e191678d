# SPDX-License-Identifier: GPL-2.0-or-later
"""Which of several ways to one effect are kept."""

from __future__ import annotations

from reviewer.context.crowded import told
from reviewer.context.effects import Effect, EventKind
from reviewer.context.ways import joined
from reviewer.model import Step
from tests.findings import brought_by


def _way(*assumed: str, length: int = 1) -> Effect:
    steps = tuple(Step("a.c", line, "f", "call()") for line in range(1, length + 1))
    taken = frozenset((text, True) for text in assumed)
    return Effect(EventKind.SLEEP, (), frozenset(), False, (0, 0, 0, 0), None, False, steps, assumed=taken)


def _kept(effect: Effect) -> list[tuple[list[str], int]]:
    return [(sorted(text for text, _ in way.assumed), len(way.steps)) for way in effect.ways]


def test_the_way_that_assumes_less_is_kept_though_it_is_longer() -> None:
    assert _kept(joined(_way("P0->a"), _way(length=3))) == [([], 3)]
    assert _kept(joined(_way(length=3), _way("P0->a"))) == [([], 3)]


def test_of_ways_that_assume_the_same_the_shorter_one_is_kept() -> None:
    assert _kept(joined(_way("P0->a", length=2), _way("P0->a"))) == [(["P0->a"], 1)]


def test_ways_that_assume_different_things_are_kept_both() -> None:
    assert _kept(joined(_way("P0->b"), _way("P0->a"))) == [(["P0->a"], 1), (["P0->b"], 1)]


def test_of_too_many_ways_the_last_ones_count_for_what_they_have_in_common() -> None:
    found = _way("P0->a", "P0->z")
    for name in ("P0->b", "P0->c", "P0->d"):
        found = joined(found, _way(name, "P0->z"))
    assert _kept(found) == [(["P0->z"], 1)]


def test_of_too_many_ways_by_constants_of_a_member_it_stays_known_that_it_is_one_of_them() -> None:
    found = _way("P0->state==S0")
    for at in range(1, 4):
        found = joined(found, _way(f"P0->state==S{at}"))
    assert _kept(found) == [(["P0->state==S0"], 1), (["P0->state==S1"], 1), (["P0->state==S2|S3|"], 1)]
    assert joined(found, _way("P0->state==S3")) == found
    for at in range(4, 19):
        found = joined(found, _way(f"P0->state==S{at}"))
    assert _kept(found) == [([], 1)]


def test_a_call_under_fewer_of_the_callers_locks_is_not_told_beside_one_under_all() -> None:
    held = _way()
    dropped = held._replace(minus=frozenset({("spin", "P0->lock")}))
    counted = held._replace(delta=(0, -1, 0, 0))
    assert told([held, dropped, counted]) == [held]
    assert told([dropped, counted, held]) == [held]
    assert told([dropped, counted]) == [dropped, counted]


def test_another_call_and_a_shorter_way_are_told_beside_it() -> None:
    far = _way(length=3)
    near = _way(length=2)._replace(minus=frozenset({("spin", "P0->lock")}), steps=far.steps[1:])
    other = _way()._replace(minus=near.minus)
    assert told([far, near]) == [far, near]
    assert told([far, other]) == [far, other]


def test_a_caller_is_told_of_one_way() -> None:
    code = """
struct pipe { spinlock_t lock; bool polled; bool bulk; };
static void drain(struct pipe *pipe)
{
	if (!pipe->polled)
		schedule();
	if (pipe->bulk)
		msleep(4);
}
void use(struct pipe *pipe)
{
	spin_lock(&pipe->lock);
	drain(pipe);
	spin_unlock(&pipe->lock);
}
"""
    (found,) = brought_by(code)
    assert found.line == 13
