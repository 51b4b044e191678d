# SPDX-License-Identifier: GPL-2.0-or-later
"""The modes of hrtimers: in which context they expire, and who waits for them.

Source: include/linux/hrtimer.h, enum hrtimer_mode; kernel/time/hrtimer.c, hrtimer_start_range_ns() and
hrtimer_cancel_wait_running().
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from reviewer.context.effects import Event, EventKind
from reviewer.context.state import State
from reviewer.model import Step
from reviewer.source.cfg import Call, Function

if TYPE_CHECKING:
    from reviewer.context.analysis import Analyser

_MODE = re.compile(r"HRTIMER_MODE_\w+")


class Mode(NamedTuple):
    """How an hrtimer is set up, and where."""

    text: str
    step: Step

    @property
    def expires(self) -> tuple[bool, bool]:
        """Whether it expires in softirq context, and whether in hard interrupt context on PREEMPT_RT too."""
        return expires(self.text)


def expires(mode: str) -> tuple[bool, bool]:
    """The same of a mode as it is written."""
    return mode.endswith("_SOFT"), mode.endswith("_HARD")


class HrTimers:
    """The hrtimers of a program."""

    def __init__(self, analyser: Analyser) -> None:
        self._analyser = analyser

    def mode(self, of: str, user: str) -> Mode | None:
        """The mode in which the hrtimer ``of`` is set up; None where that is not clear."""
        found: list[Mode] = []
        for function, node in self._analyser.set_ups.uses(of, user):
            at = self._analyser.api.hrtimers.set_up.get(node.name) if isinstance(node, Call) else None
            if not isinstance(node, Call) or at is None:
                continue
            text = node.args[at] if at < len(node.args) else ""
            if not _MODE.fullmatch(text):
                return None
            found.append(Mode(text, Step(function.path, node.line, function.name, f"{node.name}({text})")))
        return found[0] if found and len({mode.expires for mode in found}) == 1 else None

    def wait(self, event: Event) -> Event | None:
        """A wait for an hrtimer with where it is set up, if that wait can sleep on PREEMPT_RT."""
        (of,) = event.detail or ("",)
        mode = self.mode(of.removeprefix("#"), event.function.path) if of.startswith("#") else None
        if mode is None or mode.expires[1]:
            return None
        return event._replace(detail=(of.removeprefix("#").lstrip("."), mode.text), context=(mode.step,))

    def started(self, function: Function) -> Iterator[Event]:
        """An event for each hrtimer that ``function`` starts in another mode than it is set up in."""
        starts = self._analyser.api.hrtimers.start
        for node in function.calls():
            at = starts.get(node.name)
            if at is None or at >= len(node.args):
                continue
            text, of = node.args[at], self._analyser.set_ups.object_of(node.args[0], function)
            mode = self.mode(of, function.path) if of and _MODE.fullmatch(text) else None
            if mode is None or mode.expires == expires(text):
                continue
            step = Step(function.path, node.line, function.name, f"{node.name}({text})")
            detail = (of.lstrip("."), text, mode.text)
            kind = EventKind.OTHER_MODE
            yield Event(kind, function, node.line, node.name, "", State(), (step,), False, (), detail, (mode.step,))
