# SPDX-License-Identifier: GPL-2.0-or-later
"""What assertions deep below ask of a changed function, and whether the patch took it away."""

from __future__ import annotations

import textwrap

import pytest

from reviewer.context.conditions import UNKNOWN, clauses
from reviewer.context.effects import Need
from reviewer.model import Change, Finding
from tests.findings import API, brought_by

_TABLE = """\
struct table { struct mutex lock; struct srcu_struct srcu; struct rows __rcu *rows; refcount_t users; };
struct dev { struct table *table; };
static int rows(struct table *table)
{
	lockdep_assert_held(&table->lock);
	return table->count;
}
static int size(struct dev *dev)
{
	return rows(dev->table) + 1;
}
"""


def _told(before: str, after: str) -> list[tuple[str, Change, int, str]]:
    return [(f.check, f.change, f.line, f.function) for f in _found(before, after)]


def _found(before: str, after: str) -> list[Finding]:
    return [f for f in brought_by(_TABLE + after, _TABLE + before) if f.change is not Change.PRE_EXISTING]


def _lines(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n").replace("    ", "\t")


_LOCKED = _lines("""
    int show(struct dev *dev)
    {
        int n;

        mutex_lock(&dev->table->lock);
        n = size(dev);
        mutex_unlock(&dev->table->lock);
        return n;
    }
""")
_UNLOCKED = "".join(line for line in _LOCKED.splitlines(keepends=True) if "mutex" not in line)


def test_removed_lock_exposes_the_assertion_two_calls_down() -> None:
    (finding,) = _found(_LOCKED, _UNLOCKED)
    assert (finding.check, finding.change, finding.line) == ("lock-assert-not-held", Change.EXPOSED, 16)
    assert [step.function for step in finding.witness] == ["show", "size", "rows"]
    assert finding.cause is not None
    assert finding.message == "size() leads to lockdep_assert_held(&table->lock) without table->lock"


def test_lock_put_back_is_a_fix() -> None:
    assert [(check, change) for check, change, _, _ in _told(_UNLOCKED, _LOCKED)] == [
        ("lock-assert-not-held", Change.FIXED)
    ]


def test_lock_that_moves_to_the_only_caller_is_no_finding() -> None:
    before = _LOCKED.replace("int show", "static int show") + _lines("""
        int all(struct dev *dev)
        {
            return show(dev);
        }
    """)
    after = _UNLOCKED.replace("int show", "static int show") + _lines("""
        int all(struct dev *dev)
        {
            guard(mutex)(&dev->table->lock);
            return show(dev);
        }
    """)
    assert _told(before, after) == []


def test_new_call_is_no_finding_where_the_callers_are_not_known() -> None:
    before = "int show(struct dev *dev)\n{\n\treturn 0;\n}\n"
    assert _told(before, before.replace("return 0", "return size(dev)")) == []


def test_new_call_is_introduced_where_user_space_enters() -> None:
    before = _lines("""
        static int show(struct dev *dev)
        {
            return 0;
        }
        static long dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
        {
            return show(file->private_data);
        }
        static const struct file_operations dev_fops = {
            .unlocked_ioctl = dev_ioctl,
        };
    """)
    (finding,) = _found(before, before.replace("return 0", "return size(dev)"))
    assert (finding.change, finding.line, finding.function) == (Change.INTRODUCED, 14, "show")
    assert [step.function for step in finding.witness] == ["dev_ioctl", "dev_ioctl", "show", "size", "rows"]
    assert finding.message.endswith("entered by struct file_operations.unlocked_ioctl")


def test_who_calls_a_worker_is_named_and_not_its_context() -> None:
    before = "static void work(struct work_struct *work)\n{\n}\n"
    start = "void start(struct dev *dev)\n{\n\tINIT_WORK(&dev->work, work);\n}\n"
    (finding,) = _found(before + start, before.replace("{\n}", "{\n\tsize(dev_of(work));\n}") + start)
    assert finding.message.endswith("entered by INIT_WORK()")
    assert "nothing from INIT_WORK() down to it" in finding.question


@pytest.mark.parametrize(
    "taking",
    [
        "mutex_lock(&dev->table->lock);",
        "struct table *table = dev->table;\n\n\tmutex_lock(&table->lock);",
        "table_freeze_lock(dev);",
        "guard(table_lock)(dev);",
    ],
)
def test_nothing_is_said_after_what_takes_the_lock_or_might(taking: str) -> None:
    before = "static int show(struct dev *dev)\n{\n\treturn 0;\n}\n"
    entry = _lines("""
        static long dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
        {
            return show(file->private_data);
        }
        static const struct file_operations dev_fops = {
            .unlocked_ioctl = dev_ioctl,
        };
    """)
    after = before.replace("return 0", f"{taking}\n\treturn size(dev)")
    found = [check for check, _, _, _ in _told(before + entry, after + entry)]
    assert "lock-assert-not-held" not in found


_NETWORK = _lines("""
    static int change(struct net_device *dev)
    {
        ASSERT_RTNL();
        return dev->mtu;
    }
    int show_mtu(struct net_device *dev)
    {
        int mtu;

        rtnl_lock();
        mtu = change(dev);
        rtnl_unlock();
        return mtu;
    }
""")


def test_lock_that_is_named_nowhere_is_missed_where_it_is_removed() -> None:
    bare = "".join(line for line in _NETWORK.splitlines(keepends=True) if "rtnl_" not in line)
    (finding,) = _found(_NETWORK, bare)
    assert (finding.check, finding.function) == ("lock-assert-not-held", "show_mtu")
    assert finding.message == "change() leads to ASSERT_RTNL() without rtnl_mutex"


def test_branches_that_hold_and_do_not_hold_the_lock_are_not_told_apart() -> None:
    before = _lines("""
        static long dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
        {
            struct dev *dev = file->private_data;

            return 0;
        }
        static const struct file_operations dev_fops = {
            .unlocked_ioctl = dev_ioctl,
        };
    """)
    after = before.replace(
        "\treturn 0;", "\tif (dev->quick)\n\t\tmutex_lock(&dev->table->lock);\n\tcmd = size(dev);\n\treturn cmd;"
    )
    assert "lock-assert-not-held" not in [check for check, _, _, _ in _told(before, after)]


_HELD = Need("lock", "&m")


@pytest.mark.parametrize(
    ("condition", "holds", "wanted"),
    [
        ("lockdep_is_held(&m)", True, [{_HELD}]),
        ("lockdep_is_held(&m)!=LOCK_STATE_NOT_HELD", True, [{_HELD}]),
        ("lockdep_is_held(&m)||rcu_read_lock_held()", True, [{_HELD, Need("rcu", "")}]),
        ("!rcu_read_lock_held()&&!lockdep_is_held(&m)", False, [{_HELD, Need("rcu", "")}]),
        ("lockdep_is_held(&m)||!refcount_read(&t->users)", True, [{_HELD, Need("unused", "&t->users")}]),
        ("lockdep_is_held_type(&m,0)", True, [{Need("exclusive", "&m")}]),
        ("lockdep_is_held(&m)&&srcu_read_lock_held(&s)", True, [{_HELD}, {Need("srcu", "&s")}]),
        ("1", True, []),
        ("0", True, [set()]),
        ("lockdep_is_held(&m)||t->dying", True, [{_HELD, UNKNOWN}]),
        ("!lockdep_is_held(&m)", True, [{UNKNOWN}]),
    ],
)
def test_condition_asks_for(condition: str, holds: bool, wanted: list[set[Need]]) -> None:
    found = clauses(condition, API.demands, lambda _: None, holds=holds)
    assert [set(clause) for clause in found] == wanted


def test_condition_is_read_through_the_function_that_states_it() -> None:
    meanings = {"table_is_held": (("t",), "lockdep_is_held(&t->lock)")}
    found = clauses("table_is_held(dev->table)", API.demands, meanings.get)
    assert found == [{Need("lock", "&dev->table->lock")}]
