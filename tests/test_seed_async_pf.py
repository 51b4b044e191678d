# SPDX-License-Identifier: GPL-2.0-or-later
"""The patches that moved an allocation out of a raw spinlock in x86's async page fault code, mailed and reviewed.

The tree is 6.12 with the fix undone. The patch proposed first allocates between an unlock and a lock, and goes on with
an answer looked up before; the one that was merged looks it up again, but may sleep in an interrupt; the
tree's present code does neither. All versions are made here by editing the tree's own text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.inbox import Inbox
from tests.kernels import KernelClone, Reviewer, Run, drafts, lines, prose, untouched, without_quotations
from tests.repos import git

FILE = "arch/x86/kernel/kvm.c"
ALLOCATION = "\t\tn = kzalloc(sizeof(*n), GFP_ATOMIC);\n"
UNDER_THE_LOCK = (
    ALLOCATION
    + """\
		if (!n) {
			raw_spin_unlock(&b->lock);
			cpu_relax();
			goto again;
		}
"""
)


def changed(text: str, old: str, new: str) -> str:
    """``text`` with the one ``old`` in it replaced."""
    assert text.count(old) == 1, (old, text)
    return text.replace(old, new)


def undone(text: str) -> str:
    """The file with kvm_async_pf_task_wake() allocating under the raw spinlock again."""
    start = text.index("void kvm_async_pf_task_wake(u32 token)")
    end = text.index("\n}\n", start) + 1
    function = text[start:end]
    head, rest = function.split("\t\tif (!dummy) {\n")
    tail = rest.split("\t\t\tgoto again;\n\t\t}\n")[1]
    last = tail.rindex("\traw_spin_unlock(&b->lock);\n") + len("\traw_spin_unlock(&b->lock);\n")
    filled = changed(tail[:last], "\t\tdummy = NULL;\n", "").replace("dummy", "n")
    function = changed(head, ", *dummy = NULL;", ";") + UNDER_THE_LOCK + filled
    return text[:start] + function + text[end:]


@dataclass(frozen=True)
class Patches:
    """The tree without the fix, and three patches for it as they were mailed."""

    clone: KernelClone
    base: str
    mails: dict[str, bytes]


@pytest.fixture(scope="module")
def patches(kernel_clone: Callable[[str], KernelClone], inbox: Inbox) -> Patches:
    clone = kernel_clone("6.12")
    now = clone.read(FILE)
    before = undone(now)
    proposed = changed(
        before,
        ALLOCATION,
        "\t\traw_spin_unlock(&b->lock);\n" + ALLOCATION.replace("ATOMIC", "KERNEL") + "\t\traw_spin_lock(&b->lock);\n",
    )
    accepted = changed(now, "kzalloc(sizeof(*dummy), GFP_ATOMIC)", "kzalloc(sizeof(*dummy), GFP_KERNEL)")
    base = clone.commit({FILE: before}, "x86/kvm: Allocate the token under the lock\n")
    git(clone.path, "update-ref", "HEAD", base)
    mails = {}
    for name, text in (("proposed", proposed), ("accepted", accepted), ("atomic", now)):
        commit = clone.commit({FILE: text}, f"x86/kvm: Move the allocation, {name}\n\nIt may sleep.\n", base)
        mails[name] = clone.mail(commit, f"{name}@async-pf.example.org")
    inbox.add(list(mails.values()))
    return Patches(clone, base, mails)


Review = Callable[..., Run]


@pytest.fixture
def review(patches: Patches, inbox: Inbox, reviewer: Reviewer, tmp_path: Path) -> Review:
    """``reviewer review`` of one of the patches, fetched from the archive; drafts go to tmp_path/drafts."""

    def run(name: str, *options: str) -> Run:
        place = ("--repo", str(patches.clone.path), "--lore", inbox.url, "--output", str(tmp_path / "drafts"))
        with untouched(patches.clone.path):
            return reviewer("review", f"{name}@async-pf.example.org", *place, *options)

    return run


def test_base_is_the_tree_that_the_patch_was_made_for(patches: Patches, review: Review) -> None:
    report = review("proposed", "--format", "json").data
    assert report["series"]["base"]["commit"] == patches.base
    assert [patch["applied"] for patch in report["patches"]] == ["yes"]


def test_patch_that_applies_some_lines_off_is_judged_where_it_applies(patches: Patches, review: Review) -> None:
    text = "/*\n" + " *\n" * 37 + " */\n" + patches.clone.read(FILE, patches.base)
    moved = patches.clone.commit({FILE: text}, "x86/kvm: Say more at the top\n", patches.base)
    there = review("proposed", "--format", "json").brought
    later = review("proposed", "--format", "json", "--base", moved).brought
    assert [(f["check"], f["change"], f["line"] - 39) for f in later] == [
        (f["check"], f["change"], f["line"]) for f in there
    ]
    assert [f["cause"] and f["cause"]["line"] - 39 for f in later] == [f["cause"] and f["cause"]["line"] for f in there]


def test_undone_tree_allocates_under_the_raw_spinlock(patches: Patches, reviewer: Reviewer) -> None:
    found = reviewer.check(patches.clone, patches.clone.base, patches.base).brought
    assert [(f["check"], f["function"]) for f in found] == [("rt-alloc-under-raw-spinlock", "kvm_async_pf_task_wake")]
    citation = found[0]["citations"][0]
    assert (citation["path"], citation["section"]) == ("Documentation/locking/locktypes.rst", "raw_spinlock_t on RT")
    assert "critical section must avoid allocating memory" in citation["quote"]


def test_first_proposal_is_asked_about_the_lookup_and_about_sleeping(review: Review) -> None:
    run = review("proposed", "--format", "json")
    assert run.status == 1
    assert sorted((f["check"], f["kernels"], f["change"], f["function"]) for f in run.brought) == [
        ("lock-drop-retake-no-recheck", "all", "exposed", "kvm_async_pf_task_wake"),  # the insertion is an old line
        ("lock-gfp-blocking-in-atomic", "all", "introduced", "kvm_async_pf_task_wake"),
    ], lines(run.findings)


def test_first_proposal_fixes_the_allocation_under_the_lock(review: Review) -> None:
    fixed = [f["check"] for f in review("proposed", "--format", "json").findings if f["change"] == "fixed"]
    assert fixed == ["rt-alloc-under-raw-spinlock"]


def test_sleeping_is_shown_from_the_interrupt_on(patches: Patches, review: Review) -> None:
    run = review("proposed", "--format", "json")
    (finding,) = [f for f in run.brought if f["check"] == "lock-gfp-blocking-in-atomic"]
    chain = [step["function"] for step in finding["witness"]]
    assert chain[0] == "sysvec_kvm_asyncpf_interrupt"
    assert chain[-1] == "kvm_async_pf_task_wake"
    assert "DEFINE_IDTENTRY_SYSVEC" in finding["witness"][0]["text"]
    assert "GFP_KERNEL" in finding["witness"][-1]["text"]
    mailed = patches.mails["proposed"].decode()
    assert f"+++ b/{finding['path']}\n" in mailed


def test_rules_are_quoted_from_the_tree(patches: Patches, review: Review) -> None:
    cited = {f["check"]: f["citations"] for f in review("proposed", "--format", "json").brought}
    assert {check: [citation["path"] for citation in citations] for check, citations in cited.items()} == {
        "lock-gfp-blocking-in-atomic": ["Documentation/core-api/memory-allocation.rst"],
        "lock-drop-retake-no-recheck": ["Documentation/kernel-hacking/locking.rst"],
    }
    for citation in (citation for citations in cited.values() for citation in citations):
        assert citation["commit"] == patches.base
        assert citation["quote"] in " ".join(patches.clone.read(citation["path"]).split())


@pytest.mark.parametrize("name", ["proposed", "accepted", "atomic"])
def test_draft_reads_as_it_did(
    name: str, patches: Patches, review: Review, tmp_path: Path, golden: Callable[[str, str], None]
) -> None:
    run = review(name, "--format", "json")
    (draft,) = drafts(tmp_path / "drafts")
    quotes = [citation["quote"] for finding in run.brought for citation in finding["citations"]]
    headers = "".join(f"{header}: {draft[header]}\n" for header in ("To", "Cc", "Subject", "In-Reply-To", "References"))
    text = without_quotations(draft, patches.mails[name], quotes, patches.base)
    golden(f"async-pf-{name}.txt", f"{headers}\n{text}")


def test_draft_quotes_the_lines_of_the_patch_byte_for_byte(patches: Patches, review: Review, tmp_path: Path) -> None:
    review("proposed")
    (draft,) = drafts(tmp_path / "drafts")
    quoted = [line[2:] for line in draft.get_content().split("\n") if line.startswith("> ")]
    assert "+\t\tn = kzalloc(sizeof(*n), GFP_KERNEL);" in quoted
    assert "+\t\traw_spin_lock(&b->lock);" in quoted
    mailed = patches.mails["proposed"].decode().split("\n")
    assert [line for line in quoted if line not in mailed] == []


def test_draft_opens_a_thread_under_the_patch_in_the_archive(
    patches: Patches, review: Review, reviewer: Reviewer, inbox: Inbox, tmp_path: Path
) -> None:
    review("proposed")
    (path,) = (tmp_path / "drafts").glob("*.eml")
    # A mail that is sent gets its date from git send-email.
    inbox.add([b"Date: Tue, 14 Nov 2023 12:00:00 +0000\n" + path.read_bytes()])
    (draft,) = drafts(tmp_path / "drafts")
    place = ("--repo", str(patches.clone.path), "--lore", inbox.url, "--output", str(tmp_path / "again"))
    run = reviewer("review", draft["Message-ID"].strip("<>"), *place, "--format", "json")
    assert run.data["series"]["message_id"] == "proposed@async-pf.example.org"


def test_accepted_patch_is_asked_about_sleeping_alone(review: Review, tmp_path: Path) -> None:
    run = review("accepted", "--format", "json")
    assert run.status == 1
    assert [(f["check"], f["kernels"], f["change"]) for f in run.brought] == [
        ("lock-gfp-blocking-in-atomic", "all", "introduced")
    ], lines(run.findings)
    (draft,) = drafts(tmp_path / "drafts")
    assert "GFP_KERNEL" in prose(draft)
    assert "_find_apf_task" not in prose(draft)


def test_atomic_version_raises_nothing_for_all_kernels(review: Review) -> None:
    run = review("atomic", "--format", "json")
    assert [f for f in run.brought if f["kernels"] == "all"] == [], lines(run.findings)
    assert {(f["check"], f["severity"]) for f in run.brought} <= {("rt-alloc-in-hardirq", "question")}


def test_atomic_version_is_at_most_asked_about_preempt_rt_with_what_was_before(review: Review, tmp_path: Path) -> None:
    review("atomic")
    for draft in drafts(tmp_path / "drafts"):
        assert "On PREEMPT_RT," in prose(draft)
        assert "Before this patch kzalloc(GFP_ATOMIC) was called with the raw spinlock b->lock held." in prose(draft)
