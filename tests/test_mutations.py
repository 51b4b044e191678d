# SPDX-License-Identifier: GPL-2.0-or-later
"""The measure of recall puts its mistakes where it says, and says what it leaves out."""

from __future__ import annotations

from collections import Counter

import pytest

from reviewer.source.parse import parse
from tests.measure.mutants import KINDS, Mutant
from tests.measure.mutations import changed_lines
from tests.measure.sites import Source

TEXT = """\
#define TAKE(x) \\
	spin_lock(x)
static int store(struct dev *dev, int value)
{
	int err = 0;

	if (value)
		spin_lock(&dev->lock); /* short */
	else
		return -EINVAL;
	if (dev->dead) {
		spin_unlock(&dev->lock);
		return -ENODEV;
	}
	dev->err = err;
	spin_unlock(&dev->lock);
	if (!spin_trylock(&dev->lock))
		return err;
	spin_unlock(&dev->lock);
	return 0;
}
#ifdef CONFIG_PREEMPT_RT
struct item *dev_first(struct dev *dev)
{
	guard(raw_spinlock)(&dev->lock);
	return dev->first;
}
#endif
void dev_lock(struct dev *dev)
{
	raw_spin_lock(&dev->lock);
}
void dev_stay(struct dev *dev)
{
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_disable();
	dev->stays = 1;
}
"""


def made(kind: str, text: str = TEXT) -> tuple[list[Mutant], Counter[str]]:
    excluded = Counter[str]()
    source = Source("dev.c", text, parse("dev.c", text.encode()).extents)
    (make,) = (found.make for found in KINDS if found.name == kind)
    return list(make(source, excluded)), excluded


def test_a_statement_goes_behind_the_lock_call_even_where_there_are_no_braces() -> None:
    mutants, excluded = made("msleep")
    assert [mutant.function for mutant in mutants] == ["store", "dev_lock", "dev_stay"]
    assert "\t\t{ spin_lock(&dev->lock); msleep(1); } /* short */\n" in mutants[0].text
    assert "\traw_spin_lock(&dev->lock);\n\tmsleep(1);\n" in mutants[1].text
    assert excluded == {
        "a trylock": 1,
        "in a macro definition": 1,
        "in an arm for the other kind of kernel (PREEMPT_RT or not)": 1,
    }


def test_mistakes_of_preempt_rt_are_put_under_raw_spinlocks_on_such_kernels() -> None:
    mutants, excluded = made("kfree-rt")
    assert [mutant.function for mutant in mutants] == ["dev_first", "dev_lock"]
    assert excluded["in an arm for the other kind of kernel (PREEMPT_RT or not)"] == 1


BOOT = """\
static int __init dev_probe(void)
{
	local_irq_disable();
	raw_spin_lock(&dev_lock);
	return 0;
}
static int __init dev_begin(void)
{
	local_irq_disable();
	return 0;
}
core_initcall(dev_begin);
static int dev_suspend(void)
{
	raw_spin_lock(&dev_lock);
	return 0;
}
static int dev_wake(void)
{
	raw_spin_lock(&dev_lock);
	return 0;
}
static struct syscore_ops dev_ops = {
	.suspend = dev_suspend,
};
static void dev_kick(void)
{
	raw_spin_lock(&first);
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		return;
	raw_spin_lock(&second);
}
static void dev_stop(void)
{
	if (!IS_ENABLED(CONFIG_PREEMPT_RT) && stops) {
		if (stops > 1) {
			stops = 1;
		}
		raw_spin_lock(&first);
	}
	raw_spin_lock(&second);
	if (IS_ENABLED(CONFIG_PREEMPT_RT) || stops) {
		raw_spin_lock(&third);
	}
	if (IS_ENABLED(CONFIG_PREEMPT_RT)) {
		stops = 1;
	} else {
		raw_spin_lock(&third);
	}
}
"""


@pytest.mark.parametrize(
    ("path", "lines"),
    [("kernel/dev.c", [4, 9, 20, 28, 41, 43]), ("drivers/dev.c", [3, 4, 9, 20, 28, 41, 43])],
)
def test_what_does_no_harm_on_preempt_rt_is_left_out_and_counted(path: str, lines: list[int]) -> None:
    excluded = Counter[str]()
    source = Source(path, BOOT, parse(path, BOOT.encode()).extents)
    (make,) = (found.make for found in KINDS if found.name == "kfree-rt")
    assert [mutant.line for mutant in make(source, excluded)] == lines
    assert excluded["an __init function that disables interrupts while the kernel boots"] == (path[0] == "k")
    assert excluded["a callback of syscore_ops, which runs alone"] == 1
    assert excluded["in an arm for the other kind of kernel (PREEMPT_RT or not)"] == 3


def test_a_module_is_loaded_when_the_scheduler_runs() -> None:
    text = BOOT + "module_init(dev_probe);\n"
    source = Source("kernel/dev.c", text, parse("kernel/dev.c", text.encode()).extents)
    (make,) = (found.make for found in KINDS if found.name == "kfree-rt")
    assert 3 in [mutant.line for mutant in make(source, Counter[str]())]


