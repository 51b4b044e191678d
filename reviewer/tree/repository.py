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
from reviewer.tree.promisor import Promisor
from reviewer.tree.runner import Runner
from reviewer.tree.store import Store, objects_of

_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class Repository:
    """A git repository of any shape: with work tree, bare, linked work tree, shallow, partial.

    Open with :meth:`open`. Nothing here writes into it. ``index`` is what the next commit is made of: inside a hook the
    file that git names, as ``git commit FILE`` makes one of its own, else that of the work tree.
    """

    def __init__(
        self, path: Path, git_dir: Path, index: Path, runner: Runner, cache_dir: Path, *, shallow: bool, oid_size: int
    ) -> None:
        self.path = path
        self.index = index
        self.shallow = shallow
        self.configuration = read_configuration(runner)
        self.runner = replace(runner, config=self.configuration.overrides())
        self.oid_size = oid_size
        self.git_dir = git_dir
        self.object_dirs = _object_dirs(self.runner)
        self._promisor = Promisor(self.runner, self.configuration, self.object_dirs)
        self._store: Store | None = None
        if self.partial:
            # What has to be fetched goes into a folder of our own. git left to itself would put it among the user's
            # objects, and would do so one by one.
            self._store = self.private_store(cache_dir)
        self.objects: Objects = self._store.objects if self._store is not None else Objects(self.runner, oid_size)

    @classmethod
    def open(cls, path: Path | None = None, cache_dir: Path | None = None) -> Repository:
        """The repository that ``path`` lies in; without a path the one git would use here, as hooks set it.

        ``cache_dir`` is used for partial clones alone; it defaults to ``reviewer`` in the user's cache folder.

        Raises RepositoryError where there is none, or where git refuses it because somebody else owns it.
        """
        here = Path.cwd() if path is None else path
        if not here.is_dir():
            raise RepositoryError(f"{here} is not a folder; --repo names a git repository")
        # Inside a hook git has said by these which repository is meant; a path given by the user counts more.
        meant = frozenset({"GIT_DIR"}) if path is None else frozenset[str]()
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
        if cache_dir is None:
            cache_dir = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "reviewer"
        named = os.environ.get("GIT_INDEX_FILE") if path is None else None
        index = here.resolve() / named if named else Path(git_dir) / "index"
        return cls(here, Path(git_dir), index, runner, cache_dir, shallow=shallow == "true", oid_size=oid_size)

    def resolve(self, rev: str) -> str:
        """The full id of the commit that ``rev`` names, in any way git knows; RepositoryError if it names none."""
        oid, said = self._named(rev)
        if oid is not None:
            return oid
        if re.match(r"(?:HEAD|@)(?![\w/-])", rev) and (rev in ("HEAD", "@") or not self.knows("HEAD")):
            raise RepositoryError(
                f"the repository {self.git_dir} has no commit yet: there is no tree to review "
                "against; commit or fetch one first"
            )
        raise RepositoryError(
            f"{rev!r} names no commit in {self.git_dir}{f' (git: {said})' if said else ''}; {self._hint(rev)}"
        )

    def _named(self, rev: str) -> tuple[str | None, str]:
        """The id of the commit that ``rev`` names, or None, and what git says."""
        if not rev or rev.startswith("-") or re.search(r"[\0\r\n]", rev):
            return None, ""
        done = self.runner.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}", check=False)
        oid = done.stdout.decode("ascii", "replace").strip()
        return (oid if done.status == 0 and _OID.fullmatch(oid) else None), done.stderr

    def _hint(self, rev: str) -> str:
        """What to do about a revision that names no commit."""
        if self.shallow:
            return "check the spelling, or this clone is shallow, `git fetch --unshallow` may bring it"
        start = re.split(r"[~^]", rev, maxsplit=1)[0]
        if start and start != rev and self.knows(start):
            alone = "" if self.knows(f"{start}~1") else f": {start} has no parent, and {start}^! is that commit alone"
            return f"the history of {start} does not go back so far{alone}"
        return "check the spelling, or `git fetch` it first"

    def knows(self, rev: str) -> bool:
        """Whether ``rev`` names a commit here."""
        return self._named(rev)[0] is not None

    def top(self) -> Path | None:
        """The top of the work tree one stands in; None in a bare repository or inside a git directory."""
        done = Runner(cwd=self.path.resolve(), inherit=frozenset({"GIT_DIR"})).run(
            "rev-parse", "--show-toplevel", check=False
        )
        return Path(os.fsdecode(done.stdout.removesuffix(b"\n"))) if done.status == 0 and done.stdout else None

    def edge(self) -> frozenset[str]:
        """The commits of a shallow clone whose parents were left behind (gitrepository-layout(5), ``shallow``)."""
        if not self.shallow:
            return frozenset()
        told = self.runner.run("rev-parse", "--git-path", "shallow").stdout
        path = self.runner.cwd / os.fsdecode(told.removesuffix(b"\n"))
        return frozenset(path.read_text("ascii").split()) if path.is_file() else frozenset()

    def tree_of(self, commit: str) -> str:
        """The id of the tree of a commit, which is given by its id or another name."""
        oid = commit if _OID.fullmatch(commit) else self.resolve(commit)
        kind, data = self.objects.read(oid)
        if kind != "commit":
            raise RepositoryError(f"object {oid} in {self.git_dir} is a {kind}, not a commit")
        return data.split(b"\n", 1)[0].removeprefix(b"tree ").decode("ascii")

    def snapshot(self, tree: str, commit: str | None = None) -> Snapshot:
        """The files of a tree. ``commit`` is the one that citations name; it defaults to HEAD's."""
        return Snapshot(self.objects, tree, commit if commit is not None else self.resolve("HEAD"))

    @property
    def partial(self) -> bool:
        """Whether this is a partial clone, which leaves objects at its remote until somebody needs them."""
        return bool(self._promisor.remotes)

    def private_store(self, cache_dir: Path) -> Store:
        """A private git directory in ``cache_dir`` on top of this repository's objects; the caller closes it."""
        fetched = (self._store.object_dir,) if self._store is not None else ()
        bring = self._promisor.fetch if self.partial else None
        return Store(cache_dir, (*fetched, *self.object_dirs), self.oid_size, bring, self.edge())

    def objects_beside(self, git_dir: Path) -> Objects:
        """The objects of this repository and of a private git directory on top of it that another process has made."""
        return objects_of(git_dir, self.object_dirs, self.oid_size)

    def user(self) -> Address | None:
        """Whom git takes the user for (``user.name``, ``user.email``); None if no address is configured."""
        email = self.config("user.email")
        return Address(self.config("user.name") or "", email) if email else None

    def config(self, key: str) -> str | None:
        """The last value of a git config variable, or None. Sections and names are matched without case."""
        return self.configuration.get(key)

    def close(self) -> None:
        """End the git processes kept open for reading, and remove what was fetched for a partial clone."""
        self.objects.close()
        if self._store is not None:
            self._store.close()


def _object_dirs(runner: Runner) -> tuple[Path, ...]:
    """Where the objects lie: of a linked work tree the main repository's. Their own alternates git finds itself."""
    told = runner.run("rev-parse", "--git-path", "objects", what="looking for the objects").stdout
    first = Path(os.fsdecode(told.removesuffix(b"\n")))
    more = dict(runner.environment).get("GIT_ALTERNATE_OBJECT_DIRECTORIES", "")
    return ((runner.cwd / first).resolve(), *(Path(path) for path in more.split(":") if path))


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
