# SPDX-License-Identifier: GPL-2.0-or-later
"""Ask the checks about what a function demands of its callers and does not get."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reviewer.check import Check, Context, Event, EventKind
from reviewer.context.analysis import Analyser
from reviewer.context.callers import callers
from reviewer.context.effects import Requirement, Site, Standing
from reviewer.context.offered import offered
from reviewer.context.reach import Reach, reach, roots
from reviewer.context.requirements import MOST
from reviewer.context.state import State
from reviewer.judge import Occurrence
from reviewer.model import Step
from reviewer.source.cfg import Function

_NEAR = 3  # steps


def unmet_at_entry(analyser: Analyser, function: Function, checks: Sequence[Check]) -> Iterator[Occurrence]:
    """Requirements that nothing has met by the time they reach ``function``, where the kernel is entered."""
    open_ = [
        requirement
        for requirement in analyser.analyse(function).summary.requirements.values()
        if not requirement.conditions and _is_meant(analyser, function, requirement)
    ]
    if not open_ or not any(EventKind.REQUIRES in check.events for check in checks):
        return
    for way in roots(analyser, function):
        for requirement in open_:
            if all(offered(need, way.state, analyser.api) is Standing.OPEN for need in requirement.needs):
                yield from _occurrences(analyser, function, requirement, (way.step,), checks)


def newly_unmet(
    before: Analyser, after: Analyser, pairs: Sequence[tuple[Function | None, Function | None]], checks: Sequence[Check]
) -> Iterator[Occurrence]:
    """Requirements that the new versions of functions leave to their callers, who do not meet them either.

    Of several functions on the same way down only the uppermost is told of, and of several assertions below one call
    only the nearest.
    """
    found = [o for old, new in pairs if new is not None for o in _of_pair(before, after, old, new, checks)]
    told: set[tuple[object, ...]] = set()
    for occurrence in sorted(found, key=lambda o: (o.own, len(o.witness))):
        way = (occurrence.check.id, occurrence.witness)
        call = (occurrence.check.id, occurrence.event.function.path, occurrence.event.line, occurrence.event.callee)
        if not told & {way, call}:
            yield occurrence
        told |= {way, call}


def _of_pair(
    before: Analyser, after: Analyser, old: Function | None, new: Function, checks: Sequence[Check]
) -> Iterator[Occurrence]:
    found = after.analyse(new).summary.requirements
    known = before.analyse(old).summary.requirements if old is not None else {}
    if len(known) >= MOST:  # there may be more than are remembered
        return
    was = {requirement.needs for requirement in known.values()}
    for requirement in found.values():
        if requirement.needs in was:
            continue
        reached = reach(after, new, requirement)
        taken = _was_taken(before, old, requirement) if old is not None else frozenset[str]()
        route = _route(reached, taken)
        if route is not None and (taken or _is_meant(after, new, requirement)):
            yield from _occurrences(after, new, requirement, route, checks)


def _is_meant(analyser: Analyser, function: Function, requirement: Requirement) -> bool:
    """Whether the assertion is meant for this call: it is near, or somebody else meets it where he calls the same.

    What stands far below may depend on what a structure holds, which nothing here knows.
    """
    if len(requirement.steps) <= _NEAR:
        return True
    found = analyser.callees(requirement.steps[0].text.split("(")[0], function)
    return any(
        site.callee == callee.name and site.own.steps[1:] == requirement.steps[1:] and site.standing is Standing.TAKEN
        for callee in found
        for caller in callers(analyser.program, callee)
        for site in analyser.analyse(caller).sites
    )


def _was_taken(before: Analyser, old: Function, requirement: Requirement) -> frozenset[str]:
    """The kinds of need that the old version of the function itself met for the same requirement."""
    return frozenset(
        need.kind
        for site in before.analyse(old).sites
        if site.standing is Standing.TAKEN and _same(site, requirement)
        for need in site.own.needs
    )


def _same(site: Site, requirement: Requirement) -> bool:
    return site.own.needs == requirement.needs


def _route(reached: Reach, taken: frozenset[str]) -> tuple[Step, ...] | None:
    """The way on which the requirement stays unmet; empty where it is the function itself that used to meet it."""
    if reached.open_:
        return reached.open_[0]
    if taken and not reached.holders:
        return ()
    return None


def _occurrences(
    analyser: Analyser,
    function: Function,
    requirement: Requirement,
    lead: tuple[Step, ...],
    checks: Sequence[Check],
) -> Iterator[Occurrence]:
    steps = requirement.steps
    kinds = ",".join(sorted({need.kind for need in requirement.needs}))
    entry = lead[0].text.removeprefix("<- ").rpartition(", ")[2] if lead else ""  # without the kind of context
    event = Event(
        EventKind.REQUIRES,
        function,
        steps[0].line,
        steps[0].text.split("(")[0],
        "",
        State(),
        steps,
        False,
        (),
        (requirement.what, kinds, entry),
    )
    for check in checks:
        if EventKind.REQUIRES not in check.events:
            continue
        report = check.judge(Context(event, analyser.api))
        if report is not None:
            yield Occurrence(check, report, event, (*lead, *steps), len(lead), False, False)
