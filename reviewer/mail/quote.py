# SPDX-License-Identifier: GPL-2.0-or-later
"""Quotes of a patch: which line of its diff a finding is about, and the lines that a reply quotes above its comment.

The lines come from the diff that was received and from nowhere else, so a quote cannot differ from the patch. The diff
is read here as bytes, by the counts in its hunk headers: nothing is decoded, repaired or refused on the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from reviewer.model import Finding, Place

MAX_LINES = 12
CUT = "[ ... ]"

_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_ESCAPE = re.compile(rb"\\([abtnvfr\"\\]|[0-7]{3})")
_ESCAPED = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}
# RFC 5322 allows lines of 998 bytes; "> " stands in front.
_LONGEST = 990
_CONTEXT = 3


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of a hunk as it stands in the diff, with its number in the file before and after, where it has one."""

    text: bytes
    old: int | None
    new: int | None

    @property
    def changed(self) -> bool:
        """Whether the patch adds or removes the line."""
        return (self.old is None) != (self.new is None)


@dataclass(frozen=True, slots=True)
class Hunk:
    """A hunk: its file before and after the patch (None: does not exist), the file's first line, its own header."""

    old_path: str | None
    new_path: str | None
    file_header: bytes
    header: bytes
    lines: tuple[DiffLine, ...]

    def is_of(self, path: str) -> bool:
        """Whether the hunk belongs to a file, by either of its names."""
        return path in (self.old_path, self.new_path)


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """A line of a diff: index of the hunk, index of the line in it."""

    hunk: int
    line: int


def hunks_of(diff: bytes) -> tuple[Hunk, ...]:
    """The hunks of a diff, in order. What is no hunk (binary parts, a signature, prose) is passed over."""
    hunks: list[Hunk] = []
    old_path: str | None = None
    new_path: str | None = None
    file_header = b""
    lines = diff.split(b"\n")
    at = 0
    while at < len(lines):
        line = lines[at]
        match = _HUNK.match(line)
        if match:
            body, at = _hunk_lines(lines, at + 1, match)
            hunks.append(Hunk(old_path, new_path, file_header, line, body))
            continue
        if line.startswith(b"diff --git "):
            file_header, old_path, new_path = line, None, None
        elif line.startswith(b"--- ") and at + 1 < len(lines) and lines[at + 1].startswith(b"+++ "):
            old_path, new_path = _path(line[4:]), _path(lines[at + 1][4:])
            if not file_header.startswith(b"diff --git "):
                file_header = lines[at + 1]
            at += 1
        at += 1
    return tuple(hunks)


def shifted(hunks: Sequence[Hunk], shifts: Sequence[tuple[int, int]]) -> tuple[Hunk, ...]:
    """The hunks with their lines numbered as in the tree: ``shifts`` are those of the review, one for each hunk."""
    if len(shifts) != len(hunks):
        return tuple(hunks)
    return tuple(
        replace(hunk, lines=tuple(_moved(line, old, new) for line in hunk.lines))
        for hunk, (old, new) in zip(hunks, shifts, strict=True)
    )


def _moved(line: DiffLine, old: int, new: int) -> DiffLine:
    return DiffLine(
        line.text, None if line.old is None else line.old + old, None if line.new is None else line.new + new
    )


def _hunk_lines(lines: Sequence[bytes], at: int, header: re.Match[bytes]) -> tuple[tuple[DiffLine, ...], int]:
    old, old_left, new, new_left = (int(number) if number else 1 for number in header.groups())
    found: list[DiffLine] = []
    while at < len(lines) and (old_left > 0 or new_left > 0):
        line = lines[at]
        sign = line[:1]
        if sign == b"\\":
            at += 1
            continue
        if sign == b"+":
            found.append(DiffLine(line, None, new))
        elif sign == b"-":
            found.append(DiffLine(line, old, None))
        elif sign in (b" ", b"", b"\r"):
            found.append(DiffLine(line, old, new))
        else:
            break
        if sign != b"+":
            old, old_left = old + 1, old_left - 1
        if sign != b"-":
            new, new_left = new + 1, new_left - 1
        at += 1
    return tuple(found), at


def _path(value: bytes) -> str | None:
    name = value.rstrip(b"\r").split(b"\t")[0]
    if name.startswith(b'"') and name.endswith(b'"'):
        name = _ESCAPE.sub(lambda match: _unescaped(match.group(1)), name[1:-1])
    if name == b"/dev/null":
        return None
    return name.partition(b"/")[2].decode("utf-8", errors="surrogateescape")


def _unescaped(code: bytes) -> bytes:
    return bytes([int(code, 8) & 0xFF]) if len(code) == 3 else _ESCAPED.get(code, code)


