# SPDX-License-Identifier: GPL-2.0-or-later
"""From a series or a range of commits to a ``Review``: the one path that every command takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from reviewer.cache import Cache, working_folder
from reviewer.check import Check
from reviewer.citation import Citer
from reviewer.claims import Trailers, with_claims, without_mended
from reviewer.config import Options, data_dir
from reviewer.defects import load_defects
from reviewer.digest import program_digest
from reviewer.excerpts import excerpts_of
from reviewer.ignore import Suppressor
from reviewer.judging import Judged, Place, judge_all
from reviewer.mail.raised import with_raised
from reviewer.model import (
    Applied,
    AppliedPatch,
    ApplyFailure,
    Base,
    Change,
    FailureKind,
    Finding,
    PatchReview,
    Problem,
    Review,
    Series,
    Severity,
)
from reviewer.precedent import Precedents
from reviewer.revisions import with_comparisons
from reviewer.selection import wants_path
from reviewer.silencing import suppressor_for
from reviewer.source.files import Files
from reviewer.tree.base import choose_base
from reviewer.tree.blobs import Snapshot
from reviewer.tree.history import commits_of, newest_called
from reviewer.tree.log import Log
from reviewer.tree.overlay import Overlay
from reviewer.tree.repository import Repository
from reviewer.tree.staged import staged_changes
from reviewer.wording import counted

_REVISIONS = 3  # earlier ones that a series is compared with, the latest
Tell = Callable[[str], object]
"""Is told what is being done."""

_SEARCHED = 1000  # newest commits of HEAD, in which a series that is in the tree already is looked for
_SHORT = 12  # hexadecimal digits of a commit, as the kernel abbreviates them
_RANK = {Severity.NIT: 0, Severity.QUESTION: 1, Severity.BUG: 2}


def nobody(_what: str) -> None:
    """For those who do not want to be told."""


def review_series(
    series: Series, repository: Repository, checks: Sequence[Check], options: Options, tell: Tell = nobody
) -> Review:
    """Judge a series from mail, and say how it differs from its earlier revisions, which are judged likewise."""
    review = _review_series(series, repository, checks, options, tell)
    if not options.earlier or not series.patches:
        return review
    compared = replace(options, format="text", html=None)  # of which nothing but the findings is told
    earlier = [_review_series(one, repository, checks, compared, tell) for one in series.earlier[-_REVISIONS:]]
    return with_comparisons(review, earlier)


def _review_series(
    series: Series, repository: Repository, checks: Sequence[Check], options: Options, tell: Tell
) -> Review:
    """Choose the base of a series, apply it beside the repository, compare each patch's two sides."""
    tell(f"Looking for the base of revision {series.revision}")
    base = choose_base(repository, series, options.base, options.branches)
    if not series.patches:
        return Review(series, base, (), notes=series.notes)
    with (
        working_folder(options) as folder,
        Overlay(repository, folder, three_way=options.three_way) as overlay,
    ):
        tell(
            f"Applying {len(series.patches)} of {counted(series.total, 'patch')} to {base.commit[:_SHORT]}. "
            f"{base.reason}"
        )
        applied = overlay.apply(series.patches, base)
        if all(map(_in_tree, applied)):
            series = replace(series, notes=(*series.notes, _how_to_judge(applied, base, repository)))
        review = _review(
            series,
            base,
            applied,
            lambda tree: overlay.snapshot(tree, base.commit),
            repository,
            checks,
            options,
            overlay.git_dir,
            tell,
        )
        return with_raised(review)


def review_range(
    revisions: str, repository: Repository, checks: Sequence[Check], options: Options, tell: Tell = nobody
) -> Review:
    """Judge the commits of a range, each against its parent."""
    return review_commits(*commits_of(repository, revisions), repository, checks, options, tell)


