# SPDX-License-Identifier: GPL-2.0-or-later
"""Another process may compute summaries for the one that judges: nothing else changes, and it ends with that one."""

from __future__ import annotations

import ctypes
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from reviewer import judging, workers
from reviewer.config import Options, data_dir
from reviewer.context import kept
from reviewer.context.analysis import Analyser
from reviewer.context.closure import Key, Known
from reviewer.pipeline import review_range
from reviewer.registry import load_api, load_checks
from reviewer.report.data import to_json
from reviewer.source.cfg import Function
from reviewer.source.program import Program
from reviewer.source.store import Store
from reviewer.tree.repository import Repository
from tests.memory_files import MemoryFiles
from tests.repos import make

_HEADER = "static inline void box_wait(void)\n{\n\tmsleep(1);\n}\n"
_CODE = """\
#include <linux/box.h>
struct box { spinlock_t lock; };

static void box_flush(struct box *b)
{
	box_wait();
}

void box_fill(struct box *b)
{
	box_flush(b);
	spin_lock(&b->lock);
	spin_unlock(&b->lock);
}
"""
_LOUD = _CODE.replace("\tspin_unlock", "\tbox_flush(b);\n\tspin_unlock")
_PATIENCE = 60  # seconds


@pytest.fixture
def options(tmp_path: Path) -> Options:
    linux = tmp_path / "linux"
    make(linux, {"include/linux/box.h": _HEADER, "kernel/box.c": _CODE})
    make(linux, {"kernel/box.c": _LOUD}, "Flush under the lock")
    make(linux, {"kernel/box.c": _CODE}, "Do not")
    return Options(repo=linux, cache_dir=tmp_path / "cache")


@pytest.fixture(autouse=True)
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})


def _checked(options: Options, commits: str) -> str:
    with closing(Repository.open(options.repo, options.cache_dir)) as repository:
        return to_json(review_range(commits, repository, load_checks([data_dir("checks")]), options))


_NAMES = {"lowered": "select name from lowered", "summary": "select name from summary"}


def _names(options: Options, table: str) -> list[str]:
    (path,) = options.cache_dir.glob("index-*.sqlite")
    with closing(sqlite3.connect(path)) as db:
        return [name for (name,) in db.execute(_NAMES[table])]


class _Peer(workers.Peer):
    """A process that ended without a word, or is at ``busy_with`` until it is waited for."""

    def __init__(self, busy_with: int = -1) -> None:
        super().__init__((ctypes.c_ulonglong * 2)(), 0, lambda: True)
        self.begun: list[int] = []
        self.waited: list[int] = []
        self._busy_with = busy_with

    def begin(self, piece: int) -> None:
        self.begun += [piece] if piece else []

    def is_at(self, piece: int) -> bool:
        return piece == self._busy_with

    def wait(self, piece: int) -> None:
        self.waited.append(piece)
        self._busy_with = -1


