# SPDX-License-Identifier: GPL-2.0-or-later
"""Variables of one file that are what they are from the boot on: a pointer that was set to one stays equal to it."""

from __future__ import annotations

import re
from typing import Final

from reviewer.source.preprocess import blank_comments_and_strings
from reviewer.source.program import Program

_INIT: Final = re.compile(rb"\b__init\b")


class Lasting:
    """Answers for one program, each worked out once."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._known: dict[tuple[str, str], bool] = {}

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
        word = rb"(?<![\w.>])" + re.escape(name) + rb"\b"
        if re.search(rb"^static\b[^;(){}=]*" + word + rb"\s*[=;]", text, re.MULTILINE) is None:
            return False
        text = blank_comments_and_strings(text)
        written = re.compile(rb"(?:&|\+\+|--)\s*" + word + rb"|" + word + rb"\s*(?:[-+*/%&|^]?=(?!=)|<<=|>>=|\+\+|--)")
        for match in written.finditer(text):
            line = text.count(b"\n", 0, match.start()) + 1
            extent = next((one for one in self._program.extents(path) if one.line <= line <= one.end), None)
            if extent is not None and self._is_parameter(path, extent.name, name):
                continue
            if extent is not None and not self._runs_at_boot(text, extent.line):
                return False
            if extent is None and not _declares(text, match.start()):
                return False
        return True

    def _is_parameter(self, path: str, function: str, name: bytes) -> bool:
        """Whether ``name`` means a parameter wherever a function of that name stands in the file."""
        found = self._program.own_functions(path, function)
        return bool(found) and all(name.decode("latin-1") in one.params for one in found)

    @staticmethod
    def _runs_at_boot(text: bytes, line: int) -> bool:
        start = 0
        for _ in range(line - 1):
            start = text.find(b"\n", start) + 1
        return _INIT.search(text, start, text.find(b"{", start)) is not None


def _declares(text: bytes, at: int) -> bool:
    return text.startswith(b"static", text.rfind(b"\n", 0, at) + 1)
