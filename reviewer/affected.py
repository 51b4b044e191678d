# SPDX-License-Identifier: GPL-2.0-or-later
"""Which functions a patch can make right or wrong: those it changes, those that it gives another meaning, callers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from reviewer.context.analysis import Analyser
from reviewer.context.annotations import is_instrumented, is_noinstr, is_untraceable
from reviewer.context.callers import MOST, callers
from reviewer.declared import changed_locks, changed_macros, changed_paths, entered_otherwise, users_of_lock
from reviewer.model import Place
from reviewer.sides import Sides
from reviewer.source.cfg import Function
from reviewer.source.program import Program
from reviewer.untraced import users_by, ways_to
from reviewer.wording import counted

_MOST_FURTHER = 96
"""So many functions besides the changed ones are judged; nearest first, so that what is left out is far away."""
_FEWEST_FURTHER = 24
_ALWAYS_INLINE = "__always_inline"
_Name = tuple[str, str]


class Pair(NamedTuple):
    """A function in the two trees; None where it is not there. ``judged`` is false for a macro."""

    before: Function | None
    after: Function | None
    judged: bool = True


class Affected:
    """The functions to judge: ``changed`` are those that the patch touches, ``pairs`` these and all others.

    ``causes`` gives the changed line for a function that means something else without having been changed itself;
    ``entered`` are those of them that are entered otherwise. ``called`` gives it for one whose own words have changed.
    ``notes`` say what was left out.
    """

    def __init__(self, sides: Sides, before: Analyser, after: Analyser, *, with_callers: bool) -> None:
        self._sides = sides
        self._before = before
        self._after = after
        self._seen: set[_Name] = set()
        self.causes: dict[_Name, Place] = {}
        self.entered: set[_Name] = set()
        self.called: dict[_Name, Place] = {}
        self.notes: list[str] = []
        self.changed: tuple[Pair, ...] = tuple(self._changed())
        self.pairs: list[Pair] = list(self.changed)
        if with_callers:
            self._room = max(_FEWEST_FURTHER, _MOST_FURTHER - len(self.pairs))
            self._further()

    def _changed(self) -> Iterator[Pair]:
        for old, new in changed_paths(self._sides):
            lines = self._sides.lines(new)
            touched = set(_touched(self._sides.after, new, lines.added | lines.near))
            touched |= set(_touched(self._sides.before, old, lines.removed | lines.beside))
            for name in sorted(touched):
                after = self._sides.after.functions(new, name)
                before = self._sides.before.functions(old, name)
                self._seen.add((new, name))
                for index in range(max(len(before), len(after))):
                    pair = Pair(
                        before[index] if index < len(before) else None, after[index] if index < len(after) else None
                    )
                    self._note_words(pair, lines.added | lines.near)
                    yield pair

    def _note_words(self, pair: Pair, changed: Iterable[int]) -> None:
        """Whoever calls a function cares for its words: noinstr, inline."""
        before, after = pair.before, pair.after
        if before is not None and after is not None and _kind(before) != _kind(after):
            if is_untraceable(before) and not is_untraceable(after):
                self._after.outlined.add((after.path, after.name))
            inside = [line for line in changed if after.line <= line <= after.end]
            self.called[after.path, after.name] = Place(after.path, min(inside, default=after.line))

    def _further(self) -> None:
        """What the patch gives another meaning, then level by level the callers that can notice a change."""
        level = [pair for pair in self.pairs if pair.after is not None]
        left_out = 0
        for function, cause in entered_otherwise(self._sides, self._after.api):
            left_out += self._add(function, level, cause)
            self.entered.add((function.path, function.name))
        for name, (path, cause) in changed_locks(self._sides).items():
            for function in users_of_lock(self._sides.after, name, path):
                left_out += self._add(function, level, cause)
        for before, after, cause in changed_macros(self._sides):
            self.causes[after.path, after.name] = cause
            level.append(Pair(before, after, judged=False))
        for function in self._made_traceable():
            left_out += self._add(function, level, None)
        unsought = 0
        many = 0
        while level:
            self._expect(level)
            above: list[Pair] = []
            for pair in level:
                if pair.after is None or not self._noticeable(pair):
                    continue
                if self._room <= 0:
                    unsought += 1
                    continue
                self._open(pair.before, pair.after)
                found = callers(self._sides.after, pair.after)
                many += len(found) >= MOST
                for caller in found:
                    left_out += self._add(caller, above, None)
            level = above
        missing = [f"{counted(left_out, 'other function')} that it can reach"] if left_out else []
        missing += [f"the callers of {counted(unsought, 'function')}"] if unsought else []
        missing += [f"of {counted(many, 'function')} all but {MOST} callers"] if many else []
        if missing:
            judged = counted(len(self.pairs), "function")
            self.notes.append(f"Only the {judged} nearest to the change were judged. Not judged: {'; '.join(missing)}.")

    def _made_traceable(self) -> Iterator[Function]:
        """The callers of what the patch makes traceable that do not name it: through macros and members."""
        program = self._sides.after
        for path, name in sorted(self._after.outlined):
            for function in program.functions(path, name)[:1]:
                ways = ways_to(program, function)
                self._after.unfolded.update(dict.fromkeys(ways, function))
                yield from users_by(program, function, ways)

    def _expect(self, level: Iterable[Pair]) -> None:
        """Search at once for all who mention them, callers and registrations: one search is faster than many."""
        level = list(level)
        self._sides.after.expect_users(pair.after for pair in level if pair.after is not None)
        self._sides.before.expect_users(pair.before for pair in level if pair.before is not None)

    def _add(self, function: Function, level: list[Pair], cause: Place | None) -> int:
        """Have ``function`` judged, and its callers after it; the number of functions for which there was no room."""
        key = (function.path, function.name)
        if cause is not None:
            self.causes.setdefault(key, cause)
        if key in self._seen:
            return 0
        self._seen.add(key)
        if self._room <= 0:
            return 1
        self._room -= 1
        pair = Pair(self._sides.counterpart(function), function)
        self.pairs.append(pair)
        level.append(pair)
        return 0

    def _open(self, before: Function | None, after: Function) -> None:
        """Have callers told what an added line does in a function that is not followed otherwise."""
        if not self._after.api.opaque.fullmatch(after.name):
            return
        known = self._before.summary(before).effects if before is not None else {}
        self._after.opened[after.path, after.name] = frozenset(
            key
            for key, effect in self._after.summary(after).effects.items()
            if key not in known and any(step.line in self._sides.lines(step.path).added for step in effect.steps)
        )

    def _noticeable(self, pair: Pair) -> bool:
        before, after = pair.before, pair.after
        if after is None:
            return False
        if before is not None and _kind(before) != _kind(after):
            return True
        new = self._after.summary(after).outside
        old = self._before.summary(before).outside if before is not None else (frozenset(), frozenset())
        return old != new


def _kind(function: Function) -> tuple[bool, bool, bool]:
    return is_noinstr(function), is_instrumented(function), _ALWAYS_INLINE in function.words


def _touched(program: Program, path: str, lines: Iterable[int]) -> Iterator[str]:
    wanted = sorted(lines)
    for extent in program.extents(path) if wanted else ():
        if any(extent.line <= line <= extent.end for line in wanted):
            yield extent.name
