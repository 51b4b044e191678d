# SPDX-License-Identifier: GPL-2.0-or-later
"""One tree as the analysis reads it: files, folders, and the files that mention a word."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from reviewer.errors import RepositoryError
from reviewer.tree.objects import Objects, TreeEntry
from reviewer.tree.patchtext import is_text

_TOKEN = re.compile(rb"[A-Za-z0-9_]+")
_FEW = 10  # words; measured on Linux 6.12, where both ways take two seconds
_AT_ONCE = 2000  # words in one regular expression


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a folder. ``kind`` is ``blob``, ``tree``, ``link`` (symbolic) or ``commit`` (submodule)."""

    name: str
    path: str
    oid: str
    kind: str


class Snapshot:
    """The files of one tree. Paths are as in git: relative to the top, with ``/``, the top itself being ``""``.

    Symbolic links are not followed, and their targets are not file content: they read as absent. Path bytes that are
    no UTF-8 are carried as surrogate escapes.
    """

    def __init__(self, objects: Objects, tree: str, commit: str) -> None:
        self._objects = objects
        self.tree = tree
        self.commit = commit

    def __repr__(self) -> str:
        return f"Snapshot(tree={self.tree!r}, commit={self.commit!r})"

    def read(self, path: str) -> bytes | None:
        """The content of a file, or None if there is no file of that name."""
        oid = self.blob_id(path)
        return None if oid is None else self._objects.read(oid)[1]

    def blob_id(self, path: str) -> str | None:
        """The blob id of a file, or None if there is no file of that name."""
        found = self.entry(path)
        return found.oid if found is not None and _kind(found) == "blob" else None

    def subtree_id(self, folder: str) -> str | None:
        """The tree id of a folder, or None if there is no folder of that name; ``""`` is the whole tree."""
        folder = folder.strip("/")
        if not folder:
            return self.tree
        found = self.entry(folder)
        return found.oid if found is not None and found.kind == "tree" else None

    def exists(self, path: str) -> bool:
        """Whether a file, folder or link of that name is there."""
        return not path.strip("/") or self.entry(path.strip("/")) is not None

    def folder(self, path: str) -> tuple[Entry, ...]:
        """What stands directly in a folder, in git's order; nothing if there is no such folder."""
        oid = self.subtree_id(path)
        if oid is None:
            return ()
        prefix = f"{path.strip('/')}/" if path.strip("/") else ""
        return tuple(Entry(e.name, prefix + e.name, e.oid, _kind(e)) for e in self._objects.tree(oid).values())

    def paths(self, folder: str = "", suffixes: tuple[str, ...] = ()) -> tuple[str, ...]:
        """All files below a folder whose name ends in one of ``suffixes`` (none: every file), sorted."""
        return tuple(path for path, _ in self.blobs(folder, suffixes))

    def blobs(self, folder: str = "", suffixes: tuple[str, ...] = ()) -> tuple[tuple[str, str], ...]:
        """The same as (path, blob id), sorted by path. With ``suffixes`` names that are not UTF-8 are left out."""
        top = self.subtree_id(folder)
        if top is None:
            return ()
        folder = folder.strip("/")
        found: list[tuple[str, str]] = []
        waiting = [(f"{folder}/" if folder else "", top)]
        while waiting:
            prefix, oid = waiting.pop()
            for entry in self._objects.tree(oid).values():
                mode = entry.mode
                if mode == "40000":
                    if not suffixes or is_text(entry.name):
                        waiting.append((f"{prefix}{entry.name}/", entry.oid))
                elif mode not in ("120000", "160000") and (not suffixes or _is_wanted(entry.name, suffixes)):
                    found.append((prefix + entry.name, entry.oid))
        found.sort()
        return tuple(found)

    def differing(self, tree: str, suffixes: tuple[str, ...] = ()) -> dict[str, tuple[str | None, str | None]] | None:
        """Path to (blob id there, blob id here) of each file with other content than in ``tree``.

        None stands for no file of that name; instead of all for a tree that is not here, or in a partial clone.
        """
        if self._objects.partial or self._objects.absent((tree,)):
            return None
        found: dict[str, tuple[str | None, str | None]] = {}
        waiting: list[tuple[str, str | None, str | None]] = [("", tree, self.tree)]
        while waiting:
            prefix, *sides = waiting.pop()
            before, after = (self._objects.tree(oid) if oid is not None else {} for oid in sides)
            for name in before.keys() | after.keys():
                one, other = before.get(name), after.get(name)
                if one != other and (not suffixes or is_text(name)):
                    below = _oid_of(one, "tree"), _oid_of(other, "tree")
                    if below[0] != below[1]:
                        waiting.append((f"{prefix}{name}/", *below))
                    blobs = _oid_of(one, "blob"), _oid_of(other, "blob")
                    if blobs[0] != blobs[1] and (not suffixes or name.endswith(suffixes)):
                        found[prefix + name] = blobs
        return found

    def read_blobs(self, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """(blob id, content) for each id, in order. One git process, started for this call, ends with the iterator."""
        return self._objects.stream(oids)

    def mentioning(self, words: frozenset[str], folders: Sequence[str] = ()) -> dict[str, tuple[str, ...]]:
        """For each word, the sorted .c and .h files in which it stands as a whole word.

        ``folders`` restricts the search; without any, or with ``""`` among them, the whole tree is searched. A word is
        a C identifier; anything else is found nowhere. Words that are found nowhere have an empty tuple.
        """
        found: dict[str, list[str]] = {word: [] for word in sorted(words)}
        sought = [word for word in found if re.fullmatch(r"[A-Za-z0-9_]+", word)]
        if sought:
            by_oid: dict[str, list[str]] = {}
            for path in self._grep(sought, folders):
                oid = self.blob_id(path)
                if oid is not None:
                    by_oid.setdefault(oid, []).append(path)
            words_of = _finder(sought)
            for oid, data in self._objects.stream(by_oid):
                for word in words_of(data):
                    found[word] += by_oid[oid]
        return {word: tuple(sorted(paths)) for word, paths in found.items()}

    def _grep(self, words: Sequence[str], folders: Sequence[str]) -> tuple[str, ...]:
        wanted = {folder.strip("/") for folder in folders}
        if not wanted or "" in wanted:
            limits = ["*.c", "*.h"]
        else:
            wanted = {folder for folder in wanted if self.subtree_id(folder) is not None}
            if not wanted:
                return ()
            limits = [f"{_escaped(f)}/*.{end}" for f in sorted(wanted) for end in "ch"]
        self._objects.ensure(oid for f in sorted(wanted or {""}) for _, oid in self.blobs(f, (".c", ".h")))
        paths: set[str] = set()
        for some in (words[at : at + _AT_ONCE] for at in range(0, len(words), _AT_ONCE)):
            paths.update(self._grep_once(some, [f":(top){limit}" for limit in limits]))
        return tuple(sorted(paths))

    def _grep_once(self, words: Sequence[str], pathspecs: Sequence[str]) -> Iterator[str]:
        # git looks for one fixed string after the other; from some number on one regular expression is faster
        if len(words) <= _FEW:
            kind, patterns = "-F", "".join(f"{word}\n" for word in words)
        else:
            kind, patterns = "-E", f"({'|'.join(words)})\n"
        form = ("-l", "-z", "--full-name", "--no-color", "--no-textconv", "--threads=2")
        done = self._objects.runner.run(
            "grep", "-w", kind, "-f", "-", *form, self.tree, "--", *pathspecs, stdin=patterns.encode(), check=False
        )
        if done.status not in (0, 1):
            raise RepositoryError(f"git grep in tree {self.tree} failed: {done.stderr}")
        lead = len(self.tree) + 1
        return (os.fsdecode(line[lead:]) for line in done.stdout.split(b"\0") if line)

    def entry(self, path: str) -> TreeEntry | None:
        """What the tree has under this name, of any kind; None if nothing."""
        oid = self.tree
        parts = path.split("/")
        for depth, part in enumerate(parts):
            entry = self._objects.tree(oid).get(part)
            if entry is None or depth == len(parts) - 1:
                return entry
            if entry.kind != "tree":
                return None
            oid = entry.oid
        return None


def _finder(words: Sequence[str]) -> Callable[[bytes], Iterable[str]]:
    """A function that tells which of the words stand in a text, as whole words."""
    if len(words) > _FEW:
        wanted = {word.encode(): word for word in words}
        return lambda data: [wanted[token] for token in set(_TOKEN.findall(data)) if token in wanted]
    forms = [(w, w.encode(), re.compile(rb"(?<![A-Za-z0-9_])" + w.encode() + rb"(?![A-Za-z0-9_])")) for w in words]
    return lambda data: [word for word, plain, whole in forms if plain in data and whole.search(data)]


def _escaped(folder: str) -> str:
    """The folder as the literal beginning of a pathspec."""
    return re.sub(r"([\\*?\[])", r"\\\1", folder)


def _is_wanted(name: str, suffixes: tuple[str, ...]) -> bool:
    return name.endswith(suffixes) and is_text(name)


def _oid_of(entry: TreeEntry | None, kind: str) -> str | None:
    return entry.oid if entry is not None and _kind(entry) == kind else None


def _kind(entry: TreeEntry) -> str:
    return "link" if entry.mode == "120000" else entry.kind
