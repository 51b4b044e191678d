# SPDX-License-Identifier: GPL-2.0-or-later
"""Drafts as files: a Maildir that any mail program opens, and the same mails as ``.eml``.

A draft's file name comes from its Message-ID, which comes from the patch and the text. A review that is run again
finds its drafts there and leaves them alone, edited or not, sent or not; other text is another draft. Of the drafts
that answer one mail the one that a person edited or sent counts, else the newest. What the program wrote and whether it
was sent stands in ``.state``; the mails as they were sent stand in the Maildir ``sent``.
"""

from __future__ import annotations

import contextlib
import email
import email.policy
import email.utils
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from email.message import EmailMessage
from enum import StrEnum
from pathlib import Path

from reviewer.errors import DraftError
from reviewer.model import Address, Finding

_STATE = ".state"
_SENT = "sent"
_MAILDIR = ("cur", "new", "tmp")
_FOLDERS = (*_MAILDIR, _STATE)


@dataclass(frozen=True, slots=True)
class Draft:
    """A reply that was written: ``data`` is the mail (RFC 5322, LF line ends) to be sent.

    ``patch`` is the number of the patch that is answered, 0 for the cover letter. ``left_out`` are the findings for
    which the mail had no room; they are counted for the user and not mentioned in the mail.
    """

    message_id: str
    in_reply_to: str
    subject: str
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    data: bytes
    patch: int
    findings: tuple[Finding, ...]
    left_out: tuple[Finding, ...] = ()

    @property
    def recipients(self) -> tuple[Address, ...]:
        """Everybody whom the mail would go to."""
        return (*self.to, *self.cc)


class Status(StrEnum):
    """What became of a draft."""

    NEW = "new"
    EDITED = "edited"
    SENT = "sent"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Stored:
    """A draft on disk. ``path`` is what is edited and sent: the ``.eml``, or the Maildir's copy where only that was.

    ``other`` is the Maildir's copy where both were edited, so that a person has to choose. ``answers`` is the
    message-id of the mail that is answered, empty where the program does not know.
    """

    name: str
    path: Path
    status: Status
    mail: EmailMessage
    other: Path | None = None
    answers: str = ""

    @property
    def subject(self) -> str:
        """The subject, as one line."""
        return " ".join(str(self.mail.get("Subject", "")).split())

    @property
    def recipients(self) -> tuple[Address, ...]:
        """Everybody whom the mail would go to, as it stands now."""
        values = [str(value) for name in ("To", "Cc", "Bcc") for value in self.mail.get_all(name, [])]
        return tuple(Address(name, address) for name, address in email.utils.getaddresses(values) if address)


def write(drafts: Iterable[Draft], folder: Path) -> tuple[Path, ...]:
    """Write drafts below ``folder`` and return their ``.eml`` files, also of those that were there already.

    Nothing that exists is written to. Raises DraftError if the folder cannot be used.
    """
    paths = []
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in _FOLDERS:
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        for draft in drafts:
            name = _name(draft)
            path = folder / f"{name}.eml"
            paths.append(path)
            state = folder / _STATE / f"{name}.json"
            if state.exists() or path.exists() or _in_maildir(folder, name):
                continue
            _create(folder, path, draft.data)
            _create(folder, folder / "new" / name, draft.data)
            _create(folder, folder / _STATE / f"{name}.eml", draft.data)
            record = {"message_id": draft.message_id, "in_reply_to": draft.in_reply_to, "patch": draft.patch}
            record |= {"sha256": _digest(draft.data), "sent": False}
            _create(folder, state, json.dumps(record, indent=1, sort_keys=True).encode() + b"\n")
    except OSError as error:
        raise DraftError(
            f"tried to write drafts below {folder}: {error.strerror or error}; give another folder with --output"
        ) from error
    return tuple(paths)


def _name(draft: Draft) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", re.sub(r"\[[^\]]*\]|^Re:", "", draft.subject).lower()).strip("-")
    digest = hashlib.sha256(draft.message_id.encode()).hexdigest()[:12]
    return f"{draft.patch:04d}-{words[:48].strip('-') or 'reply'}-{digest}"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _in_maildir(folder: Path, name: str) -> Path | None:
    """The Maildir's file of a draft, which a mail program may have moved and flagged."""
    for place in (folder / "new", folder / "cur"):
        for path in sorted(place.glob("*")) if place.is_dir() else ():
            if path.name == name or path.name.startswith(f"{name}:"):
                return path
    return None


