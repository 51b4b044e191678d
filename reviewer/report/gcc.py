# SPDX-License-Identifier: GPL-2.0-or-later
"""A review as the lines of a compiler (``--format gcc``), which editors know how to jump to.

``file:line: severity: message [check]``, as in "Formatting Error Messages" of the GNU coding standards, and the chain
and the rule as notes below. There are no columns, since findings are about lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from reviewer.model import (
    Audit,
    Change,
    Finding,
    IgnoreEntry,
    Kernels,
    Problem,
    Review,
    Severity,
    Silenced,
    Suppression,
)
from reviewer.report.plain import clean_line, clean_path
from reviewer.report.words import in_a_row, nested

# Editors know no other words: VS Code drops a line that begins with "question".
_WORD = {Severity.BUG: "error", Severity.QUESTION: "warning", Severity.NIT: "warning"}

Place = Callable[[str], str]
"""From a path in the tree to the same path as the reader of the lines is to open it."""


def review_lines(
    review: Review, place: Place, *, show_pre_existing: bool = False, show_silenced: bool = False
) -> Iterator[str]:
    """What is wrong in the code, by patch. What a patch fixes is no line: there is nothing to jump to."""
    for patch in review.patches:
        which = f"patch {patch.number}" if len(review.patches) > 1 else ""
        for finding in patch.findings:
            hidden = finding.change is Change.PRE_EXISTING and not show_pre_existing
            if not hidden and finding.change is not Change.FIXED:
                yield from _lines(finding, place, which)
    yield from _suppression(review.suppression, place, show_silenced)


def audit_lines(audit: Audit, place: Place, *, show_silenced: bool = False) -> Iterator[str]:
    """The findings of an audit."""
    for finding in audit.findings:
        yield from _lines(finding, place)
    yield from _suppression(audit.suppression, place, show_silenced)


def problem_lines(problems: Iterable[Problem]) -> Iterator[str]:
    """What could not be done, for stderr."""
    for problem in problems:
        where = f" {clean_path(problem.path)}:" if problem.path else ""
        yield f"not done ({clean_line(problem.stage)}):{where} {clean_line(problem.message)}"


def _lines(finding: Finding, place: Place, which: str = "") -> Iterator[str]:
    word = _WORD[finding.severity] if finding.fixed_later is None else "warning"
    yield _line(finding, place, word, which)
    for _, text, step in nested(finding.witness):
        yield f"{_at(place, step.path, step.line)}: note: {text}"
    for citation in finding.citations:
        yield f"{_at(place, citation.path, citation.line)}: note: \u201c{clean_line(citation.quote)}\u201d"


def _line(finding: Finding, place: Place, word: str, more: str = "") -> str:
    kernels = "on PREEMPT_RT" if finding.kernels is Kernels.PREEMPT_RT else ""
    beside = ", ".join(filter(None, (kernels, more)))
    says = in_a_row(finding)
    return (
        f"{_at(place, finding.path, finding.line)}: {word}: in {clean_line(finding.function)}(): {says}"
        f"{f' ({beside})' if beside else ''} [{finding.check}]"
    )


def _suppression(suppression: Suppression, place: Place, show_silenced: bool) -> Iterator[str]:
    for silenced in suppression.silenced if show_silenced else ():
        yield _silenced(silenced, place)
    for entry in suppression.expired:
        yield f"{_of_entry(entry, place)}: warning: expired on {entry.until}, silences nothing"
    for entry in suppression.unused:
        yield f"{_of_entry(entry, place)}: warning: unused, silences nothing"


def _silenced(silenced: Silenced, place: Place) -> str:
    reason = f"silenced: {clean_line(silenced.entry.reason)}"
    return _line(silenced.finding, place, "note", reason)


def _of_entry(entry: IgnoreEntry, place: Place) -> str:
    return _at(place, entry.file, entry.line)


def _at(place: Place, path: str, line: int) -> str:
    return f"{clean_path(place(path))}:{line}"
