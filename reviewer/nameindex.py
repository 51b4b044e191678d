# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files of a tree may define a function, for any name: found in one pass over the tree, and kept by content.

The index of ``reviewer.source`` says more of a file, and takes ten times as long for a whole tree.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

import msgspec

from reviewer.source.files import Files
from reviewer.source.store import Store, decoded, encoded

# The beginning of a function at column 0, up to its body; no declaration that ends on its line.
_HEADER: Final = re.compile(rb"\n(?=[A-Za-z_])([^\n;={}(]*\((?![^\n{]*;[ \t]*\n)[^\n{]*)")
_NAME: Final = re.compile(rb"(\w+)[ \t]*\((?:[ \t]*(\w+)[ \t]*[,)])?")  # or the first thing that a macro is given
_DECODER: Final = msgspec.msgpack.Decoder(tuple[bytes, bytes])
_FORM: Final = f"{_HEADER.pattern!r} {_NAME.pattern!r}"
_DEPTH: Final = 2  # folders below the top by which the files are parted: what changes is read again with its part

_Listed = tuple[str, str]  # path, object name
Watch = Callable[[int, int], None]
"""Is told how many files were read, and how many are to be."""


class NameIndex:
    """The names in ``folders`` of one tree; ``day`` is the day on which new parts are kept."""

    def __init__(self, files: Files, store: Store, day: int) -> None:
        self._files = files
        self._store = store
        self._day = day

    def files_naming(self, name: str, folders: Iterable[str], suffixes: tuple[str, ...], watch: Watch) -> list[str]:
        """The files below ``folders`` in which ``name`` stands as where a function begins, sorted."""
        parts = _parts(one for folder in folders for one in self._files.blobs(folder, suffixes))
        wanted = zlib.crc32(name.encode())
        found: list[str] = []
        unknown: dict[str, list[_Listed]] = {}
        for part in parts:
            key = _key(part)
            known = decoded(_DECODER, self._store.finished(key))
            if known is None:
                unknown[key] = part
            else:
                found += _looked_up(wanted, part, *known)
        total = sum(map(len, unknown.values()))
        texts = self._files.read_blobs([oid for part in unknown.values() for _, oid in part])
        done = 0
        for key, part in unknown.items():
            entry = _index(text for _, text in islice(texts, len(part)))
            self._store.add_finished(key, self._day, encoded(entry))
            found += _looked_up(wanted, part, *entry)
            done += len(part)
            watch(done, total)
        return sorted(found)


def _parts(listed: Iterable[_Listed]) -> Sequence[list[_Listed]]:
    parts: dict[tuple[str, ...], list[_Listed]] = {}
    for path, oid in listed:
        parts.setdefault(tuple(path.split("/")[:-1][:_DEPTH]), []).append((path, oid))
    return tuple(parts.values())


def _key(part: Sequence[_Listed]) -> str:
    listing = "\0".join(f"{path}\0{oid}" for path, oid in part)
    return hashlib.sha256(f"names {_FORM} {listing}".encode("utf-8", "surrogateescape")).hexdigest()


def _index(texts: Iterable[bytes]) -> tuple[bytes, bytes]:
    """The checksums of the names in ``texts``, sorted, and the number of the text of each."""
    pairs = sorted((zlib.crc32(name), number) for number, text in enumerate(texts) for name in _names(text))
    return array("I", [one for one, _ in pairs]).tobytes(), array("I", [number for _, number in pairs]).tobytes()


def _names(text: bytes) -> set[bytes]:
    headers = b"\n".join(_HEADER.findall(b"\n" + text))
    return {name for pair in _NAME.findall(headers) for name in pair if name}


def _looked_up(wanted: int, part: Sequence[_Listed], names: bytes, numbers: bytes) -> Iterator[str]:
    sums, files = array("I"), array("I")
    sums.frombytes(names)
    files.frombytes(numbers)
    at = bisect_left(sums, wanted)
    while at < len(sums) and sums[at] == wanted:
        yield part[files[at]][0]
        at += 1
