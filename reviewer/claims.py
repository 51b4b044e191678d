# SPDX-License-Identifier: GPL-2.0-or-later
"""What a patch says that it fixes: trailers that lead nowhere, and defects that are still there after it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from reviewer.defects import Defect, named_in
from reviewer.mail.interdiff import changed_lines
from reviewer.model import Applied, AppliedPatch, Change, Citation, Claim, Finding, PatchReview, Severity, Source
from reviewer.tree.log import Log

_DOCUMENT = "Documentation/process/submitting-patches.rst"
_FIXES_RULE = Source(_DOCUMENT, "please use the 'Fixes:' tag with")
_CLOSES_RULE = Source(_DOCUMENT, "followed by a Closes: tag")
_LINK_RULE = Source(_DOCUMENT, "'Closes:' tag with a URL")
_FIXES = re.compile(r'(?:commit\s+)?([0-9a-f]{6,64})\b\s*(?:\(\s*"(.*)"\s*\))?', re.IGNORECASE)
_LINK = re.compile(r"https?://\S+|<?[^\s<>@]+@[^\s<>@]+>?$", re.IGNORECASE)
_SHORT = 12

Cite = Callable[[Sequence[Source]], Citation | None]


@dataclass(frozen=True, slots=True)
class Trailers:
    """Looks after the trailers of patches. ``cite`` gives the tree's rule: what it does not ask for is not missed.

    ``based`` says that the patches start from the log's commit because their author says so, or the user.
    """

    log: Log
    cite: Cite
    based: bool

    def claims(self, applied: AppliedPatch) -> tuple[Claim, ...]:
        """What is wrong with the trailers of a patch."""
        return (*self._fixes(applied), *self._reports(applied))

    def _fixes(self, applied: AppliedPatch) -> Iterator[Claim]:
        for trailer in applied.patch.trailers:
            value = " ".join(trailer.value.split())
            found = _FIXES.match(value) if trailer.name.lower() == "fixes" else None
            message = self._wrong_with(found[1].lower(), found[2], applied) if found else ""
            if message:
                yield Claim(f"{trailer.name}: {value}", message, Severity.QUESTION, self.cite([_FIXES_RULE]))

    def _wrong_with(self, name: str, subject: str | None, applied: AppliedPatch) -> str:
        """What is wrong with a commit named by ``Fixes:``; empty where nothing is, or where it cannot be told."""
        if not self.log.is_whole:
            return ""
        commit = self.log.named(name)
        if commit is None:
            return "" if self.log.is_ambiguous(name) else f"There is no commit {name} in this repository."
        before = applied.patch.commit or self.log.base
        if self.based and self.log.leads_to(commit.oid, before) is False:
            return f"Commit {name} is here, but not in the history of {before[:_SHORT]}."
        if subject is not None and _bare(subject) != _bare(commit.subject) and not _cut(subject, commit.subject):
            return f'The subject of commit {name} is "{commit.subject}".'
        return ""

    def _reports(self, applied: AppliedPatch) -> Iterator[Claim]:
        trailers = applied.patch.trailers
        linked = [one for one in trailers if one.name.lower() in ("closes", "link") and _LINK.search(one.value)]
        for trailer in trailers:
            name, told = trailer.name.lower(), f"{trailer.name}: {' '.join(trailer.value.split())}"
            if name == "closes" and not _LINK.search(trailer.value):
                rule = self.cite([_LINK_RULE])
                if rule is not None:
                    yield Claim(told, "There is no link in it.", Severity.NIT, rule)
            if name in ("reported-by", "reported-and-tested-by") and not linked:
                rule = self.cite([_CLOSES_RULE])
                if rule is not None:
                    yield Claim(told, "There is no Closes: or Link: to the report.", Severity.NIT, rule)


def _bare(subject: str) -> str:
    return "".join(subject.split()).lower()


def _cut(subject: str, whole: str) -> bool:
    """Whether a subject is the other one cut off with dots."""
    start = _bare(subject).removesuffix("...").removesuffix("\u2026")
    return start != _bare(subject) and _bare(whole).startswith(start)


def with_claims(findings: Sequence[Finding], applied: AppliedPatch, defects: Sequence[Defect]) -> tuple[Finding, ...]:
    """The findings of a patch; those that its subject says it fixes, and that are there after it, have ``claim``.

    The finding has to be on a path through a function that the patch changes, or that its subject names.
    """
    subject = applied.patch.subject
    named = named_in(subject, defects)
    if not named or applied.applied is Applied.NO or not re.search(r"\b(?:fix|avoid|prevent|don'?t|no)", subject, re.I):
        return tuple(findings)
    touched = {(line.path, line.function) for line in changed_lines(applied.patch.diff) if line.function}
    words = set(re.findall(r"\w+", subject))

    def claimed(finding: Finding) -> str:
        path = {(finding.path, finding.function), *((step.path, step.function) for step in finding.witness)}
        concerned = bool(path & touched) or any(function in words for _, function in path)
        stays = finding.change is not Change.FIXED
        return next((one.title for one in named if stays and concerned and one.is_found_by(finding.check)), "")

    return tuple(replace(finding, claim=claimed(finding)) for finding in findings)


def without_mended(reviews: Sequence[PatchReview], *, pre_existing: bool) -> list[PatchReview]:
    """The patches of a series, without claims on what a later one of them mends.

    What was there before the patch and is told for the claim alone goes with it, unless ``pre_existing`` is told too.
    """
    told: list[PatchReview] = []
    mended: set[tuple[str, str]] = set()
    for review in reversed(reviews):
        findings = []
        for finding in review.findings:
            later = finding.fixed_later is not None or (finding.check, finding.function) in mended
            plain = replace(finding, claim="") if finding.claim and later else finding
            if plain is finding or pre_existing or finding.change is not Change.PRE_EXISTING:
                findings.append(plain)
        told.append(replace(review, findings=tuple(findings)))
        mended |= {(one.check, one.function) for one in review.findings if one.change is Change.FIXED}
    return told[::-1]
