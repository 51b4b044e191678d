# SPDX-License-Identifier: GPL-2.0-or-later
"""What a call that is not followed may have let go of, lowered or restored, in the function that makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reviewer.context.balance import COUNTERS
from reviewer.context.facts import TAKEN_AT, Facts
from reviewer.context.irqflags import interrupts_off, saved_at
from reviewer.context.state import Held, Origin, State
from reviewer.context.tables import LockKinds
from reviewer.source.cfg import Call, Function
from reviewer.source.expression import identifiers

if TYPE_CHECKING:
    from reviewer.context.body import Body
    from reviewer.context.ownlocks import OwnLocks


class Doubts:
    """The doubts about one function. ``let_go`` are the locks that it has released on some path itself."""

    def __init__(self, function: Function, body: Body, own_locks: OwnLocks, kinds: LockKinds) -> None:
        self._function = function
        self._body = body
        self._own_locks = own_locks
        self._kinds = kinds
        self._doubtful: set[tuple[str, str]] = set()
        self.let_go: set[Held] = set()

    def clear(self) -> None:
        """Forget what was found, to follow the function once more."""
        self._doubtful.clear()
        self.let_go.clear()

    def not_followed(self, node: Call, state: State, facts: Facts) -> None:
        """``node`` is not followed any deeper: what is held here is not known to be held afterwards."""
        self._doubtful.update(
            (held.kind, held.expression)
            for held in state.locks
            if held.origin is Origin.TAKEN
            and held.expression not in self._body.released
            and not self._own_locks.has(self._function, held.expression)
        )
        self._doubtful.update(
            ("", name) for name in COUNTERS if getattr(state, name) > 0 and name not in self._body.lowered
        )
        if interrupts_off(state):
            flags = saved_at(facts)
            if not flags or any(flags in identifiers(argument) for argument in node.args):
                self._doubtful.add(("irq", flags))

    def is_certain(self, held: Held) -> bool:
        """Whether a lock was held all the while: it was let go of here, so that no call that was not followed did."""
        return held in self.let_go or not self.concern(held)

    def concern(self, held: Held) -> bool:
        """Whether a call that was not followed may have let go of a lock."""
        return (held.kind, held.expression) in self._doubtful

    def of_counters(self, state: State, facts: Facts) -> frozenset[str]:
        """The counters that were moved, and ``irq`` where interrupts are disabled, as far as that is in doubt."""
        found = {name for name in COUNTERS if getattr(state, name) and ("", name) in self._doubtful}
        if interrupts_off(state) and ("irq", saved_at(facts)) in self._doubtful:
            found.add("irq")
        return frozenset(found)

    def free(self, state: State, facts: Facts) -> frozenset[str]:
        """The locks that nobody holds any more: they were taken on this path, as one that held it could not, and
        released."""
        let_go = [held.expression for held in self.let_go if held.kind in self._kinds.exclusive]
        held_now = {held.expression for held in state.locks} if let_go else set()
        return frozenset(name for name in let_go if name not in held_now and (TAKEN_AT, name) in facts)