def test_a_release_is_deleted_before_an_early_return() -> None:
    (mutant,), excluded = made("unlock-deleted")
    assert "\tif (dev->dead) {\n\t\treturn -ENODEV;\n" in mutant.text
    assert mutant.line == 12
    assert excluded["a trylock"] == 1


def test_a_return_is_put_in_that_fits_the_function() -> None:
    (mutant,), excluded = made("unlock-skipped")
    assert "if (reviewer_probe_condition()) return -EINVAL; }" in mutant.text
    assert excluded["the function is a lock wrapper by its name"] == 1


FLAGS = """\
static int dev_ask(struct dev *dev)
{
	unsigned long flags;
	int idx;

	idx = srcu_read_lock(&dev->srcu);
	spin_lock_irqsave(&dev->lock, flags);
	if (dev->dead) {
		spin_unlock_irqrestore(&dev->lock,
			flags);
		srcu_read_unlock(&dev->srcu, idx);
		return -ENODEV;
	}
	spin_unlock_irqrestore(&dev->lock, flags);
	srcu_read_unlock(&dev->srcu, idx);
	return 0;
}
static void dev_drop(struct dev *dev, unsigned long flags)
{
	spin_unlock_irqrestore(&dev->lock, flags);
	dev->held = 0;
}
"""


def test_flags_are_forgotten_by_a_release_of_a_lock_that_the_function_takes() -> None:
    mutants, excluded = made("irqrestore-weakened", FLAGS)
    assert [mutant.line for mutant in mutants] == [9, 14]
    assert "\t\tspin_unlock(&dev->lock);\n\t\tsrcu_read_unlock" in mutants[0].text
    assert excluded == {"the lock is taken by the caller or a callee": 1}


def test_flags_in_memory_are_left_out_and_counted() -> None:
    text = FLAGS.replace("spin_lock_irqsave(&dev->lock, flags)", "local_irq_save(dev->flags)").replace(
        "spin_unlock_irqrestore(&dev->lock, flags)", "local_irq_restore(dev->flags)"
    )
    mutants, excluded = made("irq-restore-skipped", text)
    assert not mutants
    assert excluded == {"the flags are kept in memory, where others can restore them": 1}


def test_flags_are_not_missed_where_interrupts_are_disabled_anyway() -> None:
    text = BOOT + (
        "static int dev_park(void)\n{\n\tunsigned long flags;\n\n\tlocal_irq_save(flags);\n"
        "\tlocal_irq_restore(flags);\n\treturn 0;\n}\n"
        "static struct syscore_ops park_ops = {\n\t.suspend = dev_park,\n};\n"
    )
    mutants, excluded = made("irq-restore-skipped", text)
    assert not mutants
    assert excluded == {"a callback of syscore_ops, which runs alone": 1}


def test_a_reader_with_an_index_is_begun_by_an_assignment() -> None:
    ((skipped,), _), ((deleted,), _) = made("srcu-unlock-skipped", FLAGS), made("srcu-unlock-deleted", FLAGS)
    assert "idx = srcu_read_lock(&dev->srcu);\n\tif (reviewer_probe_condition()) return -EINVAL;\n" in skipped.text
    assert "flags);\n\t\treturn -ENODEV;\n" in deleted.text


LEFT = """\
static int dev_count(struct dev *dev)
{
	preempt_disable();
	if (dev->dead)
		goto failed;
	preempt_enable();
	preempt_disable();
	if (dev->dead)
		goto out;
	dev->count++;
out:
	preempt_enable();
	return 0;
failed:
	return -ENODEV;
}
static int dev_move(struct dev *dev)
{
	rcu_read_lock();
	if (dev->dead)
		return -ENODEV;
	rcu_read_unlock();
	return 0;
}
"""


def test_a_way_out_that_leaves_as_another_one_does_is_nothing_new() -> None:
    mutants, excluded = made("preempt-enable-skipped", LEFT)
    assert [mutant.line for mutant in mutants] == [7]
    assert excluded == {"the function returns without the release on another way already": 1}
    assert made("rcu-unlock-skipped", LEFT) == (
        [],
        {"the function returns without the release on another way already": 1},
    )


def test_a_variable_is_renamed_in_its_function_alone() -> None:
    mutants, _ = made("harmless-renamed")
    assert "\tdev->err = reviewer_probe_renamed;\n" in mutants[0].text
    assert "\tint reviewer_probe_renamed = 0;\n" in mutants[0].text


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_every_mutation_changes_lines_near_the_chosen_one(kind: str) -> None:
    mutants, _ = made(kind)
    for mutant in mutants:
        lines = changed_lines(TEXT, mutant.text)
        assert lines.added or lines.near
        assert (lines.added | lines.near) <= set(range(1, TEXT.count("\n") + 2))
