# SPDX-License-Identifier: GPL-2.0-or-later
"""The replies that a careful reviewer would send, as mails for a person to read, edit and send.

One mail for each patch with findings, one on the cover letter for what concerns the series. A point that was made
already is not made again, a finding that several patches share is made once, and what a later patch mends is one
sentence. The prose stands in ``templates/``; mail and trees only ever supply values to it.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reviewer import __version__
from reviewer.errors import DraftError
from reviewer.mail import prose, rfc5322
from reviewer.mail.comment import comment_on
from reviewer.mail.outbox import Draft, write
from reviewer.mail.quote import Hunk, Spot, hunks_of, locate, quote, shifted, standing
from reviewer.mail.templates import Templates
from reviewer.mail.trailers import to_ask
from reviewer.model import (
    Address,
    Applied,
    Change,
    Finding,
    Message,
    Patch,
    PatchReview,
    Place,
    Review,
    Series,
    Severity,
)

__all__ = ["Draft", "compose", "write"]

PROGRAM = "reviewer"
MOST_FINDINGS = 3
MOST_LINES = 60
_SHORT = 12  # hexadecimal digits of a commit, as the kernel abbreviates them


@dataclass(frozen=True, slots=True)
class _Point:
    """A finding that is to be made: where it stands in the diff, and the patches that share it."""

    finding: Finding
    spot: Spot
    also: tuple[Spot, ...]
    same: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Comment:
    quote: str
    text: str


@dataclass(frozen=True, slots=True)
class _Reply:
    """A mail to be written: what it answers and what it has to say.

    ``mended`` are numbers of patches and findings, ``trailers`` quotations and comments.
    """

    message: Message
    number: int
    review: PatchReview | None
    hunks: tuple[Hunk, ...] = ()
    points: tuple[_Point, ...] = ()
    mended: tuple[tuple[int, Finding], ...] = ()
    trailers: tuple[tuple[str, str], ...] = ()


def compose(
    review: Review,
    *,
    sender: Address,
    nits: bool = False,
    templates: Templates | None = None,
    refused: Callable[[DraftError], None] | None = None,
) -> tuple[Draft, ...]:
    """The drafts for a review, in the order of the patches, the one on the cover letter first.

    ``nits`` also makes matters of style, but never a mail of them alone. ``templates`` are the program's own where
    none are given. Patches that did not come by mail get no draft. Raises DraftError where the mail that is
    answered has headers which cannot be answered safely; with ``refused`` the error goes there instead and the other
    mails are written.
    """
    series = review.series
    if series is None:
        return ()
    if not sender.email:
        raise DraftError(
            "tried to write replies: git does not know your address; set it with git config user.email and run again"
        )
    replies = _shared(_replies(review, series, nits))
    writer = _Writer(review, series, sender, templates or Templates())
    drafts = []
    for reply in _with_cover(replies, series):
        try:
            drafts.append(writer.draft(reply))
        except DraftError as error:
            if refused is None:
                raise
            refused(error)
    return tuple(drafts)


def _replies(review: Review, series: Series, nits: bool) -> list[_Reply]:
    found = []
    for checked in review.patches:
        patch = _patch_of(series, checked)
        if patch is None or patch.message is None:
            continue
        hunks = shifted(hunks_of(patch.diff), checked.shifts)
        brought = [one for one in checked.findings if one.change in (Change.INTRODUCED, Change.EXPOSED) or one.claim]
        wanted = [one for one in brought if one.severity is not Severity.NIT or nits]
        told = [_point(one, hunks) for one in wanted if one.fixed_later is None and one.raised is None]
        made = [one for one in told if one is not None]
        if all(one.finding.severity is Severity.NIT for one in made):
            made = []
        mended = [
            (checked.number, one) for one in wanted if one.fixed_later is not None and one.severity is not Severity.NIT
        ]
        trailers = to_ask(checked.claims, patch.message, series.replies)
        points = tuple(_weighed(made))
        found.append(_Reply(patch.message, checked.number, checked, hunks, points, tuple(mended), trailers))
    return found


def _patch_of(series: Series, checked: PatchReview) -> Patch | None:
    for patch in series.patches:
        if patch.message is not None and patch.message.message_id == checked.message_id:
            return patch
    return None


def _point(finding: Finding, hunks: Sequence[Hunk]) -> _Point | None:
    """Where the comment stands: under the patch's line that is to blame. None for a diff without a hunk."""
    spot = standing(hunks, finding)
    if spot is None:
        return None
    steps = [locate(hunks, Place(step.path, step.line)) for step in finding.witness]
    shown = [
        one
        for one, step in zip(steps, finding.witness, strict=True)
        if one is not None and step.line in (hunks[one.hunk].lines[one.line].new, hunks[one.hunk].lines[one.line].old)
    ]
    return _Point(finding, spot, tuple(shown))


def _weighed(points: Sequence[_Point]) -> list[_Point]:
    """What matters most first: the limits of a mail cut from the end."""
    return sorted(points, key=lambda point: (list(Severity).index(point.finding.severity), point.spot, _check(point)))


def _standing(points: Sequence[_Point]) -> list[_Point]:
    """As the comments stand below each other in the mail; on one line what matters most first."""
    return sorted(points, key=lambda point: point.spot)


def _check(point: _Point) -> str:
    return point.finding.check