def _create(folder: Path, path: Path, data: bytes) -> None:
    """A new file, whole or not at all; one that exists stays as it is."""
    descriptor, temporary = tempfile.mkstemp(dir=folder / "tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        os.unlink(temporary)


def _replace(folder: Path, path: Path, data: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=folder / "tmp")
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    os.replace(temporary, path)


def stored(folder: Path) -> tuple[Stored, ...]:
    """The drafts below ``folder`` in order of their names; none where there is no such folder."""
    found = []
    for path in sorted(folder.glob("*.eml")):
        record = _record(folder, path.stem)
        found.append(replace(_stored(folder, path, record), answers=str(record.get("in_reply_to", ""))))
    return _superseded(found)


def _stored(folder: Path, path: Path, record: dict[str, object]) -> Stored:
    data, other = path.read_bytes(), None
    copy = _in_maildir(folder, path.stem)
    if copy is not None and copy.read_bytes() not in (data, b"") and _digest(copy.read_bytes()) != record.get("sha256"):
        if _digest(data) == record.get("sha256"):
            mine = copy.read_bytes()
            return Stored(path.stem, copy, _status(record, mine), _parsed(mine))
        other = copy
    return Stored(path.stem, path, _status(record, data), _parsed(data), other)


def _status(record: dict[str, object], data: bytes) -> Status:
    if record.get("sent"):
        return Status.SENT
    return Status.NEW if record.get("sha256") == _digest(data) else Status.EDITED


def _parsed(data: bytes) -> EmailMessage:
    return email.message_from_bytes(data, policy=email.policy.default)


def _superseded(found: list[Stored]) -> tuple[Stored, ...]:
    """Marks untouched drafts that answer the same mail as one of the user's, or else as a later one."""
    taken = {draft.answers for draft in found if draft.status in (Status.EDITED, Status.SENT)}
    newest: dict[str, tuple[float, str]] = {}
    for draft in found:
        newest[draft.answers] = max(newest.get(draft.answers, (0.0, "")), (_written(draft), draft.name))
    return tuple(
        replace(draft, status=Status.SUPERSEDED)
        if draft.status is Status.NEW
        and draft.answers
        and (draft.answers in taken or newest[draft.answers][1] != draft.name)
        else draft
        for draft in found
    )


def _written(draft: Stored) -> float:
    return draft.path.stat().st_mtime


def proposed(folder: Path, draft: Stored) -> bytes | None:
    """What the program would have sent instead of ``draft``: its newest text for that mail; None if it is not kept."""
    rivals = [
        each for each in stored(folder) if each.answers == draft.answers != "" and each.status is Status.SUPERSEDED
    ]
    own = folder / _STATE / f"{draft.name}.eml"
    later = [each for each in rivals if not own.exists() or _written(each) > own.stat().st_mtime]
    if later:
        return max(later, key=lambda each: (_written(each), each.name)).path.read_bytes()
    return own.read_bytes() if own.exists() else None


def standing_back(folder: Path, written: Iterable[Path]) -> tuple[Stored, ...]:
    """The drafts of the user's, edited or sent, that count instead of some of the ``.eml`` files ``written``."""
    drafts = stored(folder)
    names = {path.stem for path in written}
    answered = {each.answers for each in drafts if each.name in names and each.status is Status.SUPERSEDED}
    users = (Status.EDITED, Status.SENT)
    return tuple(each for each in drafts if each.status in users and each.answers in answered)


def _record(folder: Path, name: str) -> dict[str, object]:
    path = folder / _STATE / f"{name}.json"
    try:
        record = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise DraftError(f"tried to read {path}: {error}; remove the file, the draft itself is kept") from error
    return record if isinstance(record, dict) else {}


def edited(folder: Path, draft: Stored, before: bytes) -> None:
    """Bring the Maildir's copy up to date with a ``.eml`` that was edited, unless it was edited there as well."""
    copy = _in_maildir(folder, draft.name)
    if copy is not None and copy != draft.path and copy.read_bytes() == before:
        _replace(folder, copy, draft.path.read_bytes())


def mark_sent(folder: Path, draft: Stored, data: bytes) -> None:
    """Note that a draft was sent, as ``data``, which is kept: it is not offered again, and counts as read."""
    sent = folder / _SENT
    for place in _MAILDIR:
        (sent / place).mkdir(mode=0o700, parents=True, exist_ok=True)
    _create(folder, sent / "cur" / f"{draft.name}:2,S", data)
    record = _record(folder, draft.name) | {"sent": True}
    _replace(
        folder, folder / _STATE / f"{draft.name}.json", json.dumps(record, indent=1, sort_keys=True).encode() + b"\n"
    )
    copy = _in_maildir(folder, draft.name)
    if copy is not None and copy.parent.name == "new":
        os.rename(copy, folder / "cur" / f"{draft.name}:2,S")
