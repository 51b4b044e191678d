# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the reports in a text and read each into a ``Splat``.

A report begins with the first line of its kind and ends where the next begins, where the quoting changes, or where the
mail goes on with something else. A line that makes no sense is passed over: reports are cut, mixed and re-wrapped. What
a mail program broke is read as one line again where a line alone says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from reviewer.splat.body import Body
from reviewer.splat.grammar import is_cut
from reviewer.splat.kinds import HEADERS, Header
from reviewer.splat.lines import Line, read_lines
from reviewer.splat.records import Splat, Task

MAX_SPLATS: Final = 200
_MAX_BODY: Final = 5000  # lines
_WIDEST: Final = 3  # lines that may be one broken line
_NEAR: Final = 4  # lines between the message of a WARNING and its place
# Some word of every header: most lines are not worth trying all of them.
_MARK: Final = re.compile(
    r"BUG: |WARNING: |INFO: |warning: |warn: |call to |Voluntary context|TASK_RUNNING|threaded context|LOCKUP|ODEBUG: |"
    r"tick-stop|srcu_idx"
)
_ADDRESS: Final = re.compile(r"(?:#\d{1,3}: )?[0-9a-f]{8,16}")
_END: Final = re.compile(
    r"---\[ end trace|diff --git |@@ -\d|-- $|[A-Z][A-Za-z-]{2,20}-by: |Fixes: |Closes: |Link: |Message-ID: |Subject: |"
    r"From [^ ]+ "
)


def parse(text: str, message_id: str = "") -> tuple[Splat, ...]:
    """The reports in ``text``, in its order, at most ``MAX_SPLATS``. ``message_id`` is the mail that it is from."""
    lines = tuple(read_lines(text))
    found: list[Splat] = []
    at = 0
    while at < len(lines) and len(found) < MAX_SPLATS:
        started = _header_at(lines, at)
        if started is None:
            at += 1
            continue
        header, match, width = started
        end = _end_of(lines, at + width, lines[at].depth, header)
        found.append(_read(lines, at, width, end, header, match, message_id))
        at = max(end, at + width)
    return tuple(found)


def _joined(lines: Sequence[Line], at: int, width: int) -> str:
    return " ".join(line.text for line in lines[at : at + width] if line.text)


def _header_at(lines: Sequence[Line], at: int) -> tuple[Header, re.Match[str], int] | None:
    """The header that begins at a line, and how many lines it takes. A broken one needs its first word here."""
    if not _MARK.search(lines[at].text):
        return None
    for width in (1, 2):
        text = _joined(lines, at, width)
        if width > 1 and (len(lines) <= at + 1 or not _may_break(lines[at].text)):
            return None
        for header in HEADERS:
            match = header.pattern.match(text)
            if match and (width == 1 or match.end() > len(lines[at].text)):
                return header, match, width
    return None


def _may_break(text: str) -> bool:
    """Whether a line can be the first half of a header that was broken."""
    return text.startswith(
        ("BUG:", "WARNING:", "INFO:", "rcu: INFO:", "ODEBUG:", "NOHZ", "do not call", "watchdog: BUG:", "KVM: Illegal")
    ) or text.endswith(("warning:", "call to"))


def _end_of(lines: Sequence[Line], begin: int, depth: int, header: Header) -> int:
    """The line behind the last one that belongs to the report."""
    for at in range(begin, min(len(lines), begin + _MAX_BODY)):
        line = lines[at]
        if not line.text:
            continue
        if line.depth != depth and not _continues(lines, at, depth):
            return at
        if _END.match(line.text):
            return at
        next_header = _header_at(lines, at)
        if next_header is not None and not _belongs(header, next_header, at - begin):
            return at
    return min(len(lines), begin + _MAX_BODY)


def _continues(lines: Sequence[Line], at: int, depth: int) -> bool:
    """Whether a line with fewer quote marks is the rest of a lock line that was broken when it was sent."""
    before = lines[at - 1]
    return lines[at].depth < depth and before.depth == depth and is_cut(before.text) and "at:" in before.text[-4:]


def _belongs(header: Header, other: tuple[Header, re.Match[str], int], distance: int) -> bool:
    """Whether a header is a line of the report that began before it."""
    if other[1][0].startswith("INFO: lockdep is turned off"):
        return True
    return header.inside and other[0].kind == "kernel-warning" and distance <= _NEAR


def _read(
    lines: Sequence[Line], at: int, width: int, end: int, header: Header, match: re.Match[str], message_id: str
) -> Splat:
    found = {name: value for name, value in match.groupdict().items() if value is not None}
    splat = Splat(header.kind, _joined(lines, at, width), lines[at].number, message_id)
    comm, pid = found.pop("comm", None), found.pop("pid", None)
    splat = replace(
        splat,
        task=Task(comm.strip(), int(pid)) if comm and pid else None,
        cpu=int(found.pop("cpu")) if "cpu" in found else None,
        path=found.pop("path", ""),
        number=int(found.pop("line")) if "line" in found else None,
    )
    body = Body(splat, found)
    for text, indent in _logical(body, lines, at + width, end):
        body.read(text, indent)
    return body.finished()


def _logical(body: Body, lines: Sequence[Line], begin: int, end: int) -> Iterator[tuple[str, int]]:
    """The lines of a body, broken ones put together: text and indentation."""
    at = begin
    while at < end:
        line = lines[at]
        if not line.text:
            at += 1
            continue
        width = next((wide for wide in range(1, _WIDEST + 1) if at + wide <= end and _whole(body, lines, at, wide)), 1)
        yield _joined(lines, at, width), line.indent
        at += width


def _whole(body: Body, lines: Sequence[Line], at: int, width: int) -> bool:
    """Whether so many lines are one line of the report, and the first of them is needed for that."""
    if not body.knows(_joined(lines, at, width)):
        return False
    if width == 1 or is_cut(lines[at].text) or _ADDRESS.fullmatch(lines[at].text):
        return True
    return not any(body.knows(_joined(lines, at + skipped, width - skipped)) for skipped in range(1, width))
