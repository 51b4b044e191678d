# SPDX-License-Identifier: GPL-2.0-or-later
"""From one call of a chain to the next one below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reviewer.model import Step
from reviewer.source.cfg import Call, Function, placed_calls

if TYPE_CHECKING:
    from reviewer.context.analysis import Analyser


class PlacedCall(NamedTuple):
    """A call, with the function and the block in which it stands."""

    function: Function
    block: int
    call: Call


def call_below(analyser: Analyser, function: Function, call: Call, step: Step) -> PlacedCall | None:
    """The call that ``step`` shows, in the function that ``call`` in ``function`` reaches.

    None where several functions of that name may be reached, or what the step shows is no call.
    """
    callees = [each for each in analyser.callees(call.name, function) if each.name == step.function]
    if len(callees) != 1:
        return None
    shown = (
        PlacedCall(callees[0], block, below)
        for block, below in placed_calls(callees[0])
        if below.line == step.line and step.text.startswith(f"{below.name}(")
    )
    return next(shown, None)
