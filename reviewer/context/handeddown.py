# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a function may call what it is given as an argument, itself or by those whom it hands it to.

Most functions that are handed on are only stored: whoever hands them on does nothing of what they do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reviewer.context.closure import Key, key_of
from reviewer.context.locks import canonical
from reviewer.source.cfg import Call, Function
from reviewer.source.expression import plain

if TYPE_CHECKING:
    from reviewer.context.analysis import Analyser


class HandedDown:
    """Answers for the functions of one program."""

    def __init__(self, analyser: Analyser) -> None:
        self._analyser = analyser
        self._known: dict[tuple[Key, int], bool] = {}

    def may_be_called(self, node: Call, position: int, caller: Function) -> bool:
        """Whether ``node`` in ``caller`` may call what its argument ``position`` (0-based) is."""
        return any(self._may_call(callee, position) for callee in self._analyser.callees(node.name, caller))

    def _may_call(self, function: Function, position: int) -> bool:
        start = (key_of(function), position)
        if start not in self._known:
            self._known[start] = self._is_called_below(function, position)
        return self._known[start]

    def _is_called_below(self, function: Function, position: int) -> bool:
        seen = {(key_of(function), position)}
        waiting = [(function, position)]
        while waiting:
            function, position = waiting.pop()
            if position >= len(function.params):
                continue
            name = function.params[position]
            for node in function.nodes():
                if not isinstance(node, Call):
                    continue
                if node.name == name:
                    return True
                on = [at for at, each in enumerate(node.args) if _names(function, each) == name]
                if on and self._analyser.is_followed(node, function):
                    for callee in self._analyser.callees(node.name, function):
                        new = [(callee, at) for at in on if (key_of(callee), at) not in seen]
                        seen.update((key_of(callee), at) for callee, at in new)
                        waiting += new
        return False


def _names(function: Function, argument: str) -> str:
    return canonical(function, plain(argument))
