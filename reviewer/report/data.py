# SPDX-License-Identifier: GPL-2.0-or-later
"""A review as data (``--format json``, version 1) and as an exit status.

Keys are only ever added. Their order is fixed, so that the same review gives the same bytes.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from reviewer import __version__
from reviewer.model import (
    Address,
    Applied,
    Audit,
    Base,
    Change,
    Citation,
    Claim,
    Finding,
    IgnoreEntry,
    PatchReview,
    Place,
    Precedent,
    Problem,
    Raised,
    Review,
    Series,
    Severity,
    Step,
    Suppression,
)
from reviewer.report.revisions import comparison_data
from reviewer.report.splatdata import splat_data
from reviewer.splat.account import Explained

FORMAT_VERSION: Final = 1
TOOL_NAME: Final = "reviewer"

CLEAN: Final = 0
FOUND: Final = 1
FAILED: Final = 3

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
# json escapes the C0 controls; these reach a terminal too when the report is printed on one, or end a line for some.
_TO_ESCAPE: Final = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def is_brought(finding: Finding) -> bool:
    """Whether the patch is to answer for the finding: brought by it, not a nit, and still there at the series' end."""
    return (
        finding.change in {Change.INTRODUCED, Change.EXPOSED}
        and finding.severity is not Severity.NIT
        and finding.fixed_later is None
    )


def exit_status(review: Review) -> int:
    """3 if anything could not be done, else 1 if the series brings a bug or a question, else 0.

    Mail in which there was nothing to review (a discussion, a pull request without patches) is something that could
    not be done.
    """
    if review.errors or any(patch.applied is Applied.NO for patch in review.patches):
        return FAILED
    if review.series is not None and not review.patches:
        return FAILED
    if any(is_brought(finding) for patch in review.patches for finding in patch.findings):
        return FOUND
    return CLEAN


def to_json(review: Review, *, show_silenced: bool = False, splats: Sequence[Explained] = ()) -> str:
    """The review as JSON text of version 1, ending in a line feed. ``splats`` are those of the series' mails.

    Bytes of the mail or of a path that are not UTF-8 stand as U+FFFD, because most readers refuse lone surrogates.
    """
    report = {
        "version": FORMAT_VERSION,
        "tool": {"name": TOOL_NAME, "version": __version__},
        "series": _series(review.series, review.base),
        "patches": [_patch(patch) for patch in review.patches],
        "errors": [_problem(problem) for problem in review.errors],
        "notes": list(review.notes),
        "silenced": _suppression(review.suppression, show_silenced),
        "splats": [splat_data(one) for one in splats],
        "revisions": [comparison_data(comparison, _finding) for comparison in review.comparisons],
    }
    return as_text(report)


def audit_to_json(audit: Audit, *, show_silenced: bool = False) -> str:
    """An audit as JSON text of version 1; its findings have the fields of those of a review."""
    report = {
        "version": FORMAT_VERSION,
        "tool": {"name": TOOL_NAME, "version": __version__},
        "commit": audit.commit,
        "files": audit.files,
        "functions": audit.functions,
        "findings": [_finding(finding) for finding in audit.findings],
        "errors": [_problem(problem) for problem in audit.errors],
        "silenced": _suppression(audit.suppression, show_silenced),
        "notes": list(audit.notes),
    }
    return as_text(report)


def audit_exit_status(audit: Audit) -> int:
    """3 if a function could not be judged, else 1 if there is a bug or a question, else 0."""
    if audit.errors:
        return FAILED
    return FOUND if any(finding.severity is not Severity.NIT for finding in audit.findings) else CLEAN


