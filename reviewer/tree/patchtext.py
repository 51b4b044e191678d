# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files a patch text names, read the way git-apply(1) reads its headers.

git remains the judge of what applies; this only tells in advance which paths to lay before it. Hunks are skipped by
their line counts, so that a removed line such as ``-- a/x`` is never taken for a header.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_INDEX = re.compile(rb"index ([0-9a-f]{4,64})\.\.[0-9a-f]{4,64}(?: [0-7]+)?\s*")
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_LETTERS = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of a patch.

    ``old`` and ``new`` are None for a side that does not exist. ``line`` is the 1-based line of the patch text at
    which the file begins. ``old_oid`` is what the ``index`` line says of the old side, often abbreviated, or empty.
    ``hunks`` are the first line and the line after the last of each hunk's body, 0-based.
    """

    line: int
    old: str | None = None
    new: str | None = None
    old_oid: str = ""
    hunks: tuple[tuple[int, int], ...] = ()

    @property
    def name(self) -> str:
        """The path to name when talking about this file."""
        return self.new or self.old or ""


def changed_files(diff: bytes, strip: int = 1) -> tuple[FileChange, ...]:
    """The files that a patch names, in order; ``strip`` is git-apply's ``-p``, 0 or 1."""
    return tuple(_Reader(diff, strip).read())


def without_prefix(diff: bytes) -> bool:
    """Whether the patch was made with ``--no-prefix``: both names of a ``diff --git`` line are the same."""
    return re.search(rb"^diff --git (\S+) \1\r?$", diff, re.MULTILINE) is not None


def unusable(path: str) -> bool:
    """Whether no git tree may hold such a path: absolute, leading out of the tree, or into ``.git``."""
    parts = path.split("/")
    return "\0" in path or any(part in ("", ".", "..") or part.lower() == ".git" for part in parts)


def is_text(path: str) -> bool:
    """Whether a path is UTF-8. git takes any bytes; what is kept from run to run and reported is text."""
    return path.isascii() or not re.search("[\ud800-\udfff]", path)


def fit_line_ends(diff: bytes, files: Sequence[FileChange], is_crlf: Callable[[str], bool | None]) -> bytes:
    """The patch with the line ends of the files that it changes, which mail may have added or taken away.

    ``is_crlf`` tells the line ends of a file, None where there is no such file: new files get plain ones.
    """
    lines = diff.split(b"\n")
    for file in files:
        end = b"\r" if file.old is not None and is_crlf(file.old) else b""
        for start, stop in file.hunks:
            for at in range(start, stop):
                if not lines[at].startswith(b"\\"):
                    lines[at] = lines[at].rstrip(b"\r") + end
    return b"\n".join(lines)


class _Reader:
    def __init__(self, diff: bytes, strip: int) -> None:
        self._lines = diff.split(b"\n")
        self._strip = strip

    def read(self) -> Iterator[FileChange]:
        current: FileChange | None = None
        at, git_header = 0, False
        while at < len(self._lines):
            line = self._lines[at].rstrip(b"\r")
            hunk = _HUNK.match(line)
            if line.startswith(b"diff --git "):
                if current is not None:
                    yield current
                current, git_header = self._from_git_line(at), True
            elif hunk and current is not None:
                body, at = at + 1, self._after_hunk(at, hunk)
                current, git_header = replace(current, hunks=(*current.hunks, (body, at))), False
                continue
            elif line.startswith(b"--- ") and self._next(at).startswith(b"+++ "):
                if not git_header:
                    if current is not None:
                        yield current
                    current = FileChange(at + 1)
                current = replace(
                    current or FileChange(at + 1), old=self._named(line[4:]), new=self._named(self._next(at)[4:])
                )
                at += 1
            elif current is not None and git_header:
                current = self._extended(current, line)
            at += 1
        if current is not None:
            yield current

    def _next(self, at: int) -> bytes:
        return self._lines[at + 1].rstrip(b"\r") if at + 1 < len(self._lines) else b""

    def _after_hunk(self, at: int, hunk: re.Match[bytes]) -> int:
        old, new = (int(count) if count is not None else 1 for count in hunk.group(2, 4))
        at += 1
        while (old > 0 or new > 0) and at < len(self._lines):
            sign = self._lines[at][:1]
            if sign not in (b" ", b"+", b"-", b"", b"\r", b"\\"):
                break
            old -= sign in (b" ", b"-", b"", b"\r")
            new -= sign in (b" ", b"+", b"", b"\r")
            at += 1
        return at

    def _extended(self, change: FileChange, line: bytes) -> FileChange:
        index = _INDEX.fullmatch(line)
        if index:
            return replace(change, old_oid=index.group(1).decode())
        if line.startswith((b"rename from ", b"copy from ")):
            return replace(change, old=_text(line.split(b" from ", 1)[1]))
        if line.startswith((b"rename to ", b"copy to ")):
            return replace(change, new=_text(line.split(b" to ", 1)[1]))
        if line.startswith(b"new file mode "):
            return replace(change, old=None)
        if line.startswith(b"deleted file mode "):
            return replace(change, new=None)
        return change

    def _named(self, raw: bytes) -> str | None:
        """The path of a ``---`` or ``+++`` line; a tab ends it, what follows is a time stamp."""
        name = raw if raw.startswith(b'"') else raw.split(b"\t", 1)[0]
        text = _text(name)
        return None if text == "/dev/null" else self._stripped(text)

    def _stripped(self, path: str) -> str:
        return path.split("/", 1)[1] if self._strip and "/" in path else path

    def _from_git_line(self, at: int) -> FileChange:
        """The names of a ``diff --git`` line, which count only where no later header line gives them."""
        rest = self._lines[at].rstrip(b"\r")[len(b"diff --git ") :]
        for cut in range(1, len(rest)):
            if rest[cut : cut + 1] != b" ":
                continue
            old, new = self._stripped(_text(rest[:cut])), self._stripped(_text(rest[cut + 1 :]))
            if old == new:
                return FileChange(at + 1, old, new)
        return FileChange(at + 1)


def _text(raw: bytes) -> str:
    """A path as it stands in a header, C-quoted or not, with bytes that are no UTF-8 as surrogate escapes."""
    if len(raw) >= 2 and raw.startswith(b'"'):
        end = re.match(rb'"((?:[^"\\]|\\.)*)"', raw)
        if end:
            raw = _ESCAPE.sub(_unescaped, end.group(1))
    return os.fsdecode(raw)


def _unescaped(match: re.Match[bytes]) -> bytes:
    code = match.group(1)
    return bytes((int(code, 8) & 0xFF,)) if len(code) == 3 else _LETTERS.get(code, code)
