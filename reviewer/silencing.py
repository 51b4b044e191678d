# SPDX-License-Identifier: GPL-2.0-or-later
"""What silences findings in a review of the user's repository, and entries that do not do what they seem to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from fnmatch import filter as matching
from typing import Final

from reviewer.check import Check
from reviewer.config import Options, data_dir
from reviewer.errors import RepositoryError
from reviewer.ignore import LARGEST, TREE_FILE, Files, Suppressor, entries_of_tree, entries_of_user, is_for, parse
from reviewer.model import IgnoreEntry, Problem
from reviewer.registry import load_checks
from reviewer.tree.repository import Repository
from reviewer.wording import did_you_mean

_MOST_TOLD: Final = 10  # entries
_SHORT: Final = 12  # hexadecimal digits of a commit, as the kernel abbreviates them


def suppressor_for(
    files: Files,
    commit: str,
    covered: Iterable[str],
    repository: Repository,
    checks: Sequence[Check],
    options: Options,
) -> tuple[Suppressor, list[Problem], list[str]]:
    """What silences findings in the tree ``files`` of ``commit``, what is wrong with its ignore file, and notes.

    ``covered`` are the paths under review.
    """
    of_tree, problems = entries_of_tree(files)
    entries = (*of_tree, *entries_of_user(options.ignore_file))
    notes = [*without_check(entries, checks, options), *without_effect(repository, of_tree, commit, covered, options)]
    return Suppressor(entries, datetime.now(UTC).date()), list(problems), notes


def without_check(entries: Iterable[IgnoreEntry], checks: Sequence[Check], options: Options) -> Iterator[str]:
    """The entries that name no check there is. ``checks`` are some of those there are, perhaps all."""
    known = [check.id for check in checks]
    unmatched = [entry for entry in entries if not matching(known, entry.check)]
    if not unmatched:
        return
    known = [check.id for check in load_checks([data_dir("checks"), *options.checks_dirs])]
    unmatched = [entry for entry in unmatched if not matching(known, entry.check)]
    for entry in unmatched[:_MOST_TOLD]:
        meant = did_you_mean(entry.check, known)
        yield f"{entry.file}:{entry.line} silences nothing: no check is called {entry.check!r}{meant}"
    if len(unmatched) > _MOST_TOLD:
        yield f"{len(unmatched) - _MOST_TOLD} more entries name no check that there is."


def without_effect(
    repository: Repository, of_tree: Iterable[IgnoreEntry], commit: str, covered: Iterable[str], options: Options
) -> Iterator[str]:
    """Entries in the user's work tree that ``commit`` does not have: whoever wrote them waits for them to count.

    Those that HEAD has are told where they are for one of the paths ``covered``.
    """
    known = {_meaning(entry) for entry in of_tree}
    written = {_meaning(entry): entry for entry in _in_work_tree(repository) if _meaning(entry) not in known}
    if not written:
        return
    lacking = set(written)
    own = f"an entry in {options.ignore_file} counts at once"
    committed = {_meaning(entry) for entry in _at_head(repository)}
    if lacking <= committed:
        if not any(is_for(entry, path) for path in covered for entry in written.values()):
            return
        yield (
            f"{TREE_FILE} of HEAD has entries that {commit[:_SHORT]} does not have. They silence nothing here, as no "
            f"patch can excuse itself; {own}."
        )
        return
    yield (
        f"{TREE_FILE} in your work tree has entries that are not committed. They count for what is reviewed on top of "
        f"the commit that brings them: git add -f --sparse {TREE_FILE} && git commit {TREE_FILE}; {own}."
    )


def _in_work_tree(repository: Repository) -> Sequence[IgnoreEntry]:
    top = repository.top()
    if top is None or not (top / TREE_FILE).is_file():  # a link to what is no file may never end
        return ()
    try:
        with (top / TREE_FILE).open("rb") as file:
            return parse(file.read(LARGEST + 1), TREE_FILE)[0]
    except OSError:
        return ()


def _at_head(repository: Repository) -> Sequence[IgnoreEntry]:
    try:
        head = repository.resolve("HEAD")
        return entries_of_tree(repository.snapshot(repository.tree_of(head), head))[0]
    except RepositoryError:  # no commit yet
        return ()


def _meaning(entry: IgnoreEntry) -> tuple[str, ...]:
    return entry.check, entry.path, entry.function, entry.until
