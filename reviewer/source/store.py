# SPDX-License-Identifier: GPL-2.0-or-later
"""What was read out of blobs, kept by git object name in one SQLite file.

The file is a cache: it may be deleted at any time, is shared by all trees and by processes that run at once, and is
made anew when it is damaged or of another schema.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from reviewer.source.assigned import Assigned
from reviewer.source.cfg import Function, Layout
from reviewer.source.database import Database
from reviewer.source.types import Structures

SCHEMA = 56
_PENDING = 2000
_PENDING_SHARED = 100
_NAMES_KEPT = 5000
_AT_ONCE = 500  # blobs that are scanned before what was found is written
_CHECKSUM = 4  # bytes of CRC-32 before each value: SQLite does not notice that a byte of it has changed
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(tuple[Function, ...])
_STRUCTURES = msgspec.msgpack.Decoder(Structures)
_LAYOUT = msgspec.msgpack.Decoder(Layout)
_T = TypeVar("_T")

_TABLES = """
create table if not exists blob (id integer primary key, oid text not null unique);
create table if not exists definition (
    name text not null, blob integer not null, kind text not null, primary key (name, blob, kind)
) without rowid;
create table if not exists lock (
    name text not null, blob integer not null, type text not null, primary key (name, blob, type)
) without rowid;
create table if not exists member (
    function text not null, blob integer not null, structure text not null, field text not null,
    primary key (function, blob, structure, field)
) without rowid;
create table if not exists assigned (
    function text not null, blob integer not null, structure text not null, path text not null, field text not null,
    primary key (function, blob, structure, path, field)
) without rowid;
create table if not exists type (
    name text not null, blob integer not null, target text not null, primary key (name, blob, target)
) without rowid;
create table if not exists variable (
    name text not null, blob integer not null, type text not null, static integer not null,
    primary key (name, blob, type, static)
) without rowid;
create table if not exists structure (
    oid text not null, name text not null, members blob not null, primary key (oid, name)
) without rowid;
create table if not exists mention (
    word text not null, folder text not null, path text not null, primary key (word, folder, path)
) without rowid;
create table if not exists lowered (
    oid text not null, name text not null, functions blob not null, primary key (oid, name)
) without rowid;
create table if not exists layout (oid text primary key, layout blob not null) without rowid;
create table if not exists used (
    repository text not null, tree text not null, day integer not null, primary key (repository, tree)
) without rowid;
create table if not exists origin (
    id integer primary key, tree text not null, rules text not null, files blob not null, unique (tree, rules)
);
create table if not exists summary (
    oid text not null, path text not null, name text not null, line integer not null, origin integer not null,
    files blob not null, data blob not null, primary key (oid, path, name, line, origin)
) without rowid;
create table if not exists finished (key text primary key, day integer not null, data blob not null) without rowid;
create index if not exists member_field on member (field, blob);
create index if not exists assigned_field on assigned (field, blob);
create index if not exists member_structure on member (blob, structure);
"""


@dataclass(frozen=True, slots=True)
class BlobFacts:
    """What one scan of a file finds.

    ``definitions`` are (name, kind), ``locks`` (name, type), ``members`` (function, structure, field), ``types``
    (name, the type it is another name of or nothing), ``variables`` of the file (name, type with a ``*`` for a
    pointer, whether it is static), ``assigned`` the functions that are put into members by assignments.

    The kind of a definition is ``f`` (function), ``s`` (static function) or ``m`` (function-like macro).
    """

    definitions: tuple[tuple[str, str], ...]
    locks: tuple[tuple[str, str], ...]
    members: tuple[tuple[str, str, str], ...]
    types: tuple[tuple[str, str], ...] = ()
    variables: tuple[tuple[str, str, bool], ...] = ()
    assigned: tuple[Assigned, ...] = ()


class Store:
    """The cache file, or one in memory where ``path`` is None."""

    def __init__(self, path: Path | None) -> None:
        self.database = Database(path, SCHEMA, _TABLES)
        self._ids: dict[str, int] | None = None
        self._layouts: dict[str, Layout] = {}
        self._lowered: dict[tuple[str, str], tuple[Function, ...]] = {}
        self._structures: dict[tuple[str, str], Structures] = {}
        self._definitions: dict[str, list[tuple[int, str]]] = {}
        self._most_pending = _PENDING

    def close(self) -> None:
        """Write what was read and close the file."""
        try:
            self.flush()
        finally:
            self.database.close()

    def rows(self, statement: str, values: Sequence[str | int | None]) -> list[Any]:
        """The rows that ``statement`` yields."""
        return self.database.query(statement, values)

    def write(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run ``statement`` for each of ``rows``: all of it is written or nothing."""
        with self.database.transaction() as db:
            db.execute_many(statement, rows)

    def known_blobs(self, *, anew: bool = False) -> dict[str, int]:
        """Object name to row of every blob that was scanned; ``anew`` where another process may have added some."""
        if self._ids is None or anew:
            self._definitions.clear()
            self._ids = dict(self.database.query("select oid, id from blob"))
        return self._ids

    def add(self, scans: Iterable[tuple[str, BlobFacts]]) -> None:
        """Keep what was found in blobs; what is written stays when the rest of ``scans`` is never reached."""
        waiting = iter(scans)
        while batch := tuple(islice(waiting, _AT_ONCE)):
            self._add(batch)

    def _add(self, scans: tuple[tuple[str, BlobFacts], ...]) -> None:
        self._definitions.clear()
        known = self._ids if self._ids is not None else {}
        new = {oid: facts for oid, facts in scans if oid not in known}
        rows: dict[int, BlobFacts] = {}
        ids: dict[str, int] = {}
        with self.database.transaction() as db:
            for oid, facts in new.items():
                made = db.query("insert into blob (oid) values (?) on conflict do nothing returning id", (oid,))
                if made:
                    rows[made[0][0]] = facts
                else:  # another process was faster
                    made = db.query("select id from blob where oid = ?", (oid,))
                ids[oid] = made[0][0]
            # In the order of the tables: that is twice as fast.
            db.execute_many(
                "insert into definition values (?, ?, ?)",
                sorted((n, r, k) for r, f in rows.items() for n, k in f.definitions),
            )
            db.execute_many(
                "insert into lock values (?, ?, ?)", sorted((n, r, t) for r, f in rows.items() for n, t in f.locks)
            )
            db.execute_many(
                "insert into member values (?, ?, ?, ?)",
                sorted((f, r, s, m) for r, facts in rows.items() for f, s, m in facts.members),
            )
            db.execute_many(
                "insert into type values (?, ?, ?)", sorted((n, r, t) for r, f in rows.items() for n, t in f.types)
            )
            db.execute_many(
                "insert into variable values (?, ?, ?, ?)",
                sorted((n, r, t, s) for r, facts in rows.items() for n, t, s in facts.variables),
            )
            db.execute_many(
                "insert into assigned values (?, ?, ?, ?, ?)",
                sorted((f, r, s, p, m) for r, facts in rows.items() for f, s, p, m in facts.assigned),
            )
        known.update(ids)

    def definitions(self, name: str) -> list[tuple[int, str]]:
        """(blob row, kind) of every definition of ``name`` in any blob ever scanned."""
        found = self._definitions.get(name)
        if found is None:
            if len(self._definitions) >= _NAMES_KEPT:
                self._definitions.clear()
            found = self._definitions[name] = self.database.query(
                "select blob, kind from definition where name = ?", (name,)
            )
        return found

    def locks(self, name: str) -> list[tuple[int, str]]:
        """(blob row, type) of every lock declared as ``name``."""
        return self.database.query("select blob, type from lock where name = ?", (name,))

    def types(self, name: str) -> list[tuple[int, str]]:
        """(blob row, the type it is another name of or nothing) of every type called ``name``."""
        return self.database.query("select blob, target from type where name = ?", (name,))

    def variables(self, name: str) -> list[tuple[int, str, bool]]:
        """(blob row, type, whether it is static) of every variable of a file called ``name``."""
        rows = self.database.query("select blob, type, static from variable where name = ?", (name,))
        return [(blob, declared, bool(static)) for blob, declared, static in rows]

    def structures(self, oid: str, name: str) -> Structures | None:
        """The type ``name`` as the blob defines it; None where it was not read yet."""
        pending = self._structures.get((oid, name))
        if pending is not None:
            return pending
        rows = self.database.query("select members from structure where oid = ? and name = ?", (oid, name))
        return decoded(_STRUCTURES, rows)

    def add_structures(self, oid: str, name: str, found: Structures) -> None:
        """Keep what a blob says of the type ``name``."""
        self._structures[oid, name] = found

    def members(self, function: str) -> list[tuple[int, str, str]]:
        """(blob row, structure, field) of every initialiser that names ``function``."""
        return self.database.query("select blob, structure, field from member where function = ?", (function,))

    def initialisers(self, field: str) -> list[tuple[int, str, str]]:
        """(blob row, structure, function) of every initialiser of a member called ``field``."""
        return self.database.query("select blob, structure, function from member where field = ?", (field,))

    def assigned(self, function: str) -> list[tuple[int, Assigned]]:
        """By blob row, every assignment of ``function`` to a member."""
        rows = self.database.query("select blob, structure, path, field from assigned where function = ?", (function,))
        return [(blob, Assigned(function, structure, path, field)) for blob, structure, path, field in rows]

    def assigned_to(self, field: str) -> list[tuple[int, Assigned]]:
        """By blob row, every assignment of a function to a member called ``field``."""
        rows = self.database.query("select blob, function, structure, path from assigned where field = ?", (field,))
        return [(blob, Assigned(function, structure, path, field)) for blob, function, structure, path in rows]

    def filled(self, structure: str, blob: int) -> frozenset[str]:
        """The members that initialisers of the structure fill in the file with this blob row."""
        rows = self.database.query("select field from member where structure = ? and blob = ?", (structure, blob))
        return frozenset(field for (field,) in rows)

    def parts(self, blob: int) -> tuple[str, ...]:
        """The parts of tables, ``bell.ops``, in which the file with this blob row names something."""
        rows = self.database.query(
            "select distinct structure from member where blob = ? and structure like '%.%'", (blob,)
        )
        return tuple(sorted(structure for (structure,) in rows))

    def set_true(self, structure: str, blob: int) -> frozenset[str]:
        """The members that initialisers of the structure set to ``true`` in the file with this blob row."""
        query = "select field from member where function = 'true' and structure = ? and blob = ?"
        return frozenset(field for (field,) in self.database.query(query, (structure, blob)))

    def assigns(self, field: str, blob: int) -> bool:
        """Whether the file with this blob row assigns a function to a member called ``field``."""
        return bool(self.database.query("select 1 from assigned where field = ? and blob = ? limit 1", (field, blob)))

    def mentions(self, word: str, folder: str) -> tuple[str, ...] | None:
        """The paths, relative to the folder with this object name, that hold ``word``; None where that is not known."""
        rows = [
            path
            for (path,) in self.database.query("select path from mention where word = ? and folder = ?", (word, folder))
        ]
        return tuple(sorted(path for path in rows if path)) if rows else None

    def add_mentions(self, folder: str, found: Mapping[str, Iterable[str]]) -> None:
        """Keep the answers of a search: by word the paths. The empty path says that the search was made."""
        with self.database.transaction() as db:
            db.execute_many(
                "insert into mention values (?, ?, ?) on conflict do nothing",
                [(word, folder, path) for word, paths in found.items() for path in ("", *paths)],
            )

    def functions(self, oid: str, name: str) -> tuple[Function, ...] | None:
        """The functions called ``name`` of a blob as they were lowered before; None where they were not."""
        pending = self._lowered.get((oid, name))
        if pending is not None:
            return pending
        rows = self.database.query("select functions from lowered where oid = ? and name = ?", (oid, name))
        return decoded(_DECODER, rows)

    def layout(self, oid: str) -> Layout | None:
        """Where the functions of a blob stand; None where it was not parsed yet."""
        pending = self._layouts.get(oid)
        if pending is not None:
            return pending
        return decoded(_LAYOUT, self.database.query("select layout from layout where oid = ?", (oid,)))

    def add_layout(self, oid: str, layout: Layout) -> None:
        """Keep where the functions of a blob stand."""
        self._layouts[oid] = layout

    def add_functions(self, oid: str, name: str, functions: tuple[Function, ...]) -> None:
        """Keep lowered functions; they are written when many have come together."""
        self._lowered[oid, name] = functions
        if len(self._lowered) >= self._most_pending:
            self.flush()

    def share(self) -> None:
        """Write early what another process, which reads the same tree, need not read then."""
        self._most_pending = _PENDING_SHARED

    def flush(self) -> None:
        """Write what waits to be written."""
        if self._lowered or self._layouts or self._structures:
            # "or replace": what does not decode is put right.
            with self.database.transaction() as db:
                db.execute_many(
                    "insert or replace into layout values (?, ?)",
                    [(oid, encoded(layout)) for oid, layout in self._layouts.items()],
                )
                db.execute_many(
                    "insert or replace into lowered values (?, ?, ?)",
                    [(oid, name, encoded(functions)) for (oid, name), functions in self._lowered.items()],
                )
                db.execute_many(
                    "insert or replace into structure values (?, ?, ?)",
                    [(oid, name, encoded(found)) for (oid, name), found in self._structures.items()],
                )
            self._lowered.clear()
            self._structures.clear()
            self._layouts.clear()

    def forget(self) -> None:
        """Read again from the file what was kept in memory of it."""
        self._ids = None
        self._definitions.clear()

    # What was found

    def finished(self, key: str) -> list[tuple[bytes]]:
        """The answer that was kept under ``key``, for ``decoded``."""
        return self.database.query("select data from finished where key = ?", (key,))

    def add_finished(self, key: str, day: int, data: bytes) -> None:
        """Keep an answer that was ``encoded`` on ``day``."""
        self.database.execute("insert or replace into finished values (?, ?, ?)", (key, day, data))

    # Which trees are in use

    def note_use(self, repository: str, tree: str, day: int) -> None:
        """Remember that ``tree`` of the git directory ``repository`` was wanted on ``day`` (days since 1970)."""
        self.database.execute("insert or replace into used values (?, ?, ?)", (repository, tree, day))

    def uses(self) -> list[tuple[str, str, int]]:
        """(repository, tree, day) of every tree that was wanted."""
        return self.database.query("select repository, tree, day from used order by repository, tree")


def encoded(value: object) -> bytes:
    """``value`` as it is stored: with a checksum before it."""
    data = _ENCODER.encode(value)
    return zlib.crc32(data).to_bytes(_CHECKSUM, "big") + data


def decoded(decoder: msgspec.msgpack.Decoder[_T], rows: list[tuple[bytes]]) -> _T | None:
    """The value of the only row; None where there is none, or where something else has written into it."""
    content = intact(rows[0][0]) if rows else None
    if content is None:
        return None
    try:
        return decoder.decode(content)
    except msgspec.MsgspecError:
        return None


def intact(data: object) -> bytes | None:
    """What was encoded to ``data``; None where something else has written into it."""
    if not isinstance(data, bytes) or zlib.crc32(data[_CHECKSUM:]).to_bytes(_CHECKSUM, "big") != data[:_CHECKSUM]:
        return None
    return data[_CHECKSUM:]
