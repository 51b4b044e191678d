# SPDX-License-Identifier: GPL-2.0-or-later
"""The lines that a patch adds and removes, by file."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from reviewer.sides import ChangedLines
from reviewer.tree.patchtext import FileChange, changed_files, is_text

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


@dataclass(frozen=True, slots=True)
class Changes:
    """What a patch changed in the two trees.

    ``lines`` are by path, under the new path where there is one; ``renamed`` maps old to new paths. ``shifts`` tells
    for each hunk of the diff, in order, how far its lines stand from where the diff says: (pre-image, post-image).
    """

    lines: dict[str, ChangedLines]
    renamed: dict[str, str]
    shifts: tuple[tuple[int, int], ...] = ()


Reader = Callable[[str], bytes | None]


def changes_in(diff: bytes, before: Reader | None = None, after: Reader | None = None) -> Changes:
    """The changed lines of ``diff``, at the places where its hunks really are in the two trees.

    A patch that applies at an offset names other lines than those it changes. Without the two readers of files the
    lines are those that the diff names. Where a hunk is not to be found as it was mailed, which is so after a three-way
    merge, the lines are those in which the two files differ.
    """
    lines: dict[str, ChangedLines] = {}
    renamed: dict[str, str] = {}
    shifts: list[tuple[int, int]] = []
    for file in changed_files(diff):
        hunks = list(hunks_of(diff, file))
        old = _split(before, file.old)
        new = _split(after, file.new)
        placed = _placed(hunks, old, new)
        shifts += placed or [(0, 0)] * len(hunks)
        if placed is None and old is not None and new is not None:
            found = _differing(old, new)
        else:
            found = _marked(hunks, placed or [(0, 0)] * len(hunks))
        if not is_text(file.name) or not is_text(file.old or ""):
            continue  # nothing is known of it in the two trees
        if file.old and file.new and file.old != file.new:
            renamed[file.old] = file.new
        known = lines.get(file.name, ChangedLines())
        lines[file.name] = ChangedLines(
            known.added | found.added,
            known.removed | found.removed,
            known.near | found.near,
            known.beside | found.beside,
        )
    return Changes(lines, renamed, tuple(shifts))


def _split(read: Reader | None, path: str | None) -> list[bytes] | None:
    text = read(path) if read is not None and path is not None else None
    return None if text is None else [line.rstrip(b"\r") for line in text.split(b"\n")]


def _placed(
    hunks: Sequence[Hunk], old: Sequence[bytes] | None, new: Sequence[bytes] | None
) -> list[tuple[int, int]] | None:
    """The shifts of all hunks, or None where one is not in the files as it stands in the diff."""
    shifts: list[tuple[int, int]] = []
    last = (0, 0)
    for hunk in hunks:
        sides = []
        for lines, drop, at in ((old, "+", 0), (new, "-", 1)):
            wanted = [line for line in hunk.lines if line.kind != drop]
            first = (wanted[0].new if at else wanted[0].old) if wanted else 0
            shift = (
                0 if lines is None or not wanted else _find([line.text for line in wanted], lines, first - 1, last[at])
            )
            if shift is None:
                return None
            sides.append(shift)
        last = (sides[0], sides[1])
        shifts.append(last)
    return shifts


def _find(wanted: Sequence[bytes], lines: Sequence[bytes], start: int, likely: int) -> int | None:
    """How far from ``start`` (0-based) the block ``wanted`` stands in ``lines``: the shift nearest to ``likely``."""
    for distance in range(len(lines) + 1):
        for shift in (likely + distance, likely - distance) if distance else (likely,):
            at = start + shift
            if (
                0 <= at <= len(lines) - len(wanted)
                and lines[at] == wanted[0]
                and lines[at : at + len(wanted)] == wanted
            ):
                return shift
    return None


def _marked(hunks: Sequence[Hunk], shifts: Sequence[tuple[int, int]]) -> ChangedLines:
    added: set[int] = set()
    removed: set[int] = set()
    near: set[int] = set()
    beside: set[int] = set()
    for hunk, (old, new) in zip(hunks, shifts, strict=True):
        for line in hunk.lines:
            if line.kind == "+":
                added.add(line.new + new)
                beside.update(at for at in (line.old + old - 1, line.old + old) if at > 0)
            elif line.kind == "-":
                removed.add(line.old + old)
                near.update(at for at in (line.new + new - 1, line.new + new) if at > 0)
    return ChangedLines(frozenset(added), frozenset(removed), frozenset(near - added), frozenset(beside - removed))


def _differing(old: Sequence[bytes], new: Sequence[bytes]) -> ChangedLines:
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    matcher = difflib.SequenceMatcher(None, old[start : len(old) - end], new[start : len(new) - end], autojunk=False)
    added: set[int] = set()
    removed: set[int] = set()
    near: set[int] = set()
    beside: set[int] = set()
    for kind, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if kind == "equal":
            continue
        removed.update(range(start + old_start + 1, start + old_end + 1))
        added.update(range(start + new_start + 1, start + new_end + 1))
        if kind == "delete":
            near.update(at for at in (start + new_start, start + new_start + 1) if at > 0)
        if kind == "insert":
            beside.update(at for at in (start + old_start, start + old_start + 1) if at > 0)
    return ChangedLines(frozenset(added), frozenset(removed), frozenset(near - added), frozenset(beside - removed))
