# SPDX-License-Identifier: GPL-2.0-or-later
"""Apply a series beside the user's repository: one tree for each patch, nothing written where the user works.

A temporary index holds only the paths that the patches touch; ``git apply --cached`` changes it, and the tree of the
whole kernel is the base tree with these paths replaced. Everything lies in a private git directory (``store``).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from reviewer.errors import RepositoryError
from reviewer.model import Applied, AppliedPatch, ApplyFailure, Base, FailureKind, Patch
from reviewer.tree.blobs import Snapshot
from reviewer.tree.compose import Clash, TreeWriter
from reviewer.tree.failure import failures
from reviewer.tree.patchtext import FileChange, changed_files, fit_line_ends, unusable, without_prefix
from reviewer.tree.repository import Repository
from reviewer.tree.runner import Finished, Runner
from reviewer.tree.store import Store

_Index = dict[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Reading:
    """A patch with what its text says: the files it names, under git-apply's ``-p`` ``strip``."""

    patch: Patch
    strip: int
    files: tuple[FileChange, ...]


class Overlay:
    """Where patches are applied. Use as a context manager: its folder in ``cache_dir`` is gone afterwards."""

    def __init__(self, repository: Repository, cache_dir: Path, *, three_way: bool = True) -> None:
        self._repository = repository
        self._three_way = three_way
        self._store = repository.private_store(cache_dir)

    def __enter__(self) -> Overlay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the private folder."""
        self._store.close()

    @property
    def git_dir(self) -> Path:
        """The private git directory, for other processes that read the trees made here."""
        return self._store.git_dir

    def snapshot(self, tree: str, commit: str) -> Snapshot:
        """The files of a tree made here, or of any tree of the repository."""
        return Snapshot(self._store.objects, tree, commit)

    def apply(self, patches: Sequence[Patch], base: Base) -> tuple[AppliedPatch, ...]:
        """Apply all patches in order to the tree of ``base``.

        A patch that git refuses is recorded with the reason, and the next one is tried on the tree as it is then.
        """
        tree = self._repository.tree_of(base.commit)
        writer = TreeWriter(self._store.objects, self._store.runner)
        try:
            start = self.snapshot(tree, base.commit)
            readings = _read_patches(patches, start)
            work = _Work(self._store, writer, start, readings, three_way=self._three_way)
            return tuple(work.apply(reading) for reading in readings)
        finally:
            writer.close()


class _Work:
    """One series on its way: the tree so far, and the index of the touched paths."""

    def __init__(
        self, store: Store, writer: TreeWriter, base: Snapshot, readings: Sequence[_Reading], *, three_way: bool
    ) -> None:
        self._store = store
        self._writer = writer
        self._base = base
        self._three_way = three_way
        self._tree = base.tree
        self._index_file = store.git_dir / "index"
        self._runner = _with_index(store.runner, self._index_file)
        self._index: _Index = {}
        self._lay(path for reading in readings for file in reading.files for path in (file.old, file.new) if path)

    def apply(self, reading: _Reading) -> AppliedPatch:
        """Try one patch, in the ways in which a maintainer's git would."""
        paths = tuple((file.old, file.new) for file in reading.files)
        before = self._tree
        refused = _refused(reading.files)
        applied = Applied.NO
        if not refused:
            applied, refused = self._try(reading)
        return AppliedPatch(reading.patch, applied, before, self._tree, paths, refused)

    def _try(self, reading: _Reading) -> tuple[Applied, tuple[ApplyFailure, ...]]:
        diff, files = reading.patch.diff, reading.files
        plain = self._git_apply(self._runner, reading, diff)
        if plain.status == 0:
            return self._taken(Applied.YES)
        fitted = fit_line_ends(diff, files, self._is_crlf)
        if fitted != diff and self._git_apply(self._runner, reading, fitted).status == 0:
            return self._taken(Applied.YES)
        if self._git_apply(self._runner, reading, fitted, "--reverse", "--check").status == 0:
            return Applied.NO, (_already(files),)
        refused = failures(plain.stderr, files, diff, self._read)
        corrupt = any(failure.kind is FailureKind.CORRUPT for failure in refused)
        if corrupt or not self._three_way or not self._merge(reading, fitted):
            return Applied.NO, refused
        if self._read_index() == self._index:
            # a three-way merge that changes nothing: every change of the patch is there already
            return Applied.NO, (_already(files),)
        return self._taken(Applied.THREE_WAY)

    def _taken(self, how: Applied) -> tuple[Applied, tuple[ApplyFailure, ...]]:
        """Make the changed index the tree so far."""
        index = self._read_index()
        changed: dict[str, tuple[str, str] | None] = {p: e for p, e in index.items() if self._index.get(p) != e}
        changed.update((path, None) for path in self._index if path not in index)
        try:
            self._tree = self._writer.write(self._tree, changed)
        except Clash as clash:
            self._write_index(self._index)
            detail = f"{clash.path} would have to be a file and a folder at once"
            return Applied.NO, (ApplyFailure(FailureKind.CONTEXT, clash.path, None, detail),)
        self._index = index
        return how, ()

    def _merge(self, reading: _Reading, diff: bytes) -> bool:
        """Whether a three-way merge succeeds; if so, the index holds its result."""
        # git looks for the blobs that the patch was made from, by the ids on its index lines
        self._store.copy(self._store.objects.known(file.old_oid for file in reading.files if file.old_oid.strip("0")))
        trial = self._index_file.with_name("index.merge")
        shutil.copyfile(self._index_file, trial)
        done = self._git_apply(_with_index(self._store.runner, trial), reading, diff, "--3way")
        if done.status != 0:
            trial.unlink()
            return False
        trial.replace(self._index_file)
        return True

    def _git_apply(self, runner: Runner, reading: _Reading, diff: bytes, *options: str) -> Finished:
        fixed = ("--cached", "--whitespace=nowarn", f"-p{reading.strip}")
        done = runner.run("apply", *fixed, *options, "-", stdin=diff, check=False)
        if done.status not in (0, 1) and "error: " not in done.stderr:
            # not a word about the patch: a full disk, a killed process
            why = done.stderr or f"it ended with status {done.status}"
            raise RepositoryError(f"git apply could not work on patch {reading.patch.number}: {why}")
        return done

    def _read(self, path: str) -> bytes | None:
        entry = self._index.get(path)
        return self._store.objects.read(entry[1])[1] if entry is not None else None

    def _is_crlf(self, path: str) -> bool | None:
        data = self._read(path)
        return None if data is None else data.count(b"\r\n") * 2 > data.count(b"\n")

    def _lay(self, paths: Iterable[str]) -> None:
        """Put these paths into the index as they are in the base tree.

        Files and links that stand where a path needs a folder are put there too, for git to see.
        """
        entries: _Index = {}
        for path in dict.fromkeys(paths):
            if unusable(path):
                continue
            parts = path.split("/")
            for depth in range(1, len(parts) + 1):
                name = "/".join(parts[:depth])
                entry = self._base.entry(name)
                if entry is not None and entry.kind != "tree":
                    entries[name] = (entry.mode.zfill(6), entry.oid)
        self._store.copy(oid for mode, oid in entries.values() if mode != "160000")
        self._write_index(entries)
        self._index = entries

    def _write_index(self, entries: Mapping[str, tuple[str, str]]) -> None:
        self._runner.run("read-tree", "--empty")
        lines = b"".join(f"{m} {oid}\t".encode() + os.fsencode(path) + b"\0" for path, (m, oid) in entries.items())
        self._runner.run("update-index", "-z", "--index-info", stdin=lines)

    def _read_index(self) -> _Index:
        listed = self._runner.run("ls-files", "--stage", "-z").stdout
        entries: _Index = {}
        for line in listed.split(b"\0")[:-1]:
            info, _, path = line.partition(b"\t")
            mode, oid, _stage = info.decode("ascii").split(" ")
            entries[os.fsdecode(path)] = (mode, oid)
        return entries


