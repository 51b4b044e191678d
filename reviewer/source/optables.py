# SPDX-License-Identifier: GPL-2.0-or-later
"""Constant tables of operations of one file, each with all that it holds."""

from __future__ import annotations

import re
from typing import NamedTuple

from reviewer.source.macros import expansions
from reviewer.source.preprocess import blank_comments_and_strings

_TABLE = re.compile(rb"^(?:(?:static|const|__\w+) )*struct (\w+) (?:__\w+ )*(\w+)\s*(?:__\w+\s*)*=\s*\{", re.MULTILINE)
_CONSTANT = re.compile(rb"\bconst\b")
_ENTRY = re.compile(rb"\s*\.(\w+)\s*=\s*([^={}#;.]+?)\s*")
_MACRO = re.compile(rb"\s*([A-Z]\w*)(?:\((\w*)\))?\s*")


class OperationTable(NamedTuple):
    """A table called ``name`` that fills these members, and leaves the others NULL.

    One that is not ``clear`` is not constant, or no plain list of members: it may hold more than these. One that is
    ``listed`` is such a list, but may not be constant: it holds more where somebody assigns to its members.
    """

    name: str
    filled: dict[str, str]
    clear: bool
    listed: bool

    def may_hold(self, member: str, function: str | None = None) -> bool:
        """Whether the member may be the function, or anything but NULL where none is named."""
        return not self.clear or self._holds(member, function)

    def holds(self, member: str, function: str) -> bool:
        """Whether the member, to which nobody assigns, may be the function."""
        return not self.listed or self._holds(member, function)

    def _holds(self, member: str, function: str | None) -> bool:
        value = self.filled.get(member, "NULL").removeprefix("&")
        return value != "NULL" if function is None else value == function


class OperationTables:
    """The tables of ``text``, the content of a file."""

    def __init__(self, text: bytes) -> None:
        self._raw = text
        self._text = blank_comments_and_strings(text)
        self._of: dict[str, list[OperationTable]] = {}
        for head in _TABLE.finditer(self._text):
            end = self._text.find(b"\n}", head.end())
            parts = self._text[head.end() : max(end, head.end())].split(b",")
            if not parts[-1].strip():
                parts.pop()
            parts = [entry for part in parts for entry in self._expanded(part)]
            entries = [_ENTRY.fullmatch(part) for part in parts]
            filled = {m.group(1).decode("latin-1"): m.group(2).decode("latin-1") for m in entries if m is not None}
            listed = end >= 0 and len(filled) == len(parts)
            clear = listed and _CONSTANT.search(head.group()) is not None
            table = OperationTable(head.group(2).decode("latin-1"), filled, clear, listed)
            self._of.setdefault(head.group(1).decode("latin-1"), []).append(table)

    def _expanded(self, part: bytes) -> list[bytes]:
        """The entries that ``part`` stands for, where it is a macro of the file that has one form."""
        macro = _MACRO.fullmatch(part)
        if macro is None:
            return [part]
        argument = (macro.group(2) or b"").decode("latin-1")
        forms = expansions(self._raw, macro.group(1).decode("latin-1"), (argument,))
        return forms[0].encode("latin-1").split(b",") if len(forms) == 1 else [part]

    def of(self, structure: str) -> tuple[OperationTable, ...]:
        """The tables of the structure."""
        return tuple(self._of.get(structure, ()))

    def holding(self, structure: str, function: str) -> frozenset[str]:
        """The tables of the structure with the function, where nothing else in the file uses it; otherwise none."""
        found: set[str] = set()
        held = 0
        for table in self.of(structure):
            uses = sum(table.clear and value.removeprefix("&") == function for value in table.filled.values())
            held += uses
            found |= {table.name} if uses else set()
        used = len(self.lines_with(function))
        return frozenset(found) if used == held + 1 else frozenset()  # and once where it is defined

    def lines_with(self, word: str) -> tuple[int, ...]:
        """The line of each place of the file where ``word`` stands, comments and strings apart."""
        found = re.finditer(rb"\b%b\b" % re.escape(word.encode("latin-1")), self._text)
        return tuple(self._text.count(b"\n", 0, match.start()) + 1 for match in found)
