# SPDX-License-Identifier: GPL-2.0-or-later
"""A series is judged alike by one process and by several, and by the second run as by the first."""

from __future__ import annotations

import gc
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from reviewer import judging, workers
from reviewer.config import Options, data_dir
from reviewer.digest import program_digest
from reviewer.judging import PatchJudge, prepared
from reviewer.mail.fetch import fetch
from reviewer.mail.series import series_of
from reviewer.model import Review, Severity
from reviewer.pipeline import review_range, review_series
from reviewer.registry import load_checks
from reviewer.report.data import to_json
from reviewer.tree.repository import Repository
from tests.conftest import ROOT
from tests.repos import git, make

HEADER = "static inline void box_wait(void)\n{\n\tmsleep(1);\n}\n"
FUNCTION = """\
void box_fill{0}(struct box *b)
{{
	spin_lock(&b->lock);
	spin_unlock(&b->lock);
}}
"""
QUIET = "#include <linux/box.h>\nstruct box { spinlock_t lock; };\n" + "".join(map(FUNCTION.format, range(8)))
CHECKS = load_checks([data_dir("checks")])


def loud(text: str, number: int) -> str:
    """The text with a wrong call in one function."""
    function = FUNCTION.format(number)
    return text.replace(function, function.replace("\tspin_unlock", "\tbox_wait();\n\tspin_unlock"))


@pytest.fixture
def linux(tmp_path: Path) -> Path:
    """A repository with eight commits, each wrong in one function more, the last of which is right again in all."""
    linux = tmp_path / "linux"
    make(linux, {"include/linux/box.h": HEADER, "kernel/box.c": QUIET})
    text = QUIET
    for number in range(7):
        text = loud(text, number)
        make(linux, {"kernel/box.c": text}, f"Change {number}")
    make(linux, {"kernel/box.c": QUIET}, "Undo all")
    return linux


@pytest.fixture
def options(linux: Path, tmp_path: Path) -> Options:
    return Options(repo=linux, cache_dir=tmp_path / "cache", offline=True)


def checked(options: Options, revisions: str = "HEAD~8..") -> Review:
    with closing(Repository.open(options.repo, options.cache_dir)) as repository:
        return review_range(revisions, repository, CHECKS, options)


