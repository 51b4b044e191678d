# SPDX-License-Identifier: GPL-2.0-or-later
"""A text in which stretches are replaced by others of the same length, so that offsets stay what they are."""

from __future__ import annotations


class Splice:
    """Takes the stretches in their order in ``text``; ``last`` is where the one that was replaced last ends."""

    __slots__ = ("_pieces", "last", "text")

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.last = 0
        self._pieces: list[bytes] = []

    def replace(self, start: int, by: bytes) -> None:
        """Put ``by`` where at ``start``, an offset, so many bytes stood."""
        self._pieces += (self.text[self.last : start], by)
        self.last = start + len(by)

    def result(self) -> bytes:
        """The text with all that was replaced."""
        return b"".join((*self._pieces, self.text[self.last :]))
