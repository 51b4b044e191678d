# SPDX-License-Identifier: GPL-2.0-or-later
"""What a function leaves held, or takes again, only since a patch: its earlier version shows what it is meant to do."""

from __future__ import annotations

import pytest

from reviewer.model import Change
from tests.findings import brought_by

_HEAD = """\
struct item { raw_spinlock_t lock; struct item *next; int busy; };
struct hub { struct mutex mutex; raw_spinlock_t lock; struct item *first; int state; };
static DEFINE_MUTEX(all_mutex);
#define for_each_item_of(hub, item) \\
	for (item = (hub)->first; item; item = item->next)
"""


def _brought(before: str, after: str) -> list[tuple[str, str]]:
    """(check, text of the line) of what the patch from ``before`` to ``after`` brings."""
    text = _HEAD + after
    found = brought_by(text, _HEAD + before)
    rows = text.split("\n")
    return sorted((f.check, rows[f.line - 1].strip()) for f in found if f.change is not Change.FIXED)


def _without(text: str, line: str) -> str:
    assert text.count(line) == 1
    return text.replace(line, "")


_WALK = """\
int count(struct hub *hub)
{
	struct item *item;
	int n = 0;

	for_each_item_of(hub, item) {
		raw_spin_lock(&item->lock);
		if (item->busy) {
			raw_spin_unlock(&item->lock); /* first */
			return -EBUSY;
		}
		n++;
		raw_spin_unlock(&item->lock);
	}
	return n;
}
"""


def test_return_out_of_a_walk_keeps_the_lock_of_an_item() -> None:
    after = _without(_WALK, "\t\t\traw_spin_unlock(&item->lock); /* first */\n")
    assert _brought(_WALK, after) == [("lock-imbalance", "return -EBUSY;")]


def test_second_walk_may_let_go_of_the_locks_of_all_items() -> None:
    after = """\
int count(struct hub *hub)
{
	struct item *item;
	int n = 0;

	for_each_item_of(hub, item)
		raw_spin_lock(&item->lock);
	for_each_item_of(hub, item)
		n += item->busy;
	for_each_item_of(hub, item)
		raw_spin_unlock(&item->lock);
	return n;
}
"""
    assert not _brought(_WALK, after)


def test_what_is_walked_over_is_no_cursor() -> None:
    before = """\
int look(struct hub *hub)
{
	struct item *item;

	raw_spin_lock(&hub->lock);
	for_each_item_of(hub, item) {
		if (item->busy)
			break;
	}
	if (!item) {
		raw_spin_unlock(&hub->lock); /* first */
		return 0;
	}
	raw_spin_unlock(&hub->lock);
	return 0;
}
"""
    after = _without(before, "\t\traw_spin_unlock(&hub->lock); /* first */\n")
    assert _brought(before, after) == [("lock-imbalance", "return 0;")]


_RETRY = """\
void settle(struct hub *hub)
{
retry:
	prepare(hub);
	LOCK;
	if (hub->state) {
		UNLOCK; /* first */
		goto retry;
	}
	hub->state = 1;
	UNLOCK;
}
"""


@pytest.mark.parametrize(
    ("lock", "unlock"),
    [
        ("mutex_lock(&hub->mutex)", "mutex_unlock(&hub->mutex)"),
        ("mutex_lock(&all_mutex)", "mutex_unlock(&all_mutex)"),
    ],
)
def test_lock_that_is_kept_is_taken_again(lock: str, unlock: str) -> None:
    before = _RETRY.replace("UNLOCK", unlock).replace("LOCK", lock)
    after = _without(before, f"\t\t{unlock}; /* first */\n")
    assert _brought(before, after) == [("lock-recursive-class", f"{lock};")]


def test_call_that_lets_go_of_the_lock_for_a_moment_stays_as_it_was() -> None:
    before = _without(_RETRY, "\t\tUNLOCK; /* first */\n")
    before = before.replace("UNLOCK", "mutex_unlock(&hub->mutex)").replace("LOCK", "mutex_lock(&hub->mutex)")
    assert not _brought(before, before.replace("state = 1", "state = 2"))


_WORKER = """\
int worker(struct hub *hub)
{
repeat:
	mutex_lock(&hub->mutex);
	if (hub->state) {
		mutex_unlock(&hub->mutex); /* first */
		return 0;
	}
	hub->state = 1;
	mutex_unlock(&hub->mutex);
	wait_a_little(hub);
	goto repeat;
}
"""
_USER = """\
void user(struct hub *hub)
{
	worker(hub);
}
"""


def test_only_way_out_keeps_what_is_let_go_of_elsewhere() -> None:
    after = _without(_WORKER, "\t\tmutex_unlock(&hub->mutex); /* first */\n")
    assert _brought(_WORKER + _USER, after + _USER) == [("lock-imbalance", "return 0;")]


def test_lock_may_be_handed_to_the_caller() -> None:
    after = _without(_WORKER, "\t\tmutex_unlock(&hub->mutex); /* first */\n")
    user = _USER.replace("worker(hub);\n", "worker(hub);\n\tmutex_unlock(&hub->mutex);\n")
    assert not _brought(_WORKER + _USER, after + user)


def test_function_that_gave_a_lock_back_still_does_where_another_one_releases_it() -> None:
    other = "void all_done(void)\n{\n\tmutex_unlock(&all_mutex);\n}\n"
    before = """\
int settle(struct hub *hub)
{
	mutex_lock(&all_mutex);
	if (hub->state) {
		mutex_unlock(&all_mutex); /* first */
		return -EBUSY;
	}
	hub->state = 1;
	mutex_unlock(&all_mutex);
	return 0;
}
"""
    after = _without(before, "\t\tmutex_unlock(&all_mutex); /* first */\n")
    assert _brought(other + before, other + after) == [("lock-imbalance", "return -EBUSY;")]
    assert not _brought(before, other + after)


