# SPDX-License-Identifier: GPL-2.0-or-later
"""Files and folders that the command line names: of the tree, and those to be written."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable
from pathlib import Path

from reviewer.errors import UsageError
from reviewer.tree.repository import Repository


def in_tree(path: str, repository: Repository, exists: Callable[[str], bool]) -> str:
    """The path from the top of the tree that ``path`` means: as the shell completes it where one stands, else as it is.

    ``exists`` tells whether the tree has a file or folder; the work tree need not have it.
    """
    top = repository.top()
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
