# SPDX-License-Identifier: GPL-2.0-or-later
"""What the analysis needs of a tree of files; ``reviewer.tree.blobs.Snapshot`` is one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

C_SUFFIXES = (".c", ".h")
"""The ends of the names of files that are read."""


class Texts(Protocol):
    """What stands in the files of a tree."""

    def read(self, path: str) -> bytes | None:
        """The content of ``path``, or None where there is no such file."""


class Files(Texts, Protocol):
    """The files of one commit, or of the tree that a patch leaves."""

    def blob_id(self, path: str) -> str | None:
        """The git object name of the content of ``path``, or None."""

    def subtree_id(self, folder: str) -> str | None:
        """The git object name of ``folder``, or None."""

    def blobs(self, folder: str, suffixes: tuple[str, ...]) -> Sequence[tuple[str, str]]:
        """(path, object name) of every file below ``folder`` whose name ends with one of ``suffixes``, sorted."""

    def read_blobs(self, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """(object name, content) of many objects, in the order they were asked for."""

    def differing(self, tree: str, suffixes: tuple[str, ...]) -> Mapping[str, tuple[str | None, str | None]] | None:
        """The files with other content than in ``tree``: path to the object names there and here, None for no file.

        None where ``tree``, an object name, is not to be had without asking another machine.
        """

    def mentioning(self, words: frozenset[str], folders: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """For each word the sorted C files below ``folders`` that hold it as a whole word."""
