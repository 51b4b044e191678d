# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the ways through a function lead."""

from __future__ import annotations

import pytest

from reviewer.source.cfg import Function, is_avoidable, is_repeated, placed_calls, reachable, reached_from
from reviewer.source.program import Program
from reviewer.source.store import Store
from tests.memory_files import MemoryFiles

_PATH = "kernel/example.c"
_TEXT = """\
void f(int a)
{
	first();
	if (a)
		left();
	else
		right();
	while (a)
		again();
	last();
}
"""


@pytest.fixture(scope="module")
def function() -> Function:
    (found,) = Program(MemoryFiles({_PATH: _TEXT}), Store(None)).functions(_PATH, "f")
    return found


@pytest.fixture(scope="module")
def blocks(function: Function) -> dict[str, int]:
    return {call.name: block for block, call in placed_calls(function)}


def test_each_call_is_told_with_its_block(function: Function, blocks: dict[str, int]) -> None:
    assert list(blocks) == [call.name for call in function.calls()]
    assert all(call in function.blocks[block].nodes for block, call in placed_calls(function))


def test_a_block_is_reached_by_the_ways_out_of_another(function: Function, blocks: dict[str, int]) -> None:
    after_left = reached_from(function, blocks["left"])
    assert blocks["last"] in after_left
    assert not {blocks["left"], blocks["right"], blocks["first"]} & after_left


def test_only_what_loops_leads_back_to_itself(function: Function, blocks: dict[str, int]) -> None:
    assert is_repeated(function, blocks["again"])
    assert not is_repeated(function, blocks["left"])


def test_edges_that_are_not_taken_lead_nowhere(function: Function, blocks: dict[str, int]) -> None:
    without_right = reachable(function, lambda _, edge: edge.target != blocks["right"])
    assert blocks["right"] not in without_right
    assert {0, blocks["left"], blocks["last"]} <= without_right
    assert reachable(function, lambda block, _: block != 0) == {0}
    assert reached_from(function, blocks["again"], lambda *_: False) == set()


def test_what_every_way_leads_through_is_not_avoidable(function: Function, blocks: dict[str, int]) -> None:
    avoidable = {name for name, block in blocks.items() if is_avoidable(function, block)}
    assert avoidable == {"left", "right", "again"}
