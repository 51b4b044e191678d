# SPDX-License-Identifier: GPL-2.0-or-later
"""The comments of a review in the form that ``b4 review`` reads from an agent (b4 0.16, _integrate_agent_reviews()).

A folder with ``identity.txt``, ``series.txt`` and a file ``0001.txt`` for each patch: what is said of the whole patch,
then the hunks with comments, quoted, each comment under its line. Lines that b4 would take apart are left out of the
quotation; it finds the place of a comment by the text of the line above it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final

from reviewer import __version__
from reviewer.mail import prose
from reviewer.mail.comment import comment_on
from reviewer.mail.quote import Hunk, Spot, hunks_of, standing
from reviewer.mail.templates import Templates
from reviewer.model import Change, Finding, Review, Severity

# b4 keeps reviews by address, and this one is nobody's (RFC 2606).
IDENTITY: Final = "reviewer <noreply@reviewer.invalid>"
_SHORT: Final = 12  # hexadecimal digits of a commit, as the kernel abbreviates them


def agent_notes(review: Review, diffs: Sequence[bytes], templates: Templates) -> dict[str, str]:
    """The files of the folder by name; none where there is nothing to say.

    ``diffs`` are those of the patches, in order.
    """
    total = len(review.patches)
    files: dict[str, str] = {}
    for patch, diff in zip(review.patches, diffs, strict=True):
        wanted = [
            one
            for one in patch.findings
            if one.change in (Change.INTRODUCED, Change.EXPOSED)
            and one.severity is not Severity.NIT
            and one.raised is None
        ]
        notes = [_mended(patch.number, one, total) for one in wanted if one.fixed_later is not None]
        hunks = hunks_of(diff)
        placed: list[tuple[Spot, str]] = []
        for finding in wanted:
            if finding.fixed_later is None:
                text = _harmless(comment_on(finding, templates))
                spot = standing(hunks, finding)
                if spot is None:
                    notes.append(text)
                else:
                    placed.append((spot, text))
        parts = [*notes, *_quoted(hunks, sorted(placed, key=lambda one: one[0]))]
        if parts:
            files[f"{patch.number:04d}.txt"] = "\n\n".join(parts) + "\n"
    if files:
        base = f", on top of {review.base.commit[:_SHORT]}" if review.base is not None else ""
        files["series.txt"] = f"reviewer {__version__} has only read the series{base}; nothing was built or run.\n"
        files["identity.txt"] = f"{IDENTITY}\n"
    return files


def _mended(number: int, finding: Finding, total: int) -> str:
    text = f"Not bisectable between {number}/{total} and {finding.fixed_later}/{total}: {finding.message}"
    return "\n".join(prose.fill(prose.sentence(text)))


def _harmless(text: str) -> str:
    """A comment no line of which b4 takes for a quotation, or for the mark of a cut."""
    return "\n".join(
        f" {line}" if line.startswith(">") or line.strip() == "[ ... ]" else line for line in text.split("\n")
    )


def _quoted(hunks: Sequence[Hunk], placed: Sequence[tuple[Spot, str]]) -> list[str]:
    """The files and hunks with comments, down to the last comment of each hunk."""
    parts: list[str] = []
    lines: list[str] = []
    header = b""
    for at, group in itertools.groupby(placed, key=lambda one: one[0].hunk):
        hunk = hunks[at]
        if hunk.file_header != header:
            header = hunk.file_header
            lines += [f"> {line}" for line in _file_header(hunk)]
        lines += _line(hunk.header)
        done = 0
        for spot, text in group:
            for line in hunk.lines[done : spot.line + 1]:
                lines += _line(line.text)
            done = spot.line + 1
            parts += ["\n".join(lines), text] if lines else [text]
            lines = []
    return parts


def _file_header(hunk: Hunk) -> list[str]:
    old, new = hunk.old_path, hunk.new_path
    return [
        f"diff --git a/{old or new} b/{new or old}",
        f"--- a/{old}" if old is not None else "--- /dev/null",
        f"+++ b/{new}" if new is not None else "+++ /dev/null",
    ]


def _line(text: bytes) -> list[str]:
    """A line of the diff as it is quoted; none where Python's splitlines(), which b4 uses, makes several of it."""
    line = text.decode("utf-8", "replace")
    return [f"> {line}"] if len(line.splitlines()) <= 1 and not line.endswith("\r") else []
