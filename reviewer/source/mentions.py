# SPDX-License-Identifier: GPL-2.0-or-later
"""In which files a word stands: searched by git once for each word and folder, and kept by the folder's tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reviewer.source.files import Files
from reviewer.source.store import Store


class Mentions:
    """The words of one tree. What was found below a folder holds for every commit with the same folder."""

    def __init__(self, files: Files, store: Store) -> None:
        self._files = files
        self._store = store

    def below(self, folder: str, word: str) -> tuple[str, ...]:
        """The files below ``folder`` that hold ``word``."""
        oid = self._files.subtree_id(folder)
        if oid is None:
            return ()
        cached = self._store.mentions(word, oid)
        if cached is None:
            cached = self._search_below(folder, oid, frozenset((word,))).get(word, ())
        return tuple(f"{folder}/{path}" for path in cached)

    def expect(self, words: Mapping[str, Iterable[str]]) -> None:
        """Search at once below each folder for those of its words that were not sought there yet."""
        for folder, wanted in sorted(words.items()):
            oid = self._files.subtree_id(folder)
            missing = frozenset(word for word in wanted if oid and self._store.mentions(word, oid) is None)
            if oid is not None and missing:
                self._search_below(folder, oid, missing)

    def _search_below(self, folder: str, oid: str, words: frozenset[str]) -> dict[str, tuple[str, ...]]:
        prefix = folder + "/"
        found = {
            word: tuple(path.removeprefix(prefix) for path in paths)
            for word, paths in self._files.mentioning(words, (folder,)).items()
        }
        self._store.add_mentions(oid, {word: found.get(word, ()) for word in words})
        return found
