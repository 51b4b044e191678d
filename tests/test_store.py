# SPDX-License-Identifier: GPL-2.0-or-later
"""The cache: shared, replaceable, never the reason for another answer."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from reviewer.source.assigned import Assigned
from reviewer.source.program import Program
from reviewer.source.store import SCHEMA, BlobFacts, Store
from tests.memory_files import MemoryFiles

_ASSIGNED = Assigned("g", "part", "ops", "run")
_FACTS = BlobFacts((("f", "f"), ("g", "s")), (("lock", "spinlock_t"),), (("f", "ops", "run"),), assigned=(_ASSIGNED,))
_CODE = "static void low(void) { msleep(1); }\nvoid high(void) { low(); }\n"


def test_what_is_kept_is_there_for_the_next_process(tmp_path: Path) -> None:
    first = Store(tmp_path / "sub" / "index.sqlite")
    first.add([("aa", _FACTS)])
    first.add_mentions("folder", {"f": ("a.c", "b/c.c")})
    first.close()
    second = Store(tmp_path / "sub" / "index.sqlite")
    row = second.known_blobs()["aa"]
    assert second.definitions("g") == [(row, "s")]
    assert second.locks("lock") == [(row, "spinlock_t")]
    assert second.members("f") == [(row, "ops", "run")]
    assert second.initialisers("run") == [(row, "ops", "f")]
    assert second.assigned("g") == second.assigned_to("run") == [(row, _ASSIGNED)]
    assert (second.assigns("run", row), second.assigns("stop", row)) == (True, False)
    assert second.mentions("f", "folder") == ("a.c", "b/c.c")
    assert second.mentions("g", "folder") is None
    second.close()


def test_search_without_a_hit_is_remembered(tmp_path: Path) -> None:
    store = Store(tmp_path / "index.sqlite")
    store.add_mentions("folder", {"f": ()})
    assert store.mentions("f", "folder") == ()
    store.close()


def test_two_processes_may_add_the_same_blob(tmp_path: Path) -> None:
    one, two = Store(tmp_path / "index.sqlite"), Store(tmp_path / "index.sqlite")
    one.known_blobs()
    two.known_blobs()
    one.add([("aa", _FACTS)])
    two.add([("aa", _FACTS)])
    assert two.definitions("f") == one.definitions("f")
    assert len(one.definitions("f")) == 1
    one.close()
    two.close()


@pytest.mark.parametrize("content", [b"this is no database at all, it is text" * 100, b""])
def test_damaged_file_is_made_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "index.sqlite"
    path.write_bytes(content)
    store = Store(path)
    store.add([("aa", _FACTS)])
    assert len(store.definitions("f")) == 1
    store.close()


def test_other_schema_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("create table blob (something text)")
        db.execute(f"pragma user_version = {SCHEMA + 1}")
    store = Store(path)
    store.add([("aa", _FACTS)])
    assert len(store.definitions("f")) == 1
    store.close()


def test_lowered_functions_read_back_are_the_same_and_bear_the_asked_path(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    files = MemoryFiles({"kernel/a.c": _CODE, "kernel/b.c": _CODE})
    store = Store(path)
    fresh = Program(files, store).functions("kernel/a.c", "high")
    store.close()
    again = Store(path)
    assert Program(files, again).functions("kernel/a.c", "high") == fresh
    (copied,) = Program(files, again).functions("kernel/b.c", "high")
    assert (copied.path, copied.blocks) == ("kernel/b.c", fresh[0].blocks)
    again.close()


def test_entry_that_does_not_decode_is_read_from_the_text(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    files = MemoryFiles({"kernel/a.c": _CODE})
    store = Store(path)
    fresh = Program(files, store).functions("kernel/a.c", "high")
    store.close()
    with sqlite3.connect(path) as db:
        db.execute("update lowered set functions = x'00ff'")
    again = Store(path)
    assert Program(files, again).functions("kernel/a.c", "high") == fresh
    again.close()
