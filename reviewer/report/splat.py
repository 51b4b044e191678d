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
from reviewer.report.splatparts import Part, about_patches, about_place, about_tree
from reviewer.splat.account import Explained, Section

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
        self._parts([*about_patches(one), *about_place(one), *about_tree(one)])
        self._rule(one)

    def brief(self, one: Explained) -> None:
        self._head(one, "Report: ")
        for section in one.account.sections:
            if section.gist:
                self._section(section)
        self._parts([*about_patches(one), *about_place(one)])
        self._rule(one)
        if one.splat.message_id:
            self.line()
            self.line(f"The whole of it: reviewer splat {clean_line(shlex.quote(one.splat.message_id))}", 2)

    def _head(self, one: Explained, before: str) -> None:
        splat = one.splat
        self.line(Text(f"{before}{clean_line(one.account.title)}", style="bold").append(f" [{splat.kind}]"))
        mail = f"<{clean_line(splat.message_id)}> " if splat.message_id else ""
        kernel = f", kernel {clean_line(splat.release)}" if splat.release else ""
        taint = f" (tainted: {clean_line(splat.taint)})" if splat.taint else ""
        self.line(f"{mail}line {splat.line}{kernel}{taint}", 2)

    def _parts(self, parts: Sequence[Part]) -> None:
        for part in parts:
            self.line()
            self.line(Text(f"{part.heading}:", style="bold"), 2)
            for text, code in part.lines:
                if code:
                    self.line(text, 4)
                else:
                    self.prose(text, 4)

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

    def _rule(self, one: Explained) -> None:
        if one.citation is not None:
            section = f", {clean_line(one.citation.section)}" if one.citation.section else ""
            self.line()
            self.prose(f"\u201c{clean_line(one.citation.quote)}\u201d", 2, 0, "italic")
            self.line(Text(f"{clean_path(one.citation.path)}:{one.citation.line}{section}", style="dim"), 4)


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _kept(text: str) -> str:
    """A drawn line, safe, with the columns between its words."""
    return clean(text).replace("\n", " ").replace("\t", " ").rstrip()
