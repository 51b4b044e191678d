# SPDX-License-Identifier: GPL-2.0-or-later
"""The header of a mail, read from its bytes so that nothing in it can raise.

Python's modern e-mail policy raises on some malformed headers and repairs others silently. Here a line that is no
header is skipped, a value that cannot be decoded stays as it stands, and nothing that an encoded word smuggles in
(line breaks, NUL) is taken out: whoever writes a header from it refuses such a value.
"""

from __future__ import annotations

import binascii
import email.errors
import email.header
import email.utils
import re
from typing import Final

from reviewer.model import Address

_FIELD: Final = re.compile(rb"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)
_FOLD: Final = re.compile(r"\r?\n(?=[ \t])")
_MESSAGE_ID: Final = re.compile(r"<([^<>\s]+)>")


def split_mail(raw: bytes) -> tuple[bytes, bytes]:
    """Header and body of a mail; both without the empty line between them."""
    if raw.startswith(b"\n"):
        return b"", raw[1:]
    header, separator, body = raw.partition(b"\n\n")
    return header + (b"\n" if separator else b""), body


def fields(raw: bytes) -> tuple[tuple[str, str], ...]:
    """(lower-case name, unfolded value) of each header field, in order; values as UTF-8, else as Latin-1."""
    header, _body = split_mail(raw)
    found: list[tuple[str, str]] = []
    for line in re.split(rb"\n(?![ \t])", header):
        match = _FIELD.match(line)
        if match:
            found.append((match[1].decode("ascii").lower(), _FOLD.sub("", _text(match[2])).strip()))
    return tuple(found)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def first(found: tuple[tuple[str, str], ...], name: str) -> str:
    """The first value of a field, or an empty string."""
    return next((value for key, value in found if key == name), "")


def printable(text: str) -> str:
    """Words of a mail for a message to the user: a control character could command the terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def decode(value: str) -> str:
    """Undo RFC 2047; what is broken or of an unknown charset stays readable rather than right."""
    if "=?" not in value:
        return value
    try:
        chunks = email.header.decode_header(value)
    except (email.errors.HeaderParseError, binascii.Error, ValueError):
        return value
    words: list[str] = []
    for chunk, charset in chunks:
        if isinstance(chunk, str):
            words.append(chunk)
            continue
        try:
            words.append(chunk.decode(charset or "utf-8"))
        except (LookupError, UnicodeDecodeError, ValueError):
            words.append(_text(chunk))
    return "".join(words)


def addresses(values: tuple[str, ...]) -> tuple[Address, ...]:
    """The mailboxes of address fields; entries without an address (empty groups, junk) are left out."""
    found: list[Address] = []
    for value in values:
        try:
            pairs = email.utils.getaddresses([value])
        except (ValueError, IndexError, TypeError):
            continue
        found += [Address(decode(name), address) for name, address in pairs if "@" in address]
    return tuple(found)


def message_ids(value: str) -> tuple[str, ...]:
    """The message-ids of ``References`` or ``In-Reply-To``, without brackets, each once, in order.

    Words outside of brackets are a comment: some mailers write ``message of Monday from <a@b>``.
    """
    return tuple(dict.fromkeys(_MESSAGE_ID.findall(value)))


def author_of(found: tuple[tuple[str, str], ...], body: str) -> Address | None:
    """Who wrote a mail.

    A relay (b4's ``devnull+...`` addresses, lists that rewrite From for DMARC as ``Name via List``) puts the writer
    into ``X-Original-From``, into a From line at the start of the body, or into ``Reply-To``.
    """
    original = addresses(tuple(value for name, value in found if name == "x-original-from"))
    if original:
        return original[0]
    senders = addresses(tuple(value for name, value in found if name == "from"))
    sender = senders[0] if senders else None
    if sender is None or not is_relay(sender):
        return sender
    in_body = re.match(r"\s*From:[ \t]*(\S[^\n]*)\n", body)
    named = addresses((in_body[1],)) if in_body else ()
    replies = tuple(
        address
        for address in addresses(tuple(value for name, value in found if name == "reply-to"))
        if address.email.lower() != sender.email.lower()
    )
    # A list that rewrites From often adds itself to Reply-To; with more than one name it is a guess.
    return (named or (replies if len(replies) == 1 else ()) or (sender,))[0]


def is_relay(address: Address) -> bool:
    """Whether a From address is one that somebody else's mail was sent through."""
    return address.email.lower().startswith("devnull+") or " via " in address.name
