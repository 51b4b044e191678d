# SPDX-License-Identifier: GPL-2.0-or-later
"""The functions of one tree of files: by file, by name, and who mentions whom."""

from __future__ import annotations

import posixpath
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from reviewer.source.buildfiles import BuildFiles
from reviewer.source.builds import Builds
from reviewer.source.cfg import Extent, Function, Layout
from reviewer.source.declarations import Declaration, Declarations
from reviewer.source.files import Files
from reviewer.source.guards import DEFINERS, GuardCall, guard_call, read_guard
from reviewer.source.macros import read_macro
from reviewer.source.mentions import Mentions
from reviewer.source.nearness import architecture, distance, folders_seen_from, left_to_users
from reviewer.source.parse import ParsedFile, parse
from reviewer.source.pointers import Entry, Instance, apart_from, chosen, exports
from reviewer.source.scan import scan
from reviewer.source.store import Store

C_SUFFIXES = (".c", ".h")
"""The ends of the names of files that are read."""

_MANY = 40
_TRIED = 6  # definitions of one name
_TOO_COMMON = 200  # of what is in reach: what else the cache has seen must not change an answer
_TEXTS_KEPT = 256
_SCANNED = 2000  # blobs at a time
_SCANNED_SHARED = 200
_PARSED_KEPT = 8_000_000  # bytes of text; its syntax trees need about fifteen times as much
_FUNCTIONS_KEPT = 15_000
_NAMES_KEPT = 60_000
_WEAK = "__weak"
_INCLUDED_CODE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]+"([\w-]+\.[ch])"', re.MULTILINE)


