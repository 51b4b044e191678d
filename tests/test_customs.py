# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls that a patch makes without the lock with which everybody else makes them."""

from __future__ import annotations

import pytest

from tests.findings import brought_by

_CHECK = "lock-held-by-other-callers"
_OTHERS = """\
struct dev { struct mutex lock; int rate; };
void dev_apply(struct dev *dev)
{
	dev->rate = 1;
}
void dev_raise(struct dev *dev)
{
	mutex_lock(&dev->lock);
	dev_apply(dev);
	mutex_unlock(&dev->lock);
}
static void lower(struct dev *dev)
{
	dev_apply(dev);
}
void dev_lower(struct dev *dev)
{
	guard(mutex)(&dev->lock);
	lower(dev);
}
"""
_LOCKED = """\
void dev_tune(struct dev *dev)
{
	mutex_lock(&dev->lock);
	dev_apply(dev);
	mutex_unlock(&dev->lock);
}
"""
_BARE = "void dev_tune(struct dev *dev)\n{\n\tdev_apply(dev);\n}\n"


def _lines(before: str, after: str) -> list[int]:
    return [finding.line for finding in brought_by(after, before) if finding.check == _CHECK]


def test_lock_removed_around_a_call_that_all_others_make_with_it() -> None:
    assert _lines(_OTHERS + _LOCKED, _OTHERS + _BARE) == [23]


def test_lock_that_a_caller_takes_now_is_not_missed() -> None:
    caller = "void dev_user(struct dev *dev)\n{\n\tguard(mutex)(&dev->lock);\n\tdev_tune(dev);\n}\n"
    assert _lines(_OTHERS + _LOCKED, _OTHERS + _BARE + caller) == []


def test_lock_that_the_callee_takes_now_is_not_missed() -> None:
    inside = _OTHERS.replace(
        "\tdev->rate = 1;\n", "\tmutex_lock(&dev->lock);\n\tdev->rate = 1;\n\tmutex_unlock(&dev->lock);\n"
    )
    assert _lines(_OTHERS + _LOCKED, inside + _BARE) == []


def test_one_other_caller_without_the_lock_makes_it_no_custom() -> None:
    other = "void dev_other(struct dev *dev)\n{\n\tdev_apply(dev);\n}\n"
    assert _lines(_OTHERS + other + _LOCKED, _OTHERS + other + _BARE) == []


@pytest.mark.parametrize(
    "after",
    [
        _BARE.replace("\tdev_apply", "\tdev_freeze_all(dev);\n\tdev_apply"),
        _BARE.replace("\tdev_apply", "\tguard(dev_tuning_lock)(dev);\n\tdev_apply"),
        _BARE.replace("\tdev_apply", "\tDEV_LOCK(dev);\n\tdev_apply"),
    ],
)
def test_nothing_is_said_after_what_may_take_a_lock(after: str) -> None:
    assert _lines(_OTHERS + _LOCKED, _OTHERS + after) == []


def test_who_makes_the_object_need_not_lock_it() -> None:
    before, after = (text.replace("dev_tune", "dev_create") for text in (_LOCKED, _BARE))
    assert _lines(_OTHERS + before, _OTHERS + after) == []