def test_new_failure_is_held_against_earlier_failures() -> None:
    before = """\
int look_up(struct hub *hub)
{
	rcu_read_lock();
	if (hub->state) {
		rcu_read_unlock();
		return -EBUSY;
	}
	return 0;
}
"""
    after = before.replace("\treturn 0;\n", "\tif (hub->first)\n\t\treturn -EINVAL;\n\treturn 0;\n")
    assert _brought(before, after) == [("rcu-unlock-imbalance", "return -EINVAL;")]


def test_first_way_out_of_an_endless_loop() -> None:
    before = """\
int serve(void *hub)
{
	while (true) {
		mutex_lock(&all_mutex);
		handle(hub);
		mutex_unlock(&all_mutex);
	}
	return 0;
}
"""
    after = before.replace("\t\thandle(hub);\n", "\t\tif (handle(hub))\n\t\t\treturn -EINVAL;\n")
    assert _brought(before, after) == [("lock-imbalance", "return -EINVAL;")]


_READ = """\
int look(struct hub *hub)
{
	unsigned long flags;
	int state;

	raw_spin_lock_irqsave(&hub->lock, flags);
	hub->ops->update(hub);
	state = hub->state;
	raw_spin_unlock_irqrestore(&hub->lock, flags); /* only */
	return state;
}
"""


def test_interrupts_stay_disabled_where_the_only_release_forgets_the_flags() -> None:
    after = _READ.replace("raw_spin_unlock_irqrestore(&hub->lock, flags); /* only */", "raw_spin_unlock(&hub->lock);")
    assert ("lock-imbalance", "return state;") in _brought(_READ, after)


@pytest.mark.parametrize("elsewhere", ["give_back(hub, flags);", "hub->state = flags;", "local_irq_restore(flags);"])
def test_flags_may_be_given_back_by_others(elsewhere: str) -> None:
    after = _READ.replace(
        "raw_spin_unlock_irqrestore(&hub->lock, flags); /* only */", f"raw_spin_unlock(&hub->lock); {elsewhere}"
    )
    assert not _brought(_READ, after)


_LEAVES = """\
static void stay(struct hub *hub)
{
	if (hub->state > 2)
		preempt_disable();
}
static int leave(struct hub *hub)
{
	stay(hub);
	preempt_enable();
	return 0;
}
int visit(struct hub *hub)
{
	int err;

	preempt_disable(); /* first */
	if (hub->state) {
		err = -EBUSY;
		goto out;
	}
	err = leave(hub);
out:
	preempt_enable();
	return err;
}
"""


def test_preemption_stays_disabled_on_a_new_way_beside_one_that_may_enable_it_twice() -> None:
    after = _LEAVES.replace("/* first */", "\n\tif (hub->first)\n\t\treturn 0;")
    assert _brought(_LEAVES, after) == [("lock-imbalance", "return 0;")]


def test_loop_that_nobody_leaves_waits_for_others() -> None:
    before = """\
void idle(struct hub *hub)
{
	struct item it;

	preempt_disable();
	it.busy = 0;
	start_item(&it.lock);
	while (!READ_ONCE(it.busy))
		cpu_relax();
	preempt_enable();
}
"""
    after = before.replace("\tit.busy = 0;\n", "\tif (hub->state)\n\t\treturn;\n\tit.busy = 0;\n")
    assert _brought(before, after) == [("lock-imbalance", "return;")]


def test_flags_of_the_caller_are_not_those_that_the_function_saves() -> None:
    before = """\
void done(struct item *item, unsigned long *outer)
{
	unsigned long flags;

	if (outer)
		raw_spin_unlock_irqrestore(&item->lock, *outer);
	local_irq_save(flags);
	tell_driver(item);
	local_irq_restore(flags);
	if (outer)
		raw_spin_lock_irqsave(&item->lock, *outer);
}
"""
    after = before.replace("\ttell_driver", "\tif (item->busy)\n\t\treturn;\n\ttell_driver")
    assert _brought(before, after) == [("lock-imbalance", "return;")]


_THREAD = """\
static void __noreturn finish(int code)
{
	for (;;)
		schedule_for_ever(code);
}
int thread(struct hub *hub)
{
	preempt_disable();
	hub->state = 1;
	preempt_enable();
	run(hub);
	finish(0);
}
"""


def test_function_that_never_returned_comes_to_do_so_with_a_counter_raised() -> None:
    after = _THREAD.replace("\thub->state", "\tif (hub->first)\n\t\treturn -EBUSY;\n\thub->state")
    assert _brought(_THREAD, after) == [("lock-imbalance", "return -EBUSY;")]
    reader = [
        text.replace("preempt_disable", "rcu_read_lock").replace("preempt_enable", "rcu_read_unlock")
        for text in (_THREAD, after)
    ]
    assert _brought(*reader) == [("rcu-unlock-imbalance", "return -EBUSY;")]
    later = _THREAD.replace("\trun(hub)", "\tif (hub->first)\n\t\treturn -EBUSY;\n\trun(hub)")
    assert _brought(_THREAD, later) == []
    only_up = _THREAD.replace("\tpreempt_enable();\n", "")
    assert _brought(only_up, after.replace("\tpreempt_enable();\n", "")) == []
