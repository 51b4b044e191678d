# SPDX-License-Identifier: GPL-2.0-or-later
"""Patches that take the only release, or the only acquisition, out of a function that did both."""

from __future__ import annotations

import pytest

from reviewer.model import Change
from tests.findings import brought_by

_HEAD = """\
struct item { struct item *next; };
struct hub { struct mutex mutex; raw_spinlock_t lock; struct item *first; };
void tell(struct hub *hub);
"""
_ADD = """\
int add(struct hub *hub, struct item *item)
{
	LOCK;
	item->next = hub->first;
	hub->first = item;
	UNLOCK;
	tell(hub);
	return 0;
}
"""
_USER = """\
int user(struct hub *hub, struct item *item)
{
	if (!item)
		return -EINVAL;
	return add(hub, item);
}
"""
_PAIRS = [
    ("mutex_lock(&hub->mutex)", "mutex_unlock(&hub->mutex)", "lock-imbalance"),
    ("raw_spin_lock(&hub->lock)", "raw_spin_unlock(&hub->lock)", "lock-imbalance"),
    ("preempt_disable()", "preempt_enable()", "lock-imbalance"),
    ("rcu_read_lock()", "rcu_read_unlock()", "rcu-unlock-imbalance"),
]


def _brought(before: str, after: str, lock: str, unlock: str) -> list[tuple[str, str]]:
    """(check, text of the line) of what the patch from ``before`` to ``after`` brings."""
    old, new = ((_HEAD + text).replace("UNLOCK", unlock).replace("LOCK", lock) for text in (before, after))
    rows = new.split("\n")
    return [(f.check, rows[f.line - 1].strip()) for f in brought_by(new, old) if f.change is not Change.FIXED]


@pytest.mark.parametrize(("lock", "unlock", "check"), _PAIRS)
def test_only_release_is_deleted(lock: str, unlock: str, check: str) -> None:
    after = _ADD.replace("\tUNLOCK;\n", "")
    assert _brought(_ADD + _USER, after + _USER, lock, unlock) == [(check, "return 0;")]


@pytest.mark.parametrize(
    ("off", "on"),
    [("local_irq_disable()", "local_irq_enable()"), ("local_irq_save(flags)", "local_irq_restore(flags)")],
)
def test_only_call_that_enables_interrupts_is_deleted(off: str, on: str) -> None:
    add = _ADD.replace("\tLOCK;", "\tunsigned long flags;\n\n\tLOCK;")
    after = add.replace("\tUNLOCK;\n", "")
    assert _brought(add + _USER, after + _USER, off, on) == [("lock-imbalance", "return 0;")]
    user = "void user(struct hub *hub)\n{\n\tunsigned long flags;\n\n\tadd(hub, hub->first);\n\tUNLOCK;\n}\n"
    # What was saved in a variable of its own, nobody else can give back.
    assert bool(_brought(add + user, after + user, off, on)) == ("flags" in on)


@pytest.mark.parametrize(("lock", "unlock", "check"), _PAIRS)
def test_only_acquisition_is_deleted(lock: str, unlock: str, check: str) -> None:
    after = _ADD.replace("\tLOCK;\n", "")
    assert _brought(_ADD + _USER, after + _USER, lock, unlock) == [(check, f"{unlock};")]


@pytest.mark.parametrize(("lock", "unlock", "check"), _PAIRS)
@pytest.mark.parametrize("what", ["LOCK", "UNLOCK"])
def test_caller_did_the_same_already(lock: str, unlock: str, check: str, what: str) -> None:
    del check
    user = f"void user(struct hub *hub)\n{{\n\tadd(hub, hub->first);\n\t{what};\n}}\n"
    after = _ADD.replace(f"\t{what};\n", "")
    assert not _brought(_ADD + user, after + user, lock, unlock)


@pytest.mark.parametrize(("lock", "unlock", "check"), _PAIRS)
@pytest.mark.parametrize("what", ["LOCK", "UNLOCK"])
def test_something_else_may_stand_in_for_it(lock: str, unlock: str, check: str, what: str) -> None:
    del check
    assert not _brought(_ADD, _ADD.replace(f"\t{what};\n", "\thub_turn(hub);\n"), lock, unlock)


@pytest.mark.parametrize(("lock", "unlock", "check"), _PAIRS)
@pytest.mark.parametrize("what", ["LOCK", "UNLOCK"])
def test_patch_does_it_in_another_place(lock: str, unlock: str, check: str, what: str) -> None:
    del check
    user = _USER.replace(
        "\treturn add(hub, item);\n", "\tLOCK;\n\titem->next = NULL;\n\tUNLOCK;\n\treturn add(hub, item);\n"
    )
    after = _ADD.replace(f"\t{what};\n", "")
    kept = {"LOCK": "UNLOCK", "UNLOCK": "LOCK"}[what]
    assert not _brought(_ADD + _USER, after + user.replace(f"\t{kept};\n", ""), lock, unlock)
