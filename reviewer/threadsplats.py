# SPDX-License-Identifier: GPL-2.0-or-later
"""The reports in the mails of a series, told with the tree it is reviewed in and held against its patches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from reviewer.cache import Cache
from reviewer.citation import Citer
from reviewer.config import Options, data_dir
from reviewer.explained import Tree, explain
from reviewer.judging import prepared
from reviewer.mail.touched import changes_of, touching
from reviewer.model import Message, Review, Series
from reviewer.source.program import Program
from reviewer.splat.account import Explained
from reviewer.splat.meanings import Meanings, load_meanings
from reviewer.splat.parse import parse
from reviewer.splat.records import Splat
from reviewer.tree.repository import Repository

_KERNELS_OWN: Final = "include/linux"  # a folder that every kernel tree has and hardly another


def splats_of(review: Review, repository: Repository, options: Options) -> tuple[Explained, ...]:
    """The reports in the mails of the reviewed series, in the mails' order."""
    series = review.series
    if series is None:
        return ()
    splats = [splat for message in _mails(series) for splat in parse(message.body, message.message_id)]
    if not splats:
        return ()
    commit = review.base.commit if review.base is not None else repository.resolve("HEAD")
    found, _ = explain_in_tree(splats, load_meanings(data_dir("checks")), repository, commit, options)
    total = series.total or len(series.patches)
    patches = [(f"{patch.number}/{total} {patch.subject}", patch.diff) for patch in series.patches]
    own = {message.message_id for message in _own(series)}
    return tuple(held_against(one, patches, claimed=one.splat.message_id in own) if patches else one for one in found)


def _own(series: Series) -> list[Message]:
    cover = [series.cover] if series.cover is not None else []
    return [*cover, *(patch.message for patch in series.patches if patch.message is not None)]


def _mails(series: Series) -> list[Message]:
    return [*_own(series), *series.replies]


def held_against(one: Explained, patches: Sequence[tuple[str, bytes]], *, claimed: bool) -> Explained:
    """The report with what ``patches`` (what each is called, its diff) change of what it shows."""
    return replace(
        one,
        touched=touching(patches, one.account.takers),
        changes=changes_of(one.account.circle, patches) if one.account.circle else None,
        claimed=claimed,
    )


def explain_in_tree(
    splats: Sequence[Splat], meanings: Meanings, repository: Repository, commit: str, options: Options
) -> tuple[tuple[Explained, ...], bool]:
    """The reports with what a commit's tree has to them, and whether that is a kernel's: else nothing is looked up."""
    with Cache(options) as cache, prepared():
        tree = repository.tree_of(commit)
        cache.note_use(repository, tree)
        files = repository.snapshot(tree, commit)
        if files.subtree_id(_KERNELS_OWN) is None:
            return explain(splats, meanings), False
        found = cache.use(lambda store: explain(splats, meanings, Tree(Program(files, store), Citer(files, commit))))
        return found, True
