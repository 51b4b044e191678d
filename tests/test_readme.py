# SPDX-License-Identifier: GPL-2.0-or-later
"""README says nothing that is not so: what it shows is run here, what it lists is counted here."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import pytest

from reviewer import config
from reviewer.commands.arguments import _OPTIONS
from reviewer.commands.demo import make_example
from reviewer.ignore import parse
from reviewer.report.data import to_json
from tests.conftest import ROOT
from tests.inbox import Inbox, split_mboxrd
from tests.measure.figures import WANTED
from tests.test_packaging import need_build_tools
from tests.test_report import FINDING, REVIEW

README = (ROOT / "README.md").read_text()
MESSAGE_ID = "20250311143320.81-1-ada@example.org"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


SETUP, TESTS, *USES = blocks("sh")
MEASURES = [line for block in USES for line in block.splitlines() if line.startswith("python -m tests.")]
COMMANDS = [line for block in USES for line in block.splitlines() if line not in MEASURES]
LOCAL = [line for line in COMMANDS if "MESSAGE-ID" not in line]
# The only commands that are not to end in 0 or 1 here: nothing is sent without a terminal, and there is no branch of
# b4 review (tests/test_b4.py has one).
STATUS = {"reviewer drafts send 1": {2}, "reviewer b4-review": {3}}


def git(tree: Path, *words: str) -> bytes:
    return subprocess.run(["git", "-C", str(tree), *words], check=True, capture_output=True).stdout


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone of the example with its series as commits, the mail beside it, and ``reviewer`` on PATH."""
    origin, mail = make_example(tmp_path)
    tree = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(origin), str(tree)], check=True, capture_output=True)
    shutil.copyfile(mail, tree / "thread.mbox")
    for number, message in enumerate(split_mboxrd(mail.read_bytes())[1:4], 1):
        (tree / f"{number:04}.patch").write_bytes(message)
        git(tree, "am", "-q", f"{number:04}.patch")
    shutil.copyfile(ROOT / "tests" / "splats" / "lockdep-circular.txt", tree / "dmesg.txt")
    git(tree, "config", "reviewer.branches", "origin/master")
    (tree / ".git" / "info" / "exclude").write_text(".*\n")  # as in the kernel's .gitignore
    (tree / ".reviewer").mkdir()
    (tree / ".reviewer" / "ignore").write_text(blocks("ignore")[0])
    program = tmp_path / "bin" / "reviewer"
    program.parent.mkdir()
    log = program.with_name("dmesg")
    log.write_text(f"#!/bin/sh\ncat {tree / 'dmesg.txt'}\n")
    log.chmod(0o755)
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m reviewer "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("EDITOR", "true")
    return tree


def run(command: str, folder: Path) -> str:
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode in STATUS.get(command, {0, 1}), f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stdout


def test_the_first_screen_has_two_commands() -> None:
    first_screen = "\n".join(README.splitlines()[:25])
    assert [len(block.splitlines()) for block in (SETUP, TESTS)] == [1, 1]
    assert SETUP in first_screen
    assert TESTS in first_screen
    assert SETUP.strip().endswith("/reviewer demo")


def test_the_two_commands_work(tmp_path: Path) -> None:
    """As written, in a copy of the checkout; the libraries come from this environment instead of an index."""
    need_build_tools()
    copy = tmp_path / "project"
    skipped = shutil.ignore_patterns(".git", ".venv", "build", "dist", "*.egg-info", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, copy, ignore=skipped)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads this as "without isolation"
        "PYTEST_ADDOPTS": "-p no:cacheprovider -k test_every_package_is_named_in_pyproject",
    }
    done = subprocess.run(
        ["/bin/sh", "-ec", SETUP], cwd=copy, capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert "3 of 3 patches applied" in done.stdout
    pytest_command = copy / ".venv" / "bin" / "pytest"
    pytest_command.write_text(f'#!/bin/sh\nexec {copy}/.venv/bin/python -m pytest "$@"\n')
    pytest_command.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "-ec", TESTS], cwd=copy, capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^=* ?1 passed", done.stdout, re.MULTILINE)


def test_the_commands_that_need_no_server_run_in_their_order(kernel: Path) -> None:
    said = {command: run(command, kernel) for command in LOCAL}
    assert "[lock-gfp-blocking-in-atomic]" in said["reviewer review thread.mbox"]
    assert "2 of 2 patches applied" in said["reviewer review 0001.patch 0002.patch"]
    assert "Re: [PATCH v2 1/3]" in said["reviewer drafts show 1"]
    assert json.loads(said["reviewer check origin/master.. --format json"])["version"] == 1
    assert git(kernel, "show", "HEAD:.reviewer/ignore").decode() == blocks("ignore")[0]
    assert "locks taken in a circle" in said["reviewer splat dmesg.txt"] == said["dmesg | reviewer splat"]


def test_the_commands_that_fetch_run_against_an_archive(kernel: Path, inbox: Inbox) -> None:
    inbox.add(split_mboxrd((kernel / "thread.mbox").read_bytes()))
    git(kernel, "config", "reviewer.lore", inbox.url)
    fetching = [command for command in COMMANDS if "MESSAGE-ID" in command]
    assert fetching
    for command in fetching:
        assert "lock-gfp-blocking-in-atomic" in run(command.replace("MESSAGE-ID", MESSAGE_ID), kernel)


