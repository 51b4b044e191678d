# SPDX-License-Identifier: GPL-2.0-or-later
"""Interrupts that are enabled before the guest's extended quiescent state is left, as arm64 once did on every exit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kernels import KernelClone, Reviewer, lines

CHECK = "entry-guest-eqs-irqs-enabled"
FILE = "arch/arm64/kvm/doorbell.c"
HEAD = """\
// SPDX-License-Identifier: GPL-2.0
#include <linux/kvm_host.h>

int doorbell_run(struct kvm_vcpu *vcpu)
{
	int ret;

	local_irq_disable();
"""
TAIL = "\treturn ret;\n}\n"


def body(*calls: str) -> str:
    """The file with these calls in a row."""
    return HEAD + "".join(f"\t{call};\n" for call in calls) + TAIL


RUN = "ret = kvm_call_hyp_ret(__kvm_vcpu_run, vcpu)"
WRONG = body("guest_enter_irqoff()", RUN, "local_irq_enable()", "guest_exit()")
RIGHT = {
    "left before": body("guest_enter_irqoff()", RUN, "guest_exit_irqoff()", "local_irq_enable()"),
    "as today": body(
        "guest_timing_enter_irqoff()",
        "guest_state_enter_irqoff()",
        RUN,
        "guest_state_exit_irqoff()",
        "local_irq_enable()",
        "local_irq_disable()",
        "guest_timing_exit_irqoff()",
        "local_irq_enable()",
    ),
}


TRACED = body("guest_state_enter_irqoff()", "trace_kvm_entry(*vcpu_pc(vcpu))", RUN, "guest_state_exit_irqoff()")


@pytest.fixture(scope="module")
def clone(kernel_clone: Callable[[str], KernelClone]) -> KernelClone:
    return kernel_clone("6.12")


def test_interrupts_enabled_too_early_are_found(clone: KernelClone, reviewer: Reviewer) -> None:
    wrong = clone.commit({FILE: WRONG}, "KVM: arm64: Run the doorbell\n")
    run = reviewer.check(clone, clone.base, wrong)
    assert run.status == 1
    (finding,) = run.brought
    assert (finding["check"], finding["change"], finding["arch"]) == (CHECK, "introduced", "arm64")
    assert WRONG.split("\n")[finding["line"] - 1] == "\tlocal_irq_enable();"
    (citation,) = finding["citations"]
    assert citation["path"] == "include/linux/kvm_host.h"
    assert "Must be invoked with interrupts disabled and the" in citation["quote"]


@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT)
def test_right_order_is_silent_and_mends_the_wrong_one(text: str, clone: KernelClone, reviewer: Reviewer) -> None:
    wrong = clone.commit({FILE: WRONG}, "KVM: arm64: Run the doorbell\n")
    right = clone.commit({FILE: text}, "KVM: arm64: Leave the guest first\n", wrong)
    assert reviewer.check(clone, clone.base, clone.commit({FILE: text}, "KVM: arm64: Run\n")).findings == []
    run = reviewer.check(clone, wrong, right)
    assert run.status == 0
    assert [(f["check"], f["change"]) for f in run.findings] == [(CHECK, "fixed")], lines(run.findings)


def test_series_that_mends_itself_is_told_so(clone: KernelClone, reviewer: Reviewer) -> None:
    wrong = clone.commit({FILE: WRONG}, "KVM: arm64: Run the doorbell\n")
    right = clone.commit({FILE: RIGHT["left before"]}, "KVM: arm64: Leave the guest first\n", wrong)
    run = reviewer.check(clone, clone.base, right)
    assert run.status == 0
    assert [(f["patch"], f["change"], f["fixed_later"]) for f in run.findings] == [
        (1, "introduced", 2),
        (2, "fixed", None),
    ]


def test_found_in_the_real_run_loop_though_the_callee_should_have_left(clone: KernelClone, reviewer: Reviewer) -> None:
    path = "arch/arm64/kvm/arm.c"
    text = clone.read(path)
    leave = "\tguest_state_exit_irqoff();\n"
    last = "\t\tguest_timing_exit_irqoff();\n\n\t\tlocal_irq_enable();\n"
    assert (text.count(leave), text.count(last)) == (1, 1)
    late = text.replace(leave, "").replace(last, f"{last}\t{leave}")
    run = reviewer.check(clone, clone.base, clone.commit({path: late}, "KVM: arm64: Leave the guest late\n"))
    assert {(f["check"], f["function"]) for f in run.brought} == {(CHECK, "kvm_arch_vcpu_ioctl_run")}
    # Once to let pending interrupts in, once for good.
    where = [late.split("\n")[finding["line"] - 1].strip() for finding in run.brought]
    assert where == ["local_irq_enable();"] * 2, lines(run.findings)
    enabled_before_the_guest = next(
        n for n, line in enumerate(late.split("\n"), 1) if line == "\t\t\tlocal_irq_enable();"
    )
    assert enabled_before_the_guest not in {finding["line"] for finding in run.brought}


def test_tracepoint_in_the_guests_state_is_found(clone: KernelClone, reviewer: Reviewer) -> None:
    run = reviewer.check(clone, clone.base, clone.commit({FILE: TRACED}, "KVM: arm64: Trace the doorbell\n"))
    (finding,) = run.brought
    assert (finding["check"], finding["severity"]) == ("entry-rcu-use-in-eqs", "bug")
    assert TRACED.split("\n")[finding["line"] - 1] == "\ttrace_kvm_entry(*vcpu_pc(vcpu));"
    assert "absolutely no" in finding["citations"][0]["quote"]


def test_older_way_in_is_a_matter_of_style(clone: KernelClone, reviewer: Reviewer) -> None:
    left_before = clone.commit({FILE: RIGHT["left before"]}, "KVM: arm64: Run\n")
    run = reviewer.check(clone, clone.base, left_before, "--severity", "nit")
    found = {(finding["check"], finding["severity"]) for finding in run.brought}
    assert found == {("entry-deprecated-guest-enter", "nit")}, lines(run.brought)
    quotes = {citation["quote"] for finding in run.brought for citation in finding["citations"]}
    assert all("Deprecated. Architectures should move to" in quote for quote in quotes)
