# SPDX-License-Identifier: GPL-2.0-or-later
"""A review as the patches themselves: the context of each line in the margin, findings below their lines."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from reviewer.model import Applied, Change, DiffFile, DiffLine, Finding, Kernels, PatchReview, Review
from reviewer.report.gutter import LEGEND, NOTHING, told, width_of
from reviewer.report.plain import clean, clean_line, clean_path

_TAB: Final = 8
_MOST: Final = 46  # columns of the margin; what is longer pushes its line to the right
_PROSE: Final = 78
_STYLE: Final = {"+": "green", "-": "red", " ": "", "\\": "dim"}
_Place = tuple[str, int, bool]


def render_diff(review: Review, console: Console, *, show_pre_existing: bool = False) -> None:
    """Print each patch with its margin."""
    # Tabs of the code stand as in a plain diff if it begins one column behind a multiple of eight.
    margin = -(-(width_of(review.patches, _MOST) + 2) // _TAB) * _TAB
    printer = _Printer(console, margin)
    for number, patch in enumerate(review.patches):
        if number:
            printer.line()
        printer.patch(patch, len(review.patches), show_pre_existing=show_pre_existing)
    if review.patches:
        printer.line()
        printer.prose(LEGEND)
    else:
        printer.line("There is no patch in it: nothing was reviewed.")
    for problem in review.errors:
        where = f" {clean_path(problem.path)}:" if problem.path else ""
        printer.prose(f"Not done ({clean_line(problem.stage)}):{where} {clean_line(problem.message)}")


class _Printer:
    def __init__(self, console: Console, margin: int) -> None:
        self._console = console
        self._margin = margin

    def line(self, text: Text | str = "") -> None:
        self._console.print(Text(text) if isinstance(text, str) else text, soft_wrap=True)

    def prose(self, text: str, indent: str = "") -> None:
        for line in textwrap.wrap(text, _PROSE, initial_indent=indent, subsequent_indent=indent):
            self.line(Text(line, style="dim"))

    def patch(self, patch: PatchReview, total: int, *, show_pre_existing: bool) -> None:
        self.line(Text(f"{patch.number}/{total} {clean_line(patch.subject)}", style="bold"))
        if patch.applied is Applied.NO:
            why = "In the tree already" if patch.in_tree else "Not applied"
            self.prose(f"{why} ({clean_line(patch.reason)}): the context of its lines is not known.")
        shown = [
            finding
            for finding in patch.findings
            if finding.change is not Change.PRE_EXISTING or show_pre_existing or finding.claim
        ]
        for claim in patch.claims:
            self.line(Text(f"{clean_line(claim.trailer)}"))
            self.prose(clean_line(claim.message), "  ")
        below: Mapping[_Place, list[Finding]] = _by_place(shown)
        told_of: set[_Place] = set()
        for file in patch.diff:
            self._file(file, below, told_of)
        elsewhere = [finding for place, found in below.items() if place not in told_of for finding in found]
        if elsewhere:
            self.line()
            self.line("On lines that the diff does not show:")
            for finding in elsewhere:
                self.line(Text(f"{clean_path(finding.path)}:{finding.line} {clean_line(finding.function)}()"))
                self._finding(finding, "  ")

    def _file(self, file: DiffFile, below: Mapping[_Place, list[Finding]], told_of: set[_Place]) -> None:
        for row in file.head:
            self.line(Text(clean_path(row.rstrip("\t")), style="bold"))
        for hunk in file.hunks:
            self.line(Text(f"{'':{self._margin - 1}}|").append(_code(hunk.head), style="cyan"))
            before: DiffLine | None = None
            for line in hunk.lines:
                self._row(line, before)
                before = line
                for place in _places(file.path, line):
                    if place not in told_of and place in below:
                        told_of.add(place)
                        for finding in below[place]:
                            self._finding(finding, " " * (self._margin - 1) + "|  ")

    def _row(self, line: DiffLine, before: DiffLine | None) -> None:
        words = (told(line.marks) or NOTHING) if line.known else ""
        row = Text(f"{words:<{self._margin - 2}}", style="dim").append(" |", style="dim")
        row.append(f"{line.kind}{_code(line.text)}", style=_STYLE.get(line.kind, ""))
        was = _was(line)
        if was and (before is None or was != _was(before)):
            self.line(Text(f"{was:<{self._margin - 2}} |", style="dim"))
        self.line(row)

    def _finding(self, finding: Finding, indent: str) -> None:
        kernels = " on PREEMPT_RT" if finding.kernels is Kernels.PREEMPT_RT else ""
        later = f" (patch {finding.fixed_later} removes it again)" if finding.fixed_later is not None else ""
        said = f"^ {finding.severity.value}{kernels} {finding.change.value} [{finding.check}] "
        text = f"{said}{clean_line(finding.message)}{later}"
        for number, row in enumerate(textwrap.wrap(text, _PROSE)):
            self.line(Text(indent + ("  " if number else ""), style="dim").append(row, style="bold yellow"))


def _was(line: DiffLine) -> str:
    """How the line ran before the patch, where that was otherwise."""
    return "" if line.was is None else f"was: {told(line.was) or NOTHING}"


def _code(text: str) -> str:
    return clean(text).replace("\n", " ")


def _by_place(findings: Iterable[Finding]) -> dict[_Place, list[Finding]]:
    found: defaultdict[_Place, list[Finding]] = defaultdict(list)
    for finding in findings:
        found[finding.path, finding.line, finding.change is Change.FIXED].append(finding)
    return dict(found)


def _places(path: str, line: DiffLine) -> Sequence[_Place]:
    """Where findings on this line are said to be: fixed ones stand in the old file."""
    new = [(path, line.new, False)] if line.new is not None else []
    return [*new, *([(path, line.old, True)] if line.old is not None else [])]
