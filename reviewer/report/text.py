# SPDX-License-Identifier: GPL-2.0-or-later
"""A review for a person at a terminal.

Everything from mail or tree goes through ``plain`` and into rich's ``Text``, so that neither escape sequences nor
rich's own markup in a subject have any effect. A line with a path is never wrapped: it is there to be copied.
"""

from __future__ import annotations

import os
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from rich.console import Console
from rich.text import Text

from reviewer.config import default_output
from reviewer.model import (
    Applied,
    Audit,
    Change,
    Citation,
    Claim,
    Finding,
    IgnoreEntry,
    Kernels,
    PatchReview,
    Problem,
    Review,
    Series,
    Severity,
    Step,
    Suppression,
    ThreadKind,
)
from reviewer.report.data import is_brought
from reviewer.report.plain import clean_line, clean_path
from reviewer.report.revisions import Row, comparison_rows
from reviewer.report.splat import render_in_brief
from reviewer.report.summary import by_file, by_severity, summary
from reviewer.report.words import nested, remarks
from reviewer.splat.account import Explained
from reviewer.wording import counted

_PROSE: Final = 78  # columns, where the terminal has as many
_MANY: Final = 10  # findings, after which they are counted by file
_SHORT: Final = 12  # hexadecimal digits of a commit, as the kernel abbreviates them

_SEVERITY_STYLE: Final = {Severity.BUG: "bold red", Severity.QUESTION: "bold yellow", Severity.NIT: "cyan"}
_APPLIED: Final = {
    Applied.YES: ("applied", "green"),
    Applied.THREE_WAY: ("three-way", "yellow"),
    Applied.NO: ("not applied", "bold red"),
}


@dataclass(frozen=True, slots=True)
class Written:
    """The drafts of a review: the folder, how many mails are in it, and how many findings no mail has room for.

    ``without_mail`` holds where patches with findings were no mails, so that there is nothing to answer. ``stay`` are
    drafts of the user's, edited or sent, that count instead of some of these.
    """

    folder: Path
    mails: int
    left_out: int = 0
    without_mail: bool = False
    stay: tuple[str, ...] = ()


def console_for(stream: TextIO) -> Console:
    """A console on ``stream``: colours only on a terminal and never with ``NO_COLOR`` or ``TERM=dumb``."""
    terminal = stream.isatty()
    plain = not terminal or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM", "dumb") == "dumb"
    return Console(
        file=stream,
        force_terminal=terminal,
        force_interactive=False,
        color_system=None if plain else "auto",
        no_color=plain,
        width=None if terminal else _PROSE + 2,
        markup=False,
        highlight=False,
        emoji=False,
        soft_wrap=True,
    )


def render(
    review: Review,
    console: Console,
    *,
    written: Written | None = None,
    show_pre_existing: bool = False,
    show_silenced: bool = False,
    splats: Sequence[Explained] = (),
    quiet: bool = False,
) -> None:
    """Print the review. ``written`` says where the drafts went; None: none were asked for.

    ``splats`` are the kernel's reports in the mails of the series. ``quiet`` leaves what was found and what failed.
    """
    report = _Report(console, show_pre_existing, show_silenced)
    if quiet:
        report.findings(review)
    else:
        report.review(review, written, splats)


def render_audit(audit: Audit, console: Console, *, show_silenced: bool = False, quiet: bool = False) -> None:
    """Print what an audit found; ``quiet`` leaves out how much was read."""
    _Report(console, show_pre_existing=True, show_silenced=show_silenced).audit(audit, quiet=quiet)


