# SPDX-License-Identifier: GPL-2.0-or-later
"""A review as SARIF 2.1.0 (``--format sarif``), for code scanning services and the viewers of editors.

Its results are what is wrong in the code: what a patch fixes is left out, what a later patch of the series removes is
informational. Terms and rules are those of the OASIS standard "Static Analysis Results Interchange Format (SARIF)
Version 2.1.0"; sections of it are named where a rule is not obvious.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final
from urllib.parse import quote

from reviewer import __version__
from reviewer.check import Check
from reviewer.model import (
    Audit,
    Change,
    Citation,
    Finding,
    Kernels,
    PatchReview,
    Problem,
    Review,
    Severity,
    Silenced,
    Step,
)
from reviewer.report.data import TOOL_NAME, as_text
from reviewer.report.pages import as_markdown
from reviewer.report.pages import as_text as page_as_text
from reviewer.report.plain import clean_line
from reviewer.report.words import in_a_row, nested, notes_of, shortcomings

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_FINGERPRINT: Final = "reviewerFinding/v1"
_ROOT: Final = "%SRCROOT%"
_LEVEL: Final = {Severity.BUG: "error", Severity.QUESTION: "warning", Severity.NIT: "note"}
_STATE: Final = {Change.INTRODUCED: "new", Change.EXPOSED: "new", Change.PRE_EXISTING: "unchanged"}
_LINK: Final = re.compile(r"\](?=\()")


def to_sarif(
    review: Review, checks: Iterable[Check], *, show_pre_existing: bool = False, show_silenced: bool = False
) -> str:
    """The review as one SARIF run, ending in a line feed. Lines are those after the patch that a result names."""
    found: list[dict[str, Any]] = []
    shown: list[Finding] = []
    patches = {patch.number: patch for patch in review.patches}
    for patch in review.patches:
        for finding in patch.findings:
            if finding.change is Change.PRE_EXISTING and not show_pre_existing:
                continue
            if finding.change is not Change.FIXED:
                found.append({**_result(finding), **_of_patch(finding, patch)})
                shown.append(finding)
    for silenced in review.suppression.silenced if show_silenced else ():
        if silenced.finding.change is not Change.FIXED and silenced.patch in patches:
            patch = patches[silenced.patch]
            found.append({**_result(silenced.finding), **_of_patch(silenced.finding, patch), **_suppressed(silenced)})
            shown.append(silenced.finding)
    problems = [_notification("error", problem) for problem in shortcomings(review)]
    problems += [_notification("note", Problem("note", "", note)) for note in notes_of(review)]
    series = review.series
    about = {
        "base": review.base.commit if review.base is not None else None,
        "messageId": series.message_id if series is not None else None,
        "subject": clean_line(series.subject) if series is not None else None,
    }
    return _log(found, shown, checks, problems, about)


def audit_to_sarif(audit: Audit, checks: Iterable[Check], *, show_silenced: bool = False) -> str:
    """An audit as one SARIF run."""
    found = [{**_result(finding), **_properties(finding)} for finding in audit.findings]
    shown = list(audit.findings)
    for silenced in audit.suppression.silenced if show_silenced else ():
        found.append({**_result(silenced.finding), **_properties(silenced.finding), **_suppressed(silenced)})
        shown.append(silenced.finding)
    problems = [_notification("error", problem) for problem in audit.errors]
    problems += [_notification("note", Problem("note", "", note)) for note in audit.notes]
    return _log(found, shown, checks, problems, {"commit": audit.commit})


def fingerprint(finding: Finding) -> str:
    """What stays the same of a finding when lines move: the check, and the functions and code where its chain ends.

    Where the chain begins is left out: it is the shortest of many, so that a caller that is added changes it.
    """
    ends = [(step.path, step.function, step.text) for step in finding.witness[-2:]]
    parts = (finding.check, *(ends or [(finding.path, finding.function, finding.message)]))
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _log(
    results: list[dict[str, Any]],
    findings: Sequence[Finding],
    checks: Iterable[Check],
    problems: Sequence[dict[str, Any]],
    about: dict[str, Any],
) -> str:
    ids = {finding.check for finding in findings}
    rules = [_rule(check) for check in checks if check.id in ids]
    index = {rule["id"]: number for number, rule in enumerate(rules)}
    seen: Counter[str] = Counter()
    silences = any("suppressions" in result for result in results)
    for result, finding in zip(results, findings, strict=True):
        if finding.check in index:
            result["ruleIndex"] = index[finding.check]
        mark = fingerprint(finding)
        seen[mark] += 1
        result["partialFingerprints"] = {_FINGERPRINT: f"{mark}:{seen[mark]}"}
        if silences:  # 3.27.23: present on all results or on none
            result.setdefault("suppressions", [])
    run: dict[str, Any] = {
        "tool": {"driver": {"name": TOOL_NAME, "semanticVersion": __version__, "rules": rules}},
        "invocations": [
            {
                "executionSuccessful": not any(problem["level"] == "error" for problem in problems),
                "toolExecutionNotifications": list(problems),
            }
        ],
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The top of the kernel tree"}}},
        "results": results,
        "properties": {name: value for name, value in about.items() if value is not None},
    }
    return as_text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(check: Check) -> dict[str, Any]:
    return {
        "id": check.id,
        "shortDescription": {"text": clean_line(check.rule)},
        "fullDescription": {"text": clean_line(check.why)},
        "help": {"text": page_as_text(check, None), "markdown": as_markdown(check)},
        "defaultConfiguration": {"level": _LEVEL[check.severity]},
        "properties": {"tags": [check.area], "kernels": check.kernels.value},
    }


def _result(finding: Finding) -> dict[str, Any]:
    related = [_citation(citation) for citation in finding.citations]
    if finding.cause is not None:
        cause = _location(finding.cause.path, finding.cause.line)
        related.insert(0, {**cause, "message": {"text": "The line of the patch that brought it"}})
    result: dict[str, Any] = {
        "ruleId": finding.check,
        "level": _LEVEL[finding.severity],
        "message": _message(in_a_row(finding) or finding.check),
        "locations": [_location(finding.path, finding.line, finding.function)],
    }
    if finding.fixed_later is not None:
        result |= {"kind": "informational", "level": "none"}
    if finding.witness:
        steps = list(_thread_flow(finding.witness))
        result["codeFlows"] = [{"threadFlows": [{"locations": steps}]}]
    if related:
        result["relatedLocations"] = [{"id": number, **each} for number, each in enumerate(related, 1)]
    return result


def _of_patch(finding: Finding, patch: PatchReview) -> dict[str, Any]:
    about = {
        "patch": patch.number,
        "patchSubject": clean_line(patch.subject),
        "messageId": patch.message_id,
        "commit": patch.commit,
        "change": finding.change.value,
        "fixedLater": finding.fixed_later,
    }
    return {"baselineState": _STATE[finding.change], **_properties(finding, about)}


def _properties(finding: Finding, more: dict[str, Any] | None = None) -> dict[str, Any]:
    about = {
        **(more or {}),
        "area": finding.area,
        "kernels": finding.kernels.value if finding.kernels is not Kernels.ALL else None,
        "arch": finding.arch,
        "config": list(finding.config) or None,
        "otherPlaces": finding.other_places or None,
    }
    return {"properties": {name: value for name, value in about.items() if value is not None}}


def _suppressed(silenced: Silenced) -> dict[str, Any]:
    entry = silenced.entry
    return {"suppressions": [{"kind": "external", "status": "accepted", "justification": clean_line(entry.reason)}]}


def _notification(level: str, problem: Problem) -> dict[str, Any]:
    text = clean_line(f"{problem.path}: {problem.message}" if problem.path else problem.message)
    return {"level": level, "message": _message(text or problem.stage), "properties": {"stage": problem.stage}}


def _location(path: str, line: int, function: str = "") -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(path), "uriBaseId": _ROOT}}
    if line > 0:
        physical["region"] = {"startLine": line}
    location: dict[str, Any] = {"physicalLocation": physical}
    if function:
        location["logicalLocations"] = [{"name": clean_line(function), "kind": "function"}]
    return location


def _uri(path: str) -> str:
    """The path as a relative reference of RFC 3986, with the bytes that the tree has."""
    return quote(path.encode("utf-8", "surrogateescape"))


def _thread_flow(witness: Sequence[Step]) -> Iterator[dict[str, Any]]:
    for order, (depth, text, step) in enumerate(nested(witness), 1):
        location = {**_location(step.path, step.line, step.function), "message": _message(text)}
        yield {"location": location, "nestingLevel": depth, "executionOrder": order}


def _citation(citation: Citation) -> dict[str, Any]:
    section = f"{clean_line(citation.section)}: " if citation.section else ""
    text = f"{section}\u201c{clean_line(citation.quote)}\u201d"
    return {**_location(citation.path, citation.line), "message": _message(text)}


def _message(text: str) -> dict[str, Any]:
    """A message without placeholders (3.11.5) and without links (3.11.6), whatever C code is in it."""
    return {"text": _LINK.sub("] ", text.replace("{", "{{").replace("}", "}}"))}
