# SPDX-License-Identifier: GPL-2.0-or-later
"""The program run as its user runs it, on clones of real kernel trees.

A pytest plugin. ``kernel_clone`` gives a clone of a version that borrows the tree's objects and may be written to;
``reviewer`` runs the program in a process of its own. What the program keeps of the trees lies in a cache that belongs
to the test run and is shared by its tests, as it is between a user's commands: it only ever spares time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final

import pytest

from tests.repos import git, git_bytes

ROOT: Final = Path(__file__).resolve().parent.parent
_TOP: Final = ("/*", "!/*/")  # of the work tree, only the files at the top are written


def _encoded(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


@dataclass(frozen=True)
class KernelClone:
    """A clone of a kernel tree; ``base`` is the tree's one commit."""

    path: Path
    base: str

    def read(self, path: str, revision: str | None = None) -> str:
        """The text of a file of the tree."""
        return git_bytes(self.path, "show", f"{revision or self.base}:{path}").decode()

    def commit(self, files: Mapping[str, str | bytes], message: str, parent: str | None = None) -> str:
        """Let Ann commit files on top of ``parent`` (default: the base), beside the work tree and moving no ref."""
        parent = parent or self.base
        listing = "".join(
            f"100644 {git(self.path, 'hash-object', '-w', '--stdin', stdin=_encoded(text))}\t{path}\n"
            for path, text in files.items()
        )
        index = self.path / f"index-of-test-{os.getpid()}"
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("GIT_INDEX_FILE", str(index))
            environment.setenv("GIT_AUTHOR_NAME", "Ann Author")
            environment.setenv("GIT_AUTHOR_EMAIL", "ann@example.com")
            git(self.path, "read-tree", parent)
            git(self.path, "update-index", "--add", "--index-info", stdin=listing.encode())
            tree = git(self.path, "write-tree")
            index.unlink()
            return git(self.path, "commit-tree", tree, "-p", parent, stdin=message.encode())

    def mail(self, commit: str, message_id: str, *, subject_prefix: str = "PATCH") -> bytes:
        """The commit as ``git format-patch`` mails it, from its author to a list."""
        options = (f"--subject-prefix={subject_prefix}", "--to=list@example.org", "--cc=Max <max@example.net>")
        formatted = git_bytes(self.path, "format-patch", "--stdout", "-1", *options, commit)
        return re.sub(rb"\AFrom .*\n", f"Message-ID: <{message_id}>\n".encode(), formatted)


@dataclass(frozen=True)
class Run:
    """How a run of the program ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def data(self) -> dict[str, Any]:
        """The report of a run with ``--format json``."""
        data: dict[str, Any] = json.loads(self.stdout)
        return data

    @property
    def text(self) -> str:
        """The report for people with its lines joined: a sentence may be broken anywhere."""
        return " ".join(self.stdout.split())

    @property
    def findings(self) -> list[dict[str, Any]]:
        """All findings of a run with ``--format json``, each with the number of its patch."""
        return [
            {"patch": patch["number"], **finding} for patch in self.data["patches"] for finding in patch["findings"]
        ]

    @property
    def brought(self) -> list[dict[str, Any]]:
        """Those that the patches are to answer for."""
        return [finding for finding in self.findings if finding["change"] in {"introduced", "exposed"}]


@dataclass(frozen=True)
class Reviewer:
    """Runs the program with the cache of the test run."""

    cache: Path

    def __call__(self, *arguments: str) -> Run:
        """Run one command, which must not end in a traceback whatever happens."""
        done = subprocess.run(
            [sys.executable, "-m", "reviewer", *arguments],
            env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(self.cache)},
            cwd=os.environ["HOME"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert "Traceback" not in said, said
        assert "internal error" not in said, said
        return Run(done.returncode, done.stdout, done.stderr)

    def check(self, clone: KernelClone, old: str, new: str, *options: str) -> Run:
        """``reviewer check OLD..NEW --format json``."""
        return self("check", f"{old}..{new}", "--repo", str(clone.path), "--format", "json", *options)


def lines(findings: Iterable[Mapping[str, Any]]) -> list[str]:
    """The findings in one line each, for a person who reads why a test failed."""
    return [
        f"{f['patch']}: {f['path']}:{f['line']} {f['function']}() {f['change']} [{f['check']}] {f['message']}"
        for f in findings
    ]


def drafts(folder: Path) -> list[EmailMessage]:
    """The drafted mails in a folder."""
    found = []
    for path in sorted(folder.glob("*.eml")):
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        assert isinstance(message, EmailMessage)
        found.append(message)
    return found


def prose(draft: EmailMessage) -> str:
    """The reviewer's own words in a draft, lines joined."""
    body = draft.get_content()
    assert isinstance(body, str)
    return " ".join(" ".join(line for line in body.split("\n") if not line.startswith(">")).split())


def without_quotations(draft: EmailMessage, patch: bytes, quotes: Sequence[str], base: str) -> str:
    """The draft with placeholders for what it quotes: lines of ``patch`` by their number, rules, the base's name.

    What is not a line of the patch or one of ``quotes`` in full or in part stays, and so is seen to be wrong.
    """
    body = draft.get_content()
    assert isinstance(body, str)
    mailed = patch.decode().split("\n")
    told: list[str] = []
    last = 0
    for line in body.split("\n"):
        if line.startswith("> ") and line[2:] in mailed:
            # Of equal lines, such as empty ones, the next one is meant.
            last = mailed.index(line[2:], last if line[2:] in mailed[last:] else 0) + 1
            told.append(f"> <line {last} of the patch>")
        else:
            told.append(line)
    text = "\n".join(told).replace(base[:12], "<base>")
    return re.sub(r'"([^"]{30,})"', lambda quote: _placeholder(quote[1], quote[0], quotes), text)


def _placeholder(text: str, as_it_stands: str, quotes: Sequence[str]) -> str:
    pieces = [" ".join(piece.split()) for piece in text.split("[...]") if piece.strip()]
    for number, quote in enumerate(quotes, 1):
        if all(piece in quote for piece in pieces):
            return f'"<rule {number}>"'
    return as_it_stands


@contextlib.contextmanager
def untouched(repository: Path) -> Iterator[None]:
    """Hold that the block leaves every file of a repository as it is: bytes, mode, time."""

    def files() -> dict[str, tuple[str, int, int]]:
        return {
            str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mode, path.stat().st_mtime_ns)
            for path in repository.rglob("*")
            if path.is_file()
        } | {str(path): ("folder", path.stat().st_mode, 0) for path in repository.rglob("*") if path.is_dir()}

    before = files()
    yield
    assert files() == before


@pytest.fixture(scope="session")
def kernel_clone(
    kernel_tree: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], KernelClone]:
    """Gives a new clone of a kernel version, with an index of all files and a work tree of those at the top."""

    def clone(version: str) -> KernelClone:
        path = tmp_path_factory.mktemp(f"linux-{version}")
        git(path, "clone", "--quiet", "--shared", "--no-checkout", str(kernel_tree(version)), str(path))
        git(path, "sparse-checkout", "set", "--no-cone", *_TOP)
        git(path, "checkout", "--quiet")
        return KernelClone(path, git(path, "rev-parse", "HEAD"))

    return clone


@pytest.fixture(scope="session")
def reviewer(tmp_path_factory: pytest.TempPathFactory) -> Reviewer:
    """The program, with a cache that all tests of this run share."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # each worker has its folder in that of the run
        base = base.parent
    cache = base / "reviewer-cache"
    cache.mkdir(exist_ok=True)
    return Reviewer(cache)
