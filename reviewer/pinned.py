# SPDX-License-Identifier: GPL-2.0-or-later
"""Ask the checks about per-CPU accesses that a patch makes rely on what they did not rely on before: a pinned task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reviewer.check import Check, Context, EventKind
from reviewer.context.analysis import Analyser
from reviewer.context.tables import Api
from reviewer.judge import Occurrence
from reviewer.source.cfg import Function


def newly_pinned(
    before: Analyser, after: Analyser, pairs: Sequence[tuple[Function | None, Function | None]], checks: Sequence[Check]
) -> Iterator[Occurrence]:
    """Accesses with preemption enabled, as far as a function shows, that were safe in any context before.

    Who calls a static function is decided in its file, so that its author may know who disables preemption.
    """
    wanted = [check for check in checks if EventKind.CPU_PRESUMED in check.events]
    for old, new in pairs if wanted else ():
        if old is None or new is None or new.static:
            continue
        was = _safe(old, before.api)
        for event in after.analyse(new).events:
            if event.kind is not EventKind.CPU_PINNED or (event.callee, event.argument) not in was:
                continue
            safe = was[event.callee, event.argument]
            asked = event._replace(kind=EventKind.CPU_PRESUMED, detail=(safe,))
            for check in wanted:
                report = check.judge(Context(asked, after.api))
                if report is not None:
                    yield Occurrence(check, report, asked, asked.steps, 0, False, False)


def _safe(function: Function, api: Api) -> dict[tuple[str, str], str]:
    """The accesses that are safe in any context, by the other access of the same kind and what is accessed."""
    return {
        (other, node.args[0]): f"{node.name}()"
        for node in function.calls()
        if node.args
        for prefix in api.cpu_anywhere
        if node.name.startswith(prefix)
        for other in [api.cpu_pinned + node.name.removeprefix(prefix)]
    }
