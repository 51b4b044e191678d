# SPDX-License-Identifier: GPL-2.0-or-later
"""RCU told of interrupts by hand in x86's async page fault code, and scheduling after the exit from an exception.

Both were reviewed on the list. The first is from before 5.8, the second was never merged: neither stands in a tree, so
that they are told here in reduced form, in files of their own, beside what the trees have instead.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kernels import KernelClone, Reviewer, lines

HEAD = "// SPDX-License-Identifier: GPL-2.0\n#include <linux/kvm_host.h>\n\n"

FAULTS = "arch/x86/kernel/token.c"
QUEUE = """\
struct token { struct hlist_node link; struct swait_queue_head wq; bool halted; u32 id; };
static struct bucket { raw_spinlock_t lock; struct hlist_head list; } bucket;

static bool token_queue(u32 id, struct token *token)
{
	raw_spin_lock(&bucket.lock);
	token->id = id;
	init_swait_queue_head(&token->wq);
	hlist_add_head(&token->link, &bucket.list);
	raw_spin_unlock(&bucket.lock);
	return true;
}

"""
# One function for every context: RCU is told before and after each step that might have needed it.
KNIFE = """\
void token_wait(u32 id, int interrupt_kernel)
{
	DECLARE_SWAITQUEUE(wait);
	struct token token;

	rcu_irq_enter();
	token_queue(id, &token);
	token.halted = interrupt_kernel;
	for (;;) {
		if (!token.halted)
			prepare_to_swait_exclusive(&token.wq, &wait, TASK_UNINTERRUPTIBLE);
		if (hlist_unhashed(&token.link))
			break;
		rcu_irq_exit();
		if (!token.halted) {
			local_irq_enable();
			schedule();
			local_irq_disable();
		} else {
			native_safe_halt();
			local_irq_disable();
		}
		rcu_irq_enter();
	}
	if (!token.halted)
		finish_swait(&token.wq, &wait);
	rcu_irq_exit();
}
"""
# A way to wait for those that can schedule, one for those that cannot, and no transitions in either.
SPLIT = """\
static void token_wait_schedule(u32 id)
{
	DECLARE_SWAITQUEUE(wait);
	struct token token;

	if (!token_queue(id, &token))
		return;
	for (;;) {
		prepare_to_swait_exclusive(&token.wq, &wait, TASK_UNINTERRUPTIBLE);
		if (hlist_unhashed(&token.link))
			break;
		local_irq_enable();
		schedule();
		local_irq_disable();
	}
	finish_swait(&token.wq, &wait);
}

static void token_wait_halt(u32 id)
{
	struct token token;

	if (!token_queue(id, &token))
		return;
	for (;;) {
		if (hlist_unhashed(&token.link))
			break;
		native_safe_halt();
		local_irq_disable();
	}
}

