# SPDX-License-Identifier: GPL-2.0-or-later
"""A review as one page of HTML that stands alone: no script, nothing from elsewhere, readable on a phone and on paper.

Everything from mail or tree is made safe as for a terminal and then escaped by the template. What the template takes as
it is are the two kinds of pictures, which escape their own texts, and the style sheet.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import jinja2

from reviewer import __version__
from reviewer.config import data_dir
from reviewer.model import (
    Applied,
    Change,
    Citation,
    Claim,
    DiffFile,
    DiffLine,
    Excerpt,
    Finding,
    Kernels,
    LockOrder,
    Mark,
    PatchReview,
    Review,
    Series,
    World,
)
from reviewer.report.circle import circle_svg
from reviewer.report.data import is_brought
from reviewer.report.gutter import LEGEND, meaning
from reviewer.report.orders import drawn, orders_svg
from reviewer.report.plain import clean, clean_line, clean_path
from reviewer.report.revisions import comparison_rows
from reviewer.report.splatparts import Part, about_patches, about_place, about_tree
from reviewer.report.summary import by_severity, summary
from reviewer.report.words import nested, remarks
from reviewer.splat.account import Explained
from reviewer.splat.cycle import picture

_TEMPLATE: Final = "report.html.j2"
_STYLE: Final = "report.css.j2"
_SHORT: Final = 12  # hexadecimal digits of a commit
_WORLD: Final = {World.BOTH: "", World.NOT_RT: "notrt", World.RT: "rt"}
_Place = tuple[str, int, bool]


@dataclass(frozen=True, slots=True)
class _Chip:
    """A word of the margin."""

    text: str
    title: str
    world: str
    always: bool


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of a hunk. ``same`` rows run in the context of the row above them."""

    anchor: str
    kind: str
    old: str
    new: str
    text: str
    known: bool
    chips: tuple[_Chip, ...]
    was: tuple[_Chip, ...] | None
    same: bool
    title: str
    findings: tuple[_Ref, ...]


@dataclass(frozen=True, slots=True)
class _Ref:
    """A link to a finding of this patch, or to a line."""

    anchor: str
    text: str
    severity: str = ""


@dataclass(frozen=True, slots=True)
class _Hunk:
    head: str
    rows: tuple[_Row, ...]


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    head: str
    hunks: tuple[_Hunk, ...]
    known: bool


@dataclass(frozen=True, slots=True)
class _Step:
    """A frame of a witness: ``anchor`` is its line in the diff, empty where the diff does not show it."""

    depth: int
    text: str
    place: str
    anchor: str
    rows: tuple[tuple[int, str, bool], ...]


@dataclass(frozen=True, slots=True)
class _Told:
    """A finding."""

    anchor: str
    severity: str
    change: str
    check: str
    on_rt: bool
    place: str
    line: str
    function: str
    message: str
    question: str
    remarks: tuple[str, ...]
    steps: tuple[_Step, ...]
    others: int
    interleaving: tuple[tuple[str, str], ...]
    citations: tuple[tuple[str, str], ...]
    consequence: str


@dataclass(frozen=True, slots=True)
class _Patch:
    anchor: str
    number: int
    subject: str
    applied: str
    reason: str
    commit: str
    description: str
    brought: str
    claims: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...]
    findings: tuple[_Told, ...]
    files: tuple[_File, ...]
    picture: str
    orders: tuple[tuple[str, str, str, str, bool], ...]


@dataclass(frozen=True, slots=True)
class _Splat:
    title: str
    header: str
    picture: str
    sections: tuple[tuple[str, str, bool], ...]
    parts: tuple[Part, ...]
    rule: str
    place: str


