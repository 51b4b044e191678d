# SPDX-License-Identifier: GPL-2.0-or-later
"""Many paths that differ only in what is in doubt are followed as few, and nothing is claimed that one would deny."""

from __future__ import annotations

import pytest

from reviewer.context.analysis import Analyser
from reviewer.context.effects import Analysis, EventKind, Summary
from reviewer.context.flow import Flow
from reviewer.context.state import State
from reviewer.source.cfg import Function
from reviewer.source.program import Program
from reviewer.source.store import Store
from tests.findings import API
from tests.memory_files import MemoryFiles

_PATH = "kernel/example.c"
_CODE = """
struct box {{ spinlock_t lock; struct mutex outer; int pending; }};
static DEFINE_SPINLOCK(lock);
int look(struct box *b);
static void one(struct box *b) {{ if (look(b)) preempt_disable(); }}
static void two(struct box *b) {{ if (look(b)) local_bh_disable(); }}
static void three(struct box *b) {{ if (look(b)) local_irq_disable(); }}
static void owned(struct box *b) {{ lockdep_assert_held(&b->outer); }}
void f(struct box *b)
{{
{body}
	spin_lock(&lock);
	msleep(1);
	spin_unlock(&lock);
	owned(b);
}}
"""


def _followed(calls: int) -> tuple[Analysis, set[State]]:
    """The analysis of a function that may make so many calls, each of which leaves something in doubt."""
    body = "".join(f"\tif (look(b))\n\t\t{name}(b);\n" for name in ("one", "two", "three")[:calls])
    program = Program(MemoryFiles({_PATH: _CODE.format(body=body)}), Store(None))
    (function,) = program.functions(_PATH, "f")
    analysis = Flow(Analyser(program, API), function, State()).run()
    return analysis, {event.state for event in analysis.events if event.kind is EventKind.SLEEP}


def _demands(summary: Summary) -> set[str]:
    return {requirement.what for requirement in summary.requirements.values()}


def test_few_doubts_are_followed_each_by_itself() -> None:
    analysis, states = _followed(1)
    assert {frozenset(state.unsure) for state in states} == {frozenset(), frozenset(("preempt",))}
    assert _demands(analysis.summary) == {"b->outer"}


def test_of_many_only_some_are_followed_and_the_certain_one_is_among_them() -> None:
    analysis, states = _followed(3)
    assert analysis.complete
    assert len(states) < 2**3
    assert any(not state.unsure and state.locks for state in states)


def test_what_was_not_followed_may_have_held_what_is_demanded() -> None:
    analysis, _ = _followed(3)
    assert not _demands(analysis.summary)


def test_doubts_look_into_no_function_that_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    code = """
int look(struct box *b);
static void one(struct box *b) { if (look(b)) local_irq_enable(); }
static void two(struct box *b) { b->pending = 1; }
void printk_box(struct box *b) { b->pending = 2; }
void f(struct box *b)
{
	local_irq_disable();
	one(b);
	two(b);
	printk_box(b);
}
"""
    assert API.opaque.fullmatch("printk_box")
    asked = set()
    summary = Analyser.summary

    def noted(analyser: Analyser, function: Function) -> Summary:
        asked.add(function.name)
        return summary(analyser, function)

    monkeypatch.setattr(Analyser, "summary", noted)
    program = Program(MemoryFiles({_PATH: code}), Store(None))
    (function,) = program.functions(_PATH, "f")
    Flow(Analyser(program, API), function, State()).run()
    assert asked == {"one", "two"}
