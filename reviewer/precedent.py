# SPDX-License-Identifier: GPL-2.0-or-later
"""Earlier commits of the user's history that fixed the same kind of defect in the same file or folder."""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import msgspec

from reviewer.cache import Cache, today
from reviewer.defects import Defect
from reviewer.mail.said import names_subject_of
from reviewer.model import Change, Finding, PatchReview, Precedent, Severity
from reviewer.source.store import Store, decoded, encoded
from reviewer.tree.log import Log, Logged

_FILE, _FOLDER = 400, 1000  # newest commits of each that are read
_SEARCHES = 8  # in one run
_REPORT = re.compile(r"^[ \t>]*(?:\[[^\]\n]{1,30}\][ \t]*)?(?:BUG|WARNING|INFO|UBSAN|KASAN)\b[^\n]*", re.MULTILINE)
_FIX = re.compile(r"\b(?:fix\w*|avoid\w*|prevent\w*|don'?t|do not|add missing|missing)\b", re.IGNORECASE)
_FIXES = re.compile(r"^Fixes: [0-9a-f]{8,}", re.MULTILINE)
# Folders whose files have nothing in common but that others include them.
_NO_SUBSYSTEM = re.compile(r"(?:include(?:/.*)?|arch/\w+/include(?:/.*)?|[^/]*)")


class _Fix(msgspec.Struct, frozen=True):
    """A commit that fixed something that the table of defects knows, by the titles of these."""

    oid: str
    subject: str
    message: str
    titles: tuple[str, ...]


_DECODER = msgspec.msgpack.Decoder(tuple[_Fix, ...])


@dataclass
class Precedents:
    """Searches the history for each file with findings once; ``rules`` is a digest of what the answer depends on.

    A search that git does not answer in time ends the searches of this run: it is noted in ``late``, and tried again
    in the next one. In a partial clone, which lacks the trees of old commits, there is none.
    """

    log: Log
    cache: Cache
    defects: Sequence[Defect]
    rules: str
    late: list[str] = field(default_factory=list)
    _found: dict[str, tuple[_Fix, ...]] = field(default_factory=dict)

    def told(self, review: PatchReview, without: Collection[str]) -> PatchReview:
        """The review of a patch with precedents of what it brings; commits with subjects in ``without`` are none."""
        return replace(review, findings=tuple(self._with(finding, without) for finding in review.findings))

    def _with(self, finding: Finding, without: Collection[str]) -> Finding:
        brought = finding.change in (Change.INTRODUCED, Change.EXPOSED) or finding.claim
        if not brought or finding.severity is Severity.NIT:
            return finding
        titles = {defect.title for defect in self.defects if defect.is_found_by(finding.check)}
        for fix in self._fixes(finding.path) if titles else ():
            same = titles & set(fix.titles) and names_subject_of(finding, fix.message)
            if same and fix.subject not in without:
                return replace(finding, precedent=Precedent(fix.oid, fix.subject))
        return finding

    def _fixes(self, path: str) -> Iterator[_Fix]:
        """The fixes in the file, then those in its folder; the newest first."""
        yield from self._of(path, _FILE)
        folder = posixpath.dirname(path)
        if not _NO_SUBSYSTEM.fullmatch(folder):
            yield from self._of(folder, _FOLDER)

    def _of(self, path: str, most: int) -> tuple[_Fix, ...]:
        if path in self._found:
            return self._found[path]
        key = hashlib.sha256(f"precedent {self.rules} {self.log.base} {most} {path}".encode()).hexdigest()
        known = self.cache.use(partial(_kept, key))
        if known is None and not self.late and len(self._found) < _SEARCHES and not self.log.repository.partial:
            logged = self.log.commits_to(path, most)
            if logged is None:
                self.late.append(f"git gave no answer in time about earlier fixes in {path}; none is cited.")
            else:
                known = tuple(fix for commit in logged if (fix := self._fix(commit)) is not None)
                self.cache.use(partial(_keep, key, known))
        self._found[path] = known or ()
        return self._found[path]

    def _fix(self, commit: Logged) -> _Fix | None:
        """What a commit fixed, told by its subject, or by the kernel's report that its message quotes."""
        says_so = _FIX.search(commit.subject) or _FIXES.search(commit.body)
        reports = "\n".join(_REPORT.findall(commit.body)) if _FIXES.search(commit.body) else ""
        texts = (commit.subject, reports)
        titles = tuple(one.title for one in self.defects if any(one.says.search(text) for text in texts))
        if not says_so or not titles:
            return None
        return _Fix(commit.oid, commit.subject, f"{commit.subject}\n{commit.body}".lower()[:4000], titles)


def _kept(key: str, store: Store) -> tuple[_Fix, ...] | None:
    return decoded(_DECODER, store.finished(key))


def _keep(key: str, fixes: tuple[_Fix, ...], store: Store) -> None:
    store.add_finished(key, today(), encoded(fixes))
