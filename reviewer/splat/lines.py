# SPDX-License-Identifier: GPL-2.0-or-later
"""From the lines of a mail or log to what the kernel printed: quote marks, time stamps and levels taken off.

The text is hostile: it is cut at sizes that no honest report reaches, and no pattern here can backtrack at length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAX_TEXT: Final = 8_000_000  # characters
MAX_LINES: Final = 100_000
MAX_LINE: Final = 400  # characters

# "> > ", ">>" and "SC> ": a reply's marks, at most as many as anyone can read.
_QUOTE: Final = re.compile(r"(?:[ \t]{0,2}(?:[A-Z]{1,4})?>){1,40} ?")
_SYSLOG: Final = re.compile(r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [\w.-]{1,64} kernel: ?")
_LEVEL: Final = re.compile(r"<[0-7c]>")
_STAMP: Final = re.compile(r"\[ {0,10}\d{1,10}\.\d{1,9}\] ?")
_CALLER: Final = re.compile(r"\[ {0,10}[TC]\d{1,10}\] ?")


@dataclass(frozen=True, slots=True)
class Line:
    """``text`` without marks and blanks around it; ``indent`` columns stood before it; ``depth`` quote marks."""

    number: int
    depth: int
    indent: int
    text: str


def read_lines(text: str) -> Iterator[Line]:
    """The lines of a text, 1-based, cut to a bounded size."""
    for number, raw in enumerate(text[:MAX_TEXT].split("\n")[:MAX_LINES], 1):
        rest = raw[:MAX_LINE].replace("\xa0", " ").rstrip()
        quote = _QUOTE.match(rest)
        depth = quote[0].count(">") if quote else 0
        if quote:
            rest = rest[quote.end() :]
        rest = _without_stamps(rest).expandtabs()
        bare = rest.lstrip()
        yield Line(number, depth, len(rest) - len(bare), bare)


def _without_stamps(text: str) -> str:
    syslog = _SYSLOG.match(text)
    if syslog:
        text = text[syslog.end() :]
    bare = text.lstrip(" \t")
    lead = text[: len(text) - len(bare)]
    level = _LEVEL.match(bare)
    if level:
        bare = bare[level.end() :]
    stamp = _STAMP.match(bare)
    if stamp:
        lead, bare = "", bare[stamp.end() :]
    caller = _CALLER.match(bare)
    if caller:
        lead, bare = "", bare[caller.end() :]
    return lead + bare
