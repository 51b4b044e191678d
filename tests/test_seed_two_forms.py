# SPDX-License-Identifier: GPL-2.0-or-later
"""A function that RCU defines for large and for small kernels, and that the tick calls: a sleep in the large form."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.kernels import KernelClone, Reviewer, lines

TREE = "kernel/rcu/tree.c"
TINY = "kernel/rcu/tiny.c"
_HEAD = re.compile(r"^void rcu_sched_clock_irq\(int user\)\n\{\n", re.MULTILINE)


@pytest.fixture(scope="module")
def clone(kernel_clone: Callable[[str], KernelClone]) -> KernelClone:
    return kernel_clone("6.12")


def test_a_sleep_in_the_form_of_large_kernels_is_found(clone: KernelClone, reviewer: Reviewer) -> None:
    text, count = _HEAD.subn(r"\g<0>	might_sleep();\n", clone.read(TREE))
    assert count == 1
    wrong = clone.commit({TREE: text}, "rcu: Sleep in the tick\n")
    run = reviewer.check(clone, clone.base, wrong)
    assert run.status == 1
    assert "lock-sleep-in-atomic" in {finding["check"] for finding in run.brought}, lines(run.findings)


@pytest.mark.parametrize("path", [TREE, TINY])
def test_each_form_is_called_from_the_tick(clone: KernelClone, reviewer: Reviewer, path: str) -> None:
    run = reviewer("context", f"{path}:rcu_sched_clock_irq", "--repo", str(clone.path), "--base", clone.base)
    assert run.status == 0, run.stderr
    assert re.search(r"rcu_sched_clock_irq\(\) +kernel/time/timer\.c:\d+", run.stdout)
