# SPDX-License-Identifier: GPL-2.0-or-later
"""References that a function takes to an object and gives back itself: what is let go of meanwhile is not the last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reviewer.context.chains import call_below
from reviewer.context.effects import Effect
from reviewer.context.facts import OWNED, Facts
from reviewer.context.locks import canonical, in_caller, in_parameters
from reviewer.source.cfg import Call, Function, is_avoidable
from reviewer.source.expression import is_path

if TYPE_CHECKING:
    from reviewer.context.analysis import Analyser

_DEEPEST = 4
"""So many calls one below the other are looked into."""


class OwnReferences:
    """The references that ``function`` takes by one call and gives back by another one.

    Objects are told apart by their names in the function, calls that give back by theirs.
    """

    def __init__(self, analyser: Analyser, function: Function) -> None:
        self._analyser = analyser
        self._function = function
        api = analyser.api
        taken = [node for node in function.calls() if node.args and api.raises_reference.fullmatch(node.name)]
        self._objects = {node.result: self._first(node) for node in taken if node.result in function.locals}
        self._taken = {self._first(node) for node in taken if is_path(self._first(node))}
        self._given_back: dict[str, set[str]] = {}
        for node in function.calls() if self._taken else ():
            if node.args and api.gives_back.fullmatch(node.name):
                self._given_back.setdefault(self._object(node), set()).add(node.name)

    def _first(self, node: Call) -> str:
        return canonical(self._function, node.args[0])

    def _object(self, node: Call) -> str:
        """The object that ``node`` is given first, by the name under which a reference to it was taken."""
        first = self._first(node)
        return self._objects.get(first, first)

    def called(self, node: Call, facts: Facts) -> None:
        """Note that ``node`` is about to take a reference which is given back later, or to give it back."""
        if not self._given_back or not node.args:
            return
        if node.name in self._given_back.get(of := self._object(node), ()):
            facts.pop((OWNED, of), None)
        elif of in self._taken and of in self._given_back and self._analyser.api.raises_reference.fullmatch(node.name):
            facts[OWNED, of] = True

    def outlives(self, node: Call, effect: Effect, facts: Facts) -> bool:
        """Whether ``effect`` of ``node`` comes from letting go of the last reference to what the function keeps."""
        if not self._given_back:
            return False
        return any(self._goes_through(node, effect, of) for letter, of in facts if letter == OWNED)

    def _goes_through(self, node: Call, effect: Effect, of: str) -> bool:
        """Whether the effect is one that giving back ``of``, by the call by which the function does, has at times."""
        caller, call, args = self._function, node, node.args
        for step in effect.steps[1:_DEEPEST]:
            below = call_below(self._analyser, caller, call, step)
            if below is None:
                return False
            gives_back = call.name in self._given_back[of] and canonical(self._function, args[0]) == of
            caller, block, call = below
            if gives_back:
                return is_avoidable(caller, block)
            args = tuple(
                in_caller(self._function, in_parameters(caller, canonical(caller, argument)), args)
                for argument in call.args
            )
        return False
