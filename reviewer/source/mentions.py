# SPDX-License-Identifier: GPL-2.0-or-later
"""In which files a word stands: searched by git once for each word and folder, and kept by the folder's tree."""

from __future__ import annotations

from collections import defaultdict
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
            return self._search_below({folder: oid}, frozenset((word,))).get(word, ())
        return tuple(f"{folder}/{path}" for path in cached)

    def expect(self, words: Mapping[str, Iterable[str]]) -> None:
        """Search at once below each folder for those of its words that were not sought there yet."""
        folders = defaultdict[frozenset[str], dict[str, str]](dict)
        for folder, wanted in sorted(words.items()):
            oid = self._files.subtree_id(folder)
            missing = frozenset(word for word in wanted if oid and self._store.mentions(word, oid) is None)
            if oid is not None and missing:
                folders[missing][folder] = oid
        for missing, below in folders.items():
            self._search_below(below, missing)

    def _search_below(self, folders: Mapping[str, str], words: frozenset[str]) -> dict[str, tuple[str, ...]]:
        """The files below any of ``folders``, whose tree ids these are, that hold each of ``words``."""
        found = self._files.mentioning(words, tuple(folders))
        for folder, oid in folders.items():
            prefix = folder + "/"
            inside = {
                word: tuple(path.removeprefix(prefix) for path in found.get(word, ()) if path.startswith(prefix))
                for word in words
            }
            self._store.add_mentions(oid, inside)
        return found
