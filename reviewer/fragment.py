# SPDX-License-Identifier: GPL-2.0-or-later
"""A patch that did not apply, as far as its own text shows the two files.

Each hunk is laid at its lines; where it begins inside a function, git's hunk header gives the function. Nothing is
known of what stands between hunks, so that only what a hunk itself shows can be judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from reviewer.changes import Hunk, hunks_of
from reviewer.source.files import Files
from reviewer.tree.patchtext import changed_files, is_text

_HEADER = re.compile(rb"^[A-Za-z_][^;{}]*\([^;{}]*\)?[^;{}]*$")


class FragmentFiles:
    """The files of ``below`` with fragments in place of some of them."""

    def __init__(self, below: Files, fragments: Mapping[str, bytes]) -> None:
        self._below = below
        self._fragments = fragments

    def read(self, path: str) -> bytes | None:
        """The fragment, or the file below."""
        return self._fragments[path] if path in self._fragments else self._below.read(path)

    def blob_id(self, path: str) -> str | None:
        """The object name of the file below; a fragment has none."""
        return None if path in self._fragments else self._below.blob_id(path)

    def subtree_id(self, folder: str) -> str | None:
        """The object name of the folder below."""
        return self._below.subtree_id(folder)

    def blobs(self, folder: str, suffixes: tuple[str, ...]) -> Sequence[tuple[str, str]]:
        """The blobs below."""
        return self._below.blobs(folder, suffixes)

    def read_blobs(self, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The contents of blobs below."""
        return self._below.read_blobs(oids)

    def differing(self, tree: str, suffixes: tuple[str, ...]) -> Mapping[str, tuple[str | None, str | None]] | None:
        """What differs below."""
        return self._below.differing(tree, suffixes)

    def mentioning(self, words: frozenset[str], folders: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """The files below that hold the words."""
        return self._below.mentioning(words, folders)


def fragments_of(diff: bytes) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The pre-image and the post-image of every C file of ``diff``, as far as its hunks show them."""
    before: dict[str, bytes] = {}
    after: dict[str, bytes] = {}
    for file in changed_files(diff):
        if file.name.endswith((".c", ".h")) and is_text(file.name):
            hunks = list(hunks_of(diff, file))
            before[file.name] = _lay(hunks, new=False)
            after[file.name] = _lay(hunks, new=True)
    return before, after


def _lay(hunks: Sequence[Hunk], *, new: bool) -> bytes:
    out: list[bytes] = []
    for hunk in hunks:
        lines = [line for line in hunk.lines if line.kind != ("-" if new else "+")]
        if not lines:
            continue
        first = lines[0].new if new else lines[0].old
        body = [line.text for line in lines]
        head = _opening(hunk.section, body)
        out += [b""] * (first - 1 - len(out) - (1 if head else 0))
        if head and len(out) >= first - 1:
            continue  # no room before it: the hunks touch, the function goes on
        out += [head] * bool(head)
        out += body
        if (missing := _unclosed([head, *body])) > 0:
            out[-1] += b"}" * missing
    return b"\n".join(out) + b"\n"


def _opening(section: bytes, body: Sequence[bytes]) -> bytes:
    """The function header to put before a hunk that begins inside the function."""
    text = section.strip()
    begins_inside = body[0][:1] in (b"\t", b" ", b"}") and not any(line[:1] == b"{" for line in body[:3])
    if not begins_inside or not _HEADER.match(text):
        return b""
    closed = text if text.count(b"(") == text.count(b")") else text.rsplit(b",", 1)[0].split(b"(")[0] + b"(void)"
    return closed + b" {"


def _unclosed(lines: Sequence[bytes]) -> int:
    text = b"\n".join(lines)
    return text.count(b"{") - text.count(b"}")
