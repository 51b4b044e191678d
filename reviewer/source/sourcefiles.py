# SPDX-License-Identifier: GPL-2.0-or-later
"""The files of one tree as they are read: their texts, their functions, and where these stand."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Self

import msgspec

from reviewer.source.cfg import Extent, Function, Layout
from reviewer.source.files import Files
from reviewer.source.parse import ParsedFile, parse
from reviewer.source.store import Store

_TEXTS_KEPT = 256
_PARSED_KEPT = 8_000_000  # bytes of text; its syntax trees need about fifteen times as much
_FUNCTIONS_KEPT = 15_000


class SourceFiles:
    """The files of one tree. ``changed`` are paths that differ from ``base``, whose parsed files are shared.

    ``wanted`` gives by path 1-based lines that are read even where they lie in an unusual preprocessor arm.
    """

    def __init__(
        self,
        files: Files,
        store: Store,
        *,
        base: Self | None = None,
        changed: Iterable[str] = (),
        wanted: dict[str, frozenset[int]] | None = None,
    ) -> None:
        self.files = files
        self.store = store
        self._base = base
        self._changed = frozenset(changed)
        self._wanted = dict(wanted or {})
        self._texts: OrderedDict[str, bytes | None] = OrderedDict()
        self._parsed: OrderedDict[str, ParsedFile | None] = OrderedDict()
        self._parsed_size = 0
        self._functions: dict[tuple[str, str], tuple[Function, ...]] = {}
        self._begin()

    def _begin(self) -> None:
        """Set up what a class that builds on this one keeps; called once, at the end of the constructor."""

    @property
    def base(self) -> Self | None:
        """What this was made from."""
        return self._base

    @property
    def changed(self) -> frozenset[str]:
        """The files that differ from the base."""
        return self._changed

    @property
    def touched(self) -> frozenset[str]:
        """The files that differ from the base, or are read otherwise."""
        return self._changed.union(self._wanted)

    def want(self, lines: dict[str, frozenset[int]]) -> None:
        """Read again, for these lines, the files in which one of them lies in an arm that was not read."""
        for path, wanted in lines.items():
            if any(map(self._layout(path).is_dead, wanted)):
                self._wanted[path] = wanted
                usual = self._parsed.pop(path, None)
                self._parsed_size -= usual.size if usual is not None else 0

    def _of_base(self, path: str) -> Self | None:
        """The base, where it reads ``path`` as this does."""
        return None if path in self._changed or path in self._wanted else self._base

    def text(self, path: str) -> bytes | None:
        """The text of ``path``; the last ones stay at hand."""
        if self._base is not None and path not in self._changed:
            return self._base.text(path)
        if path not in self._texts:
            self._texts[path] = self.files.read(path)
            if len(self._texts) > _TEXTS_KEPT:
                self._texts.popitem(last=False)
        self._texts.move_to_end(path)
        return self._texts[path]

    def parsed(self, path: str) -> ParsedFile | None:
        """The file ``path``, read once; None where the tree has no such file."""
        if (base := self._of_base(path)) is not None:
            return base.parsed(path)
        if path not in self._parsed:
            text = self.files.read(path)
            parsed = None if text is None else parse(path, text, self._wanted.get(path, frozenset()))
            self._parsed[path] = parsed
            self._parsed_size += parsed.size if parsed is not None else 0
            while self._parsed_size > _PARSED_KEPT and len(self._parsed) > 1:
                _, oldest = self._parsed.popitem(last=False)
                self._parsed_size -= oldest.size if oldest is not None else 0
        self._parsed.move_to_end(path)
        return self._parsed[path]

    def functions(self, path: str, name: str | None = None) -> tuple[Function, ...]:
        """The functions of ``path``, or those called ``name``."""
        if (base := self._of_base(path)) is not None:
            return base.functions(path, name)
        if name is None or path in self._wanted:
            parsed = self.parsed(path)
            return tuple(parsed.functions(name)) if parsed is not None else ()
        key = (path, name)
        found = self._functions.get(key)
        if found is None:
            if len(self._functions) > _FUNCTIONS_KEPT:
                self._let_go()
            found = self._functions[key] = self._stored(path, name)
        return found

    def _stored(self, path: str, name: str) -> tuple[Function, ...]:
        oid = self.files.blob_id(path)
        found = self.store.functions(oid, name) if oid is not None else None
        if found is None:
            parsed = self.parsed(path)
            found = tuple(parsed.functions(name)) if parsed is not None else ()
            if oid is not None:
                self.store.add_functions(oid, name, found)
        # One blob can stand under several paths.
        return tuple(f if f.path == path else msgspec.structs.replace(f, path=path) for f in found)

    def _let_go(self) -> None:
        """Let go of functions, which have become many. They are read again when they are asked for."""
        self._functions.clear()

    def extents(self, path: str) -> tuple[Extent, ...]:
        """Where the functions of ``path`` stand."""
        return self._layout(path).extents

    def extent_at(self, path: str, line: int) -> Extent | None:
        """The function of ``path`` in which the 1-based ``line`` lies, if any; less is read than for all of them."""
        if (base := self._of_base(path)) is not None:
            return base.extent_at(path, line)
        known = self._stored_layout(path)[1] or self.parsed(path)
        return known.extent_at(line) if known is not None else None

    def usual_extents(self, path: str) -> tuple[Extent, ...] | None:
        """The functions of the usual arms; None where a wanted line made more functions seen."""
        if (base := self._of_base(path)) is not None:
            return base.usual_extents(path)
        parsed = self.parsed(path) if path in self._wanted else None
        if parsed is None:
            return self.extents(path)
        return None if parsed.hidden else parsed.usual

    def hidden(self, path: str) -> frozenset[str]:
        """The functions that are seen only because of a wanted line."""
        if (base := self._of_base(path)) is not None:
            return base.hidden(path)
        parsed = self.parsed(path) if path in self._wanted else None
        return parsed.hidden if parsed is not None else frozenset()

    def _stored_layout(self, path: str) -> tuple[str | None, Layout | None]:
        """Under which blob the layout of ``path`` is stored, if under any, and the layout if it is there."""
        oid = None if path in self._wanted else self.files.blob_id(path)
        return oid, self.store.layout(oid) if oid is not None else None

    def _layout(self, path: str) -> Layout:
        if (base := self._of_base(path)) is not None:
            return base._layout(path)
        oid, known = self._stored_layout(path)
        if known is None:
            parsed = self.parsed(path)
            known = parsed.layout if parsed is not None else Layout()
            if oid is not None:
                self.store.add_layout(oid, known)
        return known
