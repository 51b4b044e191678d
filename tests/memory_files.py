# SPDX-License-Identifier: GPL-2.0-or-later
"""A tree of files in memory, for tests of the analysis that need no git."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from reviewer.errors import RepositoryError


def _name(text: bytes) -> str:
    return hashlib.sha1(text).hexdigest()  # noqa: S324 - git's own


class MemoryFiles:
    """``reviewer.source.files.Files`` over a mapping of path to text.

    ``older`` are contents of other trees, ``earlier`` is one that is at hand as a whole.
    """

    def __init__(
        self, files: Mapping[str, str], older: Iterable[str] = (), earlier: Mapping[str, str] | None = None
    ) -> None:
        self._files = {path: text.encode() for path, text in files.items()}
        self._older = {_name(text.encode()): text.encode() for text in older}
        self._earlier = MemoryFiles(earlier) if earlier is not None else None

    def read(self, path: str) -> bytes | None:
        return self._files.get(path)

    def blob_id(self, path: str) -> str | None:
        return _name(self._files[path]) if path in self._files else None

    def subtree_id(self, folder: str) -> str | None:
        below = [
            (path, self.blob_id(path)) for path in sorted(self._files) if not folder or path.startswith(folder + "/")
        ]
        return hashlib.sha1(repr(below).encode()).hexdigest() if below else None  # noqa: S324 - git's own

    def blobs(self, folder: str, suffixes: tuple[str, ...]) -> Sequence[tuple[str, str]]:
        return tuple(
            (path, self.blob_id(path) or "")
            for path in sorted(self._files)
            if path.endswith(suffixes) and (not folder or path.startswith(folder + "/"))
        )

    def read_blobs(self, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        texts = {self.blob_id(path): text for path, text in self._files.items()}
        for oid in oids:
            if oid not in texts and oid not in self._older:
                raise RepositoryError(f"no object {oid}")
            yield oid, texts.get(oid, self._older.get(oid, b""))

    def differing(self, tree: str, suffixes: tuple[str, ...]) -> Mapping[str, tuple[str | None, str | None]] | None:
        earlier = self._earlier
        if earlier is None or earlier.subtree_id("") != tree:
            return None
        paths = sorted(path for path in self._files.keys() | earlier._files.keys() if path.endswith(suffixes))
        sides = {path: (earlier.blob_id(path), self.blob_id(path)) for path in paths}
        return {path: pair for path, pair in sides.items() if pair[0] != pair[1]}

    def mentioning(self, words: frozenset[str], folders: Sequence[str]) -> dict[str, tuple[str, ...]]:
        return {
            word: tuple(
                path
                for path, text in sorted(self._files.items())
                if re.search(rb"\b" + word.encode() + rb"\b", text)
                and any(path.startswith(folder + "/") for folder in folders)
            )
            for word in words
        }
