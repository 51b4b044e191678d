# SPDX-License-Identifier: GPL-2.0-or-later
"""What a function leaves to a callback for some objects, and does at once for others.

Which of the two it is lies with the object: one that nobody could see yet is freed at once, all others after a grace
period. Whoever calls the function for an object of the second kind has nothing to do with what happens to the first.
"""

from __future__ import annotations

from collections.abc import Callable

from reviewer.context.effects import Condition
from reviewer.context.tables import Api
from reviewer.source.cfg import Function, placed_calls, reached_from


class Deferred:
    """The calls of ``function`` that a callback makes instead on another way.

    ``own`` gives the functions of a name in the file of ``function``.
    """

    def __init__(self, function: Function, api: Api, own: Callable[[str], tuple[Function, ...]]) -> None:
        self._function = function
        self._lines: set[int] = set()
        for block, node in placed_calls(function):
            for position in api.hands_over.get(node.name, ()):
                if position < len(node.args):
                    later = {call.name for each in own(node.args[position].removeprefix("&")) for call in each.calls()}
                    self._note(block, {name for name in later if not api.is_primitive(name)})

    def _note(self, block: int, later: set[str]) -> None:
        """Keep the calls of ``later`` on ways that do not lead through ``block``."""
        for other, node in placed_calls(self._function):
            if node.name in later and not self._leads(other, block) and not self._leads(block, other):
                self._lines.add(node.line)

    def _leads(self, start: int, end: int) -> bool:
        return start == end or end in reached_from(self._function, start)

    def is_by_object(self, line: int, conditions: tuple[Condition, ...]) -> bool:
        """Whether what is called on ``line`` is called at once for some objects, as no mere value tells the caller."""
        return line in self._lines and all(self._function.pointers[one.position] for one in conditions)
