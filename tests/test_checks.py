# SPDX-License-Identifier: GPL-2.0-or-later
"""Every example of every check: wrong ones are found at the marked line, right ones stay silent."""

from __future__ import annotations

import textwrap

import pytest

from reviewer.check import Check
from reviewer.model import Change
from tests.findings import CHECKS, brought_by

_AFTER = "/* After it: */\n"


def sides(code: str) -> tuple[str | None, str]:
    """An example before and after a patch; where it is only one text the patch adds the file."""
    before, patched, after = textwrap.dedent(code).lstrip("\n").partition(_AFTER)
    return (before, after) if patched else (None, before)


def findings(code: str) -> list[tuple[str, int]]:
    """(check, line) of what all checks find in the patch of an example."""
    before, after = sides(code)
    found = brought_by(after, before)
    return sorted({(f.check, f.line) for f in found if f.change in (Change.INTRODUCED, Change.EXPOSED)})


def marked(code: str) -> list[int]:
    """The lines with ``/* wrong */``."""
    return [number for number, line in enumerate(sides(code)[1].split("\n"), 1) if "/* wrong */" in line]


def _cases(kind: str) -> list[object]:
    return [
        pytest.param(check, example, id=f"{check.id}-{number}")
        for check in CHECKS
        for number, example in enumerate(getattr(check, kind), 1)
    ]


@pytest.mark.parametrize(("check", "example"), _cases("wrong"))
def test_wrong_example_is_found_at_its_line(check: Check, example: str) -> None:
    assert marked(example), "a wrong example marks the line"
    assert [line for name, line in findings(example) if name == check.id] == marked(example)


@pytest.mark.parametrize(("check", "example"), _cases("right"))
def test_right_example_is_silent(check: Check, example: str) -> None:
    assert not findings(example), f"a right example of {check.id}"


@pytest.mark.parametrize(("check", "example"), _cases("misses"))
def test_known_miss_is_still_missed(check: Check, example: str) -> None:
    assert check.id not in {name for name, _ in findings(example)}
