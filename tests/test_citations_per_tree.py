# SPDX-License-Identifier: GPL-2.0-or-later
"""The same mistakes committed on three kernels: each is answered in that kernel's own words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.kernels import KernelClone, Reviewer, lines

FILE = "drivers/misc/doorbell.c"
CODE = """\
// SPDX-License-Identifier: GPL-2.0
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

struct doorbell {
	raw_spinlock_t hw;
	spinlock_t queue;
	struct mutex setup;
	void *note;
};

void doorbell_note(struct doorbell *bell)
{
	raw_spin_lock(&bell->hw);
	bell->note = kmalloc(32, GFP_ATOMIC); /* rt-alloc-under-raw-spinlock */
	raw_spin_unlock(&bell->hw);
}

void doorbell_forget(struct doorbell *bell)
{
	raw_spin_lock(&bell->hw);
	kfree(bell->note); /* rt-free-under-raw-spinlock */
	raw_spin_unlock(&bell->hw);
}

void doorbell_queue(struct doorbell *bell)
{
	raw_spin_lock(&bell->hw);
	spin_lock(&bell->queue); /* rt-spinlock-under-raw-spinlock */
	spin_unlock(&bell->queue);
	raw_spin_unlock(&bell->hw);
}

void doorbell_press(struct doorbell *bell)
{
	preempt_disable();
	spin_lock(&bell->queue); /* rt-spinlock-preempt-irq-off */
	spin_unlock(&bell->queue);
	preempt_enable();
}

void doorbell_answer(struct doorbell *bell)
{
	spin_lock(&bell->queue);
	bell->note = kzalloc(32, GFP_KERNEL); /* lock-gfp-blocking-in-atomic */
	spin_unlock(&bell->queue);
}

void doorbell_wait(struct doorbell *bell)
{
	spin_lock(&bell->queue);
	mutex_lock(&bell->setup); /* lock-sleep-in-atomic */
	mutex_unlock(&bell->setup);
	spin_unlock(&bell->queue);
}

void doorbell_read(struct doorbell *bell)
{
	rcu_read_lock();
	synchronize_rcu(); /* rcu-sleep-in-reader */
	rcu_read_unlock();
}

int doorbell_try(struct doorbell *bell)
{
	mutex_lock(&bell->setup);
	if (!bell->note)
		return -ENOENT; /* lock-imbalance */
	mutex_unlock(&bell->setup);
	return 0;
}
"""
MISTAKES = {line.split("/* ")[1].removesuffix(" */"): n for n, line in enumerate(CODE.split("\n"), 1) if "/* " in line}
VERSIONS = ("6.1", "6.12", "7.2")

Answers = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="module")
def clones(kernel_clone: Callable[[str], KernelClone]) -> Mapping[str, KernelClone]:
    return {version: kernel_clone(version) for version in VERSIONS}


@pytest.fixture(scope="module")
def answers(clones: Mapping[str, KernelClone], reviewer: Reviewer) -> Mapping[str, Answers]:
    """By version and check: what was found."""
    told = {}
    for version, clone in clones.items():
        run = reviewer.check(clone, clone.base, clone.commit({FILE: CODE}, "misc: doorbell: Ring\n"))
        assert {(f["check"], f["line"]) for f in run.findings} == set(MISTAKES.items()), lines(run.findings)
        told[version] = {finding["check"]: finding for finding in run.findings}
    return told


# Rules that no document of the kernel puts into a sentence.
UNSTATED = frozenset({"lock-imbalance"})


@pytest.mark.parametrize("version", VERSIONS)
def test_every_mistake_is_found_and_quoted_from_that_tree(
    version: str, clones: Mapping[str, KernelClone], answers: Mapping[str, Answers]
) -> None:
    clone = clones[version]
    for check, finding in answers[version].items():
        assert finding["change"] == "introduced"
        if check in UNSTATED:
            assert not finding["citations"], "the kernel states no such rule"
            continue
        (citation,) = finding["citations"]
        assert citation["commit"] == clone.base, check
        document = clone.read(citation["path"])
        below = document.split("\n")[citation["line"] - 1 :]
        begins = _folded("\n".join(below)).find(citation["quote"])
        assert 0 <= begins < len(_folded(below[0])), check


def _folded(text: str) -> str:
    """The text without the stars of comments, white space folded."""
    return " ".join(re.sub(r"^\s*\*(?!/)", "", text, flags=re.MULTILINE).split())


def test_words_are_not_those_of_another_tree(answers: Mapping[str, Answers]) -> None:
    quoted = {version: [c for f in found.values() for c in f["citations"]] for version, found in answers.items()}
    places = {version: [(c["path"], c["line"]) for c in citations] for version, citations in quoted.items()}
    assert places["6.1"] != places["6.12"] != places["7.2"] != places["6.1"]
