# SPDX-License-Identifier: GPL-2.0-or-later
"""The arithmetic of the benchmark: figures of several runs, limits, seconds by phase."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from tests.kernels import KernelClone
from tests.measure.figures import Measure, Took, limit, passed, percentile
from tests.measure.phases import Stats, seconds_by_phase
from tests.measure.sample import drawn, functions_in, with_line
from tests.repos import make

WARM = Measure("warm", "patches", (Took(1.0, 0.9, 100), Took(5.0, 4.0, 300), Took(2.0, 1.5, 200)))
AUDIT = Measure("audit-warm", "folders", (Took(9.0, 8.0, 500),))
SAMPLE = Measure("drawn", "functions", tuple(Took(float(seconds), 1.0, 50) for seconds in range(20, 0, -1)), 15.0)
TEXT = b"""\
#define TWICE(x) \\
{ x; x; }
static const struct ops ops[] = {
	FILLED(short_one),
};
int declared(int value);
static int __init first(struct dev *dev,
			int value)
{
	if (value)
	{
		return 1;
	}
	return 0;
}

SYSCALL_DEFINE1(second, int, value)
{
	return 0;
}

void third(void) __releases(&lock)
{
}
struct list *fourth (int (*call)(int))
{
	return 0;
}
#if 0
int first(void)
{
	return 0;
}
#endif
"""


def test_several_runs_have_a_median_and_a_worst() -> None:
    assert WARM.figures == {"warm-median": 2.0, "warm-worst": 5.0, "warm-memory": 300.0}
    assert AUDIT.figures == {"audit-warm": 9.0, "audit-warm-memory": 500.0}


def test_sample_has_a_percentile_and_says_how_many_are_late() -> None:
    assert SAMPLE.figures == {
        "drawn-median": 10.5,
        "drawn-p90": 18.0,
        "drawn-worst": 20.0,
        "drawn-late": 5.0,
        "drawn-memory": 50.0,
    }
    assert SAMPLE.in_time == "drawn: 15 of 20 in 15 s"
    assert WARM.in_time is None
    assert passed([SAMPLE], {"drawn-late": 4, "drawn-p90": 18}) == ["drawn-late is 5.00, the limit 4"]
    one = Measure("drawn", "functions", WARM.runs[:1], 15.0)
    assert one.figures["drawn-p90"] == one.figures["drawn-worst"] == 1.0


@pytest.mark.parametrize(("per_cent", "value"), [(0, 1), (10, 1), (11, 2), (50, 5), (90, 9), (91, 10), (100, 10)])
def test_percentile_is_a_value_that_was_measured(per_cent: int, value: int) -> None:
    assert percentile([10, 3, 1, 2, 9, 4, 8, 5, 7, 6], per_cent) == value


def test_functions_of_a_text_and_a_line_in_one() -> None:
    assert functions_in(TEXT) == ["first", "SYSCALL_DEFINE1", "third", "fourth"]
    changed = with_line(TEXT, "third") or b""
    assert changed.replace(b"\tbarrier();\n", b"") == TEXT
    assert b"__releases(&lock)\n{\n\tbarrier();\n}" in changed
    assert with_line(TEXT, "declared") is None


def test_functions_are_drawn_by_seed_from_all_folders(tmp_path: Path) -> None:
    long = b"".join(b"int long%d(void)\n{\n\treturn 0;\n}\n" % at for at in range(200))
    files = {f"drivers/d{at}/a.c": b"void only%d(void)\n{\n}\n" % at for at in range(20)}
    files |= {"fs/long.c": long, "mm/table.c": b"int table[] = {\n\t1,\n};\n", "mm/inline.h": TEXT, "mm/empty.c": b""}
    clone = KernelClone(tmp_path, make(tmp_path, files))
    sample = list(drawn(clone, 8, 3))
    assert sample == list(drawn(clone, 8, 3)) != list(drawn(clone, 8, 4))
    assert len({path for path, _ in sample}) == 8
    assert sum(next(drawn(clone, 1, seed))[0] == "fs/long.c" for seed in range(20)) > 10
    everything = dict(drawn(clone, 100, 3))
    assert everything.keys() == {path for path in files if path.startswith(("drivers/", "fs/"))}
    assert everything["drivers/d7/a.c"] == "only7"
    assert everything["fs/long.c"] in functions_in(long)


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
