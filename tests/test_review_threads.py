# SPDX-License-Identifier: GPL-2.0-or-later
"""Every real thread, fetched from an archive by message-id and reviewed in a real 6.12 tree, as a user would.

A tree that a series does not apply to is a normal case. What the program says of such a series is checked against the
tree, and every finding that stands here was checked by a person in the code it speaks of.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from reviewer.mail.fetch import fetch
from reviewer.mail.series import series_of
from tests.inbox import Inbox, split_mboxrd
from tests.kernels import KernelClone, Reviewer, Run, drafts, lines, untouched, without_quotations
from tests.repos import git


class Row(NamedTuple):
    """A thread and what is true of it: exit status, patches found and applied, sentences of the report."""

    thread: str
    message_id: str
    status: int
    here: int
    applied: int
    total: int
    says: tuple[str, ...]


NO_BASE = "HEAD was taken, as the series names no base that is here."
OLDER = "what the patches start from."
ROWS = (
    Row(
        "kvm-mmu-notifiers-v1",
        "20210326021957.1424875-1-seanjc@google.com",
        3,
        18,
        0,
        18,
        (OLDER, "There is a newer revision: v2, 20210402005658.3024832-1-seanjc@google.com"),
    ),
    Row(
        "kvm-mmu-notifiers-v2",
        "20210402005658.3024832-1-seanjc@google.com",
        3,
        10,
        0,
        10,
        (
            "revision 2",
            "1 reply carries a diff, which --inline-diff reviews",
            "while it holds &kvm->mmu_notifier_slots_lock {3:3}, taken in kvm_mmu_notifier_invalidate_range_start().",
            "necessary: kvm_mmu_notifier_invalidate_range_start() + down_read(&kvm->mmu_notifier_slots_lock);",
            "(2) No patch changes a function on this path.",
        ),
    ),
    Row(
        "kvm-swait-to-rcuwait",
        "20200324044453.15733-4-dave@stgolabs.net",
        3,
        1,
        0,
        4,
        ("Missing: 1, 2, 4 of 4 patches.", "There is a newer revision: v2, 20200420164132.tjzk5ebx35m66yce@linux-p48b"),
    ),
    Row(
        "kvm-swait-to-rcuwait",
        "20200420164132.tjzk5ebx35m66yce@linux-p48b",
        3,
        1,
        0,
        1,
        ("revision 2", "earlier revision v1"),
    ),
    Row(
        "kvmarm-generic-guest-entry-v1",
        "20210729195632.489978-1-oupton@google.com",
        3,
        3,
        0,
        3,
        ("There is a newer revision: v3, 20210802192809.1851010-1-oupton@google.com",),
    ),
    Row(
        "kvmarm-generic-guest-entry-v2",
        "20210729220916.1672875-1-oupton@google.com",
        3,
        3,
        0,
        3,
        ("revision 2", "There is a newer revision: v3, 20210802192809.1851010-1-oupton@google.com"),
    ),
    Row(
        "kvmarm-generic-guest-entry-v3",
        "20210802192809.1851010-1-oupton@google.com",
        3,
        3,
        0,
        3,
        ("revision 3", "In it none of the 5 changed files is what the patches start from."),
    ),
    Row(
        "kvmarm-git-pull",
        "20190709122507.214494-1-marc.zyngier@arm.com",
        3,
        18,
        0,
        18,
        (
            "This is a pull request; reviewed are the patches mailed under it.",
            "The base-commit of the series, 4b972a01a7da, is not in this repository.",
            "git fetch git://git.kernel.org/pub/scm/linux/kernel/git/kvmarm/kvmarm.git tags/kvm-arm-for-5.3",
        ),
    ),
    Row(
        "kvmarm-nohz-full-rcu-discussion",
        "d80e440375896f75d45e227d40af60ca7ba24ceb.camel@redhat.com",
        3,
        0,
        0,
        0,
        ("This is a discussion of 22 messages, and none of them is a patch: there is nothing to review.",),
    ),
    Row(
        "kvmarm-parallel-faults-v5",
        "20221107215644.1895162-1-oliver.upton@linux.dev",
        3,
        14,
        0,
        14,
        ("revision 5", "The base-commit of the series, 30a0b95b1335, is not in this repository."),
    ),
    Row(
        "kvmarm-rcu-exclusive-walk-v2",
        "20221115225502.2240227-1-oliver.upton@linux.dev",
        3,
        1,
        0,
        1,
        ("revision 2", "There is a newer revision: v4, 20221118182222.3932898-1-oliver.upton@linux.dev"),
    ),
    Row(
        "kvmarm-rcu-exclusive-walk-v3",
        "20221116165655.2649475-1-oliver.upton@linux.dev",
        3,
        2,
        0,
        2,
        ("revision 3", "There is a newer revision: v4, 20221118182222.3932898-1-oliver.upton@linux.dev"),
    ),
    Row(
        "kvmarm-rcu-exclusive-walk-v4",
        "20221118182222.3932898-1-oliver.upton@linux.dev",
        3,
        3,
        0,
        3,
        ("revision 4", "already applied"),
    ),
    Row(
        "kvmarm-vgic-ap-list-deadlock",
        "1566837552-127854-1-git-send-email-guoheyi@huawei.com",
        3,
        1,
        0,
        1,
        ("virt/kvm/arm/vgic/vgic.c does not exist in this tree",),
    ),
    Row(
        "s390-entry-gmap-v4",
        "20241022120601.167009-1-imbrenda@linux.ibm.com",
        0,
        11,
        11,
        11,
        ("revision 4", "In it 8 of the 15 changed files differ from what the patches start from."),
    ),
    Row(
        "s390-gtp-deadlock-v2",
        "20241005045411.118720-1-danielyangkang@gmail.com",
        0,
        1,
        1,
        1,
        ("There is a newer revision: v3,",),
    ),
    Row("s390-gtp-deadlock-v3", "cover.1729031472.git.danielyangkang@gmail.com", 0, 2, 2, 2, ("revision 3",)),
    Row("s390-vfio-ap-signal", "20250107183645.90082-1-rreyes@linux.ibm.com", 0, 1, 1, 1, (NO_BASE,)),
    Row(
        "s390-vmcore-mutex-v1",
        "20241025151134.1275575-1-david@redhat.com",
        1,
        11,
        11,
        11,
        (NO_BASE, "There is a newer revision: v2, 20241204125444.1734652-1-david@redhat.com", "1 bug."),
    ),
    Row(
        "s390-vmcore-mutex-v2",
        "20241204125444.1734652-1-david@redhat.com",
        1,
        12,
        12,
        12,
        ("The base-commit of the series, feffde684ac2, is not in this repository.", "1 bug."),
    ),
)
# By message-id: patch, check, file, function. vmcore_add_device_dump() goes to out_err with vmcore_mutex held, which
# mainline changed to a scoped_guard() later.
FINDINGS: Mapping[str, list[tuple[int, str, str, str]]] = {
    "20241025151134.1275575-1-david@redhat.com": [(3, "lock-imbalance", "fs/proc/vmcore.c", "vmcore_add_device_dump")],
    "20241204125444.1734652-1-david@redhat.com": [(3, "lock-imbalance", "fs/proc/vmcore.c", "vmcore_add_device_dump")],
}


@pytest.fixture(scope="module")
def clone(kernel_clone: Callable[[str], KernelClone]) -> KernelClone:
    """The user's repository."""
    return kernel_clone("6.12")


