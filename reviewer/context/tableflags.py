# SPDX-License-Identifier: GPL-2.0-or-later
"""Flags that objects get from the tables of some drivers only: those of other drivers never have them."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from reviewer.source.preprocess import blank_comments_and_strings
from reviewer.source.program import Program

if TYPE_CHECKING:
    from reviewer.context.effects import Effect

_FLAG = re.compile(r".*(?:->|\.)(\w+)&([A-Z]\w*)")
_TESTED = re.compile(rb"(?<!&)&\s*\Z")
_NEAR = 40  # bytes before the name in which the operator stands


class TableFlags:
    """Answers for the files of ``program``."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._from: dict[tuple[str, str, str], frozenset[str]] = {}

    def mean_another(self, effect: Effect) -> bool:
        """Whether ``effect`` takes a flag for granted that only objects have whose operations are other ones.

        These are in the files that do not run together with what it goes through.
        """
        if not effect.apart:
            return False
        homes = {posixpath.dirname(path) for path in effect.apart if path.endswith(".c")}
        if len(homes) != 1:
            return False
        home = homes.pop()
        flags = (_FLAG.fullmatch(text) for text, truth in effect.assumed if truth)
        given = [self._tables_with(home, flag[1], flag[2]) for flag in flags if flag is not None]
        return any(files and files <= effect.apart for files in given)

    def _tables_with(self, folder: str, member: str, flag: str) -> frozenset[str]:
        """The files of ``folder`` in whose tables ``member`` has ``flag``.

        Nothing where the flag is not the folder's own, or where anything else may set it.
        """
        key = (folder, member, flag)
        if key not in self._from:
            self._from[key] = frozenset()
            found, defined = set[str](), False
            name = flag.encode()
            put = re.compile(rb"\.%b\s*=[^,;{}=]*\b%b\b[^,;{}=]*(?=[,}])" % (member.encode(), name))
            definition = re.compile(rb"^[ \t]*(?:#[ \t]*define[ \t]+%b\b|%b\s*=(?!=))" % (name, name), re.MULTILINE)
            for path in self._program.mentions_below(folder, flag):
                text = blank_comments_and_strings(self._program.text(path) or b"")
                rest = put.sub(b"", text)
                if rest != text:
                    found.add(path)
                text = definition.sub(b"", rest)
                defined |= rest != text
                if any(
                    not _TESTED.search(text, max(0, place.start() - _NEAR), place.start())
                    for place in re.finditer(rb"\b%b\b" % name, text)
                ):
                    return frozenset()
            if defined:
                self._from[key] = frozenset(found)
        return self._from[key]
