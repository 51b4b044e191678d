# SPDX-License-Identifier: GPL-2.0-or-later
"""Pre-image against post-image: what a patch introduced, exposed and fixed."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reviewer.check import Check, EventKind
from reviewer.context.analysis import Analyser
from reviewer.context.balance import newly_unbalanced
from reviewer.context.callers import callers
from reviewer.context.effects import Event
from reviewer.context.tables import Api
from reviewer.customary import newly_unlike
from reviewer.finding import Teller, in_order, without_shadowed
from reviewer.judge import Occurrence, judge
from reviewer.leaked import newly_leaked
from reviewer.model import Change, Finding, Kernels, Place
from reviewer.required import newly_unmet
from reviewer.source.cfg import Function
from reviewer.source.program import C_SUFFIXES, Program

Identity = tuple[str, str, str, str]
"""Check, path, function, subject."""

CALLER_LEVELS = 3
_MOST_CALLERS = 48
_LEAVES = re.compile(rb"\b(?:goto|return|break|continue)\b")


@dataclass(frozen=True, slots=True)
class ChangedLines:
    """Lines that a patch adds to (post-image) and removes from (pre-image) one file.

    ``near`` are post-image lines next to which lines were removed, ``beside`` pre-image lines next to which some were
    added.
    """

    added: frozenset[int] = frozenset()
    removed: frozenset[int] = frozenset()
    near: frozenset[int] = frozenset()
    beside: frozenset[int] = frozenset()

    def came_from(self, line: int) -> int | None:
        """The line of the pre-image that a line of the post-image was; None for an added one."""
        if line in self.added:
            return None
        old = line - sum(added < line for added in self.added)
        for removed in sorted(self.removed):
            old += removed <= old
        return old


@dataclass(frozen=True, slots=True)
class Sides:
    """The two programs that are compared, and what the patch changed, by path of either side.

    ``analysis`` is that of ``before``, where there is one already.
    """

    before: Program
    after: Program
    changed: Mapping[str, ChangedLines]
    renamed: Mapping[str, str]
    analysis: Analyser | None = None


def compare(sides: Sides, checks: Sequence[Check], api: Api, *, with_callers: bool = True) -> tuple[Finding, ...]:
    """The findings of one patch, without citations, in the order of path and line.

    Without ``with_callers`` only the changed functions are judged, as process context enters them.
    """
    return _Comparison(sides, checks, api, with_callers).findings()


class _Comparison:
    def __init__(self, sides: Sides, checks: Sequence[Check], api: Api, with_callers: bool) -> None:
        self.with_callers = with_callers
        self.sides = sides
        self.checks = checks
        self.before = sides.analysis or Analyser(sides.before, api)
        self.after = Analyser(sides.after, api, self.before)
        self.new_name = dict(sides.renamed)
        self.teller = Teller(sides.before.files)

    def findings(self) -> tuple[Finding, ...]:
        """Judge both sides and tell what changed."""
        pairs = self._affected()
        old: dict[Identity, list[Occurrence]] = defaultdict(list)
        new: dict[Identity, list[Occurrence]] = defaultdict(list)
        for before, after in pairs:
            if before is not None:
                for occurrence in judge(self.before, before, self.checks, entered=self.with_callers):
                    old[self._translated(occurrence.identity)].append(occurrence)
            if after is not None:
                more = self._newly_unbalanced(before, after) if before is not None else ()
                for occurrence in judge(self.after, after, self.checks, entered=self.with_callers, more=more):
                    new[occurrence.identity].append(occurrence)
        if self.with_callers:
            unmet = list(newly_unmet(self.before, self.after, self._changed, self.checks))
            asserted = {(occurrence.event.function.path, occurrence.event.line) for occurrence in unmet}
            for find in (newly_unlike, newly_leaked):
                unmet += (
                    occurrence
                    for occurrence in find(self.before, self.after, self._changed, self.checks)
                    if (occurrence.event.function.path, occurrence.event.line) not in asserted
                )
            for occurrence in unmet:
                new[occurrence.identity].append(occurrence)
            backwards = [(after, before) for before, after in self._changed]
            for occurrence in newly_unmet(self.after, self.before, backwards, self.checks):
                old[self._translated(occurrence.identity)].append(occurrence)
        found = list(self._brought(old, new))
        found += self._fixed(old, new)
        return in_order(without_shadowed(found))

    def _newly_unbalanced(self, before: Function, after: Function) -> tuple[Event, ...]:
        """What a function that was balanced leaves held now, if it is one of those that the patch changes."""
        lines = self._lines(after.path)
        if not any(after.line <= line <= after.end for line in lines.added | lines.near):
            return ()
        old, new = self.before.analyse(before), self.after.analyse(after)
        told = {(event.detail[0], event.callee) for event in new.events if event.kind is EventKind.UNBALANCED}
        events = newly_unbalanced(old, new, after, lines.came_from, self.after.api)
        return tuple(event for event in events if (event.detail[0], event.callee) not in told)

    def _translated(self, identity: Identity) -> Identity:
        check, path, function, subject = identity
        return (check, self.new_name.get(path, path), function, subject)

    # Which functions

    def _affected(self) -> list[tuple[Function | None, Function | None]]:
        """The changed functions, then callers as long as what they can notice has changed."""
        level = self._changed = self._changed_functions()
        out: list[tuple[Function | None, Function | None]] = []
        seen = {(f.path, f.name) for pair in level for f in pair[-1:] if f is not None}
        for depth in range(CALLER_LEVELS + 1):
            out += level
            if depth == CALLER_LEVELS or not self.with_callers:
                break
            above: list[tuple[Function | None, Function | None]] = []
            for before, after in level:
                if after is None or not self._noticeable(before, after):
                    continue
                for caller in callers(self.sides.after, after):
                    if (caller.path, caller.name) not in seen and len(seen) < _MOST_CALLERS:
                        seen.add((caller.path, caller.name))
                        above.append((self._counterpart(caller), caller))
            level = above
        return out

    def _noticeable(self, before: Function | None, after: Function) -> bool:
        new = self.after.analyse(after).summary.outside
        old = self.before.analyse(before).summary.outside if before is not None else (frozenset(), frozenset())
        return old != new

    def _counterpart(self, function: Function) -> Function | None:
        old_path = next((old for old, new in self.new_name.items() if new == function.path), function.path)
        return next(iter(self.sides.before.functions(old_path, function.name)), None)

    def _changed_functions(self) -> list[tuple[Function | None, Function | None]]:
        pairs: list[tuple[Function | None, Function | None]] = []
        for path, lines in sorted(self.sides.changed.items()):
            if not path.endswith(C_SUFFIXES):
                continue
            touched = set(_touched(self.sides.after, path, lines.added | lines.near))
            old_path = next((old for old, new in self.new_name.items() if new == path), path)
            touched |= set(_touched(self.sides.before, old_path, lines.removed))
            for name in sorted(touched):
                after = self.sides.after.functions(path, name)
                before = self.sides.before.functions(old_path, name)
                for index in range(max(len(before), len(after))):
                    pair = (
                        before[index] if index < len(before) else None,
                        after[index] if index < len(after) else None,
                    )
                    pairs.append(pair)
        return pairs

    # What changed

    def _brought(
        self,
        old: Mapping[Identity, list[Occurrence]],
        new: Mapping[Identity, list[Occurrence]],
    ) -> Iterator[Finding]:
        gone = self._gone(old, new)
        without_home = [identity for identity in gone if not self._exists_after(identity[1], identity[2])]
        moved = Counter((check, function, subject) for check, _, function, subject in without_home)
        renamed = Counter((check, path, subject) for check, path, _, subject in without_home)
        was = self._was(old, gone)
        for identity, occurrences in new.items():
            before = old.get(identity, [])
            check, path, function, subject = identity
            if not before and moved[check, function, subject] > 0:
                continue
            if not before and renamed[check, path, subject] > 0 and not self._existed_before(path, function):
                renamed[check, path, subject] -= 1
                continue
            for occurrence, is_new in self._matched(before, occurrences):
                finding = self._locate(occurrence) if is_new else self._pre_existing(occurrence)
                if finding is None:
                    continue
                past = [was[place] for step in occurrence.event.steps if (place := (step.path, step.function)) in was]
                if is_new and occurrence.check.kernels is Kernels.PREEMPT_RT and past:
                    finding = replace(finding, before=f"Before this patch {past[0]}.")
                yield finding

    def _was(
        self,
        old: Mapping[Identity, list[Occurrence]],
        gone: Iterable[Identity],
    ) -> dict[tuple[str, str], str]:
        """By function what was wrong for PREEMPT_RT before the patch and is gone."""
        return {
            (identity[1], identity[2]): old[identity][0].report.was
            for identity in gone
            if old[identity][0].report.was and old[identity][0].check.kernels is Kernels.PREEMPT_RT
        }

    def _matched(self, before: Sequence[Occurrence], after: Sequence[Occurrence]) -> Iterator[tuple[Occurrence, bool]]:
        """Each occurrence that is to be told, and whether it is new.

        Occurrences of one identity are matched by the text of the offending call, those on unchanged lines first; of
        what remains as many are new as there are more places than before.
        """
        texts = Counter(text for _, text in {(o.place, o.event.steps[-1].text) for o in before})
        surplus = len({o.place for o in after}) - len({o.place for o in before})
        remaining: list[Occurrence] = []
        for occurrence in sorted(
            after, key=lambda o: (self._on_added_line(o), o.event.line, len(o.event.steps), o.event.steps)
        ):
            text = occurrence.event.steps[-1].text
            if texts[text] > 0:
                texts[text] -= 1
                if not occurrence.masked:
                    yield occurrence, False
            elif not occurrence.masked:
                remaining.append(occurrence)
        for occurrence in remaining:
            is_new = not before or (surplus > 0 and self._on_added_line(occurrence))
            surplus -= is_new
            yield occurrence, is_new

    def _on_added_line(self, occurrence: Occurrence) -> bool:
        return any(step.line in self._lines(step.path).added for step in occurrence.event.steps)

    def _exists_after(self, path: str, function: str) -> bool:
        return bool(self.sides.after.functions(self.new_name.get(path, path), function))

    def _existed_before(self, path: str, function: str) -> bool:
        old_path = next((old for old, new in self.new_name.items() if new == path), path)
        return bool(self.sides.before.functions(old_path, function))

    @staticmethod
    def _gone(
        old: Mapping[Identity, list[Occurrence]],
        new: Mapping[Identity, list[Occurrence]],
    ) -> list[Identity]:
        return [identity for identity, found in old.items() if identity not in new and not all(o.masked for o in found)]

    def _fixed(
        self,
        old: Mapping[Identity, list[Occurrence]],
        new: Mapping[Identity, list[Occurrence]],
    ) -> Iterator[Finding]:
        for identity in self._gone(old, new):
            if not self._exists_after(identity[1], identity[2]) and any(
                check == identity[0] and subject == identity[3] for check, _, _, subject in new
            ):
                continue  # the function was moved or renamed with what is in it
            occurrence = next(o for o in old[identity] if not o.masked)
            event = occurrence.event
            yield self.teller.finding(occurrence, Change.FIXED, event.function.path, event.line, event.function.name)

    def _pre_existing(self, occurrence: Occurrence) -> Finding | None:
        event = occurrence.event
        if event.function.path not in self.sides.changed:
            return None
        return self.teller.as_it_stands(occurrence)

    def _locate(self, occurrence: Occurrence) -> Finding | None:
        """The finding at the line that the patch is to be asked about, or None where the patch touches none of it."""
        steps = occurrence.event.steps
        changed = [step for step in steps if step.line in self._lines(step.path).added]
        if changed:
            step = changed[-1] if occurrence.entered else changed[0]
            return self.teller.finding(occurrence, Change.INTRODUCED, step.path, step.line, step.function)
        cause = self._cause(occurrence)
        if cause is None:
            return None
        step = steps[0]
        inside = [s for s in steps if s.path == cause.path]
        step = inside[0] if inside else step
        return replace(
            self.teller.finding(occurrence, Change.EXPOSED, step.path, step.line, step.function), cause=cause
        )

    def _lines(self, path: str) -> ChangedLines:
        return self.sides.changed.get(path, ChangedLines())

    def _cause(self, occurrence: Occurrence) -> Place | None:
        """The changed line that explains an old one: where the context begins, else the nearest in the chain."""
        for step in occurrence.witness[: occurrence.own]:
            if step.line in self._lines(step.path).added:
                return Place(step.path, step.line)
        if occurrence.event.kind is EventKind.UNBALANCED and (leaving := self._leaving(occurrence)) is not None:
            return leaving
        for step in occurrence.event.steps:
            lines = self._lines(step.path)
            for function in self.sides.after.functions(step.path, step.function) if lines.added or lines.near else ():
                inside = [line for line in (lines.added or lines.near) if function.line <= line <= function.end]
                inside = inside or [line for line in lines.near if function.line <= line <= function.end]
                if inside:
                    return Place(step.path, min(inside, key=lambda line: (abs(line - step.line), line)))
        return None

    def _leaving(self, occurrence: Occurrence) -> Place | None:
        """The added line on which the path to a wrong return leaves the others: a goto, return, break or continue."""
        function = occurrence.event.function
        text = (self.sides.after.files.read(function.path) or b"").split(b"\n")
        added = self._lines(function.path).added
        leaving = [at for at in sorted(added) if function.line <= at <= function.end and _LEAVES.search(text[at - 1])]
        before = [at for at in leaving if at <= occurrence.event.line]
        return Place(function.path, (before or leaving)[-1]) if leaving else None


def _touched(program: Program, path: str, lines: Iterable[int]) -> Iterator[str]:
    parsed = program.parsed(path)
    if parsed is None:
        return
    wanted = sorted(lines)
    for extent in parsed.extents:
        if any(extent.line <= line <= extent.end for line in wanted):
            yield extent.name
