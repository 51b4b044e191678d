# SPDX-License-Identifier: GPL-2.0-or-later
"""A sleeping lock held from one MMU notifier callback to the next, and the count that took its place in KVM.

The tree is 6.12 with the rwsem put back into virt/kvm/kvm_main.c; the patch under review is what stands there today.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.kernels import KernelClone, Reviewer, lines

FILE, HEADER = "virt/kvm/kvm_main.c", "include/linux/kvm_host.h"
COUNT_UP = "\tspin_lock(&kvm->mn_invalidate_lock);\n\tkvm->mn_active_invalidate_count++;\n"
WAIT = "\tspin_lock(&kvm->mn_invalidate_lock);\n\tprepare_to_rcuwait(&kvm->mn_memslots_update_rcuwait);\n"
PUBLISH = "\trcu_assign_pointer(kvm->memslots[as_id], slots);\n"
RELEASE = "\tspin_unlock(&kvm->mn_invalidate_lock);\n"
ACROSS, SLEEPS = "kvm-mmu-notifier-lock-across-pair", "kvm-mmu-notifier-nonblock-sleep"


def replaced(text: str, start: str, end: str, new: str, after: str = "") -> str:
    """``text`` with what lies between ``start`` and the next ``end`` replaced, both included."""
    first = text.index(start, text.index(after))
    last = text.index(end, first) + len(end)
    return text[:first] + new + text[last:]


def with_rwsem(text: str) -> str:
    """The file with memslots exchanged under a rwsem that readers hold from start to end."""
    text = replaced(text, COUNT_UP, RELEASE, "\tdown_read(&kvm->mmu_notifier_slots_lock);\n")
    text = replaced(
        text,
        "\tspin_lock(&kvm->mn_invalidate_lock);\n",
        "rcuwait_wake_up(&kvm->mn_memslots_update_rcuwait);\n",
        "\tup_read(&kvm->mmu_notifier_slots_lock);\n",
        "static void kvm_mmu_notifier_invalidate_range_end(",
    )
    exchange = f"\tdown_write(&kvm->mmu_notifier_slots_lock);\n{PUBLISH}\tup_write(&kvm->mmu_notifier_slots_lock);\n"
    return replaced(text, WAIT, PUBLISH + RELEASE, exchange)


@dataclass(frozen=True)
class Trees:
    """A clone, and in it a commit with the rwsem."""

    clone: KernelClone
    rwsem: str


@pytest.fixture(scope="module")
def trees(kernel_clone: Callable[[str], KernelClone]) -> Trees:
    clone = kernel_clone("6.12")
    count = "\tunsigned long mn_active_invalidate_count;\n"
    header = clone.read(HEADER).replace(count, f"{count}\tstruct rw_semaphore mmu_notifier_slots_lock;\n")
    files = {FILE: with_rwsem(clone.read(FILE)), HEADER: header}
    return Trees(clone, clone.commit(files, "KVM: Exchange memslots under a rwsem\n"))


def test_lock_from_start_to_end_is_found(trees: Trees, reviewer: Reviewer) -> None:
    run = reviewer.check(trees.clone, trees.clone.base, trees.rwsem)
    assert run.status == 1
    found = {finding["check"]: finding for finding in run.brought}
    assert set(found) == {ACROSS, SLEEPS}, lines(run.brought)
    text = trees.clone.read(FILE, trees.rwsem).split("\n")
    for finding in found.values():
        assert finding["function"] == "kvm_mmu_notifier_invalidate_range_start"
        assert text[finding["line"] - 1] == "\tdown_read(&kvm->mmu_notifier_slots_lock);"
    assert [citation["path"] for citation in found[SLEEPS]["citations"]] == ["include/linux/mmu_notifier.h"]
    citation = found[ACROSS]["citations"][0]
    assert citation["path"] == "Documentation/virt/kvm/locking.rst"
    assert "use the same memslots array" in " ".join(citation["quote"].split())


def test_count_and_rcuwait_raise_nothing_and_mend_it(trees: Trees, reviewer: Reviewer) -> None:
    files = {path: trees.clone.read(path) for path in (FILE, HEADER)}
    count = trees.clone.commit(files, "KVM: Count the invalidations that run\n", trees.rwsem)
    run = reviewer.check(trees.clone, trees.rwsem, count)
    assert run.brought == [], lines(run.brought)
    assert {f["check"] for f in run.findings if f["change"] == "fixed"} == {ACROSS, SLEEPS}


def test_memslot_lock_in_the_callback_is_found(trees: Trees, reviewer: Reviewer) -> None:
    text = trees.clone.read(FILE)
    taken = "\tmutex_lock(&kvm->slots_arch_lock);\n\tmutex_unlock(&kvm->slots_arch_lock);\n"
    assert text.count(COUNT_UP) == 1
    files = {FILE: text.replace(COUNT_UP, taken + COUNT_UP)}
    run = reviewer.check(trees.clone, trees.clone.base, trees.clone.commit(files, "KVM: Lock the notifier\n"))
    found = {finding["check"]: finding for finding in run.brought}
    assert set(found) == {"kvm-mmu-notifier-slots-lock", SLEEPS}, lines(run.brought)
    (citation,) = found["kvm-mmu-notifier-slots-lock"]["citations"]
    assert citation["path"] == "Documentation/virt/kvm/locking.rst"
