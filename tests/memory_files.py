# SPDX-License-Identifier: GPL-2.0-or-later
"""A tree of files in memory, for tests of the analysis that need no git."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence


class MemoryFiles:
    """``reviewer.source.files.Files`` over a mapping of path to text."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = {path: text.encode() for path, text in files.items()}

    def read(self, path: str) -> bytes | None:
        return self._files.get(path)

    def blob_id(self, path: str) -> str | None:
        return hashlib.sha1(self._files[path]).hexdigest() if path in self._files else None  # noqa: S324 - git's own

    def subtree_id(self, folder: str) -> str | None:
        below = [(path, self.blob_id(path)) for path in sorted(self._files) if path.startswith(folder + "/")]
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
            yield oid, texts[oid]

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
