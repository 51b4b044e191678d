# SPDX-License-Identifier: GPL-2.0-or-later
"""Sets of the files of a tree: small, and quickly joined."""

from __future__ import annotations

import zlib
from collections.abc import Iterable


class Numbers:
    """Numbers for paths, so that a set of files is one integer: bit ``n`` stands for file ``n``.

    A path is known by its mark, a checksum: that two paths share one only makes a set look larger than it is.
    """

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._marks: list[int] = []

    def bit(self, path: str) -> int:
        """The set that holds only ``path``."""
        return 1 << self._number(mark(path))

    def _number(self, of: int) -> int:
        number = self._numbers.setdefault(of, len(self._marks))
        if number == len(self._marks):
            self._marks.append(of)
        return number

    def set_of(self, paths: Iterable[str]) -> int:
        """The set of ``paths``."""
        return self.of_marks(mark(path) for path in paths)

    def of_marks(self, marks: Iterable[int]) -> int:
        """The set of the files with these marks."""
        numbers = [self._number(one) for one in marks]
        bits = bytearray(max(numbers, default=0) // 8 + 1)
        for number in numbers:
            bits[number >> 3] |= 1 << (number & 7)
        return int.from_bytes(bits, "little")

    def marks_of(self, files: int) -> list[int]:
        """The marks of the files of a set."""
        return [one for number, one in enumerate(self._marks) if files >> number & 1]


def mark(path: str) -> int:
    """The checksum by which a path is known, 32 bits."""
    return zlib.crc32(path.encode())
