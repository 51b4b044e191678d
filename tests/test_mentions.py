# SPDX-License-Identifier: GPL-2.0-or-later
"""In which files words stand: what is sought, and how often."""

from __future__ import annotations

from collections.abc import Sequence

from reviewer.source.mentions import Mentions
from reviewer.source.program import Program
from reviewer.source.store import Store
from tests.memory_files import MemoryFiles

TREE = {"fs/a.c": "one two", "fs/deep/b.c": "one", "mm/c.c": "two", "net/d.c": "one two"}


class _Counting(MemoryFiles):
    """Files that remember what was sought below which folders."""

    def __init__(self, files: dict[str, str]) -> None:
        super().__init__(files)
        self.sought: list[tuple[tuple[str, ...], tuple[str, ...]]] = []

    def mentioning(self, words: frozenset[str], folders: Sequence[str]) -> dict[str, tuple[str, ...]]:
        self.sought.append((tuple(sorted(words)), tuple(sorted(folders))))
        return super().mentioning(words, folders)


def test_folders_in_which_the_same_is_sought_are_searched_at_once_and_once() -> None:
    files = _Counting(TREE)
    mentions = Mentions(files, Store(None))
    mentions.expect({"fs": ["one", "two"], "mm": ["two", "one"], "net": ["one"]})
    assert sorted(files.sought) == [(("one",), ("net",)), (("one", "two"), ("fs", "mm"))]
    assert mentions.below("fs", "one") == ("fs/a.c", "fs/deep/b.c")
    assert mentions.below("mm", "one") == ()
    assert mentions.below("mm", "two") == ("mm/c.c",)
    assert len(files.sought) == 2


def test_a_folder_in_another_one_has_what_lies_below_both() -> None:
    mentions = Mentions(_Counting(TREE), Store(None))
    mentions.expect({"fs": ["one"], "fs/deep": ["one"]})
    assert mentions.below("fs", "one") == ("fs/a.c", "fs/deep/b.c")
    assert mentions.below("fs/deep", "one") == ("fs/deep/b.c",)


def test_the_definitions_of_a_guard_are_sought_once_in_all_folders_that_a_file_sees() -> None:
    header = "DEFINE_GUARD(box, struct box *, box_lock(_T), box_unlock(_T))\n"
    files = _Counting({"include/linux/box.h": header, "mm/box.c": "void f(void)\n{\n}\n"})
    (begin,) = Program(files, Store(None)).resolve("guard(box)", "mm/box.c")
    assert [call.name for call in begin.calls()] == ["box_lock"]
    assert len(files.sought) == 1
