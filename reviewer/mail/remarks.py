# SPDX-License-Identifier: GPL-2.0-or-later
"""What the user should know about a thread, in sentences. Words of the mail lose their control characters here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from reviewer.mail.headers import printable
from reviewer.mail.postings import Posting, related
from reviewer.mail.thread import RawMessage, Thread
from reviewer.wording import counted

_PULL: Final = re.compile(
    r"in the git repository at:\s+((?:https?|git|ssh)://[\w./~@:+-]+)\s+(\w[\w./+-]*)", re.IGNORECASE
)


def listed(numbers: Iterable[int]) -> str:
    """Numbers with commas."""
    return ", ".join(str(number) for number in numbers)


def about_patches(thread: Thread, posting: Posting, newer: tuple[int, str] | None) -> list[str]:
    """What is missing, what was taken from the revision before, and that there is a newer one."""
    notes: list[str] = []
    if posting.missing:
        gone = counted(len(posting.missing), "patch")
        notes.append(
            f"Incomplete: of {counted(posting.total, 'patch')}, {gone} not found in {thread.origin}: "
            f"{listed(posting.missing)}."
        )
    if posting.carried:
        notes.append(
            f"Only some patches were sent again as v{posting.revision}; taken from v{posting.revision - 1}: "
            f"{listed(posting.carried)}."
        )
    if newer:
        notes.append(f"There is a newer revision, v{newer[0]}: {printable(newer[1])}. Reviewed is v{posting.revision}.")
    return notes


def about_others(posting: Posting, all_of_them: Sequence[Posting]) -> list[str]:
    """What else was sent as a patch in the same thread."""
    notes: list[str] = []
    for other in all_of_them:
        if other is posting or other.component != posting.component or not other.patches:
            continue
        first = next(message for message in other.members if message is not posting.cover)
        name = printable(first.message_id)
        if not related(posting, other):
            notes.append(f"The thread also holds another patch, not reviewed here: {name} ({printable(first.title)}).")
        elif other.revision < posting.revision:
            notes.append(f"The thread also holds the earlier revision v{other.revision}: {name}.")
        elif other.revision == posting.revision:
            which = f"{'patch' if len(other.patches) == 1 else 'patches'} {listed(sorted(other.patches))}"
            what = which if other.total > 1 else "the patch"
            notes.append(f"The thread also holds {what} sent separately, not reviewed here: {name}.")
    return notes


def about_replies(thread: Thread, replies_with_diff: Sequence[RawMessage]) -> list[str]:
    """Replies whose diff could be reviewed instead."""
    if not replies_with_diff:
        return []
    wanted = next((one for one in replies_with_diff if one.message_id == thread.wanted), None)
    if wanted is not None:
        return ["The mail that was asked for is a reply that carries a diff; --inline-diff reviews that diff."]
    ids = ", ".join(printable(message.message_id) for message in replies_with_diff[:5])
    more = f" and {len(replies_with_diff) - 5} more" if len(replies_with_diff) > 5 else ""
    carries = "reply carries" if len(replies_with_diff) == 1 else "replies carry"
    return [f"{len(replies_with_diff)} {carries} a diff, which --inline-diff reviews by message-id: {ids}{more}."]


def about_damage(thread: Thread) -> list[str]:
    """Mails of which something could not be read."""
    return [
        f"The mail {printable(message.message_id)} could not be read whole: {printable(message.damage)}."
        for message in thread.messages
        if message.damage
    ]


def how_to_pull(message: RawMessage) -> str:
    """The command that gets what a pull request asks for; empty if it names no plain URL and ref."""
    found = _PULL.search(message.message.body)
    if not found:
        return ""
    return f" To review what it asks for: git fetch {found[1]} {found[2]}, then reviewer check BASE..FETCH_HEAD."
