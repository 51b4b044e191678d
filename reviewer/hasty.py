# SPDX-License-Identifier: GPL-2.0-or-later
"""Ask the checks about objects that a patch frees at once and that were freed after a grace period before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reviewer.check import Check, Context, Event, EventKind
from reviewer.context.analysis import Analyser
from reviewer.context.callers import users
from reviewer.context.graceperiod import waited_above, waits
from reviewer.context.state import State
from reviewer.judge import Occurrence
from reviewer.model import Step
from reviewer.source.cfg import Call, Function, Loop
from reviewer.source.expression import plain, root


def newly_hasty(
    before: Analyser, after: Analyser, pairs: Sequence[tuple[Function | None, Function | None]], checks: Sequence[Check]
) -> Iterator[Occurrence]:
    """Frees in new versions of functions that no grace period precedes any more, though RCU readers remain."""
    wanted = [check for check in checks if EventKind.FREED_SOONER in check.events]
    for old, new in pairs if wanted else ():
        if old is None or new is None or any(waits(call) for call in new.calls()):
            continue
        for variable, call in _freed(new, after).items():
            how = _deferred(old, before, variable)
            if not how or _deferred(new, after, variable) or waited_above(after.program, new):
                continue
            reader = _reader(after, new, variable)
            if reader is not None:
                yield from _occurrences(after, new, variable, call, how, reader, wanted)


def _freed(function: Function, analyser: Analyser) -> dict[str, Call]:
    """The calls that free what a variable points to at once, by variable."""
    found: dict[str, Call] = {}
    for call in function.calls():
        variable = plain(call.args[0]) if call.args else ""
        if call.name in analyser.api.frees_at_once and variable in function.types:
            found.setdefault(variable, call)
    return found


def _deferred(function: Function, analyser: Analyser, variable: str) -> str:
    """The call with which ``function`` lets a grace period pass before it has ``variable`` freed, or nothing."""
    calls = list(function.calls())
    for call in calls:
        if call.name in analyser.api.rcu_frees and call.args and root(call.args[0]) == variable:
            return f"{call.name}()"
    freed = _freed(function, analyser).get(variable)
    if freed is None:
        return ""
    return next((f"{call.name}()" for call in calls if waits(call) and call.line < freed.line), "")


def _reader(analyser: Analyser, function: Function, variable: str) -> tuple[Function, int, str] | None:
    """A reader of the file that finds such objects and takes no reference, with the line and the call that finds."""
    api, wanted = analyser.api, function.types[variable]
    word = wanted.rstrip("*").split()[-1]
    for other in users(analyser.program, function.path, word):
        nodes = list(other.nodes())
        if other.name == function.name or any(api.keeps.fullmatch(call.name) for call in other.calls()):
            continue
        for node in nodes:
            if isinstance(node, Loop) and node.name in api.rcu_iterators:
                found = node.args[0] if node.args else ""
            elif isinstance(node, Call) and api.fetches(node.name):
                found = node.result or ""
            else:
                continue
            if other.types.get(found) == wanted:
                return other, node.line, f"{node.name}()"
    return None


def _occurrences(
    analyser: Analyser,
    function: Function,
    variable: str,
    call: Call,
    how: str,
    reader: tuple[Function, int, str],
    checks: Sequence[Check],
) -> Iterator[Occurrence]:
    other, line, found = reader
    lead = Step(other.path, line, other.name, f"{found} <- a reader finds such an object")
    step = Step(function.path, call.line, function.name, f"{call.name}({variable})")
    detail = (variable, how, other.name)
    kind = EventKind.FREED_SOONER
    event = Event(kind, function, call.line, call.name, "", State(), (step,), False, (), detail)
    for check in checks:
        report = check.judge(Context(event, analyser.api)) if kind in check.events else None
        if report is not None:
            yield Occurrence(check, report, event, (lead, step), 1, False, False)
