# SPDX-License-Identifier: GPL-2.0-or-later
"""Where preemption, interrupts or bottom halves were disabled, for whoever asks how it came to this."""

from __future__ import annotations

from typing import Final

from reviewer.context.facts import TAKEN_AT, Facts
from reviewer.context.shown import shown_as
from reviewer.context.state import State, is_off
from reviewer.context.tables import Api
from reviewer.source.cfg import Call, Guard

SINCE: Final = {"preempt": "#preempt", "irq": "#irq", "bh": "#bh"}
"""Under which names ``Event.shown`` tells of them, by what a ``Reason`` calls them. No lock is called so."""


def since(before: State, after: State, facts: Facts, node: Call | Guard, api: Api) -> State:
    """``after``, with the line noted on which something was disabled that was not; forgotten where it no longer is."""
    for what, name in SINCE.items():
        if not is_off(after, what):
            facts.pop((TAKEN_AT, name), None)
        elif not is_off(before, what):
            facts[TAKEN_AT, name] = (what, node.line, shown_as(node, api))
    return after


def begun(facts: Facts) -> tuple[tuple[str, str, int, str], ...]:
    """What is disabled and where, in the form of ``Event.shown``."""
    return tuple((name, *facts[TAKEN_AT, name]) for name in SINCE.values() if (TAKEN_AT, name) in facts)
