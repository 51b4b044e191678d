# SPDX-License-Identifier: GPL-2.0-or-later
"""What was read out of blobs, kept by git object name in one SQLite file.

The file is a cache: it may be deleted at any time, is shared by all trees and by processes that run at once, and is
made anew when it is damaged or of another schema.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from reviewer.source.cfg import Extent, Function
from reviewer.source.types import Structures

SCHEMA = 12
_PENDING = 2000
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(tuple[Function, ...])
_STRUCTURES = msgspec.msgpack.Decoder(Structures)
_EXTENTS = msgspec.msgpack.Decoder(tuple[Extent, ...])

_TABLES = """
create table if not exists blob (id integer primary key, oid text not null unique);
create table if not exists definition (name text not null, blob integer not null, kind text not null);
create table if not exists lock (name text not null, blob integer not null, type text not null);
create table if not exists member (
    function text not null, blob integer not null, structure text not null, field text not null
);
create table if not exists type (name text not null, blob integer not null, target text not null);
create table if not exists variable (
    name text not null, blob integer not null, type text not null, static integer not null
);
create table if not exists structure (
    oid text not null, name text not null, members blob not null, primary key (oid, name)
) without rowid;
create table if not exists mention (
    word text not null, folder text not null, path text not null, primary key (word, folder, path)
) without rowid;
create table if not exists lowered (
    oid text not null, name text not null, functions blob not null, primary key (oid, name)
) without rowid;
create table if not exists extents (oid text primary key, extents blob not null) without rowid;
create index if not exists definition_name on definition (name);
create index if not exists lock_name on lock (name);
create index if not exists type_name on type (name);
create index if not exists variable_name on variable (name);
create index if not exists member_function on member (function);
create index if not exists member_field on member (field);
"""


@dataclass(frozen=True, slots=True)
class BlobFacts:
    """What one scan of a file finds.

    ``definitions`` are (name, kind), ``locks`` (name, type), ``members`` (function, structure, field), ``types``
    (name, the type it is another name of or nothing), ``variables`` of the file (name, type with a ``*`` for a
    pointer, whether it is static).

    The kind of a definition is ``f`` (function), ``s`` (static function) or ``m`` (function-like macro).
    """

    definitions: tuple[tuple[str, str], ...]
    locks: tuple[tuple[str, str], ...]
    members: tuple[tuple[str, str, str], ...]
    types: tuple[tuple[str, str], ...] = ()
    variables: tuple[tuple[str, str, bool], ...] = ()


class Store:
    """The cache file, or one in memory where ``path`` is None."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._ids: dict[str, int] | None = None
        self._extents: dict[str, tuple[Extent, ...]] = {}
        self._lowered: dict[tuple[str, str], tuple[Function, ...]] = {}
        self._structures: dict[tuple[str, str], Structures] = {}
        try:
            self._db = self._connect()
        except sqlite3.DatabaseError:
            if path is None:
                raise
            for leftover in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
                leftover.unlink(missing_ok=True)
            self._db = self._connect()

    def _connect(self) -> sqlite3.Connection:
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        db = sqlite3.connect(self._path if self._path is not None else ":memory:", timeout=60, isolation_level=None)
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = normal")
        (version,) = db.execute("pragma user_version").fetchone()
        if version not in (0, SCHEMA):
            db.executescript(
                "".join(
                    f"drop table if exists {name};"
                    for name in (
                        "blob",
                        "definition",
                        "lock",
                        "member",
                        "type",
                        "variable",
                        "structure",
                        "mention",
                        "lowered",
                        "extents",
                    )
                )
            )
        db.executescript(_TABLES)
        db.execute(f"pragma user_version = {SCHEMA}")
        return db

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._db.execute("begin immediate")
        try:
            yield self._db
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    def close(self) -> None:
        """Write what was read and close the file."""
        self._flush()
        self._db.close()

    def known_blobs(self) -> dict[str, int]:
        """Object name to row of every blob that was scanned."""
        if self._ids is None:
            self._ids = dict(self._db.execute("select oid, id from blob"))
        return self._ids

    def add(self, scans: Iterable[tuple[str, BlobFacts]]) -> None:
        """Keep what was found in blobs."""
        known = self.known_blobs()
        with self._transaction() as db:
            for oid, facts in scans:
                if oid in known:
                    continue
                row = db.execute(
                    "insert into blob (oid) values (?) on conflict do nothing returning id", (oid,)
                ).fetchone()
                if row is None:  # another process was faster
                    (known[oid],) = db.execute("select id from blob where oid = ?", (oid,)).fetchone()
                    continue
                known[oid] = row[0]
                db.executemany(
                    "insert into definition values (?, ?, ?)", ((n, row[0], k) for n, k in facts.definitions)
                )
                db.executemany("insert into lock values (?, ?, ?)", ((n, row[0], t) for n, t in facts.locks))
                db.executemany(
                    "insert into member values (?, ?, ?, ?)", ((f, row[0], s, m) for f, s, m in facts.members)
                )
                db.executemany("insert into type values (?, ?, ?)", ((n, row[0], t) for n, t in facts.types))
                db.executemany(
                    "insert into variable values (?, ?, ?, ?)", ((n, row[0], t, s) for n, t, s in facts.variables)
                )

    def definitions(self, name: str) -> list[tuple[int, str]]:
        """(blob row, kind) of every definition of ``name`` in any blob ever scanned."""
        return self._db.execute("select blob, kind from definition where name = ?", (name,)).fetchall()

    def locks(self, name: str) -> list[tuple[int, str]]:
        """(blob row, type) of every lock declared as ``name``."""
        return self._db.execute("select blob, type from lock where name = ?", (name,)).fetchall()

    def types(self, name: str) -> list[tuple[int, str]]:
        """(blob row, the type it is another name of or nothing) of every type called ``name``."""
        return self._db.execute("select blob, target from type where name = ?", (name,)).fetchall()

    def variables(self, name: str) -> list[tuple[int, str, bool]]:
        """(blob row, type, whether it is static) of every variable of a file called ``name``."""
        rows = self._db.execute("select blob, type, static from variable where name = ?", (name,))
        return [(blob, declared, bool(static)) for blob, declared, static in rows]

    def structures(self, oid: str, name: str) -> Structures | None:
        """The type ``name`` as the blob defines it; None where it was not read yet."""
        pending = self._structures.get((oid, name))
        if pending is not None:
            return pending
        row = self._db.execute("select members from structure where oid = ? and name = ?", (oid, name)).fetchone()
        if row is None:
            return None
        try:
            return _STRUCTURES.decode(row[0])
        except msgspec.MsgspecError:
            return None

    def add_structures(self, oid: str, name: str, found: Structures) -> None:
        """Keep what a blob says of the type ``name``."""
        self._structures[oid, name] = found

    def members(self, function: str) -> list[tuple[int, str, str]]:
        """(blob row, structure, field) of every initialiser that names ``function``."""
        return self._db.execute("select blob, structure, field from member where function = ?", (function,)).fetchall()

    def functions_in(self, field: str, blob: int) -> list[str]:
        """The functions that the initialisers of one blob put into the member ``field``."""
        rows = self._db.execute("select distinct function from member where field = ? and blob = ?", (field, blob))
        return sorted(function for (function,) in rows)

    def mentions(self, word: str, folder: str) -> tuple[str, ...] | None:
        """The paths, relative to the folder with this object name, that hold ``word``; None where that is not known."""
        rows = [
            path
            for (path,) in self._db.execute("select path from mention where word = ? and folder = ?", (word, folder))
        ]
        return tuple(sorted(path for path in rows if path)) if rows else None

    def add_mentions(self, folder: str, found: Mapping[str, Iterable[str]]) -> None:
        """Keep the answers of a search: by word the paths. The empty path says that the search was made."""
        with self._transaction() as db:
            db.executemany(
                "insert into mention values (?, ?, ?) on conflict do nothing",
                [(word, folder, path) for word, paths in found.items() for path in ("", *paths)],
            )

    def functions(self, oid: str, name: str) -> tuple[Function, ...] | None:
        """The functions called ``name`` of a blob as they were lowered before; None where they were not."""
        pending = self._lowered.get((oid, name))
        if pending is not None:
            return pending
        row = self._db.execute("select functions from lowered where oid = ? and name = ?", (oid, name)).fetchone()
        if row is None:
            return None
        try:
            return _DECODER.decode(row[0])
        except msgspec.MsgspecError:  # written by something else; it is only a cache
            return None

    def extents(self, oid: str) -> tuple[Extent, ...] | None:
        """Where the functions of a blob stand; None where it was not parsed yet."""
        pending = self._extents.get(oid)
        if pending is not None:
            return pending
        row = self._db.execute("select extents from extents where oid = ?", (oid,)).fetchone()
        if row is None:
            return None
        try:
            return _EXTENTS.decode(row[0])
        except msgspec.MsgspecError:
            return None

    def add_extents(self, oid: str, extents: tuple[Extent, ...]) -> None:
        """Keep where the functions of a blob stand."""
        self._extents[oid] = extents

    def add_functions(self, oid: str, name: str, functions: tuple[Function, ...]) -> None:
        """Keep lowered functions; they are written when many have come together."""
        self._lowered[oid, name] = functions
        if len(self._lowered) >= _PENDING:
            self._flush()

    def _flush(self) -> None:
        if self._lowered or self._extents or self._structures:
            with self._transaction() as db:
                db.executemany(
                    "insert into extents values (?, ?) on conflict do nothing",
                    ((oid, _ENCODER.encode(extents)) for oid, extents in self._extents.items()),
                )
                db.executemany(
                    "insert into lowered values (?, ?, ?) on conflict do nothing",
                    ((oid, name, _ENCODER.encode(functions)) for (oid, name), functions in self._lowered.items()),
                )
                db.executemany(
                    "insert into structure values (?, ?, ?) on conflict do nothing",
                    ((oid, name, _ENCODER.encode(found)) for (oid, name), found in self._structures.items()),
                )
            self._lowered.clear()
            self._structures.clear()
            self._extents.clear()
