# SPDX-License-Identifier: GPL-2.0-or-later
"""Commit message and diff of a mail, split by ``git mailinfo``, the judge of what ``git am`` would see.

git undoes the transfer encoding and turns the message into UTF-8, and leaves the bytes of the diff as they are in
the file. Two things it leaves to its caller are done here, each only where the diff shows that it is needed: the CR
that base64 and quoted-printable text carries at the end of every line, and format=flowed around a diff.
"""

from __future__ import annotations

import email
import email.message
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reviewer.errors import NO_GIT, RepositoryError
from reviewer.mail import diffs
from reviewer.mail.headers import split_mail
from reviewer.model import Address, Trailer

_TRAILER: Final = re.compile(r"([A-Za-z][A-Za-z0-9-]*):[ \t]+(\S.*)")
_SCISSORS: Final = re.compile(rb"^(?:-[- ]*(?:>8|8<|>%|%<)[- ]*-?.*|(?:>8|8<|>%|%<)[- ]*-.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Split:
    """What one mail holds for git. ``notes`` end no sentence with a name of the patch: the caller puts it in front."""

    subject: str
    author: Address | None
    description: str
    diff: bytes
    notes: tuple[str, ...] = ()


def _environment(folder: str) -> dict[str, str]:
    # The user's mailinfo.scissors or i18n.commitEncoding must not change what a patch is.
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    return kept | {
        "HOME": folder,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": folder,
        "LC_ALL": "C",
    }


def _run(raw: bytes, folder: str, *options: str) -> tuple[int, dict[str, str], bytes, bytes]:
    message, patch = Path(folder, "message"), Path(folder, "patch")
    try:
        done = subprocess.run(
            ["git", "mailinfo", *options, str(message), str(patch)],
            input=raw,
            capture_output=True,
            cwd=folder,
            env=_environment(os.path.realpath(folder)),
            check=False,
        )
    except FileNotFoundError:
        raise RepositoryError(NO_GIT) from None
    info: dict[str, str] = {}
    for line in done.stdout.decode(errors="replace").splitlines():
        key, separator, value = line.partition(": ")
        if separator:
            info[key] = value
    texts = [path.read_bytes() if path.exists() else b"" for path in (message, patch)]
    return done.returncode, info, texts[0], texts[1]


def split(raw: bytes, *, scissors: bool = False) -> Split:
    """Commit message and diff of a mail; ``diff`` is empty where git finds none.

    RepositoryError if git is missing.
    """
    result = _split(raw, scissors)
    if not is_flowed(raw) or diffs.is_whole(result.diff, strict=True):
        return result
    ways = [_split(_as_plain(raw, text), scissors) for text in diffs.unflowed(payload(raw))]
    for strict in (True, False):
        whole = next((way for way in ways if diffs.is_whole(way.diff, strict=strict)), None)
        if whole is not None:
            return whole
    return Split(
        result.subject,
        result.author,
        result.description,
        result.diff,
        (*result.notes, "was sent as format=flowed, and its lines cannot be put back together"),
    )


def _split(raw: bytes, scissors: bool) -> Split:
    # Not --encoding=UTF-8, with which git 2.39 does not convert at all; without it UTF-8 is the default.
    option = "--scissors" if scissors else "--no-scissors"
    notes: list[str] = []
    with tempfile.TemporaryDirectory(prefix="reviewer-") as folder:
        status, info, message, patch = _run(raw, folder, option)
        if status:  # above all a charset that nobody knows; -n takes the text as it is
            status, info, message, patch = _run(raw, folder, "-n", option)
            notes.append(
                "cannot be read by git mailinfo"
                if status
                else "names a character set that git does not know; its text was taken as it stands"
            )
    found = diffs.from_first(patch)
    address = Address(info.get("Author", ""), info["Email"]) if info.get("Email") else None
    text = message.decode(errors="replace").replace("\r\n", "\n").strip("\n")
    return Split(info.get("Subject", ""), address, text, diffs.without_added_cr(found), tuple(notes))


def inline(raw: bytes) -> Split:
    """The diff that stands between the lines of a reply; the text around it is no part of it.

    Behind a scissors line (``-- >8 --``) stands a whole patch with its message, which git reads.
    """
    text = payload(raw)
    if _SCISSORS.search(text):
        result = split(raw, scissors=True)
        if result.diff:
            return Split(result.subject, result.author, result.description, diffs.only(result.diff), result.notes)
    ways = [*diffs.unflowed(text), text] if is_flowed(raw) else [text]
    cut = [diffs.without_added_cr(diffs.only(way)) for way in ways]
    for strict in (True, False):
        whole = next((diff for diff in cut if diffs.is_whole(diff, strict=strict)), None)
        if whole is not None:
            return Split("", None, "", whole)
    diff = next((diff for diff in cut if diff), b"")
    return Split("", None, "", diff, ("is damaged: a hunk has more or fewer lines than it says",) if diff else ())


def has_whole_diff(raw: bytes) -> bool:
    """Whether a mail carries an unquoted diff (a stray ``---`` and ``+++`` in prose is none)."""
    return b"\n@@ " in inline(raw).diff


# What Python's e-mail package raises on MIME that makes no sense; RecursionError on parts nested without end.
BROKEN_MIME: Final = (ValueError, LookupError, AttributeError, TypeError, AssertionError, RecursionError)


def _parts(raw: bytes) -> list[email.message.Message]:
    message = email.message_from_bytes(raw)
    parts = [part for part in message.walk() if not part.is_multipart()]
    return [part for part in parts if part.get_content_type() in ("text/plain", "text/x-patch", "text/x-diff")]


def payload(raw: bytes) -> bytes:
    """The plain text of a mail with its transfer encoding undone, in the mail's own character set."""
    try:
        found = [part.get_payload(decode=True) for part in _parts(raw)]
    except BROKEN_MIME:
        return split_mail(raw)[1]  # MIME so broken that only git may make sense of it
    return b"\n".join(text for text in found if isinstance(text, bytes))


def body_text(raw: bytes) -> str:
    """The plain text of a mail as Unicode with LF; characters that cannot be decoded become U+FFFD."""
    try:
        parts = _parts(raw)
        texts = [_decoded(part) for part in parts]
    except BROKEN_MIME:
        texts = [split_mail(raw)[1].decode(errors="replace")]
    return "\n".join(texts).replace("\r\n", "\n")


def _decoded(part: email.message.Message) -> str:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    charset = part.get_content_charset()
    for name in (charset, "utf-8", "latin-1") if charset is None else (charset,):
        try:
            return data.decode(name or "utf-8")
        except (LookupError, UnicodeDecodeError, ValueError):
            continue
    return data.decode(errors="replace")


def is_flowed(raw: bytes) -> bool:
    """Whether the text says format=flowed (RFC 3676)."""
    try:
        return any(str(part.get_param("format", "")).lower() == "flowed" for part in _parts(raw))
    except BROKEN_MIME:
        return False


def _as_plain(raw: bytes, text: bytes) -> bytes:
    parts = _parts(raw)
    return as_plain(raw, text, (parts[0].get_content_charset() if parts else None) or "utf-8")


def as_plain(raw: bytes, text: bytes, charset: str) -> bytes:
    """The mail with ``text`` as its whole body, in no encoding and not flowed."""
    header, _body = split_mail(raw)
    kept = [
        line
        for line in re.split(rb"(?<=\n)(?![ \t])", header)
        if line and not line.lower().startswith((b"content-type:", b"content-transfer-encoding:"))
    ]
    kind = f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: 8bit\n\n"
    return b"".join(kept) + kind.encode("ascii", "replace") + text


def trailers_of(description: str) -> tuple[Trailer, ...]:
    """The trailers of a commit message: of its last paragraph, if it is made of them.

    As git-interpret-trailers(1) has it, a block counts if it holds a Signed-off-by or is all trailers; indented lines
    continue the one before, and remarks in brackets may stand between.
    """
    block = re.split(r"\n[ \t]*\n", description.strip())[-1].splitlines()
    found: list[Trailer] = []
    others = 0
    for line in block:
        match = _TRAILER.fullmatch(line.rstrip())
        if match:
            found.append(Trailer(match[1], match[2]))
        elif line[:1] in (" ", "\t") and found:
            found[-1] = Trailer(found[-1].name, f"{found[-1].value} {line.strip()}")
        elif not line.startswith("["):
            others += 1
    signed = any(trailer.name.lower() == "signed-off-by" for trailer in found)
    return tuple(found) if found and (others == 0 or (signed and others <= 3 * len(found))) else ()
