# SPDX-License-Identifier: GPL-2.0-or-later
"""The two trees of a patch and what it changed in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reviewer.context.analysis import Analyser
from reviewer.source.cfg import Function
from reviewer.source.program import Program


@dataclass(frozen=True, slots=True)
class ChangedLines:
    """Lines that a patch adds to (post-image) and removes from (pre-image) one file.

    ``near`` are post-image lines next to which lines were removed, ``beside`` pre-image lines next to which some were
    added.
    """

    added: frozenset[int] = frozenset()
    removed: frozenset[int] = frozenset()
    near: frozenset[int] = frozenset()
    beside: frozenset[int] = frozenset()

    def came_from(self, line: int) -> int | None:
        """The line of the pre-image that a line of the post-image was; None for an added one."""
        if line in self.added:
            return None
        old = line - sum(added < line for added in self.added)
        for removed in sorted(self.removed):
            old += removed <= old
        return old


_NONE = ChangedLines()


@dataclass(frozen=True, slots=True)
class Sides:
    """The two programs that are compared, and what the patch changed, by path of the post-image where there is one.

    ``renamed`` maps old to new paths. ``analysis`` is that of ``before``, where there is one already.
    """

    before: Program
    after: Program
    changed: Mapping[str, ChangedLines]
    renamed: Mapping[str, str]
    analysis: Analyser | None = None

    def lines(self, path: str) -> ChangedLines:
        """The changed lines of ``path``."""
        return self.changed.get(path, _NONE)

    def new_path(self, path: str) -> str:
        """Where a file of the pre-image stands in the post-image."""
        return self.renamed.get(path, path)

    def old_path(self, path: str) -> str:
        """Where a file of the post-image stood in the pre-image."""
        return next((old for old, new in self.renamed.items() if new == path), path)

    def exists_after(self, path: str, function: str) -> bool:
        """Whether the patch leaves ``function``, named by its old path."""
        return bool(self.after.functions(self.new_path(path), function))

    def existed_before(self, path: str, function: str) -> bool:
        """Whether ``function``, named by its new path, was there before."""
        return bool(self.before.functions(self.old_path(path), function))

    def was_removed(self, path: str, line: int) -> bool:
        """Whether the patch removes a line of the pre-image."""
        return line in self.lines(self.new_path(path)).removed

    def line_of(self, path: str, line: int, *, is_new: bool) -> str:
        """The text of a line without white space, of the post-image if it ``is_new``."""
        program = self.after if is_new else self.before
        rows = (program.text(path) or b"").split(b"\n")
        return "".join(rows[line - 1].decode("utf-8", "replace").split()) if 0 < line <= len(rows) else ""

    def counterpart(self, function: Function) -> Function | None:
        """The function of the pre-image in the place of one of the post-image: of namesakes the one in its order."""
        namesakes = self.after.functions(function.path, function.name)
        before = self.before.functions(self.old_path(function.path), function.name)
        at = next((at for at, each in enumerate(namesakes) if each.line == function.line), 0)
        return before[min(at, len(before) - 1)] if before else None
