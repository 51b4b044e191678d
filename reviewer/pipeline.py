# SPDX-License-Identifier: GPL-2.0-or-later
"""From a series or a range of commits to a ``Review``: the one path that every command takes."""

from __future__ import annotations

import posixpath
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from reviewer.audit import Auditor, Watch, nobody
from reviewer.cache import Cache, working_folder
from reviewer.changes import Changes, changes_in
from reviewer.check import Check, EventKind
from reviewer.citation import Citer
from reviewer.compare import compare, compared
from reviewer.config import Options, data_dir
from reviewer.context.analysis import Analyser
from reviewer.context.kept import Kept
from reviewer.context.tables import Api, tables_digest
from reviewer.errors import RepositoryError
from reviewer.fragment import FragmentFiles, fragments_of
from reviewer.model import (
    Applied,
    AppliedPatch,
    Audit,
    Base,
    Change,
    Finding,
    PatchReview,
    Problem,
    Review,
    Series,
    Severity,
)
from reviewer.registry import load_api
from reviewer.sides import Sides
from reviewer.source.files import Files
from reviewer.source.program import C_SUFFIXES, Program
from reviewer.source.store import Store
from reviewer.tree.base import choose_base
from reviewer.tree.history import commits_of
from reviewer.tree.overlay import Overlay
from reviewer.tree.repository import Repository

_RECURSION = 6000  # one analysis inside another takes about ten frames of Python; far below what the C stack holds
_RANK = {Severity.NIT: 0, Severity.QUESTION: 1, Severity.BUG: 2}


def review_series(series: Series, repository: Repository, checks: Sequence[Check], options: Options) -> Review:
    """Judge a series from mail: choose its base, apply it beside the repository, compare each patch's two sides."""
    base = choose_base(repository, series, options.base, options.branches)
    if not series.patches:
        return Review(series, base, (), notes=series.notes)
    with (
        working_folder(options) as folder,
        Overlay(repository, folder, three_way=options.three_way) as overlay,
    ):
        applied = overlay.apply(series.patches, base)
        return _review(
            series, base, applied, lambda tree: overlay.snapshot(tree, base.commit), repository, checks, options
        )


def review_range(revisions: str, repository: Repository, checks: Sequence[Check], options: Options) -> Review:
    """Judge the commits of a range, each against its parent."""
    base, applied = commits_of(repository, revisions)
    return _review(
        None, base, applied, lambda tree: repository.snapshot(tree, base.commit), repository, checks, options
    )


def audit_tree(
    revision: str,
    paths: Sequence[str],
    repository: Repository,
    checks: Sequence[Check],
    options: Options,
    watch: Watch = nobody,
) -> Audit:
    """What the checks say of the files and folders ``paths`` as they stand in ``revision``, whoever wrote it.

    RepositoryError names a path that the revision does not have.
    """
    commit = repository.resolve(revision)
    files = repository.snapshot(repository.tree_of(commit), commit)
    wanted: set[str] = set()
    for path in paths:
        plain = posixpath.normpath(path) if path else ""
        top = plain == "."
        if not plain or not (top or files.exists(plain)):
            raise RepositoryError(
                f"looked for {path!r} in {revision}: no such file or folder; paths start at the top of the tree"
            )
        wanted.update([plain] if files.blob_id(plain) else files.paths("" if top else plain, C_SUFFIXES))
    citer = Citer(files, commit)

    def audited(store: Store) -> tuple[Auditor, tuple[Finding, ...]]:
        folder = data_dir("checks")
        auditor = Auditor(Program(files, store), checks, load_api(folder), tables_digest(folder))
        return auditor, auditor.findings(sorted(path for path in wanted if path.endswith(C_SUFFIXES)), watch)

    with Cache(options) as cache, _deep_recursion():
        cache.note_use(repository, files.tree)
        auditor, found = cache.use(audited)
        findings = tuple(_cited(finding, checks, citer) for finding in found if _severe(finding, options))
    return Audit(commit, auditor.files, auditor.functions, findings, tuple(auditor.problems))


def _review(
    series: Series | None,
    base: Base,
    applied: Sequence[AppliedPatch],
    snapshot: Callable[[str], Files],
    repository: Repository,
    checks: Sequence[Check],
    options: Options,
) -> Review:
    tree = repository.tree_of(base.commit)
    citer = Citer(snapshot(tree), base.commit)
    reviews: list[PatchReview] = []
    errors: list[Problem] = []
    notes: list[str] = list(series.notes) if series is not None else []
    with Cache(options) as cache, _deep_recursion():
        cache.note_use(repository, tree)
        judge = _Judge(snapshot, cache, checks, load_api(data_dir("checks")))
        for patch in applied:
            changes = judge.changes(patch)
            found: tuple[Finding, ...] = ()
            try:
                found, left_out = judge.findings(patch, changes)
                notes += [f"Patch {patch.patch.number}: {note}" for note in left_out]
            except RecursionError:
                problem = f"patch {patch.patch.number} nests deeper than the analysis can follow; it was not reviewed"
                errors.append(Problem("analyse", next(iter(changes.lines), ""), problem))
            kept = tuple(_cited(finding, checks, citer) for finding in found if _wanted(finding, options))
            reviews.append(_patch_review(patch, kept, changes))
        judge.close()
    return Review(series, base, _fixed_later(reviews), tuple(errors), tuple(notes))


