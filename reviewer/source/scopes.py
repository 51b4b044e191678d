# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the names of a file are looked for in a tree: the folders that it sees, and the files that mention a word."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence

from reviewer.source.cfg import Function
from reviewer.source.files import C_SUFFIXES
from reviewer.source.mentions import Mentions
from reviewer.source.nearness import architecture, distance, folders_seen_from
from reviewer.source.scan import scan
from reviewer.source.sourcefiles import SourceFiles

_MANY = 40  # files in which one function is mentioned
_SCANNED = 2000  # blobs at a time
_SCANNED_SHARED = 200
_INCLUDED_CODE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]+"([\w-]+\.[ch])"', re.MULTILINE)


class Scopes(SourceFiles):
    """The files of one tree, and what each of them sees of the others."""

    def _begin(self) -> None:
        super()._begin()
        self._scanned: set[tuple[str, ...]] = set()
        self._scopes: dict[str, tuple[str, ...]] = {}
        self._covered: dict[str, dict[int, tuple[str, ...]]] = {}
        self._within: dict[tuple[str, ...], dict[int, tuple[str, ...]]] = {}
        self._members_used: dict[tuple[str, str], bool] = self._base._members_used if self._base is not None else {}
        self._mentions = Mentions(self.files, self.store)
        self._shared = False
        self._backwards = False

    architecture = staticmethod(architecture)
    distance = staticmethod(distance)

    def share(self, *, backwards: bool) -> None:
        """Share with another process what is read of the tree; one of the two goes ``backwards``."""
        self.store.share()
        self._shared = True
        self._backwards = backwards

    def scope(self, path: str) -> tuple[str, ...]:
        """The folders in which a name used in ``path`` is looked for."""
        if path not in self._scopes:
            self._scopes[path] = folders_seen_from(path)
        return self._scopes[path]

    def located(self, rows: Sequence[int], user: str) -> list[tuple[int, str]]:
        """(position in ``rows``, path) of what lies in the scope of the file ``user``."""
        scope = self.scope(user)
        if scope not in self._within:
            within: dict[int, tuple[str, ...]] = {}
            for folder in scope:
                for row, paths in self._paths(folder).items():
                    within[row] = within.get(row, ()) + paths
            self._within[scope] = within
        paths_of = self._within[scope]
        return [(position, path) for position, row in enumerate(rows) for path in paths_of.get(row, ())]

    def _any_scope(self, user: str) -> None:
        """Scan the scope of ``user``."""
        scope = self.scope(user)
        if scope not in self._scanned:
            for folder in reversed(scope) if self._backwards else scope:
                self._paths(folder)
            self._scanned.add(scope)

    def _paths(self, folder: str) -> dict[int, tuple[str, ...]]:
        """Blob row to the paths below ``folder``, after every blob there was scanned."""
        if folder not in self._covered and self._base is not None and self._same_below(folder):
            self._covered[folder] = self._base._paths(folder)
        if folder not in self._covered:
            blobs = self.files.blobs(folder, C_SUFFIXES)
            known = self.store.known_blobs()
            missing = list(dict.fromkeys(oid for _, oid in blobs if oid not in known))
            if self._backwards:
                missing.reverse()
            length = _SCANNED_SHARED if self._shared else _SCANNED
            for start in range(0, len(missing), length):
                known = self.store.known_blobs(anew=self._shared)
                batch = [oid for oid in missing[start : start + length] if oid not in known]
                self.store.add((oid, scan(text)) for oid, text in self.files.read_blobs(batch))
            known = self.store.known_blobs()
            rows: dict[int, list[str]] = {}
            for path, oid in blobs:
                if oid in known:
                    rows.setdefault(known[oid], []).append(path)
            self._covered[folder] = {row: tuple(paths) for row, paths in rows.items()}
        return self._covered[folder]

    def _same_below(self, folder: str) -> bool:
        return not any(path.startswith(folder + "/") for path in self._changed)

    def _row(self, path: str) -> int | None:
        oid = self.files.blob_id(path)
        return self.store.known_blobs().get(oid) if oid is not None else None

    # Users of names

    def mentioning(self, function: Function) -> tuple[str, ...]:
        """The files in which ``function`` may be called or registered, nearest first; at most ``_MANY``."""
        if function.static and function.path.endswith(".c"):
            return (function.path, *self._included(function.path))
        found = {function.path, *self.mentions_below_any(self.scope(function.path), (function.name,))}
        near = sorted(
            (self.distance(path, function.path), path) for path in found if self.distance(path, function.path) < 9
        )
        return tuple(path for _, path in near[:_MANY])

    def expect(self, paths: Iterable[str]) -> None:
        """Search at once for all names that the files ``paths`` offer to others; ``mentioning`` will be asked."""
        self.expect_users(
            function
            for path in paths
            for name in {extent.name for extent in self.extents(path)}
            for function in self.functions(path, name)
        )

    def expect_users(self, functions: Iterable[Function]) -> None:
        """The same for the names of ``functions``."""
        words: dict[str, set[str]] = {}
        for function in functions:
            if not function.static or not function.path.endswith(".c"):
                for folder in self.scope(function.path):
                    words.setdefault(folder, set()).add(function.name)
        self._mentions.expect(words)

    def using(self, words: Iterable[str], folders: Sequence[str]) -> frozenset[str]:
        """The files below ``folders`` in which one of ``words`` stands; ``.name`` as a member that is not filled."""
        sought = sorted(set(words))
        names = [word.removeprefix(".") for word in sought]
        self._mentions.expect(dict.fromkeys(folders, names))
        return frozenset(
            path
            for folder in folders
            for word in sought
            for path in self.mentions_below(folder, word.removeprefix("."))
            if not word.startswith(".") or self._uses_member(path, word[1:])
        )

    def _uses_member(self, path: str, member: str) -> bool:
        key = (self.files.blob_id(path) or path, member)
        if key not in self._members_used:
            use = rb"(?:->|\.)\s*%b\b(?!\s*=[^=])|[(,]\s*%b\s*[,)]" % (member.encode(), member.encode())
            self._members_used[key] = re.search(use, self.files.read(path) or b"") is not None
        return self._members_used[key]

    def mentions_below_any(self, folders: Iterable[str], words: Iterable[str]) -> set[str]:
        """The files below one of ``folders`` that hold one of ``words``: they are all sought at once."""
        wanted = dict.fromkeys(folders, tuple(words))
        self._mentions.expect(wanted)
        return {
            path for folder, sought in wanted.items() for word in sought for path in self.mentions_below(folder, word)
        }

    def mentions_below(self, folder: str, word: str) -> tuple[str, ...]:
        """The files below ``folder`` that hold ``word``."""
        return self._mentions.below(folder, word)

    def said_beside(self, path: str, word: str) -> bool:
        """Whether a file in the folder of ``path``, or below it, says ``word``."""
        folder = posixpath.dirname(path)
        text = self.files.read(path) or b""
        return word.encode() in text or bool(folder and self.mentions_below(folder, word))

    def _included(self, path: str) -> tuple[str, ...]:
        """The files of code beside ``path`` that it includes, and in which its static functions are known."""
        names = _INCLUDED_CODE.findall(self.text(path) or b"")
        beside = (posixpath.join(posixpath.dirname(path), name.decode()) for name in names)
        return tuple(included for included in beside if self.text(included) is not None)

    def _includes(self, path: str, user: str) -> bool:
        """Whether the file ``path`` includes ``user``, which stands beside it, and so shares its static functions."""
        return posixpath.dirname(path) == posixpath.dirname(user) and user in self._included(path)
