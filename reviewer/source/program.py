# SPDX-License-Identifier: GPL-2.0-or-later
"""The functions of one tree of files, and what their names, members, guards and locks mean in each file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from reviewer.source.buildfiles import BuildFiles
from reviewer.source.builds import Builds
from reviewer.source.cfg import Function
from reviewer.source.declarations import Declaration, Declarations
from reviewer.source.guards import DEFINERS, GuardCall, guard_call, read_guard
from reviewer.source.macros import read_macro
from reviewer.source.nearness import left_to_users
from reviewer.source.pointers import Entry, Instance, apart_from, chosen, exports
from reviewer.source.scopes import Scopes

_TRIED = 6  # definitions of one name
_TOO_COMMON = 200  # of what is in reach: what else the cache has seen must not change an answer
_NAMES_KEPT = 60_000
_WEAK = "__weak"


class Program(Scopes):
    """The program that the files of one tree make."""

    def _begin(self) -> None:
        super()._begin()
        self._resolved: dict[tuple[str, str], tuple[Function, ...]] = {}
        self._macros: dict[tuple[str, str], Function | None] = {}
        self._left_out: dict[tuple[str, str], bool] = {}
        self._instances: dict[tuple[str, str, frozenset[str]], tuple[Instance, ...]] = {}
        self._declarations = Declarations(self)
        self.build_files = BuildFiles(self.files)
        self.builds = Builds(self.build_files)

    def _let_go(self) -> None:
        super()._let_go()
        self._resolved.clear()
        self._macros.clear()
        self._instances.clear()

    # Names

    def resolve(self, name: str, user: str) -> tuple[Function, ...]:
        """What a call of ``name`` in the file ``user`` reaches: one function, or none where that is not clear.

        A call through a member, ``.name``, can reach several.
        """
        key = (name, user)
        found = self._resolved.get(key)
        if found is None:
            if len(self._resolved) > _NAMES_KEPT:
                self._let_go()
            found = self._resolved[key] = self._resolve(name, user)
        return found

    def _resolve(self, name: str, user: str) -> tuple[Function, ...]:
        if name == "?":
            return ()
        if name.startswith("."):
            return tuple(instance.function for instance in self.instances(name[1:], user))
        if (named := guard_call(name)) is not None:
            return self._guard(*named, user)
        if self._may_define(user, name):
            local = self.functions(user, name)
            if local:
                return local[:1]
            macro = self.macro(name, user)
            if macro is not None:
                return (macro,)
        rows = self.store.definitions(name)
        located = [
            (path, rows[position][1])
            for position, path in self.located([row for row, _ in rows], user)
            if not (rows[position][1] in ("s", "m") and path.endswith(".c")) or self._includes(path, user)
        ]
        if left_to_users([path for path, kind in located if kind == "s"], user):
            return ()
        candidates = sorted((self.distance(path, user), kind == "m", path) for path, kind in located)
        candidates = [candidate for candidate in candidates if candidate[0] < 9]
        if not candidates or len(candidates) > _TOO_COMMON or (candidates[0][0] >= 5 and len(candidates) > 6):
            return ()
        return self._usual(name, candidates)

    def _usual(self, name: str, candidates: Sequence[tuple[int, bool, str]]) -> tuple[Function, ...]:
        """Of definitions as (distance, whether it is a macro, path), nearest first, the one that most kernels have."""
        rivals: list[Function] = []
        nearest: tuple[int, bool] | None = None
        for far, is_macro, path in candidates[:_TRIED]:
            if nearest is not None and nearest != (far, is_macro):
                break
            if is_macro:
                macro = self.macro(name, path)
                found: tuple[Function, ...] = (macro,) if macro is not None else ()
            else:
                found = self.functions(path, name)
            if found:  # of several definitions (configuration arms) the one with most in it
                nearest = (far, is_macro)
                rivals.append(max(found, key=lambda f: (not f.reading, sum(len(block.nodes) for block in f.blocks))))
        return (min(rivals, key=self._rarity),) if len(rivals) > 1 else tuple(rivals)

    def _rarity(self, function: Function) -> tuple[bool, int, bool, str]:
        """What is built in few kernels comes last: what another may replace, what an option takes away, the stub."""
        missing = self.builds.missing(function.path)
        return _WEAK in function.words, missing, function.path.endswith(".h"), function.path

    def defining(self, name: str, user: str) -> tuple[str, ...]:
        """The files in the scope of ``user`` that define a function called ``name``, static ones among them."""
        self._any_scope(user)
        rows = [row for row, kind in self.store.definitions(name) if kind != "m"]
        return tuple(sorted({path for _, path in self.located(rows, user)}))

    def own_functions(self, path: str, name: str) -> tuple[Function, ...]:
        """The functions called ``name`` of ``path``, which is not read where it has none, as nearly always."""
        return self.functions(path, name) if self._may_define(path, name) else ()

    def _may_define(self, path: str, name: str) -> bool:
        """Whether the index has a function or macro called ``name`` in ``path``, or does not know the file."""
        self._any_scope(path)
        here = self._row(path)
        return here is None or any(row == here for row, _ in self.store.definitions(name))

    def macro(self, name: str, path: str) -> Function | None:
        """A function-like macro of ``path`` as a function, if what it does can matter."""
        key = (name, path)
        if key not in self._macros:
            self._macros[key] = self._read_macro(name, path)
        return self._macros[key]

    def loop_macro(self, name: str, user: str) -> Function | None:
        """The iteration macro ``name`` as a function that runs the loop once, nearest definition."""
        files = self.macro_files(name, user)
        if not files:
            return None
        key = ("for " + name, files[0])
        if key not in self._macros:
            self._macros[key] = self._read_macro(name, files[0], loop=True)
        return self._macros[key]

    def macro_files(self, name: str, user: str) -> tuple[str, ...]:
        """The files in which the file ``user`` finds a function-like macro ``name``, nearest first; few or none."""
        self._any_scope(user)
        rows = self.store.definitions(name)
        candidates = sorted(
            (self.distance(path, user), path)
            for position, path in self.located([row for row, _ in rows], user)
            if rows[position][1] == "m"
        )
        if len(candidates) > _TOO_COMMON:
            return ()
        return tuple(path for distance, path in candidates if distance < 9)

    def _read_macro(self, name: str, path: str, *, loop: bool = False) -> Function | None:
        text = self.text(path)
        return read_macro(path, text, name, loop=loop) if text is not None else None

    def _guard(self, call: GuardCall, cls: str, user: str) -> tuple[Function, ...]:
        """What a guard of the class ``cls`` does at one end of its scope, as the nearest definition says."""
        near = self.mentions_below_any(self.scope(user), DEFINERS[call])
        for path in (user, *sorted(near - {user}, key=lambda path: (self.distance(path, user), path))):
            text = self.text(path)
            found = read_guard(path, text, call, cls) if text is not None else None
            if isinstance(found, str):
                return self._guard(call, found, user) if found != cls else ()
            if found is not None:
                return (found,)
        return ()

    # Tables of functions

    def instances(self, field: str, user: str, structures: frozenset[str] = frozenset()) -> tuple[Instance, ...]:
        """The functions that a call through the member ``field`` in the file ``user`` can reach.

        ``structures`` are the types whose member it is; empty where they are not known.
        """
        key = (field, user, structures)
        if key not in self._instances:
            self._any_scope(user)
            tabled = self._filled_with(field, user)
            near = tabled + self._assigned_to(field, user)
            meant = self._of_structures(near, field, user, structures) if structures else near
            serves = bool(meant) and exports(self.text(user) or b"")
            entries = chosen(meant if len(meant) <= _TOO_COMMON else (), user, serves=serves)
            self._instances[key] = tuple(
                Instance(
                    function,
                    apart_from(entry, entries),
                    f"{entry.structure}.{field}",
                    self._flags(entry),
                    assigned=entry not in tabled,
                )
                for entry in entries
                for function in self.resolve(entry.function, entry.path)[:1]
            )
        return self._instances[key]

    def tables_of(self, structure: str, field: str, user: str) -> tuple[str, ...]:
        """The files whose tables fill the member of the structure, which is not one that all of the kernel knows.

        Nothing where a function may be put into that member by an assignment.
        """
        holder = self._declarations.holder(structure, field, user)
        if holder is None or "include" in holder[0].split("/"):
            return ()
        if any(
            self._declarations.holder(each.structure, field, each.path) in (holder, None)
            for each in self._assigned_to(field, user)
        ):
            return ()
        return tuple(sorted({each.path for each in self._filled_with(field, user) if each.structure == structure}))

    def _filled_with(self, field: str, user: str) -> list[Entry]:
        """What the tables that the file ``user`` can see fill a member with."""
        rows = self.store.initialisers(field)
        return [
            Entry(path, self._declarations.part(rows[position][1], path), rows[position][2])
            for position, path in self.located([row for row, _, _ in rows], user)
            if self.distance(path, user) < 9
        ]

    def _of_structures(self, entries: list[Entry], field: str, user: str, structures: frozenset[str]) -> list[Entry]:
        """Those of ``entries`` that do not stand in a structure of another type with a member of the same name."""
        wanted = {self._declarations.holder(structure, field, user) for structure in structures}
        if None in wanted:
            return entries
        holders = {entry: self._declarations.holder(entry.structure, field, entry.path) for entry in entries}
        return [entry for entry in entries if holders[entry] is None or holders[entry] in wanted]

    def _assigned_to(self, field: str, user: str) -> list[Entry]:
        """What assignments that the file ``user`` can see put into a member, where it is clear of which structure."""
        rows = self.store.assigned_to(field)
        seen = (
            (path, rows[position][1])
            for position, path in self.located([row for row, _ in rows], user)
            if self.distance(path, user) < 9
        )
        found = [(path, each, self._declarations.member_of(each.structure, each.path, path)) for path, each in seen]
        return [Entry(path, structure, each.function) for path, each, structure in found if structure is not None]

    def _flags(self, entry: Entry) -> frozenset[str]:
        """The members that tables like that of ``entry`` set to true in its file."""
        found: set[str] = set()
        for row, name in self._written_as(entry.structure, entry.path):
            found |= self.store.set_true(name, row)
        return frozenset(found)

    def _written_as(self, structure: str, path: str) -> Iterator[tuple[int, str]]:
        """(row of the file ``path``, what its tables call the structure): its name, or as a part of another."""
        row = self._row(path)
        if row is not None:
            yield row, structure
            yield from (
                (row, part) for part in self.store.parts(row) if self._declarations.part(part, path) == structure
            )

    def leaves_out(self, path: str, member: str) -> bool:
        """Whether the file ``path`` has tables of a structure, and none of them fills this ``structure.field``."""
        if (path, member) not in self._left_out:
            structure, _, field = member.rpartition(".")
            row = self._row(path)
            filled: set[str] = set()
            for blob, name in self._written_as(structure, path):
                filled |= self.store.filled(name, blob)
            assigned = row is not None and self.store.assigns(field, row)
            self._left_out[path, member] = bool(filled) and field not in filled and not assigned
        return self._left_out[path, member]

    def members(self, function: Function) -> frozenset[tuple[str, str]]:
        """(structure, field) of the tables in which ``function`` stands."""
        self._any_scope(function.path)
        rows = self.store.members(function.name)
        return frozenset(
            (self._declarations.part(rows[position][1], path), rows[position][2])
            for position, path in self.located([row for row, _, _ in rows], function.path)
            if not function.static or path == function.path
        )

    def filled(self, function: Function) -> frozenset[tuple[str, str]]:
        """(structure, field) of what ``function`` is put into: tables, and members that its own file assigns to."""
        tables = self.members(function)
        self._any_scope(function.path)
        row = self._row(function.path)
        found = [
            (self._declarations.member_of(each.structure, each.path, function.path), each.field)
            for blob, each in self.store.assigned(function.name)
            if blob == row
        ]
        return tables.union((structure, field) for structure, field in found if structure is not None)

    # Declarations

    def type_of(self, expression: str, function: Function) -> str | None:
        """The tag or typedef of what ``expression`` is, or points to, in ``function``; None where that is not clear."""
        self._any_scope(function.path)
        return self._declarations.type_of(expression, function)

    def tag(self, name: str, user: str) -> str | None:
        """The tag of the structure that the file ``user`` calls ``name``; None where its definition is not found."""
        self._any_scope(user)
        return self._declarations.tag(name, user)

    def lock_types(self, name: str, user: str) -> frozenset[str]:
        """The types under which a lock called ``name`` is declared in the scope of ``user``; the nearest ones only."""
        self._any_scope(user)
        rows = self.store.locks(name)
        located = [
            (self.distance(path, user), rows[position][1])
            for position, path in self.located([row for row, _ in rows], user)
        ]
        nearest = min((far for far, _ in located), default=9)
        return frozenset(kind for distance, kind in located if distance == nearest) if nearest < 9 else frozenset()

    def lock(self, expression: str, function: Function) -> Declaration | None:
        """Where the lock that ``expression`` means in ``function`` is declared; None where that is not clear."""
        self._any_scope(function.path)
        return self._declarations.lock(expression, function)

    def lock_of_type(self, expression: str, types: Mapping[str, str], user: str) -> str | None:
        """The class of a lock that a text writes as ``kvm->lock``, where ``types`` says what its variables are."""
        self._any_scope(user)
        return self._declarations.lock_class(expression, types, user)

    def lock_class(self, expression: str, function: Function) -> str | None:
        """The class of a lock, ``kvm.mmu_lock`` or ``kernel/x.c:list_lock``; two locks of one class may be nested only
        with care (Documentation/locking/lockdep-design.rst)."""
        declared = self.lock(expression, function)
        return declared.lock_class if declared is not None else None
