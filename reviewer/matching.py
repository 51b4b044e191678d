# SPDX-License-Identifier: GPL-2.0-or-later
"""What is wrong after a patch against what was wrong before it: the same, new, or gone.

The same is what has the same identity: check, file, function, subject. Of what is left over, the same is also what was
moved: into a helper or out of it, to another function, to another file, under another name.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from reviewer.context.effects import EventKind
from reviewer.judge import Occurrence
from reviewer.sides import Sides

Identity = tuple[str, str, str, str]
"""Check, path, function, subject."""
_Key = tuple[object, ...] | None


@dataclass(frozen=True, slots=True)
class Matched:
    """``new`` was not wrong before, ``kept`` was, ``gone`` (of the pre-image) is no longer. None is masked."""

    new: list[Occurrence] = field(default_factory=list)
    kept: list[Occurrence] = field(default_factory=list)
    gone: list[Occurrence] = field(default_factory=list)


def match(sides: Sides, before: Iterable[Occurrence], after: Iterable[Occurrence]) -> Matched:
    """Match what was found in the two trees."""
    return _Matching(sides).match(before, after)


class _Matching:
    def __init__(self, sides: Sides) -> None:
        self.sides = sides

    def match(self, before: Iterable[Occurrence], after: Iterable[Occurrence]) -> Matched:
        result = Matched()
        old: dict[Identity, list[Occurrence]] = defaultdict(list)
        new: dict[Identity, list[Occurrence]] = defaultdict(list)
        left_before, left_after = self._same_lines(list(before), list(after), result)
        for occurrence in left_before:
            check, path, function, subject = occurrence.identity
            old[check, self.sides.new_path(path), function, subject].append(occurrence)
        for occurrence in left_after:
            new[occurrence.identity].append(occurrence)
        for identity in dict.fromkeys((*new, *old)):
            self._same_identity(old.get(identity, ()), new.get(identity, ()), result)
        for key in (self._moved, self._same_line, self._in_function, self._renamed):
            self._moved_by(key, result)
        return result

    def _same_lines(
        self, before: list[Occurrence], after: list[Occurrence], result: Matched
    ) -> tuple[list[Occurrence], list[Occurrence]]:
        """Take out what one line of a function does on both sides, whatever helpers have come between."""
        pool: dict[object, list[Occurrence]] = defaultdict(list)
        for occurrence in sorted(before, key=_position):
            if not occurrence.masked:
                pool[self._line_in_function(occurrence, False)].append(occurrence)
        old: set[object] = set()
        new: set[object] = set()
        for occurrence in sorted(after, key=lambda o: (self._on_added_line(o), *_position(o))):
            if not occurrence.masked and (known := pool.get(self._line_in_function(occurrence, True))):
                old.add(_site(known.pop(0)))
                new.add(_site(occurrence))
                result.kept.append(occurrence)
        return [o for o in before if _site(o) not in old], [o for o in after if _site(o) not in new]

    def _same_identity(self, before: Sequence[Occurrence], after: Sequence[Occurrence], result: Matched) -> None:
        """Occurrences of one identity are matched by the text of the offending call, those on unchanged lines first.

        Of what remains as many are new, or gone, as there are more, or fewer, places than before.
        """
        texts = Counter(text for _, text in {(o.place, o.event.steps[-1].text) for o in before})
        surplus = len({o.place for o in after}) - len({o.place for o in before})
        left: list[Occurrence] = []
        for occurrence in sorted(after, key=lambda o: (self._on_added_line(o), *_position(o))):
            text = occurrence.event.steps[-1].text
            if texts[text] > 0:
                texts[text] -= 1
                if not occurrence.masked:
                    result.kept.append(occurrence)
            elif not occurrence.masked:
                left.append(occurrence)
        more = surplus
        for occurrence in left:
            is_new = not before or (more > 0 and self._on_added_line(occurrence))
            more -= is_new
            (result.new if is_new else result.kept).append(occurrence)
        places = {o.place: o for o in before if not o.masked}
        told = sorted(places.values(), key=_position)
        if not after:
            result.gone.extend(told)
        elif surplus < 0:
            away = [o for o in told if self._on_removed_line(o) and texts[o.event.steps[-1].text] > 0]
            result.gone.extend(away[:-surplus])

    def _moved_by(self, key: Callable[[Occurrence, bool], _Key], result: Matched) -> None:
        """Take out of ``new`` and ``gone`` what has the same key in both."""
        if not result.gone or not result.new:
            return
        pool: dict[_Key, list[Occurrence]] = defaultdict(list)
        for occurrence in result.gone:
            if (known := key(occurrence, False)) is not None:
                pool[known].append(occurrence)
        for occurrence in list(result.new):
            known = key(occurrence, True)
            if known is not None and pool.get(known):
                result.gone.remove(pool[known].pop(0))
                result.new.remove(occurrence)
                result.kept.append(occurrence)

    # What makes two occurrences the same; ``is_new`` tells on which side the occurrence is

    def _in_function(self, occurrence: Occurrence, is_new: bool) -> _Key:
        """The same call, now or before in a helper."""
        event = occurrence.event
        path = event.function.path if is_new else self.sides.new_path(event.function.path)
        return (occurrence.check.id, path, event.function.name, _context(occurrence), event.steps[-1].text)

    def _moved(self, occurrence: Occurrence, is_new: bool) -> _Key:
        """A function of the same name in another file."""
        event = occurrence.event
        if not is_new and self.sides.exists_after(event.function.path, event.function.name):
            return None
        if is_new and self.sides.existed_before(event.function.path, event.function.name):
            return None
        return (occurrence.check.id, event.function.name, occurrence.report.subject)

    def _renamed(self, occurrence: Occurrence, is_new: bool) -> _Key:
        """A function that is not there any more, and one that was not there before, perhaps in another file."""
        event = occurrence.event
        if not is_new and self.sides.exists_after(event.function.path, event.function.name):
            return None
        if is_new and self.sides.existed_before(event.function.path, event.function.name):
            return None
        return (occurrence.check.id, _context(occurrence), event.steps[-1].text)

    def _same_line(self, occurrence: Occurrence, is_new: bool) -> _Key:
        """The offending line itself: left as it is while a function is split around it, or taken from one place to
        another."""
        step = occurrence.event.steps[-1]
        changed = self._is_added(step.path, step.line) if is_new else self.sides.was_removed(step.path, step.line)
        text = self.sides.line_of(step.path, step.line, is_new=is_new)
        return (occurrence.check.id, _context(occurrence), text, changed) if text else None

    def _line_in_function(self, occurrence: Occurrence, is_new: bool) -> _Key:
        function = occurrence.event.function
        path = function.path if is_new else self.sides.new_path(function.path)
        return (path, function.name, *(self._same_line(occurrence, is_new) or (is_new, _position(occurrence))))

    def _is_added(self, path: str, line: int) -> bool:
        return line in self.sides.lines(path).added

    def _on_added_line(self, occurrence: Occurrence) -> bool:
        return any(self._is_added(step.path, step.line) for step in occurrence.event.steps)

    def _on_removed_line(self, occurrence: Occurrence) -> bool:
        return any(self.sides.was_removed(step.path, step.line) for step in occurrence.event.steps)


def _site(occurrence: Occurrence) -> object:
    """One place in one function."""
    return (occurrence.identity, occurrence.place)


def _position(occurrence: Occurrence) -> tuple[object, ...]:
    return (occurrence.event.line, len(occurrence.event.steps), occurrence.event.steps)


def _context(occurrence: Occurrence) -> str:
    """The subject without the callee, which changes when a helper comes between; of a return, what it leaves as it is.

    Locks are renamed, but none becomes a counter.
    """
    if occurrence.event.kind is EventKind.UNBALANCED:
        return occurrence.event.detail[0]
    return occurrence.report.subject.removeprefix(occurrence.event.callee).strip()
