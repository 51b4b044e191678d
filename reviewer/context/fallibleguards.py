# SPDX-License-Identifier: GPL-2.0-or-later
"""Guards of locks that can fail to be taken.

Source: include/linux/cleanup.h, "guard(name)" and DEFINE_GUARD_COND().
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from reviewer.context.effects import Event, EventKind
from reviewer.context.state import State
from reviewer.model import Step
from reviewer.source.cfg import Function, Guard
from reviewer.source.program import Program


def fallible_guards(program: Program, function: Function) -> Iterator[Event]:
    """The guards of such locks in ``function`` whose scope goes on where the lock was not taken."""
    guards = [node for node in function.nodes() if isinstance(node, Guard) and node.enter and node.can_fail]
    lines = (program.text(function.path) or b"").split(b"\n") if guards else []
    for guard in guards:
        written = lines[guard.line - 1].decode("latin-1") if 0 < guard.line <= len(lines) else ""
        text = f"guard({guard.cls})({guard.argument})"
        if re.search(rf"(?<!\w)guard\(\s*{guard.cls}\s*\)", written):
            step = Step(function.path, guard.line, function.name, text)
            kind = EventKind.LOCK_MAY_FAIL
            yield Event(kind, function, guard.line, guard.cls, "", State(), (step,), False, (), (guard.argument,))
