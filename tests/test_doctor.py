# SPDX-License-Identifier: GPL-2.0-or-later
"""What ``reviewer doctor`` finds missing, and that following its advice helps."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from reviewer.cli import main
from reviewer.commands.demo import make_example
from tests.conftest import ROOT
from tests.repos import make

Rows = dict[str, tuple[str, str]]
KERNEL = {"Makefile": "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 3\nEXTRAVERSION = -rc1\n", "include/linux/a.h": "\n"}


def rows(text: str) -> Rows:
    """Name of each row to its state and all that is said, the advice too."""
    found: Rows = {}
    for name, state, said in re.findall(r"^(\w+) +(ok|note|missing) +(.*(?:\n {19}.*)*)", text, re.MULTILINE):
        found[name] = (state, " ".join(said.split()))
    return found


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, Rows]]:
    def run(*words: str) -> tuple[int, Rows]:
        capsys.readouterr()
        status = main(["doctor", *words])
        said = capsys.readouterr()
        assert said.err == ""
        return status, rows(said.out)

    return run


def configure(*words: str) -> None:
    subprocess.run(["git", "config", "--global", *words], check=True)


def test_a_kernel_tree_and_all_it_takes(
    doctor: Callable[..., tuple[int, Rows]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = make(tmp_path / "linux", KERNEL)
    configure("sendemail.smtpServer", "mail.example.org")
    monkeypatch.chdir(tmp_path / "linux")
    status, found = doctor()
    assert status == 0
    assert {name: state for name, (state, _) in found.items() if state != "ok"} in ({}, {"sending": "note"})
    assert f"Linux 6.12.3-rc1 at {commit[:12]}" in found["tree"][1]
    assert found["b4"][1].startswith(metadata.version("b4"))
    assert found["identity"][1] == "Jane Reviewer <jane@example.org>"
    assert found["hooks"][1].startswith("none")
    assert main(["hook", "install", "--pre-push"]) == 0
    configure("reviewer.areas", "rt")
    _, found = doctor()
    assert found["hooks"][1] == "pre-push"
    assert "more switched off" in found["checks"][1]


def test_in_an_empty_home_outside_of_any_tree(
    doctor: Callable[..., tuple[int, Rows]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    status, found = doctor()
    assert status == 1
    assert [name for name, (state, _) in found.items() if state == "missing"] == ["tree", "identity"]
    assert "git clone https://" in found["tree"][1]
    for command in re.findall(r"git config --global user\.\w+ '[^']+'", found["identity"][1]):
        subprocess.run(["/bin/sh", "-c", command], check=True)
    assert doctor()[1]["identity"] == ("ok", "Your Name <you@example.org>")


def test_a_repository_without_a_commit_lacks_one_thing(
    doctor: Callable[..., tuple[int, Rows]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path / "new")], check=True)
    monkeypatch.chdir(tmp_path / "new")
    status, found = doctor()
    assert status == 1
    assert [name for name, (state, _) in found.items() if state == "missing"] == ["tree"]
    assert "there is no commit at HEAD yet" in found["tree"][1]
    assert "name a kernel tree with --repo" in found["tree"][1]
    for words in (["check", "HEAD~1.."], ["check", "@"], ["check", "--all", "."], ["index"]):
        assert main(words) == 3
        assert "has no commit yet: there is no tree to review against; commit or fetch" in capsys.readouterr().err


def test_trees_that_are_less_than_a_whole_kernel(
    doctor: Callable[..., tuple[int, Rows]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    example, _ = make_example(tmp_path)
    assert doctor("--repo", str(example))[1]["tree"][0] == "note"
    make(tmp_path / "full", KERNEL)
    make(tmp_path / "full", {"a.c": "int a;\n"})
    shallow = tmp_path / "shallow"
    subprocess.run(["git", "clone", "-q", "--depth=1", f"file://{tmp_path / 'full'}", str(shallow)], check=True)
    monkeypatch.chdir(shallow)
    state, said = doctor()[1]["tree"]
    assert state == "note"
    assert said.endswith("git fetch --unshallow")
    make(shallow, {".reviewer/ignore": "no reason\n"})
    status, found = doctor()
    assert status == 1
    assert found["silenced"][0] == "missing"
    assert "line 1" in found["silenced"][1]
    make(shallow, {".reviewer/ignore": "lock-imbalanc a.c -- Why\n"})
    (shallow / ".reviewer" / "ignore").write_text("* a.c -- Why\n")
    status, found = doctor()
    assert (status, found["silenced"][0]) == (0, "note")
    assert "did you mean lock-imbalance?" in found["silenced"][1]
    assert "not committed" in found["silenced"][1]


def test_settings_that_make_no_sense_are_told_with_the_rest(
    doctor: Callable[..., tuple[int, Rows]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "linux", KERNEL)
    monkeypatch.chdir(tmp_path / "linux")
    configure("reviewer.severity", "grave")
    status, found = doctor()
    assert status == 1
    assert found["settings"][0] == "missing"
    assert "reviewer.severity: 'grave' is none of" in found["settings"][1]
    assert found["tree"][0] == "ok"


def test_a_folder_for_drafts_that_cannot_be_written(
    doctor: Callable[..., tuple[int, Rows]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/proc/1")
    state, said = doctor()[1]["drafts"]
    assert state == "missing"
    assert said.startswith("/proc/1/reviewer/drafts: cannot be written (")
    assert "git config --global reviewer.output DIR" in said


def test_a_cache_that_cannot_be_written_is_no_obstacle(
    doctor: Callable[..., tuple[int, Rows]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    make(tmp_path / "linux", KERNEL)
    monkeypatch.chdir(tmp_path / "linux")
    status, found = doctor()
    assert status == 0
    assert found["cache"][0] == "note"
    assert "reviewer.cacheDir" in found["cache"][1]


def test_without_b4(doctor: Callable[..., tuple[int, Rows]], monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", none)
    status, found = doctor()
    assert (status, found["b4"][0]) == (1, "missing")


@pytest.mark.parametrize("told", [None, "git version 2.30.2"])
def test_without_a_git_that_will_do(tmp_path: Path, told: str | None) -> None:
    """In a process of its own, as the libraries look for git when they are loaded."""
    for name in ("env", "sh"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    if told is not None:
        (tmp_path / "git").write_text(f"#!/bin/sh\necho {told}\n")
        (tmp_path / "git").chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-m", "reviewer", "doctor"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    found = rows(done.stdout)
    assert found["git"][0] == "missing"
    assert "2.39 or newer" in found["git"][1]
