# SPDX-License-Identifier: GPL-2.0-or-later
"""Operations that stand together in a table: a function that is called through one table of its object reaches, by
another operation of the same object, what that table holds, and never what only other tables hold.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from reviewer.context.locks import canonical
from reviewer.source.cfg import Call, Function, written_by
from reviewer.source.optables import OperationTables
from reviewer.source.program import Program

if TYPE_CHECKING:
    from reviewer.context.effects import Assumptions, OfTables

_TABLE = re.compile(r"(\w+)->((?:\w+\.)*\w+)")
_HOLDER = "container_of"
_POINTER = re.compile(r"(\w+)(?:(?:->|\.)\w+)+")
_OPERATION = re.compile(r"(P(\d+)->\w+)->(\w+)")


class TableMates:
    """Answers for the functions of ``program``."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._tables: dict[str, OperationTables] = {}
        self._files: dict[tuple[str, str, str], tuple[str, ...]] = {}
        self._holding: dict[tuple[str, str, str], frozenset[str]] = {}

    def possible(self, table: str, member: str, held: str | None, function: Function) -> OfTables:
        """What ``table``, as ``map->ops``, can be where its ``member`` is the function ``held``, or anything but NULL.

        ``table`` stands in ``function``, for an object that it is given. Nothing where every table will do; none of the
        file's own where these leave that to the tables of other files.
        """
        given = canonical(function, table)
        found = _TABLE.fullmatch(given)
        if found is None or not self._is_given(function, found.group(1)):
            return frozenset()
        structure = self._program.type_of(table, function)
        every = self._of(function.path).of(structure) if structure is not None else ()
        meant = tuple(sorted(f"{function.path}:{each.name}" for each in every if each.may_hold(member, held)))
        return frozenset(((given, meant),)) if len(meant) < len(every) else frozenset()

    def shared(self, table: str, member: str, held: Function, function: Function) -> OfTables:
        """The same for tables that the driver of ``function`` keeps in any of its files: what ``table`` can be where
        its ``member`` is ``held``."""
        given = canonical(function, table)
        found = _POINTER.fullmatch(given)
        if found is None or not self._is_given(function, found.group(1)):
            return frozenset()
        structure = self._program.type_of(table, function)
        key = (structure or "", member, function.path)
        if key not in self._files:
            self._files[key] = self._program.tables_of(*key)
        every = [(path, each) for path in self._files[key] for each in self._of(path).of(key[0])]
        meant = tuple(
            sorted(
                f"{path}:{each.name}"
                for path, each in every
                if each.holds(member, held.name) and (path == held.path or not held.static or not each.listed)
            )
        )
        return frozenset(((given, meant),)) if 0 < len(meant) < len(every) else frozenset()

    @staticmethod
    def together(here: OfTables, below: OfTables) -> OfTables | None:
        """Both, of which each says what it knows of a pointer; None where one of these has no table that both allow."""
        found = dict(here)
        for path, names in below:
            known = found.get(path)
            found[path] = names if known is None else tuple(name for name in names if name in known)
            if not found[path]:
                return None
        return frozenset(found.items())

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
        path = _of_holder(caller, path)
        table = _TABLE.fullmatch(path)
        if table is None or not caller.static or not self._is_alone(caller, table.group(1)):
            return False
        held = self._held(caller, table.group(1), self._program.type_of(path, caller) or "")
        return bool(held) and held.isdisjoint(names)

    def _held(self, function: Function, name: str, structure: str) -> frozenset[str]:
        """The tables of ``structure`` that objects have for which ``function`` runs, which it is given as ``name``.

        It stands in them, or all its callers do and hand on what they are given. Nothing where that is not clear.
        """
        key = (function.path, function.name, structure)
        if key not in self._holding:
            self._holding[key] = frozenset()  # for those that it is in a circle with
            held = self._of(function.path).holding(structure, function.name)
            found = frozenset(f"{function.path}:{table}" for table in held)
            self._holding[key] = found or self._handed(function, name, structure)
        return self._holding[key]

    def _handed(self, function: Function, name: str, structure: str) -> frozenset[str]:
        """The same as its callers in the file say it."""
        path, found = function.path, set[str]()
        uses: Counter[str] = Counter()
        for line in self._of(path).lines_with(function.name):
            extent = self._program.extent_at(path, line)
            if extent is None:
                return frozenset()
            uses[extent.name] += 1
        uses[function.name] -= 1  # where it is defined
        for user, count in (+uses).items():
            functions = self._program.functions(path, user)
            calls = [call for call in functions[0].calls() if call.name == function.name] if len(functions) == 1 else []
            given = {call.args[function.params.index(name)] for call in calls if len(call.args) == len(function.params)}
            if len(calls) != count or len(given) != 1 or not functions[0].static:
                return frozenset()
            own = given.pop()
            held = self._held(functions[0], own, structure) if self._is_alone(functions[0], own) else None
            if not held:
                return frozenset()
            found |= held
        return frozenset(found)

    @staticmethod
    def _is_given(function: Function, name: str) -> bool:
        """Whether ``name`` is a parameter that stays what it was."""
        return name in function.params and all(written_by(node) != name for node in function.nodes())

    def _is_alone(self, function: Function, name: str) -> bool:
        """Whether ``name`` is the only parameter of its type: of two nobody knows which one's table it was."""
        kind = function.types.get(name)
        alone = kind is not None and [function.types.get(other) for other in function.params].count(kind) == 1
        return alone and self._is_given(function, name)

    def _of(self, path: str) -> OperationTables:
        if path not in self._tables:
            self._tables[path] = OperationTables(self._program.text(path) or b"")
        return self._tables[path]


def _of_holder(function: Function, path: str) -> str:
    """``path``, which goes through the structure around an object that the function has, from that object on:
    ``map->ops`` for ``table->map.ops``."""
    start, arrow, rest = path.partition("->")
    member, _, below = rest.partition(".")
    if not arrow or not below or start not in function.locals:
        return path
    writes = [node for node in function.nodes() if written_by(node) == start]
    if len(writes) != 1 or not isinstance(writes[0], Call) or writes[0].name != _HOLDER:
        return path
    given = writes[0].args
    return f"{given[0]}->{below}" if given[2:] == (member,) else path
