# SPDX-License-Identifier: GPL-2.0-or-later
"""Completion in the shells themselves: keys are typed, and a stand-in for the program tells what it was called with."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.repos import git, make

SHELLS = ("bash", "zsh", "fish")
START = {
    "bash": ("--norc", "--noprofile", "-i"),
    "zsh": ("-f", "-i"),
    "fish": ("--no-config", "-i"),
}
SETUP = {
    "bash": "source {script}",
    "zsh": "fpath=({script.parent} $fpath); autoload -U compinit; compinit -u -D",
    "fish": "source {script}",
}
EVIL = "$(touch${IFS}pwned)"
LONGEST = 60  # seconds

Type = Callable[[str], list[str]]


@pytest.fixture(scope="module", params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The program of a shell, and the script that completes for it."""
    program = shutil.which(request.param)
    if program is None:
        pytest.skip(f"{request.param} is not installed")
    script = tmp_path_factory.mktemp("scripts") / "_reviewer"  # the name by which zsh finds it
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "reviewer", "completion", request.param]
    script.write_bytes(subprocess.run(command, check=True, capture_output=True, env=environment).stdout)
    return program, script


@pytest.fixture
def type_in(shell: tuple[str, Path], tmp_path: Path) -> Type:
    """Types keys into a shell that has loaded its script; the result is what the program was called with."""
    program, script = shell
    name = Path(program).name
    folder = tmp_path / "tree"
    make(folder, {"drivers/bell.c": "", "with space.mbox": ""})
    git(folder, "branch", "topic/ringing")
    git(folder, "branch", f"topic{EVIL}")
    stand_in = tmp_path / "bin" / "reviewer"
    stand_in.parent.mkdir()
    stand_in.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" > "{tmp_path}/new" && mv "{tmp_path}/new" "{tmp_path}/called"\n'
    )
    stand_in.chmod(0o755)

    def typed(keys: str) -> list[str]:
        called = tmp_path / "called"
        called.unlink(missing_ok=True)
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(folder)
            os.environ.update(PATH=f"{stand_in.parent}:{os.environ['PATH']}", TERM="xterm", PS1="> ", HISTFILE="")
            os.execv(program, [program, *START[name]])  # noqa: S606  # a shell on a terminal is what is tested
        try:
            os.write(terminal, f"{SETUP[name].format(script=script)}\n".encode())
            os.write(terminal, f"{keys}\n".encode())
            until = time.monotonic() + LONGEST
            while not called.exists() and time.monotonic() < until:
                if select.select([terminal], [], [], 0.05)[0]:
                    os.read(terminal, 65536)  # a shell whose output nobody reads stops
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(terminal)
        assert not (folder / "pwned").exists()
        return called.read_text().splitlines() if called.exists() else []

    return typed


@pytest.mark.parametrize(
    ("keys", "called"),
    [
        ("reviewer chec\tHEAD --sile\t", ["check", "HEAD", "--silenced"]),
        ("reviewer check HEAD --format sar\t", ["check", "HEAD", "--format", "sarif"]),
        ("reviewer check topic/r\t", ["check", "topic/ringing"]),
        ("reviewer rules rt-alloc-in-h\t", ["rules", "rt-alloc-in-hardirq"]),
        ("reviewer review with\t", ["review", "with space.mbox"]),
        ("reviewer hook unin\t--pre-p\t", ["hook", "uninstall", "--pre-push"]),
        ("reviewer completion z\t", ["completion", "zsh"]),
    ],
)
def test_what_is_typed_is_completed(type_in: Type, keys: str, called: list[str]) -> None:
    assert type_in(keys) == called


def test_the_name_of_a_branch_is_never_run(type_in: Type) -> None:
    assert type_in("reviewer check topi\t") == ["check", "topic/ringing"]
