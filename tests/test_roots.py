# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes wrong at one place is told once in an audit, whoever comes by."""

from __future__ import annotations

from reviewer.finding import one_for_each_root
from tests.findings import brought_by

CODE = """
struct unit { spinlock_t lock; };
void unit_sleep(struct unit *unit)
{
	msleep(1);
}
void unit_stop(struct unit *unit)
{
	unit_sleep(unit);
}
void unit_close(struct unit *unit)
{
	spin_lock(&unit->lock);
	unit_stop(unit);
	spin_unlock(&unit->lock);
}
void unit_reset(struct unit *unit)
{
	spin_lock(&unit->lock);
	unit_stop(unit);
	spin_unlock(&unit->lock);
}
void unit_pause(struct unit *unit)
{
	spin_lock(&unit->lock);
	unit_sleep(unit);
	msleep(2);
	spin_unlock(&unit->lock);
}
"""


def test_chains_with_the_same_end_are_told_once_and_counted() -> None:
    found = brought_by(CODE)
    assert len(found) == 4
    told = one_for_each_root(found)
    assert [(finding.function, finding.other_places) for finding in told] == [
        ("unit_close", 1),
        ("unit_pause", 0),
        ("unit_pause", 0),
    ]


def test_calls_on_other_lines_are_other_findings() -> None:
    code = CODE.replace("unit_stop(unit);", "unit_sleep(unit);")
    assert len(one_for_each_root(brought_by(code))) == 4