def test_the_measures_print_what_is_said_of_them(tmp_path: Path) -> None:
    """As written, on the tree of the example; only told to look at it however small it is, and to be quick."""
    origin, _ = make_example(tmp_path)
    parse, mutations, benchmark = (line.replace("python", sys.executable, 1) for line in MEASURES)
    said = run(f"{parse.replace('~/linux', str(origin))} --least 1", ROOT)
    assert re.search(r"^ *drivers +1 ", said, re.MULTILINE)
    said = run(mutations.replace("~/linux", str(origin)).replace("--count 30", "--count 1"), ROOT)
    assert re.search(r"^msleep .*100\.0 %$", said, re.MULTILINE)
    assert re.search(r"^harmless-comment .*100\.0 %$", said, re.MULTILINE)
    said = run(f"{benchmark} --help", ROOT)
    assert all(option in said for option in re.findall(r"--\w+", benchmark))
    assert set(re.findall(r"--limit ([\w-]+)=", benchmark)) <= set(WANTED)


def test_a_measure_ends_with_1_where_its_limit_is_passed(tmp_path: Path) -> None:
    folder = tmp_path / "lib"
    folder.mkdir()
    (folder / "odd.c").write_text("int f(void)\n{\n\treturn 1 +* / 2;\n}\nint g(void)\n{\n\treturn 2;\n}\n")
    command = f"{sys.executable} -m tests.measure.parse --tree {tmp_path} --least 1 --no-ctags"
    for most, status in ((49, 1), (50, 0)):
        done = subprocess.run([*command.split(), "--limit", str(most)], cwd=ROOT, capture_output=True, check=False)
        assert done.returncode == status, done.stdout


def test_every_command_of_the_program_is_shown() -> None:
    shown = {line.split("reviewer ")[1].split()[0] for line in COMMANDS if "reviewer " in line} | {"demo"}
    listed = subprocess.run(
        [sys.executable, "-m", "reviewer", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert shown == set(re.findall(r"^ {4}([\w-]+)", listed.stdout, re.MULTILINE))


def test_the_shown_margin_is_what_the_example_prints(kernel: Path) -> None:
    (shown,) = blocks("diff")
    printed = run("reviewer check HEAD~3.. --format diff", kernel).splitlines()
    assert [row for row in shown.splitlines() if row not in printed] == []


def test_the_shown_report_is_what_the_example_prints(kernel: Path) -> None:
    (shown,) = blocks("text")
    assert shown in run("reviewer demo", kernel)


def test_the_shown_json_has_the_keys_of_the_report() -> None:
    (shown,) = blocks("json")
    keys = _keys(json.loads(shown))
    report = json.loads(to_json(REVIEW))
    assert keys["", "patches", "findings"] == list(report["patches"][0]["findings"][0])
    for path, found in _keys(report).items():
        assert keys[path] == found, path
    assert len(FINDING.witness) > 1


def _keys(value: Any, path: tuple[str, ...] = ("",)) -> dict[tuple[str, ...], list[str]]:
    if isinstance(value, list):
        return {key: keys for entry in value for key, keys in _keys(entry, path).items()}
    if not isinstance(value, dict):
        return {}
    found = {path: list(value)}
    for key, inside in value.items():
        found |= _keys(inside, (*path, key))
    return found


def test_the_shown_ignore_file_has_no_mistake() -> None:
    (shown,) = blocks("ignore")
    entries, wrong = parse(shown.encode(), ".reviewer/ignore")
    assert (len(entries), wrong) == (2, ())
    form = shown.splitlines()[0].removeprefix("# ")
    assert form in parse(b"*", "")[1][0][1]


def test_every_setting_is_listed_with_its_option() -> None:
    rows = dict(re.findall(r"^\| `reviewer\.(\w+)` \| (?:`(--[\w-]+)`)? ?\|", README, re.MULTILINE))
    tables = {**config._SINGLE, **config._MULTIPLE}
    assert {key.lower() for key in rows} == set(tables)
    for key, option in rows.items():
        flags = _OPTIONS.get(tables[key.lower()][0], ((), {}))[0]
        assert ([option] if option else []) == list(flags), key


def test_every_dependency_is_listed_and_says_what_it_does() -> None:
    rows = dict(re.findall(r"^\| \[([\w-]+)\]\([^)]+\) \| (.+) \|$", README, re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(rows) == {re.split(r"[><=~!]", requirement)[0] for requirement in project["dependencies"]}
    assert all(rows.values())


def test_the_files_it_names_are_there() -> None:
    for name in (".ci/run", ".ci/lock", "uv.lock", "checks/", "templates/", "reviewer/", "tests/", "docs/", "LICENSE"):
        assert (ROOT / name).exists(), name
        assert name == "LICENSE" or f"`{name}`" in README


def test_the_locked_requirements_can_be_exported(tmp_path: Path) -> None:
    command = re.search(r"`(uv export [^`]*)`", README)
    assert command is not None
    beside = Path(sys.executable).parent / "uv"
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not installed")
    words = [uv, *command[1].split()[1:]]
    words[-1] = str(tmp_path / words[-1])
    subprocess.run([*words, "--directory", str(ROOT), "--offline"], check=True, capture_output=True)
    pins = re.findall(r"^([\w.-]+)==[\w.]+ .*\\\n    --hash=sha256:", (tmp_path / "requirements.txt").read_text(), re.M)
    assert {"b4", "gitpython", "tree-sitter-c"} <= set(pins)
