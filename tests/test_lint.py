# SPDX-License-Identifier: GPL-2.0-or-later
"""Style, format and types, as tests: one command says whether a change can go in."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

# The configuration of the tools names these; a file somewhere else would not be looked at.
FOLDERS = ("reviewer", "checks", "tests")


def run(module: str, *arguments: str) -> None:
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed; pip install -e '.[dev]' brings it")
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_check(tmp_path: Path) -> None:
    run("ruff", "check", "--cache-dir", str(tmp_path), *FOLDERS)


def test_ruff_format(tmp_path: Path) -> None:
    run("ruff", "format", "--check", "--diff", "--cache-dir", str(tmp_path), *FOLDERS)


def test_mypy_strict(tmp_path: Path) -> None:
    run("mypy", "--strict", "--cache-dir", str(tmp_path))
