# SPDX-License-Identifier: GPL-2.0-or-later
"""Objects that nobody has declared to be of the kind for which some calls sleep, as mappings with large folios."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from reviewer.context.effects import SLEEPING
from reviewer.context.tables import Api
from reviewer.source.preprocess import blank_comments_and_strings
from reviewer.source.program import Program

if TYPE_CHECKING:
    from reviewer.context.effects import Effect


class Undeclared:
    """Answers for the files of ``program``."""

    def __init__(self, program: Program, api: Api) -> None:
        self._program = program
        self._calls = api.sleeps_declared
        self._table = re.compile(rb"\bstruct\s+%b\s+\w+\s*=\s*\{" % api.sleeps_declared.structure.encode())
        self._without: dict[str, bool] = {}

    def rule_out(self, path: str, name: str, effect: Effect) -> bool:
        """Whether ``effect`` of calling ``name`` in the file ``path`` is none for the objects of that file."""
        return effect.kind in SLEEPING and name in self._calls.calls and self._is_without(path)

    def _is_without(self, path: str) -> bool:
        """Whether the file has operations for objects of its own, which neither it nor a file beside it declares."""
        if path not in self._without:
            text = blank_comments_and_strings(self._program.text(path) or b"")
            folder = posixpath.dirname(path)
            self._without[path] = self._table.search(text) is not None and not any(
                word.encode() in text
                or any(posixpath.dirname(other) == folder for other in self._program.mentions_below(folder, word))
                for word in self._calls.words
            )
        return self._without[path]
