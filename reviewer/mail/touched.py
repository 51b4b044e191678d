# SPDX-License-Identifier: GPL-2.0-or-later
"""Which functions and names of a report the patches of a thread touch, read from their diffs alone."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from reviewer.mail.quote import Hunk, hunks_of
from reviewer.splat.cycle import Arc, ArcChange

_WORD: Final = re.compile(rb"[A-Za-z_]\w*")
_HUNK_END: Final = b"@@"
# A line that a function or something else at the top of a file begins with, as git's own hunk headers know it.
_TOP: Final = re.compile(rb"[A-Za-z_$][^:]*$|[A-Za-z_$].*\(")
_MOST_LINES: Final = 4


def touching(patches: Sequence[tuple[str, bytes]], names: Collection[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Of each of ``patches`` (what it is called, its diff) that touches any of ``names``, its name and those."""
    found = []
    for title, diff in patches:
        words: set[bytes] = set()
        for hunk in hunks_of(diff):
            words.update(_WORD.findall(hunk.header.rpartition(_HUNK_END)[2]))
            for line in hunk.lines:
                if line.changed:
                    words.update(_WORD.findall(line.text))
        touched = tuple(sorted(name for name in names if name.encode("utf-8", "replace") in words))
        if touched:
            found.append((title, touched))
    return tuple(found)


def changes_of(arcs: Sequence[Arc], patches: Sequence[tuple[str, bytes]]) -> tuple[ArcChange, ...]:
    """What each of ``patches`` (what it is called, its diff) changes on each of ``arcs``, arc by arc.

    Which function a line is in is known from the hunk's header and its lines; a function that begins further up than
    a hunk shows is that of the header.
    """
    changed = [(title, list(_changed(diff))) for title, diff in patches]
    found = []
    for number, arc in enumerate(arcs, 1):
        for title, lines in changed:
            inside = [(names & set(arc.path), text) for names, text in lines if names & set(arc.path)]
            if inside:
                functions = dict.fromkeys(name for name in arc.path if any(name in names for names, _ in inside))
                telling = dict.fromkeys(text for names, text in inside if _tells(text, arc, names))
                found.append(ArcChange(number, title, tuple(functions), tuple(telling)[:_MOST_LINES]))
    return tuple(found)


def _tells(text: str, arc: Arc, names: Collection[str]) -> bool:
    """Whether a changed line names a lock of the arc, or a function of its path other than the one it is in."""
    words = set(re.findall(r"[A-Za-z_]\w*", text))
    return bool(words & set(arc.names) or words & (set(arc.path) - set(names)))


def _changed(diff: bytes) -> Iterator[tuple[set[str], str]]:
    """Each changed line, with the words of the line that its function begins with."""
    for hunk in hunks_of(diff):
        yield from _in_hunk(hunk)


def _in_hunk(hunk: Hunk) -> Iterator[tuple[set[str], str]]:
    before = after = _words(hunk.header.rpartition(_HUNK_END)[2])
    for line in hunk.lines:
        code = line.text[1:]
        if _TOP.match(code):
            before, after = (_words(code) if line.old else before), (_words(code) if line.new else after)
        if line.changed:
            yield (before if line.new is None else after), line.text.decode("utf-8", "replace")
        if code.startswith(b"}"):
            before, after = (set() if line.old else before), (set() if line.new else after)


def _words(text: bytes) -> set[str]:
    return {word.decode() for word in _WORD.findall(text)}
