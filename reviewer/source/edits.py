# SPDX-License-Identifier: GPL-2.0-or-later
"""What a file keeps when a patch changes, adds and removes functions in it and nothing else."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from reviewer.source.cfg import Extent
from reviewer.source.preprocess import blank_comments_and_strings
from reviewer.source.scan import scan
from reviewer.source.store import BlobFacts

_WORD = re.compile(rb"[A-Za-z_]\w*")
_DEFINE = re.compile(rb"^[ \t]*#[ \t]*define\b", re.MULTILINE)
_Place = tuple[str, int]
_Rows = list[bytes]
_Which = tuple[str, int]  # a function by its name and its number among those of that name


@dataclass(frozen=True, slots=True)
class Edit:
    """How one file differs from an older version of it.

    ``lines`` gives for (name, line) of each function as it stands now the line of the same function in the older
    version; functions that may mean something else are not in it. ``changed`` are the names and lines of these, and
    ``words`` those that one of the two versions of their bodies says and the other does not. ``renames`` tells that
    the file does not define the same names.
    """

    lines: dict[_Place, int]
    changed: frozenset[_Place]
    words: frozenset[str]
    renames: bool


class Moves:
    """Where the lines of an older version of a file stand now; false where none has moved."""

    def __init__(self, shifts: Mapping[int, int]) -> None:
        """``shifts`` gives for the first line of each run of lines by how much these have moved."""
        self._starts, self._shifts = zip(*sorted({0: 0, **shifts}.items()), strict=True)

    def __bool__(self) -> bool:
        return any(self._shifts)

    def moved(self, line: int) -> int:
        """Where a line of the older version stands now; for one that is gone, where it would."""
        at: int = bisect_right(self._starts, line) - 1
        return line + int(self._shifts[at])


def moves_between(old: bytes, before: Sequence[Extent], new: bytes, after: Sequence[Extent]) -> Moves:
    """Where the lines of ``old`` stand in ``new``: of functions with the same text, and of what is alike in others."""
    sides = (_numbered(before), _numbered(after))
    rows = (old.split(b"\n"), new.split(b"\n"))
    shifts: dict[int, int] = {}
    for which, was in sides[0].items():
        now = sides[1].get(which)
        if now is None:
            continue
        bodies = rows[0][was.line - 1 : was.end], rows[1][now.line - 1 : now.end]
        shifts.setdefault(was.end + 1, now.end - was.end)
        shifts[was.line] = now.line - was.line
        if bodies[0] != bodies[1]:
            for block in SequenceMatcher(None, *bodies, autojunk=False).get_matching_blocks():
                if block.size:
                    shifts[was.line + block.a] = now.line + block.b - was.line - block.a
    return Moves(shifts)


def edit_between(old: bytes, before: Sequence[Extent], new: bytes, after: Sequence[Extent]) -> Edit | None:
    """The edit that makes ``new`` of ``old``; None where it changes more than functions.

    What stands between functions says the same then, and the file declares the same. A function that names one which
    was changed, added or removed counts as changed.
    """
    sides = (_numbered(before), _numbered(after))
    both = [which for which in sides[0] if which in sides[1]]
    if both != [which for which in sides[1] if which in sides[0]] or _counted_otherwise(before, after):
        return None
    texts = [_pieces(text.split(b"\n"), extents, both) for text, extents in ((old, sides[0]), (new, sides[1]))]
    if texts[0] is None or texts[1] is None:
        return None
    (outside, bodies), (outside_now, bodies_now) = texts[0], texts[1]
    if not all(map(_says_the_same, outside, outside_now)):
        return None
    differing = [which for which in {**bodies, **bodies_now} if bodies.get(which) != bodies_now.get(which)]
    if any(_directives(bodies.get(which, [])) != _directives(bodies_now.get(which, [])) for which in differing):
        return None
    if any(sides[0][which].readable != sides[1][which].readable for which in both):
        return None
    names = {name for name, _ in differing}
    facts = (scan(old), scan(new))
    defined = {name for name, _ in set(facts[0].definitions) ^ set(facts[1].definitions)}
    if replace(facts[0], definitions=()) != replace(facts[1], definitions=()) or not defined <= names:
        return None
    words = {name.encode() for name in names}
    changed = {
        which
        for which, rows in bodies_now.items()
        if which in differing or not words.isdisjoint(_WORD.findall(b"\n".join(rows)))
    }
    said = [_words(side.get(which, []) for which in differing) for side in (bodies, bodies_now)]
    return Edit(
        {(which[0], extent.line): sides[0][which].line for which, extent in sides[1].items() if which not in changed},
        frozenset((which[0], sides[1][which].line) for which in changed),
        frozenset(word.decode() for word in said[0] ^ said[1]),
        bool(defined),
    )


def _numbered(extents: Sequence[Extent]) -> dict[_Which, Extent]:
    seen: Counter[str] = Counter()
    found: dict[_Which, Extent] = {}
    for extent in extents:
        found[extent.name, seen[extent.name]] = extent
        seen[extent.name] += 1
    return found


def _counted_otherwise(before: Sequence[Extent], after: Sequence[Extent]) -> bool:
    """Whether there are more or fewer functions of one name, so that it is not clear which is which."""
    counts = Counter(each.name for each in before), Counter(each.name for each in after)
    return any(counts[0][name] != counts[1][name] for name in counts[0].keys() & counts[1].keys())


@dataclass(frozen=True, slots=True)
class _Between:
    """The lines between two functions that both versions have; ``whole`` where no other function stands there."""

    rows: _Rows
    whole: bool


def _pieces(
    rows: _Rows, extents: Mapping[_Which, Extent], both: Sequence[_Which]
) -> tuple[list[_Between], dict[_Which, _Rows]] | None:
    """What stands between the functions of ``both``, and the lines of each function; None where two share a line."""
    known = set(both)
    between: list[_Between] = []
    inside: dict[_Which, _Rows] = {}
    here: _Rows = []
    whole, done = True, 0
    for which, extent in extents.items():
        if extent.line <= done:
            return None
        here += rows[done : extent.line - 1]
        inside[which] = rows[extent.line - 1 : extent.end]
        done = extent.end
        if which in known:
            between.append(_Between(here, whole))
            here, whole = [], True
        else:
            whole = False
    between.append(_Between(here + rows[done:], whole))
    return between, inside


def _says_the_same(old: _Between, new: _Between) -> bool:
    """Whether two texts differ in nothing but comments and white space; where a macro stands, in nothing at all."""
    if old.whole and new.whole and old.rows == new.rows:
        return True
    texts = (b"\n".join(old.rows), b"\n".join(new.rows))
    return not any(map(_DEFINE.search, texts)) and _code(texts[0]) == _code(texts[1])


def _code(text: bytes) -> list[bytes]:
    plain = blank_comments_and_strings(text)
    return [row for row in (line.strip() for line in plain.split(b"\n")) if row]


def _words(bodies: Iterable[_Rows]) -> set[bytes]:
    return {word for rows in bodies for word in _WORD.findall(b"\n".join(rows))}


def _directives(rows: _Rows) -> _Rows:
    return [row for row in rows if row.lstrip().startswith(b"#")]


def offered(facts: BlobFacts, path: str) -> set[str]:
    """What the file ``path`` offers to others: its last word is the name that they use it by, ``.name`` a member."""
    shared = {name for name, kind in facts.definitions if kind == "f" or path.endswith(".h")}
    shared |= {f"{kind} {name}" for name, kind in facts.locks}
    shared |= {f"{function} {structure} .{field}" for function, structure, field in facts.members}
    shared |= {f"{each.function} {each.structure} {each.path} .{each.field}" for each in facts.assigned}
    shared |= {f"{target} {name}" for name, target in facts.types}
    return shared | {f"{kind} {name}" for name, kind, static in facts.variables if not static or path.endswith(".h")}
