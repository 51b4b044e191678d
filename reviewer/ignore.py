# SPDX-License-Identifier: GPL-2.0-or-later
"""What is not to be told: ``.reviewer/ignore`` of the tree that a patch is made for, and the user's own file.

One entry a line, ``#`` starts a line of comment::

    CHECK PATH [FUNCTION()] [until YYYY-MM-DD] -- REASON

CHECK and FUNCTION are globs. PATH is read as in MAINTAINERS: one that ends in ``/`` means all below that folder,
and a wildcard stays within one part of the path. The day of ``until``, in UTC, is the last on which an entry counts.

The file in the tree was written by somebody else: its size is bounded, and what is wrong with a line is told with its
number while the others count. Nothing is read from a patch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, Protocol

from reviewer.errors import UsageError
from reviewer.model import Finding, IgnoreEntry, Problem, Silenced, Suppression
from reviewer.selection import covers
from reviewer.wording import counted

TREE_FILE: Final = ".reviewer/ignore"
"""Where the file of a tree stands."""

LARGEST: Final = 64 << 10
"""Bytes of an ignore file, about a thousand entries; a larger one is not read."""

_LONGEST: Final = 1000  # characters of a line
_MOST_TOLD: Final = 10  # wrong lines
_FORM: Final = "CHECK PATH [FUNCTION()] [until YYYY-MM-DD] -- REASON"

_CHECK: Final = re.compile(r"[a-z0-9*?\[\]!-]+")
_FUNCTION: Final = re.compile(r"[A-Za-z0-9_*?\[\]!-]+\(\)")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class Files(Protocol):
    """A tree whose files can be read."""

    def read(self, path: str) -> bytes | None:
        """The content of a file, None where the tree has no such file."""


def entries_of_tree(files: Files) -> tuple[tuple[IgnoreEntry, ...], tuple[Problem, ...]]:
    """The entries of the tree's file, and what is wrong with it; neither where there is no such file."""
    data = files.read(TREE_FILE)
    if data is None:
        return (), ()
    entries, wrong = parse(data, TREE_FILE)
    told = [f"line {line}: {message}" if line else message for line, message in wrong[:_MOST_TOLD]]
    if len(wrong) > _MOST_TOLD:
        told.append(f"and {counted(len(wrong) - _MOST_TOLD, 'more line')} like these")
    return entries, tuple(Problem("ignore", TREE_FILE, message) for message in told)


def entries_of_user(path: Path) -> tuple[IgnoreEntry, ...]:
    """The entries of the user's file, none where it does not exist; UsageError names the line that is wrong."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise UsageError(f"tried to read the entries to ignore from {path}: {error.strerror}") from None
    entries, wrong = parse(data, str(path))
    if wrong:
        line, message = wrong[0]
        raise UsageError(f"{path}{f', line {line}' if line else ''}: {message}")
    return entries


def parse(data: bytes, file: str) -> tuple[tuple[IgnoreEntry, ...], tuple[tuple[int, str], ...]]:
    """The entries of an ignore file called ``file``, and (line, what is wrong) for the lines that are none."""
    if len(data) > LARGEST:
        return (), ((0, f"holds more than {LARGEST >> 10} KiB; none of it was read"),)
    entries: list[IgnoreEntry] = []
    wrong: list[tuple[int, str]] = []
    for number, row in enumerate(data.split(b"\n"), 1):
        try:
            line = row.decode("utf-8").strip()
            if line and not line.startswith("#"):
                entries.append(_entry(line, file, number))
        except UnicodeDecodeError:
            wrong.append((number, "is not UTF-8"))
        except ValueError as error:
            wrong.append((number, str(error)))
    return tuple(entries), tuple(wrong)


def _entry(line: str, file: str, number: int) -> IgnoreEntry:
    if len(line) > _LONGEST:
        raise ValueError(f"is longer than {_LONGEST} characters")
    head, _, reason = line.partition(" -- ")
    if not reason.strip():
        raise ValueError(f"gives no reason; an entry reads {_FORM}")
    words = head.split()
    if len(words) < 2:
        raise ValueError(f"names no path; an entry reads {_FORM}")
    check, path, *more = words
    if not _CHECK.fullmatch(check):
        raise ValueError(f"{check!r} is not a glob for check ids")
    if any(part in ("", ".", "..") for part in path.removesuffix("/").split("/")) or "\\" in path:
        raise ValueError(f"{path!r} is not a path from the top of the tree")
    function = until = ""
    if more and more[0].endswith("()"):
        function, more = more[0], more[1:]
        if not _FUNCTION.fullmatch(function):
            raise ValueError(f"{function!r} is not a glob for functions")
    if more and more[0] == "until":
        until, more = " ".join(more[1:2]), more[2:]
        _check_day(until)
    if more:
        raise ValueError(f"{more[0]!r} is neither FUNCTION() nor `until`; an entry reads {_FORM}")
    return IgnoreEntry(file, number, check, path, function.removesuffix("()"), until, " ".join(reason.split()))


def _check_day(text: str) -> None:
    try:
        if _DAY.fullmatch(text):
            date.fromisoformat(text)
            return
    except ValueError:  # a month or day that does not exist
        pass
    raise ValueError(f"{text!r} is not a day such as `until 2030-12-31`")


class Suppressor:
    """Tells which findings are not to be told, and keeps count.

    ``today`` decides which entries have expired; ISO days compare as text.
    """

    def __init__(self, entries: Sequence[IgnoreEntry], today: date) -> None:
        day = today.isoformat()
        self._valid = [entry for entry in entries if not entry.until or entry.until >= day]
        self._expired = [entry for entry in entries if entry.until and entry.until < day]
        self._matched: set[IgnoreEntry] = set()
        self._silenced: list[Silenced] = []

    def without_silenced(
        self, findings: Iterable[Finding], patch: int | None = None, old_names: dict[str, str] | None = None
    ) -> tuple[Finding, ...]:
        """The findings that are told. ``old_names`` are the paths that renamed files have in the entries' tree."""
        told: list[Finding] = []
        for finding in findings:
            paths = {finding.path, (old_names or {}).get(finding.path, finding.path)}
            found = [entry for entry in self._valid if any(_matches(entry, finding, path) for path in paths)]
            self._matched.update(found)
            if found:
                self._silenced.append(Silenced(patch, finding, found[0]))
            else:
                told.append(finding)
        return tuple(told)

    def suppression(self, covered: Sequence[str], checks: Sequence[str] = ()) -> Suppression:
        """What was silenced so far, and which entries for the files ``covered`` have expired.

        ``checks`` are the ids of those that judged these files whole: an entry for one of them that matched nothing is
        unused. A patch is judged in the functions that it concerns, so that it says nothing about entries.
        """
        unused = [
            entry
            for entry in self._valid
            if entry not in self._matched and any(fnmatchcase(check, entry.check) for check in checks)
        ]
        return Suppression(tuple(self._silenced), _for(unused, covered), _for(self._expired, covered))


def _for(entries: Iterable[IgnoreEntry], covered: Sequence[str]) -> tuple[IgnoreEntry, ...]:
    return tuple(entry for entry in entries if any(is_for(entry, path) for path in covered))


def _matches(entry: IgnoreEntry, finding: Finding, path: str) -> bool:
    return (
        fnmatchcase(finding.check, entry.check)
        and (not entry.function or fnmatchcase(finding.function, entry.function))
        and is_for(entry, path)
    )


def is_for(entry: IgnoreEntry, path: str) -> bool:
    """Whether the entry's PATH means this file."""
    return covers(entry.path, path)
