# SPDX-License-Identifier: GPL-2.0-or-later
"""The variables that loops step, as the definitions of the iteration macros say, and what is found on lists."""

from __future__ import annotations

from collections.abc import Set

from reviewer.context.facts import ALIKE, VALUE, Facts
from reviewer.context.state import Origin, State
from reviewer.source.cfg import Assign, Call, Function, Loop
from reviewer.source.expression import root, split_member, unwrap
from reviewer.source.program import Program

_NESTED = 3  # iteration macros that are made of others, so deep
_FOR_EACH = "for_each"  # in the name of an iteration macro, where a macro is made of it


def moves_on(node: Assign) -> bool:
    """Whether a variable is incremented or goes on to the next of a list, ``p = p->next``."""
    return node.value == "?" or node.value.startswith((f"{node.target}->", f"{node.target}."))


def keep_alike(cursor: str, state: State, facts: Facts) -> None:
    """A loop goes on to the next object: where the last one stays locked, what decides how is the same of both.

    Whoever locks all objects of a list with one kind of lock, as a flag of each says, does not mix kinds.
    """
    if any(held.origin is Origin.TAKEN and root(held.expression) == cursor for held in state.locks):
        said = [(text, value) for (letter, text), value in facts.items() if letter == VALUE and split_member(text)]
        facts.update(((ALIKE, text), value) for text, value in said if root(text) == cursor)
    else:
        for key in [key for key in facts if key[0] == ALIKE and root(key[1]) == cursor]:
            del facts[key]


class Cursors:
    """The cursors of the loops of one function; ``stepped`` are these and the variables that move on by themselves.

    ``listed`` are besides what calls of ``entries`` have found on a list, and what is read there.
    """

    def __init__(self, program: Program, function: Function, entries: Set[str]) -> None:
        self._program = program
        self._path = function.path
        self._known: dict[tuple[str, tuple[str, ...]], tuple[str, ...]] = {}
        nodes = list(function.nodes())
        moved = {node.target for node in nodes if isinstance(node, Assign) and moves_on(node)}
        self.stepped: frozenset[str] = frozenset(moved).union(
            *(self.of(node) for node in nodes if isinstance(node, Loop))
        )
        found = {node.result for node in nodes if isinstance(node, Call) and node.name in entries and node.result}
        listed = self.stepped | found
        reads = {name for name, path in function.aliases.items() if root(path) in listed}
        self.listed: frozenset[str] = listed | reads

    def of(self, loop: Loop) -> tuple[str, ...]:
        """The arguments that an iteration macro assigns to; the first two where its definition shows none."""
        return self._of(loop.name, loop.args, _NESTED)

    def _of(self, name: str, args: tuple[str, ...], depth: int) -> tuple[str, ...]:
        key = (name, args)
        if key not in self._known:
            macro = self._program.loop_macro(name, self._path)
            assigned = self._assigned(macro, depth) if macro is not None else set()
            places = [at for at, parameter in enumerate(macro.params) if parameter in assigned] if macro else []
            self._known[key] = tuple(args[at] for at in places if at < len(args)) or args[:2]
        return self._known[key]

    def _assigned(self, macro: Function, depth: int) -> set[str]:
        assigned: set[str] = set()
        for node in macro.nodes():
            if isinstance(node, Assign):
                assigned.add(unwrap(node.target))
            elif isinstance(node, Call) and node.result:
                assigned.add(unwrap(node.result))
            if depth and (isinstance(node, Loop) or (isinstance(node, Call) and _FOR_EACH in node.name)):
                assigned.update(map(unwrap, self._of(node.name, node.args, depth - 1)))
        return assigned
