# SPDX-License-Identifier: GPL-2.0-or-later
"""Killed at any moment, the program leaves the repository as it was, and the next run clears up after it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from reviewer.model import Applied, Base, FailureKind
from reviewer.tree.overlay import Overlay
from reviewer.tree.repository import Repository
from tests.repos import diff, fingerprint, git, make, patch

LINES = "".join(f"line {number}\n" for number in range(1, 41))

# Does a whole series; kills itself before or after it starts its N-th git. What it started goes on, as in real life.
CHILD = """\
import os, signal, sys
from pathlib import Path
from reviewer.model import Base, Patch
from reviewer.tree.history import commits_of
from reviewer.tree.overlay import Overlay
from reviewer.tree.repository import Repository
from reviewer.tree.runner import Runner

linux, cache, base, folder, when, count = sys.argv[1:]
start, started = Runner.start, 0

def counting(self, *arguments):
    global started
    started += 1
    if when == "before" and started == int(count):
        os.kill(os.getpid(), signal.SIGKILL)
    process = start(self, *arguments)
    if when == "after" and started == int(count):
        os.kill(os.getpid(), signal.SIGKILL)
    return process

Runner.start = counting
patches = [Patch(n, "", path.read_bytes()) for n, path in enumerate(sorted(Path(folder).iterdir()), 1)]
repository = Repository.open(Path(linux), Path(cache))
with Overlay(repository, Path(cache)) as overlay:
    applied = overlay.apply(patches, Base(base, ""))
    snapshot = overlay.snapshot(applied[-1].after, base)
    snapshot.mentioning(frozenset({"line"}), ())
    snapshot.read("a.c")
    if when == "inside":
        print(*os.listdir(Path(cache) / "overlays"), flush=True)
        sys.stdin.read()
repository.close()
print(started)
"""


@pytest.fixture
def linux(tmp_path: Path) -> Path:
    """A repository and a series for it: one patch that applies, one that needs three-way, one that fails."""
    linux = tmp_path / "linux"
    zero = make(linux, {"a.c": LINES, "d/b.c": LINES})
    edit = make(linux, {"a.c": LINES.replace("line 20\n", "twenty\n"), "new/n.c": "n\n"}, "Edit")
    base = make(linux, {"a.c": LINES.replace("line 22\n", "other\n"), "new/n.c": None}, "Base")
    more = make(linux, {"d/b.c": None, "e/b.c": LINES.replace("line 1\n", "")}, "Rename")
    series = tmp_path / "series"
    series.mkdir()
    (series / "1").write_bytes(diff(linux, base, more))
    (series / "2").write_bytes(diff(linux, zero, edit, "--full-index"))
    (series / "3").write_bytes(b"--- a/none.c\n+++ b/none.c\n@@ -1 +1 @@\n-x\n+y\n")
    git(linux, "reset", "--quiet", "--hard", base)
    return linux


def run_child(linux: Path, when: str, count: int) -> subprocess.CompletedProcess[str]:
    """Run the child to its end, whichever that is."""
    return subprocess.run(command(linux, when, count), env=environment(), capture_output=True, text=True, check=False)


def command(linux: Path, when: str, count: int) -> list[str]:
    """The command line of the child."""
    base = git(linux, "rev-parse", "HEAD")
    folder = linux.parent
    places = [str(linux), str(folder / "cache"), base, str(folder / "series")]
    return [sys.executable, "-c", CHILD, *places, when, str(count)]


def environment() -> dict[str, str]:
    """The test's environment, with the program in it."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}


def leftovers(linux: Path) -> list[Path]:
    """The working folders in the cache."""
    return sorted((linux.parent / "cache" / "overlays").glob("[0-9]*"))


def number_of_stages(linux: Path) -> int:
    """How many git processes a whole run starts."""
    done = run_child(linux, "never", 0)
    assert done.returncode == 0, done.stderr
    assert leftovers(linux) == []
    return int(done.stdout)


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_every_stage_the_repository_stays_the_same(linux: Path, when: str) -> None:
    stages = number_of_stages(linux)
    assert stages >= 15
    same = fingerprint(linux)
    left = 0
    for stage in range(1, stages + 1):
        assert run_child(linux, when, stage).returncode == -signal.SIGKILL
        assert fingerprint(linux) == same
        left = max(left, len(leftovers(linux)))
    assert left > 0
    # a run that is let live clears everything
    assert number_of_stages(linux) == stages


def test_the_next_run_clears_what_a_killed_one_left(linux: Path) -> None:
    stages = number_of_stages(linux)
    assert run_child(linux, "before", stages - 1).returncode == -signal.SIGKILL
    assert len(leftovers(linux)) == 1
    base = git(linux, "rev-parse", "HEAD")
    series = sorted((linux.parent / "series").iterdir())
    with (
        closing(Repository.open(linux)) as repository,
        Overlay(repository, linux.parent / "cache") as overlay,
    ):
        assert [folder.name.partition("-")[0] for folder in leftovers(linux)] == [str(os.getpid())]
        patches = [patch(path.read_bytes(), number) for number, path in enumerate(series, 1)]
        applied = overlay.apply(patches, Base(base, ""))
    assert [one.applied for one in applied] == [Applied.YES, Applied.THREE_WAY, Applied.NO]
    assert applied[2].failures[0].kind is FailureKind.MISSING_FILE
    assert leftovers(linux) == []


def test_a_folder_of_a_running_program_is_left_alone(linux: Path) -> None:
    child = subprocess.Popen(
        command(linux, "inside", 0), env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    theirs = [name for name in child.stdout.readline().split() if name != ".lock"]
    try:
        with closing(Repository.open(linux)) as repository, Overlay(repository, linux.parent / "cache"):
            names = [folder.name for folder in leftovers(linux)]
            assert theirs[0] in names
            assert len(names) == 2
        assert [folder.name for folder in leftovers(linux)] == theirs
    finally:
        child.communicate("")
    assert child.returncode == 0
    assert leftovers(linux) == []


def test_what_is_no_working_folder_is_not_cleared_through_a_link(linux: Path, tmp_path: Path) -> None:
    overlays = tmp_path / "cache" / "overlays"
    overlays.mkdir(parents=True)
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("x")
    (overlays / "1234-link").symlink_to(tmp_path / "precious")
    (overlays / "1234-half-made").mkdir()
    with closing(Repository.open(linux)) as repository, Overlay(repository, tmp_path / "cache"):
        pass
    assert (tmp_path / "precious" / "file").read_text() == "x"
    assert [path.name for path in leftovers(linux)] == ["1234-link"]


def test_killed_while_a_partial_clone_fetches_the_clone_stays_the_same(linux: Path, tmp_path: Path) -> None:
    git(linux, "config", "uploadpack.allowFilter", "true")
    git(linux, "config", "uploadpack.allowAnySHA1InWant", "true")
    git(tmp_path, "clone", "--quiet", "--bare", "--filter=blob:none", f"file://{linux}", "partial.git")
    partial = tmp_path / "partial.git"
    same = {path: path.read_bytes() for path in sorted(partial.rglob("*")) if path.is_file()}
    stages = number_of_stages(partial)
    for stage in range(1, stages + 1, 2):
        assert run_child(partial, "after", stage).returncode == -signal.SIGKILL
        assert {path: path.read_bytes() for path in sorted(partial.rglob("*")) if path.is_file()} == same
