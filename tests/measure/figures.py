# SPDX-License-Identifier: GPL-2.0-or-later
"""What runs of the program took, as a table, and the limits that they may not pass."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from rich import box
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Took:
    """One run: wall time and processor time in seconds, the greatest resident set of a process in MiB."""

    seconds: float
    processor: float
    memory: int


def percentile(values: Sequence[float], per_cent: int) -> float:
    """The least of ``values`` that so many per cent of them do not exceed (nearest rank)."""
    return sorted(values)[max(math.ceil(len(values) * per_cent / 100), 1) - 1]


_SEVERAL: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "median": median,
    "p90": lambda values: percentile(values, 90),
    "worst": max,
}
"""What is said of several runs, by the end of the figure's name."""


@dataclass(frozen=True, slots=True)
class Measure:
    """All runs of one kind. ``within`` are the seconds that each run of a sample should take at most."""

    name: str
    what: str
    runs: tuple[Took, ...]
    within: float | None = None

    @property
    def figures(self) -> dict[str, float]:
        """The figures by the names that limits have: of several runs the median and the worst.

        Of a sample also the 90th percentile, and as ``-late`` how many runs took longer than they should.
        """
        seconds = [run.seconds for run in self.runs]
        found = {f"{self.name}-memory": float(max(run.memory for run in self.runs))}
        if self.within is not None:
            found[f"{self.name}-late"] = float(sum(taken > self.within for taken in seconds))
        elif len(seconds) == 1:
            return {self.name: seconds[0], **found}
        told = _SEVERAL if self.within is not None else ("median", "worst")
        return {**{f"{self.name}-{end}": _SEVERAL[end](seconds) for end in told}, **found}

    @property
    def in_time(self) -> str | None:
        """Of a sample, how many runs took no longer than they should, as a sentence."""
        if self.within is None:
            return None
        in_time = sum(run.seconds <= self.within for run in self.runs)
        return f"{self.name}: {in_time} of {len(self.runs)} in {self.within:g} s"


WANTED: Final = {
    "first-worst": 15.0,
    "first-files-worst": 15.0,
    "first-sample-worst": 15.0,
    "warm-median": 1.5,
    "warm-worst": 4.0,
    "second-worst": 1.0,
    "queue-warm": 30.0,
    "audit-warm": 10.0,
}
"""What the design asks for, in seconds; shown beside the figures, and a limit only where it is given as one."""


def limit(text: str) -> tuple[str, float]:
    """``warm-median=1.5`` as name and number; ArgumentTypeError where it is not of that form."""
    name, mark, number = text.partition("=")
    try:
        if name and mark:
            return name, float(number)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not NAME=NUMBER, as warm-median=1.5")


def passed(measures: Iterable[Measure], limits: Mapping[str, float]) -> list[str]:
    """A sentence for each limit that a figure passes, and for each that belongs to no figure."""
    figures = {name: figure for measure in measures for name, figure in measure.figures.items()}
    told = [f"there is no figure {name}" for name in limits if name not in figures]
    return told + [
        f"{name} is {figures[name]:.2f}, the limit {most:g}"
        for name, most in limits.items()
        if name in figures and figures[name] > most
    ]


def table(measures: Sequence[Measure]) -> Table:
    """One line for each figure of time."""
    shown = Table(box=box.SIMPLE_HEAD)
    shown.add_column("figure", min_width=max((len(name) for one in measures for name in one.figures), default=0))
    shown.add_column("what was run", ratio=1)
    for name in ("seconds", "wanted", "processor s", "memory MiB"):
        shown.add_column(name, justify="right", no_wrap=True)
    for measure in measures:
        for name, figure in measure.figures.items():
            if name.endswith(("-memory", "-late")):
                continue
            processor = _SEVERAL.get(name.rpartition("-")[2], max)
            shown.add_row(
                name,
                measure.what,
                f"{figure:.2f}",
                f"{WANTED[name]:g}" if name in WANTED else "",
                f"{processor([run.processor for run in measure.runs]):.2f}",
                str(max(run.memory for run in measure.runs)),
            )
    return shown
