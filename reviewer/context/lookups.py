# SPDX-License-Identifier: GPL-2.0-or-later
"""Lookups under a lock, and insertions that go by their answer after the lock was let go of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reviewer.context.effects import EventKind
from reviewer.context.facts import DECIDED, DECISION, TAKEN_AT, Decision, Facts
from reviewer.context.schema import LockClass
from reviewer.context.state import State
from reviewer.context.tables import Api
from reviewer.model import Step
from reviewer.source.cfg import Call

if TYPE_CHECKING:
    from reviewer.context.flow import Flow


def note_lookup(state: State, facts: Facts, api: Api, result: str, call: str, line: int) -> None:
    """``result`` holds the answer of a lookup; remember under which lock it is true."""
    excluding = [
        held for held in state.locks if api.classes.get(held.kind) is not LockClass.READER and held.kind != "?"
    ]
    if excluding:
        newest = max(excluding, key=lambda held: facts.get((TAKEN_AT, held.expression), ("", 0, ""))[1])
        facts.pop((DECIDED, result), None)
        facts[DECISION, result] = Decision(
            newest.expression, "fresh", line, call, frozenset(h.expression for h in excluding) - {newest.expression}
        )


def note_stale(flow: Flow, node: Call, state: State, facts: Facts) -> None:
    """Note an insertion that depends on a lookup whose lock was dropped since."""
    for key, decision in facts.items():
        if key[0] != DECIDED or decision.stage != "stale":
            continue
        held_now = {held.expression for held in state.locks}
        if decision.lock in held_now and not decision.others & held_now:
            shown = facts.get((TAKEN_AT, decision.lock), (decision.lock, 0, ""))[0]
            step = Step(flow.function.path, node.line, flow.function.name, f"{node.name}()")
            detail = (key[1], decision.call, str(decision.line), shown)
            flow.note(flow.event(EventKind.STALE_INSERT, node, state, facts, (step,), detail=detail))
            return
