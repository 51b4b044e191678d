# SPDX-License-Identifier: GPL-2.0-or-later
"""The mails of a thread with what their headers and subjects say, before anybody decides what the series is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from reviewer.mail import headers, mailinfo
from reviewer.model import Address, Message, Trailer


@dataclass(frozen=True)
class RawMessage:
    """One mail: its bytes (LF line ends, no transport quoting) and what its subject says.

    ``message_id`` is empty for a patch file that was never mailed. ``title`` is the subject without reply marks and
    bracketed prefixes; ``prefixes`` are the words in the brackets. ``number`` of ``total`` is 1 of 1 unless
    ``numbered``; ``revision`` is 1 unless ``revision_given``. ``has_diff`` counts unquoted diffs only. ``sender`` is
    the From header as it stands, which for relayed mail is not the author.
    """

    raw: bytes = field(repr=False)
    message: Message
    sender: Address | None
    title: str
    prefixes: tuple[str, ...] = ()
    reply: bool = False
    revision: int = 1
    revision_given: bool = False
    number: int = 1
    total: int = 1
    numbered: bool = False
    has_diff: bool = False
    has_diffstat: bool = False
    damage: str = ""

    @property
    def message_id(self) -> str:
        """The Message-ID without brackets; empty if there is none."""
        return self.message.message_id

    @property
    def parents(self) -> tuple[str, ...]:
        """Ids of the mails that this one may answer, the likeliest first."""
        near = (self.message.in_reply_to,) if self.message.in_reply_to else ()
        return tuple(
            dict.fromkeys(one for one in (*near, *reversed(self.message.references)) if one != self.message_id)
        )

    @property
    def is_pull_request(self) -> bool:
        """Whether this mail asks to pull from a git repository."""
        if self.reply:
            return False
        words = {word.lower() for word in self.prefixes}
        return "pull" in words or "are available in the git repository at" in self.message.body.lower()

    @property
    def is_cover(self) -> bool:
        """Whether this mail is a numbered cover letter, ``[PATCH 0/n]``."""
        return self.numbered and self.number == 0 and not self.reply

    @property
    def is_patch(self) -> bool:
        """Whether this mail is a patch on its own, not an answer that carries a diff."""
        return self.has_diff and not self.reply and not self.is_cover

    @property
    def is_marked(self) -> bool:
        """Whether the subject says that this is a patch; bots mail applied patches without such a mark."""
        words = tuple(word.lower() for word in self.prefixes)
        return self.numbered or any(word.startswith(("patch", "rfc")) for word in words)


@dataclass(frozen=True)
class Thread:
    """Mails that belong together, or all of a file. ``archive`` is the URL of the server that they came from.

    ``wanted`` is the message-id that was asked for. ``origin`` names the source for messages to the user.
    ``ordered`` says that the messages are patch files, in the order in which they were given. ``newer`` is a later
    revision on the server with one of its ids. ``attestations`` maps ids to what b4 said: (passing, summary).
    """

    messages: tuple[RawMessage, ...]
    wanted: str | None = None
    origin: str = ""
    ordered: bool = False
    newer: tuple[int, str] | None = None
    attestations: Mapping[str, tuple[bool, str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    archive: str | None = None

    @cached_property
    def by_id(self) -> Mapping[str, RawMessage]:
        """The messages that have an id, by id."""
        return {message.message_id: message for message in self.messages if message.message_id}

    def parent(self, message: RawMessage) -> RawMessage | None:
        """The nearest mail above ``message`` that is in the thread."""
        return next((self.by_id[one] for one in message.parents if one in self.by_id), None)

    def ancestors(self, message: RawMessage) -> Iterator[RawMessage]:
        """``message`` and the mails above it, nearest first; mails that answer each other in a circle end it."""
        seen: set[int] = set()
        at: RawMessage | None = message
        while at is not None and id(at) not in seen:
            seen.add(id(at))
            yield at
            at = self.parent(at)


def message_of(raw: bytes, fact: Mapping[str, Any]) -> RawMessage:
    """A mail from its bytes and from what b4 made of it (see ``b4_messages.facts``)."""
    found = headers.fields(raw)
    body = mailinfo.body_text(raw)
    senders = headers.addresses(tuple(value for name, value in found if name == "from"))
    above = headers.message_ids(headers.first(found, "in-reply-to"))
    message = Message(
        message_id=fact["id"] or "",
        subject=headers.decode(headers.first(found, "subject")),
        author=headers.author_of(found, body) or Address("", ""),
        date=headers.first(found, "date"),
        body=body,
        to=headers.addresses(tuple(value for name, value in found if name == "to")),
        cc=headers.addresses(tuple(value for name, value in found if name == "cc")),
        in_reply_to=above[0] if above else None,
        references=headers.message_ids(" ".join(value for name, value in found if name == "references")),
        trailers=tuple(Trailer(name, value) for name, value in fact["trailers"]),
    )
    return RawMessage(
        raw=raw,
        message=message,
        sender=senders[0] if senders else None,
        title=fact["title"],
        prefixes=tuple(fact["prefixes"]),
        reply=fact["reply"],
        revision=fact["revision"],
        revision_given=fact["revision_given"],
        number=fact["number"],
        total=fact["total"],
        numbered=fact["numbered"],
        has_diff=fact["diff"] and mailinfo.has_whole_diff(raw) if fact["reply"] else fact["diff"],
        has_diffstat=fact["diffstat"],
        damage=fact.get("damage", ""),
    )
