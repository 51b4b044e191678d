# SPDX-License-Identifier: GPL-2.0-or-later
"""Locks that one function of a file takes and another releases, as where an operation is prepared and then done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reviewer.context.effects import Event

if TYPE_CHECKING:
    from reviewer.context.analysis import Analyser


def given_back_elsewhere(analyser: Analyser, event: Event) -> bool:
    """Whether another function of the file releases the global lock that a return leaves held, and does not take it."""
    what, _, kind = event.detail
    function, lock = event.function, event.callee
    if what != "lock" or not lock.isidentifier() or lock in function.params or lock in function.locals:
        return False
    program = analyser.program
    lines = (program.text(function.path) or b"").split(b"\n")
    return any(
        (kind, lock) in exit_.released
        for extent in program.extents(function.path)
        if extent.name != function.name and lock.encode() in b"\n".join(lines[extent.line - 1 : extent.end])
        for other in program.functions(function.path, extent.name)
        for exit_ in analyser.summary(other).exits
    )
