# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings of a review that somebody has made already: in a reply, or the author by answering them beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from reviewer.mail.exchanges import is_telling
from reviewer.mail.quote import Hunk, decoded, hunks_of, locate, shifted, standing
from reviewer.mail.said import answered_by_author, explained_by_author, said_in_reply
from reviewer.model import Change, Finding, Patch, PatchReview, Place, Raised, Review, Series, Where


def with_raised(review: Review) -> Review:
    """The review with ``raised`` set on what the patches bring and somebody has said before."""
    series = review.series
    if series is None:
        return review
    patches = {patch.message.message_id: patch for patch in series.patches if patch.message is not None}
    return replace(
        review,
        patches=tuple(
            _marked(checked, patches[checked.message_id], series) if checked.message_id in patches else checked
            for checked in review.patches
        ),
    )


def _marked(checked: PatchReview, patch: Patch, series: Series) -> PatchReview:
    hunks = shifted(hunks_of(patch.diff), checked.shifts)
    return replace(
        checked,
        findings=tuple(
            replace(finding, raised=_raised(finding, hunks, patch, series))
            if finding.change in (Change.INTRODUCED, Change.EXPOSED)
            else finding
            for finding in checked.findings
        ),
    )


def _raised(finding: Finding, hunks: Sequence[Hunk], patch: Patch, series: Series) -> Raised | None:
    message = patch.message
    if message is None:
        return None
    for where, answered in (
        (Where.NOTES, answered_by_author(finding, message)),
        (Where.COMMIT_MESSAGE, explained_by_author(finding, patch.description)),
    ):
        if answered:
            return Raised(message.author, message.message_id, where, author=True)
    spot = standing(hunks, finding)
    if spot is None:
        return None
    around = {decoded(line.text) for line in hunks[spot.hunk].lines if is_telling(decoded(line.text))}
    for line in dict.fromkeys(_lines(finding, hunks)):
        reply = said_in_reply(finding, line, series.replies, around=around)
        if reply is not None:
            author = reply.author.email.lower() == message.author.email.lower()
            return Raised(reply.author, reply.message_id, Where.REPLY, author)
    return None


def _lines(finding: Finding, hunks: Sequence[Hunk]) -> Iterator[str]:
    """The lines of the diff that a reply about the finding would quote: its own, those of its chain."""
    spot = standing(hunks, finding)
    if spot is not None:
        yield decoded(hunks[spot.hunk].lines[spot.line].text)
    for step in finding.witness:
        at = locate(hunks, Place(step.path, step.line))
        line = hunks[at.hunk].lines[at.line] if at is not None else None
        if line is not None and line.changed and step.line in (line.new, line.old):
            yield decoded(line.text)
