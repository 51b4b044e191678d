# SPDX-License-Identifier: GPL-2.0-or-later
"""Splats as text for people and as data for programs; what comes from the report is made safe to print."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from reviewer import __version__
from reviewer.report.data import FORMAT_VERSION, TOOL_NAME, as_text
from reviewer.report.plain import clean, clean_line, clean_path
from reviewer.report.splatdata import splat_data
from reviewer.splat.account import Explained, Section
from reviewer.splat.cycle import ArcChange

_PROSE: Final = 78  # columns, where the terminal has as many


def splats_to_json(found: Sequence[Explained], notes: Sequence[str] = ()) -> str:
    """The splats as JSON text of version 1, ending in a line feed; ``splat`` holds the report's own words."""
    return as_text(
        {
            "version": FORMAT_VERSION,
            "tool": {"name": TOOL_NAME, "version": __version__},
            "splats": [splat_data(one) for one in found],
            "notes": list(notes),
        }
    )


def render_splats(found: Sequence[Explained], console: Console, notes: Sequence[str] = ()) -> None:
    """Print each splat in words."""
    printer = _Printer(console)
    for number, one in enumerate(found, 1):
        if number > 1:
            printer.line()
        printer.splat(one, f"{number}/{len(found)}")
    for note in notes:
        printer.prose(f"Note: {clean_line(note)}")


def render_in_brief(found: Sequence[Explained], console: Console) -> None:
    """Print of each splat what a reviewer of the series needs, and the command that tells the rest."""
    printer = _Printer(console)
    for one in found:
        printer.line()
        printer.brief(one)


class _Printer:
    def __init__(self, console: Console) -> None:
        self._console = console

    def line(self, text: Text | str = "", indent: int = 0) -> None:
        line = Text(" " * indent)
        line.append(text) if isinstance(text, str) else line.append_text(text)
        self._console.print(line, soft_wrap=True)

    def prose(self, text: str, indent: int = 0, hang: int = 2, style: str = "") -> None:
        width = max(min(self._console.width - 2, _PROSE) - indent - hang, 20)
        for number, line in enumerate(Text(text, style=style).wrap(self._console, width)):
            line.rstrip()
            self.line(line, indent + (hang if number else 0))

    def splat(self, one: Explained, count: str) -> None:
        self._head(one, f"{count} ")
        self.line(Text(clean_line(one.splat.header), style="dim"), 2)
        if one.repeats:
            self.prose(f"It stands {_times(one.repeats)} more, which is not told again.", 2)
        for section in one.account.sections:
            self._section(section)
        self._patches(one)
        self._named(one)
        self._tree(one)
        self._rule(one)

    def brief(self, one: Explained) -> None:
        self._head(one, "Report: ")
        for section in one.account.sections:
            if section.gist:
                self._section(section)
        self._patches(one)
        self._named(one)
        self._rule(one)
        if one.splat.message_id:
            self.line(f"The whole of it: reviewer splat {clean_line(shlex.quote(one.splat.message_id))}", 2)

    def _head(self, one: Explained, before: str) -> None:
        splat = one.splat
        self.line(Text(f"{before}{clean_line(one.account.title)}", style="bold").append(f" [{splat.kind}]"))
        mail = f"<{clean_line(splat.message_id)}> " if splat.message_id else ""
        kernel = f", kernel {clean_line(splat.release)}" if splat.release else ""
        taint = f" (tainted: {clean_line(splat.taint)})" if splat.taint else ""
        self.line(f"{mail}line {splat.line}{kernel}{taint}", 2)

    def _patches(self, one: Explained) -> None:
        changes = one.changes or ()
        known = {change.patch for change in changes}
        others = [(title, names) for title, names in one.touched if title not in known]
        if one.changes is not None:
            self.line()
            self.line(Text("What the patches change of the circle:", style="bold"), 2)
            for number in range(1, len(one.account.circle) + 1):
                self._arc(number, [change for change in changes if change.number == number])
            if one.claimed:
                self.prose(_verdict(changes), 4)
        if others:
            self.line()
            elsewhere = ", elsewhere" if one.changes is not None else ""
            heading = f"Patches of this thread that touch these locks or who takes them{elsewhere}:"
            self.line(Text(heading, style="bold"), 2)
        for title, names in others:
            self.prose(f"{clean_line(title)}: {', '.join(map(clean_line, names))}", 4)

    def _arc(self, number: int, changes: Sequence[ArcChange]) -> None:
        if not changes:
            self.prose(f"({number}) No patch changes a function on this path.", 4)
        for change in changes:
            where = ", ".join(f"{clean_line(name)}()" for name in change.functions)
            but = "" if change.lines else ", no line that names the locks or calls another function of the path"
            self.prose(f"({number}) {clean_line(change.patch)}: {where}{but}", 4)
            for text in change.lines:
                self.line(f"{text[:1]} {clean_line(text[1:])}", 8)

    def _section(self, section: Section) -> None:
        self.line()
        if section.heading:
            self.prose(f"{clean_line(section.heading)}:", 2, style="bold")
        for text in section.lines:
            if section.drawn:
                lead = len(text) - len(text.lstrip(" "))
                self.line(" " * lead + _kept(text[lead:]), 4)
            else:
                self.prose(clean_line(text), 4 if section.heading else 2)

    def _named(self, one: Explained) -> None:
        """The place that the report names, in this tree."""
        if not one.named:
            return
        here = one.named[0].line == one.splat.number
        which = "That line in this tree:" if here else "That line is another in this tree, it can be one of these:"
        self.line()
        self.line(Text(which, style="bold"), 2)
        for step in one.named:
            self.line(f"{clean_path(step.path)}:{step.line}  {clean_line(step.text)}", 4)

    def _tree(self, one: Explained) -> None:
        if one.places:
            self.line()
            self.line(Text("In this tree, by name (offsets need the kernel's own build):", style="bold"), 2)
            column = min(max(len(f"{place.path}:{place.line}") for place in one.places), 48)
            for place in one.places:
                where = f"{clean_path(place.path)}:{place.line}"
                self.line(f"{where:<{column}}  {clean_line(place.text)}", 4)
        if one.unknown:
            self.prose(f"Not found, or in several places: {', '.join(map(clean_line, one.unknown))}", 4)

    def _rule(self, one: Explained) -> None:
        if one.citation is not None:
            section = f", {clean_line(one.citation.section)}" if one.citation.section else ""
            self.line()
            self.prose(f"\u201c{clean_line(one.citation.quote)}\u201d", 2, 0, "italic")
            self.line(Text(f"{clean_path(one.citation.path)}:{one.citation.line}{section}", style="dim"), 4)


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


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _kept(text: str) -> str:
    """A drawn line, safe, with the columns between its words."""
    return clean(text).replace("\n", " ").replace("\t", " ").rstrip()
