# SPDX-License-Identifier: GPL-2.0-or-later
"""From a thread to the series that is to be reviewed: which revision, its patches in order, what is missing.

The revision that was asked for by message-id is the one that is taken, even if the thread or the server has a newer
one; b4's ``shazam`` and ``am -c`` take the newer without a word. What the user should know stands in ``notes``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from reviewer.errors import SeriesError
from reviewer.mail import diffs, mailinfo
from reviewer.mail.headers import printable
from reviewer.mail.postings import Posting, components, postings_of, related, revisions_of
from reviewer.mail.remarks import about_damage, about_others, about_patches, about_replies, how_to_pull, listed
from reviewer.mail.thread import RawMessage, Thread
from reviewer.model import Address, Attestation, Message, Patch, Series, ThreadKind
from reviewer.wording import counted

_BASE_COMMIT: Final = re.compile(r"^base-commit:[ \t]+([0-9a-f]{7,64})\b", re.MULTILINE | re.IGNORECASE)
_PREREQUISITE: Final = re.compile(
    r"^prerequisite-(patch-id|message-id|change-id):[ \t]+<?([^\s<>]+)>?", re.MULTILINE | re.IGNORECASE
)
# Words in a subject's brackets that name no branch.
_NO_BRANCH: Final = re.compile(r"(?:patch|rfc|rft|resend|repost|rebased?|v\d+|\d+/\d+|git|pull)\S*", re.IGNORECASE)
# What git-request-pull(1) writes.
_PULL_BASE: Final = re.compile(r"^The following changes since commit ([0-9a-f]{40,64}):", re.MULTILINE)


def series_of(thread: Thread, *, revision: int | None = None, inline_diff: bool = False) -> Series:
    """The series in ``thread`` that was asked for, else its newest revision.

    ``inline_diff`` takes the diff that a reply carries: of the mail that was asked for, else of the only one.
    A thread without a patch gives a Series without patches, whose kind and notes say what it is.
    SeriesError if the wanted revision is not there, or if more than one series could be meant.
    """
    replies_with_diff = [message for message in thread.messages if message.reply and message.has_diff]
    if inline_diff and replies_with_diff:
        return _inline(thread, replies_with_diff)
    all_of_them = postings_of(thread)
    if not all_of_them:
        if revision is not None:
            raise SeriesError(f"looked for revision {revision} in {thread.origin}: there is no patch in it")
        return _without_patches(thread, replies_with_diff)
    chosen = _choose(thread, all_of_them, revision)
    connected = components(thread)
    here = {id(message) for at, message in enumerate(thread.messages) if connected[at] == chosen.component}
    series = _series(thread, chosen, all_of_them, [one for one in replies_with_diff if id(one) in here])
    return replace(series, earlier=_earlier(thread, chosen, all_of_them))


# Which posting is meant


def _choose(thread: Thread, all_of_them: Sequence[Posting], revision: int | None) -> Posting:
    anchor = _anchor(thread, all_of_them)
    line = [anchor] if anchor and revision is None else _line(thread, all_of_them, anchor)
    if revision is not None:
        line = [posting for posting in line if posting.revision == revision]
        if not line:
            known = sorted({posting.revision for posting in all_of_them})
            there = thread.newer is not None and thread.newer[0] == revision
            which = (
                f"the message-id of that revision, {thread.newer[1]}" if thread.newer and there else "its message-id"
            )
            raise SeriesError(
                f"looked for revision {revision} in {thread.origin}: it holds {_revisions(known)}; "
                f"ask for one of these, or give {printable(which)}"
            )
    # The newest; of several with the same number the one of which most is here, then the one sent last.
    return max(
        line, key=lambda posting: (posting.revision, bool(posting.patches), -len(posting.missing), posting.order)
    )


def _revisions(known: Sequence[int]) -> str:
    return f"revision {known[0]} only" if len(known) == 1 else f"the revisions {listed(known)}"


def _anchor(thread: Thread, all_of_them: Sequence[Posting]) -> Posting | None:
    """The posting that the wanted mail belongs to or answers."""
    wanted = thread.by_id.get(thread.wanted or "")
    if wanted is None:
        return None
    for message in thread.ancestors(wanted):
        own = [posting for posting in all_of_them if any(message is member for member in posting.members)]
        if own:
            # A patch that was carried over belongs to the revision it was sent in.
            return min(own, key=lambda posting: (not posting.patches, posting.revision))
    return None


def _line(thread: Thread, all_of_them: Sequence[Posting], anchor: Posting | None) -> list[Posting]:
    """All revisions of one series: the anchor's, else the only one there is. SeriesError if there are several."""
    start = anchor or all_of_them[0]
    line = revisions_of(start, all_of_them)
    others = [posting for posting in all_of_them if posting not in line and posting.component != start.component]
    if anchor is None and others:
        found = [start, *others]
        lines = "".join(
            f"\n  {printable(posting.first.message_id) or '(no message-id)'}  {printable(posting.title)}"
            for posting in found
        )
        raise SeriesError(
            f"looked for a series in {thread.origin}: it holds {len(found)} that have nothing to do with each other; "
            f"name one of them by its message-id after the file:{lines}"
        )
    return line