Review = Callable[..., Run]


@pytest.fixture
def review(clone: KernelClone, inbox: Inbox, reviewer: Reviewer) -> Review:
    """``reviewer review`` of a thread on the list, in the clone, with the drafts in a folder."""

    def run(row: Row, output: Path, *options: str) -> Run:
        place = ("--repo", str(clone.path), "--lore", inbox.url, "--output", str(output))
        return reviewer("review", row.message_id, *place, *options)

    return run


def row_of(thread: str) -> Row:
    """The row of a thread."""
    return next(row for row in ROWS if row.thread == thread)


def test_every_thread_is_in_the_table(shared: Path) -> None:
    assert {path.stem for path in (shared / "mail" / "threads").glob("*.mbox")} == {row.thread for row in ROWS}


# One test for all that is to be said of a thread, so that each thread is reviewed as seldom as possible.
@pytest.mark.parametrize("row", ROWS, ids=[f"{number}-{row.thread}" for number, row in enumerate(ROWS, 1)])
def test_thread_is_reviewed_as_it_deserves(row: Row, review: Review, clone: KernelClone, tmp_path: Path) -> None:
    told = review(row, tmp_path / "text")
    with untouched(clone.path):
        data = review(row, tmp_path / "data", "--format", "json")
    report_tells_the_truth(row, told)
    patches_apply_or_the_reason_is_true(row, data, clone)
    findings_are_those_that_a_person_has_found_true(row, data)
    assert len(drafts(tmp_path / "text")) == len({finding["patch"] for finding in data.brought})
    assert bytes_of_drafts(tmp_path / "text") == bytes_of_drafts(tmp_path / "data")


def report_tells_the_truth(row: Row, run: Run) -> None:
    """Check the report for people."""
    assert run.stderr == ""
    assert run.status == row.status, run.stdout
    for sentence in row.says:
        assert sentence in run.text, run.stdout
    if row.here:
        patches = "patch" if row.here == 1 else "patches"
        assert f"{row.applied} of {row.here} {patches} applied." in run.text


