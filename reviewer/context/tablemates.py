# SPDX-License-Identifier: GPL-2.0-or-later
"""Operations that stand together in a table: a function that is called through one table of its object reaches, by
another operation of the same object, what that table holds, and never what only other tables hold.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reviewer.source.cfg import Assign, Function
from reviewer.source.optables import OperationTables
from reviewer.source.program import Program

if TYPE_CHECKING:
    from reviewer.context.effects import Assumptions, OfTables

_TABLE = re.compile(r"(\w+)->(\w+)")
_OPERATION = re.compile(r"(P(\d+)->\w+)->(\w+)")


class TableMates:
    """Answers for the functions of ``program``."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._tables: dict[str, OperationTables] = {}
        self._holding: dict[tuple[str, str, str], frozenset[str]] = {}

    def possible(self, table: str, member: str, held: str | None, function: Function) -> OfTables:
        """What ``table``, as ``map->ops``, can be where its ``member`` is the function ``held``, or anything but NULL.

        ``table`` stands in ``function``, for an object that it is given. Nothing where every table will do; none of the
        file's own where these leave that to the tables of other files.
        """
        found = _TABLE.fullmatch(table)
        if found is None or not self._is_given(function, found.group(1)):
            return frozenset()
        structure = self._program.type_of(table, function)
        every = self._of(function.path).of(structure) if structure is not None else ()
        meant = tuple(sorted(f"{function.path}:{each.name}" for each in every if each.may_hold(member, held)))
        return frozenset(((table, meant),)) if len(meant) < len(every) else frozenset()

    def filling(self, function: Function, assumed: Assumptions) -> OfTables:
        """The tables that objects of the callers of ``function`` have where ``assumed`` operations are not NULL."""
        found: set[tuple[str, tuple[str, ...]]] = set()
        for text, truth in assumed:
            operation = _OPERATION.fullmatch(text) if truth else None
            if operation is None or int(operation.group(2)) >= len(function.params):
                continue
            path, member = operation.group(1), operation.group(3)
            table = function.params[int(operation.group(2))] + path[path.index("->") :]
            found |= {(path, names) for _, names in self.possible(table, member, None, function)}
        return frozenset(found)

    def excluded(self, caller: Function, tables: OfTables) -> bool:
        """Whether ``caller`` runs for an object whose table is none of ``tables``, in the words of the caller."""
        return any(self._excludes(caller, path, names) for path, names in tables)

    def _excludes(self, caller: Function, path: str, names: tuple[str, ...]) -> bool:
        table = _TABLE.fullmatch(path)
        if table is None or not caller.static or not self._is_alone(caller, table.group(1)):
            return False
        key = (caller.path, caller.name, self._program.type_of(path, caller) or "")
        if key not in self._holding:
            held = self._of(caller.path).holding(key[2], caller.name)
            self._holding[key] = frozenset(f"{caller.path}:{name}" for name in held)
        return bool(self._holding[key]) and self._holding[key].isdisjoint(names)

    @staticmethod
    def _is_given(function: Function, name: str) -> bool:
        """Whether ``name`` is a parameter that stays what it was."""
        moved = (node for node in function.nodes() if isinstance(node, Assign) and node.target == name)
        return name in function.params and next(moved, None) is None

    def _is_alone(self, function: Function, name: str) -> bool:
        """Whether ``name`` is the only parameter of its type: of two nobody knows which one's table it was."""
        kind = function.types.get(name)
        alone = kind is not None and [function.types.get(other) for other in function.params].count(kind) == 1
        return alone and self._is_given(function, name)

    def _of(self, path: str) -> OperationTables:
        if path not in self._tables:
            self._tables[path] = OperationTables(self._program.text(path) or b"")
        return self._tables[path]
