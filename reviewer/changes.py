# SPDX-License-Identifier: GPL-2.0-or-later
"""The lines that a patch adds and removes, by file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from reviewer.compare import ChangedLines
from reviewer.tree.patchtext import FileChange, changed_files

_HUNK = re.compile(rb"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@[ ]?(.*)")


@dataclass(frozen=True, slots=True)
class HunkLine:
    """One line of a hunk: kind is a space, ``+`` or ``-``; ``old`` and ``new`` are its lines in the two files."""

    kind: str
    old: int
    new: int
    text: bytes


@dataclass(frozen=True, slots=True)
class Hunk:
    """One hunk with what git wrote behind ``@@``: usually the first line of the function around it."""

    section: bytes
    lines: tuple[HunkLine, ...]


def hunks_of(diff: bytes, file: FileChange) -> Iterator[Hunk]:
    """The hunks of one file of ``diff``."""
    rows = diff.split(b"\n")
    for start, stop in file.hunks:
        header = _HUNK.match(rows[start - 1])
        if header is None:
            continue
        old, new = int(header.group(1)), int(header.group(2))
        lines = []
        for row in rows[start:stop]:
            kind = row[:1].decode("latin-1") or " "
            if kind not in " +-":
                continue
            lines.append(HunkLine(kind, old, new, row[1:].rstrip(b"\r")))
            old += kind != "+"
            new += kind != "-"
        yield Hunk(header.group(3), tuple(lines))


def changed_lines(diff: bytes) -> tuple[dict[str, ChangedLines], dict[str, str]]:
    """Changed lines by path, under the new path where there is one, and old path to new path of renames."""
    changed: dict[str, ChangedLines] = {}
    renamed: dict[str, str] = {}
    for file in changed_files(diff):
        added: set[int] = set()
        removed: set[int] = set()
        near: set[int] = set()
        for hunk in hunks_of(diff, file):
            added.update(line.new for line in hunk.lines if line.kind == "+")
            removed.update(line.old for line in hunk.lines if line.kind == "-")
            near.update(at for line in hunk.lines if line.kind == "-" for at in (line.new - 1, line.new) if at > 0)
        if file.old and file.new and file.old != file.new:
            renamed[file.old] = file.new
        known = changed.get(file.name, ChangedLines())
        changed[file.name] = ChangedLines(known.added | added, known.removed | removed, known.near | (near - added))
    return changed, renamed
