# SPDX-License-Identifier: GPL-2.0-or-later
"""Files and folders that the command line names: of the tree, and those to be written."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable
from pathlib import Path

from reviewer.errors import UsageError
from reviewer.tree.repository import Repository


def in_tree(paths: Iterable[str], revision: str, repository: Repository) -> list[str]:
    """The paths from the top of the tree that ``paths`` mean: as the shell completes them where one stands, else as is.

    Files need not be in the work tree, but in ``revision``, which RepositoryError is raised for if it is none.
    """
    commit = repository.resolve(revision)
    files = repository.snapshot(repository.tree_of(commit), commit)
    top = repository.top()
    return [_in_tree(path, top, files.exists) for path in paths]


def _in_tree(path: str, top: Path | None, exists: Callable[[str], bool]) -> str:
    if top is None or not path:
        return path
    top = top.resolve()
    here = Path.cwd().resolve()
    if not here.is_relative_to(top) and not os.path.isabs(path):
        return path
    local = Path(os.path.normpath(here / path))
    if not local.is_relative_to(top):
        return path
    named = local.relative_to(top).as_posix()
    plain = posixpath.normpath(path)
    return named if named == "." or exists(named) or os.path.isabs(path) or not exists(plain) else plain


def check_page(path: Path | None) -> None:
    """UsageError where the page that ``--html`` names cannot be written, which is better said before the review."""
    if path is None:
        return
    if path.is_dir():
        raise UsageError(f"--html {path} is a folder; name a file in it, for instance {path / 'review.html'}")
    if not path.parent.is_dir():
        raise UsageError(f"--html {path}: there is no folder {path.parent}; make it first (mkdir -p {path.parent})")
