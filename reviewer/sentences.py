# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the sentences of a paragraph of kernel prose begin and end.

Kernel documents start sentences with lower-case identifiers, abbreviate (``i.e.``, ``e.g.``, ``ie.``), name files with
dots in them and introduce code with ``::``; a full stop alone decides nothing.
"""

from __future__ import annotations

import re

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
_INITIAL = re.compile(r"\b[A-Z][a-z]+ [A-Z]\.$")
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
