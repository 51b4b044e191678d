# SPDX-License-Identifier: GPL-2.0-or-later
"""What git-apply(1) said, as one failure for each file: which kind, at which line, in words for people."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from unidiff.errors import UnidiffParseError
from unidiff.patch import Hunk, PatchSet

from reviewer.model import ApplyFailure, FailureKind
from reviewer.tree.patchtext import FileChange

_SHOWN = 70  # characters of a source line that a message quotes
_COMMON = 50  # a line that stands in a file more often than this does not help to find a hunk's place

# The wording is that of apply.c, from git 2.32 to 2.52.
_MISSING = re.compile(r"error: (.+): (?:does not exist in index|No such file or directory|no such path in the index)")
_HUNK = re.compile(r"error: patch failed: (.+):(\d+)")
_EXISTS = re.compile(r"error: (.+): already exists in (?:index|working directory)")
_CORRUPT = re.compile(
    r"error: (?:(?:git apply: )?bad git-diff|corrupt|unrecognized binary|patch fragment without header|invalid mode"
    r"|git diff header lacks|No valid patches|unable to find filename|recount: |invalid path|cannot apply binary patch"
    r"|binary patch to '|new file .+ depends on old|deleted file .+ still has|inconsistent|unable to parse hunk)"
)
_PATCH_LINE = re.compile(r"(?:line |[^\s:]+:)(\d+)(?:\D*)$")
_OTHER = re.compile(r"error: (?:affected file |the patch applies to |binary patch does not apply to )?'?(.+?)'?[ :]")
_FOLLOWS = re.compile(r"error: .+: patch does not apply$|error: unable to add cache entry")


def failures(
    said: str, files: Sequence[FileChange], diff: bytes, read: Callable[[str], bytes | None]
) -> tuple[ApplyFailure, ...]:
    """The failures in git's error output ``said``, one for each file; never none.

    ``read`` gives the content of a file in the tree that refused the patch, to find the line that differs.
    """
    found: dict[str, ApplyFailure] = {}
    for failure in _each(said.splitlines(), files, diff, read):
        found.setdefault(failure.path, failure)
    if not found:
        path = files[0].name if files else ""
        return (ApplyFailure(FailureKind.CORRUPT, path, None, said.strip() or "git apply gave no reason"),)
    return tuple(found.values())


def _each(
    lines: Iterable[str], files: Sequence[FileChange], diff: bytes, read: Callable[[str], bytes | None]
) -> Iterator[ApplyFailure]:
    for line in lines:
        detail = line.removeprefix("error: ")
        if hunk := _HUNK.match(line):
            path, start = hunk.group(1), int(hunk.group(2))
            yield _context(path, start, files, diff, read(path))
        elif missing := _MISSING.match(line):
            path = missing.group(1)
            yield ApplyFailure(FailureKind.MISSING_FILE, path, None, f"{path} does not exist in this tree")
        elif exists := _EXISTS.match(line):
            path = exists.group(1)
            yield ApplyFailure(
                FailureKind.CONTEXT, path, None, f"{path} is to be created, but exists with other content"
            )
        elif _CORRUPT.match(line):
            yield _corrupt(detail, files)
        elif line.startswith("error: ") and not _FOLLOWS.match(line):
            other = _OTHER.match(line)
            known = {file.name for file in files}
            path = other.group(1) if other and other.group(1) in known else (files[0].name if files else "")
            yield ApplyFailure(FailureKind.CONTEXT, path, None, detail)


def _corrupt(detail: str, files: Sequence[FileChange]) -> ApplyFailure:
    """``line`` is one of the patch text here: there is no line of the tree to speak of."""
    at = _PATCH_LINE.search(detail)
    line = int(at.group(1)) if at else None
    path = next((file.name for file in reversed(files) if line is not None and file.line <= line), "")
    if not path:
        path = next((file.name for file in files if file.name and file.name in detail), files[0].name if files else "")
    return ApplyFailure(FailureKind.CORRUPT, path, line, f"{detail} (of the patch text)" if line else detail)


def _context(path: str, start: int, files: Sequence[FileChange], diff: bytes, data: bytes | None) -> ApplyFailure:
    expected = _source_lines(path, start, files, diff)
    place = _first_difference(expected, data.split(b"\n"), start) if expected and data is not None else None
    if place is None:
        return ApplyFailure(FailureKind.CONTEXT, path, start, f"the hunk at line {start} does not fit the file")
    line, wanted, is_there = place
    return ApplyFailure(
        FailureKind.CONTEXT,
        path,
        line,
        f"the hunk at line {start} expects {_shown(wanted)} at line {line}, the file has {_shown(is_there)}",
    )


def _source_lines(path: str, start: int, files: Sequence[FileChange], diff: bytes) -> list[bytes]:
    """The lines that the hunk beginning at ``start`` expects to find, without line ends."""
    for file in files:
        if path not in (file.old, file.new):
            continue
        for hunk in _hunks(diff, file):
            if hunk.source_start == start:
                # hunk lines are the file's with one line end each, whatever they end in inside
                return [str(text)[1:].encode("latin-1").removesuffix(b"\n") for text in hunk.source]
    return []


def _hunks(diff: bytes, file: FileChange) -> Iterator[Hunk]:
    """The hunks of one file of the patch, as unidiff reads them; none where it cannot."""
    if not file.hunks:
        return
    lines = diff.split(b"\n")[file.hunks[0][0] - 1 : file.hunks[-1][1]]
    # latin-1 keeps every byte; the names in the header do not matter here
    text = "--- a/x\n+++ b/x\n" + b"\n".join(lines).decode("latin-1") + "\n"
    try:
        for patched in PatchSet(text):
            yield from patched
    except UnidiffParseError:
        return


def _first_difference(expected: list[bytes], present: list[bytes], start: int) -> tuple[int, bytes, bytes] | None:
    """(line, expected, present) where the best place for the hunk first differs; None if most of it is nowhere."""
    places: dict[bytes, list[int]] = {}
    for number, text in enumerate(present):
        places.setdefault(text, []).append(number)
    votes: Counter[int] = Counter()
    for offset, text in enumerate(expected):
        here = places.get(text, [])
        votes.update(number - offset for number in here if len(here) <= _COMMON)
    if not votes:
        return None
    best = max(votes, key=lambda place: (votes[place], -abs(place + 1 - start)))
    matching = sum(present[best + o] == text for o, text in enumerate(expected) if 0 <= best + o < len(present))
    if matching * 2 < len(expected):
        return None
    for offset, text in enumerate(expected):
        number = best + offset
        is_there = present[number] if 0 <= number < len(present) else b""
        if is_there != text:
            return max(number + 1, 1), text, is_there
    return None


def _shown(line: bytes) -> str:
    text = line.decode("utf-8", "replace").strip()
    if not text:
        return "an empty line"
    text = "".join(c if c.isprintable() else " " for c in text)
    return f'"{text}"' if len(text) <= _SHOWN else f'"{text[:_SHOWN]}..."'