def review_commits(
    base: Base,
    applied: Sequence[AppliedPatch],
    repository: Repository,
    checks: Sequence[Check],
    options: Options,
    tell: Tell = nobody,
) -> Review:
    """Judge commits of the repository, each against its parent. ``base`` is what the first one stands on."""

    def snapshot(tree: str) -> Files:
        return repository.snapshot(tree, base.commit)

    return _review(None, base, applied, snapshot, repository, checks, options, tell=tell)


def review_staged(repository: Repository, checks: Sequence[Check], options: Options, tell: Tell = nobody) -> Review:
    """Judge what is staged against HEAD. The work tree, the index and the objects of the user stay as they are."""
    with working_folder(options) as folder, repository.private_store(folder) as store:
        base, patch = staged_changes(repository, store)
        applied = (patch,) if patch.paths else ()

        def snapshot(tree: str) -> Files:
            return Snapshot(store.objects, tree, base.commit)

        return _review(None, base, applied, snapshot, repository, checks, options, store.git_dir, tell)


def _review(
    series: Series | None,
    base: Base,
    applied: Sequence[AppliedPatch],
    snapshot: Callable[[str], Files],
    repository: Repository,
    checks: Sequence[Check],
    options: Options,
    beside: Path | None = None,
    tell: Tell = nobody,
) -> Review:
    """``beside`` is the git directory with the trees that the repository does not have."""
    tree = repository.tree_of(base.commit)
    citer = Citer(snapshot(tree), base.commit)
    # A commit without a parent stands for its own base, and must not silence what is said of it.
    first = snapshot(applied[0].before if applied else tree)
    touched = sorted({path for patch in applied for pair in patch.paths for path in pair if path is not None})
    suppressor, errors, told_of_entries = suppressor_for(first, base.commit, touched, repository, checks, options)
    defects = load_defects(data_dir("checks"))
    trailers = Trailers(Log(repository, base.commit), citer.cite, _is_based(series, base, options))
    reviews: list[PatchReview] = []
    notes: list[str] = [*(series.notes if series is not None else ()), *told_of_entries]
    elsewhere = 0
    with Cache(options) as cache:
        cache.note_use(repository, tree)
        place = Place(options, base.commit, tree, beside)
        tell(_which(applied, 0))
        for patch, judged in zip(applied, judge_all(applied, place, snapshot, repository, checks, cache), strict=True):
            notes += [f"Patch {patch.patch.number}: {note}" for note in judged.notes]
            if judged.problem:
                errors.append(Problem("analyse", judged.problem_path, judged.problem))
            found = [one for one in with_claims(judged.findings, patch, defects) if _wanted(one, options)]
            outside = [one for one in found if not wants_path(options.within, one.path)]
            elsewhere += sum(one.change is not Change.FIXED for one in outside)
            findings = tuple(cited(one, checks, citer) for one in found if wants_path(options.within, one.path))
            claims = tuple(one for one in trailers.claims(patch) if _RANK[one.severity] >= _RANK[options.severity])
            reviews.append(replace(_patch_review(patch, findings, judged), claims=claims))
            tell(_which(applied, len(reviews)))
        rules = program_digest([data_dir("checks")])
        precedents = Precedents(Log(repository, base.commit), cache, defects, rules)
        own = {patch.patch.subject for patch in applied}
        reviews = [precedents.told(review, own) for review in reviews]
        notes += precedents.late
    notes += _on_paths(touched, elsewhere, options)
    mended = without_mended(_fixed_later(reviews), pre_existing=options.show_pre_existing)
    told = _silenced(applied, mended, suppressor)
    if options.html is not None:
        told = [
            replace(one, excerpts=excerpts_of(one.findings, snapshot(patch.before), snapshot(patch.after)))
            for patch, one in zip(applied, told, strict=True)
        ]
    return Review(series, base, tuple(told), tuple(errors), tuple(notes), suppressor.suppression(touched))


