# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole tree out of a base tree and the few paths that differ from it, without an index of the whole tree."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from reviewer.errors import RepositoryError
from reviewer.tree.objects import Objects, TreeEntry
from reviewer.tree.runner import Process, Runner


class Clash(Exception):  # noqa: N818 - an answer to the caller, which makes a failure of the patch out of it
    """A path cannot be written because a folder stands in its place, or a file in the place of its folder."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


@dataclass(slots=True)
class _Node:
    """What changes below one name. ``leaf``: the new (mode, id), None for removal; unset where the name stays."""

    leaf: tuple[str, str] | None = None
    leaf_set: bool = False
    below: dict[str, _Node] = field(default_factory=dict)


class TreeWriter:
    """Writes trees with ``runner`` through one ``git mktree --batch``; close it when done."""

    def __init__(self, objects: Objects, runner: Runner) -> None:
        self._objects = objects
        self._runner = runner
        self._process: Process | None = None

    def write(self, base: str, changes: Mapping[str, tuple[str, str] | None]) -> str:
        """The id of ``base`` with ``changes``: path to (mode, blob id), or to None for a removed path.

        Raises Clash where a path would have to be a file and a folder at once.
        """
        top = _Node()
        for path, leaf in changes.items():
            node = top
            for part in path.split("/"):
                node = node.below.setdefault(part, _Node())
            node.leaf, node.leaf_set = leaf, True
        return self._merge(base, top, "") or self._mktree({})

    def close(self) -> None:
        """End git mktree."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def _merge(self, tree: str | None, node: _Node, path: str) -> str | None:
        """The id of the changed tree, or None if nothing is left in it."""
        entries = dict(self._objects.tree(tree)) if tree is not None else {}
        for name, change in node.below.items():
            old = entries.pop(name, None)
            new = self._entry(name, old, change, f"{path}{name}")
            if new is not None:
                entries[name] = new
        return self._mktree(entries) if entries else None

    def _entry(self, name: str, old: TreeEntry | None, change: _Node, path: str) -> TreeEntry | None:
        was_tree = old is not None and old.kind == "tree"
        kept = None if change.leaf_set and not was_tree else old
        if change.below:
            if kept is not None and not was_tree:
                if any(_adds(node) for node in change.below.values()):
                    raise Clash(path)
                return kept
            subtree = self._merge(kept.oid if kept is not None else None, change, f"{path}/")
            kept = TreeEntry("40000", name, subtree) if subtree is not None else None
        if change.leaf is not None:
            if kept is not None:
                raise Clash(path)
            return TreeEntry(change.leaf[0], name, change.leaf[1])
        return kept

    def _mktree(self, entries: Mapping[str, TreeEntry]) -> str:
        if self._process is None:
            # --missing: what the tree names lies elsewhere, or in a partial clone nowhere, and does not matter here
            self._process = self._runner.start("mktree", "--batch", "--missing", "-z")
        lines = (f"{e.mode:>06} {e.kind} {e.oid}\t".encode() + os.fsencode(e.name) + b"\0" for e in entries.values())
        self._process.stdin.write(b"".join(lines) + b"\0")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().decode("ascii").strip()
        if not answer:
            said = self._process.stderr.read().decode("utf-8", "backslashreplace").strip()
            raise RepositoryError(f"git mktree could not write a tree in {self._runner.git_dir}: {said}")
        return answer


def _adds(node: _Node) -> bool:
    return node.leaf is not None or any(_adds(below) for below in node.below.values())
