# SPDX-License-Identifier: GPL-2.0-or-later
"""The SQLite file of the cache: opened, locked against upkeep, made anew where it cannot be used.

Every error of SQLite becomes a ``CacheError``: what is kept here can be had again, so that whoever asked goes on
without it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from reviewer.errors import CacheError

_DAMAGED = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB))
_PATIENCE = 60  # seconds for which another program may be writing; it writes for a fraction of one
_OWN_FILES = re.compile(r"index(?:-(\d+))?\.sqlite(?:-wal|-shm)?")


def cache_file(folder: Path, schema: int) -> Path:
    """Where the cache lies: programs of different schemas that run in turn do not take it from each other."""
    return folder / f"index-{schema}.sqlite"


class Database:
    """One connection to the file ``path``, or to a database in memory where that is None.

    ``tables`` are the statements that make it; a file that was made with another ``schema`` is made anew.
    """

    def __init__(self, path: Path | None, schema: int, tables: str) -> None:
        self.path = path
        self._schema = schema
        self._tables = tables
        self._lock: int | None = None
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._lock = _locked(path, fcntl.LOCK_SH)
            self._db = self._connect()
        except sqlite3.Error as error:
            self._unlock()
            raise self._failure(error) from error
        except OSError as error:
            self._unlock()
            raise CacheError(f"{error.filename or path}: {error.strerror}") from error

    def _connect(self) -> sqlite3.Connection:
        if self.path is not None and not self.path.exists():
            _remove_older(self.path, self._schema)
        try:
            return self._opened()
        except sqlite3.DatabaseError as error:
            if self.path is None or not _is_damage(error):
                raise
            _remove(self.path)
            return self._opened()

    def _opened(self) -> sqlite3.Connection:
        db = sqlite3.connect(
            self.path if self.path is not None else ":memory:", timeout=_PATIENCE, isolation_level=None
        )
        try:
            db.execute("pragma journal_mode = wal")
            db.execute("pragma synchronous = normal")
            db.execute("pragma cell_size_check = on")
            (version,) = db.execute("pragma user_version").fetchone()
            if version != self._schema:
                made = db.execute("select count(*) from sqlite_schema").fetchone()[0]
                if made and version:
                    raise _OtherSchemaError
                # One transaction: a program that dies here leaves an empty file and not half of the tables.
                db.executescript(f"begin immediate; {self._tables} pragma user_version = {self._schema}; commit;")
        except BaseException:
            db.close()
            raise
        return db

    def _failure(self, error: sqlite3.Error) -> CacheError:
        return CacheError(f"{self.path}: {error}", damaged=_is_damage(error))

    def query(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """The rows that ``statement`` yields."""
        try:
            return self._db.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise self._failure(error) from error

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Database]:
        """All that is written in the block, or none of it."""
        self.execute("begin immediate")
        try:
            yield self
            self.execute("commit")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                if self._db.in_transaction:
                    self._db.execute("rollback")
            raise

    def execute(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Run one statement; the result is how many rows it changed."""
        try:
            return self._db.execute(statement, values).rowcount
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each of ``rows``."""
        try:
            self._db.executemany(statement, rows)
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """Close the file. Closing twice does nothing."""
        with contextlib.suppress(sqlite3.Error):  # what was committed is safe whatever happens here
            self._db.close()
        self._unlock()

    def discard(self) -> None:
        """Close the file and remove it: the next program makes it anew. Others that have it open keep theirs."""
        self.close()
        if self.path is not None:
            _remove(self.path)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold for the block that no other program has the cache open; CacheError where one has."""
        if self.path is None or self._lock is None:
            yield
            return
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CacheError(f"{self.path}: another reviewer is at work with it; try again when it has ended") from None
        try:
            yield
        finally:
            if self._lock is not None:  # else the block has closed it
                fcntl.flock(self._lock, fcntl.LOCK_SH)

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


class _OtherSchemaError(sqlite3.DatabaseError):
    """The file was made by another version of the program."""


def _is_damage(error: sqlite3.Error) -> bool:
    if isinstance(error, _OtherSchemaError):
        return True
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _DAMAGED


def _locked(path: Path, how: int) -> int:
    lock = os.open(path.with_name("index.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, how)
    except BaseException:
        os.close(lock)
        raise
    return lock


def _remove(path: Path) -> None:
    for end in ("", "-wal", "-shm"):
        with contextlib.suppress(OSError):
            path.with_name(path.name + end).unlink()


def _remove_older(path: Path, schema: int) -> None:
    """Remove the files of older schemas: a program that still has one open keeps it until it ends."""
    for candidate in path.parent.iterdir():
        own = _OWN_FILES.fullmatch(candidate.name)
        if own is not None and int(own.group(1) or 0) < schema:
            with contextlib.suppress(OSError):
                candidate.unlink()