def _on_paths(touched: Sequence[str], elsewhere: int, options: Options) -> list[str]:
    """What is left out because of where it is: so many findings ``elsewhere``, or all of the files that are changed."""
    if elsewhere:
        return [f"--paths or git config reviewer.paths leaves out {counted(elsewhere, 'finding')} in other files."]
    if touched and not any(wants_path(options.within, path) for path in touched):
        return ["--paths or git config reviewer.paths leaves out every file that is changed here."]
    return []


def _silenced(
    applied: Sequence[AppliedPatch], reviews: Sequence[PatchReview], suppressor: Suppressor
) -> list[PatchReview]:
    """The reviews without the findings that ignore files silence; entries may name files as they were called before."""
    found: list[PatchReview] = []
    old_names: dict[str, str] = {}
    for patch, review in zip(applied, reviews, strict=True):
        old_names |= {new: old_names.get(old, old) for old, new in patch.paths if old and new and old != new}
        findings = suppressor.without_silenced(review.findings, review.number, old_names)
        found.append(replace(review, findings=findings))
    return found


def _is_based(series: Series | None, base: Base, options: Options) -> bool:
    """Whether patches start from the base because their author or the user says so."""
    if series is None or options.base is not None:
        return True
    return series.base_commit is not None and base.commit.startswith(series.base_commit)


def _which(applied: Sequence[AppliedPatch], at: int) -> str:
    """What is being done when ``at`` patches are done."""
    if at == len(applied):
        return "Putting the findings together"
    return f"Reviewing patch {at + 1} of {len(applied)}: {applied[at].patch.subject}"


def _wanted(finding: Finding, options: Options) -> bool:
    if finding.change is Change.PRE_EXISTING and not options.show_pre_existing and not finding.claim:
        return False
    return is_grave(finding, options)


def is_grave(finding: Finding, options: Options) -> bool:
    """Whether the finding is at least as severe as what was asked for."""
    return _RANK[finding.severity] >= _RANK[options.severity]


def cited(finding: Finding, checks: Iterable[Check], citer: Citer) -> Finding:
    """The finding with the rule of its check as the tree states it; what is fixed needs none."""
    if finding.change is Change.FIXED:
        return finding
    sources = next(check.sources for check in checks if check.id == finding.check)
    called = finding.witness[-1].text.partition("(")[0] if finding.witness else ""
    citation = citer.cite(finding.sources) or citer.cite(sources, called)
    return finding if citation is None else replace(finding, citations=(citation,))


def _patch_review(patch: AppliedPatch, findings: tuple[Finding, ...], judged: Judged) -> PatchReview:
    reasons = map(_reason, patch.failures)
    message = patch.patch.message
    return PatchReview(
        patch.patch.number,
        patch.patch.subject,
        message.message_id if message else None,
        patch.patch.commit,
        patch.applied,
        "; ".join(reasons),
        findings,
        judged.shifts,
        judged.diff,
        judged.orders,
        in_tree=_in_tree(patch),
    )


def _reason(failure: ApplyFailure) -> str:
    """Why a file of a patch was refused, in a line."""
    if failure.kind is FailureKind.MISSING_FILE and failure.detail:
        return failure.detail
    place = f"{failure.path}:{failure.line}" if failure.line else failure.path
    return f"{place}: {failure.kind.value}" + (f" ({failure.detail})" if failure.detail else "")


def _in_tree(patch: AppliedPatch) -> bool:
    """Whether the patch was not applied because the tree has it."""
    kinds = {failure.kind for failure in patch.failures}
    return patch.applied is Applied.NO and kinds == {FailureKind.ALREADY_APPLIED}


def _how_to_judge(applied: Sequence[AppliedPatch], base: Base, repository: Repository) -> str:
    """What to do about a series of which nothing is left to apply."""
    first = newest_called(repository, applied[0].patch.subject, _SEARCHED)
    before = f"--base {first[:_SHORT]}~1" if first is not None else "--base with the commit before them"
    return (
        f"{base.commit[:_SHORT]} has all of the patches already. To judge what they bring, review them with {before}."
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