def _shared(replies: list[_Reply]) -> list[_Reply]:
    """Makes a finding that several patches have once, in the first of them."""
    first: dict[tuple[str, str, str, str], tuple[int, int]] = {}
    same: dict[tuple[int, int], list[int]] = {}
    kept: list[list[_Point]] = []
    for at, reply in enumerate(replies):
        points: list[_Point] = []
        for point in reply.points:
            finding = point.finding
            key = (finding.check, finding.path, finding.function, finding.message)
            owner = first.get(key)
            if owner is None or owner[0] == at:
                first.setdefault(key, (at, len(points)))
                points.append(point)
            else:
                same.setdefault(owner, []).append(reply.number)
        kept.append(points)
    return [
        dataclasses.replace(
            reply,
            points=tuple(
                dataclasses.replace(point, same=tuple(dict.fromkeys(same.get((at, index), ()))))
                for index, point in enumerate(kept[at])
            ),
        )
        for at, reply in enumerate(replies)
    ]


def _with_cover(replies: list[_Reply], series: Series) -> list[_Reply]:
    """The replies that have something to say.

    What a later patch mends is a sentence in the patch's own mail. Without such a mail it concerns the series alone: it
    goes to the cover letter, or into the first mail of a series without one; on its own it makes no mail to a patch.
    """
    made = [reply for reply in replies if reply.points or reply.trailers]
    stray = tuple(one for reply in replies if not (reply.points or reply.trailers) for one in reply.mended)
    if not stray:
        return made
    if series.cover is not None:
        return [_Reply(series.cover, 0, None, mended=stray), *made]
    if made:
        made[0] = dataclasses.replace(made[0], mended=(*made[0].mended, *stray))
    return made


class _Writer:
    """Turns replies into mails."""

    def __init__(self, review: Review, series: Series, sender: Address, templates: Templates) -> None:
        self._series = series
        self._sender = sender
        self._total = series.total or len(series.patches)
        self._base = review.base.commit[:_SHORT] if review.base else ""
        self._templates = templates

    def draft(self, reply: _Reply) -> Draft:
        """One mail. Findings beyond its limits are left out and named in the draft."""
        points = list(reply.points[:MOST_FINDINGS])
        while True:
            body = self._body(reply, _standing(points))
            if len(points) <= 1 or len(list(prose.own_lines(body))) <= MOST_LINES:
                break
            points.pop()
        try:
            prose.check_body(body.rstrip("\n"))
        except DraftError as error:
            raise self._templates.blame(error) from error
        message = reply.message
        to, cc = rfc5322.audience(message, self._sender)
        message_id = rfc5322.message_id_for(message.message_id, body, self._sender)
        subject = rfc5322.reply_subject(message.subject)
        data = rfc5322.build(
            sender=self._sender,
            to=to,
            cc=cc,
            subject=subject,
            message_id=message_id,
            references=rfc5322.references_for(message),
            body=body,
        )
        return Draft(
            message_id=message_id,
            in_reply_to=message.message_id,
            subject=subject,
            to=to,
            cc=cc,
            data=data,
            patch=reply.number,
            findings=(*(point.finding for point in _standing(points)), *(finding for _, finding in reply.mended)),
            left_out=tuple(point.finding for point in reply.points[len(points) :]),
        )

    def _body(self, reply: _Reply, points: Sequence[_Point]) -> str:
        checks = dict.fromkeys([*(one.finding.check for one in points), *(one.check for _, one in reply.mended)])
        common = {
            "attribution": prose.harmless(self._attribution(reply.message)),
            "base": self._base,
            "separator": prose.SIGNATURE,
            "signature": f"{PROGRAM} {__version__}: {', '.join(map(prose.plain, checks)) or 'trailers'}",
        }
        if reply.review is None:
            sentences = [
                _Comment(self._listed(reply.message, number), self._not_bisectable(number, one))
                for number, one in reply.mended
            ]
            return self._templates.render("cover.txt.j2", {**common, "points": sentences})
        values = {
            "applied": reply.review.applied is not Applied.NO,
            "three_way": reply.review.applied is Applied.THREE_WAY,
            "reason": _without_lines(prose.plain(reply.review.reason)).rstrip("."),
            "comments": self._comments(reply, points),
            "points": [self._not_bisectable(number, one) for number, one in reply.mended],
        }
        return self._templates.render("reply.txt.j2", {**common, **values})

    @staticmethod
    def _attribution(message: Message) -> str:
        who = prose.plain(message.author.name) or prose.plain(message.author.email)
        date = prose.plain(message.date)
        return f"On {date}, {who} wrote:" if date else f"{who} wrote:"

    def _comments(self, reply: _Reply, points: Sequence[_Point]) -> list[_Comment]:
        comments = [_Comment(*trailer) for trailer in reply.trailers]
        after: Spot | None = None
        for point in points:
            same = [f"{number}/{self._total}" for number in point.same]
            lines = quote(reply.hunks, point.spot, after=after, also=point.also)
            comments.append(_Comment("\n".join(lines), comment_on(point.finding, self._templates, same)))
            after = point.spot
        return comments

    def _not_bisectable(self, number: int, finding: Finding) -> str:
        here = f"{number}/{self._total}"
        later = f"{finding.fixed_later}/{self._total}"
        return f"The series is not bisectable between {here} and {later}: {prose.sentence(finding.message)}"

    def _listed(self, cover: Message, number: int) -> str:
        """The cover letter's line that names the patch which breaks something, quoted; empty where there is none."""
        subjects = [patch.subject for patch in self._series.patches if patch.number == number and patch.subject]
        for line in cover.body.split("\n"):
            if subjects and line.strip() == subjects[0].strip() and "\r" not in line:
                return f"> {line}"
        return ""


def _without_lines(reason: str) -> str:
    """Why a patch did not apply, without line numbers, which mean nothing in the author's tree."""
    return re.sub(r"(\.\w+):\d+\b", r"\1", reason)
