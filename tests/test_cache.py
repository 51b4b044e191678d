# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever happens to the cache, the program says the same."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from reviewer.source.store import SCHEMA
from tests.conftest import ROOT
from tests.kernels import KernelClone, Reviewer
from tests.repos import git, make
from tests.test_seed_async_pf import ALLOCATION, FILE, undone

PAGE = 4096
SAID = "the cache cannot be used"
HEADER = "static inline void box_wait(void)\n{\n\tmsleep(1);\n}\n"
QUIET = """\
#include <linux/box.h>
struct box { spinlock_t lock; };
void box_fill(struct box *b)
{
	spin_lock(&b->lock);
	spin_unlock(&b->lock);
}
"""
LOUD = QUIET.replace("\tspin_unlock", "\tbox_wait();\n\tspin_unlock")


@dataclass(frozen=True)
class Tree:
    """A repository with a commit that brings a finding, and what the program says of it without a cache."""

    path: Path
    answer: bytes

    def start(self, cache: Path, *before: str, limit: int | None = None) -> subprocess.Popen[bytes]:
        """Start the program; ``before`` is what it is run with, ``limit`` the bytes that a file may grow to."""

        def restrict() -> None:
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        command = [
            *before,
            sys.executable,
            "-m",
            "reviewer",
            "check",
            "HEAD^!",
            "--format",
            "json",
            "--repo",
            str(self.path),
        ]
        return subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(cache)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=restrict,  # noqa: PLW1509 - the test has no other thread
        )

    def said(self, cache: Path, *before: str, limit: int | None = None) -> str:
        """What it says on stderr, when its answer is the right one."""
        process = self.start(cache, *before, limit=limit)
        out, told = process.communicate()
        assert out == self.answer, told.decode()
        assert process.returncode == 1
        return told.decode()


def tree_of(path: Path, count: int, shift: int) -> Tree:
    """A tree of ``count`` small files; two of different ``shift`` have different ones."""
    others = {
        f"kernel/other{number}.c": f"{' ' * shift}\nstatic void other{number}(void)\n{{\n\tbox_wait();\n}}\n"
        for number in range(count)
    }
    make(path, {"include/linux/box.h": "\n" * shift + HEADER, "kernel/box.c": QUIET, **others})
    make(path, {"kernel/box.c": LOUD})
    done = subprocess.run(
        [sys.executable, "-m", "reviewer", "check", "HEAD^!", "--format", "json", "--no-cache", "--repo", path],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert b"lock-sleep-in-atomic" in done.stdout
    return Tree(path, done.stdout)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return tree_of(tmp_path_factory.mktemp("trees") / "one", 40, 0)


def file_of(cache: Path) -> Path:
    """The cache's file."""
    return cache / "reviewer" / f"index-{SCHEMA}.sqlite"


def intact(path: Path) -> bool:
    """Whether SQLite finds nothing wrong with a file."""
    with sqlite3.connect(path) as db:
        return [row for (row,) in db.execute("pragma integrity_check")] == ["ok"]


def test_it_says_nothing_of_a_cache_that_works(tree: Tree, tmp_path: Path) -> None:
    assert tree.said(tmp_path) == ""
    assert intact(file_of(tmp_path))
    assert tree.said(tmp_path) == ""


# Killed

WRITER = """\
import sys
from pathlib import Path
from reviewer.source.cfg import Extent, Layout
from reviewer.source.store import BlobFacts, Store

store = Store(Path(sys.argv[1]))
for number in range(100000):
    oid = f"{number:040x}"
    names = [f"f{number}_{each}" for each in range(50)]
    store.add([(oid, BlobFacts(tuple((name, "f") for name in names), (), ()))])
    store.add_layout(oid, Layout(tuple(Extent(name, 1, 2, True) for name in names)))
    store.flush()
    print(number, flush=True)
"""


@pytest.mark.parametrize("count", [1, 2, 5, 40, 41, 150])
def test_killed_while_it_writes_it_leaves_whole_entries(tmp_path: Path, count: int) -> None:
    path = tmp_path / "index.sqlite"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, path], env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        for _ in range(count):
            child.stdout.readline()
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
    assert intact(path)
    with sqlite3.connect(path) as db:
        each = db.execute("select (select count(*) from definition where blob = blob.id) from blob").fetchall()
    assert len(each) >= count
    assert set(each) == {(50,)}


def test_killed_while_it_reviews_the_next_run_goes_on(tree: Tree, tmp_path: Path) -> None:
    for wait in ("", "-wal"):
        child = tree.start(tmp_path)
        mark = file_of(tmp_path).with_name(file_of(tmp_path).name + wait)
        while not mark.exists() and child.poll() is None:
            pass
        child.kill()
        child.communicate()
        assert tree.said(tmp_path) == ""
        assert intact(file_of(tmp_path))
        shutil.rmtree(tmp_path / "reviewer")


# Together


def test_programs_at_once_say_what_they_say_alone(tree: Tree, tmp_path: Path) -> None:
    other = tree_of(tmp_path / "other", 40, 3)
    running = [(one, one.start(tmp_path)) for one in (tree, other, tree, other)]
    for one, process in running:
        out, told = process.communicate()
        assert (out, told, process.returncode) == (one.answer, b"", 1)
    assert intact(file_of(tmp_path))


