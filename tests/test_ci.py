# SPDX-License-Identifier: GPL-2.0-or-later
"""The run from nothing: what .ci/run promises, as far as it can be seen without a bare machine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.test_readme import TESTS

SCRIPT = ROOT / ".ci" / "run"


@pytest.mark.parametrize("name", ["run", "lock"])
def test_the_scripts_are_executable_and_parse(name: str) -> None:
    script = ROOT / ".ci" / name
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", str(script)], check=True, stdin=subprocess.DEVNULL)


def test_it_ends_with_the_test_command_of_the_readme() -> None:
    assert SCRIPT.read_text().splitlines()[-1] == TESTS.strip().split("&&")[-1].strip()


@pytest.mark.parametrize("status", [0, 1, 5])
def test_a_run_installs_by_the_lock_and_gives_the_status_of_the_tests(tmp_path: Path, status: int) -> None:
    """The script itself, with stand-ins for the programs that change the machine or need the network."""
    project = tmp_path / "project"
    (project / ".ci").mkdir(parents=True)
    (project / ".ci" / "run").write_bytes(SCRIPT.read_bytes())
    log = tmp_path / "log"
    tools = tmp_path / "tools"
    tools.mkdir()
    shared = tmp_path / "shared" / "kernel"
    shared.mkdir(parents=True)

    def stand_in(path: Path, also: str = "") -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\necho "{path.name} $*" >>{log}\n{also}\n')
        path.chmod(0o755)

    stand_in(tools / "dpkg", "exit 1")
    stand_in(tools / "apt-get")
    stand_in(tools / "python3")
    stand_in(shared / "tree")
    for name in ("pip", "uv"):
        stand_in(project / ".venv" / "bin" / name)
    stand_in(
        project / ".venv" / "bin" / "pytest",
        f'echo "$REVIEWER_REQUIRE_ALL $SHARED $KERNEL_TREES" >>{log}\n'
        f"read line && exit 99\necho summary\nexit {status}",
    )
    done = subprocess.run(
        ["bash", ".ci/run"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={"PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(tmp_path / "home"), "CI": "true"},
    )
    assert done.returncode == status, done.stderr
    assert done.stdout.splitlines()[-1] == "summary"
    said = log.read_text()
    assert said.endswith(f"pytest \n1 {tmp_path}/shared {tmp_path}/home/.cache/kernel-trees\n")
    for expected in (
        "apt-get update",
        "public-inbox",
        "git-email",
        "mutt",
        "uv export",
        "pip install -q --disable-pip-version-check --require-hashes -r .venv/requirements.txt",
        "tree 6.1\n",
        "tree 6.12\n",
        "tree 7.2\n",
        "tree 6.12 --rt\n",
    ):
        assert expected in said


def test_a_failing_step_ends_the_run(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / ".ci").mkdir(parents=True)
    (project / ".ci" / "run").write_bytes(SCRIPT.read_bytes())
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, status in (("dpkg", 1), ("apt-get", 100)):
        (tools / name).write_text(f"#!/bin/sh\nexit {status}\n")
        (tools / name).chmod(0o755)
    done = subprocess.run(
        ["bash", ".ci/run"],
        cwd=project,
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={"PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(tmp_path), "SHARED": str(tmp_path)},
    )
    assert done.returncode == 100