def as_text(report: dict[str, Any]) -> str:
    """Data as JSON text that is safe to print, ending in a line feed."""
    text = _SURROGATE.sub("\ufffd", json.dumps(report, ensure_ascii=False, indent=2))
    return _TO_ESCAPE.sub(lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"


def failure(problems: Iterable[Problem]) -> Review:
    """A report that holds nothing but what went wrong."""
    return Review(series=None, base=None, patches=(), errors=tuple(problems))


def _series(series: Series | None, base: Base | None) -> dict[str, Any] | None:
    if series is None:
        return None
    return {
        "message_id": series.message_id,
        "subject": series.subject,
        "revision": series.revision,
        "author": _address(series.author),
        "base": None if base is None else {"commit": base.commit, "reason": base.reason},
    }


def _address(address: Address | None) -> str | None:
    if address is None:
        return None
    return f"{address.name} <{address.email}>" if address.name else address.email


def _patch(patch: PatchReview) -> dict[str, Any]:
    return {
        "number": patch.number,
        "subject": patch.subject,
        "message_id": patch.message_id,
        "commit": patch.commit,
        "applied": patch.applied.value,
        "reason": patch.reason,
        "findings": [_finding(finding) for finding in patch.findings],
        "trailers": [_claim(claim) for claim in patch.claims],
    }


def _claim(claim: Claim) -> dict[str, Any]:
    return {
        "trailer": claim.trailer,
        "message": claim.message,
        "severity": claim.severity.value,
        "citation": None if claim.citation is None else _citation(claim.citation),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "area": finding.area,
        "severity": finding.severity.value,
        "kernels": finding.kernels.value,
        "arch": finding.arch,
        "config": list(finding.config),
        "change": finding.change.value,
        "fixed_later": finding.fixed_later,
        "path": finding.path,
        "line": finding.line,
        "function": finding.function,
        "message": finding.message,
        "cause": _place(finding.cause),
        "witness": [_step(step) for step in finding.witness],
        "citations": [_citation(citation) for citation in finding.citations],
        "other_places": finding.other_places,
        "raised": _raised(finding.raised),
        "since": finding.since,
        "claim": finding.claim or None,
        "precedent": _precedent(finding.precedent),
    }


def _precedent(precedent: Precedent | None) -> dict[str, Any] | None:
    return None if precedent is None else {"commit": precedent.commit, "subject": precedent.subject}


def _raised(raised: Raised | None) -> dict[str, Any] | None:
    if raised is None:
        return None
    return {
        "by": _address(raised.by),
        "message_id": raised.message_id,
        "where": raised.where.value,
        "author": raised.author,
    }


def _suppression(suppression: Suppression, show_silenced: bool) -> dict[str, Any]:
    used = Counter(silenced.entry for silenced in suppression.silenced)
    rows = [
        *((entry, "used", number) for entry, number in used.items()),
        *((entry, "unused", 0) for entry in suppression.unused),
        *((entry, "expired", 0) for entry in suppression.expired),
    ]
    return {
        "count": len(suppression.silenced),
        "entries": [{**_entry(entry), "state": state, "count": number} for entry, state, number in rows],
        "findings": [
            {
                "patch": silenced.patch,
                "file": silenced.entry.file,
                "line": silenced.entry.line,
                "finding": _finding(silenced.finding),
            }
            for silenced in suppression.silenced
        ]
        if show_silenced
        else None,
    }


def _entry(entry: IgnoreEntry) -> dict[str, Any]:
    return {
        "file": entry.file,
        "line": entry.line,
        "check": entry.check,
        "path": entry.path,
        "function": entry.function or None,
        "until": entry.until or None,
        "reason": entry.reason,
    }


def _place(place: Place | None) -> dict[str, Any] | None:
    return None if place is None else {"path": place.path, "line": place.line}


def _step(step: Step) -> dict[str, Any]:
    return {"path": step.path, "line": step.line, "function": step.function, "text": step.text}


def _citation(citation: Citation) -> dict[str, Any]:
    return {
        "path": citation.path,
        "section": citation.section,
        "line": citation.line,
        "quote": citation.quote,
        "commit": citation.commit,
    }


def _problem(problem: Problem) -> dict[str, Any]:
    return {"stage": problem.stage, "path": problem.path, "message": problem.message}
