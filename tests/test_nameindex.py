# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files may define a name: one pass over a tree, and no other one for what did not change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from reviewer.nameindex import NameIndex
from reviewer.source.store import Store
from tests.memory_files import MemoryFiles

_TREE = {
    "kernel/sched/core.c": (
        "int first(struct rq *rq);\nint first(struct rq *rq)\n{\n\tlater(rq);\n}\nstatic __printf(1, 2) void\n"
        "second(const char *format, ...)\n{\n}\nDEFINE_IDTENTRY(exc_bell)\n{\n}\nEXPORT_SYMBOL(first);\n"
    ),
    "kernel/sched/sched.h": "static inline int third(void) { return first(0); }\nextern void fourth(int a);\n",
    "kernel/fork.c": "__attribute__((cold)) void fifth(int a,\n\tint b)\n{\n}\nvoid first(void);\n",
    "fs/first.txt": "first(void)\n{\n}\n",
    "tools/first.c": "void first(void)\n{\n}\n",
}


class _Counted(MemoryFiles):
    """Files of which it is known how many were read."""

    read_now = 0

    def read_blobs(self, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        for one in super().read_blobs(oids):
            self.read_now += 1
            yield one


def _found(files: MemoryFiles, store: Store, name: str) -> list[str]:
    told: list[tuple[int, int]] = []
    index = NameIndex(files, store, 1)
    return index.files_naming(name, ("kernel", "fs", "gone"), (".c", ".h"), lambda *counts: told.append(counts))


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("first", ["kernel/sched/core.c"]),
        ("second", ["kernel/sched/core.c"]),
        ("exc_bell", ["kernel/sched/core.c"]),
        ("third", ["kernel/sched/sched.h"]),
        ("fourth", []),
        ("fifth", ["kernel/fork.c"]),
        ("later", []),
        ("gone", []),
    ],
)
def test_files_in_which_a_function_begins(name: str, paths: list[str]) -> None:
    assert _found(MemoryFiles(_TREE), Store(None), name) == paths


def test_what_did_not_change_is_not_read_again() -> None:
    store = Store(None)
    files = _Counted(_TREE)
    assert _found(files, store, "first") == ["kernel/sched/core.c"]
    assert files.read_now == 3
    assert _found(files, store, "fifth") == ["kernel/fork.c"]
    assert files.read_now == 3
    after = _Counted({**_TREE, "kernel/fork.c": "void sixth(void)\n{\n}\n"})
    assert _found(after, store, "sixth") == ["kernel/fork.c"]
    assert _found(after, store, "fifth") == []
    assert after.read_now == 1


def test_what_something_else_has_written_into_is_read_again() -> None:
    store = Store(None)
    assert _found(MemoryFiles(_TREE), store, "fifth") == ["kernel/fork.c"]
    store.write("update finished set data = x'00'", [()])
    assert _found(MemoryFiles(_TREE), store, "fifth") == ["kernel/fork.c"]
