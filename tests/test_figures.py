# SPDX-License-Identifier: GPL-2.0-or-later
"""The arithmetic of the benchmark: figures of several runs, limits, seconds by phase."""

from __future__ import annotations

import argparse

import pytest

from tests.measure.figures import Measure, Took, limit, passed
from tests.measure.phases import Stats, seconds_by_phase

WARM = Measure("warm", "patches", (Took(1.0, 0.9, 100), Took(5.0, 4.0, 300), Took(2.0, 1.5, 200)))
AUDIT = Measure("audit-warm", "folders", (Took(9.0, 8.0, 500),))


def test_several_runs_have_a_median_and_a_worst() -> None:
    assert WARM.figures == {"warm-median": 2.0, "warm-worst": 5.0, "warm-memory": 300.0}
    assert AUDIT.figures == {"audit-warm": 9.0, "audit-warm-memory": 500.0}


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"warm-median": 2.0, "audit-warm": 10.0}, []),
        ({"warm-worst": 4.0}, ["warm-worst is 5.00, the limit 4"]),
        ({"audit-warm-memory": 499.0}, ["audit-warm-memory is 500.00, the limit 499"]),
        ({"audit-cold": 4.0}, ["there is no figure audit-cold"]),
    ],
)
def test_limits(limits: dict[str, float], said: list[str]) -> None:
    assert passed([WARM, AUDIT], limits) == said


def test_limit_is_a_name_and_a_number() -> None:
    assert limit("warm-median=1.5") == ("warm-median", 1.5)
    for text in ("warm-median", "warm-median=", "=1", "warm-median=soon"):
        with pytest.raises(argparse.ArgumentTypeError, match="NAME=NUMBER"):
            limit(text)


def test_what_has_no_phase_counts_for_its_callers() -> None:
    flow = ("/x/reviewer/context/flow.py", 10, "run")
    scan = ("/x/reviewer/source/scan.py", 20, "scan")
    search = ("~", 0, "<method 'search' of 're.Pattern' objects>")
    helper = ("/usr/lib/python3/collections/__init__.py", 5, "_replace")
    query = ("~", 0, "<method 'execute' of 'sqlite3.Connection' objects>")
    stats: Stats = {
        flow: (1, 1, 2.0, 9.0, {}),
        scan: (1, 1, 1.0, 4.0, {}),
        search: (8, 8, 4.0, 4.0, {scan: (6, 6, 3.0, 3.0), helper: (2, 2, 1.0, 1.0)}),
        helper: (2, 2, 0.5, 1.5, {flow: (2, 2, 0.5, 1.5)}),
        query: (1, 1, 0.25, 0.25, {flow: (1, 1, 0.25, 0.25)}),
    }
    assert seconds_by_phase(stats) == {"scan": 4.0, "flow": 3.5, "SQLite": 0.25}
