# SPDX-License-Identifier: GPL-2.0-or-later
"""A reply as the bytes of a mail: headers that thread, a body that no transport changes."""

from __future__ import annotations

import email.policy
import email.utils
import hashlib
import re
from collections.abc import Iterable, Sequence
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage

from reviewer.errors import DraftError
from reviewer.model import Address, Message

# The default policy wraps at 78 columns and encodes a Message-ID that is longer, which breaks the thread.
_POLICY = email.policy.default.clone(max_line_length=998)
_REPLY_PREFIX = re.compile(r"^(?:[ \t]*Re:)*[ \t]*", re.I)
_MESSAGE_ID = re.compile(r"[!-;=?-~]+")
_LONGEST_ID = 900


def reply_subject(subject: str) -> str:
    """The subject with exactly one ``Re: ``; a reply without it can be taken for a new patch."""
    return (
        "Re: " + _REPLY_PREFIX.sub("", subject, count=1).strip() if _REPLY_PREFIX.match(subject) else f"Re: {subject}"
    )


def message_id_for(parent: str, body: str, sender: Address) -> str:
    """A Message-ID that the same patch and text always get, without brackets. The signature does not count as text."""
    text = body.rpartition("\n-- \n")[0]
    digest = hashlib.sha256(f"{parent}\n{text}".encode()).hexdigest()[:40]
    domain = sender.email.rpartition("@")[2]
    return f"{digest}@{domain if re.fullmatch(r'[A-Za-z0-9.-]+', domain) else 'reviewer.invalid'}"


def references_for(message: Message) -> tuple[str, ...]:
    """The References of a reply: the chain of the mail that is answered, then the mail itself."""
    chain = message.references or ((message.in_reply_to,) if message.in_reply_to else ())
    return (*(one for one in dict.fromkeys(chain) if one != message.message_id), message.message_id)


def audience(message: Message, sender: Address) -> tuple[tuple[Address, ...], tuple[Address, ...]]:
    """To and Cc of a reply: the author; everybody who got the mail, less the author and the sender."""
    author = message.author
    seen = {author.email.lower(), sender.email.lower()}
    copies = []
    for address in (*message.to, *message.cc):
        if address.email.lower() not in seen:
            seen.add(address.email.lower())
            copies.append(address)
    return (author,), tuple(copies)


def build(
    *,
    sender: Address,
    to: Sequence[Address],
    cc: Sequence[Address],
    subject: str,
    message_id: str,
    references: Sequence[str],
    body: str,
) -> bytes:
    """The mail, with LF line ends and without Date, which whoever sends it adds.

    ``references`` end with the mail that is answered. Raises DraftError where a header would hold a line break or NUL,
    or a Message-ID is none.
    """
    mail = EmailMessage(policy=_POLICY)
    _set_addresses(mail, "From", [sender])
    _set_addresses(mail, "To", to)
    _set_addresses(mail, "Cc", cc)
    _set(mail, "Subject", subject)
    for one in (message_id, *references):
        if not _MESSAGE_ID.fullmatch(one) or len(one) > _LONGEST_ID:
            raise DraftError(
                f"tried to answer a mail with the Message-ID {one[:60]!r}: that cannot stand in a header of the reply; "
                "answer by hand"
            )
    _set(mail, "Message-ID", f"<{message_id}>")
    _set(mail, "In-Reply-To", f"<{references[-1]}>")
    _set(mail, "References", " ".join(f"<{one}>" for one in references))
    mail.set_content(body, cte="8bit")
    return bytes(mail)


def _set_addresses(mail: EmailMessage, name: str, addresses: Iterable[Address]) -> None:
    made: list[HeaderAddress] = []
    for address in addresses:
        _refuse(name, address.name)
        _refuse(name, address.email)
        try:
            made.append(HeaderAddress(" ".join(address.name.split()), addr_spec=address.email))
        except (ValueError, IndexError, email.errors.MessageError) as error:
            raise DraftError(
                f"tried to address the reply to {address.email!r} ({name}): that is not a mail address; answer by hand"
            ) from error
    if made:
        mail[name] = made


def _set(mail: EmailMessage, name: str, value: str) -> None:
    _refuse(name, value)
    try:
        mail[name] = value
    except ValueError as error:
        raise DraftError(f"tried to write the header {name} of the reply: {error}; answer by hand") from error


def _refuse(name: str, value: str) -> None:
    if re.search(r"[\r\n\0]", value):
        raise DraftError(
            f"tried to write the header {name} of the reply: the mail that it comes from has a line break or NUL in "
            f"{value[:60]!r}, which is how headers are forged; nothing was written"
        )
