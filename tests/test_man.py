# SPDX-License-Identifier: GPL-2.0-or-later
"""The manual page: correct man(7), complete, and shown by man(1) to a person."""

from __future__ import annotations

import argparse
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reviewer.commands.arguments import _OPTIONS, settings
from reviewer.config import configured
from reviewer.report.manual import manual
from tests.conftest import ROOT
from tests.test_cli import reviewer


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page in a file."""
    done = reviewer("man")
    assert (done.returncode, done.stderr) == (0, b"")
    path = tmp_path_factory.mktemp("man") / "reviewer.1"
    path.write_bytes(done.stdout)
    return path


def shown(page: Path) -> str:
    """What man(1) makes of it, without its backspaces."""
    if shutil.which("man") is None:
        pytest.skip("man is not installed")
    environment = {**os.environ, "MANWIDTH": "100", "MANPAGER": "cat", "GROFF_NO_SGR": "1"}
    done = subprocess.run(
        ["man", "--warnings", "--local-file", str(page)], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stderr == ""
    return re.sub(".\b", "", done.stdout)


def test_it_has_no_mistakes(page: Path) -> None:
    if shutil.which("mandoc") is None:
        pytest.skip("mandoc is not installed")
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", str(page)], capture_output=True, text=True, check=False
    )
    assert [line for line in done.stdout.splitlines() if "missing date" not in line] == []


def test_it_has_every_command_option_and_setting(page: Path) -> None:
    text = shown(page)
    for flags, _ in _OPTIONS.values():
        assert all(flag in text for flag in flags)
    assert all(f"reviewer.{key}" in text for key in configured())
    assert "see README" not in settings().values()
    listed = reviewer("--help").stdout.decode()
    commands = re.findall(r"^ {4}(\w+)", listed, re.MULTILINE)
    assert len(commands) > 8
    assert all(re.search(rf"^ +reviewer {command}\b", text, re.MULTILINE) for command in commands)
    assert "reviewer hook install" in text
    assert "reviewer check [OPTIONS] [REV] --all PATH..." in text


def test_text_cannot_be_read_as_a_request() -> None:
    parser = argparse.ArgumentParser(prog="bell", description=".so /etc/passwd")
    command = parser.add_subparsers().add_parser("ring", description="'x \\fB\\n(.H\n.sy reboot", epilog='a "b" c')
    command.add_argument("--all", metavar="N", help=".de x")
    lines = manual(parser, {}).splitlines()
    assert "\\&.so /etc/passwd" in lines
    assert "\\&'x \\efB\\en(.H .sy reboot" in lines
    assert "\\&.de x" in lines
    assert "\\fB\\-\\-all\\fR \\fIN\\fR" in lines


def test_on_a_terminal_man_shows_it(tmp_path: Path) -> None:
    tool = tmp_path / "man"
    tool.write_text(f'#!/bin/sh\necho "$@" > "{tmp_path}/called"\nexec cat > "{tmp_path}/page"\n')
    tool.chmod(0o755)
    terminal, end = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    try:
        subprocess.run([sys.executable, "-m", "reviewer", "man"], stdout=end, check=True, env=environment)
    finally:
        os.close(terminal)
        os.close(end)
    assert (tmp_path / "called").read_text() == "--local-file -\n"
    assert (tmp_path / "page").read_text().startswith('.TH "REVIEWER" 1')