class _Report:
    """One report being printed."""

    def __init__(self, console: Console, show_pre_existing: bool, show_silenced: bool) -> None:
        self._console = console
        self._show_pre_existing = show_pre_existing
        self._show_silenced = show_silenced
        self._begun = False
        self._quoted: set[Citation] = set()

    def review(self, review: Review, written: Written | None, splats: Sequence[Explained]) -> None:
        self._head(review)
        total = self._total(review)
        if review.patches:
            self._line()
        for patch in review.patches:
            self._patch_line(patch, total)
        for row in comparison_rows(review):
            self._row(row)
        for patch in review.patches:
            self._findings(patch, total)
        render_in_brief(splats, self._console)
        self._silenced(review.suppression)
        if review.patches:
            self._line()
            self._line(Text(summary(review, show_pre_existing=self._show_pre_existing)))
        elif review.series is None:
            self._line("There is no commit in this range: nothing was reviewed.")
        self._entries(review.suppression)
        if written is not None and review.patches:
            self._drafts(written)
        self._problems(review.errors)

    def findings(self, review: Review) -> None:
        total = self._total(review)
        for patch in review.patches:
            if patch.applied is Applied.NO:
                self._patch_line(patch, total)
        for patch in review.patches:
            self._findings(patch, total)
        self._silenced(review.suppression)
        self._problems(review.errors)

    @staticmethod
    def _total(review: Review) -> int:
        total = max([patch.number for patch in review.patches], default=0)
        return total if review.series is None else max(total, review.series.total)

    def audit(self, audit: Audit, *, quiet: bool) -> None:
        if not quiet:
            self._line(f"Commit: {clean_line(audit.commit)[:_SHORT]}")
            for note in audit.notes:
                self._prose(f"Note: {clean_line(note)}")
        for finding in audit.findings:
            self._finding(finding)
        self._silenced(audit.suppression)
        if not quiet:
            self._audited(audit)
        self._problems(audit.errors)

    def _audited(self, audit: Audit) -> None:
        rt_only = sum(finding.kernels is Kernels.PREEMPT_RT for finding in audit.findings)
        found = by_severity(audit.findings) or "Nothing found"
        where = f"{counted(audit.functions, 'function')} of {counted(audit.files, 'file')}"
        silenced = "".join(f"; {part}" for part in by_file(audit.suppression))
        self._files(audit.findings)
        self._line()
        self._line(f"{found}{f' ({rt_only} only on PREEMPT_RT)' if rt_only else ''} in {where}{silenced}.")
        self._entries(audit.suppression)

    def _files(self, findings: Sequence[Finding]) -> None:
        """How much was found in each file, where that does not show at a glance."""
        counts = Counter(finding.path for finding in findings)
        if len(findings) < _MANY or len(counts) < 2:
            return
        self._line()
        for path, number in sorted(counts.items(), key=lambda one: (-one[1], one[0])):
            found = by_severity(finding for finding in findings if finding.path == path)
            self._line(f"{number:>5}  {clean_path(path)}  ({found})")

    def _silenced(self, suppression: Suppression) -> None:
        if not suppression.silenced or not self._show_silenced:
            return
        self._line()
        self._line(Text("Silenced", style="bold"))
        for silenced in suppression.silenced:
            self._finding(silenced.finding)
            entry = silenced.entry
            self._prose(f"Silenced by {clean_path(entry.file)}:{entry.line}: {clean_line(entry.reason)}", indent=4)

    def _entries(self, suppression: Suppression) -> None:
        for entry in suppression.expired:
            self._line(f"Expired on {entry.until}, silences nothing: {_entry(entry)}")
        for entry in suppression.unused:
            self._line(f"Unused, silences nothing: {_entry(entry)}")

    def _problems(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            where = f" {clean_path(problem.path)}:" if problem.path else ""
            self._prose(f"Not done ({clean_line(problem.stage)}):{where} {clean_line(problem.message)}", style="red")

    def _line(self, *parts: Text | str, indent: int = 0) -> None:
        if not parts and not self._begun:  # nothing above to be set off from
            return
        self._begun = True
        line = Text(" " * indent)
        for part in parts:
            line.append(part) if isinstance(part, str) else line.append_text(part)
        self._console.print(line, soft_wrap=True)

    def _prose(self, text: str, *, indent: int = 0, hang: int = 2, style: str = "") -> None:
        width = max(min(self._console.width - 2, _PROSE) - indent - hang, 20)
        for number, line in enumerate(Text(text, style=style).wrap(self._console, width)):
            line.rstrip()
            self._line(line, indent=indent + (hang if number else 0))

    def _row(self, row: Row) -> None:
        if row.wrapped:
            self._prose(row.text, indent=row.indent, style=row.style)
        else:
            self._line(Text(row.text, style=row.style), indent=row.indent)

    def _head(self, review: Review) -> None:
        series = review.series
        if series is not None:
            self._line(Text(clean_line(series.subject) or "(no subject)", style="bold"))
            if origin := self._origin(series):
                self._line(origin, indent=2)
        if review.base is not None and review.patches:
            reason = clean_line(review.base.reason)
            self._prose(f"Base: {clean_line(review.base.commit)[:_SHORT]}" + (f" ({reason})" if reason else ""))
        if series is None:
            notes: Iterable[str] = review.notes
        else:
            if series.kind is not ThreadKind.SERIES:
                self._line(f"This thread is a {series.kind.value}.")
            if series.missing:
                numbers = ", ".join(map(str, series.missing))
                one = len(series.missing) == 1
                which = f"patch {numbers} of {series.total}" if one else f"{numbers} of {series.total} patches"
                self._prose(f"Missing: {which}.")
            if series.newer is not None:
                revision, message_id = series.newer
                self._prose(f"There is a newer revision: v{revision}, {clean_line(message_id)}")
            for attestation in series.attestations:
                state = "good" if attestation.passing else "not good"
                self._prose(f"Signature of patch {attestation.number}: {state}, {clean_line(attestation.summary)}")
            notes = dict.fromkeys((*series.notes, *review.notes))
        for note in notes:
            self._prose(f"Note: {clean_line(note)}")

    @staticmethod
    def _origin(series: Series) -> str:
        author = series.author
        parts = []
        if author is not None:
            name, email = clean_line(author.name), clean_line(author.email)
            parts.append(f"by {name} <{email}>" if name else f"by {email}")
        if series.revision > 1:
            parts.append(f"revision {series.revision}")
        if series.message_id is not None:
            parts.append(f"<{clean_line(series.message_id)}>")
        return ", ".join(parts)

    def _number(self, patch: PatchReview, total: int) -> str:
        return f"{patch.number:>{len(str(total))}}/{total}"

    def _patch_line(self, patch: PatchReview, total: int) -> None:
        word, style = ("in the tree", "yellow") if patch.in_tree else _APPLIED[patch.applied]
        found = by_severity(finding for finding in patch.findings if is_brought(finding))
        commit = f"{clean_line(patch.commit)[:_SHORT]} " if patch.commit else ""
        self._line(
            f"{self._number(patch, total)}  ",
            Text(f"{word:<11}", style=style),
            f"  {commit}{clean_line(patch.subject)}",
            Text(f"  ({found})" if found else "", style="bold"),
        )
        if patch.reason:
            self._prose(clean_line(patch.reason), indent=2 * len(str(total)) + 3)

    def _findings(self, patch: PatchReview, total: int) -> None:
        shown = [
            finding
            for finding in patch.findings
            if finding.change is not Change.PRE_EXISTING or self._show_pre_existing or finding.claim
        ]
        if not shown and not patch.claims:
            return
        self._line()
        self._line(Text(f"{self._number(patch, total).strip()} {clean_line(patch.subject)}", style="bold"))
        for claim in patch.claims:
            self._claim(claim)
        for finding in shown:
            self._finding(finding)

    def _claim(self, claim: Claim) -> None:
        self._line()
        self._line(Text(clean_line(claim.trailer)), indent=2)
        self._prose(clean_line(claim.message), indent=4, hang=0)
        if claim.citation is not None:
            self._citation(claim.citation)

    def _finding(self, finding: Finding) -> None:
        self._line()
        kernels = " on PREEMPT_RT" if finding.kernels is Kernels.PREEMPT_RT else ""
        self._line(
            f"{clean_path(finding.path)}:{finding.line} {clean_line(finding.function)}() ",
            Text(f"{finding.severity.value}{kernels}", style=_SEVERITY_STYLE[finding.severity]),
            f" {finding.change.value} [{finding.check}]",
            indent=2,
        )
        self._prose(clean_line(finding.message), indent=4, hang=0)
        for remark in remarks(finding):
            self._prose(remark, indent=4, hang=0)
        self._chain(finding.witness)
        if finding.other_places:
            self._line(f"and from {counted(finding.other_places, 'other place', 'other places')}", indent=6)
        for citation in finding.citations:
            self._citation(citation)
        if finding.precedent is not None:
            commit, subject = clean_line(finding.precedent.commit)[:_SHORT], clean_line(finding.precedent.subject)
            self._line(f'See commit {commit} ("{subject}").', indent=4)

    def _chain(self, witness: Sequence[Step]) -> None:
        rows = [("  " * depth + text, f"{clean_path(step.path)}:{step.line}") for depth, text, step in nested(witness)]
        column = min(max((len(text) for text, _ in rows), default=0), 56)
        for text, place in rows:
            self._line(f"{text:<{column}}  ", Text(place, style="dim"), indent=6)

    def _citation(self, citation: Citation) -> None:
        """What a document says, in full where it is cited first."""
        above = " (quoted above)" if citation in self._quoted else ""
        if not above:
            self._prose(f"\u201c{clean_line(citation.quote)}\u201d", indent=4, hang=0, style="italic")
        self._quoted.add(citation)
        section = f", {clean_line(citation.section)}" if citation.section else ""
        self._line(Text(f"{clean_path(citation.path)}:{citation.line}{section}{above}", style="dim"), indent=6)

    def _drafts(self, written: Written) -> None:
        if not written.mails and not written.without_mail:
            self._line("No drafts: there is nothing to say.")
            return
        if not written.mails:
            self._line("No drafts: the patches carry no Message-ID that a mail could answer.")
            return
        self._line(f"{counted(written.mails, 'draft')} in {clean_path(str(written.folder))}")
        if written.left_out:
            found = counted(written.left_out, "finding")
            self._line(f"Left out of the mails, which keep to the gravest points: {found}.")
        for name in written.stay:
            self._prose(
                f"You edited or sent {clean_line(name)}, which stays as it is: reviewer drafts diff shows what differs."
            )
        elsewhere = f" --output {shlex.quote(str(written.folder))}" if written.folder != default_output() else ""
        self._line(f"Nothing was sent. See: reviewer drafts{clean_path(elsewhere)}")


def _entry(entry: IgnoreEntry) -> str:
    function = f" {clean_line(entry.function)}()" if entry.function else ""
    return f"{clean_path(entry.file)}:{entry.line} {clean_line(entry.check)} {clean_path(entry.path)}{function}"
