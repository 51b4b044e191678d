# SPDX-License-Identifier: GPL-2.0-or-later
"""What callers are told of a function is the same whether or not anybody asks what happens inside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reviewer.context.analysis import Analyser
from reviewer.context.flow import Flow
from reviewer.context.state import State
from reviewer.source.program import Program
from reviewer.source.store import Store
from tests.findings import API
from tests.memory_files import MemoryFiles

_CASES = sorted((Path(__file__).parent / "engine").glob("*.c"))
_CODE = """
struct box { spinlock_t lock; struct mutex outer; };
void f(struct box *b)
{
	mutex_lock(&b->outer);
	spin_lock(&b->lock);
	msleep(1);
	if (b)
		return;
	spin_unlock(&b->lock);
	mutex_unlock(&b->outer);
}
"""


@pytest.mark.parametrize("case", _CASES, ids=lambda case: str(case.stem))
def test_the_summary_does_not_depend_on_what_is_noted_inside(case: Path) -> None:
    path = f"kernel/{case.name}"
    program = Program(MemoryFiles({path: case.read_text()}), Store(None))
    analyser = Analyser(program, API)
    functions = program.functions(path)
    assert functions
    for function in functions:
        analyser.summary(function)  # its callees first
        whole, outside = (Flow(analyser, function, State(), outside_only=only).run() for only in (False, True))
        assert outside.summary.told == whole.summary.told


def test_nothing_is_noted_that_nobody_asks_for() -> None:
    path = "kernel/box.c"
    program = Program(MemoryFiles({path: _CODE}), Store(None))
    (function,) = program.functions(path)
    whole, outside = (
        Flow(Analyser(program, API), function, State(), outside_only=only).run() for only in (False, True)
    )
    assert whole.events
    assert whole.edges
    assert whole.under
    assert (outside.events, outside.edges, outside.under, outside.interruptible) == ([], {}, {}, {})
