# SPDX-License-Identifier: GPL-2.0-or-later
"""What a later patch of a series does to what an earlier one brought, as ``check`` says it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from reviewer.cli import main
from tests import repos

PATH = "drivers/example/example.c"
_HEAD = "struct dev { spinlock_t lock; };\n"
_LOW = "static void low(struct dev *dev)\n{\n\tdev->a = 1;\n}\n\n"
_HIGH = "void high(struct dev *dev)\n{\n\tspin_lock(&dev->lock);\n\tlow(dev);\n\tspin_unlock(&dev->lock);\n}\n"
CLEAN = _HEAD + _LOW + _HIGH
SLEEPS = CLEAN.replace("\tdev->a = 1;\n", "\tdev->a = 1;\n\tmsleep(1);\n")


def _brought(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], texts: Sequence[str]
) -> list[tuple[int, str, int, int | None]]:
    """(patch, change, line, fixed later) of the findings of the commits from each text to the next."""
    tree = tmp_path / "tree"
    first = repos.make(tree, {PATH: texts[0]})
    for text in texts[1:]:
        repos.make(tree, {PATH: text})
    main(["check", f"{first}..", "--repo", str(tree), "--format", "json"])
    report = json.loads(capsys.readouterr().out)
    return [
        (patch["number"], finding["change"], finding["line"], finding["fixed_later"])
        for patch in report["patches"]
        for finding in patch["findings"]
    ]


def test_bug_that_a_later_patch_takes_out_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _brought(tmp_path, capsys, (CLEAN, SLEEPS, CLEAN)) == [(1, "introduced", 5, 2), (2, "fixed", 11, None)]


def test_bug_that_a_later_patch_mends_by_dropping_the_lock(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mended = SLEEPS.replace("\tspin_lock(&dev->lock);\n", "").replace("\tspin_unlock(&dev->lock);\n", "")
    assert [found[3] for found in _brought(tmp_path, capsys, (CLEAN, SLEEPS, mended))] == [2, None]


def test_bug_of_which_a_later_patch_mends_only_one_way_to_reach_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = _HIGH.replace("high", "other")
    mended = SLEEPS + more.replace("\tlow(dev);\n", "")
    found = _brought(tmp_path, capsys, (CLEAN + more, SLEEPS + more, mended))
    assert found[0] == (1, "introduced", 5, None)


def test_old_bug_that_a_later_patch_mends_is_not_the_new_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = CLEAN.replace("\tlow(dev);\n", "\tmsleep(5);\n")
    both = old.replace("\tmsleep(5);\n", "\tmsleep(5);\n\tmsleep(7);\n")
    new = both.replace("\tmsleep(5);\n", "")
    found = _brought(tmp_path, capsys, (old, both, new))
    assert [each for each in found if each[1] == "introduced"] == [(1, "introduced", 11, None)]


def test_bug_that_is_moved_by_a_later_patch_is_still_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    direct = CLEAN.replace("\tlow(dev);\n", "\tmsleep(1);\n")
    moved = SLEEPS
    assert _brought(tmp_path, capsys, (CLEAN, direct, moved)) == [(1, "introduced", 10, None)]
