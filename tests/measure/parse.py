# SPDX-License-Identifier: GPL-2.0-or-later
"""How much of a kernel tree the parser reads: ``python -m tests.measure.parse --tree PATH``.

One line for each top-level folder of the tree: its functions, those with parse errors, and the time. Where universal
ctags is installed, its functions are compared with the parser's. Ends with 1 where a limit is exceeded.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table

from reviewer.source.parse import parse
from reviewer.source.preprocess import blank_comments_and_strings
from tests.measure.tags import Comparison, compare, functions_of_ctags

_PROCESSES: Final = 2
_BATCH: Final = 100
# The kernel has some tools in C++, with headers of their own.
_CPLUSPLUS: Final = re.compile(rb"^(?:template\s*<|class\s+\w+|namespace\s+\w+|using\s+namespace\b)", re.MULTILINE)
_MEGABYTE: Final = 1_000_000


@dataclass(slots=True)
class Measured:
    """Figures of a number of files; ``other`` ones are not C. ``seconds`` are of processor time, without ctags."""

    files: int = 0
    other: int = 0
    functions: int = 0
    bytes: int = 0
    seconds: float = 0.0
    unreadable: list[str] = field(default_factory=list)
    compared: Comparison = field(default_factory=Comparison)

    def add(self, other: Measured) -> None:
        """Take the figures of ``other`` in."""
        self.files += other.files
        self.other += other.other
        self.functions += other.functions
        self.bytes += other.bytes
        self.seconds += other.seconds
        self.unreadable += other.unreadable
        self.compared.add(other.compared)

    @property
    def per_cent(self) -> float:
        """The part of the functions that holds parse errors."""
        return 100 * len(self.unreadable) / self.functions if self.functions else 0.0


def _sources(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(parent, name) for name in sorted(names) if name.endswith((".c", ".h")))


def _measure(tree: Path, paths: Sequence[Path], ctags: str | None) -> Measured:
    measured = Measured()
    tags = functions_of_ctags(ctags, [path for path in paths if path.suffix == ".c"]) if ctags else {}
    for path in paths:
        if not path.is_file():
            continue
        text, name = path.read_bytes(), str(path.relative_to(tree))
        if _CPLUSPLUS.search(blank_comments_and_strings(text)):
            measured.other += 1
            continue
        started = time.process_time()
        parsed = parse(name, text)
        measured.seconds += time.process_time() - started
        measured.files += 1
        measured.bytes += len(text)
        measured.functions += len(parsed.extents)
        measured.unreadable += (f"{name}:{e.line}: {e.name}" for e in parsed.extents if not e.readable)
        if ctags and path.suffix == ".c":
            measured.compared.add(compare(parsed, text, tags.get(str(path), ())))
    return measured


def _measure_folder(tree: Path, folder: str, ctags: str | None) -> Measured:
    paths = list(_sources(tree / folder))
    batches = [paths[start : start + _BATCH] for start in range(0, len(paths), _BATCH)]
    measured = Measured()
    with ProcessPoolExecutor(_PROCESSES) as pool:
        for one in pool.map(_measure, [tree] * len(batches), batches, [ctags] * len(batches)):
            measured.add(one)
    return measured


def _table(tree: Path, folders: Iterable[tuple[str, Measured]], with_ctags: bool) -> Table:
    table = Table(title=str(tree), title_justify="left", box=box.SIMPLE)
    table.add_column("folder")
    for name in ("files", "functions", "with errors", "%", "seconds", "MB/s", *(("lost", "extra") * with_ctags)):
        table.add_column(name, justify="right")
    for folder, one in folders:
        table.add_row(
            folder,
            str(one.files),
            str(one.functions),
            str(len(one.unreadable)),
            f"{one.per_cent:.2f}",
            f"{one.seconds:.1f}",
            f"{one.bytes / _MEGABYTE / one.seconds:.1f}" if one.seconds else "",
            *((str(len(one.compared.lost)), str(len(one.compared.extra))) if with_ctags else ()),
        )
    return table


def _listed(title: str, lines: Iterable[str], console: Console) -> None:
    for line in lines:
        console.print(f"{title}: {line}", markup=False, highlight=False, soft_wrap=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.measure.parse", description=__doc__)
    parser.add_argument("--tree", type=Path, action="append", required=True, help="a checked-out kernel tree")
    parser.add_argument("--folder", action="append", help="only this folder of the tree")
    parser.add_argument("--least", type=int, default=500, help="leave out folders with fewer functions")
    parser.add_argument("--limit", type=float, default=0.5, help="most functions with parse errors, in per cent")
    parser.add_argument("--lost-limit", type=int, help="most functions of a folder that only ctags sees")
    parser.add_argument("--no-ctags", action="store_true", help="do not compare with ctags")
    parser.add_argument("--list", action="store_true", help="name the functions with errors and the lost ones")
    given = parser.parse_args(arguments)
    console, exceeded = Console(), False
    ctags = None if given.no_ctags else shutil.which("ctags")
    if ctags is None and not given.no_ctags:
        print("ctags is not installed: its functions are not compared", file=sys.stderr)
        if given.lost_limit is not None:
            return 1
    for tree in given.tree:
        names = given.folder or sorted(entry.name for entry in tree.iterdir() if entry.is_dir())
        measured = [(name, _measure_folder(tree, name, ctags)) for name in names]
        measured = [(name, one) for name, one in measured if one.functions >= given.least]
        console.print(_table(tree, measured, ctags is not None))
        reasons: Counter[str] = Counter()
        for _, one in measured:
            reasons["files of C++, left out"] += one.other
            reasons.update(one.compared.reasons)
            exceeded |= one.per_cent > given.limit
            exceeded |= given.lost_limit is not None and len(one.compared.lost) > given.lost_limit
            if given.list:
                _listed("errors", one.unreadable, console)
                _listed("lost", one.compared.lost, console)
                _listed("extra", one.compared.extra, console)
        for reason, count in reasons.most_common():
            console.print(f"{count:8}  {reason}", highlight=False)
    return int(exceeded)


if __name__ == "__main__":
    raise SystemExit(main())
