# SPDX-License-Identifier: GPL-2.0-or-later
"""How a series differs from its earlier revisions, for a person and as data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reviewer.model import Change, Comparison, Finding, FunctionChange, PatchChange, Remark, Review
from reviewer.report.plain import clean, clean_line, clean_path
from reviewer.wording import counted

_MOST_FUNCTIONS: Final = 8  # told one by one
_MOST_LINES: Final = 6  # of each
_MOST_REMARKS: Final = 8
_MOST_GONE: Final = 3  # patches, told one by one
_STYLES: Final = {"+": "green", "-": "red"}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the report; what is not ``wrapped`` is there to be copied."""

    text: str = ""
    indent: int = 0
    style: str = ""
    wrapped: bool = False


def comparison_rows(review: Review) -> Iterator[Row]:
    """What changed since the earlier revisions, the latest first, and what is still open from them."""
    for comparison in review.comparisons:
        yield Row()
        yield Row(f"Since v{comparison.revision}{_name(comparison.message_id)}", style="bold")
        latest = comparison is review.comparisons[0]
        yield from _findings(review, comparison) if latest else ()
        yield from _gone(comparison)
        if latest:
            yield from _patches(comparison)
            yield from _functions(comparison.functions)
        yield from _remarks(comparison)


def _name(message_id: str | None) -> str:
    return f", <{clean_line(message_id)}>:" if message_id else ":"


def _findings(review: Review, comparison: Comparison) -> Iterator[Row]:
    brought = [
        finding
        for patch in review.patches
        for finding in patch.findings
        if finding.change in (Change.INTRODUCED, Change.EXPOSED) and finding.fixed_later is None
    ]
    remain = sum(finding.since is not None for finding in brought)
    new = len(brought) - remain
    parts = [f"{remain} of its findings {'remains' if remain == 1 else 'remain'}"] if remain else []
    if comparison.gone:
        parts.append(f"{len(comparison.gone)} {'is' if len(comparison.gone) == 1 else 'are'} gone")
    if new and comparison.whole:
        parts.append(f"{new} {'is' if new == 1 else 'are'} new")
    elif new:
        parts.append(f"whether {new} {'is' if new == 1 else 'are'} new is not known, as not all of it could be applied")
    if parts:
        text = ", ".join(parts)
        yield Row(f"{text[0].upper()}{text[1:]}.", 2, wrapped=True)


def _gone(comparison: Comparison) -> Iterator[Row]:
    for finding in comparison.gone or ():
        where = f"{clean_path(finding.path)} {clean_line(finding.function)}()"
        yield Row(f"Gone: {where} [{clean_line(finding.check)}] {clean_line(finding.message)}", 2, wrapped=True)


def _patches(comparison: Comparison) -> Iterator[Row]:
    if all(change.same for change in comparison.patches):
        yield Row("The patches are the same.", 2)
        return
    same = [change.now for change in comparison.patches if change.same]
    if same:
        yield Row(f"As before: {_listed(same)}.", 2, wrapped=True)
    gone = [change.before for change in comparison.patches if change.now is None]
    for change in comparison.patches:
        if not change.same and (change.now is not None or len(gone) <= _MOST_GONE):
            yield Row(f"{_fate(change)}: {clean_line(change.subject)}", 2)
    if len(gone) > _MOST_GONE:
        yield Row(f"Not in it any more: {_listed(gone)}.", 2, wrapped=True)


def _listed(numbers: Sequence[int | None]) -> str:
    return f"{'patch' if len(numbers) == 1 else 'patches'} {', '.join(map(str, numbers))}"


def _fate(change: PatchChange) -> str:
    if change.before is None:
        return f"Patch {change.now} is new"
    if change.now is None:
        return f"Patch {change.before} is not in it any more"
    return f"Patch {change.now} changed" + (f", which was {change.before}" if change.before != change.now else "")


def _functions(changes: tuple[FunctionChange, ...]) -> Iterator[Row]:
    path = None
    for change in changes[:_MOST_FUNCTIONS]:
        if change.path != path:
            path = change.path
            yield Row(clean_path(path), 2)
        yield Row(_function(change.function) or "outside of functions", 4)
        for line in change.lines[:_MOST_LINES]:
            text = clean(line).expandtabs(4).rstrip()
            yield Row(text, 6, _STYLES.get(text[:1], ""))
        if len(change.lines) > _MOST_LINES:
            yield Row(f"and {counted(len(change.lines) - _MOST_LINES, 'line')} more", 6, "dim")
    if len(changes) > _MOST_FUNCTIONS:
        yield Row(f"and {counted(len(changes) - _MOST_FUNCTIONS, 'more function')}", 2, "dim")


def _function(name: str) -> str:
    return name if not name or " " in name else f"{clean_line(name)}()"


def _remarks(comparison: Comparison) -> Iterator[Row]:
    if not comparison.remarks:
        yield Row("No comment was found on lines that are as they were.", 2)
    else:
        yield Row("Comments on lines that are as they were:", 2)
    for remark in comparison.remarks[:_MOST_REMARKS]:
        who = clean_line(remark.by.name) or clean_line(remark.by.email)
        function = f" {_function(remark.function)}" if remark.function else ""
        around = ", of which other lines were changed" if remark.function_changed else ""
        yield Row(f"{who}, <{clean_line(remark.message_id)}>, on patch {remark.before}", 4)
        yield Row(f"{clean_path(remark.path)}{function}{around}", 6, "dim")
        yield Row(" ".join(clean(remark.line).split()), 6, _STYLES.get(remark.line[:1], ""))
        yield Row(f"\u201c{clean_line(remark.text)}\u201d", 6, wrapped=True)
        answered = f"Answered by the author in <{clean_line(remark.answer)}>" if remark.answer else "Not answered"
        yield Row(answered, 6)
    if len(comparison.remarks) > _MOST_REMARKS:
        yield Row(f"and {len(comparison.remarks) - _MOST_REMARKS} more", 4, "dim")


def comparison_data(comparison: Comparison, finding: Callable[[Finding], dict[str, Any]]) -> dict[str, Any]:
    """A comparison as data; ``finding`` makes data of a finding."""
    return {
        "revision": comparison.revision,
        "message_id": comparison.message_id,
        "whole": comparison.whole,
        "gone": None if comparison.gone is None else [finding(one) for one in comparison.gone],
        "patches": [
            {"before": one.before, "now": one.now, "subject": one.subject, "same": one.same}
            for one in comparison.patches
        ],
        "functions": [
            {"path": one.path, "function": one.function or None, "lines": list(one.lines)}
            for one in comparison.functions
        ],
        "remarks": [_remark(remark) for remark in comparison.remarks],
    }


def _remark(remark: Remark) -> dict[str, Any]:
    by = remark.by
    return {
        "by": f"{by.name} <{by.email}>" if by.name else by.email,
        "message_id": remark.message_id,
        "before": remark.before,
        "now": remark.now,
        "path": remark.path,
        "function": remark.function or None,
        "line": remark.line,
        "text": remark.text,
        "answer": remark.answer,
        "function_changed": remark.function_changed,
    }