class Program:
    """Functions of one ``Files``. ``changed`` are paths that differ from ``base``, whose parsed files are shared."""

    def __init__(
        self,
        files: Files,
        store: Store,
        *,
        base: Program | None = None,
        changed: Iterable[str] = (),
        wanted: dict[str, frozenset[int]] | None = None,
    ) -> None:
        self.files = files
        self.store = store
        self._base = base
        self._changed = frozenset(changed)
        self._wanted = dict(wanted or {})
        self._texts: OrderedDict[str, bytes | None] = OrderedDict()
        self._parsed: OrderedDict[str, ParsedFile | None] = OrderedDict()
        self._parsed_size = 0
        self._functions: dict[tuple[str, str], tuple[Function, ...]] = {}
        self._resolved: dict[tuple[str, str], tuple[Function, ...]] = {}
        self._macros: dict[tuple[str, str], Function | None] = {}
        self._left_out: dict[tuple[str, str], bool] = {}
        self._instances: dict[tuple[str, str, frozenset[str]], tuple[Instance, ...]] = {}
        self._scanned: set[tuple[str, ...]] = set()
        self._scopes: dict[str, tuple[str, ...]] = {}
        self._covered: dict[str, dict[int, tuple[str, ...]]] = {}
        self._within: dict[tuple[str, ...], dict[int, tuple[str, ...]]] = {}
        self._members_used: dict[tuple[str, str], bool] = base._members_used if base is not None else {}
        self._declarations = Declarations(self)
        self._mentions = Mentions(files, store)
        self._shared = False
        self._backwards = False
        self.build_files = BuildFiles(files)
        self.builds = Builds(self.build_files)

    # Files

    def want(self, lines: dict[str, frozenset[int]]) -> None:
        """Read again, for these lines, the files in which one of them lies in an arm that was not read."""
        for path, wanted in lines.items():
            if any(map(self._layout(path).is_dead, wanted)):
                self._wanted[path] = wanted
                usual = self._parsed.pop(path, None)
                self._parsed_size -= usual.size if usual is not None else 0

    def _of_base(self, path: str) -> Program | None:
        """The base, where it reads ``path`` as this program does."""
        return None if path in self._changed or path in self._wanted else self._base

    def text(self, path: str) -> bytes | None:
        """The text of ``path``; the last ones stay at hand."""
        if self._base is not None and path not in self._changed:
            return self._base.text(path)
        if path not in self._texts:
            self._texts[path] = self.files.read(path)
            if len(self._texts) > _TEXTS_KEPT:
                self._texts.popitem(last=False)
        self._texts.move_to_end(path)
        return self._texts[path]

    def _release(self) -> None:
        """Let go of functions, where they have become many. They are read again when they are asked for."""
        if len(self._functions) > _FUNCTIONS_KEPT or len(self._resolved) > _NAMES_KEPT:
            self._functions.clear()
            self._resolved.clear()
            self._macros.clear()
            self._instances.clear()

    @property
    def usual_arms(self) -> bool:
        """Whether no wanted line made a function seen that nobody else sees: then all others mean the same."""
        return not any(map(self.hidden, self._wanted))

    @property
    def base(self) -> Program | None:
        """The program that this one was made from."""
        return self._base

    @property
    def changed(self) -> frozenset[str]:
        """The files that differ from the base."""
        return self._changed

    @property
    def touched(self) -> frozenset[str]:
        """The files that differ from the base, or are read otherwise."""
        return self._changed.union(self._wanted)

    def usual_extents(self, path: str) -> tuple[Extent, ...] | None:
        """The functions of the usual arms; None where a wanted line made more functions seen."""
        if (base := self._of_base(path)) is not None:
            return base.usual_extents(path)
        parsed = self.parsed(path) if path in self._wanted else None
        if parsed is None:
            return self.extents(path)
        return None if parsed.hidden else parsed.usual

    def hidden(self, path: str) -> frozenset[str]:
        """The functions that are seen only because of a wanted line."""
        if (base := self._of_base(path)) is not None:
            return base.hidden(path)
        parsed = self.parsed(path) if path in self._wanted else None
        return parsed.hidden if parsed is not None else frozenset()

    def using(self, words: Iterable[str], folders: Sequence[str]) -> frozenset[str]:
        """The files below ``folders`` in which one of ``words`` stands; ``.name`` as a member that is not filled."""
        sought = sorted(set(words))
        names = [word.removeprefix(".") for word in sought]
        self._mentions.expect(dict.fromkeys(folders, names))
        return frozenset(
            path
            for folder in folders
            for word in sought
            for path in self.mentions_below(folder, word.removeprefix("."))
            if not word.startswith(".") or self._uses_member(path, word[1:])
        )

    def _uses_member(self, path: str, member: str) -> bool:
        key = (self.files.blob_id(path) or path, member)
        if key not in self._members_used:
            use = rb"(?:->|\.)\s*%b\b(?!\s*=[^=])|[(,]\s*%b\s*[,)]" % (member.encode(), member.encode())
            self._members_used[key] = re.search(use, self.files.read(path) or b"") is not None
        return self._members_used[key]

    def parsed(self, path: str) -> ParsedFile | None:
        """The file ``path``, read once; None where the tree has no such file."""
        if (base := self._of_base(path)) is not None:
            return base.parsed(path)
        if path not in self._parsed:
            text = self.files.read(path)
            parsed = None if text is None else parse(path, text, self._wanted.get(path, frozenset()))
            self._parsed[path] = parsed
            self._parsed_size += parsed.size if parsed is not None else 0
            while self._parsed_size > _PARSED_KEPT and len(self._parsed) > 1:
                _, oldest = self._parsed.popitem(last=False)
                self._parsed_size -= oldest.size if oldest is not None else 0
        self._parsed.move_to_end(path)
        return self._parsed[path]

    def functions(self, path: str, name: str | None = None) -> tuple[Function, ...]:
        """The functions of ``path``, or those called ``name``."""
        if (base := self._of_base(path)) is not None:
            return base.functions(path, name)
        if name is None or path in self._wanted:
            parsed = self.parsed(path)
            return tuple(parsed.functions(name)) if parsed is not None else ()
        key = (path, name)
        found = self._functions.get(key)
        if found is None:
            self._release()
            found = self._functions[key] = self._stored(path, name)
        return found

    def _stored(self, path: str, name: str) -> tuple[Function, ...]:
        oid = self.files.blob_id(path)
        found = self.store.functions(oid, name) if oid is not None else None
        if found is None:
            parsed = self.parsed(path)
            found = tuple(parsed.functions(name)) if parsed is not None else ()
            if oid is not None:
                self.store.add_functions(oid, name, found)
        # One blob can stand under several paths.
        return tuple(f if f.path == path else msgspec.structs.replace(f, path=path) for f in found)

    def extents(self, path: str) -> tuple[Extent, ...]:
        """Where the functions of ``path`` stand."""
        return self._layout(path).extents

    def extent_at(self, path: str, line: int) -> Extent | None:
        """The function of ``path`` in which the 1-based ``line`` lies, if any; less is read than for all of them."""
        if (base := self._of_base(path)) is not None:
            return base.extent_at(path, line)
        known = self._stored_layout(path)[1] or self.parsed(path)
        return known.extent_at(line) if known is not None else None

    def _stored_layout(self, path: str) -> tuple[str | None, Layout | None]:
        """Under which blob the layout of ``path`` is stored, if under any, and the layout if it is there."""
        oid = None if path in self._wanted else self.files.blob_id(path)
        return oid, self.store.layout(oid) if oid is not None else None

    def _layout(self, path: str) -> Layout:
        if (base := self._of_base(path)) is not None:
            return base._layout(path)
        oid, known = self._stored_layout(path)
        if known is None:
            parsed = self.parsed(path)
            known = parsed.layout if parsed is not None else Layout()
            if oid is not None:
                self.store.add_layout(oid, known)
        return known

    def share(self, *, backwards: bool) -> None:
        """Share with another process what is read of the tree; one of the two goes ``backwards``."""
        self.store.share()
        self._shared = True
        self._backwards = backwards

    # Names

    def scope(self, path: str) -> tuple[str, ...]:
        """The folders in which a name used in ``path`` is looked for."""
        if path not in self._scopes:
            self._scopes[path] = folders_seen_from(path)
        return self._scopes[path]

    architecture = staticmethod(architecture)
    distance = staticmethod(distance)

    def _paths(self, folder: str) -> dict[int, tuple[str, ...]]:
        """Blob row to the paths below ``folder``, after every blob there was scanned."""
        if folder not in self._covered and self._base is not None and self._same_below(folder):
            self._covered[folder] = self._base._paths(folder)
        if folder not in self._covered:
            blobs = self.files.blobs(folder, C_SUFFIXES)
            known = self.store.known_blobs()
            missing = list(dict.fromkeys(oid for _, oid in blobs if oid not in known))
            if self._backwards:
                missing.reverse()
            length = _SCANNED_SHARED if self._shared else _SCANNED
            for start in range(0, len(missing), length):
                known = self.store.known_blobs(anew=self._shared)
                batch = [oid for oid in missing[start : start + length] if oid not in known]
                self.store.add((oid, scan(text)) for oid, text in self.files.read_blobs(batch))
            known = self.store.known_blobs()
            rows: dict[int, list[str]] = {}
            for path, oid in blobs:
                if oid in known:
                    rows.setdefault(known[oid], []).append(path)
            self._covered[folder] = {row: tuple(paths) for row, paths in rows.items()}
        return self._covered[folder]

    def _same_below(self, folder: str) -> bool:
        return not any(path.startswith(folder + "/") for path in self._changed)

    def located(self, rows: Sequence[int], user: str) -> list[tuple[int, str]]:
        """(position in ``rows``, path) of what lies in the scope of the file ``user``."""
        scope = self.scope(user)
        if scope not in self._within:
            within: dict[int, tuple[str, ...]] = {}
            for folder in scope:
                for row, paths in self._paths(folder).items():
                    within[row] = within.get(row, ()) + paths
            self._within[scope] = within
        paths_of = self._within[scope]
        return [(position, path) for position, row in enumerate(rows) for path in paths_of.get(row, ())]

    def resolve(self, name: str, user: str) -> tuple[Function, ...]:
        """What a call of ``name`` in the file ``user`` reaches: one function, or none where that is not clear.

        A call through a member, ``.name``, can reach several.
        """
        key = (name, user)
        found = self._resolved.get(key)
        if found is None:
            self._release()
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

    def instances(self, field: str, user: str, structures: frozenset[str] = frozenset()) -> tuple[Instance, ...]:
        """The functions that a call through the member ``field`` in the file ``user`` can reach.

        ``structures`` are the types whose member it is; empty where they are not known.
        """
        key = (field, user, structures)
        if key not in self._instances:
            self._any_scope(user)
            rows = self.store.initialisers(field)
            near = [
                Entry(path, self._declarations.part(rows[position][1], path), rows[position][2])
                for position, path in self.located([row for row, _, _ in rows], user)
                if self.distance(path, user) < 9
            ]
            near += self._assigned_to(field, user)
            meant = self._of_structures(near, field, user, structures) if structures else near
            serves = bool(meant) and exports(self.text(user) or b"")
            entries = chosen(meant if len(meant) <= _TOO_COMMON else (), user, serves=serves)
            self._instances[key] = tuple(
                Instance(function, apart_from(entry, entries), f"{entry.structure}.{field}", self._flags(entry))
                for entry in entries
                for function in self.resolve(entry.function, entry.path)[:1]
            )
        return self._instances[key]

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

    def own_functions(self, path: str, name: str) -> tuple[Function, ...]:
        """The functions called ``name`` of ``path``, which is not read where it has none, as nearly always."""
        return self.functions(path, name) if self._may_define(path, name) else ()

    def _may_define(self, path: str, name: str) -> bool:
        """Whether the index has a function or macro called ``name`` in ``path``, or does not know the file."""
        self._any_scope(path)
        here = self._row(path)
        return here is None or any(row == here for row, _ in self.store.definitions(name))

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

    def _guard(self, call: GuardCall, cls: str, user: str) -> tuple[Function, ...]:
        """What a guard of the class ``cls`` does at one end of its scope, as the nearest definition says."""
        near = {
            path for folder in self.scope(user) for word in DEFINERS[call] for path in self.mentions_below(folder, word)
        }
        for path in (user, *sorted(near - {user}, key=lambda path: (self.distance(path, user), path))):
            text = self.text(path)
            found = read_guard(path, text, call, cls) if text is not None else None
            if isinstance(found, str):
                return self._guard(call, found, user) if found != cls else ()
            if found is not None:
                return (found,)
        return ()

    def _any_scope(self, user: str) -> None:
        """Scan the scope of ``user``."""
        scope = self.scope(user)
        if scope not in self._scanned:
            for folder in reversed(scope) if self._backwards else scope:
                self._paths(folder)
            self._scanned.add(scope)

    def _row(self, path: str) -> int | None:
        oid = self.files.blob_id(path)
        return self.store.known_blobs().get(oid) if oid is not None else None

    def macro(self, name: str, path: str) -> Function | None:
        """A function-like macro of ``path`` as a function, if what it does can matter."""
        key = (name, path)
        if key not in self._macros:
            self._macros[key] = self._read_macro(name, path)
        return self._macros[key]

    def loop_macro(self, name: str, user: str) -> Function | None:
        """The iteration macro ``name`` as a function that runs the loop once, nearest definition."""
        self._any_scope(user)
        rows = self.store.definitions(name)
        candidates = sorted(
            (self.distance(path, user), path)
            for position, path in self.located([row for row, _ in rows], user)
            if rows[position][1] == "m"
        )
        if not candidates or len(candidates) > _TOO_COMMON or candidates[0][0] >= 9:
            return None
        key = ("for " + name, candidates[0][1])
        if key not in self._macros:
            self._macros[key] = self._read_macro(name, candidates[0][1], loop=True)
        return self._macros[key]

    def _read_macro(self, name: str, path: str, *, loop: bool = False) -> Function | None:
        text = self.text(path)
        return read_macro(path, text, name, loop=loop) if text is not None else None

    # Declarations

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

    def type_of(self, expression: str, function: Function) -> str | None:
        """The tag or typedef of what ``expression`` is, or points to, in ``function``; None where that is not clear."""
        self._any_scope(function.path)
        return self._declarations.type_of(expression, function)

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

    # Users

    def mentioning(self, function: Function) -> tuple[str, ...]:
        """The files in which ``function`` may be called or registered, nearest first; at most ``_MANY``."""
        if function.static and function.path.endswith(".c"):
            return (function.path, *self._included(function.path))
        found: set[str] = {function.path}
        for folder in self.scope(function.path):
            found.update(self.mentions_below(folder, function.name))
        near = sorted(
            (self.distance(path, function.path), path) for path in found if self.distance(path, function.path) < 9
        )
        return tuple(path for _, path in near[:_MANY])

    def expect(self, paths: Iterable[str]) -> None:
        """Search at once for all names that the files ``paths`` offer to others; ``mentioning`` will be asked."""
        self.expect_users(
            function
            for path in paths
            for name in {extent.name for extent in self.extents(path)}
            for function in self.functions(path, name)
        )

    def expect_users(self, functions: Iterable[Function]) -> None:
        """The same for the names of ``functions``."""
        words: dict[str, set[str]] = {}
        for function in functions:
            if not function.static or not function.path.endswith(".c"):
                for folder in self.scope(function.path):
                    words.setdefault(folder, set()).add(function.name)
        self._mentions.expect(words)

    def _included(self, path: str) -> tuple[str, ...]:
        """The files of code beside ``path`` that it includes, and in which its static functions are known."""
        names = _INCLUDED_CODE.findall(self.text(path) or b"")
        beside = (posixpath.join(posixpath.dirname(path), name.decode()) for name in names)
        return tuple(included for included in beside if self.text(included) is not None)

    def _includes(self, path: str, user: str) -> bool:
        """Whether the file ``path`` includes ``user``, which stands beside it, and so shares its static functions."""
        return posixpath.dirname(path) == posixpath.dirname(user) and user in self._included(path)

    def said_beside(self, path: str, word: str) -> bool:
        """Whether a file in the folder of ``path``, or below it, says ``word``."""
        folder = posixpath.dirname(path)
        text = self.files.read(path) or b""
        return word.encode() in text or bool(folder and self.mentions_below(folder, word))

    def mentions_below(self, folder: str, word: str) -> tuple[str, ...]:
        """The files below ``folder`` that hold ``word``."""
        return self._mentions.below(folder, word)
