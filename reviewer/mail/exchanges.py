# SPDX-License-Identifier: GPL-2.0-or-later
"""What replies quote and what they say below it: mail as people and their programs write it.

Lines are quoted with ``> ``, with ``>`` alone, with initials before it or with another mark; long ones are broken, with
or without a mark on the second half; others are cut off. A quoted line is recognised by its text without blanks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

# "> ", "> > ", ">> " and Emacs supercite's "Ann> ", which stand at the left edge or a blank or two in.
_MARK = re.compile(r"(?: {0,2}[A-Za-z]{0,4}>[ ]?)+")
# Marks that mean something else elsewhere: taken for marks in a mail that quotes a diff with them.
_OTHER_MARKS = re.compile(r"^([|:%])[ ]?(?=[+-]\S|[+-]\s+\S|@@ -)", re.M)
_FEWEST = 2
_FOOTER = re.compile(r"_{20,}\s*$")  # of a mailing list
_CUT_OFF = re.compile(r"\s*(?:\.\.\.|\u2026|\[\s*(?:\.\.\.|\u2026|snip)\s*\])\s*$")
_CODE_END = re.compile(r"[;,){}\\]\s*$")
_UNFINISHED = re.compile(r"(?:[,(=|&+?]|->)\s*$")
_PARTS = 3  # into which a line may be broken
_LEAST = 8  # characters by which a line can be told from others
_LONG = 20  # characters that are not found in another line by chance


@dataclass(frozen=True, slots=True)
class Exchange:
    """Quoted lines, without the marks of quotation, and the lines said right below them, without empty ones."""

    quoted: tuple[str, ...]
    comment: tuple[str, ...]


@lru_cache(maxsize=512)  # a reply is looked into for each finding
def exchanges(body: str) -> tuple[Exchange, ...]:
    """The quotes and comments of a reply, in order, down to its signature, without what stands above all quotes."""
    found: list[Exchange] = []
    quoted: list[str] = []
    comment: list[str] = []
    for is_quote, text in _lines(body):
        if is_quote:
            if comment:
                found.append(Exchange(tuple(quoted), tuple(comment)))
                quoted, comment = [], []
            quoted.append(text)
        elif text.strip() and quoted:
            comment.append(text)
    if comment:
        found.append(Exchange(tuple(quoted), tuple(comment)))
    return tuple(found)


def _lines(body: str) -> list[tuple[bool, str]]:
    """The lines down to the signature: whether each is quoted, and its text without marks."""
    other = _other_mark(body)
    found: list[tuple[bool, str]] = []
    joined = 0
    for line in body.split("\n"):
        if line.rstrip() == "--" or _FOOTER.match(line):
            break
        mark = _MARK.match(line) or (other.match(line) if other else None)
        if mark:
            found.append((True, line[mark.end() :]))
            joined = 1
        elif found and found[-1][0] and joined < _PARTS and _goes_on(found[-1][1], line):
            found[-1] = (True, f"{found[-1][1]} {line.strip()}")
            joined += 1
        else:
            found.append((False, line))
    return found


def _other_mark(body: str) -> re.Pattern[str] | None:
    marks = _OTHER_MARKS.findall(body)
    common = max(set(marks), key=marks.count, default="")
    return re.compile(rf"{re.escape(common)}[ ]?") if common and marks.count(common) >= _FEWEST else None


def _goes_on(quoted: str, line: str) -> bool:
    """Whether a line without a mark is the second half of the quoted line of code above it."""
    if quoted[:1] not in ("+", "-", " ") or not line.strip() or "?" in line:
        return False
    is_open = quoted.count("(") > quoted.count(")") or bool(_UNFINISHED.search(quoted))
    return is_open and bool(_CODE_END.search(line))


def bare(line: str) -> str:
    """A line of a diff without its sign and white space, so that mailers that mangle blanks do not matter."""
    return "".join(line.lstrip("+-").split())


def is_telling(line: str) -> bool:
    """Whether a line can be told from others by its text."""
    return len(bare(line)) >= _LEAST


def place_of(quoted: Sequence[str], line: str) -> int | None:
    """Where among quoted lines a line of a diff ends, the last place; None where it is not among them.

    A line that could be any is never found.
    """
    if not is_telling(line):
        return None
    wanted = bare(line)
    texts = [bare(one) for one in quoted]
    for at in range(len(texts) - 1, -1, -1):
        if texts[at] == wanted or (len(wanted) >= _LONG and wanted in texts[at]) or _is_cut_off(quoted[at], wanted):
            return at
        for parts in range(2, _PARTS + 1):
            first = at - parts + 1
            if first < 0:
                break
            rest = "".join("".join(one.split()) for one in quoted[first + 1 : at + 1])
            if texts[first] and texts[first] + rest == wanted:
                return at
    return None


def _is_cut_off(quoted: str, wanted: str) -> bool:
    start, found = _CUT_OFF.subn("", quoted)
    return bool(found) and len(bare(start)) >= _LEAST and wanted.startswith(bare(start))