def _earlier(thread: Thread, chosen: Posting, all_of_them: Sequence[Posting]) -> tuple[Series, ...]:
    """What was sent of the series before, the oldest first; of a revision that was sent again the last sending."""
    before: dict[int, Posting] = {}
    for posting in revisions_of(chosen, all_of_them):
        older = posting.revision < chosen.revision or (
            posting.revision == chosen.revision and posting.order < chosen.order and chosen.is_resend
        )
        if older and posting.patches and posting is not chosen:
            before[posting.revision] = posting
    found = []
    for _, posting in sorted(before.items()):
        series = _series(thread, posting, all_of_them, ())
        found.append(replace(series, replies=_answers_to(thread, posting, all_of_them)))
    return tuple(found)


def _answers_to(thread: Thread, posting: Posting, all_of_them: Sequence[Posting]) -> tuple[Message, ...]:
    """The replies in the thread below the mails of one posting, and below no other."""
    owner = {id(member): one for one in reversed(all_of_them) for member in one.members}
    found = []
    for message in thread.messages:
        if id(message) in owner:
            continue
        above = next((owner[id(one)] for one in thread.ancestors(message) if id(one) in owner), None)
        if above is posting:
            found.append(message.message)
    return tuple(found)


# What is in it


def _series(
    thread: Thread, posting: Posting, all_of_them: Sequence[Posting], replies_with_diff: Sequence[RawMessage]
) -> Series:
    patches: list[Patch] = []
    notes: list[str] = []
    for number in sorted(posting.patches):
        patch, said = _patch(number, posting.patches[number])
        patches.append(patch)
        notes += [f"Patch {number}/{posting.total} {remark}." for remark in said]
    used = {id(member) for one in all_of_them for member in one.members}
    first = posting.patches.get(1)
    about = "\n".join(message.message.body for message in (posting.cover, first) if message is not None)
    pulled = posting.cover is not None and posting.cover.is_pull_request
    base = _BASE_COMMIT.search(about) or (_PULL_BASE.search(about) if pulled else None)
    newer = _newer(thread, posting, all_of_them)
    notes = [
        *about_patches(thread, posting, newer),
        *about_others(posting, all_of_them),
        *notes,
        *about_replies(thread, replies_with_diff),
        *about_damage(thread),
        *thread.notes,
    ]
    if pulled and posting.cover is not None:
        notes.insert(
            0, f"This is a pull request; reviewed are the patches mailed under it.{how_to_pull(posting.cover)}"
        )
    return Series(
        kind=ThreadKind.PULL_REQUEST if pulled else ThreadKind.SERIES,
        message_id=posting.first.message_id or None,
        subject=posting.title,
        revision=posting.revision,
        author=_author(posting),
        patches=tuple(patches),
        total=posting.total,
        cover=posting.cover.message if posting.cover else None,
        replies=tuple(message.message for message in thread.messages if id(message) not in used),
        missing=posting.missing,
        newer=newer,
        base_commit=base[1].lower() if base else None,
        change_id=posting.change_id,
        prerequisites=tuple(dict.fromkeys(f"{kind.lower()}:{value}" for kind, value in _PREREQUISITE.findall(about))),
        branches=_branches(posting),
        attestations=_attestations(thread, posting),
        notes=tuple(notes),
    )


def _author(posting: Posting) -> Address | None:
    author = posting.first.message.author
    return author if author.email else None


