# SPDX-License-Identifier: GPL-2.0-or-later
"""Operations of one object are those of one table, wherever the driver keeps its tables."""

from __future__ import annotations

from tests.findings import brought_by

HEADER = """
struct chip_ops { void (*reset)(struct chip *chip); void (*quiesce)(struct chip *chip); };
struct chip_hw { const struct chip_ops *ops; };
struct chip { spinlock_t lock; struct chip_hw *hw; struct chip *next; int count; };
"""
TABLES = """
#include "chip.h"
static struct chip_ops fast_ops = {
	.reset = fast_reset,
	.quiesce = fast_quiesce,
};
static struct chip_ops slow_ops = {
	.reset = slow_reset,
	.quiesce = slow_quiesce,
};
"""
MIXED = """
#include "chip.h"
void fast_quiesce(struct chip *chip)
{
	chip->count = 0;
}
void slow_quiesce(struct chip *chip)
{
	msleep(1);
}
void fast_reset(struct chip *chip)
{
	struct chip_hw *hw = chip->hw;

	hw->ops->quiesce(chip);
}
void slow_reset(struct chip *chip)
{
	chip->count = 0;
}
static void chip_reset(struct chip *chip)
{
	chip->hw->ops->reset(chip);
}
void chip_stop(struct chip *chip)
{
	spin_lock(&chip->lock);
	chip_reset(chip);
	spin_unlock(&chip->lock);
}
"""


def found(code: str, tables: str = TABLES, header: str = "drivers/example/chip.h") -> list[str]:
    files = {header: HEADER, "drivers/example/tables.c": tables}
    return [f.function for f in brought_by(code, others=files)]


def test_operation_of_one_table_does_not_reach_that_of_another() -> None:
    assert found(MIXED) == []
    assert found(MIXED, TABLES.replace("static", "const")) == []


def test_operation_reaches_another_one_of_its_table() -> None:
    assert found(MIXED, TABLES.replace("fast_reset", "either_reset").replace("slow_reset", "fast_reset")) == [
        "chip_stop"
    ]


def test_what_several_tables_come_to_is_told_once() -> None:
    both = MIXED.replace("fast_quiesce(struct chip *chip)\n{", "fast_quiesce(struct chip *chip)\n{\n\tmsleep(2);")
    resets = both.replace("slow_reset(struct chip *chip)\n{", "slow_reset(struct chip *chip)\n{\n\tfast_reset(chip);")
    assert found(resets) == ["chip_stop"]


def test_another_object_may_have_another_table() -> None:
    next_one = MIXED.replace("*hw = chip->hw", "*hw = chip->next->hw")
    assert found(next_one) == ["chip_stop"]


def test_table_that_is_exchanged_on_the_way_is_another() -> None:
    exchanged = MIXED.replace("hw->ops->quiesce(chip)", "hw->ops = chip->next->hw->ops;\n\thw->ops->quiesce(chip)")
    assert found(exchanged) == ["chip_stop"]


def test_table_to_whose_members_somebody_assigns_may_hold_more() -> None:
    assigned = TABLES + "void chip_tune(struct chip_ops *ops)\n{\n\tops->quiesce = slow_quiesce;\n}\n"
    tuned = assigned.replace("void chip_tune", "static void nothing(struct chip *chip)\n{\n}\nvoid chip_tune")
    assert found(MIXED, tuned.replace("= slow_quiesce;", "= nothing;")) == ["chip_stop"]


def test_tables_that_all_of_the_kernel_may_have_are_not_all_known() -> None:
    assert found(MIXED, header="include/linux/chip.h") == ["chip_stop"]