def page_of(review: Review, splats: Sequence[Explained] = (), *, show_pre_existing: bool = False) -> str:
    """The page. ``splats`` are the kernel's reports in the mails of the series."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(data_dir("templates")),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (data_dir("templates") / _STYLE).read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    patches = tuple(_Paged(review, patch, show_pre_existing).view() for patch in review.patches)
    series = review.series
    return environment.get_template(_TEMPLATE).render(
        style=style,
        digest=digest,
        version=__version__,
        title=clean_line(series.subject) if series is not None else "Commits under review",
        origin=_origin(series) if series is not None else "",
        base=clean_line(review.base.commit)[:_SHORT] if review.base is not None else "",
        base_reason=clean_line(review.base.reason) if review.base is not None else "",
        notes=[clean_line(note) for note in dict.fromkeys((*(series.notes if series else ()), *review.notes))],
        errors=[f"{clean_line(p.stage)}: {clean_path(p.path)} {clean_line(p.message)}" for p in review.errors],
        since="\n".join(f"{' ' * row.indent}{row.text}" for row in comparison_rows(review)).strip("\n"),
        summary=summary(review, show_pre_existing=show_pre_existing) if patches else "",
        patches=patches,
        splats=[_splat(one) for one in splats],
        legend=LEGEND,
    )


def _origin(series: Series) -> str:
    author = series.author
    parts = [f"{clean_line(author.name)} <{clean_line(author.email)}>"] if author is not None else []
    if series.message_id is not None:
        parts.append(f"<{clean_line(series.message_id)}>")
    return ", ".join(parts)


def _splat(one: Explained) -> _Splat:
    sections = tuple(
        (clean_line(section.heading), "\n".join(clean(line) for line in section.lines), section.drawn)
        for section in one.account.sections
        if section.lines != picture(one.account.circle)
    )
    rule = one.citation
    return _Splat(
        clean_line(one.account.title),
        clean_line(one.splat.header),
        circle_svg(one.account.circle),
        sections,
        (*about_patches(one), *about_place(one), *about_tree(one)),
        clean_line(rule.quote) if rule is not None else "",
        f"{clean_path(rule.path)}:{rule.line}" if rule is not None else "",
    )


class _Paged:
    """One patch on the way to the page."""

    def __init__(self, review: Review, patch: PatchReview, show_pre_existing: bool) -> None:
        self._patch = patch
        self._name = f"p{patch.number}"
        described = {one.number: one.description for one in review.series.patches} if review.series is not None else {}
        self._description = clean(described.get(patch.number, "")).strip()
        self._findings = [
            finding
            for finding in patch.findings
            if finding.change is not Change.PRE_EXISTING or show_pre_existing or finding.claim
        ]
        self._anchors = dict(self._lines())
        self._excerpts = {(one.path, one.line, one.old): one for one in patch.excerpts}

    def _lines(self) -> Iterator[tuple[_Place, str]]:
        """The anchor of each line that the diff shows, after the patch and before it."""
        for number, file in enumerate(self._patch.diff, 1):
            for hunk in file.hunks:
                for line in hunk.lines:
                    if line.new is not None:
                        yield (file.path, line.new, False), f"{self._name}f{number}n{line.new}"
                    if line.old is not None:
                        anchor = f"{self._name}f{number}" + (f"n{line.new}" if line.new else f"o{line.old}")
                        yield (file.path, line.old, True), anchor

    def view(self) -> _Patch:
        patch = self._patch
        return _Patch(
            self._name,
            patch.number,
            clean_line(patch.subject),
            _applied(patch),
            clean_line(patch.reason),
            clean_line(patch.commit)[:_SHORT] if patch.commit else "",
            self._description,
            by_severity(filter(is_brought, patch.findings)),
            tuple(map(_claim, patch.claims)),
            tuple(self._told(number, finding) for number, finding in enumerate(self._findings, 1)),
            tuple(self._file(number, file) for number, file in enumerate(patch.diff, 1)),
            orders_svg(patch.orders),
            tuple(map(self._order, drawn(patch.orders))),
        )

    def _order(self, one: LockOrder) -> tuple[str, str, str, str, bool]:
        place = f"{clean_path(one.path)}:{one.line}"
        anchor = self._anchors.get((one.path, one.line, False), "")
        text = f"{clean_line(one.taken)} inside {clean_line(one.held)}"
        return text, f"{clean_line(one.function)}()", place, anchor, one.brought

    def _finding_anchor(self, number: int) -> str:
        return f"{self._name}-finding{number}"

    def _told(self, number: int, finding: Finding) -> _Told:
        old = finding.change is Change.FIXED
        return _Told(
            self._finding_anchor(number),
            finding.severity.value,
            finding.change.value,
            clean_line(finding.check),
            finding.kernels is Kernels.PREEMPT_RT,
            f"{clean_path(finding.path)}:{finding.line}",
            self._anchors.get((finding.path, finding.line, old), ""),
            f"{clean_line(finding.function)}()",
            clean_line(finding.message),
            clean_line(finding.question),
            tuple(remarks(finding)),
            tuple(self._steps(finding)),
            finding.other_places,
            tuple((clean_line(left), clean_line(right)) for left, right in finding.interleaving),
            tuple(map(_citation, finding.citations)),
            "" if finding.citations else clean_line(finding.consequence),
        )

    def _steps(self, finding: Finding) -> Iterator[_Step]:
        old = finding.change is Change.FIXED
        for depth, text, step in nested(finding.witness):
            place = (step.path, step.line, old)
            yield _Step(
                min(depth, 8),
                text,
                f"{clean_path(step.path)}:{step.line}",
                self._anchors.get(place, ""),
                _rows(self._excerpts.get(place)),
            )

    def _file(self, number: int, file: DiffFile) -> _File:
        below: dict[str, list[_Ref]] = {}
        for at, finding in enumerate(self._findings, 1):
            anchor = self._anchors.get((finding.path, finding.line, finding.change is Change.FIXED))
            if anchor is not None:
                ref = _Ref(self._finding_anchor(at), clean_line(finding.message), finding.severity.value)
                below.setdefault(anchor, []).append(ref)
        hunks = tuple(_Hunk(_code(hunk.head), tuple(self._hunk_rows(number, hunk.lines, below))) for hunk in file.hunks)
        known = any(row.known for hunk in hunks for row in hunk.rows)
        return _File(clean_path(file.path), "\n".join(map(_code, file.head)), hunks, known)

    def _hunk_rows(self, number: int, lines: Sequence[DiffLine], below: dict[str, list[_Ref]]) -> Iterator[_Row]:
        for _, run in groupby(lines, key=lambda line: (line.known, _words(line.marks), _words(line.was or ()))):
            for at, line in enumerate(run):
                yield self._row(number, line, below, same=at > 0)

    def _row(self, number: int, line: DiffLine, below: dict[str, list[_Ref]], *, same: bool) -> _Row:
        anchor = f"{self._name}f{number}" + (f"n{line.new}" if line.new else f"o{line.old}")
        if line.new is None and line.old is None:
            anchor = ""
        return _Row(
            anchor,
            {"+": "add", "-": "del", " ": "ctx"}.get(line.kind, "note"),
            str(line.old or ""),
            str(line.new or ""),
            _code(line.text),
            line.known,
            _chips(line.marks),
            None if line.was is None else _chips(line.was),
            same,
            meaning(line.marks),
            tuple(below.get(anchor, ())),
        )


def _applied(patch: PatchReview) -> str:
    """What is to be said of how the patch was applied, if anything."""
    if patch.applied is Applied.NO:
        return "in the tree already" if patch.in_tree else "not applied"
    return "" if patch.applied is Applied.YES else "three-way merge"


def _words(marks: Sequence[Mark]) -> tuple[tuple[str, World, bool], ...]:
    """What is to be seen of marks: how a lock was taken is not."""
    return tuple((mark.text, mark.world, mark.always) for mark in marks)


def _chips(marks: Sequence[Mark]) -> tuple[_Chip, ...]:
    return tuple(_Chip(clean_line(mark.text), meaning([mark]), _WORLD[mark.world], mark.always) for mark in marks)


def _claim(claim: Claim) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """The trailer, what is wrong with it, and the rule."""
    rule = (_citation(claim.citation),) if claim.citation is not None else ()
    return clean_line(claim.trailer), clean_line(claim.message), rule


def _citation(citation: Citation) -> tuple[str, str]:
    section = f", {clean_line(citation.section)}" if citation.section else ""
    return clean_line(citation.quote), f"{clean_path(citation.path)}:{citation.line}{section}"


def _rows(excerpt: Excerpt | None) -> tuple[tuple[int, str, bool], ...]:
    if excerpt is None:
        return ()
    return tuple(
        (number, _code(text), number == excerpt.line) for number, text in enumerate(excerpt.rows, excerpt.first)
    )


def _code(text: str) -> str:
    return re.sub(r"\n", " ", clean(text))
