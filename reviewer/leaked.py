# SPDX-License-Identifier: GPL-2.0-or-later
"""Ask the checks about functions that took over from their callers what protects the object they return."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from reviewer.check import Check, Context, Event, EventKind
from reviewer.context.analysis import Analyser
from reviewer.context.effects import Site, Standing
from reviewer.context.state import State
from reviewer.judge import Occurrence
from reviewer.model import Step
from reviewer.source.cfg import Assign, Call, Function, Guard, Return
from reviewer.source.expression import constant, last_member

_READERS = frozenset(("srcu", "rcu"))
_FOUND_IN = re.compile(r"[A-Za-z_]\w*(?:->|\[|\.).*")


def newly_leaked(
    before: Analyser, after: Analyser, pairs: Sequence[tuple[Function | None, Function | None]], checks: Sequence[Check]
) -> Iterator[Occurrence]:
    """Functions whose callers had to hold a reader, and that now open and leave it themselves around a lookup."""
    wanted = [check for check in checks if EventKind.RETURNED_UNPROTECTED in check.events]
    for old, new in pairs if wanted else ():
        if old is None or new is None or not (returned := _returned(new)):
            continue
        demanded = {
            last_member(need.expression) or need.kind
            for requirement in before.analyse(old).summary.requirements.values()
            for need in requirement.needs
        }
        analysis = after.analyse(new)
        still = {need for requirement in analysis.summary.requirements.values() for need in requirement.needs}
        for site in analysis.sites:
            own = _own_reader(site)
            if own is None or own[0] not in demanded or own[0] in {last_member(n.expression) or n.kind for n in still}:
                continue
            yield from _occurrences(after, new, returned[0], own[1], site, wanted)
            break


def _own_reader(site: Site) -> tuple[str, str] | None:
    """Name and words of the reader of the function's own that meets a requirement, or None."""
    if site.standing is not Standing.TAKEN:
        return None
    for need in sorted(site.own.needs):
        if need.kind in _READERS:
            return last_member(need.expression) or need.kind, site.own.what.split(" or ")[0]
    return None


def _returned(function: Function) -> list[tuple[str, int]]:
    """Variables and lines of returns of a pointer that was found in something and that nothing was told to keep."""
    nodes = list(function.nodes())
    none = {node.target for node in nodes if isinstance(node, Assign) and node.value == "NULL"}
    null_returned = any(isinstance(node, Return) and node.value == "NULL" for node in nodes)
    found = {node.target for node in nodes if isinstance(node, Assign) and _FOUND_IN.fullmatch(node.value)}
    kept = {plain for node in nodes if isinstance(node, Call) for plain in (arg.lstrip("&*") for arg in node.args)}
    kept |= {node.argument for node in nodes if isinstance(node, Guard)}
    return [
        (node.value, node.line)
        for node in nodes
        if isinstance(node, Return)
        and node.value in found
        and (node.value in none or null_returned)
        and node.value not in kept
        and not any(argument.startswith(node.value + "->") for argument in kept)
        and constant(node.value) is None
    ]


def _occurrences(
    analyser: Analyser, function: Function, returned: tuple[str, int], reader: str, site: Site, checks: Sequence[Check]
) -> Iterator[Occurrence]:
    variable, line = returned
    lead = Step(function.path, site.line, function.name, f"{site.callee}() <- inside {reader}")
    step = Step(function.path, line, function.name, f"return {variable}")
    event = Event(
        EventKind.RETURNED_UNPROTECTED, function, line, variable, "", State(), (step,), False, (), (variable, reader)
    )
    for check in checks:
        report = check.judge(Context(event, analyser.api))
        if report is not None:
            yield Occurrence(check, report, event, (lead, step), 1, False, False)
