# SPDX-License-Identifier: GPL-2.0-or-later
"""C text to functions, one at a time: the text is parsed once, a function is lowered when it is asked for."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import pairwise

import tree_sitter_c
from tree_sitter import Language, Node, Parser, Point, Query, QueryCursor, Range

from reviewer.source.cfg import Extent, Function, Layout
from reviewer.source.graph import declared_name
from reviewer.source.lower import lower
from reviewer.source.normalise import normalise
from reviewer.source.side import Side

_LANGUAGE = Language(tree_sitter_c.language())
_FUNCTIONS = Query(_LANGUAGE, "(function_definition) @function")
_LAST = Point(0xFFFFFFFF, 0xFFFFFFFF)


_MOST_READINGS = 8
# Where a definition of the kernel ends: a brace at the begin of its line.
_END = re.compile(rb"^\}.*$", re.MULTILINE)


def _definitions(text: bytes) -> list[Node]:
    """The function definitions of ``text``, in its order.

    An error can swallow what follows it. Where one spans several definitions, each is read by itself.
    """
    parser = Parser(_LANGUAGE)
    root = parser.parse(text).root_node
    if not root.has_error:
        return _captured(root)
    ends = [match.end() for match in _END.finditer(text)]
    found: list[Node] = []
    for node in [root] if root.type == "ERROR" else root.children:
        own = _captured(node)
        inside = ends[bisect_right(ends, node.start_byte) : bisect_left(ends, node.end_byte)] if node.has_error else []
        if inside:
            pieces = [_piece(parser, text, *span) for span in pairwise([node.start_byte, *inside, node.end_byte])]
            again = [definition for piece in pieces for definition in _captured(piece)]
            if _readable(again) > _readable(own):
                own = again
        found += own
    return found


def _captured(node: Node) -> list[Node]:
    return sorted(QueryCursor(_FUNCTIONS).captures(node).get("function", []), key=lambda n: n.start_byte)


def _readable(nodes: list[Node]) -> int:
    return sum(not node.has_error for node in nodes)


def _piece(parser: Parser, text: bytes, start: int, end: int) -> Node:
    """What the bytes from ``start`` to ``end`` are, at their place in ``text``."""
    row, column = text.count(b"\n", 0, start), start - text.rfind(b"\n", 0, start) - 1
    parser.included_ranges = [Range(Point(row, column), _LAST, start, end)]
    return parser.parse(text).root_node


class _Reading:
    """The functions of a text with one choice of preprocessor arms."""

    def __init__(self, text: bytes, wanted: frozenset[int]) -> None:
        normalised, self.side = normalise(text, wanted)
        self.functions = [
            (Extent(name, node.start_point[0] + 1, node.end_point[0] + 1, not node.has_error), node)
            for node in _definitions(normalised)
            if (name := declared_name(node.child_by_field_name("declarator")))
        ]

    def is_dead(self, line: int) -> bool:
        """Whether the 1-based ``line`` lies in an arm that was not read."""
        dead = self.side.arms.dead
        at = bisect_right(dead, line, key=lambda arm: arm[0]) - 1
        return at >= 0 and line <= dead[at][1]


class ParsedFile:
    """The functions of one file, in the arms that nearly every kernel has. ``size`` is that of its text in bytes.

    Functions in which ``wanted`` lines lie in another arm are there a second time, as that arm makes them; of arms that
    exclude each other each is read, up to ``_MOST_READINGS``.
    """

    def __init__(self, path: str, text: bytes, wanted: frozenset[int] = frozenset()) -> None:
        self.path = path
        self.size = len(text)
        first = _Reading(text, frozenset())
        self._readings = [first]
        self._functions = [(0, extent, node) for extent, node in first.functions]
        missing = frozenset(filter(first.is_dead, wanted))
        while missing and len(self._readings) < _MOST_READINGS:
            reading = _Reading(text, missing)
            still = frozenset(filter(reading.is_dead, missing))
            seen = sorted(missing - still)
            self._functions += [
                (len(self._readings), extent, node)
                for extent, node in reading.functions
                if bisect_left(seen, extent.line) < bisect_right(seen, extent.end)
            ]
            self._readings.append(reading)
            missing = still
        self._lowered: dict[int, Function] = {}

    @property
    def extents(self) -> tuple[Extent, ...]:
        """Every function of the file in the order of the text, then those of other arms."""
        return tuple(extent for _, extent, _ in self._functions)

    @property
    def layout(self) -> Layout:
        """The extents, and the arms that the first reading leaves out."""
        return Layout(self.extents, tuple(self._readings[0].side.arms.dead))

    @property
    def usual(self) -> tuple[Extent, ...]:
        """The functions of the usual arms."""
        return tuple(extent for reading, extent, _ in self._functions if not reading)

    @property
    def hidden(self) -> frozenset[str]:
        """The names of functions that only other arms define."""
        return frozenset(extent.name for extent in self.extents) - {extent.name for extent in self.usual}

    def functions(self, name: str | None = None) -> Iterator[Function]:
        """The functions called ``name``, or all of them; those of the usual arms come first."""
        for number, (reading, extent, node) in enumerate(self._functions):
            if name is None or extent.name == name:
                if number not in self._lowered:
                    self._lowered[number] = lower(node, self.path, self._readings[reading].side, reading)
                yield self._lowered[number]

    def is_dead(self, line: int) -> bool:
        """Whether the 1-based ``line`` lies in a preprocessor arm that was not read."""
        return all(reading.is_dead(line) for reading in self._readings)


def parse(path: str, text: bytes, wanted: frozenset[int] = frozenset()) -> ParsedFile:
    """Read ``text`` as the C file ``path``; see ``ParsedFile``. Never fails: ``Extent`` marks what cannot be read."""
    return ParsedFile(path, text, wanted)


__all__ = ["Extent", "ParsedFile", "Side", "parse"]
