# SPDX-License-Identifier: GPL-2.0-or-later
"""Another process may read ahead for the one that judges: it changes nothing, and it ends with what it helps."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from reviewer import judging, workers
from reviewer.config import Options, data_dir
from reviewer.context import kept
from reviewer.pipeline import review_range
from reviewer.registry import load_checks
from reviewer.report.data import to_json
from reviewer.tree.repository import Repository
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


def _read(options: Options) -> list[str]:
    (path,) = options.cache_dir.glob("index-*.sqlite")
    with closing(sqlite3.connect(path)) as db:
        return [name for (name,) in db.execute("select name from lowered order by name")]


def test_what_was_read_ahead_changes_nothing(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = _checked(Options(repo=options.repo, cache_dir=options.cache_dir, cache=False), "HEAD~2..HEAD~1")
    assert '"introduced"' in expected
    begun: list[int] = []

    @contextmanager
    def at_once(
        function: Callable[[Any, int], None], task: int, tools: Callable[[], AbstractContextManager[Any]]
    ) -> Iterator[None]:
        begun.append(task)
        with tools() as own:
            function(own, task)
        assert {"box_fill", "box_flush", "box_wait"} <= {*_read(options)}
        yield

    monkeypatch.setattr(judging, "beside", at_once)
    monkeypatch.setattr(kept, "_LARGE", 0)
    assert _checked(options, "HEAD~2..HEAD~1") == expected
    assert begun == [0]
    assert '"fixed"' in _checked(options, "HEAD~1..")  # of the tree below nearly all is known
    assert begun == [0]


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


def _wait(_tools: None, _task: int) -> None:
    time.sleep(10 * _PATIENCE)


def _fail(_tools: None, _task: int) -> None:
    raise ValueError("no use")
