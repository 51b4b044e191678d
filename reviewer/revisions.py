# SPDX-License-Identifier: GPL-2.0-or-later
"""A series against its earlier revisions: findings that are new, remain or are gone, what changed, what is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reviewer.mail.interdiff import interdiff, patch_changes
from reviewer.mail.openremarks import open_remarks
from reviewer.model import Applied, Change, Comparison, Finding, Review, Series

_Key = tuple[str, ...]


def with_comparisons(review: Review, earlier: Sequence[Review]) -> Review:
    """The review with ``comparisons``, and with ``since`` on its findings. ``earlier`` are oldest first."""
    if review.series is None or not earlier:
        return review
    known = [(series, one, _keys(_brought(one))) for one in earlier if (series := one.series) is not None]
    told = _keys(_brought(review))
    patches = tuple(
        replace(patch, findings=tuple(_dated(finding, known) for finding in patch.findings)) for patch in review.patches
    )
    comparisons: list[Comparison] = []
    for series, one, keys in reversed(known):
        gone = tuple(finding for finding in _brought(one) if not _key(finding) & told)
        found = _compared(review.series, series, with_functions=not comparisons)
        comparisons.append(replace(found, whole=_is_whole(one), gone=gone if _is_whole(review) else None))
        told |= keys
    return replace(review, patches=patches, comparisons=tuple(comparisons))


def _compared(now: Series, before: Series, *, with_functions: bool) -> Comparison:
    patches = patch_changes(before.patches, now.patches)
    functions = interdiff(before.patches, now.patches, patches)
    found = Comparison(before.revision, before.message_id, True, patches, functions)
    return replace(found, functions=functions if with_functions else (), remarks=open_remarks(now, before, found))


def _is_whole(review: Review) -> bool:
    """Whether all of a series was judged in its tree, so that what was not found is not there."""
    lacking = review.series is None or bool(review.series.missing)
    return not lacking and not review.errors and all(patch.applied is not Applied.NO for patch in review.patches)


def _brought(review: Review) -> list[Finding]:
    """What a series brings and leaves there at its end."""
    return [
        finding
        for patch in review.patches
        for finding in patch.findings
        if finding.change in (Change.INTRODUCED, Change.EXPOSED) and finding.fixed_later is None
    ]


def _keys(findings: Sequence[Finding]) -> set[_Key]:
    return {key for finding in findings for key in _key(finding)}


def _key(finding: Finding) -> frozenset[_Key]:
    """What a finding has in common with the same one in another revision: check, path, function, subject."""
    plain = (finding.check, finding.path, finding.function, finding.message)
    return frozenset(identity[:4] for identity in finding.identities) or frozenset({plain})


def _dated(finding: Finding, known: Sequence[tuple[Series, Review, set[_Key]]]) -> Finding:
    """The finding with the first of the revisions in a row, up to now, that have it."""
    if finding.change not in (Change.INTRODUCED, Change.EXPOSED) or finding.fixed_later is not None:
        return finding
    since = None
    for series, _, keys in reversed(known):
        if not _key(finding) & keys:
            break
        since = series.revision
    return replace(finding, since=since)