def test_what_was_computed_beside_changes_nothing(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = _checked(Options(repo=options.repo, cache_dir=options.cache_dir, cache=False), "HEAD~2..HEAD~1")
    assert '"introduced"' in expected
    begun: list[int] = []

    @contextmanager
    def at_once(
        function: Callable[[Any, int, workers.Peer], None], task: int, tools: Callable[[], AbstractContextManager[Any]]
    ) -> Iterator[workers.Peer]:
        begun.append(task)
        with tools() as own:
            function(own, task, _Peer())
        for table in ("lowered", "summary"):
            assert {"box_fill", "box_flush", "box_wait"} <= {*_names(options, table)}
        peer = _Peer()
        yield peer
        assert peer.begun == []  # all was there

    monkeypatch.setattr(judging, "beside", at_once)
    monkeypatch.setattr(kept, "_LARGE", 0)
    assert _checked(options, "HEAD~2..HEAD~1") == expected
    assert begun == [0]
    assert '"fixed"' in _checked(options, "HEAD~1..")  # of the tree below nearly all is known
    assert begun == [0]


_CHAIN = """\
static void lowest(void)
{
	msleep(1);
}
static void back(int more);
static void forth(int more)
{
	lowest();
	if (more)
		back(more - 1);
}
static void back(int more)
{
	forth(more);
}
static void beside(void)
{
}
void top(void)
{
	forth(1);
	beside();
}
"""


class _Keeper:
    """Keeps nothing but the order in which circles were computed."""

    def __init__(self) -> None:
        self.kept: list[set[str]] = []

    def find(self, _function: Function) -> None:
        return None

    def keep(self, circle: Mapping[Key, Known]) -> None:
        self.kept.append({key.name for key in circle})


def _computed(peer: _Peer | None, *, backwards: bool = False) -> tuple[list[set[str]], tuple[object, ...]]:
    program = Program(MemoryFiles({"kernel/chain.c": _CHAIN}), Store(None))
    analyser = Analyser(program, load_api(data_dir("checks")))
    keeper = _Keeper()
    closure = analyser._closure
    closure.keeper, closure.peer, closure.backwards = keeper, peer, backwards
    (top,) = program.functions("kernel/chain.c", "top")
    return keeper.kept, analyser.summary(top).told


def test_what_the_other_is_at_is_put_off_and_computed_if_it_never_comes() -> None:
    order, alone = _computed(None)
    assert order == [{"lowest"}, {"forth", "back"}, {"beside"}, {"top"}]
    peer = _Peer()
    assert _computed(peer) == (order, alone)
    circle = peer.begun[1]
    for busy_with, expected in (
        (circle, [{"lowest"}, {"beside"}, {"forth", "back"}, {"top"}]),
        (peer.begun[0], [{"beside"}, {"lowest"}, {"forth", "back"}, {"top"}]),
    ):
        busy = _Peer(busy_with)
        assert _computed(busy) == (expected, alone)
        assert busy.waited == [busy_with]


def test_the_other_way_round_is_the_same() -> None:
    order, told = _computed(None, backwards=True)
    assert order[0] == {"beside"}
    assert told == _computed(None)[1]


def test_who_has_ended_or_was_waited_for_is_at_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = (ctypes.c_ulonglong * 2)()
    lives = [True]
    one, other = workers.Peer(cells, 0, lambda: lives[0]), workers.Peer(cells, 1, lambda: True)
    other.begin(7)
    assert [one.is_at(7), one.is_at(8), other.is_at(7)] == [True, False, False]
    monkeypatch.setattr(workers, "_PATIENCE", 0)
    one.wait(7)
    assert not one.is_at(7)
    one = workers.Peer(cells, 0, lambda: lives[0])
    assert one.is_at(7)
    lives.clear()
    lives.append(False)
    one.wait(7)
    assert not one.is_at(7)


def test_a_small_tree_needs_no_help(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "beside", None)
    assert '"introduced"' in _checked(options, "HEAD~2..HEAD~1")


def test_a_helper_ends_with_the_block(tmp_path: Path) -> None:
    noted = tmp_path / "pid"
    with workers.beside(_wait, 1, partial(_noting, noted)):
        end = time.monotonic() + _PATIENCE
        while not noted.exists() and time.monotonic() < end:
            time.sleep(0.01)
        pid = int(noted.read_text())
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_helper_that_fails_is_not_missed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    noted = tmp_path / "pid"
    with workers.beside(_fail, 1, partial(_noting, noted)):
        end = time.monotonic() + _PATIENCE
        while not noted.exists() and time.monotonic() < end:
            time.sleep(0.01)
    assert capfd.readouterr().err == ""


def test_one_processor_has_no_helper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    monkeypatch.setattr(workers, "_help", None)
    with workers.beside(_fail, 1, nullcontext):
        pass


@contextmanager
def _noting(path: Path) -> Iterator[None]:
    new = path.with_name("new")
    new.write_text(str(os.getpid()))
    new.rename(path)
    yield


def _wait(_tools: None, _task: int, _peer: workers.Peer) -> None:
    time.sleep(10 * _PATIENCE)


def _fail(_tools: None, _task: int, _peer: workers.Peer) -> None:
    raise ValueError("no use")
