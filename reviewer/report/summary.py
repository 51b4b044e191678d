# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole review in a line: what was found, what was silenced, how much was applied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from reviewer.model import Applied, Change, Finding, Kernels, Review, Severity, Suppression
from reviewer.report.data import is_brought
from reviewer.report.plain import clean_path
from reviewer.wording import counted


def summary(review: Review, *, show_pre_existing: bool) -> str:
    """What was found and how much was applied, in a sentence or two."""
    findings = [finding for patch in review.patches for finding in patch.findings]
    brought = [finding for finding in findings if is_brought(finding)]
    rt_only = sum(finding.kernels is Kernels.PREEMPT_RT for finding in brought)
    parts = [by_severity(brought) or "Nothing found"]
    if rt_only:
        parts[0] += f" ({rt_only} only on PREEMPT_RT)"
    changes = Counter(finding.change for finding in findings if not finding.claim)
    later = sum(finding.fixed_later is not None for finding in findings)
    if later:
        parts.append(f"{later} removed later in the series")
    raised = sum(finding.raised is not None for finding in brought)
    if raised:
        parts.append(f"{raised} raised or answered in the thread already, which the drafts leave out")
    if changes[Change.FIXED]:
        parts.append(f"{changes[Change.FIXED]} fixed")
    claimed = sum(bool(finding.claim) for finding in findings)
    if claimed:
        parts.append(f"{claimed} said to be fixed and still there")
    trailers = sum(len(patch.claims) for patch in review.patches)
    if trailers:
        parts.append(f"{counted(trailers, 'trailer leads', 'trailers lead')} nowhere")
    if changes[Change.PRE_EXISTING]:
        hidden = "" if show_pre_existing else ", not shown"
        parts.append(f"{changes[Change.PRE_EXISTING]} there before{hidden}")
    parts += by_file(review.suppression)
    applied = sum(patch.applied is not Applied.NO for patch in review.patches)
    missing = len(review.patches) - applied
    alone = f" {'The others were' if applied else 'All were'} reviewed from the diff alone." if missing else ""
    return f"{'; '.join(parts)}. {applied} of {counted(len(review.patches), 'patch')} applied.{alone}"


def by_file(suppression: Suppression) -> list[str]:
    """``2 silenced by .reviewer/ignore``, for each file that silenced something."""
    counts = Counter(silenced.entry.file for silenced in suppression.silenced)
    return [f"{number} silenced by {clean_path(file)}" for file, number in counts.items()]


def by_severity(findings: Iterable[Finding]) -> str:
    """``2 bugs, 1 question``; empty if there are none."""
    counts = Counter(finding.severity for finding in findings)
    return ", ".join(counted(counts[severity], severity.value) for severity in Severity if counts[severity])