def mailed(options: Options, base: str = "HEAD~8") -> Review:
    assert options.repo is not None
    folder = options.repo.parent / "patches"
    git(options.repo, "format-patch", "-8", "-o", str(folder))
    options = replace(options, base=base)
    with closing(Repository.open(options.repo, options.cache_dir)) as repository:
        series = series_of(fetch([str(path) for path in sorted(folder.iterdir())], offline=True))
        return review_series(series, repository, CHECKS, options)


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The positions of the patches that are judged in this process."""
    judged: list[int] = []
    original = PatchJudge.judged

    def judge(self: PatchJudge, at: int) -> judging.Judged:
        judged.append(at)
        return original(self, at)

    with monkeypatch.context() as patch:
        patch.setattr(PatchJudge, "judged", judge)
        yield judged


@pytest.fixture
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "_ENOUGH", 1000)


@pytest.mark.parametrize("review", [checked, mailed])
@pytest.mark.usefixtures("two_processors")
def test_processes_say_what_one_says(
    options: Options, monkeypatch: pytest.MonkeyPatch, review: Callable[[Options], Review]
) -> None:
    with counted(monkeypatch) as judged:
        shared = to_json(review(replace(options, cache_dir=options.cache_dir / "shared")))
        assert judged == []
    monkeypatch.setattr(judging, "_ENOUGH", 1000)
    with counted(monkeypatch) as judged:
        assert to_json(review(replace(options, cache_dir=options.cache_dir / "alone"))) == shared
        assert judged == list(range(8))
    assert shared.count('"introduced"') == 7
    assert shared.count('"fixed"') == 7
    assert to_json(review(replace(options, cache=False))) == shared


@pytest.mark.usefixtures("two_processors")
def test_where_no_process_can_be_started_one_does_it_all(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = to_json(checked(replace(options, cache=False)))

    def refuse(*_arguments: object) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(workers, "ProcessPoolExecutor", refuse)
    with counted(monkeypatch) as judged:
        assert to_json(checked(options)) == expected
    assert judged == list(range(8))


@pytest.mark.parametrize("review", [checked, mailed])
@pytest.mark.usefixtures("alone")
def test_second_run_judges_nothing(
    options: Options, monkeypatch: pytest.MonkeyPatch, review: Callable[[Options], Review]
) -> None:
    first = to_json(review(options))
    with counted(monkeypatch) as judged:
        assert to_json(review(options)) == first
    assert judged == []


@pytest.mark.usefixtures("alone")
def test_only_what_is_new_is_judged(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    some = checked(options, "HEAD~8..HEAD~2").patches
    with counted(monkeypatch) as judged:
        assert [patch.commit for patch in checked(options).patches[:6]] == [patch.commit for patch in some]
    assert judged == [6, 7]


@pytest.mark.usefixtures("alone")
def test_what_was_found_is_kept_for_its_question_alone(
    options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = checked(options, "HEAD~2..")
    with counted(monkeypatch) as judged:
        # how it is shown is another question
        assert checked(replace(options, severity=Severity.NIT, show_pre_existing=True), "HEAD~2..").patches
        assert judged == []
        # which checks are asked is not
        with closing(Repository.open(options.repo, options.cache_dir)) as repository:
            review_range("HEAD~2..", repository, CHECKS[:1], options)
        assert judged == [0, 1]
        folder = tmp_path / "checks"
        folder.mkdir()
        assert checked(replace(options, checks_dirs=(folder,)), "HEAD~2..") == first
        assert judged == [0, 1]
        (folder / "new.toml").write_text("# none yet\n")
        assert checked(replace(options, checks_dirs=(folder,)), "HEAD~2..") == first
        assert judged == [0, 1, 0, 1]


def test_digest_tells_programs_apart(tmp_path: Path) -> None:
    empty = program_digest([tmp_path])
    assert program_digest([tmp_path]) == empty
    (tmp_path / "table.toml").write_text("a = 1\n")
    one = program_digest([tmp_path])
    (tmp_path / "table.toml").write_text("a = 2\n")
    assert len({empty, one, program_digest([tmp_path])}) == 3


@pytest.mark.usefixtures("alone")
def test_damaged_answer_is_found_again(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    first = checked(options)
    (file,) = options.cache_dir.glob("*.sqlite")
    with sqlite3.connect(file) as db:
        db.execute("update finished set data = substr(data, 1, 20)")
    with counted(monkeypatch) as judged:
        assert checked(options) == first
    assert judged == list(range(8))


def test_interrupted_it_leaves_no_process_behind(options: Options) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(options.cache_dir)}
    command = [sys.executable, "-m", "reviewer", "check", "HEAD~8..", "--repo", str(options.repo)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stderr is not None
        children = Path(f"/proc/{child.pid}/task/{child.pid}/children")
        while child.poll() is None and "spawn_main" not in _commands(children):
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
        told = child.stderr.read()  # to its end: nobody who inherited it is left
    assert child.returncode in (130, 1)  # it may have been faster
    assert b"Traceback" not in told


def _commands(children: Path) -> str:
    try:
        return "".join(
            Path(f"/proc/{child}/cmdline").read_bytes().decode(errors="replace")
            for child in children.read_text().split()
        )
    except OSError:
        return ""


def test_an_analysis_leaves_the_process_as_it_was() -> None:
    def settings() -> tuple[int, tuple[int, ...]]:
        return sys.getrecursionlimit(), gc.get_threshold()

    before = settings()
    with prepared():
        inside = settings()
    assert settings() == before
    assert all(new != old for new, old in zip(inside, before, strict=True))
