# SPDX-License-Identifier: GPL-2.0-or-later
"""What is said of the work being done, and to whom; ``--quiet`` and ``--verbose``."""

from __future__ import annotations

import io
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from reviewer.commands import progress
from reviewer.commands.demo import make_example
from reviewer.config import Options
from tests.repos import git
from tests.test_cli import reviewer

QUIET = Options(quiet=True)


class Stream(io.StringIO):
    """A stderr that says what it is."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


class AtOnce:
    """A timer that does not wait."""

    def __init__(self, _seconds: float, action: Callable[[], None]) -> None:
        self.start = action

    def cancel(self) -> None: ...

    def join(self) -> None: ...


def at_terminal(monkeypatch: pytest.MonkeyPatch, timer: type = AtOnce) -> Stream:
    """Make stderr a terminal. No fixture: pytest takes stderr back before the test begins."""
    stream = Stream(terminal=True)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(threading, "Timer", timer)
    monkeypatch.setenv("TERM", "xterm")
    return stream


def test_a_terminal_shows_what_is_being_done_and_forgets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = at_terminal(monkeypatch)
    with progress.progress("Fetching", Options()) as tell:
        assert "Fetching" in terminal.getvalue()
        tell("Reviewing patch 1 of 2: \x1b]0;x\x07\x1b[2J [bold]mm[/bold]: " + "long " * 40)
    said = terminal.getvalue()
    assert "Reviewing patch 1 of 2: ]0;x[2J [bold]mm[/bold]: long" in said
    assert not {"\x07", "\x9b"} & set(said)
    assert "\x1b]0;" not in said
    assert "\x1b[2J" not in said
    assert said.endswith("\x1b[2K")  # the line is cleared


def test_what_is_done_before_the_timer_ends_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = at_terminal(monkeypatch, threading.Timer)
    monkeypatch.setattr(progress, "_PATIENCE", 600)
    with progress.progress("Fetching", Options()) as tell:
        tell("Reviewing")
    assert terminal.getvalue() == ""


@pytest.mark.parametrize("why", ["a file", "dumb", "quiet"])
def test_nobody_is_told_elsewhere(monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    terminal = at_terminal(monkeypatch)
    if why == "a file":
        terminal.terminal = False
    if why == "dumb":
        monkeypatch.setenv("TERM", "dumb")
    with progress.progress("Fetching", QUIET if why == "quiet" else Options()) as tell:
        tell("Reviewing")
    assert terminal.getvalue() == ""


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_example(tmp_path_factory.mktemp("example"))


def test_verbose_says_each_step_on_stderr(example: tuple[Path, Path], tmp_path: Path) -> None:
    tree, mail = example
    plain = reviewer("review", mail, "--repo", tree, "--output", tmp_path)
    done = reviewer("review", mail, "--repo", tree, "--output", tmp_path, "--verbose")
    assert done.stdout == plain.stdout
    steps = [re.sub(r"^reviewer: +\d+\.\d s  ", "", line) for line in done.stderr.decode().splitlines()]
    assert steps[0] == "Fetching the thread"
    assert f"Applying 3 of 3 patches to {git(tree, 'rev-parse', '--short=12', 'HEAD')}. The series names it" in steps[3]
    assert "Reviewing patch 2 of 3: misc: doorbell: Show pending tokens and statistics" in steps
    audit = reviewer("check", "--all", "drivers", "--repo", tree, "-v").stderr.decode()
    assert "Auditing file 1 of 1" in audit


def test_quiet_prints_findings_alone(example: tuple[Path, Path], tmp_path: Path) -> None:
    tree, mail = example
    plain = reviewer("review", mail, "--repo", tree, "--output", tmp_path)
    done = reviewer("review", mail, "--repo", tree, "--output", tmp_path, "-q")
    assert (done.returncode, done.stderr) == (1, b"")
    told = done.stdout.decode()
    assert told.count(" bug ") == 4
    assert told in plain.stdout.decode()
    assert told.startswith("1/3 misc: doorbell: Remember")
    assert "Nothing was sent" not in told
    assert "2/3 misc: doorbell: Show" in told
    clean = reviewer("check", "--all", "drivers", "--repo", tree, "-q")
    assert (clean.returncode, clean.stdout, clean.stderr) == (0, b"", b"")


def test_quiet_still_says_what_failed(example: tuple[Path, Path], tmp_path: Path) -> None:
    tree, mail = example
    text = mail.read_bytes().replace(b"\n \t", b"\n \tsomething_else, ")
    done = reviewer("review", "-", "--repo", tree, "--output", tmp_path, "-q", stdin=text)
    assert done.returncode == 3
    assert "1/3  not applied" in done.stdout.decode()