def _with_index(runner: Runner, index: Path) -> Runner:
    return runner.with_environment(GIT_INDEX_FILE=str(index))


def _read_patches(patches: Sequence[Patch], base: Snapshot) -> tuple[_Reading, ...]:
    """Read each patch with ``-p1``, or ``-p0`` where only so all its old files are there (``diff.noprefix``)."""
    created: set[str] = set()
    readings = []
    for patch in patches:
        reading = _Reading(patch, 1, changed_files(patch.diff, 1))
        bare = without_prefix(patch.diff)
        if bare or not _fits(reading.files, base, created):
            other = _Reading(patch, 0, changed_files(patch.diff, 0))
            if _fits(other.files, base, created) and (bare or any(file.old for file in other.files)):
                reading = other
        created.update(file.new for file in reading.files if file.new)
        readings.append(reading)
    return tuple(readings)


def _fits(files: Sequence[FileChange], base: Snapshot, created: set[str]) -> bool:
    return all(file.old is None or file.old in created or base.exists(file.old) for file in files)


def _refused(files: Sequence[FileChange]) -> tuple[ApplyFailure, ...]:
    """What is wrong with a patch before git sees it."""
    if not files:
        return (ApplyFailure(FailureKind.CORRUPT, "", None, "the text names no file to change"),)
    bad = [
        (file, path)
        for file in files
        for path in dict.fromkeys((file.old, file.new))
        if path is not None and unusable(path)
    ]
    return tuple(
        ApplyFailure(
            FailureKind.CORRUPT, path, file.line, f"the patch names {path!r}, a path that no git tree may hold"
        )
        for file, path in bad
    )


def _already(files: Sequence[FileChange]) -> ApplyFailure:
    names = ", ".join(dict.fromkeys(file.name for file in files))
    detail = f"the tree already holds what the patch changes in {names}"
    return ApplyFailure(FailureKind.ALREADY_APPLIED, files[0].name, None, detail)
