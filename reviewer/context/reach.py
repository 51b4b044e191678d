# SPDX-License-Identifier: GPL-2.0-or-later
"""From a function that demands something of its callers up to who enters the kernel without it."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field

from reviewer.context.analysis import Analyser
from reviewer.context.callers import callers
from reviewer.context.effects import Need, Requirement, RequirementKey, Standing
from reviewer.context.entry import Entry, ways_in
from reviewer.context.offered import offered
from reviewer.context.schema import EntryKind
from reviewer.model import Step
from reviewer.source.cfg import Function

_MOST_FUNCTIONS = 60
_DEEPEST = 14
_GLOBAL = re.compile(r"[A-Za-z_]\w*")


@dataclass(slots=True)
class Reach:
    """How a function with a requirement is reached.

    ``open_`` are the ways from an entry to the call of the function on which nothing meets the requirement, shortest
    first: steps from the entry down. ``holders`` are callers that meet it, ``unknown`` functions of which it is not
    known who calls them.
    """

    open_: list[tuple[Step, ...]] = field(default_factory=list)
    holders: list[Function] = field(default_factory=list)
    unknown: list[Function] = field(default_factory=list)


def reach(analyser: Analyser, function: Function, requirement: Requirement) -> Reach:
    """Follow the callers of ``function`` for as long as none of them meets ``requirement``."""
    result = Reach()
    queue: deque[tuple[Function, Requirement, tuple[Step, ...]]] = deque([(function, requirement, ())])
    seen: set[tuple[str, str, RequirementKey]] = {(function.path, function.name, requirement.key)}
    while queue:
        here, wanted, trail = queue.popleft()
        entered = _entered(analyser, here, wanted, trail, result)
        above = callers(analyser.program, here)
        found = False
        for caller in above:
            if (caller.path, caller.name) == (here.path, here.name):
                continue
            for site in analyser.analyse(caller).sites:
                if site.callee != here.name or site.source != wanted.key:
                    continue
                found = True
                if site.standing is not Standing.OPEN:
                    result.holders.append(caller)
                    continue
                key = (caller.path, caller.name, site.own.key)
                if key not in seen and len(seen) < _MOST_FUNCTIONS and len(trail) < _DEEPEST:
                    seen.add(key)
                    step = Step(caller.path, site.line, caller.name, f"{here.name}()")
                    queue.append((caller, site.own, (step, *trail)))
        if not found and not entered:
            result.unknown.append(here)
    return result


def _entered(
    analyser: Analyser, function: Function, wanted: Requirement, trail: tuple[Step, ...], result: Reach
) -> bool:
    """Note it where ``function`` is an entry itself; whether it is one."""
    known = False
    for way in roots(analyser, function):
        known = True
        if wanted.conditions:
            continue  # what an entry is called with is not known
        if all(offered(need, way.state, analyser.api) is Standing.OPEN for need in wanted.needs):
            result.open_.append((way.step, *trail))
        else:
            result.holders.append(function)
    if not known and _only_this_file_could(analyser, function, wanted.needs):
        step = Step(function.path, function.line, function.name, "<- called from other files")
        result.open_.append((step, *trail))
        return True
    return known


def roots(analyser: Analyser, function: Function) -> tuple[Entry, ...]:
    """The ways in which ``function`` is entered with nothing held but what the tables say."""
    found = list(ways_in(analyser.program, analyser.api, function))
    for structure, member in sorted(analyser.program.filled(function)):
        holds = analyser.api.demands.roots.get(f"{structure}.{member}")
        if holds is not None:
            step = Step(function.path, function.line, function.name, f"<- struct {structure}.{member}")
            found.append(Entry(EntryKind.TASK, step, holds))
    if function.via.startswith(("SYSCALL_DEFINE", "COMPAT_SYSCALL_DEFINE")):
        found.append(Entry(EntryKind.TASK, Step(function.path, function.line, function.name, "<- system call")))
    return tuple(found)


def _only_this_file_could(analyser: Analyser, function: Function, needs: frozenset[Need]) -> bool:
    """Whether ``function`` is called through a table by other files while all needs are locks private to this one."""
    if not needs or not all(
        need.kind in ("lock", "anyone", "exclusive") and _GLOBAL.fullmatch(need.expression) for need in needs
    ):
        return False
    if not analyser.program.members(function):
        return False
    text = analyser.program.files.read(function.path) or b""
    return all(
        re.search(
            rb"^static\s+(?:DEFINE_\w+\(|struct\s+\w+\s+|\w+_t\s+)" + need.expression.encode() + rb"\b",
            text,
            re.MULTILINE,
        )
        for need in needs
    )
