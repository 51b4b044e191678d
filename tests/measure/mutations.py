# SPDX-License-Identifier: GPL-2.0-or-later
"""How many mistakes put into real functions are found; run by hand: ``python -m tests.measure.mutations --tree PATH``.

One mutation at a time is put into a function of a kernel tree and the two texts are judged as a patch would be, but
without the functions that call it unless ``--callers`` is given. A mutation counts as caught where one of the checks
made for it says that the patch brought it, in that file. Harmless ones must raise nothing. Lines are drawn by folder in
turn, files and lines at random, the files in the same order for each kind; what was left out is counted by reason.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from reviewer.compare import compare
from reviewer.config import data_dir, default_cache
from reviewer.context.analysis import Analyser
from reviewer.context.kept import Kept
from reviewer.context.load import tables_digest
from reviewer.model import Change, Finding
from reviewer.registry import load_api, load_checks
from reviewer.sides import ChangedLines, Sides
from reviewer.source.buildfiles import BuildFiles
from reviewer.source.files import Files
from reviewer.source.kbuild import Kbuild
from reviewer.source.program import Program
from reviewer.source.store import Store
from reviewer.tree.repository import Repository
from tests.measure.mutants import KINDS, Kind, Mutant
from tests.measure.sites import Source

FOLDERS = ("arch/*/kvm", "virt", "kernel", "mm", "net/core", "drivers")
_CACHE = "index.sqlite"
_RECURSION = 6000  # as the program itself sets it
_BATCH = 24
_SHARED_BY = 400  # mutants that share what is known of the tree; bounds the memory
_EXAMPLES = 400  # files that are looked at for one kind and folder, at most


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one mutant."""

    kind: str
    folder: str
    mutant: Mutant
    caught: bool
    told: tuple[str, ...]
    seconds: float