void token_wait(u32 id, int interrupt_kernel)
{
	bool can_schedule = !interrupt_kernel;

	if (can_schedule) {
		token_wait_schedule(id);
	} else {
		rcu_irq_enter();
		token_wait_halt(id);
		rcu_irq_exit();
	}
}
"""

UPCALL = "arch/x86/xen/bell.c"
BELL = """\
__visible noinstr void bell_upcall(struct pt_regs *regs)
{
	irqentry_state_t state = irqentry_enter(regs);

	instrumentation_begin();
	bell_handle(regs);
	instrumentation_end();
"""
SCHEDULES = BELL + "\tirqentry_exit(regs, state);\n\tif (bell_wanted())\n\t\tschedule();\n}\n"
SAYS_IT_TWICE = (
    BELL
    + """\
	irqentry_exit(regs, state);
	if (user_mode(regs) || !(regs->flags & X86_EFLAGS_IF))
		return;
	rcu_sanity_check_for_preemption();
	if (need_resched()) {
		instrumentation_begin();
		bell_maybe_preempt();
		trace_hardirqs_on();
		instrumentation_end();
	}
}
"""
)


@pytest.fixture(scope="module")
def clone(kernel_clone: Callable[[str], KernelClone]) -> KernelClone:
    return kernel_clone("6.12")


def patch(clone: KernelClone, path: str, text: str, parent: str | None = None) -> str:
    """A commit of our own file."""
    return clone.commit({path: HEAD + text}, "x86: Wait for tokens\n\nWithout it a warning of RCU is seen.\n", parent)


def test_transitions_in_a_handler_are_asked_about_once(clone: KernelClone, reviewer: Reviewer) -> None:
    run = reviewer.check(clone, clone.base, patch(clone, FAULTS, QUEUE + KNIFE))
    (finding,) = run.brought
    assert (finding["check"], finding["severity"], finding["function"]) == (
        "entry-rcu-transition-cargo-cult",
        "question",
        "token_wait",
    )
    assert (HEAD + QUEUE + KNIFE).split("\n")[finding["line"] - 1] == "\trcu_irq_enter();"
    (citation,) = finding["citations"]
    assert citation["path"] == "Documentation/core-api/entry.rst"
    assert "RCU state is only updated when the" in citation["quote"]


def test_split_that_keeps_one_pair_is_not_asked_about(clone: KernelClone, reviewer: Reviewer) -> None:
    knife = patch(clone, FAULTS, QUEUE + KNIFE)
    run = reviewer.check(clone, knife, patch(clone, FAULTS, QUEUE + SPLIT, knife))
    assert run.brought == [], lines(run.brought)


def test_ways_to_wait_without_transitions_are_silent(clone: KernelClone, reviewer: Reviewer) -> None:
    without = SPLIT.replace("\t\trcu_irq_enter();\n", "").replace("\t\trcu_irq_exit();\n", "")
    run = reviewer.check(clone, clone.base, patch(clone, FAULTS, QUEUE + without))
    assert run.findings == [], lines(run.findings)


def test_scheduling_inside_the_transition_is_a_bug(clone: KernelClone, reviewer: Reviewer) -> None:
    inside = SPLIT.replace("\t\ttoken_wait_halt(id);\n", "\t\ttoken_wait_schedule(id);\n")
    split = patch(clone, FAULTS, QUEUE + SPLIT)
    run = reviewer.check(clone, split, patch(clone, FAULTS, QUEUE + inside, split))
    (finding,) = run.brought
    assert (finding["check"], finding["severity"]) == ("entry-schedule-when-rcu-not-watching", "bug")
    assert [citation["path"] for citation in finding["citations"]] == ["include/linux/entry-common.h"]


@pytest.mark.parametrize(
    ("text", "line"),
    [(SCHEDULES, "\t\tschedule();"), (SAYS_IT_TWICE, "\t\tinstrumentation_begin();")],
    ids=["schedules", "says it twice"],
)
def test_anything_after_the_exit_is_found(text: str, line: str, clone: KernelClone, reviewer: Reviewer) -> None:
    run = reviewer.check(clone, clone.base, patch(clone, UPCALL, text))
    found = [f for f in run.brought if f["check"] == "entry-schedule-after-irqentry-exit"]
    (finding,) = found
    assert finding["severity"] == "bug"
    assert (HEAD + text).split("\n")[finding["line"] - 1] == line
    (citation,) = finding["citations"]
    assert citation["path"] == "include/linux/entry-common.h"
    assert "This is the last action before returning to" in citation["quote"]


def test_upcall_of_the_tree_is_silent_and_mends_the_sketch(clone: KernelClone, reviewer: Reviewer) -> None:
    path, guarded = "arch/x86/xen/enlighten_pv.c", "\t\tirqentry_exit_cond_resched();\n"
    text = clone.read(path)
    assert text.count(guarded) == 1
    late = text.replace(guarded, "\t\tirqentry_exit(regs, state);\n\t\tschedule();\n")
    sketch = clone.commit({path: late}, "x86/xen: Schedule at the end\n")
    brought = reviewer.check(clone, clone.base, sketch).brought
    assert "entry-schedule-after-irqentry-exit" in {finding["check"] for finding in brought}
    run = reviewer.check(clone, sketch, clone.commit({path: text}, "x86/xen: Schedule before the end\n", sketch))
    assert run.brought == [], lines(run.brought)
    assert ("entry-schedule-after-irqentry-exit", "fixed") in {(f["check"], f["change"]) for f in run.findings}
