# SPDX-License-Identifier: GPL-2.0-or-later
"""Small git repositories for tests, and a way to tell whether one has been touched."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from reviewer.model import Patch

_DATE = "2024-11-01T12:00:00 +0000"


def git(where: Path, *arguments: str, stdin: bytes | None = None) -> str:
    """Run git as a user would; its output without the last line end."""
    return git_bytes(where, *arguments, stdin=stdin).decode("utf-8", "surrogateescape").rstrip("\n")


def git_bytes(where: Path, *arguments: str, stdin: bytes | None = None) -> bytes:
    """The same in bytes."""
    environment = dict(os.environ, GIT_AUTHOR_DATE=_DATE, GIT_COMMITTER_DATE=_DATE, GIT_OPTIONAL_LOCKS="0")
    done = subprocess.run(
        ["git", *arguments], cwd=where, env=environment, input=stdin, capture_output=True, check=False
    )
    if done.returncode != 0:
        raise AssertionError(f"git {' '.join(arguments)}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def make(where: Path, files: Mapping[str, bytes | str | None], message: str = "First") -> str:
    """Write files (None removes one) into a repository that is made if need be, and commit; the commit's id."""
    if not (where / ".git").exists():
        where.mkdir(parents=True, exist_ok=True)
        git(where, "init", "--quiet")
    for name, content in files.items():
        path = where / name
        if content is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    git(where, "-c", "core.autocrlf=false", "add", "--all", "--force")
    git(where, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(where, "rev-parse", "HEAD")


def diff(where: Path, old: str, new: str, *options: str) -> bytes:
    """The patch text between two commits, as format-patch writes it."""
    return git_bytes(where, "diff", "--binary", "-M", *options, old, new)


def patch(text: bytes | str, number: int = 1) -> Patch:
    """A patch of a series with nothing but its text."""
    return Patch(number, f"Patch {number}", text.encode() if isinstance(text, str) else text)


def fingerprint(repository: Path) -> dict[str, str]:
    """What must not change in a repository: every file below it with its bytes, and what git says about it.

    The time stamps of objects count too: git freshens those that it would have written.
    """
    told = {
        "status": git(repository, "--no-optional-locks", "status", "--porcelain=v2", "--branch", "--ignored"),
        "fsck": git(repository, "fsck", "--full", "--no-progress"),
        "objects": git(repository, "count-objects", "-v"),
        "refs": git(repository, "for-each-ref"),
    }
    for path in sorted(repository.rglob("*")):
        if path.is_file() and not path.is_symlink():
            stat = path.stat()
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            told[str(path.relative_to(repository))] = f"{digest} {stat.st_mode:o} {stat.st_mtime_ns}"
        else:
            told[str(path.relative_to(repository))] = "a folder or link"
    return told
