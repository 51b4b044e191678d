# SPDX-License-Identifier: GPL-2.0-or-later
"""Build ahead what reviews of a tree will need."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from reviewer.cache import open_store, today
from reviewer.config import Options
from reviewer.errors import RepositoryError, UsageError
from reviewer.source.files import C_SUFFIXES
from reviewer.source.program import Program
from reviewer.source.scan import scan
from reviewer.source.store import Store
from reviewer.source.upkeep import prune
from reviewer.tree.blobs import Snapshot
from reviewer.tree.repository import Repository
from reviewer.workers import MOST, in_order

_BLOBS_A_TASK = 400
_FILES_A_TASK = 20

Report = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class _Tools:
    """What a process works with."""

    repository: Repository
    store: Store


@contextmanager
def _tools(repo: Path | None, options: Options) -> Iterator[_Tools]:
    with closing(Repository.open(repo, options.cache_dir)) as repository, closing(open_store(options)) as store:
        yield _Tools(repository, store)


def build(repository: Repository, revision: str, folders: Sequence[str], options: Options, report: Report) -> int:
    """Scan the C files of a commit, and read the functions below ``folders``; the result is how many files were new.

    What was written stays when this is interrupted. UsageError names a folder that is not there.
    """
    snapshot = repository.snapshot(repository.tree_of(revision))
    for folder in folders:
        if snapshot.subtree_id(folder) is None:
            raise UsageError(f"looked for the folder {folder!r} in {revision}: there is none; check the spelling")
    store = open_store(options)
    try:
        known = store.known_blobs()
        blobs = snapshot.blobs("", C_SUFFIXES)
        missing = tuple(dict.fromkeys(oid for _, oid in blobs if oid not in known))
        store.note_use(str(repository.git_dir), snapshot.tree, today())
    finally:
        store.close()
    repository.objects.ensure(missing)
    files = tuple(dict.fromkeys(path for folder in folders for path, _ in snapshot.blobs(folder, C_SUFFIXES)))
    tools = partial(_tools, options.repo, options)
    processes = 1 if repository.partial else MOST  # a process would have to fetch again what this one has fetched
    done = 0
    for count in in_order(_scan, _shares(missing, _BLOBS_A_TASK), tools, processes):
        done += count
        report("Scanning", done, len(missing))
    shares = [(snapshot.tree, share) for share in _shares(files, _FILES_A_TASK)]
    done = 0
    for count in in_order(_read, shares, tools, processes):
        done += count
        report("Reading functions", done, len(files))
    return len(missing)


def _shares(names: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(names[at : at + size]) for at in range(0, len(names), size)]


def _scan(tools: _Tools, oids: tuple[str, ...]) -> int:
    tools.store.add((oid, scan(text)) for oid, text in tools.repository.objects.stream(oids))
    return len(oids)


def _read(tools: _Tools, share: tuple[str, tuple[str, ...]]) -> int:
    tree, paths = share
    program = Program(tools.repository.snapshot(tree), tools.store)
    for path in paths:
        for extent in program.extents(path):
            program.functions(path, extent.name)
    tools.store.flush()
    return len(paths)


def drop_unused(repository: Repository, revisions: Sequence[str], days: int, options: Options) -> None:
    """Drop what belongs neither to one of these commits nor to a tree that was wanted in the last ``days`` days."""
    store = open_store(options)
    try:
        since = today() - days
        trees = {(str(repository.git_dir), repository.tree_of(revision)) for revision in revisions}
        trees |= {(where, tree) for where, tree, day in store.uses() if day >= since}
        blobs: set[str] = set()
        folders: set[str] = set()
        for where, tree in sorted(trees):
            try:
                other = repository if where == str(repository.git_dir) else Repository.open(Path(where))
            except RepositoryError:
                continue  # it was removed
            try:
                _add_objects(other.snapshot(tree, tree), blobs, folders)
            except RepositoryError:
                continue  # the tree was: nothing referred to it any more
            finally:
                if other is not repository:
                    other.close()
        prune(store, blobs, folders, since)
    finally:
        store.close()


def _add_objects(snapshot: Snapshot, blobs: set[str], folders: set[str]) -> None:
    below: set[str] = set()
    for path, oid in snapshot.blobs("", C_SUFFIXES):
        blobs.add(oid)
        parts = path.split("/")[:-1]
        below.update("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
    folders.update(filter(None, (snapshot.subtree_id(folder) for folder in below)))
