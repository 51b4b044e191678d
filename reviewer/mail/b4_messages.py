# SPDX-License-Identifier: GPL-2.0-or-later
"""What b4 makes of single messages: their fields, trailers and signatures. Part of the child process ``b4_child``."""

from __future__ import annotations

import base64
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from types import FrameType
from typing import Any, Final

import b4
import liblore.utils

from reviewer.mail import headers, mailinfo

JSON = dict[str, Any]

# Several of b4's patterns take time by the square of the text: longer subjects and replies are cut for them.
LONGEST_SUBJECT: Final = 1000
LONGEST_REPLY: Final = 64 << 10
LONGEST_FIELD: Final = 16 << 10
# The fields that b4 reads of every message.
NEEDED: Final = frozenset(
    {"message-id", "in-reply-to", "references", "list-id", "subject", "from", "to", "cc", "date", "x-original-from"}
)
# DNS look-ups for DKIM hang where there is no name server; the whole of attestation gets this many seconds.
ATTESTATION_SECONDS: Final = 20.0


class TimeIsUp(BaseException):
    """Not an Exception, because b4 catches those around each look-up and carries on with the next."""


def parse(raw: bytes) -> EmailMessage:
    """The mail as b4 takes it: of MIME that cannot be parsed the header alone, without fields that cannot be read."""
    try:
        message = liblore.utils.parse_message(raw)
    except mailinfo.BROKEN_MIME:
        message = liblore.utils.parse_message(mailinfo.as_plain(raw, b"", "utf-8"))
    sizes = {key.lower(): len(str(value)) for key, value in message.raw_items()}
    for name in NEEDED & sizes.keys():
        if sizes[name] > LONGEST_FIELD and name != "references":
            del message[name]
        try:
            message.get_all(name)
        except Exception:  # Python's policy parses on access, and raises all kinds of things on malformed values
            del message[name]
            ids = headers.message_ids(headers.first(headers.fields(raw), name))
            if name in ("message-id", "in-reply-to", "references") and ids:
                with suppress(Exception):  # it parses what it is given, too
                    message[name] = " ".join(f"<{one}>" for one in ids)
    return message


def facts(raw: bytes) -> JSON:
    """What b4 makes of one message. Nothing in a message may stop the thread: a part that fails is left out."""
    message = parse(raw)
    found: JSON = {"raw": base64.b64encode(raw).decode(), "id": b4.LoreMessage.get_clean_msgid(message)}
    # Python's policy raises on some malformed headers, and b4 passes that on: it gets the value read by us.
    subject = b4.LoreSubject(headers.decode(headers.first(headers.fields(raw), "subject"))[:LONGEST_SUBJECT])
    found |= {
        "subject": subject.full_subject,
        "title": subject.subject,
        "prefixes": subject.prefixes,
        "reply": subject.reply,
        "revision": subject.revision,
        "revision_given": not subject.revision_inferred,
        "number": subject.counter,
        "total": max(subject.expected, subject.counter),
        "numbered": not subject.counters_inferred,
    }
    try:
        body = b4.LoreMessage.get_payload(message)[0]
    except Exception as error:  # hostile MIME raises all kinds of things inside the email package
        body = ""
        found["damage"] = f"b4 cannot decode the body: {error!r}"
    found["diff"] = bool(b4.DIFF_RE.search(body))
    found["diffstat"] = bool(b4.DIFFSTAT_RE.search(_without_empty_lines(body)))
    found["trailers"] = reply_trailers(raw, body)
    return found


def _without_empty_lines(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if line.strip()) + "\n"


def reply_trailers(raw: bytes, body: str) -> list[list[str]]:
    """The trailers that b4 would take from this message as a follow-up: the writer's own, not a third person's."""
    needed = ("from", "date", "message-id", "in-reply-to", "references", "subject")
    header = [f"{name}: {value[:LONGEST_SUBJECT]}" for name, value in headers.fields(raw) if name in needed]
    text = "\n".join([*header, "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", ""])
    message = parse(f"{text}\n{_without_empty_lines(body)[:LONGEST_REPLY]}".encode(errors="replace"))
    if not b4.LoreMessage.get_clean_msgid(message):
        return []
    try:
        lore = b4.LoreMessage(message)
    except Exception:  # b4 raises on a date that names no day, and on headers that Python's parser raises on
        del message["Date"]
        try:
            lore = b4.LoreMessage(message)
        except Exception:
            return []
    trailers, _others = lore.get_trailers()
    return [[trailer.name, trailer.value] for trailer in trailers]


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeIsUp inside the block when it takes longer."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TimeIsUp

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def attest(messages: list[bytes]) -> dict[str, tuple[bool, str]]:
    """What b4 says about the signatures of each patch, by message-id."""
    results: dict[str, tuple[bool, str]] = {}
    parsed = [parse(raw) for raw in messages]
    named = [(message_id, one) for one in parsed if (message_id := b4.LoreMessage.get_clean_msgid(one))]
    try:
        with time_limit(ATTESTATION_SECONDS):
            for message_id, message in named:
                results[message_id] = _attestation(message)
    except TimeIsUp:
        late = (False, "not checked: the look-up of keys took too long")
        results |= {message_id: late for message_id, _message in named if message_id not in results}
    return results


def _attestation(message: EmailMessage) -> tuple[bool, str]:

    try:
        checked, _passing, _critical = b4.LoreMessage(message).get_attestation_status("softfail")
    except Exception as error:
        return False, f"not checked: {error!r}"
    said = [
        _attestation_words(entry["status"], entry["identity"])
        + (f" (mail from {entry['mismatch']})" if entry.get("mismatch") else "")
        for entry in checked
    ]
    passing = any(entry["passing"] and not entry.get("mismatch") for entry in checked)
    return passing, "; ".join(said) or "no signature that could be checked"


def _attestation_words(status: str, identity: str) -> str:
    if status == "badsig" and identity.startswith("DKIM/"):
        # b4 says the same of a key that is gone from DNS, which is the rule with older mail.
        return f"not verified: {identity} (key not found, or mail changed on its way)"
    words = {"signed": "signed by", "badsig": "bad signature of", "nokey": "no key for"}
    return f"{words.get(status, status)} {identity}"