def locate(hunks: Sequence[Hunk], place: Place) -> Spot | None:
    """The line of the diff that a line of the patched file stands for; None where the diff has no hunk.

    A line that the patch leaves alone is its own line where the diff shows it; a removed line is found by its old
    number; a line that the diff does not show at all is answered at the last changed line before it in that file.
    """
    here = [index for index, hunk in enumerate(hunks) if hunk.is_of(place.path)]
    for wanted in (_is_added, _is_shown, _is_removed):
        for index in here:
            for at, line in enumerate(hunks[index].lines):
                if wanted(line, place.line):
                    return Spot(index, at)
    changes = [
        (line.new or 0, Spot(index, at))
        for index in here or range(len(hunks))
        for at, line in enumerate(hunks[index].lines)
        if line.changed
    ]
    before = [spot for number, spot in changes if here and 0 < number <= place.line]
    if before:
        return before[-1]
    return changes[0][1] if changes else None


def locate_cause(hunks: Sequence[Hunk], place: Place) -> Spot | None:
    """As ``locate``, for a line that the patch is said to have changed: next to an unchanged line, the removed one."""
    spot = locate(hunks, place)
    if spot is None or hunks[spot.hunk].lines[spot.line].changed:
        return spot
    lines = hunks[spot.hunk].lines
    if spot.line > 0 and lines[spot.line - 1].new is None:
        return Spot(spot.hunk, spot.line - 1)
    for index, hunk in enumerate(hunks):
        for at, line in enumerate(hunk.lines):
            if hunk.is_of(place.path) and _is_removed(line, place.line):
                return Spot(index, at)
    return spot


def standing(hunks: Sequence[Hunk], finding: Finding) -> Spot | None:
    """The line under which the comment on a finding stands: the patch's line that is to blame; None without a hunk."""
    if finding.cause is not None:
        return locate_cause(hunks, finding.cause)
    return locate(hunks, Place(finding.path, finding.line))


def _is_added(line: DiffLine, number: int) -> bool:
    return line.old is None and line.new == number


def _is_shown(line: DiffLine, number: int) -> bool:
    return line.old is not None and line.new == number


def _is_removed(line: DiffLine, number: int) -> bool:
    return line.new is None and line.old == number


def quote(
    hunks: Sequence[Hunk], spot: Spot, *, after: Spot | None = None, also: Iterable[Spot] = ()
) -> tuple[str, ...]:
    """The lines of a reply that quote the diff down to ``spot``, which is the last of them; at most twelve.

    ``after`` is the last line quoted so far: the header of the same hunk is not quoted again. ``also`` are lines that
    the comment speaks of; they are quoted where they stand before ``spot`` in its hunk and there is room.
    """
    hunk = hunks[spot.hunk]
    follows = after is not None and after.hunk == spot.hunk
    first = after.line + 1 if after is not None and follows else 0
    headers: list[str] = []
    if not follows:
        several = len({one.file_header for one in hunks}) > 1
        headers = [*([_quoted(hunk.file_header)] if several and hunk.file_header else []), _quoted(hunk.header)]
    chosen = {at for at in range(spot.line - _CONTEXT, spot.line + 1) if at >= first}
    wanted = sorted({one.line for one in also if one.hunk == spot.hunk and first <= one.line < spot.line}, reverse=True)
    for at in wanted:
        if len(headers) + len(_rows(hunk, chosen | {at}, first)) <= MAX_LINES:
            chosen.add(at)
    return (*headers, *_rows(hunk, chosen, first))


def _rows(hunk: Hunk, chosen: set[int], first: int) -> list[str]:
    """The chosen lines as quoted lines; a cut of one line is not worth a mark, the line is quoted instead."""
    rows: list[str] = []
    expected = first
    for at in sorted(chosen):
        if at - expected == 1 and is_quotable(hunk.lines[expected].text):
            rows.append(_quoted(hunk.lines[expected].text))
        elif at > expected:
            rows.append(CUT)
        text = hunk.lines[at].text
        if is_quotable(text):
            rows.append(_quoted(text))
        elif not rows or rows[-1] != CUT:
            rows.append(CUT)
        expected = at + 1
    return rows


def is_quotable(text: bytes) -> bool:
    """Whether a line survives as a line of a text mail: no bare CR, no NUL, not longer than mail allows."""
    return not re.search(rb"\r(?!$)|\0", text) and len(text) <= _LONGEST


def decoded(text: bytes) -> str:
    """A line of a diff as text: UTF-8, else Latin-1, as a reader of the mail would see it."""
    text = text.removesuffix(b"\r")
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")


def _quoted(text: bytes) -> str:
    return "> " + decoded(text) if is_quotable(text) else CUT
