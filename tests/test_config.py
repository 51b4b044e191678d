# SPDX-License-Identifier: GPL-2.0-or-later
"""Where options come from, and which one wins."""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path

import pytest

from reviewer import config
from reviewer.config import Options, data_dir, load_options, read_git_config
from reviewer.errors import RepositoryError, UsageError
from reviewer.model import Severity


def git(*words: str | Path) -> None:
    subprocess.run(["git", *map(str, words)], check=True, capture_output=True)


def set_global(key: str, value: str) -> None:
    git("config", "--global", "--add", key, value)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    git("init", "-q", tmp_path / "repo")
    return tmp_path / "repo"


def test_defaults() -> None:
    assert load_options({}) == Options()
    assert Options().severity is Severity.QUESTION
    assert Options().cache_dir == Path(os.environ["XDG_CACHE_HOME"], "reviewer")
    assert Options().drafts == Path(os.environ["XDG_DATA_HOME"], "reviewer", "drafts")


def test_command_line_before_repository_before_global(repo: Path) -> None:
    set_global("reviewer.checks", "global-*")
    assert load_options({}).checks == "global-*"
    git("-C", repo, "config", "reviewer.checks", "repository-*")
    assert load_options({"repo": repo}).checks == "repository-*"
    assert load_options({"repo": repo, "checks": "given-*"}).checks == "given-*"


def test_the_named_repository_counts_and_not_the_one_of_a_hook(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git("-C", repo, "config", "reviewer.checks", "named-*")
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    assert load_options({"repo": repo}).checks == "named-*"


def test_every_key_is_read(repo: Path) -> None:
    for key, value in {
        "base": "v6.12",
        "format": "json",
        "output": "/drafts",
        "checks": "rt-*",
        "severity": "nit",
        "lore": "https://example.org/all/",
        "attestation": "true",
        "inlineDiff": "yes",
        "threeWay": "off",
        "offline": "1",
        "cache": "no",
        "cacheDir": "~/cache",
        "showPreExisting": "on",
    }.items():
        git("-C", repo, "config", f"reviewer.{key}", value)
    for branch in ("linux-6.12.y", "linux-6.1.y"):
        git("-C", repo, "config", "--add", "reviewer.branches", branch)
    git("-C", repo, "config", "reviewer.checksDir", "/my/checks")
    assert load_options({"repo": repo}) == Options(
        repo=repo,
        base="v6.12",
        format="json",
        output=Path("/drafts"),
        checks="rt-*",
        severity=Severity.NIT,
        lore="https://example.org/all/",
        attestation=True,
        inline_diff=True,
        three_way=False,
        offline=True,
        cache=False,
        show_pre_existing=True,
        branches=("linux-6.12.y", "linux-6.1.y"),
        checks_dirs=(Path("/my/checks"),),
        cache_dir=Path(os.environ["HOME"], "cache"),
    )


def test_a_key_without_value_is_true(repo: Path) -> None:
    with (repo / ".git" / "config").open("a") as file:
        file.write("[reviewer]\n\toffline\n")
    assert load_options({"repo": repo}).offline is True


def test_the_last_value_wins_and_unknown_keys_are_left_alone() -> None:
    for value in ("json", "text"):
        set_global("reviewer.format", value)
    set_global("reviewer.laterVersion", "whatever")
    assert load_options({}).format == "text"


@pytest.mark.parametrize(
    ("key", "value"), [("format", "html"), ("severity", "grave"), ("offline", "perhaps"), ("cacheDir", "")]
)
def test_a_value_that_makes_no_sense_is_named(key: str, value: str) -> None:
    set_global(f"reviewer.{key}", value)
    with pytest.raises(UsageError, match=rf"reviewer\.{key.lower()}: '{value}'"):
        load_options({})


def test_files_of_the_tree_are_not_configuration(repo: Path) -> None:
    for name in (".gitconfig", ".reviewer", ".b4-config", "reviewer.toml"):
        (repo / name).write_text("[reviewer]\n\tchecks = evil\n")
    assert load_options({"repo": repo}).checks == "*"


def test_a_broken_configuration_is_reported(repo: Path) -> None:
    (repo / ".git" / "config").write_text("[reviewer\n")
    with pytest.raises(RepositoryError, match="bad config line 1"):
        read_git_config(repo)


def test_no_such_folder() -> None:
    with pytest.raises(UsageError, match="no such folder"):
        load_options({"repo": Path("/nonexistent/linux")})


def test_without_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RepositoryError, match="install git"):
        read_git_config()


@pytest.mark.parametrize("home", [None, "", "relative"])
def test_a_home_folder_without_home(monkeypatch: pytest.MonkeyPatch, home: str | None) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    if home is None:
        monkeypatch.delenv("HOME")
    else:
        monkeypatch.setenv("HOME", home)
    assert config.default_cache() == Path(pwd.getpwuid(os.getuid()).pw_dir, ".cache", "reviewer")


def test_a_user_without_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 7)
    with pytest.raises(UsageError, match="set HOME, or XDG_CACHE_HOME"):
        config.default_cache()


def test_relative_xdg_folders_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "data")
    assert config.default_output() == Path(os.environ["HOME"], ".local", "share", "reviewer", "drafts")


def test_data_dir_finds_the_checkout() -> None:
    root = Path(config.__file__).parent.parent
    assert data_dir("checks") in {root / "checks", root / "reviewer" / "_bundled" / "checks"}
    with pytest.raises(RepositoryError, match="install the program again"):
        data_dir("nonsense")
