# SPDX-License-Identifier: GPL-2.0-or-later
"""What the cache holds, and how it is made smaller."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reviewer.source.store import Store

_DEPENDENT = ("definition", "lock", "member", "assigned", "type", "variable")


@dataclass(frozen=True, slots=True)
class Contents:
    """How much the cache holds; ``size`` in bytes, with what is not yet merged into the file."""

    size: int
    blobs: int
    functions: int
    summaries: int
    patches: int
    trees: int


def contents(store: Store) -> Contents:
    """Count what is in ``store``."""
    db = store.database
    path = db.path
    files = [path.with_name(path.name + end) for end in ("", "-wal")] if path is not None else []
    counts = [
        db.query(f"select count(*) from {what}")[0][0]  # noqa: S608 - the names stand here
        for what in ("blob", "lowered", "summary", "finished", "used")
    ]
    return Contents(sum(file.stat().st_size for file in files if file.exists()), *counts)


def prune(store: Store, blobs: Iterable[str], folders: Iterable[str], since: int) -> None:
    """Drop all but ``blobs`` and ``folders`` (object names) and the trees used on or after the day ``since``.

    CacheError where another program has the cache open: it counts on what it has seen there.
    """
    store.flush()
    db = store.database
    with db.alone():
        db.execute("create temp table kept (oid text primary key) without rowid")
        with db.transaction():
            db.execute_many("insert or ignore into kept values (?)", ((oid,) for oid in (*blobs, *folders)))
            db.execute("delete from blob where oid not in (select oid from kept)")
            for table in _DEPENDENT:
                db.execute(f"delete from {table} where blob not in (select id from blob)")  # noqa: S608 - as above
            for table in ("lowered", "layout", "structure", "summary"):
                db.execute(f"delete from {table} where oid not in (select oid from kept)")  # noqa: S608 - as above
            db.execute("delete from mention where folder not in (select oid from kept)")
            db.execute("delete from origin where id not in (select origin from summary)")
            db.execute("delete from finished where day < ?", (since,))
            db.execute("delete from used where day < ?", (since,))
        db.execute("drop table kept")
        db.execute("vacuum")
        db.query("pragma wal_checkpoint(truncate)")
    store.forget()
