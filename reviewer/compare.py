# SPDX-License-Identifier: GPL-2.0-or-later
"""Pre-image against post-image: what a patch introduced, exposed and fixed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from reviewer.affected import Affected
from reviewer.check import Check, EventKind
from reviewer.context.analysis import Analyser
from reviewer.context.bottomhalves import newly_preemptible
from reviewer.context.effects import Event
from reviewer.context.handlers import newly_interruptible
from reviewer.context.letsgo import newly_kept
from reviewer.context.newly import newly_retaken, newly_unbalanced
from reviewer.context.onesided import newly_one_sided
from reviewer.context.pairs import given_back_elsewhere
from reviewer.context.percpu import newly_before_irqs_off
from reviewer.context.tables import Api
from reviewer.customary import newly_unlike
from reviewer.finding import Teller, in_order, told_once, without_shadowed
from reviewer.hasty import newly_hasty
from reviewer.judge import Occurrence, judge
from reviewer.leaked import newly_leaked
from reviewer.matching import match
from reviewer.model import Change, Finding, Kernels, Place, Step
from reviewer.pinned import newly_pinned
from reviewer.required import newly_unmet
from reviewer.sides import ChangedLines, Sides
from reviewer.source.cfg import Function

_KEPT = 64  # functions whose analysis is kept at a time
_NEAR = 2  # calls; deeper down conditions that only hold for other ways in make most of what is found wrong
_LETS_GO = re.compile(rb"unlock|\bup(?:_read|_write)?\s*\(|release")
_MOVES = re.compile(
    rb"lock|\b(?:down|up)(?:_\w+)?\s*\(|release|acquire|guard|preempt|migrate|local_bh|rcu|enter|exit|CLASS\s*\("
)
"""What takes or releases, in whatever form: what one function no longer does, another one may do now."""
_LEAVES = re.compile(rb"\b(?:goto|return|break|continue)\b")


@dataclass(frozen=True, slots=True)
class Compared:
    """What was found in one patch; ``notes`` are sentences about what was not looked at. ``after`` the patch."""

    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    after: Analyser


def compare(sides: Sides, checks: Sequence[Check], api: Api, *, with_callers: bool = True) -> tuple[Finding, ...]:
    """The findings of one patch, without citations, in the order of path and line.

    Without ``with_callers`` only the changed functions are judged, as process context enters them.
    """
    return compared(sides, checks, api, with_callers=with_callers).findings


def compared(sides: Sides, checks: Sequence[Check], api: Api, *, with_callers: bool = True) -> Compared:
    """The same, with what was not looked at."""
    return _Comparison(sides, checks, api, with_callers).compared()


class _Comparison:
    def __init__(self, sides: Sides, checks: Sequence[Check], api: Api, with_callers: bool) -> None:
        self.with_callers = with_callers
        self.sides = sides
        self.checks = checks
        self.before = sides.analysis or Analyser(sides.before, api)
        self.after = Analyser(sides.after, api, self.before)
        self.affected = Affected(sides, self.before, self.after, with_callers=with_callers)
        self.teller = Teller(sides.before)

    def compared(self) -> Compared:
        """Judge both sides and tell what changed."""
        old: list[Occurrence] = []
        new: list[Occurrence] = []
        pairs = self.affected.pairs
        for start in range(0, len(pairs), _KEPT):
            some = pairs[start : start + _KEPT]
            for pair in some:
                if pair.before is not None:
                    old += judge(self.before, pair.before, self.checks, entered=self.with_callers)
                if pair.after is not None:
                    more = self._newly_wrong(pair.before, pair.after) if pair.before is not None else ()
                    new += judge(self.after, pair.after, self.checks, entered=self.with_callers, more=more)
            if self.with_callers:
                changed = [(pair.before, pair.after) for pair in some[: max(0, len(self.affected.changed) - start)]]
                new += self._unmet(changed)
                old += newly_unmet(self.after, self.before, [(after, before) for before, after in changed], self.checks)
            self._release()
        matched = match(self.sides, old, new)
        found = [*self._brought(matched.new, matched.gone), *map(self._fixed, matched.gone)]
        found += [self.teller.as_it_stands(o) for o in matched.kept if o.event.function.path in self.sides.changed]
        return Compared(in_order(told_once(without_shadowed(found))), tuple(self.affected.notes), self.after)

    def _unmet(self, changed: Sequence[tuple[Function | None, Function | None]]) -> list[Occurrence]:
        """What changed functions no longer do as their callees demand, or as others do; one line is told of once."""
        found = list(newly_unmet(self.before, self.after, changed, self.checks))
        asserted = {(occurrence.event.function.path, occurrence.event.line) for occurrence in found}
        for find in (newly_unlike, newly_leaked, newly_hasty, newly_pinned):
            found += (
                occurrence
                for occurrence in find(self.before, self.after, changed, self.checks)
                if (occurrence.event.function.path, occurrence.event.line) not in asserted
            )
        return found

    def _newly_wrong(self, before: Function, after: Function) -> tuple[Event, ...]:
        """What a function did right before and does not now, if it is one of those that the patch changes."""
        lines = self._lines(after.path)
        if not any(after.line <= line <= after.end for line in lines.added | lines.near):
            return ()
        old, new = self.before.analyse(before), self.after.analyse(after)
        known, told = (
            {
                (event.detail[0], event.callee)
                for event in analysis.events
                if event.kind is EventKind.UNBALANCED and not given_back_elsewhere(analyser, event)
            }
            for analyser, analysis in ((self.before, old), (self.after, new))
        )
        handed_over = self._adds(_LETS_GO)
        events = newly_unbalanced(old, new, after, lines.came_from, self.after.api, handed_over=handed_over)
        unbalanced = [
            event
            for event in events
            # What was wrong already does not hide another return that has become so.
            if (event.detail[0], event.callee) not in told - known
            # The function gave it back itself until now.
            and not (handed_over and given_back_elsewhere(self.after, event))
        ]
        if not self._adds(_MOVES):
            unbalanced += newly_one_sided(old, new, before, after, self.after)
        return (
            *unbalanced,
            *newly_retaken(old, new),
            *newly_before_irqs_off(old, new),
            *newly_interruptible(old, new, after),
            *newly_preemptible(old, new, after),
            *newly_kept(old, new, after, self.after),
        )

    def _adds(self, pattern: re.Pattern[bytes]) -> bool:
        """Whether the patch adds a line in which ``pattern`` is found."""
        for path, lines in self.sides.changed.items():
            rows = (self.sides.after.text(path) or b"").split(b"\n") if lines.added else []
            if any(pattern.search(rows[line - 1]) for line in lines.added if line <= len(rows)):
                return True
        return False

    def _release(self) -> None:
        for analyser in (self.before, self.after):
            analyser.forget()

    def _brought(self, new: Iterable[Occurrence], gone: Iterable[Occurrence]) -> Iterator[Finding]:
        was = self._was(gone)
        for occurrence in new:
            finding = self._locate(occurrence)
            if finding is None:
                continue
            finding = replace(finding, identities=(self._identity(occurrence, is_new=True),))
            past = [was[place] for step in occurrence.event.steps if (place := (step.path, step.function)) in was]
            if occurrence.check.kernels is Kernels.PREEMPT_RT and past:
                finding = replace(finding, before=f"Before this patch {past[0]}.")
            yield finding

    def _was(self, gone: Iterable[Occurrence]) -> dict[tuple[str, str], str]:
        """By function what was wrong for PREEMPT_RT before the patch and is gone."""
        found: dict[tuple[str, str], str] = {}
        for occurrence in gone:
            if occurrence.report.was and occurrence.check.kernels is Kernels.PREEMPT_RT:
                function = occurrence.event.function
                found.setdefault((self.sides.new_path(function.path), function.name), occurrence.report.was)
        return found

    def _fixed(self, occurrence: Occurrence) -> Finding:
        event = occurrence.event
        found = self.teller.finding(occurrence, Change.FIXED, event.function.path, event.line, event.function.name)
        return replace(found, identities=(self._identity(occurrence, is_new=False),))

    def _identity(self, occurrence: Occurrence, *, is_new: bool) -> tuple[str, ...]:
        step = occurrence.event.steps[-1]
        return (*occurrence.identity, step.text, self.sides.line_of(step.path, step.line, is_new=is_new))

    def _locate(self, occurrence: Occurrence) -> Finding | None:
        """The finding at the line that the patch is to be asked about, or None where the patch touches none of it."""
        steps = occurrence.event.steps
        changed = [step for step in steps if step.line in self._lines(step.path).added]
        if changed:
            step = changed[-1] if occurrence.entered else changed[0]
            return self.teller.finding(occurrence, Change.INTRODUCED, step.path, step.line, step.function)
        function = occurrence.event.function
        if occurrence.entered and (function.path, function.name) in self.affected.entered and len(steps) > _NEAR:
            return None
        cause = self._cause(occurrence)
        if cause is not None:
            step = next((step for step in steps if step.path == cause.path), steps[0])
        elif (far := self._far_cause(occurrence)) is not None:
            step, cause = far
        else:
            return None
        return replace(
            self.teller.finding(occurrence, Change.EXPOSED, step.path, step.line, step.function), cause=cause
        )

    def _lines(self, path: str) -> ChangedLines:
        return self.sides.lines(path)

    def _far_cause(self, occurrence: Occurrence) -> tuple[Step, Place] | None:
        """The step whose meaning a changed line elsewhere decides, and that line: a declaration, a registration,
        a word on the function that is called."""
        steps, affected = occurrence.event.steps, self.affected
        for step in steps:
            if (cause := affected.causes.get((step.path, step.function))) is not None:
                return step, cause
        for called in self.after.callees(occurrence.event.callee, occurrence.event.function):
            key = (called.path, called.name)
            if (cause := affected.called.get(key) or affected.causes.get(key)) is not None:
                return steps[0], cause
        return None

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
