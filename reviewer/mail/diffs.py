# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a diff begins and ends inside a mail, and whether its hunks are whole. Bytes in, bytes out.

Whether a patch applies is git's to judge; this only finds the diff among prose and sees damage done by the mail.
The grammar is that of git-diff(1), "Generating patch text with -p".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_HUNK: Final = re.compile(rb"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_EXTENDED: Final = (
    b"old mode ",
    b"new mode ",
    b"deleted file mode ",
    b"new file mode ",
    b"copy from ",
    b"copy to ",
    b"rename from ",
    b"rename to ",
    b"similarity index ",
    b"dissimilarity index ",
    b"index ",
    b"Binary files ",
)


@dataclass(frozen=True, slots=True)
class Section:
    """The part of a diff about one file: lines ``start`` to ``end`` (0-based, end excluded) of the text."""

    start: int
    end: int
    whole: bool


def lines_of(text: bytes) -> list[bytes]:
    """The lines of ``text`` with their ends; only LF ends a line, as for git."""
    parts = text.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def starts_section(lines: list[bytes], at: int) -> bool:
    """Whether a file's diff begins at this line."""
    line = lines[at]
    if line.startswith(b"diff --git "):
        return True
    return line.startswith(b"--- ") and at + 1 < len(lines) and lines[at + 1].startswith(b"+++ ")


def sections(lines: list[bytes], *, strict: bool = False) -> list[Section]:
    """All file sections among the lines; quoted diffs (``> ``) are not seen.

    Mailers strip the blank of an empty context line, and git takes it so; ``strict`` does not.
    """
    found: list[Section] = []
    at = 0
    while at < len(lines):
        if starts_section(lines, at):
            section = _section(lines, at, strict)
            found.append(section)
            at = section.end
        else:
            at += 1
    return found


def _section(lines: list[bytes], start: int, strict: bool) -> Section:
    at = start
    if lines[at].startswith(b"diff --git "):
        at += 1
        while at < len(lines) and lines[at].startswith(_EXTENDED):
            at += 1
        if at < len(lines) and lines[at].startswith(b"GIT binary patch"):
            return Section(start, _binary_end(lines, at + 1), True)
    if not (at < len(lines) and lines[at].startswith(b"--- ") and at + 1 < len(lines)):
        return Section(start, at, True)
    at += 2
    whole = at < len(lines) and lines[at].startswith(b"@@ ")
    while whole and at < len(lines) and lines[at].startswith(b"@@ "):
        at, whole = _hunk_end(lines, at, strict)
    return Section(start, at, whole)


def _hunk_end(lines: list[bytes], at: int, strict: bool) -> tuple[int, bool]:
    match = _HUNK.match(lines[at])
    at += 1
    if match is None:
        return at, False
    old, new = (int(match[1]) if match[1] else 1), (int(match[2]) if match[2] else 1)
    while (old > 0 or new > 0) and at < len(lines):
        kind = lines[at][:1]
        if kind == b" " or (kind in (b"\n", b"\r") and not strict):
            old, new = old - 1, new - 1
        elif kind == b"-":
            old -= 1
        elif kind == b"+":
            new -= 1
        elif kind != b"\\":
            return at, False
        at += 1
    if at < len(lines) and lines[at].startswith(b"\\ "):
        at += 1
    return at, old == 0 and new == 0


def _binary_end(lines: list[bytes], at: int) -> int:
    # One or two blocks ("literal N" or "delta N" and encoded lines), each closed by an empty line.
    while at < len(lines) and lines[at].startswith((b"literal ", b"delta ")):
        while at < len(lines) and lines[at].strip():
            at += 1
        at += 1
    return min(at, len(lines))


def from_first(text: bytes) -> bytes:
    """``text`` from the first line of a diff on, with whatever follows it; empty if there is no diff."""
    lines = lines_of(text)
    found = sections(lines)
    return b"".join(lines[found[0].start :]) if found else b""


def only(text: bytes) -> bytes:
    """The diffs in ``text`` and nothing of the prose around them."""
    lines = lines_of(text)
    return b"".join(line for section in sections(lines) for line in lines[section.start : section.end])


def is_whole(text: bytes, *, strict: bool = False) -> bool:
    """Whether there is a diff and each hunk has as many lines as its header says."""
    found = sections(lines_of(text), strict=strict)
    return bool(found) and all(section.whole for section in found)


def without_added_cr(diff: bytes) -> bytes:
    """Take off the CR that an encoding put at the end of every line, and leave those of a CRLF file alone.

    A file with CRLF has CR in the lines of its hunks; only a mailer puts one behind ``diff --git`` and ``@@``.
    """
    lines = lines_of(diff)
    headers = [lines[section.start] for section in sections(lines)]
    if headers and all(line.endswith(b"\r\n") for line in headers):
        return diff.replace(b"\r\n", b"\n")
    return diff


def unflowed(text: bytes) -> list[bytes]:
    """Ways to undo format=flowed (RFC 3676) around a diff, best first.

    Taken literally, the format joins an empty context line (one blank) to the line after it. Joined are here only
    lines of which the next cannot be a line of a hunk; then none; then not even the stuffing blanks are taken off.
    """
    plain = lines_of(text)
    bare = [line[1:] if line.startswith(b" ") else line for line in plain]
    joined: list[list[bytes]] = []
    soft = False
    for line in bare:
        if soft and line[:1] not in (b" ", b"+", b"-", b"@", b"\\", b"\n", b""):
            joined[-1][-1] = joined[-1][-1].rstrip(b"\r\n")
            joined[-1].append(line)
        else:
            joined.append([line])
        text_of_line = line.rstrip(b"\r\n")
        soft = text_of_line.endswith(b" ") and text_of_line not in (b" ", b"-- ")
    return [b"".join(part for parts in joined for part in parts), b"".join(bare), text]
