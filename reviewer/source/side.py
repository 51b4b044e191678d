# SPDX-License-Identifier: GPL-2.0-or-later
"""The side table of the rewrite: what the grammar of plain C cannot say."""

from __future__ import annotations

from dataclasses import dataclass, field

from reviewer.source.preprocess import Arms


@dataclass(slots=True)
class Side:
    """What the rewrite took out, by byte offset of the place.

    ``jumps`` are jumps among the arguments of a macro, ``return `` and ``goto `` with a blank where more follows them.
    """

    loops: dict[int, str] = field(default_factory=dict)
    conditionals: dict[int, str] = field(default_factory=dict)
    jumps: dict[int, str] = field(default_factory=dict)
    annotations: list[tuple[int, str, str]] = field(default_factory=list)
    words: list[tuple[int, str]] = field(default_factory=list)
    definers: dict[int, str] = field(default_factory=dict)
    arms: Arms = field(default_factory=Arms)
