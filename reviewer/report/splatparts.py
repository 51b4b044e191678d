# SPDX-License-Identifier: GPL-2.0-or-later
"""What a tree and the patches of a thread have to say of a splat, in safe text for every form of the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reviewer.report.plain import clean_line, clean_path
from reviewer.splat.account import Explained
from reviewer.splat.cycle import ArcChange

_MOST_PLACES: Final = 6


@dataclass(frozen=True, slots=True)
class Part:
    """A heading, and lines of which each is a sentence or (True) one that keeps its form, as source does."""

    heading: str
    lines: tuple[tuple[str, bool], ...]


def about_patches(one: Explained) -> list[Part]:
    """What the patches change of the circle, and which others name its locks."""
    changes = one.changes or ()
    known = {change.patch for change in changes}
    others = tuple((title, names) for title, names in one.touched if title not in known)
    parts = []
    if one.changes is not None:
        lines: list[tuple[str, bool]] = []
        for number in range(1, len(one.account.circle) + 1):
            lines += _arc(number, [change for change in changes if change.number == number])
        if one.claimed:
            lines.append((_verdict(changes), False))
        parts.append(Part("What the patches change of the circle", tuple(lines)))
    if others:
        elsewhere = ", elsewhere" if one.changes is not None else ""
        named = tuple((f"{clean_line(title)}: {', '.join(map(clean_line, names))}", False) for title, names in others)
        parts.append(Part(f"Patches of this thread that touch these locks or who takes them{elsewhere}", named))
    return parts


def _arc(number: int, changes: Sequence[ArcChange]) -> list[tuple[str, bool]]:
    if not changes:
        return [(f"({number}) No patch changes a function on this path.", False)]
    lines: list[tuple[str, bool]] = []
    for change in changes:
        if change.lines:
            lines.append((f"({number}) {clean_line(change.patch)}: {_called(change.functions)}", False))
            lines += [(f"    {text[:1]} {clean_line(text[1:])}", True) for text in change.lines]
    others: dict[tuple[str, ...], list[str]] = {}
    for change in changes:
        if not change.lines:
            others.setdefault(change.functions, []).append(clean_line(change.patch))
    for functions, patches in others.items():
        but = "no line that names the locks or calls another function of the path"
        lines.append((f"({number}) {'; '.join(patches)}: {_called(functions)}, {but}", False))
    return lines


def _called(functions: Sequence[str]) -> str:
    return ", ".join(f"{clean_line(name)}()" for name in functions)


def about_place(one: Explained) -> list[Part]:
    """The place that the report names, in this tree."""
    if not one.named:
        return []
    here = one.named[0].line == one.splat.number
    heading = "That line in this tree" if here else "That line is another in this tree, it can be one of these"
    rows = tuple((f"{clean_path(step.path)}:{step.line}  {clean_line(step.text)}", True) for step in one.named)
    return [Part(heading, rows)]


def about_tree(one: Explained) -> list[Part]:
    """Where the functions of the report stand in this tree."""
    places = [f"{clean_path(place.path)}:{place.line}" for place in one.places]
    column = min(max(map(len, places), default=0), 48)
    rows = [
        (f"{where:<{column}}  {clean_line(place.text)}", True) for where, place in zip(places, one.places, strict=True)
    ]
    for name, steps in one.several:
        shown = [f"{clean_path(step.path)}:{step.line}" for step in steps[:_MOST_PLACES]]
        shown += [f"{len(steps) - _MOST_PLACES} more"] if len(steps) > _MOST_PLACES else []
        rows.append((f"{clean_line(name)}() is defined {len(steps)} times: {', '.join(shown)}", False))
    if one.unknown:
        rows.append((f"Not found: {', '.join(map(clean_line, one.unknown))}", False))
    return [Part("In this tree, by name (offsets need the kernel's own build)", tuple(rows))] if rows else []


def _verdict(changes: Sequence[ArcChange]) -> str:
    """For a series that the report stands in, so that it is to mend it."""
    telling = sorted({change.number for change in changes if change.lines})
    said = "The report stands in the series itself, which is to mend it. "
    if telling:
        return f"{said}It changes how the order of {_numbers(telling)} is made."
    if changes:
        numbers = _numbers(sorted({change.number for change in changes}))
        return f"{said}It changes functions on the path of {numbers}, but no line that shows the order there."
    return (
        f"{said}It changes no function of the circle. The circle can also be broken further out, or by giving the "
        "locks other classes where they are initialised; that was not checked."
    )


def _numbers(numbers: Sequence[int]) -> str:
    return " and ".join(f"({number})" for number in numbers)
