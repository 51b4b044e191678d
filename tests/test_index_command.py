# SPDX-License-Identifier: GPL-2.0-or-later
"""``reviewer index``: what it builds, shows and drops."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reviewer.cli import main
from reviewer.config import default_cache
from reviewer.source.database import cache_file
from reviewer.source.store import SCHEMA, Store
from tests.conftest import ROOT
from tests.repos import git, make

CODE = "void f{0}(void)\n{{\n}}\nstatic void g{0}(void)\n{{\n}}\n"
OLD = {f"kernel/a{number}.c": CODE.format(number) for number in range(3)} | {"fs/b.c": CODE.format("b"), "x.txt": "x"}


@pytest.fixture
def linux(tmp_path: Path) -> Path:
    """A repository of two commits."""
    linux = tmp_path / "linux"
    make(linux, OLD)
    make(linux, {"kernel/a0.c": CODE.format("new")})
    return linux


def shown(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """What ``--show`` says."""
    capsys.readouterr()
    assert main(["index", "--show"]) == 0
    return dict(re.findall(r"^(\w+) +(.*)$", capsys.readouterr().out, re.MULTILINE))


def index(linux: Path, *words: str) -> int:
    return main(["index", *words, "--repo", str(linux)])


def test_scans_every_c_file_of_the_commit_once(linux: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert index(linux) == 0
    assert capsys.readouterr().out == "4 files were new.\n"
    assert shown(capsys)["files"] == "4"
    assert index(linux, "HEAD~1") == 0
    assert capsys.readouterr().out == "1 file was new.\n"
    assert index(linux) == 0
    assert capsys.readouterr().out == "0 files were new.\n"
    store = Store(cache_file(default_cache(), SCHEMA))
    assert len(store.definitions("fb")) == len(store.definitions("f0")) == len(store.definitions("fnew")) == 1
    store.close()


def test_reads_the_functions_of_folders(linux: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert index(linux, "--folder", "kernel") == 0
    assert shown(capsys)["functions"] == "6"
    assert index(linux, "--folder", "nowhere") == 2
    assert "'nowhere'" in capsys.readouterr().err


def test_says_where_and_how_much(linux: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert index(linux) == 0
    found = shown(capsys)
    assert found["path"] == str(cache_file(default_cache(), SCHEMA))
    assert found["schema"] == str(SCHEMA)
    assert found["size"].endswith(" MB")
    assert found["trees"] == "1"


def test_prune_keeps_what_is_in_use(linux: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other"
    make(other, {"kernel/other.c": CODE.format("other")})
    gone = tmp_path / "gone"
    make(gone, {"kernel/gone.c": CODE.format("gone")})
    for where in (linux, other, gone):
        assert index(where, "--folder", "kernel") == 0
    assert index(linux, "HEAD~1") == 0
    (gone / ".git").rename(tmp_path / "away")
    assert index(linux, "--prune") == 0
    assert shown(capsys)["files"] == "6"  # HEAD, HEAD~1, and the other repository, whose trees were all used today
    store = Store(cache_file(default_cache(), SCHEMA))
    store.database.execute("update used set day = day - 31")
    assert store.definitions("gother")
    assert not store.definitions("ggone")
    store.close()
    assert index(linux, "--prune") == 0
    found = shown(capsys)
    assert (found["files"], found["functions"], found["trees"]) == ("4", "6", "0")
    assert index(linux, "--prune", "HEAD~1") == 0
    assert shown(capsys)["files"] == "4"  # what was dropped is gone
    assert index(linux, "HEAD~1") == 0
    capsys.readouterr()
    assert index(linux) == 0
    assert capsys.readouterr().out == "0 files were new.\n"


def test_clear_removes_the_file(linux: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert index(linux) == 0
    assert index(linux, "--clear") == 0
    assert not cache_file(default_cache(), SCHEMA).exists()
    assert shown(capsys)["files"] == "0"


def test_cache_that_cannot_be_written_is_an_error(linux: Path, capsys: pytest.CaptureFixture[str]) -> None:
    default_cache().parent.mkdir(parents=True, exist_ok=True)
    default_cache().write_text("not a folder")
    assert index(linux) == 3
    assert str(default_cache()) in capsys.readouterr().err


def test_interrupted_it_keeps_what_it_has(tmp_path: Path) -> None:
    linux = tmp_path / "linux"
    make(linux, {f"kernel/f{number}.c": CODE.format(number) for number in range(4000)})
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "reviewer", "index", "--repo", str(linux)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stderr is not None
        assert child.stderr.readline() == b"Scanning: 4000 files\n"  # the first share is done
        child.send_signal(signal.SIGINT)
        assert child.stderr.read() == b"reviewer: interrupted\n"
    assert child.returncode == 130
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[0]) <= 3600
    store = Store(cache_file(tmp_path / "cache" / "reviewer", SCHEMA))
    assert all(len(store.definitions(f"g{number}")) == 1 for number in range(4000))
    store.close()


def test_killed_it_leaves_no_process_behind(tmp_path: Path) -> None:
    linux = tmp_path / "linux"
    make(linux, {f"kernel/f{number}.c": CODE.format(number) for number in range(4000)})
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "reviewer", "index", "--repo", str(linux)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as child:
        assert child.stderr is not None
        child.stderr.readline()
        child.kill()
        child.stderr.read()  # to its end: nobody who inherited it is left


def test_partial_clone_is_indexed(linux: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git(linux, "config", "uploadpack.allowFilter", "true")
    git(linux, "config", "uploadpack.allowAnySHA1InWant", "true")
    git(tmp_path, "clone", "--quiet", "--bare", "--filter=blob:none", f"file://{linux}", "partial.git")
    assert index(tmp_path / "partial.git", "--folder", "kernel") == 0
    assert shown(capsys)["functions"] == "6"
