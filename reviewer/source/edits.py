# SPDX-License-Identifier: GPL-2.0-or-later
"""What a file keeps when a patch changes nothing in it but the bodies of some functions."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from reviewer.source.cfg import Extent
from reviewer.source.scan import scan

_WORD = re.compile(rb"[A-Za-z_]\w*")
_Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Edit:
    """How one file differs from an older version of it.

    ``lines`` gives for (name, line) of each function as it stands now the line of the same function in the older
    version; functions that may mean something else are not in it. ``changed`` are the names and lines of these, and
    ``words`` those that one of the two versions of their bodies says and the other does not.
    """

    lines: dict[_Place, int]
    changed: frozenset[_Place]
    words: frozenset[str]
    _starts: tuple[int, ...]
    _shifts: tuple[int, ...]

    @property
    def moves(self) -> bool:
        """Whether any line stands elsewhere now."""
        return any(self._shifts)

    def moved(self, line: int) -> int:
        """Where a line of the older version stands now, if it is not one of a changed function."""
        at = bisect_right(self._starts, line) - 1
        return line + self._shifts[at] if at >= 0 else line


def edit_between(old: bytes, before: Sequence[Extent], new: bytes, after: Sequence[Extent]) -> Edit | None:
    """The edit that makes ``new`` of ``old``; None where it changes more than the bodies of functions.

    What stands between functions is the same then, and the file offers and declares the same. A function that names a
    changed one counts as changed.
    """
    if [each.name for each in before] != [each.name for each in after]:
        return None
    if any(each.readable != other.readable for each, other in zip(before, after, strict=True)):
        return None
    rows = (old.split(b"\n"), new.split(b"\n"))
    pieces = (_pieces(rows[0], before), _pieces(rows[1], after))
    if pieces[0] is None or pieces[1] is None or pieces[0][0] != pieces[1][0]:
        return None
    bodies = list(zip(pieces[0][1], pieces[1][1], strict=True))
    differing = [at for at, (was, now) in enumerate(bodies) if was != now]
    if any(_directives(bodies[at][0]) != _directives(bodies[at][1]) for at in differing) or scan(old) != scan(new):
        return None
    names = {after[at].name.encode() for at in differing}
    changed = {
        at
        for at, (_, now) in enumerate(bodies)
        if at in differing or not names.isdisjoint(_WORD.findall(b"\n".join(now)))
    }
    said = [set(_WORD.findall(b"\n".join(row for at in differing for row in bodies[at][side]))) for side in (0, 1)]
    places = [(each.name, each.line) for each in after]
    starts, shifts = [0], [0]
    for was, now in zip(before, after, strict=True):
        starts += [was.line, was.end + 1]
        shifts += [now.line - was.line, now.end - was.end]
    return Edit(
        {place: before[at].line for at, place in enumerate(places) if at not in changed},
        frozenset(places[at] for at in changed),
        frozenset(word.decode() for word in said[0] ^ said[1]),
        tuple(starts),
        tuple(shifts),
    )


def _pieces(rows: list[bytes], extents: Sequence[Extent]) -> tuple[list[list[bytes]], list[list[bytes]]] | None:
    """The lines between the functions and those of each function; None where two of them share a line."""
    between: list[list[bytes]] = []
    inside: list[list[bytes]] = []
    done = 0
    for extent in extents:
        if extent.line <= done:
            return None
        between.append(rows[done : extent.line - 1])
        inside.append(rows[extent.line - 1 : extent.end])
        done = extent.end
    between.append(rows[done:])
    return between, inside


def _directives(rows: list[bytes]) -> list[bytes]:
    return [row for row in rows if row.lstrip().startswith(b"#")]
