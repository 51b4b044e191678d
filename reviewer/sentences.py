# SPDX-License-Identifier: GPL-2.0-or-later
"""Paragraphs of kernel prose, and where the sentences in them begin and end.

A sentence of a document or comment does not cross a paragraph, list item, field or table row.
Kernel documents start sentences with lower-case identifiers, abbreviate (``i.e.``, ``e.g.``, ``ie.``), name files with
dots in them and introduce code with ``::``; a full stop alone decides nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

MAX_LINES = 5

_BULLET = re.compile(r"[-*+\u2022][ \t]+(?=\S)")
_ENUMERATOR = re.compile(r"\(?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,4}|#)[.)][ \t]+(?=\S)")
_FIELD = re.compile(r":[A-Za-z][\w .-]*:[ \t]+(?=\S)")
_EXPLICIT = re.compile(r"\.\.[ \t]+(?:\[[^\]]+\]|[\w-]+::)[ \t]+(?=\S)")
_DOC_TAG = re.compile(r"(?:@[\w.>\-]+:|(?:Contexts?|Returns?|Notes?|NOTE|Description):|\w*_\w*[ \t]+- )")
_TABLE_BORDER = re.compile(r"\s*(?:=+(?:\s+=+)+|\+[-=+]+\+)\s*")
_STOP = re.compile(r"""[.!?]+["'\u201d\u2019)\]*`]*(?=\s|$)""")
_ABBREVIATIONS = frozenset(
    {
        "i.e.",
        "e.g.",
        "ie.",
        "eg.",
        "vs.",
        "cf.",
        "viz.",
        "resp.",
        "approx.",
        "a.k.a.",
        "incl.",
        "w.r.t.",
        "wrt.",
        "al.",
        "fig.",
        "sec.",
        "mr.",
        "dr.",
        "st.",
    }
)
# These end a sentence as often as not: what follows decides.
_OPEN_ABBREVIATIONS = frozenset({"etc.", "inc.", "ltd."})
# Paul E. McKenney, but not "Say Y.".
_INITIAL = re.compile(r"\b[A-Z][a-z]+ (?![YNM])[A-Z]\.$")
_OPENING = "([{\"'`*\u201c\u2018"
_NAME = re.compile(r"[*&@%$]?[A-Za-z_]\w*(?:\(|->|\.\w)|[A-Za-z]\w*_\w*|[@%&]\w|``")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Start and end offsets of the sentences of one paragraph, in order; text without a full stop is one sentence.

    Two spaces after a full stop, where the text still has them, end a sentence whatever follows.
    """
    spans: list[tuple[int, int]] = []
    start = len(text) - len(text.lstrip())
    for match in _STOP.finditer(text):
        if match.start() < start or not _ends(text, match):
            continue
        spans.append((start, match.end()))
        rest = text[match.end() :]
        start = match.end() + len(rest) - len(rest.lstrip())
    if start < len(text.rstrip()):
        spans.append((start, len(text.rstrip())))
    return spans


def _ends(text: str, stop: re.Match[str]) -> bool:
    """Whether a run of stops ends a sentence."""
    following = text[stop.end() :]
    if not following.strip():
        return True
    token = text[: stop.end()].rsplit(None, 1)[-1].lstrip(_OPENING)
    word = token.rstrip("\"'\u201d\u2019)]*`").lower()
    if word in _ABBREVIATIONS or _INITIAL.search(text[: stop.end()]):
        return False
    gap = len(following) - len(following.lstrip())
    rest = following.lstrip()
    if word == "no." and rest[0].isdigit():
        return False
    if gap >= 2 and word not in _OPEN_ABBREVIATIONS:
        return True
    bare = rest.lstrip(_OPENING)
    if not bare:
        return True
    return bare[0].isupper() or bare[0].isdigit() or bool(_NAME.match(rest)) or bool(_NAME.match(bare))


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its comment leader: its number, the columns in front of its text, the text."""

    number: int
    indent: int
    text: str


def text_indent(line: Line) -> int:
    """The column at which a line's words begin, behind the marker of a list item or field."""
    return line.indent + len(_marker(line.text))


def _marker(text: str) -> str:
    for pattern in (_BULLET, _ENUMERATOR, _FIELD, _EXPLICIT):
        match = pattern.match(text)
        if match:
            return match.group(0)
    return ""


def document_blocks(lines: list[Line]) -> list[list[Line]]:
    """Splits the lines between two blank lines of a document into paragraphs, list items, fields and table rows."""
    blocks: list[list[Line]] = []
    marked = table = False
    hanging: int | None = None
    for line in lines:
        if _TABLE_BORDER.fullmatch(line.text):
            table = True
            continue
        marker = _marker(line.text)
        if _ENUMERATOR.match(line.text) and blocks and not marked:
            marker = ""
        if blocks and not marker and not table:
            first, previous = blocks[-1][0], blocks[-1][-1]
            if hanging is not None:
                continues = line.indent == hanging
            elif marked or (previous is first and previous.text.endswith(":")):
                continues = line.indent > first.indent or (not marked and line.indent == first.indent)
                hanging = line.indent if line.indent > first.indent else None
            else:
                continues = line.indent == first.indent
            if continues:
                blocks[-1].append(line)
                continue
        blocks.append([Line(line.number, line.indent, line.text[len(marker) :])])
        marked, hanging = bool(marker), None
    return blocks


def comment_blocks(lines: list[Line]) -> list[list[Line]]:
    """Splits a comment into paragraphs, list items, parameters and the like."""
    blocks: list[list[Line]] = [[]]
    marked = False
    for line in lines:
        if not line.text:
            blocks.append([])
            marked = False
            continue
        marker = _BULLET.match(line.text) or (_ENUMERATOR.match(line.text) if marked or not blocks[-1] else None)
        if marker:
            blocks.append([Line(line.number, line.indent, line.text[marker.end() :])])
            marked = True
        elif blocks[-1] and (_DOC_TAG.match(line.text) or (marked and line.indent <= blocks[-1][0].indent)):
            blocks.append([line])
            marked = False
        else:
            blocks[-1].append(line)
    return [block for block in blocks if block]


def pick(blocks: list[list[Line]], number: int) -> list[Line]:
    """The block that holds a line, empty where none does."""
    for block in blocks:
        if block[0].number <= number <= block[-1].number:
            return block
    return []


def joined(block: list[Line]) -> tuple[str, list[tuple[int, int]]]:
    """A block as one string, and the offset at which each line starts. Runs of spaces stay: they end sentences."""
    text = ""
    places = []
    for line in block:
        if text and not (re.search(r"[^\W\d_]-$", text) and re.match(r"(?!(?:and|or)\b)[^\W\d_]", line.text)):
            text += " "
        places.append((len(text), line.number))
        text += line.text
    return text, places


def number_at(places: list[tuple[int, int]], position: int) -> int:
    """The line of the file that an offset into a joined block comes from."""
    return places[max(bisect_right(places, (position, 1 << 30)) - 1, 0)][1]


def window(places: list[tuple[int, int]], sentence: tuple[int, int], hit: tuple[int, int]) -> tuple[int, int]:
    """Five whole lines of a longer sentence: from its start where the words are among them, else around the words."""
    begin, stop = sentence
    numbers = [(offset, number) for offset, number in places if offset < stop]
    hit_last = number_at(places, hit[1] - 1)
    first = max(number_at(places, begin), hit_last - MAX_LINES + 1)
    begin = max(begin, next(offset for offset, number in numbers if number == first))
    stop = min([stop, *(offset for offset, number in numbers if number >= first + MAX_LINES)])
    return begin, stop
