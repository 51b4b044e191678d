# SPDX-License-Identifier: GPL-2.0-or-later
"""Callbacks of the memory management that come in pairs, and what the time between them forbids.

Source: include/linux/mmu_notifier.h, struct mmu_notifier_ops; Documentation/virt/kvm/locking.rst, section 1.
"""

from __future__ import annotations

from collections.abc import Iterator

from reviewer.context.analysis import Analyser
from reviewer.context.effects import Analysis, Event, EventKind
from reviewer.context.state import State
from reviewer.context.tables import Callbacks
from reviewer.model import Step
from reviewer.source.cfg import Function
from reviewer.source.expression import last_member


def paired(analyser: Analyser, function: Function, analysis: Analysis) -> Iterator[Event]:
    """Locks that ``function`` keeps for the callback which ends what it begins, and those that it may never take."""
    if not analyser.api.callbacks:
        return
    named = analyser.program.members(function)
    for callbacks in analyser.api.callbacks:
        members = sorted(member for structure, member in named if structure == callbacks.structure)
        if not members:
            continue
        if callbacks.begins in members:
            yield from _kept(analyser, function, analysis, callbacks)
        for acquisition in analysis.summary.acquisitions.values():
            if last_member(acquisition.expression) in callbacks.never:
                line = acquisition.steps[0].line
                detail = (last_member(acquisition.expression), f"{callbacks.structure}.{members[0]}")
                kind = EventKind.NEVER_IN_CALLBACK
                yield Event(kind, function, line, members[0], "", State(), acquisition.steps, False, (), detail)


def _kept(analyser: Analyser, function: Function, analysis: Analysis, callbacks: Callbacks) -> Iterator[Event]:
    """The locks with which every successful way out of ``function`` leaves, and that the other callback releases."""
    kept = [locks for value, locks in analysis.left_with if value not in ("negative", "nonzero")]
    if not kept or not analysis.complete:
        return
    others = analyser.program.instances(callbacks.ends, function.path, frozenset((callbacks.structure,)))
    released = {
        last_member(expression)
        for other in others
        for way in analyser.summary(other.function).exits
        for _, expression in way.released
    }
    for kind, expression in sorted(frozenset.intersection(*kept)):
        line, call = analysis.taken.get((kind, expression), (0, ""))
        if line and last_member(expression) in released:
            step = Step(function.path, line, function.name, call)
            detail = (last_member(expression), callbacks.ends)
            yield Event(EventKind.KEPT_ACROSS, function, line, "", "", State(), (step,), False, (), detail)
