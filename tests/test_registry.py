# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks and tables: one that is broken stops the run and is named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from reviewer.config import data_dir
from reviewer.context.load import TABLES
from reviewer.context.schema import COUNTERS
from reviewer.context.state import State
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


@pytest.mark.parametrize(
    ("table", "old", "new", "said"),
    [
        ("effects", "[frees]", "[freed]", "unknown field `freed`"),
        ("effects", "[frees]", '[frees]\nsafe = "x"', r"unknown field `safe` - at `\$.frees`"),
        ("effects", "kmalloc = 1", 'kmalloc = "one"', r"Expected `int`, got `str` - at `\$.allocators"),
        ("effects", "kmalloc = 1", "kmalloc = -1", r"Expected `int` >= 0 - at `\$.allocators"),
        ("effects", '"(?:s|rcu)?wait', '"(?:(s|rcu)?wait', "sleeps.patterns: .* is not a regular expression"),
        (
            "effects",
            'scheduler = """',
            'scheduler = """mutex_lock ',
            "sleeps.always: mutex_lock stands in locks.toml too",
        ),
        ("effects", 'scheduler = """', 'scheduler = """msleep ', "sleeps.always.scheduler: msleep stands there twice"),
        ("effects", 'scheduler = """', 'scheduler = """m-sleep ', "sleeps.always.scheduler: 'm-sleep' is not a name"),
        (
            "effects",
            "kmalloc_obj = 1",
            "kmalloc_obj = 1\nkmalloc = 1",
            "optional_gfp: kmalloc stands in allocators too",
        ),
        ("locks", 'class = "local"', 'class = "spinning"', "Invalid enum value 'spinning'"),
        ("locks", 'acquire = "read_lock"', 'acquire = "spin_lock"', "read.acquire: spin_lock stands in spin.acquire"),
        (
            "locks",
            "argument = { bit_spin_lock = 1",
            "argument = { bit_lock = 1",
            "bit.argument: bit_lock is not a primitive",
        ),
        ("locks", 'writer = "write"', 'writer = "writer"', "read.writer: 'writer' is not a kind"),
        ("locks", 'downgraded = "rwsem_read"', 'downgraded = "rwsem"', "rwsem_write.downgraded: 'rwsem' is not a kind"),
        ("context", "get_cpu = { preempt = 1 }", "get_cpu = { cpu = 1 }", "counters.get_cpu: cpu is not a counter"),
        (
            "context",
            'disable = "local_irq',
            'disable = "local_irq_enable local_irq',
            "irq.enable: local_irq_enable stands",
        ),
        ("entries", 'kind = "nmi"', 'kind = "nmis"', "Invalid enum value 'nmis'"),
        (
            "entries",
            "flags_at = { hrtimer_setup =",
            "flags_at = { hrtimer_set =",
            "flags_at: hrtimer_set is not a call",
        ),
        ("entries", "CPUHP_", "(CPUHP_", "registration 25, flagged: .* is not a regular expression"),
        (
            "operations",
            'members = "activate deactivate"',
            'members = "activate activate"',
            "activate stands there twice",
        ),
        ("operations", "source =", "sources =", "unknown field `sources`"),
    ],
)
def test_table_that_is_not_as_it_should_be_is_named_with_its_key(
    folder: Path, table: str, old: str, new: str, said: str
) -> None:
    path = folder / f"{table}.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(CheckError, match=said) as caught:
        load_api(folder)
    assert f"{table}.toml" in str(caught.value)


def test_what_the_tables_move_are_fields_of_the_state() -> None:
    assert set(State._fields) >= COUNTERS


def test_assigned_members_have_names_of_their_own() -> None:
    api = load_api(data_dir("checks"))
    named = [name.partition(".")[2] for name, member in api.members.items() if member.assigned]
    assert len(named) == len(set(named)) == len(api.assigned)