class Changed:
    """``Files`` in which one file has another text."""

    def __init__(self, files: Files, path: str, text: bytes) -> None:
        self._files, self._path, self._text = files, path, text
        self._oid = hashlib.sha1(text, usedforsecurity=False).hexdigest()

    def read(self, path: str) -> bytes | None:
        return self._text if path == self._path else self._files.read(path)

    def blob_id(self, path: str) -> str | None:
        return self._oid if path == self._path else self._files.blob_id(path)

    def subtree_id(self, folder: str) -> str | None:
        # Who mentions a function of the tree is kept by this name, and no mutation changes that.
        return self._files.subtree_id(folder)

    def blobs(self, folder: str, suffixes: tuple[str, ...]) -> Sequence[tuple[str, str]]:
        return [(path, self._oid if path == self._path else oid) for path, oid in self._files.blobs(folder, suffixes)]

    def read_blobs(self, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        asked = list(oids)
        if self._oid in asked:
            yield self._oid, self._text
        yield from self._files.read_blobs(oid for oid in asked if oid != self._oid)

    def differing(self, _tree: str, _suffixes: tuple[str, ...]) -> Mapping[str, tuple[str | None, str | None]] | None:
        return None  # the mutated file is in no tree

    def mentioning(self, words: frozenset[str], folders: Sequence[str]) -> dict[str, tuple[str, ...]]:
        return self._files.mentioning(words, folders)


def changed_lines(before: str, after: str) -> ChangedLines:
    """The lines of a change: those that differ where both texts have as many, else one run of them."""
    old, new = before.split("\n"), after.split("\n")
    if len(old) == len(new):
        differing = frozenset(number for number, pair in enumerate(zip(old, new, strict=True), 1) if pair[0] != pair[1])
        return ChangedLines(differing, differing)
    first = next(at for at in range(len(old) + len(new)) if old[at : at + 1] != new[at : at + 1])
    last = 0
    while last < min(len(old), len(new)) - first and old[-1 - last] == new[-1 - last]:
        last += 1
    added = frozenset(range(first + 1, len(new) - last + 1))
    removed = frozenset(range(first + 1, len(old) - last + 1))
    around = frozenset((first, first + 1))
    return ChangedLines(added, removed, frozenset() if added else around, frozenset() if removed else around)


class Judge:
    """Judges mutants of the files of one tree."""

    def __init__(self, tree: Path, cache: Path, *, with_callers: bool = False) -> None:
        self._with_callers = with_callers
        self._repository = Repository.open(tree)
        self.files: Files = self._repository.snapshot(self._repository.tree_of("HEAD"))
        self.kbuild = Kbuild(self.files, BuildFiles(self.files))
        self._store = Store(cache / _CACHE)
        self._checks = load_checks([data_dir("checks")])
        self._api = load_api(data_dir("checks"))
        self._rules = tables_digest(data_dir("checks"))
        self._judged = 0
        self._kept: Kept | None = None
        self._fresh()

    def _fresh(self) -> None:
        """Begin with nothing in memory but what earlier mutants, and earlier runs, had kept of the tree."""
        self.keep()
        self._shared = self.program()
        self._analysis = Analyser(self._shared, self._api)
        self._kept = self._analysis.keep(self._rules)

    def keep(self) -> None:
        """Write what was learned about the tree to the cache."""
        if self._kept is not None:
            self._kept.flush()

    def close(self) -> None:
        """Let go of the tree and the cache."""
        self._store.close()
        self._repository.close()

    def program(self) -> Program:
        """The tree as it is."""
        return Program(self.files, self._store)

    def _before(self, path: str, lines: frozenset[int]) -> tuple[Program, Analyser]:
        """The tree as it is, shared by mutants unless one lies in a preprocessor arm that others do not want."""
        self._judged += 1
        if self._judged % _SHARED_BY == 0:
            self._fresh()
        parsed = self._shared.parsed(path)
        if parsed is None or not any(map(parsed.is_dead, lines)):
            return self._shared, self._analysis
        program = Program(self.files, self._store, base=self._shared, changed=[path], wanted={path: lines})
        return program, Analyser(program, self._api, self._analysis)

    def brought(self, mutant: Mutant) -> tuple[Finding, ...]:
        """What the checks say that the mutation brought."""
        text = mutant.text.encode("latin-1")
        old = self.files.read(mutant.path) or b""
        lines = changed_lines(old.decode("latin-1"), mutant.text)
        before, analysis = self._before(mutant.path, lines.removed | lines.beside)
        after = Program(
            Changed(self.files, mutant.path, text),
            self._store,
            base=before,
            changed=[mutant.path],
            wanted={mutant.path: lines.added | lines.near},
        )
        sides = Sides(before, after, {mutant.path: lines}, {}, analysis)
        found = compare(sides, self._checks, self._api, with_callers=self._with_callers)
        return tuple(finding for finding in found if finding.change in (Change.INTRODUCED, Change.EXPOSED))

    def verdicts(self, jobs: Sequence[tuple[str, str, Mutant]]) -> list[Verdict]:
        """The verdicts on mutants, each with the names of its kind and folder."""
        kinds = {kind.name: kind for kind in KINDS}
        return [self._verdict(kinds[kind], folder, mutant) for kind, folder, mutant in jobs]

    def _verdict(self, kind: Kind, folder: str, mutant: Mutant) -> Verdict:
        started = time.monotonic()
        found = self.brought(mutant)
        told = tuple(f"{f.path}:{f.line} {f.change} [{f.check}] {f.message}" for f in found)
        caught = any(f.check in kind.expected and f.path == mutant.path for f in found) if kind.expected else not found
        return Verdict(kind.name, folder, mutant, caught, told, time.monotonic() - started)


def drawn(
    judge: Judge, kind: Kind, count: int, seed: int, excluded: Counter[str], texts: dict[str, Source]
) -> list[tuple[str, Mutant]]:
    """``count`` mutants of a kind with their folders: folders in turn, files and lines at random."""
    waiting = {folder: _paths(judge.files, folder) for folder in FOLDERS}
    for folder, paths in waiting.items():
        random.Random(f"{seed} {folder}").shuffle(paths)  # noqa: S311 - a sample, not a secret
    chance = random.Random(f"{seed} {kind.name}")  # noqa: S311 - a sample, not a secret
    program = judge.program()
    left: dict[str, list[list[Mutant]]] = {folder: [] for folder in FOLDERS}
    out: list[tuple[str, Mutant]] = []
    while len(out) < count:
        before = len(out)
        for folder in FOLDERS:
            mutant = _next(judge, program, kind, waiting[folder], left[folder], chance, excluded, texts)
            if mutant is not None and len(out) < count:
                out.append((folder, mutant))
        if len(out) == before:
            break
    return out


def _without_rt(program: Program, kbuild: Kbuild, path: str) -> str | None:
    """Why nothing that ``path`` does can go wrong with PREEMPT_RT."""
    if program.builds.never_with(path, "PREEMPT_RT"):
        return "the file is not built with PREEMPT_RT"
    return "no architecture of the file has PREEMPT_RT" if kbuild.never_with_rt(path) else None


def _next(
    judge: Judge,
    program: Program,
    kind: Kind,
    waiting: list[str],
    left: list[list[Mutant]],
    chance: random.Random,
    excluded: Counter[str],
    texts: dict[str, Source],
) -> Mutant | None:
    """A mutant of a file that gave none yet; where all have, another one of the file that was used least lately."""
    looked = 0
    while waiting and looked < _EXAMPLES:
        path = waiting.pop()
        looked += 1
        if path not in texts:
            text = (judge.files.read(path) or b"").decode("latin-1")
            texts[path] = Source(path, text.replace("\r", " "), program.extents(path))
        if kind.name.endswith("-rt") and (reason := _without_rt(program, judge.kbuild, path)) is not None:
            excluded[reason] += 1
            continue
        mutants = list(kind.make(texts[path], excluded))
        chance.shuffle(mutants)
        if mutants:
            left.append(mutants)
            return mutants.pop()
    while left:
        mutants = left.pop(0)
        if mutants:
            left.append(mutants)
            return mutants.pop()
    return None


def _paths(files: Files, folder: str) -> list[str]:
    if "*" in folder:
        top, _, rest = folder.partition("/*/")
        return [path for path, _ in files.blobs(top, (".c",)) if path.split("/")[2:3] == [rest]]
    return [path for path, _ in files.blobs(folder, (".c",))]


_JUDGE: list[Judge] = []


def _start(tree: Path, cache: Path, with_callers: bool) -> None:
    sys.setrecursionlimit(_RECURSION)
    _JUDGE.append(Judge(tree, cache, with_callers=with_callers))


def _judge(jobs: Sequence[tuple[str, str, Mutant]]) -> list[Verdict]:
    verdicts = _JUDGE[0].verdicts(jobs)
    _JUDGE[0].keep()
    return verdicts


def _tell(verdict: Verdict) -> None:
    """Print a mistake that was missed or an alarm that a harmless change raised."""
    if verdict.caught:
        return
    word, mutant = "ALARM" if verdict.kind.startswith("harmless") else "MISS", verdict.mutant
    print(f"{word} {verdict.kind} {mutant.path}:{mutant.line} {mutant.function}(): {mutant.shown}")
    for told in verdict.told:
        print(f"     told: {told}")
    sys.stdout.flush()


def _table(verdicts: Sequence[Verdict]) -> None:
    cells: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for verdict in verdicts:
        cells[verdict.kind, verdict.folder].append(verdict.caught)
        cells[verdict.kind, "all"].append(verdict.caught)
    print(f"{'':20}" + "".join(f"{folder:>12}" for folder in (*FOLDERS, "all")))
    for kind in KINDS:
        row = [cells[kind.name, folder] for folder in (*FOLDERS, "all")]
        if row[-1]:
            shown = "".join(f"{f'{sum(cell)}/{len(cell)}' if cell else '-':>12}" for cell in row)
            print(f"{kind.name:20}{shown} {100 * sum(row[-1]) / len(row[-1]):6.1f} %")


def main() -> int:
    """Measure and print; 1 where a limit was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.measure.mutations", description="Recall inside functions.")
    parser.add_argument("--tree", type=Path, required=True, help="a git repository with a kernel tree")
    parser.add_argument("--seed", type=int, default=1, help="of the choice of lines")
    parser.add_argument("--count", type=int, default=30, help="mutations of each kind")
    parser.add_argument("--kind", action="append", help="only kinds whose name begins so; may be repeated")
    parser.add_argument("--limit", type=float, default=99.0, help="percent of each kind that must be caught")
    parser.add_argument("--alarms", type=int, default=0, help="harmless mutations that may raise an alarm")
    parser.add_argument("--callers", action="store_true", help="judge who calls a function too, as of a patch: slow")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--quick", action="store_true", help="do not print what was left out")
    given = parser.parse_args()
    wanted = [kind for kind in KINDS if not given.kind or kind.name.startswith(tuple(given.kind))]
    sys.setrecursionlimit(_RECURSION)
    cache = default_cache()
    cache.mkdir(parents=True, exist_ok=True)
    jobs: list[tuple[str, str, Mutant]] = []
    texts: dict[str, Source] = {}
    reasons: dict[str, Counter[str]] = {}
    with closing(Judge(given.tree, cache)) as judge:
        for kind in wanted:
            reasons[kind.name] = Counter()
            mutants = drawn(judge, kind, given.count, given.seed, reasons[kind.name], texts)
            jobs += [(kind.name, folder, mutant) for folder, mutant in mutants]
    jobs.sort(key=lambda job: (job[2].path, job[0], job[2].line))
    batches = [jobs[at : at + _BATCH] for at in range(0, len(jobs), _BATCH)]
    verdicts: list[Verdict] = []
    with ProcessPoolExecutor(given.jobs, initializer=_start, initargs=(given.tree, cache, given.callers)) as pool:
        for found in pool.map(_judge, batches):
            verdicts += found
            for verdict in found:
                _tell(verdict)
    _table(verdicts)
    if not given.quick:
        for name, counted in reasons.items():
            print(f"left out, {name}: " + ("; ".join(f"{reason} {n}" for reason, n in sorted(counted.items())) or "-"))
    times = sorted(verdict.seconds for verdict in verdicts)
    if times:
        print(f"{len(times)} mutations, median {times[len(times) // 2]:.2f} s, most {times[-1]:.2f} s")
    return _exit_status(verdicts, given.limit, given.alarms)


def _exit_status(verdicts: Sequence[Verdict], limit: float, alarms: int) -> int:
    by_kind: dict[str, list[bool]] = defaultdict(list)
    for verdict in verdicts:
        by_kind[verdict.kind].append(verdict.caught)
    raised = sum(found.count(False) for name, found in by_kind.items() if name.startswith("harmless"))
    low = [name for name, f in by_kind.items() if not name.startswith("harmless") and 100 * sum(f) < limit * len(f)]
    return int(raised > alarms or bool(low))


if __name__ == "__main__":
    os.environ.setdefault("GIT_OPTIONAL_LOCKS", "0")
    sys.exit(main())