def _patch(number: int, mail: RawMessage, *, inline: bool = False) -> tuple[Patch, tuple[str, ...]]:
    found = mailinfo.inline(mail.raw) if inline else mailinfo.split(mail.raw)
    notes = list(found.notes)
    if not found.diff:
        notes.append("holds no diff that git can read")
    elif not inline and not diffs.is_whole(found.diff) and not found.notes:
        notes.append("is damaged: a hunk has more or fewer lines than it says")
    trailers = mailinfo.trailers_of(found.description)
    patch = Patch(
        number=number,
        subject=found.subject or mail.title,
        diff=found.diff,
        description=found.description,
        message=mail.message if mail.message_id else None,
        trailers=trailers,
        inline=inline,
    )
    return patch, tuple(notes)


def _branches(posting: Posting) -> tuple[str, ...]:
    """What the brackets of the subjects say about the branch: ``6.1``, ``6.1.y``, ``stable``, ``net-next``."""
    words = [word.strip(",;:") for message in posting.members for word in message.prefixes]
    return tuple(dict.fromkeys(word for word in words if word and not _NO_BRANCH.fullmatch(word)))


def _attestations(thread: Thread, posting: Posting) -> tuple[Attestation, ...]:
    known = ((number, thread.attestations.get(patch.message_id)) for number, patch in sorted(posting.patches.items()))
    return tuple(Attestation(number, said[0], said[1]) for number, said in known if said is not None)


def _newer(thread: Thread, posting: Posting, all_of_them: Sequence[Posting]) -> tuple[int, str] | None:
    later = [
        (one.revision, one.first.message_id)
        for one in all_of_them
        if one.revision > posting.revision and one.first.message_id and related(posting, one)
    ]
    if thread.newer and thread.newer[0] > posting.revision:
        later.append(thread.newer)
    return max(later, key=lambda one: one[0]) if later else None


# Threads without a patch, and diffs in replies


def _without_patches(thread: Thread, replies_with_diff: Sequence[RawMessage]) -> Series:
    pull = next((message for message in thread.messages if message.is_pull_request), None)
    start = pull or _start(thread)
    messages = counted(len(thread.messages), "message")
    if pull is not None:
        notes = [f"This is a pull request and no patch was mailed under it.{how_to_pull(pull)}"]
    else:
        notes = [f"This is a discussion of {messages}, and none of them is a patch: there is nothing to review."]
    author = start.message.author
    return Series(
        kind=ThreadKind.PULL_REQUEST if pull else ThreadKind.DISCUSSION,
        message_id=start.message_id or None,
        subject=start.title,
        revision=start.revision,
        author=author if author.email else None,
        patches=(),
        cover=start.message,
        replies=tuple(message.message for message in thread.messages if message is not start),
        notes=(*notes, *about_replies(thread, replies_with_diff), *about_damage(thread), *thread.notes),
    )


def _start(thread: Thread) -> RawMessage:
    """The mail that the wanted one goes back to, else the first of the thread."""
    wanted = thread.by_id.get(thread.wanted or "")
    return list(thread.ancestors(wanted))[-1] if wanted else thread.messages[0]


def _inline(thread: Thread, replies_with_diff: Sequence[RawMessage]) -> Series:
    wanted = [message for message in replies_with_diff if message.message_id == thread.wanted]
    if not wanted and len(replies_with_diff) > 1:
        lines = "".join(
            "\n  " + printable(f"{one.message_id}  {one.message.author.name or one.message.author.email}")
            for one in replies_with_diff
        )
        raise SeriesError(
            f"looked for the diff in a reply in {thread.origin}: {len(replies_with_diff)} replies carry one; "
            f"name one of them by its message-id:{lines}"
        )
    mail = (wanted or list(replies_with_diff))[0]
    patch, said = _patch(1, mail, inline=True)
    author = mail.message.author
    others: tuple[Message, ...] = tuple(message.message for message in thread.messages if message is not mail)
    return Series(
        kind=ThreadKind.SERIES,
        message_id=mail.message_id or None,
        subject=patch.subject,
        revision=mail.revision,
        author=author if author.email else None,
        patches=(patch,),
        total=1,
        replies=others,
        notes=(
            "Reviewed is the diff that a reply carries, not the patch it answers.",
            *(f"The diff {remark}." for remark in said),
            *thread.notes,
        ),
    )
