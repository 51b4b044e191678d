# SPDX-License-Identifier: GPL-2.0-or-later
"""C text to functions, one at a time: a piece of the text is parsed, and a function lowered, when it is asked for."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate, pairwise

import tree_sitter_c
from tree_sitter import Language, Node, Parser, Point, Query, QueryCursor, Range

from reviewer.source.cfg import Extent, Function, Layout, extent_at
from reviewer.source.graph import declared_name
from reviewer.source.lower import lower
from reviewer.source.normalise import bare, rewrite
from reviewer.source.preprocess import Arms
from reviewer.source.side import Side

_LANGUAGE = Language(tree_sitter_c.language())
_FUNCTIONS = Query(_LANGUAGE, "(function_definition) @function")
_HEADERS = Query(_LANGUAGE, '(ERROR (function_declarator) @header . "{")')
_LAST = Point(0xFFFFFFFF, 0xFFFFFFFF)

_MOST_READINGS = 8
# Where a definition of the kernel ends: a brace at the begin of its line.
_END = re.compile(rb"^\}.*$", re.MULTILINE)
_BODY = b"\n{"
_BODY_NEXT = re.compile(rb"\s*+\{")
_BRACKETS = (b"{}", b"()", b"[]")
# Names of functions that a macro puts together, of which the last word is in the text.
_MADE_NAME = re.compile(r"sys_\w+|_*[A-Z]\w*")


class _Piece:
    """A piece of a file, from line ``row`` (0-based) on, that holds whole definitions; it is read when asked for."""

    def __init__(self, text: bytes, row: int, arms: Arms) -> None:
        self._text = text
        self.row = row
        self._arms = arms
        body = text.find(_BODY)
        self.size = len(text)
        self._head = body if body >= 0 and text.find(_BODY, body + 1) < 0 else len(text)

    def may_define(self, name: bytes) -> bool:
        """Whether ``name`` stands outside the body of a single function."""
        return self._text.find(name, 0, self._head) >= 0

    @cached_property
    def read(self) -> tuple[list[tuple[Extent, Node | None]], Side]:
        """The functions in the order of the text, without a node where only the header was read; what was taken out."""
        text, side = rewrite(self._text, self._arms)
        row = self.row
        root = _part(text, row, 0, len(text))
        if _is_misplaced(root, row, text, len(text)):
            text, side = rewrite(b"\n" * row + self._text, self._arms)
            row = 0
            root = _part(text, row, 0, len(text))
        functions: list[tuple[Extent, Node | None]] = [
            (Extent(name, node.start_point[0] + 1, node.end_point[0] + 1, not node.has_error), node)
            for node in _definitions(text, row, root)
            if (name := declared_name(node.child_by_field_name("declarator")))
        ]
        if not functions and root.has_error:
            functions += ((extent, None) for extent in _headers(text, row, root))
        return functions, side


def _pieces(text: bytes, arms: Arms) -> list[_Piece]:
    """The pieces of ``text``: each ends with a definition, outside of all brackets."""
    found: list[_Piece] = []
    start = last = row = 0
    open_ = [0] * len(_BRACKETS)
    for match in _END.finditer(text):
        end = match.end() + 1
        if _BODY_NEXT.match(text, end):
            continue  # of a type in the header of the function whose body follows
        for at, (opening, closing) in enumerate(_BRACKETS):
            open_[at] += text.count(opening, last, end) - text.count(closing, last, end)
        last = end
        if not any(open_):
            found.append(_Piece(text[start:end], row, arms))
            row += text.count(b"\n", start, end)
            start = end
    if start < len(text):
        found.append(_Piece(text[start:], row, arms))
    return found


def _definitions(text: bytes, row: int, root: Node) -> list[Node]:
    """The function definitions of a piece, which begins with the 0-based line ``row`` and is ``root``, in its order.

    An error can swallow what follows it. Where one spans several definitions, each is read by itself.
    """
    if not root.has_error:
        return _captured(root)
    ends = [match.end() for match in _END.finditer(text)]
    found: list[Node] = []
    for node in [root] if root.type == "ERROR" else root.children:
        own = _captured(node)
        inside = ends[bisect_right(ends, node.start_byte) : bisect_left(ends, node.end_byte)] if node.has_error else []
        if inside:
            spans = pairwise([node.start_byte, *inside, node.end_byte])
            parts = [(_part(text, row, start, end), end) for start, end in spans]
            placed = (part for part, end in parts if not _is_misplaced(part, row, text, end))
            again = [definition for part in placed for definition in _captured(part)]
            if _readable(again) > _readable(own):
                own = again
        found += own
    return found


def _headers(text: bytes, row: int, root: Node) -> Iterator[Extent]:
    """The functions of a piece of which no more than the header was read: an error begins in the body."""
    for declarator in QueryCursor(_HEADERS).captures(root).get("header", []):
        name = declared_name(declarator)
        if name:
            start = (declarator.prev_sibling or declarator).start_point[0]
            end = _END.search(text, declarator.end_byte)
            last = row + text.count(b"\n", 0, end.start() if end else len(text))
            yield Extent(name, start + 1, last + 1, False)


def _captured(node: Node) -> list[Node]:
    return sorted(QueryCursor(_FUNCTIONS).captures(node).get("function", []), key=lambda n: n.start_byte)


def _readable(nodes: list[Node]) -> int:
    return sum(not node.has_error for node in nodes)


def _part(text: bytes, row: int, start: int, end: int) -> Node:
    """What the bytes from ``start`` to ``end`` of a piece are, at their place in it."""
    column = start - text.rfind(b"\n", 0, start) - 1
    parser = Parser(_LANGUAGE)
    parser.included_ranges = [Range(Point(row + text.count(b"\n", 0, start), column), _LAST, start, end)]
    return parser.parse(text).root_node


def _is_misplaced(part: Node, row: int, text: bytes, end: int) -> bool:
    """Whether the parser has counted twice where a part begins, as it may when it recovers from an error there."""
    return part.end_point[0] > row + text.count(b"\n", 0, end)


class _Reading:
    """The functions of a text with one choice of preprocessor arms."""

    def __init__(self, text: bytes, wanted: frozenset[int]) -> None:
        chosen, self.arms = bare(text, wanted)
        self.pieces = _pieces(chosen, self.arms)
        self._text = chosen
        self._ends = [*accumulate(piece.size for piece in self.pieces)]

    def near(self, line: int) -> Sequence[_Piece]:
        """The pieces that the 1-based ``line`` is part of."""
        after = bisect_left(self.pieces, line, key=lambda piece: piece.row)
        before = bisect_left(self.pieces, line - 1, key=lambda piece: piece.row)
        return self.pieces[max(before - 1, 0) : after]

    def functions(self, name: str | None = None) -> Iterator[tuple[Extent, Node | None, Side]]:
        """The functions called ``name``, or all of them, with what was taken out of their piece."""
        word = name or ""
        if _MADE_NAME.fullmatch(word):
            word = word.rpartition("_")[2]
        sought = word.encode("latin-1", "replace")
        for piece in self._holding(sought):
            if piece.may_define(sought):
                functions, side = piece.read
                yield from ((extent, node, side) for extent, node in functions if name is None or extent.name == name)

    def _holding(self, word: bytes) -> Iterator[_Piece]:
        """The pieces in which ``word`` stands, as of few files nearly all do not."""
        at = self._text.find(word)
        while 0 <= at < len(self._text):
            piece = bisect_right(self._ends, at)
            yield self.pieces[piece]
            at = self._text.find(word, self._ends[piece])

    def extent_at(self, line: int) -> Extent | None:
        """The function in which the 1-based ``line`` lies."""
        return extent_at((extent for piece in self.near(line) for extent, _ in piece.read[0]), line)

    def is_dead(self, line: int) -> bool:
        """Whether the 1-based ``line`` lies in an arm that was not read."""
        dead = self.arms.dead
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
        self._seen: list[list[int]] = []  # the wanted lines for which each of the other readings is there
        missing = frozenset(filter(first.is_dead, wanted))
        while missing and len(self._readings) < _MOST_READINGS:
            reading = _Reading(text, missing)
            still = frozenset(filter(reading.is_dead, missing))
            self._seen.append(sorted(missing - still))
            self._readings.append(reading)
            missing = still
        self._lowered: dict[tuple[int, int, int], Function] = {}

    def _found(self, name: str | None = None) -> Iterator[tuple[int, Extent, Node | None, Side]]:
        """Number of the reading, place, syntax and side table of the functions; those of the usual arms come first."""
        for number, reading in enumerate(self._readings):
            for extent, node, side in reading.functions(name):
                if self._is_seen(number, extent):
                    yield number, extent, node, side

    def _is_seen(self, reading: int, extent: Extent) -> bool:
        """Whether a function is there as this reading has it: of all but the first, wanted lines lie in it."""
        wanted = self._seen[reading - 1] if reading else []
        return not reading or bisect_left(wanted, extent.line) < bisect_right(wanted, extent.end)

    @property
    def extents(self) -> tuple[Extent, ...]:
        """Every function of the file in the order of the text, then those of other arms."""
        return tuple(extent for _, extent, _, _ in self._found())

    def extent_at(self, line: int) -> Extent | None:
        """The function of ``extents`` in which the 1-based ``line`` lies, if any; only what is near to it is read."""
        found = (reading.extent_at(line) for reading in self._readings)
        return next((extent for at, extent in enumerate(found) if extent and self._is_seen(at, extent)), None)

    @property
    def layout(self) -> Layout:
        """The extents, and the arms that the first reading leaves out."""
        return Layout(self.extents, tuple(self._readings[0].arms.dead))

    @property
    def usual(self) -> tuple[Extent, ...]:
        """The functions of the usual arms."""
        return tuple(extent for reading, extent, _, _ in self._found() if not reading)

    @property
    def hidden(self) -> frozenset[str]:
        """The names of functions that only other arms define."""
        return frozenset(extent.name for extent in self.extents) - {extent.name for extent in self.usual}

    def functions(self, name: str | None = None) -> Iterator[Function]:
        """The functions called ``name``, or all of them; those of the usual arms come first."""
        for number, _, node, side in self._found(name):
            if node is None:
                continue
            key = (number, node.start_point[0], node.start_point[1])
            if key not in self._lowered:
                self._lowered[key] = lower(node, self.path, side, number)
            yield self._lowered[key]

    def is_dead(self, line: int) -> bool:
        """Whether the 1-based ``line`` lies in a preprocessor arm that was not read."""
        return all(reading.is_dead(line) for reading in self._readings)


def parse(path: str, text: bytes, wanted: frozenset[int] = frozenset()) -> ParsedFile:
    """Read ``text`` as the C file ``path``; see ``ParsedFile``. Never fails: ``Extent`` marks what cannot be read."""
    return ParsedFile(path, text, wanted)
