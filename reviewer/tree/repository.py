# SPDX-License-Identifier: GPL-2.0-or-later
"""The user's git repository: found, opened and read, never written."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

from reviewer.errors import RepositoryError
from reviewer.model import Address
from reviewer.tree.blobs import Snapshot
from reviewer.tree.configuration import read_configuration
from reviewer.tree.objects import Objects
from reviewer.tree.runner import Runner

_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class Repository:
    """A git repository of any shape: with work tree, bare, linked work tree, shallow, partial.

    Open with :meth:`open`. Nothing here writes into it.
    """

    def __init__(self, path: Path, git_dir: Path, runner: Runner, *, shallow: bool, oid_size: int) -> None:
        self.path = path
        self.shallow = shallow
        self.configuration = read_configuration(runner)
        self.runner = replace(runner, config=self.configuration.overrides())
        self.oid_size = oid_size
        self.git_dir = git_dir
        self._objects: Objects | None = None

    @classmethod
    def open(cls, path: Path | None = None) -> Repository:
        """The repository that ``path`` lies in; without a path the one git would use here, as hooks set it.

        Raises RepositoryError where there is none, or where git refuses it because somebody else owns it.
        """
        here = Path.cwd() if path is None else path
        if not here.is_dir():
            raise RepositoryError(f"{here} is not a folder; --repo names a git repository")
        # Inside a hook git has said by these which repository is meant; a path given by the user counts more.
        meant = frozenset({"GIT_DIR", "GIT_COMMON_DIR"}) if path is None else frozenset[str]()
        finder = Runner(cwd=here.resolve(), inherit=meant)
        found = finder.run(
            "rev-parse", "--is-shallow-repository", "--show-object-format", "--absolute-git-dir", check=False
        )
        if found.status != 0:
            raise RepositoryError(_why_not_opened(here, found.stderr))
        shallow, algorithm, git_dir = found.stdout.decode("utf-8", "surrogateescape").rstrip("\n").split("\n", 2)
        runner = Runner(cwd=Path(git_dir), git_dir=Path(git_dir))
        if path is None:
            runner = replace(runner, environment=_quarantine(here))
        oid_size = 32 if algorithm == "sha256" else 20
        return cls(here, Path(git_dir), runner, shallow=shallow == "true", oid_size=oid_size)

    def resolve(self, rev: str) -> str:
        """The full id of the commit that ``rev`` names, in any way git knows; RepositoryError if it names none."""
        done = None
        if rev and not rev.startswith("-") and not re.search(r"[\0\r\n]", rev):
            done = self.runner.run(
                "rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}", check=False
            )
            oid = done.stdout.decode("ascii", "replace").strip()
            if done.status == 0 and _OID.fullmatch(oid):
                return oid
        if rev in ("HEAD", "@"):
            raise RepositoryError(
                f"the repository {self.git_dir} has no commit yet; there is no tree to review against"
            )
        said = f" (git: {done.stderr})" if done is not None and done.stderr else ""
        hint = "this clone is shallow, `git fetch --unshallow` may bring it" if self.shallow else "`git fetch` it first"
        raise RepositoryError(f"{rev!r} names no commit in {self.git_dir}{said}; check the spelling, or {hint}")

    def knows(self, rev: str) -> bool:
        """Whether ``rev`` names a commit here."""
        try:
            self.resolve(rev)
        except RepositoryError:
            return False
        return True

    def tree_of(self, commit: str) -> str:
        """The id of a commit's tree."""
        done = self.runner.run(
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            f"{commit}^{{tree}}",
            what=f"reading commit {commit}",
        )
        return done.stdout.decode("ascii").strip()

    def snapshot(self, tree: str, commit: str | None = None) -> Snapshot:
        """The files of a tree. ``commit`` is the one that citations name; it defaults to HEAD's."""
        return Snapshot(self.objects, tree, commit if commit is not None else self.resolve("HEAD"))

    @property
    def objects(self) -> Objects:
        """The objects of this repository."""
        if self._objects is None:
            self._objects = Objects(self.runner, self.oid_size)
        return self._objects

    def user(self) -> Address | None:
        """Who git takes the user for (``user.name``, ``user.email``); None if no address is configured."""
        email = self.config("user.email")
        return Address(self.config("user.name") or "", email) if email else None

    def config(self, key: str) -> str | None:
        """The last value of a git config variable, or None. Sections and names are matched without case."""
        return self.configuration.get(key)

    def close(self) -> None:
        """End the git processes kept open for reading."""
        if self._objects is not None:
            self._objects.close()


def _quarantine(here: Path) -> tuple[tuple[str, str], ...]:
    """Where git keeps objects that a receive hook is still to judge; only such a hook has these set."""
    kept = []
    directory = os.environ.get("GIT_OBJECT_DIRECTORY")
    if directory:
        kept.append(("GIT_OBJECT_DIRECTORY", str((here / directory).resolve())))
    alternates = os.environ.get("GIT_ALTERNATE_OBJECT_DIRECTORIES")
    if alternates:
        kept.append(("GIT_ALTERNATE_OBJECT_DIRECTORIES", alternates))
    return tuple(kept)


def _why_not_opened(here: Path, said: str) -> str:
    if "dubious ownership" in said:
        return f"git refuses the repository at {here}, because somebody else owns it. It says:\n{said}"
    if "not a git repository" in said:
        return f"{here} is not in a git repository; go to a kernel tree, or name one with --repo"
    return f"the git repository at {here} cannot be opened: {said}"
