# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions that choose by a condition between a lock that spins and one that sleeps.

They serve both contexts. What sleeps under the lock that spins is wrong, unless something tells the two contexts apart
below: where it sleeps for some objects only, those may be the ones of the other context.
"""

from __future__ import annotations

from itertools import permutations

from reviewer.context.facts import TAKEN_AT, Facts
from reviewer.context.schema import LockClass
from reviewer.context.state import Origin, State
from reviewer.context.tables import Api, Operation
from reviewer.source.cfg import Block, Call, Function

_SPINNING = frozenset((LockClass.SPIN, LockClass.RAW))


class Choices:
    """The lines of ``function`` that take a lock that spins, each with those that take one that sleeps instead."""

    def __init__(self, function: Function, api: Api) -> None:
        self._api = api
        self._instead: dict[int, set[int]] = {}
        self._by_object: set[int] = set()
        for block in function.blocks:
            for one, other in permutations(block.edges, 2) if len(block.edges) > 1 else ():
                spinning = self._taken(function.blocks[one.target], _SPINNING)
                sleeping = self._taken(function.blocks[other.target], frozenset((LockClass.SLEEPING,)))
                if spinning is not None and sleeping is not None:
                    self._instead.setdefault(spinning, set()).add(sleeping)
                    if not any(literal.left in function.params for literal in other.literals):
                        self._by_object.add(sleeping)

    def _taken(self, block: Block, classes: frozenset[LockClass]) -> int | None:
        """The line on which the first lock of a block is taken, if it is of one of ``classes``."""
        for node in block.nodes:
            lock = self._api.locks.get(node.name) if isinstance(node, Call) else None
            if lock is not None:
                wanted = lock.operation is Operation.ACQUIRE and self._api.classes.get(lock.kind) in classes
                return node.line if wanted else None
        return None

    def meant(self, state: State, facts: Facts, line: int, *, at_times: bool) -> State:
        """The state for what sleeps on ``line``, for some objects only if ``at_times``: the lock that spins may not be
        held then."""
        if not self._instead:
            return state
        chosen = {
            held
            for held in state.locks
            if held.origin is Origin.TAKEN
            and (TAKEN_AT, held.expression) in facts
            and (instead := self._instead.get(facts[TAKEN_AT, held.expression][1])) is not None
            and (at_times or line in instead)
        }
        return state._replace(locks=state.locks - chosen) if chosen else state

    def is_by_object(self, line: int) -> bool:
        """Whether a lock that sleeps is taken on ``line`` for some objects only, of which a caller may have none."""
        return line in self._by_object