@contextmanager
def _deep_recursion() -> Iterator[None]:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _RECURSION))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


class _Judge:
    """Compares the two sides of one patch after the other; what was read for one serves the next."""

    def __init__(self, snapshot: Callable[[str], Files], cache: Cache, checks: Sequence[Check], api: Api) -> None:
        self._snapshot = snapshot
        self._cache = cache
        self._checks = checks
        self._api = api
        self._last: tuple[str, Program, Analyser] | None = None
        self._rules = tables_digest(data_dir("checks"))
        self._kept: list[Kept] = []

    def changes(self, patch: AppliedPatch) -> Changes:
        """The lines that the patch changes: in the two trees, or in its own text where it was not applied."""
        if patch.applied is Applied.NO:
            return changes_in(patch.patch.diff)
        return changes_in(patch.patch.diff, self._snapshot(patch.before).read, self._snapshot(patch.after).read)

    def findings(self, patch: AppliedPatch, changes: Changes) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
        """What the checks say of the patch, not yet cited, and what was not looked at."""
        return self._cache.use(lambda store: self._findings(patch, changes, store))

    def _findings(
        self, patch: AppliedPatch, changes: Changes, store: Store
    ) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
        if patch.applied is Applied.NO:
            return self._from_diff_alone(patch, changes, store), ()
        analysis: Analyser | None = None
        # Not what rests on a store that was given up.
        if self._last is not None and self._last[0] == patch.before and self._last[1].store is store:
            _, before, analysis = self._last
        else:
            before = Program(self._snapshot(patch.before), store)
        old_name = {new: old for old, new in changes.renamed.items()}
        before.want({old_name.get(path, path): lines.removed | lines.beside for path, lines in changes.lines.items()})
        before_analysis = Analyser(before, self._api, analysis)
        if analysis is None and before.usual_arms:
            self._kept.append(before_analysis.keep(self._rules))
        touched = [path for pair in patch.paths for path in pair if path is not None]
        files = self._snapshot(patch.after)
        wanted = {path: lines.added | lines.near for path, lines in changes.lines.items()}
        after = Program(files, store, base=before, changed=touched, wanted=wanted)
        self._last = (patch.after, Program(files, store, base=before, changed=touched), before_analysis)
        sides = Sides(before, after, changes.lines, changes.renamed, before_analysis)
        result = compared(sides, self._checks, self._api)
        return result.findings, result.notes

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


def _wanted(finding: Finding, options: Options) -> bool:
    if finding.change is Change.PRE_EXISTING and not options.show_pre_existing:
        return False
    return _severe(finding, options)


def _severe(finding: Finding, options: Options) -> bool:
    return _RANK[finding.severity] >= _RANK[options.severity]


def _cited(finding: Finding, checks: Iterable[Check], citer: Citer) -> Finding:
    if finding.change is Change.FIXED:
        return finding
    sources = next(check.sources for check in checks if check.id == finding.check)
    citation = citer.cite((*finding.sources, *sources))
    return finding if citation is None else replace(finding, citations=(citation,))


def _patch_review(patch: AppliedPatch, findings: tuple[Finding, ...], changes: Changes) -> PatchReview:
    reasons = [
        f"{failure.path}{f':{failure.line}' if failure.line else ''}: {failure.kind.value}"
        + (f" ({failure.detail})" if failure.detail else "")
        for failure in patch.failures
    ]
    message = patch.patch.message
    return PatchReview(
        patch.patch.number,
        patch.patch.subject,
        message.message_id if message else None,
        patch.patch.commit,
        patch.applied,
        "; ".join(reasons),
        findings,
        changes.shifts,
    )


def _fixed_later(reviews: Sequence[PatchReview]) -> tuple[PatchReview, ...]:
    """Mark what a later patch of the series removes again, in all the places from which it was reached."""
    open_: list[tuple[int, int, Counter[tuple[str, ...]]]] = []
    fixed: dict[tuple[int, int], int] = {}
    for position, review in enumerate(reviews):
        for finding in review.findings:
            for identity in finding.identities if finding.change is Change.FIXED else ():
                brought = next((each for each in open_ if each[2][identity] > 0), None)
                if brought is None:
                    continue
                brought[2][identity] -= 1
                if brought[2].total() == 0:
                    fixed[brought[:2]] = review.number
        open_ += [
            (position, at, Counter(finding.identities))
            for at, finding in enumerate(review.findings)
            if finding.change in (Change.INTRODUCED, Change.EXPOSED) and finding.identities
        ]
    return tuple(
        replace(
            review,
            findings=tuple(
                replace(finding, fixed_later=fixed[position, at]) if (position, at) in fixed else finding
                for at, finding in enumerate(review.findings)
            ),
        )
        for position, review in enumerate(reviews)
    )