def test_upkeep_waits_for_nobody(tree: Tree, tmp_path: Path) -> None:
    tree.said(tmp_path)
    reader = "import sys; from pathlib import Path; from reviewer.source.store import Store\n"
    reader += "store = Store(Path(sys.argv[1])); print(flush=True); sys.stdin.read()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", reader, file_of(tmp_path)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        for action in ("--prune", "--clear"):
            done = subprocess.run(
                [sys.executable, "-m", "reviewer", "index", action, "--repo", tree.path],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 3
            assert "another reviewer is at work with it" in done.stderr
        child.communicate(b"")
    assert file_of(tmp_path).exists()


# No place to write


@pytest.mark.parametrize("limit", [0, 1000, 20_000, 60_000, 100_000])
def test_full_disk(tree: Tree, tmp_path: Path, limit: int) -> None:
    # SQLite sees what it sees on a full disk: a write that fails in the middle of a file.
    assert tree.said(tmp_path, limit=limit).count(SAID) == 1
    assert tree.said(tmp_path) == ""


def unprivileged() -> list[str]:
    """What makes the following command heed permissions: root does not."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv (util-linux) is not installed: as root no folder is without permission")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]


@pytest.mark.parametrize("mode", [0o500, 0o000])
@pytest.mark.parametrize("filled", [True, False])
def test_folder_without_permission(tree: Tree, tmp_path: Path, mode: int, filled: bool) -> None:
    folder = tmp_path / "reviewer"
    folder.mkdir()
    if filled:
        tree.said(tmp_path)
    folder.chmod(mode)
    try:
        assert tree.said(tmp_path, *unprivileged()).count(SAID) == 1
    finally:
        folder.chmod(0o700)


def test_file_without_permission(tree: Tree, tmp_path: Path) -> None:
    tree.said(tmp_path)
    file_of(tmp_path).chmod(0o400)
    assert tree.said(tmp_path, *unprivileged()).count(SAID) == 1


def test_a_file_where_the_folder_should_be(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "reviewer").write_text("not a folder")
    assert tree.said(tmp_path).count(SAID) == 1


def test_mail_is_reviewed_without_a_place_to_write(tree: Tree, tmp_path: Path) -> None:
    git(tree.path, "format-patch", "-1", f"--output={tmp_path / 'patch'}")
    (tmp_path / "reviewer").write_text("not a folder")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path)}
    command = [
        "review",
        str(tmp_path / "patch"),
        "--base",
        "HEAD^",
        "--repo",
        str(tree.path),
        "--format",
        "json",
        "--offline",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "reviewer", *command], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "lock-sleep-in-atomic" in done.stdout


# Another file than it should be


@pytest.mark.parametrize("schema", [SCHEMA - 1, SCHEMA + 1])
def test_file_of_another_schema(tree: Tree, tmp_path: Path, schema: int) -> None:
    other = file_of(tmp_path).with_name(f"index-{schema}.sqlite")
    other.parent.mkdir()
    with sqlite3.connect(other) as db:
        db.execute("create table blob (something text)")
        db.execute(f"pragma user_version = {schema}")
    assert tree.said(tmp_path) == ""
    assert other.exists() == (schema > SCHEMA)  # a newer program may be in use


@pytest.mark.parametrize("schema", [SCHEMA - 1, SCHEMA + 1])
def test_file_that_was_renamed(tree: Tree, tmp_path: Path, schema: int) -> None:
    file_of(tmp_path).parent.mkdir()
    with sqlite3.connect(file_of(tmp_path)) as db:
        db.execute("create table blob (something text)")
        db.execute(f"pragma user_version = {schema}")
    assert tree.said(tmp_path) == ""
    assert intact(file_of(tmp_path))


@pytest.mark.parametrize("filling", [b"\0", b"\xff", b"SQLite"])
def test_overwritten_bytes(tree: Tree, tmp_path: Path, filling: bytes) -> None:
    tree.said(tmp_path)
    whole = file_of(tmp_path).read_bytes()
    for page in range(0, len(whole) // PAGE, 5):
        at = page * PAGE
        file_of(tmp_path).write_bytes(whole[:at] + (filling * PAGE)[:PAGE] + whole[at + PAGE :])
        assert tree.said(tmp_path).count(SAID) <= 1
        assert tree.said(tmp_path) == ""  # what was damaged has been made anew


def test_shortened_file(tree: Tree, tmp_path: Path) -> None:
    tree.said(tmp_path)
    whole = file_of(tmp_path).read_bytes()
    file_of(tmp_path).write_bytes(whole[: len(whole) // PAGE // 2 * PAGE])
    assert tree.said(tmp_path).count(SAID) <= 1
    assert tree.said(tmp_path) == ""


# The real thing


def test_cold_and_warm_runs_say_the_same_of_real_code(
    kernel_clone: Callable[[str], KernelClone], reviewer: Reviewer, tmp_path: Path
) -> None:
    clone = kernel_clone("6.12")
    base = clone.base
    before = undone(clone.read(FILE))
    commits = [clone.commit({FILE: before}, "x86/kvm: Allocate under the lock\n", base)]
    commits.append(
        clone.commit(
            {FILE: before.replace(ALLOCATION, f"\t\tmsleep(1);\n{ALLOCATION}")}, "x86/kvm: Sleep\n", commits[-1]
        )
    )
    commits.append(clone.commit({FILE: clone.read(FILE)}, "x86/kvm: Undo\n", commits[-1]))
    shifted = "\n" + clone.read(FILE)
    elsewhere = clone.commit({FILE: shifted, "kernel/empty.c": "void empty(void) { }\n"}, "x86/kvm: Shift\n", base)
    cold = Reviewer(tmp_path)
    first = cold.check(clone, base, commits[-1])
    assert len(first.brought) >= 2
    assert cold.check(clone, base, commits[-1]) == first
    cold.check(clone, base, elsewhere)
    assert cold.check(clone, base, commits[-1]) == first
    assert reviewer.check(clone, base, commits[-1]) == first
    assert reviewer.check(clone, base, commits[-1], "--no-cache") == first
