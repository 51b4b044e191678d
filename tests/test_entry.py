# SPDX-License-Identifier: GPL-2.0-or-later
"""What other files than its own say of how a function is entered, and of what a guard or a call does."""

from __future__ import annotations

from tests.findings import brought_by


def _found(code: str, others: dict[str, str]) -> list[tuple[str, int]]:
    return sorted({(finding.check, finding.line) for finding in brought_by(code, others=others)})


def test_table_in_an_included_file_says_how_a_static_function_is_entered() -> None:
    code = """\
static int fault(unsigned long addr, unsigned int fsr, struct pt_regs *regs)
{
	msleep(1);
	return 0;
}

#include "table.c"
"""
    table = 'static struct fsr_info fsr_info[] = {\n\t{ fault, SIGSEGV, 0, "fault" },\n};\n'
    assert not _found(code, {})
    assert _found(code, {"drivers/example/table.c": table}) == [("lock-sleep-in-atomic", 3)]


def test_guard_class_is_read_from_the_nearest_definition() -> None:
    code = """\
void use(struct hub *hub)
{
	guard(hub)(hub);
	msleep(1);
}
"""
    spinning = "DEFINE_GUARD(hub, struct hub *, raw_spin_lock(&_T->lock), raw_spin_unlock(&_T->lock))\n"
    sleeping = "DEFINE_GUARD(hub, struct hub *, mutex_lock(&_T->mutex), mutex_unlock(&_T->mutex))\n"
    assert not _found(code, {})
    assert not _found(code, {"include/linux/hub.h": sleeping})
    assert _found(code, {"include/linux/hub.h": spinning}) == [("lock-sleep-in-atomic", 4)]
    assert not _found(code, {"include/linux/hub.h": spinning, "drivers/example/hub.h": sleeping})


def test_runtime_pm_sleeps_unless_the_driver_says_that_it_is_fit_for_interrupts() -> None:
    code = """\
void use(struct hub *hub)
{
	spin_lock(&hub->lock);
	pm_runtime_get_sync(hub->dev);
	spin_unlock(&hub->lock);
}
"""
    probe = "int probe(struct device *dev)\n{\n\tpm_runtime_irq_safe(dev);\n\treturn 0;\n}\n"
    header = "struct hub { spinlock_t lock; struct device *dev; };\n"
    assert _found(header + code, {}) == [("lock-sleep-in-atomic", 5)]
    assert not _found(header + code, {"drivers/example/probe.c": probe})


def test_call_that_disables_preemption_in_some_architectures_only() -> None:
    code = """\
void use(struct hub *hub)
{
	kernel_fpu_begin(&hub->fpu, KERNEL_FPC);
	msleep(1);
	kernel_fpu_end(&hub->fpu, KERNEL_FPC);
}
"""
    found = {path: [f.check for f in brought_by(code, path=path)] for path in ("arch/s390/kvm/a.c", "arch/x86/kvm/a.c")}
    assert found == {"arch/s390/kvm/a.c": [], "arch/x86/kvm/a.c": ["lock-sleep-in-atomic"]}


def test_before_the_scheduler_runs_nothing_sleeps() -> None:
    code = """\
static void __init early_table(struct hub *hub)
{
	lockdep_assert_irqs_disabled();
	hub->table = kcalloc(8, 8, GFP_KERNEL);
}

static void __init early_timer(struct hub *hub)
{
	unsigned long flags;

	local_irq_save(flags);
	mutex_lock(&hub->lock);
	mutex_unlock(&hub->lock);
	local_irq_restore(flags);
}
"""
    found = {path: len(brought_by(code, path=path)) for path in ("arch/x86/kernel/a.c", "drivers/a/a.c")}
    assert found == {"arch/x86/kernel/a.c": 0, "drivers/a/a.c": 2}


def test_callback_of_cpu_hotplug_holds_its_lock() -> None:
    code = """\
static void leave(struct hub *hub)
{
	lockdep_assert_cpus_held();
	lockdep_assert_held(&hub_mutex);
}

static int offline(unsigned int cpu)
{
	leave(&hubs[cpu]);
	return 0;
}

static int start(void)
{
	return cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "hub", NULL, offline);
}
"""
    assert [finding.message.rpartition(" without ")[2].split(",")[0] for finding in brought_by(code)] == ["hub_mutex"]


def test_function_in_a_part_of_a_table_is_entered_as_the_type_of_the_part_says() -> None:
    code = """\
struct bell { int number; struct irq_chip chip; };

static void ring(struct irq_data *d)
{
	msleep(1);
}

static struct bell bell = {
	.number = 1,
	.chip = {
		.name = "bell",
		%s = ring,
	},
};
"""
    assert _found(code % ".irq_mask", {}) == [("lock-sleep-in-atomic", 5)]
    assert not _found(code % ".irq_bus_lock", {})
    inline = code.replace("\t.chip = {\n", "\t.chip.irq_mask = ring,\n\t.other = {\n")
    assert _found(inline % ".name", {}) == [("lock-sleep-in-atomic", 5)]


def test_name_of_an_element_says_in_which_context_its_functions_are_called() -> None:
    code = """\
static int step(unsigned int cpu)
{
	msleep(1);
	return 0;
}

struct cpuhp_step {
	const char *name;
	union { int (*single)(unsigned int cpu); int (*multi)(unsigned int cpu, struct hlist_node *node); } startup;
};

static struct cpuhp_step steps[] = {
	[CPUHP_BELL_%s] = {
		.name = "bell",
		.startup.single = step,
	},
};
"""
    assert _found(code % "STARTING", {}) == [("lock-sleep-in-atomic", 3)]
    assert not _found(code % "PREPARE", {})


def test_timer_that_is_set_up_again_before_each_start_never_runs_what_it_had_first() -> None:
    code = """\
struct slot { struct timer_list blink; int state; };

void slot_work(struct timer_list *timer)
{
	msleep(1);
}

static void slot_wake(struct timer_list *timer)
{
	wake_up(&slot_queue);
}

void slot_pressed(struct slot *slot)
{
	timer_delete(&slot->blink);
	slot->blink.expires = jiffies + HZ;
	%s
	if (slot->state)
		pr_debug("on");
	add_timer(&slot->blink);
}
"""
    probe = "void probe(struct slot *slot)\n{\n\ttimer_setup(&slot->blink, slot_work, 0);\n%s}\n"
    other = "struct port { struct timer_list blink; };\nvoid go(struct port *p)\n{\n\tmod_timer(&p->blink, 1);\n}\n"
    again = code % "timer_setup(&slot->blink, slot_wake, 0);"
    wrong = [("lock-sleep-in-atomic", 5)]

    def found(text: str, start: str = "", beside: str = "") -> list[tuple[str, int]]:
        return _found(text, {"drivers/example/probe.c": probe % start, "drivers/example/other.c": beside})

    assert not found(again)
    assert not found(again, beside=other)
    assert found(code % "") == wrong
    assert found(again, start="\tadd_timer(&slot->blink);\n") == wrong
    assert found(again, start="\tkeep_timer(&slot->blink);\n") == wrong
    assert found(again, start="\tthe_timer = &slot->blink;\n") == wrong
    assert found(code % "if (slot->state)\n\t\ttimer_setup(&slot->blink, slot_wake, 0);") == wrong
    assert found(code % "slot->blink.function = slot_wake;\n\ttimer_setup(&slot->blink, slot_work, 0);") == wrong
