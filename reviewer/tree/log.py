# SPDX-License-Identifier: GPL-2.0-or-later
"""What the history of the repository says: commits that messages name, commits to a file, whether it is whole.

A history that is shallow, imported as one commit or cut off lacks commits that exist elsewhere. Whether it is whole
is told by the history itself: the commits that its own ``Fixes:`` lines name have to be there.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
from dataclasses import dataclass
from functools import cached_property

from reviewer.tree.repository import Repository

_SEARCHED = 2000  # commits before the base whose Fixes: lines bear witness
_WITNESSES = 40
_FEWEST = 3
_SHARE = 0.9  # of them that have to be there: a few name what never existed
_YEARS = 6  # before the base; a search has to end
_SECONDS = 6.0  # for one question to git; without an answer nothing is said
_FIXES = re.compile(r"^([0-9a-f]{8,40})\b", re.IGNORECASE)
_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True)
class Named:
    """A commit that a message names: its id and subject."""

    oid: str
    subject: str


@dataclass(frozen=True, slots=True)
class Logged:
    """A commit of the history: its id, subject and the rest of its message."""

    oid: str
    subject: str
    body: str


@dataclass(frozen=True)
class Log:
    """The history that ends in the commit ``base``."""

    repository: Repository
    base: str

    @cached_property
    def is_whole(self) -> bool:
        """Whether a commit that is not here exists nowhere, as far as the history's own ``Fixes:`` lines tell."""
        repository = self.repository
        if repository.shallow or repository.partial or (repository.git_dir / "info" / "grafts").exists():
            return False
        form = "%(trailers:key=Fixes,valueonly,unfold,separator=%x00)"
        listed = self.ask("log", "-z", f"-n{_SEARCHED}", "--no-color", f"--format={form}", self.base, "--")
        if listed is None:
            return False
        names = [found[1] for entry in listed.split("\0") if (found := _FIXES.match(entry.strip()))]
        known = [self.named(name) is not None for name in dict.fromkeys(names[:_WITNESSES])]
        return len(known) >= _FEWEST and sum(known) >= _SHARE * len(known)

    def named(self, name: str) -> Named | None:
        """The commit whose id begins with ``name``, anywhere in the repository; None if there is none, or several."""
        if not re.fullmatch(r"[0-9a-fA-F]{6,64}", name):
            return None
        told = self.ask("log", "-1", "--no-walk", "--no-color", "--format=%H%x00%s", f"{name}^{{commit}}", "--")
        oid, _, subject = (told or "").strip("\n").partition("\0")
        return Named(oid, subject) if _OID.fullmatch(oid) and oid.startswith(name.lower()) else None

    def is_ambiguous(self, name: str) -> bool:
        """Whether objects of several ids begin with ``name``."""
        return len((self.ask("rev-parse", f"--disambiguate={name}") or "").split()) > 1

    def leads_to(self, oid: str, commit: str) -> bool | None:
        """Whether one commit is the other or an ancestor of it; None where git does not say so in time."""
        status = self._status("merge-base", "--is-ancestor", oid, commit)
        return {0: True, 1: False}.get(status if status is not None else -1)

    def commits_to(self, path: str, most: int) -> tuple[Logged, ...] | None:
        """The newest commits of the last years that change a file or folder; None where git does not say in time."""
        date = self.ask("log", "-1", "--no-walk", "--format=%ct", self.base, "--")
        if date is None or not date.strip().isdigit():
            return None
        since = max(int(date) - _YEARS * 365 * 24 * 60 * 60, 0)
        told = self.ask(
            *("log", "-z", f"-n{most}", f"--since={since}", "--no-merges", "--no-color", "--no-notes"),
            *("--encoding=UTF-8", "--format=%H%n%s%n%b", self.base, "--", f":(top,literal){path}"),
        )
        if told is None:
            return None
        parts = [entry.split("\n", 2) for entry in told.split("\0") if entry.strip()]
        return tuple(Logged(*part) for part in parts if len(part) == 3 and _OID.fullmatch(part[0]))

    def ask(self, *arguments: str) -> str | None:
        """What git answers; None where it fails or does not answer in time."""
        found = self._run(*arguments)
        return found[1].decode("utf-8", "replace") if found is not None and found[0] == 0 else None

    def _status(self, *arguments: str) -> int | None:
        found = self._run(*arguments)
        return found[0] if found is not None else None

    def _run(self, *arguments: str) -> tuple[int, bytes] | None:
        process = self.repository.runner.start(*arguments)
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                stdout, _ = process.popen.communicate(b"", timeout=_SECONDS)
                return process.popen.returncode, stdout
            return None
        finally:
            process.stop()
