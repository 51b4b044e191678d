# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks and tables: one that is broken stops the run and is named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from reviewer.config import data_dir
from reviewer.context.tables import TABLES
from reviewer.errors import CheckError, UsageError
from reviewer.registry import AREAS, load_api, load_checks


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(data_dir("checks"), tmp_path / "checks", ignore=shutil.ignore_patterns("__pycache__")))


def test_every_file_is_a_check_named_after_it() -> None:
    checks = load_checks([data_dir("checks")])
    files = {path.stem for path in data_dir("checks").glob("*.py")}
    assert {check.id.replace("-", "_") for check in checks} == files
    assert {check.area for check in checks} <= AREAS
    assert all(check.id.startswith({"locking": "lock"}.get(check.area, check.area) + "-") for check in checks)


def test_glob_chooses_and_a_glob_without_match_is_a_usage_error() -> None:
    assert {check.area for check in load_checks([data_dir("checks")], "rt-*")} == {"rt"}
    with pytest.raises(UsageError, match="no check matches 'nothing-\\*'"):
        load_checks([data_dir("checks")], "nothing-*")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise ValueError('oops')\n", "does not load"),
        ("import not_there\n", "does not load"),
        ("X = 1\n", "defines no CHECK"),
        ("def broken(:\n", "does not load"),
    ],
)
def test_broken_check_stops_the_run_and_is_named(folder: Path, text: str, said: str) -> None:
    (folder / "lock_broken.py").write_text(text)
    with pytest.raises(CheckError, match=said) as caught:
        load_checks([folder])
    assert "lock_broken.py" in str(caught.value)


def test_id_other_than_the_file_name_is_refused(folder: Path) -> None:
    (folder / "lock_imbalance.py").rename(folder / "lock_other_name.py")
    with pytest.raises(CheckError, match="calls itself lock-imbalance"):
        load_checks([folder])


def test_same_check_twice_is_refused(folder: Path) -> None:
    with pytest.raises(CheckError, match="defined twice"):
        load_checks([data_dir("checks"), folder])


def test_folder_without_checks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckError, match="no checks in"):
        load_checks([tmp_path])


@pytest.mark.parametrize("table", TABLES)
def test_table_that_is_missing_or_broken_stops_the_run(folder: Path, table: str) -> None:
    path = folder / f"{table}.toml"
    path.write_text("this is = not [ toml")
    with pytest.raises(CheckError, match=f"{table}.toml"):
        load_api(folder)
    path.unlink()
    with pytest.raises(CheckError, match=f"{table}.toml"):
        load_api(folder)


def test_table_with_a_section_missing_stops_the_run(folder: Path) -> None:
    (folder / "effects.toml").write_text("[sleeps]\nalways = 'msleep'\n")
    with pytest.raises(CheckError, match="not as they should be"):
        load_api(folder)


def test_tables_agree_with_each_other() -> None:
    api = load_api(data_dir("checks"))
    assert {call.kind for call in api.locks.values()} <= set(api.classes)
    assert {kind for kind, _ in api.lock_guards.values()} <= set(api.classes)
    assert not set(api.locks) & set(api.allocators)
    assert not set(api.sleeps) & set(api.frees)
    for registration in api.registrations:
        assert registration.kind in {"hardirq", "hardirq_threaded", "softirq", "nmi", "raw_lock", "spin_lock", "task"}
