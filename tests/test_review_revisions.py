# SPDX-License-Identifier: GPL-2.0-or-later
"""Real series of several revisions, reviewed in a real tree: what the report says about the way that they took.

The golden files hold our own words. Lines of patches and words of comments are checked against the mails and stand
there as placeholders.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from reviewer.mail.fetch import fetch
from reviewer.mail.thread import RawMessage
from tests.inbox import Inbox
from tests.kernels import KernelClone, Reviewer

# Golden file, the revisions' mailboxes, and the message-id to ask an archive for where the mails link to each other.
REAL = (
    (
        "revisions-guest-entry.txt",
        ("kvmarm-generic-guest-entry-v1", "kvmarm-generic-guest-entry-v2", "kvmarm-generic-guest-entry-v3"),
        "20210802192809.1851010-1-oupton@google.com",
    ),
    (
        "revisions-exclusive-walk.txt",
        ("kvmarm-rcu-exclusive-walk-v2", "kvmarm-rcu-exclusive-walk-v3", "kvmarm-rcu-exclusive-walk-v4"),
        "20221118182222.3932898-1-oliver.upton@linux.dev",
    ),
    ("revisions-gtp-deadlock.txt", ("s390-gtp-deadlock-v2", "s390-gtp-deadlock-v3"), None),
    (
        "revisions-mmu-notifiers.txt",
        ("kvm-mmu-notifiers-v1", "kvm-mmu-notifiers-v2"),
        None,
    ),
)


@pytest.fixture(scope="module")
def clone(kernel_clone: Callable[[str], KernelClone]) -> KernelClone:
    """The user's repository."""
    return kernel_clone("6.12")


@pytest.mark.parametrize(("name", "boxes"), [row[:2] for row in REAL], ids=[row[0] for row in REAL])
def test_the_way_of_a_real_series(
    name: str,
    boxes: tuple[str, ...],
    clone: KernelClone,
    reviewer: Reviewer,
    shared: Path,
    tmp_path: Path,
    golden: Callable[[str, str], None],
) -> None:
    paths = [str(shared / "mail" / "threads" / f"{box}.mbox") for box in boxes]
    run = reviewer("review", *paths, "--repo", str(clone.path), "--offline", "--output", str(tmp_path))
    told = section(run.stdout)
    golden(name, without_mail(told, fetch(paths).messages))


@pytest.mark.parametrize("row", [row for row in REAL if row[2]], ids=[row[0] for row in REAL if row[2]])
def test_linked_revisions_are_fetched_from_the_archive(
    row: tuple[str, tuple[str, ...], str], clone: KernelClone, reviewer: Reviewer, shared: Path, inbox: Inbox
) -> None:
    paths = [str(shared / "mail" / "threads" / f"{box}.mbox") for box in row[1]]
    offline = reviewer("review", *paths, "--repo", str(clone.path), "--offline", "--format", "json").data
    online = reviewer("review", row[2], "--repo", str(clone.path), "--lore", inbox.url, "--format", "json").data
    assert [one["revision"] for one in online["revisions"]] == [one["revision"] for one in offline["revisions"]]
    assert online["revisions"][0] == offline["revisions"][0]
    alone = reviewer("review", paths[-1], "--repo", str(clone.path), "--offline", "--format", "json").data
    assert alone["revisions"] == []


def section(report: str) -> str:
    """The part of a report that compares revisions."""
    start = report.index("\nSince v")
    end = re.search(r"\n(?=Report: |Nothing found|\d+ (?:bug|question)|\d+/\d+ )", report[start:])
    assert end is not None, report
    return report[start + 1 : start + end.start()].rstrip("\n") + "\n"


def without_mail(told: str, messages: tuple[RawMessage, ...]) -> str:
    """The text with placeholders for lines of patches, subjects and comments; what is in no mail stays to be seen."""
    text = "\n".join(message.message.body for message in messages)
    lines = {bare(line) for line in text.split("\n")}
    words = bare(re.sub(r"(?m)^(?:> ?)+", "", text))
    titles = {message.title for message in messages}

    def told_line(line: str) -> str:
        subject = re.fullmatch(r"(  Patch [^:]*: )(.*)", line)
        if re.fullmatch(r" {6}[+-] ?.*", line) and (bare(line) in lines or bare(flipped(line)) in lines):
            return f"      {line[6]}<a line of a patch>"
        return f"{subject[1]}<its subject>" if subject and subject[2] in titles else line

    def comment(said: re.Match[str]) -> str:
        return "\u201c<comment>\u201d" if bare(said[1]) in words else said[0]

    return re.sub("\u201c([^\u201d]*)\u201d", comment, "\n".join(map(told_line, told.split("\n"))))


def flipped(line: str) -> str:
    """A line of an interdiff with the sign that it had in the earlier patch."""
    sign, text = line.strip()[0], line.strip()[1:]
    return {"+": "-", "-": "+"}[sign] + text


def bare(text: str) -> str:
    """Text without white space."""
    return "".join(text.split())
