# SPDX-License-Identifier: GPL-2.0-or-later
"""The comment on one finding: question, chain, conditions, rule, in the words of ``templates/comment.txt.j2``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reviewer.mail import prose
from reviewer.mail.templates import Templates
from reviewer.model import Finding, Kernels

MOST_LINES: Final = 15
_SHORT: Final = 12  # hexadecimal digits of a commit, as the kernel abbreviates them
_FRAMES: Final = (9, 7, 5, 3)


def comment_on(finding: Finding, templates: Templates, same: Sequence[str] = ()) -> str:
    """The text on a finding: with the whole chain, or with as much of it as the limit of lines leaves room for.

    ``same`` are the other patches that share it, as in ``3/5``.
    """
    text = ""
    for frames in _FRAMES:
        text = _rendered(finding, templates, same, frames)
        if sum(1 for line in text.split("\n") if line.strip()) <= MOST_LINES:
            break
    return text


def _rendered(finding: Finding, templates: Templates, same: Sequence[str], frames: int) -> str:
    steps = finding.witness
    values = {
        "question": _claimed(finding) + prose.sentence(finding.question or f"Is this intended? {finding.message}"),
        "preempt_rt": finding.kernels is Kernels.PREEMPT_RT,
        "interleaving": finding.interleaving,
        "chain": "\n".join(prose.chain(steps, frames)) if len(steps) > 1 else "",
        "callers": any(step.function != finding.function for step in steps[: finding.context_frames]),
        "conditions": prose.conditions(finding.path, finding.arch, finding.config),
        "before": prose.sentence(finding.before),
        "rule": "\n".join(prose.citation(finding.citations[0])) if finding.citations else "",
        "consequence": prose.sentence(finding.consequence),
        "same": listed(same),
        "precedent": _precedent(finding),
    }
    return templates.render("comment.txt.j2", values).strip("\n")


def listed(names: Sequence[str]) -> str:
    """Names with commas and an ``and``."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _claimed(finding: Finding) -> str:
    """What comes before the question where the patch says that it fixes just this."""
    if not finding.claim:
        return ""
    return f"The subject says that this fixes {prose.plain(finding.claim)}; on this path it is still there. "


def _precedent(finding: Finding) -> str:
    """A commit as the kernel's messages cite one."""
    found = finding.precedent
    return f'commit {prose.plain(found.commit)[:_SHORT]} ("{prose.plain(found.subject)}")' if found else ""