def patches_apply_or_the_reason_is_true(row: Row, run: Run, clone: KernelClone) -> None:
    """Check what became of each patch."""
    data = run.data
    assert run.status == row.status
    assert data["errors"] == []
    assert data["series"]["base"]["commit"] == clone.base
    assert len(data["patches"]) == row.here
    assert [patch["number"] for patch in data["patches"] if patch["applied"] != "no"] == list(range(1, row.applied + 1))
    for patch in data["patches"]:
        assert bool(patch["reason"]) == (patch["applied"] != "yes")
        if patch["applied"] == "no":
            for reason in re.split(r"; (?=\S+(?: does not exist|: (?:context|corrupt|already)))", patch["reason"]):
                assert_true(reason, clone)


def assert_true(reason: str, clone: KernelClone) -> None:
    """Check a reason for a refusal against the tree: no patch before this one has changed it."""
    if missing := re.fullmatch(r"(\S+) does not exist in this tree", reason):
        assert git(clone.path, "ls-tree", "HEAD", missing[1]) == ""
        return
    if done := re.fullmatch(r"\S+: already applied \(the tree already holds what the patch changes in (.+)\)", reason):
        assert all(git(clone.path, "ls-tree", "HEAD", path) for path in done[1].split(", "))
        return
    differs = re.fullmatch(r"(\S+):(\d+): context differs \(the hunk at line \d+ (.+)\)", reason)
    assert differs, reason
    there = clone.read(differs[1]).split("\n")
    if differs[3] == "does not fit the file":
        return
    what = re.fullmatch(r"expects (.+) at line (\d+), the file has (.+)", differs[3])
    assert what, reason
    assert what[2] == differs[2]
    assert what[1] != what[3]
    line = there[int(what[2]) - 1].strip()
    shown = "" if what[3] == "an empty line" else what[3].strip('"').removesuffix("...")
    assert "".join(character if character.isprintable() else " " for character in line).startswith(shown), reason


def test_patches_said_to_be_applied_already_are(shared: Path, clone: KernelClone, tmp_path: Path) -> None:
    for thread, number in (("kvmarm-rcu-exclusive-walk-v4", 3), ("kvmarm-git-pull", 1)):
        series = series_of(fetch(str(shared / "mail" / "threads" / f"{thread}.mbox")))
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("GIT_INDEX_FILE", str(tmp_path / thread))
            git(clone.path, "read-tree", "HEAD")
            git(clone.path, "apply", "--cached", "--check", "--reverse", stdin=series.patches[number - 1].diff)


def findings_are_those_that_a_person_has_found_true(row: Row, run: Run) -> None:
    """Check against the table: nothing else is brought, and nothing is said to be mended that was not broken."""
    found = [(f["patch"], f["check"], f["path"], f["function"]) for f in run.brought]
    assert found == FINDINGS.get(row.message_id, []), lines(run.brought)
    assert [f for f in run.findings if f["change"] == "fixed"] == [], lines(run.findings)


def bytes_of_drafts(folder: Path) -> dict[str, bytes]:
    """The drafts by name."""
    return {path.name: path.read_bytes() for path in folder.glob("*.eml")}


def test_lock_left_held_is_asked_about_where_the_path_leaves(
    review: Review, clone: KernelClone, shared: Path, tmp_path: Path, golden: Callable[[str, str], None]
) -> None:
    run = review(row_of("s390-vmcore-mutex-v2"), tmp_path, "--format", "json")
    (draft,) = drafts(tmp_path)
    assert draft["Subject"] == (
        "Re: [PATCH v2 03/12] fs/proc/vmcore: disallow vmcore modifications while the vmcore is open"
    )
    assert draft["In-Reply-To"] == "<20241204125444.1734652-4-david@redhat.com>"
    quoted, _, _ = draft.get_content().partition("\n\nIs the unlock")
    assert quoted.endswith("\n> +\t\tgoto out_err;")
    mails = split_mboxrd((shared / "mail" / "threads" / "s390-vmcore-mutex-v2.mbox").read_bytes())
    (mailed,) = [mail for mail in mails if b"\nMessage-ID: <20241204125444.1734652-4-david@redhat.com>\n" in mail]
    rules = [citation["quote"] for finding in run.brought for citation in finding["citations"]]
    golden("vmcore-lock-left-held.txt", without_quotations(draft, mailed, rules, clone.base))


def test_repository_of_the_user_is_as_git_left_it(review: Review, clone: KernelClone, tmp_path: Path) -> None:
    review(row_of("s390-vmcore-mutex-v2"), tmp_path)
    assert git(clone.path, "--no-optional-locks", "status", "--porcelain") == ""
    assert git(clone.path, "count-objects") == "0 objects, 0 kilobytes"
