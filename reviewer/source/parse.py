# SPDX-License-Identifier: GPL-2.0-or-later
"""C text to functions, one at a time: the text is parsed once, a function is lowered when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator

import tree_sitter_c
from tree_sitter import Language, Node, Parser, Query, QueryCursor

from reviewer.source.cfg import Extent, Function
from reviewer.source.graph import declared_name
from reviewer.source.lower import lower
from reviewer.source.normalise import Side, normalise

_LANGUAGE = Language(tree_sitter_c.language())
_FUNCTIONS = Query(_LANGUAGE, "(function_definition) @function")


class ParsedFile:
    """The functions of one file. ``wanted`` lines are read whatever preprocessor arm they lie in."""

    def __init__(self, path: str, text: bytes, wanted: frozenset[int] = frozenset()) -> None:
        self.path = path
        normalised, self.side = normalise(text, wanted)
        self._tree = Parser(_LANGUAGE).parse(normalised)
        self._nodes: list[tuple[Extent, Node]] = []
        for node in sorted(
            QueryCursor(_FUNCTIONS).captures(self._tree.root_node).get("function", []), key=lambda n: n.start_byte
        ):
            name = declared_name(node.child_by_field_name("declarator"))
            if name:
                self._nodes.append(
                    (Extent(name, node.start_point[0] + 1, node.end_point[0] + 1, not node.has_error), node)
                )
        self._lowered: dict[int, Function] = {}

    @property
    def extents(self) -> tuple[Extent, ...]:
        """Every function of the file, in the order of the text."""
        return tuple(extent for extent, _ in self._nodes)

    def functions(self, name: str | None = None) -> Iterator[Function]:
        """The functions called ``name``, or all of them."""
        for extent, node in self._nodes:
            if name is None or extent.name == name:
                if node.start_byte not in self._lowered:
                    self._lowered[node.start_byte] = lower(node, self.path, self.side)
                yield self._lowered[node.start_byte]

    def is_dead(self, line: int, text: bytes) -> bool:
        """Whether the 1-based ``line`` lies in a preprocessor arm that was not read."""
        offset = 0
        for _ in range(line - 1):
            offset = text.find(b"\n", offset) + 1
        return any(start <= offset < end for start, end in self.side.arms.dead)


def parse(path: str, text: bytes, wanted: frozenset[int] = frozenset()) -> ParsedFile:
    """Read ``text`` as the C file ``path``. Never fails: what cannot be read is marked in its ``Extent``."""
    return ParsedFile(path, text, wanted)


__all__ = ["Extent", "ParsedFile", "Side", "parse"]
