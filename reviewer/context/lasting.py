# SPDX-License-Identifier: GPL-2.0-or-later
"""Variables of one file that are what they are from the boot on: a pointer that was set to one stays equal to it."""

from __future__ import annotations

import re

from reviewer.source.preprocess import blank_comments_and_strings
from reviewer.source.program import Program

_STATIC_VARIABLE = re.compile(rb"^static\b[^;(){}=]*?(?<![\w.>])(\w+)\s*+[=;]", re.MULTILINE)


class Lasting:
    """Answers for one program, each worked out once."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._known: dict[tuple[str, str], bool] = {}
        self._static: dict[str, frozenset[bytes]] = {}

    def is_set_at_boot(self, path: str, name: str) -> bool:
        """Whether ``name`` is a static variable of the file that only ``__init`` functions write.

        Those run once (include/linux/init.h). One whose address is taken may be written by anybody.
        """
        key = (path, name)
        if key not in self._known:
            self._known[key] = self._found(path, name.encode("latin-1"))
        return self._known[key]

    def _found(self, path: str, name: bytes) -> bool:
        text = self._program.text(path) or b""
        if path not in self._static:
            self._static[path] = frozenset(_STATIC_VARIABLE.findall(text))
        if name not in self._static[path]:
            return False
        word = rb"(?<![\w.>])" + re.escape(name) + rb"\b"
        text = blank_comments_and_strings(text)
        written = re.compile(rb"(?:&|\+\+|--)\s*" + word + rb"|" + word + rb"\s*(?:[-+*/%&|^]?=(?!=)|<<=|>>=|\+\+|--)")
        for match in written.finditer(text):
            extent = self._program.extent_at(path, text.count(b"\n", 0, match.start()) + 1)
            allowed = _declares(text, match.start()) if extent is None else self._leaves(path, extent.name, name)
            if not allowed:
                return False
        return True

    def _leaves(self, path: str, function: str, name: bytes) -> bool:
        """Whether all functions of that name in the file run once only, or mean a parameter by ``name``."""
        found = self._program.own_functions(path, function)
        return bool(found) and (
            all("__init" in one.words for one in found) or all(name.decode("latin-1") in one.params for one in found)
        )


def _declares(text: bytes, at: int) -> bool:
    return text.startswith(b"static", text.rfind(b"\n", 0, at) + 1)
