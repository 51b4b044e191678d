# SPDX-License-Identifier: GPL-2.0-or-later
"""From what a check said of a place to the finding that is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reviewer.judge import Occurrence
from reviewer.model import Change, Finding, Kernels, Severity
from reviewer.source.kbuild import Kbuild
from reviewer.source.program import Program


class Teller:
    """Makes findings of occurrences; ``program`` is the tree whose build rules say what has no PREEMPT_RT."""

    def __init__(self, program: Program) -> None:
        self._builds = program.builds
        self._kbuild = Kbuild(program.files, program.build_files)

    def finding(self, occurrence: Occurrence, change: Change, path: str, line: int, function: str) -> Finding:
        """The finding at ``path:line`` in ``function``."""
        check, report = occurrence.check, occurrence.report
        return Finding(
            check=check.id,
            area=check.area,
            severity=self._severity(occurrence),
            kernels=check.kernels,
            change=change,
            path=path,
            line=line,
            function=function,
            message=report.message,
            question=report.question,
            consequence=report.consequence or check.why,
            witness=occurrence.witness,
            context_frames=occurrence.own,
            interleaving=report.interleaving,
            sources=report.sources,
            arch=_architecture(occurrence),
        )

    def as_it_stands(self, occurrence: Occurrence) -> Finding:
        """The finding where the offending call stands, whoever wrote it."""
        event = occurrence.event
        return self.finding(occurrence, Change.PRE_EXISTING, event.function.path, event.line, event.function.name)

    def _severity(self, occurrence: Occurrence) -> Severity:
        """A bug is a question where it takes something of memory for granted of which the text says nothing.

        One that only PREEMPT_RT has is a question, too, where the architecture or the driver has no PREEMPT_RT yet.
        """
        check = occurrence.check
        if check.severity is not Severity.BUG:
            return check.severity
        if not occurrence.event.is_sure or (check.kernels is Kernels.PREEMPT_RT and self._not_with_rt_yet(occurrence)):
            return Severity.QUESTION
        return Severity.BUG

    def _not_with_rt_yet(self, occurrence: Occurrence) -> bool:
        path = occurrence.event.function.path
        if self._builds.never_with(path, "PREEMPT_RT") or self._kbuild.never_with_rt(path):
            return True
        arch = _architecture(occurrence)
        return arch is not None and self._kbuild.lacks_rt(arch)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, each once, as a reader goes through the files: what is fixed comes last."""
    return tuple(
        sorted(set(findings), key=lambda f: (f.change is Change.FIXED, f.path, f.line, f.check, f.message, f.witness))
    )


def told_once(findings: Iterable[Finding]) -> list[Finding]:
    """Of findings that say the same of one line, the one with the shortest chain; it counts the others' chains."""
    same: dict[tuple[object, ...], set[Finding]] = {}
    for finding in findings:
        key = (finding.check, finding.change, finding.path, finding.line, finding.function, finding.witness[-1:])
        same.setdefault(key, set()).add(finding)
    out = []
    for group in same.values():
        first = min(group, key=_told_first)
        others = {finding.witness for finding in group} - {first.witness}
        identities = sorted({identity for finding in group for identity in finding.identities})
        out.append(replace(first, other_places=len(others), identities=tuple(identities)))
    return out


def one_for_each_root(findings: Iterable[Finding]) -> list[Finding]:
    """Of findings whose chains end in the same two steps, the one with the shortest; it counts the places of the rest.

    What goes wrong there is one thing to mend, whoever comes by.
    """
    same: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        root = finding.witness[-2:] if len(finding.witness) > 2 else (finding.path, finding.line, *finding.witness)
        same.setdefault((finding.check, finding.change, root), []).append(finding)
    out = []
    for group in same.values():
        first = min(group, key=_told_first)
        out.append(replace(first, other_places=sum(f.other_places + 1 for f in group) - 1))
    return out


def without_shadowed(findings: Iterable[Finding]) -> list[Finding]:
    """Drop what only repeats for PREEMPT_RT what another finding says of the same call for all kernels."""
    findings = list(findings)
    told = {(f.path, f.line, f.function, f.witness[-1:], f.change) for f in findings if f.kernels is Kernels.ALL}
    return [
        f
        for f in findings
        if f.kernels is Kernels.ALL or (f.path, f.line, f.function, f.witness[-1:], f.change) not in told
    ]


def _told_first(finding: Finding) -> tuple[object, ...]:
    """Orders findings that say the same: what is certain, then the shortest chain."""
    return finding.severity is not Severity.BUG, len(finding.witness), finding.witness, finding.message


def _architecture(occurrence: Occurrence) -> str | None:
    for step in occurrence.witness:
        parts = step.path.split("/")
        if parts[0] == "arch" and len(parts) > 2:
            return parts[1]
    return None
