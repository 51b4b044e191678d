# SPDX-License-Identifier: GPL-2.0-or-later
"""A real series with one more reply: what somebody says of a finding in it is told, and not said again in a draft.

The reply is ours and quotes the real patch as mailers do; the golden file holds our own words alone.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from reviewer.mail.draft import compose
from reviewer.mail.fetch import fetch
from reviewer.mail.quote import decoded, hunks_of
from reviewer.mail.raised import with_raised
from reviewer.mail.series import series_of
from reviewer.model import Applied, Base, Change, Finding, Kernels, Patch, PatchReview, Place, Review, Severity, Step
from reviewer.report.text import render
from tests import mails
from tests.test_draft import JANE

BOX = "s390-vmcore-mutex-v2"
NUMBER = 3
LINE = "+\t\tgoto out_err;"
PATH, FUNCTION = "fs/proc/vmcore.c", "vmcore_add_device_dump"


def finding_in(patch: Patch) -> Finding:
    """What the program finds in the patch: the new way out leaves the lock held."""
    (line,) = [line.new for hunk in hunks_of(patch.diff) for line in hunk.lines if decoded(line.text) == LINE]
    assert line is not None
    return Finding(
        check="lock-imbalance",
        area="locking",
        severity=Severity.BUG,
        kernels=Kernels.ALL,
        change=Change.EXPOSED,
        path=PATH,
        line=line + 10,
        function=FUNCTION,
        message="returns with vmcore_mutex held, unlike the other paths",
        question="Is the unlock of vmcore_mutex missing on this path?",
        cause=Place(PATH, line),
        witness=(
            Step(PATH, line - 3, FUNCTION, "mutex_lock(&vmcore_mutex)"),
            Step(PATH, line + 10, FUNCTION, "return"),
        ),
    )


@pytest.fixture
def review(shared: Path, tmp_path: Path) -> Callable[..., Review]:
    """The real series with replies of our own to the patch, and the finding."""

    def made(*replies: bytes) -> Review:
        path = tmp_path / "thread.mbox"
        path.write_bytes((shared / "mail" / "threads" / f"{BOX}.mbox").read_bytes() + mails.mboxrd(*replies))
        series = series_of(fetch(str(path)))
        patch = series.patches[NUMBER - 1]
        assert patch.message is not None
        found = PatchReview(
            NUMBER, "<subject>", patch.message.message_id, None, Applied.YES, findings=(finding_in(patch),)
        )
        return with_raised(Review(series, Base("0" * 40, "HEAD"), (found,)))

    return made


@pytest.fixture
def lines(shared: Path) -> list[str]:
    """The lines of the diff down to the one that is to blame."""
    series = series_of(fetch(str(shared / "mail" / "threads" / f"{BOX}.mbox")))
    (hunk,) = [
        hunk
        for hunk in hunks_of(series.patches[NUMBER - 1].diff)
        if LINE in [decoded(line.text) for line in hunk.lines]
    ]
    texts = [decoded(line.text) for line in hunk.lines]
    return texts[: texts.index(LINE) + 1]


def reply(quoted: list[str], comment: str) -> bytes:
    """A reply to the real patch."""
    body = "\n".join(["On Thu, Dec 5, 2024, Somebody wrote:", *quoted, "", comment, "", "-- ", "Max"])
    return mails.mail(
        f"Re: [PATCH v2 {NUMBER:02}/12] x",
        "raised@example.org",
        body.encode(),
        sender="Max Maintainer <max@example.net>",
        reply_to="20241204125444.1734652-4-david@redhat.com",
    )


def report(review: Review, capsys: pytest.CaptureFixture[str]) -> str:
    """The report from the finding on."""
    render(review, Console(width=80, soft_wrap=True, markup=False, highlight=False))
    told = capsys.readouterr().out
    return told[told.index(f"\n{NUMBER}/12 <subject>") :].lstrip("\n")


def test_a_point_on_the_line_is_told_and_left_out(
    review: Callable[..., Review],
    lines: list[str],
    golden: Callable[[str, str], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Quoted two deep, with the tabs made blanks."""
    quoted = [f"> > {line.expandtabs(4)}" for line in lines]
    found = review(reply(quoted, "This returns with vmcore_mutex held. Is the unlock missing?"))
    golden("raised-vmcore.txt", report(found, capsys))
    assert compose(found, sender=JANE) == ()


def test_a_point_on_the_lock_a_few_lines_above_is_the_same(review: Callable[..., Review], lines: list[str]) -> None:
    found = review(reply([f"|{line}" for line in lines[:-1]], "Who does the unlock of vmcore_mutex when this fails?"))
    assert compose(found, sender=JANE) == ()


def test_what_the_real_replies_say_is_not_this(review: Callable[..., Review], lines: list[str]) -> None:
    assert len(compose(review(), sender=JANE)) == 1
    other = reply([f"> {line}" for line in lines], "Nice, this reads well now.")
    assert len(compose(review(other), sender=JANE)) == 1
