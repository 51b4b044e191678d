# SPDX-License-Identifier: GPL-2.0-or-later
"""Judge the patches of a series: those that were judged before are looked up, the others are shared out."""

from __future__ import annotations

import gc
import hashlib
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby, pairwise
from pathlib import Path

import msgspec

from reviewer.annotate import annotated, lock_orders
from reviewer.cache import Cache, today
from reviewer.changes import Changes, changes_in
from reviewer.check import Check, EventKind
from reviewer.compare import compare, compared
from reviewer.config import Options, data_dir
from reviewer.context.analysis import Analyser
from reviewer.context.contexts import Contexts
from reviewer.context.kept import Kept
from reviewer.context.load import tables_digest
from reviewer.context.tables import Api
from reviewer.digest import program_digest
from reviewer.fragment import FragmentFiles, fragments_of
from reviewer.model import Applied, AppliedPatch, Change, DiffFile, Finding, LockOrder
from reviewer.registry import load_api, load_checks
from reviewer.sides import Sides
from reviewer.source.cfg import Function
from reviewer.source.files import Files
from reviewer.source.program import Program
from reviewer.source.store import Store, decoded, encoded
from reviewer.tree.blobs import Snapshot
from reviewer.tree.objects import Objects
from reviewer.tree.patchtext import is_text
from reviewer.tree.repository import Repository
from reviewer.workers import MOST, Peer, beside, in_order

_COLLECTED_AFTER = (5000, 20, 100)  # see gc.set_threshold()
_RECURSION = 6000  # one analysis inside another takes about ten frames of Python; far below what the C stack holds
_ENOUGH = 4  # patches; for fewer another process is not worth its start
_FEW = 6  # callers; what more of them hold in common is not looked for above them
_SHARES = 2 * MOST  # so that one long share does not leave the other process idle
_STRIDE = 10  # patches on one tree that is known for itself, so that they do not each compute what those below changed


class Judged(msgspec.Struct, frozen=True):
    """What is to be said of one patch, not yet cited. ``notes`` say what was not looked at, ``problem`` what failed.

    ``diff`` is the patch with the context of each line, where that was asked for, and ``orders`` what its functions
    take inside what.
    """

    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    shifts: tuple[tuple[int, int], ...]
    problem: str = ""
    problem_path: str = ""
    diff: tuple[DiffFile, ...] = ()
    orders: tuple[LockOrder, ...] = ()


