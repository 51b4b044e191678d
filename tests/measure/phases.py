# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the time of a profiled run of the program goes, by phase."""

from __future__ import annotations

import pstats
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

Place = tuple[str, int, str]
"""A function as the profiler names it: file, line, name. What is built in is in the file ``~``."""
Stats = Mapping[Place, tuple[int, int, float, float, Mapping[Place, tuple[int, int, float, float]]]]
"""By function: calls, calls that were not recursive, own seconds, seconds with callees; the same by caller."""

OTHER: Final = "other"
_BY_NAME: Final = ((re.compile(r"sqlite3"), "SQLite"), (re.compile(r"msgspec"), "decoding and encoding"))
_BY_FILE: Final = (
    (re.compile(r"/reviewer/tree/"), "git"),
    (re.compile(r"/subprocess\.py$|/selectors\.py$"), "git"),
    (re.compile(r"/reviewer/source/scan\.py$"), "scan"),
    (re.compile(r"/reviewer/source/(?:database|store|upkeep)\.py$"), "SQLite"),
    (re.compile(r"/reviewer/source/(?:program|declarations|edits|files|pointers)\.py$"), "names"),
    (re.compile(r"/reviewer/source/"), "parse"),
    (re.compile(r"/reviewer/context/(?:closure|kept|moved)\.py$"), "summaries"),
    (re.compile(r"/reviewer/context/(?:callers|customs|entry|reach)\.py$"), "callers"),
    (re.compile(r"/reviewer/context/(?:load|schema|tables)\.py$"), "tables"),
    (re.compile(r"/reviewer/context/"), "flow"),
    (re.compile(r"/checks/|/reviewer/(?:affected|audit|check|compare|declared|judge|required)\.py$"), "checks"),
    (re.compile(r"/reviewer/"), OTHER),
    (re.compile(r"importlib|/re/_\w+\.py$"), "start"),
)


def seconds_by_phase(stats: Stats) -> dict[str, float]:
    """Own time by phase, most first. What belongs to no phase itself counts for those who called it."""
    memo: dict[Place, Mapping[str, float]] = {}
    found: defaultdict[str, float] = defaultdict(float)
    for place, (_, _, own, _, _) in stats.items():
        for phase, part in _parts(place, stats, memo).items():
            found[phase] += own * part
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def phases_of(profile: Path) -> dict[str, float]:
    """The same of a file that ``cProfile`` wrote."""
    stats: Any = pstats.Stats(str(profile))
    return seconds_by_phase(stats.stats)


def _parts(place: Place, stats: Stats, memo: dict[Place, Mapping[str, float]]) -> Mapping[str, float]:
    """To which phases a function belongs: its own, or those of its callers by the time that it took for each."""
    if place in memo:
        return memo[place]
    own = _phase(place)
    if own is not None:
        memo[place] = {own: 1.0}
        return memo[place]
    memo[place] = {OTHER: 1.0}  # what calls itself, however far round
    callers = stats[place][4] if place in stats else {}
    whole = sum(taken for _, _, taken, _ in callers.values())
    if whole > 0:
        parts: defaultdict[str, float] = defaultdict(float)
        for caller, (_, _, taken, _) in callers.items():
            for phase, part in _parts(caller, stats, memo).items():
                parts[phase] += part * taken / whole
        memo[place] = dict(parts)
    return memo[place]


def _phase(place: Place) -> str | None:
    file, _, name = place
    if file == "~":
        return next((phase for pattern, phase in _BY_NAME if pattern.search(name)), None)
    file = file.replace("\\", "/")
    return next((phase for pattern, phase in _BY_FILE if pattern.search(file)), None)
