# SPDX-License-Identifier: GPL-2.0-or-later
"""What the index holds and HEAD does not, as a patch: what ``git commit`` is about to record.

The index is only read, and the tree that it stands for is written into a private store. The work tree does not count.
"""

from __future__ import annotations

import os

from reviewer.errors import RepositoryError
from reviewer.model import Applied, AppliedPatch, Base, Patch
from reviewer.tree.compose import TreeWriter
from reviewer.tree.history import diff_of_trees
from reviewer.tree.patchtext import changed_files
from reviewer.tree.repository import Repository
from reviewer.tree.store import Store

_ABSENT = "000000"  # the mode in git diff-index --raw of a side on which there is no file


def nothing_staged(repository: Repository) -> str:
    """Why the index is no change on top of HEAD, empty if it is one."""
    if not repository.knows("HEAD"):
        return "there is no commit yet to compare with"
    if repository.runner.run("rev-parse", "--verify", "--quiet", "MERGE_HEAD", check=False).status == 0:
        return "a merge holds all of the other branch, whose commits are reviewed one by one"
    return ""


def is_rebasing(repository: Repository) -> bool:
    """Whether it is git rebase that applies patches, as it does with the apply backend of git-rebase(1)."""
    return (repository.git_dir / "rebase-apply" / "rebasing").exists()


def staged_changes(repository: Repository, store: Store) -> tuple[Base, AppliedPatch]:
    """The change from HEAD to the index, between HEAD's tree and one that is written into ``store``.

    Raises RepositoryError where there is no commit yet, and where files are unmerged.
    """
    commit = repository.resolve("HEAD")
    before = repository.tree_of(commit)
    changes = _changes(repository, store, commit)
    store.objects.ensure(leaf[1] for leaf in changes.values() if leaf is not None)
    writer = TreeWriter(store.objects, store.runner)
    try:
        after = writer.write(before, changes)
    finally:
        writer.close()
    diff = diff_of_trees(store.objects.runner, before, after) if changes else b""
    paths = tuple((file.old, file.new) for file in changed_files(diff))
    patch = AppliedPatch(Patch(1, "Staged changes", diff), Applied.YES, before, after, paths)
    return Base(commit, "It is HEAD, on which the commit is to stand."), patch


def _changes(repository: Repository, store: Store, commit: str) -> dict[str, tuple[str, str] | None]:
    """Path to (mode, blob id) of each file that differs in the index, or to None where it was removed."""
    runner = store.objects.runner.with_environment(
        GIT_DIR=str(repository.git_dir), GIT_INDEX_FILE=str(repository.index)
    )
    listed = runner.run(
        *("diff-index", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "--ita-invisible-in-index", commit),
        "--",
        what="reading the index",
    ).stdout.split(b"\0")
    changes: dict[str, tuple[str, str] | None] = {}
    for told, name in zip(listed[:-1:2], listed[1::2], strict=True):
        _, mode, _, oid, status = told.decode("ascii").split(" ")
        path = os.fsdecode(name)
        if status.startswith("U"):
            raise RepositoryError(f"{path} is unmerged; resolve it and `git add` it first")
        changes[path] = None if mode == _ABSENT else (mode, oid)
    return changes