_DECODER = msgspec.msgpack.Decoder(Judged)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the trees are: the base, and the git directory ``beside`` with those that the repository does not have."""

    options: Options
    commit: str
    tree: str
    beside: Path | None


def judge_all(
    applied: Sequence[AppliedPatch],
    place: Place,
    snapshot: Callable[[str], Files],
    repository: Repository,
    checks: Sequence[Check],
    cache: Cache,
) -> Iterator[Judged]:
    """What is to be said of each patch, in their order. The result is the same whoever judges which of them."""
    keys = _keys(applied, checks, place.options)
    finished = [cache.use(partial(_finished, key)) for key in keys]
    missing = [at for at, judged in enumerate(finished) if judged is None]
    if len(missing) >= _ENOUGH and not repository.partial and _can_be_loaded(checks, place.options):
        found = _by_workers(applied, missing, place, checks, cache)
    else:
        api = load_api(data_dir("checks"))
        judge = PatchJudge(place.tree, applied, snapshot, cache, checks, api, annotate=place.options.annotate)
        found = _here(judge, missing)
        if cache.kept and not repository.partial:
            judge.helped_by(partial(_helper, applied, place, checks))
    for key, known in zip(keys, finished, strict=True):
        if known is not None:
            yield known
            continue
        judged = next(found)
        if not judged.problem:
            cache.use(partial(_add_finished, key, judged))
        yield judged
    next(found, None)  # lets it keep what it has learned


def _finished(key: str, store: Store) -> Judged | None:
    return decoded(_DECODER, store.finished(key))


def _add_finished(key: str, judged: Judged, store: Store) -> None:
    store.add_finished(key, today(), encoded(judged))


def _keys(applied: Sequence[AppliedPatch], checks: Sequence[Check], options: Options) -> list[str]:
    """What each answer depends on: the two trees, the diff, the rules, the program."""
    rules = program_digest([data_dir("checks"), *options.checks_dirs]) + " ".join(check.id for check in checks)
    return [
        hashlib.sha256(
            msgspec.msgpack.encode(
                (
                    rules,
                    options.annotate,
                    patch.applied,
                    patch.before,
                    patch.after,
                    repr(patch.paths),  # which may hold bytes that are no text
                    hashlib.sha256(patch.patch.diff).digest(),
                )
            )
        ).hexdigest()
        for patch in applied
    ]


def _here(judge: PatchJudge, missing: Sequence[int]) -> Iterator[Judged]:
    with prepared(), judge:
        for at in missing:
            yield judge.judged(at)
        judge.close()


# In other processes


def _can_be_loaded(checks: Sequence[Check], options: Options) -> bool:
    """Whether another process finds the same checks in the folders."""
    return {check.id for check in checks} <= {check.id for check in _all_checks(options)}


def _all_checks(options: Options) -> tuple[Check, ...]:
    return load_checks([data_dir("checks"), *options.checks_dirs])


def _by_workers(
    applied: Sequence[AppliedPatch], missing: Sequence[int], place: Place, checks: Sequence[Check], cache: Cache
) -> Iterator[Judged]:
    options = place.options if cache.kept else replace(place.options, cache=False)
    ids = frozenset(check.id for check in checks)
    tools = partial(_tools, replace(place, options=options), tuple(applied), ids)
    length = min(_STRIDE, -(-len(missing) // _SHARES))
    grouped = groupby(missing, lambda at: (at // _STRIDE, at % _STRIDE // length))
    shares = [tuple(share) for _, share in grouped]
    for judged, failure in in_order(_judge_share, shares, tools):
        if failure:
            cache.tell(failure)
        yield from judged


@contextmanager
def _tools(
    place: Place, applied: Sequence[AppliedPatch], ids: frozenset[str]
) -> Iterator[tuple[PatchJudge, list[str]]]:
    failures: list[str] = []
    options = place.options
    with closing(Repository.open(options.repo, options.cache_dir)) as repository:
        objects = repository.objects if place.beside is None else repository.objects_beside(place.beside)
        with closing(objects), Cache(options, failures.append) as cache, prepared():
            checks = [check for check in _all_checks(options) if check.id in ids]
            api = load_api(data_dir("checks"))
            snapshot = partial(_snapshot, objects, place.commit)
            judge = PatchJudge(place.tree, applied, snapshot, cache, checks, api, annotate=options.annotate)
            yield judge, failures


def _snapshot(objects: Objects, commit: str, tree: str) -> Files:
    return Snapshot(objects, tree, commit)


def _helper(
    applied: Sequence[AppliedPatch], place: Place, checks: Sequence[Check], at: int
) -> AbstractContextManager[Peer | None]:
    if not _can_be_loaded(checks, place.options):
        return nullcontext()
    tools = partial(_tools, place, tuple(applied), frozenset(check.id for check in checks))
    return beside(_help, at, tools)


def _help(tools: tuple[PatchJudge, list[str]], at: int, peer: Peer) -> None:
    judge, _ = tools
    judge.help(at, peer)


def _judge_share(tools: tuple[PatchJudge, list[str]], share: tuple[int, ...]) -> tuple[tuple[Judged, ...], str]:
    judge, failures = tools
    judged = tuple(judge.judged(at) for at in share)
    judge.close()
    return judged, failures.pop() if failures else ""


@contextmanager
def prepared() -> Iterator[None]:
    """Have this process ready for an analysis: what is nested deeply runs, and unreachable objects can wait.

    To look for objects that only hold each other took a tenth of the time; few are made, and many others live long.
    """
    limit, thresholds = sys.getrecursionlimit(), gc.get_threshold()
    sys.setrecursionlimit(max(limit, _RECURSION))
    gc.set_threshold(*_COLLECTED_AFTER)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
        gc.set_threshold(*thresholds)


class PatchJudge:
    """Compares the two sides of patches; what was read for one serves the next. ``base`` is the tree below them.

    With ``annotate`` it also tells in which context each line of the diff runs.
    """

    def __init__(
        self,
        base: str,
        applied: Sequence[AppliedPatch],
        snapshot: Callable[[str], Files],
        cache: Cache,
        checks: Sequence[Check],
        api: Api,
        *,
        annotate: bool = False,
    ) -> None:
        self._annotate = annotate
        self._base = base
        self._applied = applied
        self._snapshot = snapshot
        self._cache = cache
        self._checks = checks
        self._api = api
        self._last: tuple[str, Analyser] | None = None
        self._step: tuple[int, Analyser] | None = None
        self._rules = tables_digest(data_dir("checks"))
        self._kept: list[Kept] = []
        self._helper: Callable[[int], AbstractContextManager[Peer | None]] | None = None
        self._helping = ExitStack()

    def __enter__(self) -> PatchJudge:
        return self

    def __exit__(self, *_: object) -> None:
        self._helping.close()

    def helped_by(self, helper: Callable[[int], AbstractContextManager[Peer | None]]) -> None:
        """Where there is much to compute, let another process ``help``. Use as a context manager then."""
        self._helper = helper

    def _ask_for_help(self, at: int, analysis: Analyser) -> None:
        helper, self._helper = self._helper, None
        if helper is not None and self._kept:
            kept = self._kept[-1]

            def begin() -> None:
                analysis.program.share(backwards=False)
                peer = self._helping.enter_context(helper(at))
                if peer is not None:
                    analysis.share(peer, kept, backwards=False)

            kept.ask_for_help(begin)

    def help(self, at: int, peer: Peer) -> None:
        """Compute what the judgement of the patch at this position rests on, from the other end than ``judged`` does.

        ``peer`` is the process that judges it and finds in the cache what was done.
        """
        changes = self._changes(self._applied[at])
        analysis = self._root(self._base, self._cache.store)
        analysis.share(peer, self._kept[-1], backwards=True)
        found: list[Function] = []
        old_name = {new: old for old, new in changes.renamed.items()}
        for path, lines in changes.lines.items():
            changed = sorted(lines.removed | lines.beside)
            for extent in analysis.program.extents(old_name.get(path, path)):
                if bisect_left(changed, extent.line) < bisect_right(changed, extent.end):
                    found += analysis.program.functions(old_name.get(path, path), extent.name)
        for function in reversed(found):
            analysis.summary(function)
        self.close()

    def judged(self, at: int) -> Judged:
        """What is to be said of the patch at this position."""
        patch = self._applied[at]
        changes = self._changes(patch)
        try:
            return self._cache.use(lambda store: self._findings(at, changes, store))
        except RecursionError:
            problem = f"patch {patch.patch.number} nests deeper than the analysis can follow; it was not reviewed"
            return Judged((), (), changes.shifts, problem, next(iter(changes.lines), ""))

    def _changes(self, patch: AppliedPatch) -> Changes:
        """The lines that the patch changes: in the two trees, or in its own text where it was not applied."""
        if patch.applied is Applied.NO:
            return changes_in(patch.patch.diff)
        return changes_in(patch.patch.diff, self._snapshot(patch.before).read, self._snapshot(patch.after).read)

    def _findings(self, at: int, changes: Changes, store: Store) -> Judged:
        patch = self._applied[at]
        if patch.applied is Applied.NO:
            diff = annotated(patch.patch.diff) if self._annotate else ()
            return Judged(self._from_diff_alone(patch, changes, store), (), changes.shifts, diff=diff)
        analysis, between = self._below(at, store)
        if analysis is self._root(self._base, store):
            self._ask_for_help(at, analysis)
        before = Program(self._snapshot(patch.before), store, base=analysis.program, changed=_touched(between))
        old_name = {new: old for old, new in changes.renamed.items()}
        before.want({old_name.get(path, path): lines.removed | lines.beside for path, lines in changes.lines.items()})
        before_analysis = Analyser(before, self._api, analysis)
        wanted = {path: lines.added | lines.near for path, lines in changes.lines.items()}
        after = Program(self._snapshot(patch.after), store, base=before, changed=_touched([patch]), wanted=wanted)
        sides = Sides(before, after, changes.lines, changes.renamed, before_analysis)
        result = compared(sides, self._checks, self._api)
        judged = Judged(result.findings, result.notes, changes.shifts)
        if not self._annotate:
            return judged
        old_lines, new_lines = Contexts(before_analysis, _FEW), Contexts(result.after, _FEW)
        diff = annotated(patch.patch.diff, changes.shifts, old_lines, new_lines)
        return msgspec.structs.replace(judged, diff=diff, orders=lock_orders(diff, new_lines))

    def _below(self, at: int, store: Store) -> tuple[Analyser, Sequence[AppliedPatch]]:
        """The analysis of a tree below a patch, which patches share, and the patches between."""
        patches = self._applied[:at]
        trees = [self._base, *(tree for patch in patches for tree in (patch.before, patch.after))]
        trees.append(self._applied[at].before)
        if any(one != other for one, other in list(pairwise(trees))[::2]):
            return self._root(trees[-1], store), ()
        root = self._root(self._base, store)
        start = at - at % _STRIDE
        if not start:
            return root, patches
        if self._step is None or self._step[0] != start or self._step[1].program.store is not store:
            snapshot = self._snapshot(self._applied[start].before)
            program = Program(snapshot, store, base=root.program, changed=_touched(patches[:start]))
            self._step = start, Analyser(program, self._api, root)
        return self._step[1], patches[start:]

    def _root(self, tree: str, store: Store) -> Analyser:
        """The analysis of a tree that stands for itself, so that what is learned of it is kept."""
        # Not what rests on a store that was given up.
        if self._last is None or self._last[0] != tree or self._last[1].program.store is not store:
            self._step = None
            self._last = tree, Analyser(Program(self._snapshot(tree), store), self._api)
            self._kept.append(self._last[1].keep(self._rules))
        return self._last[1]

    def close(self) -> None:
        """Keep what was computed for later runs."""
        self._cache.use(self._flush)

    def _flush(self, store: Store) -> None:
        for kept in self._kept:
            if kept.store is store:
                kept.flush()

    def _from_diff_alone(self, patch: AppliedPatch, changes: Changes, store: Store) -> tuple[Finding, ...]:
        """What the hunks themselves show to be new. Returns need the whole function, so that they are not judged."""
        below = self._snapshot(patch.before)
        old, new = fragments_of(patch.patch.diff)
        before = Program(FragmentFiles(below, old), store)
        after = Program(FragmentFiles(below, new), store, base=before, changed=new)
        local = [check for check in self._checks if EventKind.UNBALANCED not in check.events]
        found = compare(Sides(before, after, changes.lines, {}), local, self._api, with_callers=False)
        return tuple(finding for finding in found if finding.change is Change.INTRODUCED)


def _touched(patches: Sequence[AppliedPatch]) -> list[str]:
    return [path for patch in patches for pair in patch.paths for path in pair if path is not None and is_text(path)]
