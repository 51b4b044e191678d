# SPDX-License-Identifier: GPL-2.0-or-later
"""The real PREEMPT_RT queue for 6.12, mailed as the series of 43 patches that it is, and reviewed whole."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from tests.inbox import Inbox
from tests.kernels import KernelClone, Reviewer, Run, drafts, lines, untouched
from tests.mails import mail

ID = "rt-queue-{}@rt.example.org"


@dataclass(frozen=True)
class Queue:
    """The series on the list, and what reviewing it gave."""

    subjects: tuple[str, ...]
    run: Run
    drafts: Path


def names(queue: Path) -> list[str]:
    """The patches of the queue in the order of its series file."""
    listed = (line.strip() for line in (queue / "series").read_text().splitlines())
    return [name for name in listed if name and not name.startswith("#")]


def posted(patch: bytes, number: int) -> bytes:
    """A patch of the queue as mail of a thread; body and author as they stand in it."""
    head = f"Message-ID: <{ID.format(number)}>\nIn-Reply-To: <{ID.format(0)}>\nReferences: <{ID.format(0)}>\n"
    return re.sub(rb"\AFrom .*\n", head.encode() + b"To: list@example.org\n", patch)


def subject(patch: bytes) -> str:
    """The subject of a patch, without ``[PATCH]``."""
    header = message_from_bytes(patch, policy=policy.default)["Subject"]
    return re.sub(r"^\[PATCH[^]]*\] ", "", " ".join(header.split()))


@pytest.fixture(scope="module")
def queue(
    rt_queue: Path,
    kernel_clone: Callable[[str], KernelClone],
    inbox: Inbox,
    reviewer: Reviewer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Queue:
    patches = [(rt_queue / name).read_bytes() for name in names(rt_queue)]
    cover = mail(f"[PATCH 00/{len(patches)}] PREEMPT_RT for v6.12", ID.format(0), b"What is left to make it boot.\n")
    inbox.add([cover, *(posted(patch, number) for number, patch in enumerate(patches, 1))])
    clone = kernel_clone("6.12")
    folder = tmp_path_factory.mktemp("drafts")
    place = ("--repo", str(clone.path), "--lore", inbox.url, "--output", str(folder), "--format", "json")
    with untouched(clone.path):
        run = reviewer("review", ID.format(0), *place)
    return Queue(tuple(subject(patch) for patch in patches), run, folder)


def test_all_patches_are_there_in_order(queue: Queue) -> None:
    patches = queue.run.data["patches"]
    assert len(patches) == 43
    assert [patch["number"] for patch in patches] == list(range(1, 44))
    assert [patch["message_id"] for patch in patches] == [ID.format(number) for number in range(1, 44)]
    assert tuple(" ".join(patch["subject"].split()) for patch in patches) == queue.subjects


def test_all_patches_apply(queue: Queue) -> None:
    assert [
        (patch["number"], patch["reason"]) for patch in queue.run.data["patches"] if patch["applied"] != "yes"
    ] == []


def test_series_is_reviewed_without_errors(queue: Queue) -> None:
    assert queue.run.data["errors"] == []
    assert queue.run.data["series"]["subject"] == "PREEMPT_RT for v6.12"
    assert queue.run.status in (0, 1)


def test_patches_that_are_in_the_kernel_today_bring_no_bug(queue: Queue) -> None:
    bugs = [finding for finding in queue.run.brought if finding["severity"] == "bug"]
    assert bugs == [], lines(bugs)
    assert queue.run.status == 0
    assert drafts(queue.drafts) == []


@pytest.mark.parametrize(
    ("subject", "check", "function"),
    [
        # Preemption and interrupts are no longer disabled around the display engine's locks on PREEMPT_RT.
        (
            "drm/i915: Don't disable interrupts on PREEMPT_RT during atomic updates",
            "rt-spinlock-preempt-irq-off",
            "intel_pipe_update_start",
        ),
        (
            "drm/i915/gt: Use spin_lock_irq() instead of local_irq_disable() + spin_lock()",
            "rt-spinlock-preempt-irq-off",
            "execlists_dequeue_irq",
        ),
        # A local_lock takes the place of local_irq_save() around an allocation.
        (
            "powerpc/pseries/iommu: Use a locallock instead local_irq_save()",
            "rt-alloc-preempt-irq-off",
            "tce_buildmulti_pSeriesLP",
        ),
    ],
    ids=["display", "submission", "iommu"],
)
def test_what_the_queue_fixes_is_seen(queue: Queue, subject: str, check: str, function: str) -> None:
    (patch,) = [patch for patch in queue.run.data["patches"] if " ".join(patch["subject"].split()) == subject]
    fixed = {(f["check"], f["function"]) for f in patch["findings"] if f["change"] == "fixed"}
    assert (check, function) in fixed
