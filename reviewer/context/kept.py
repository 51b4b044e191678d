# SPDX-License-Identifier: GPL-2.0-or-later
"""Summaries kept from one run to the next.

A summary is kept with the tree that it was computed in and the set of files that it rests on. It is true of another
tree if that tree differs from the first in none of these files, nor in what the names in them mean. A patch therefore
costs what it changed, and another commit what lies between the two.
"""

from __future__ import annotations

import hashlib
import zlib
from array import array
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from reviewer.context.closure import Key, Known, Numbers, mark
from reviewer.context.effects import Acquisition, Effect, Exit, Requirement, Summary
from reviewer.errors import CacheError, ReviewerError
from reviewer.source.cfg import Function
from reviewer.source.edits import offered
from reviewer.source.program import Program
from reviewer.source.scan import scan
from reviewer.source.store import encoded, intact

_C = (".c", ".h")
_PENDING = 2000
_MANY = 100  # summaries
_LARGE = 5000  # files
_MOST_CHANGED = 1000  # files; beyond that it is quicker to compute anew what is asked for
_MOST_NAMES = 200
_MOST_TREES = 6
_PACKAGE = Path(__file__).resolve().parent.parent


class _Change(NamedTuple):
    """A C file that differs between two trees, with the object names of its content; None where it is not there."""

    path: str
    before: str | None
    after: str | None

    def oids(self) -> list[str]:
        """The contents that there are, the old one first."""
        return [oid for oid in (self.before, self.after) if oid is not None]


class _Data(msgspec.Struct, frozen=True, array_like=True):
    effects: tuple[Effect, ...]
    exits: tuple[Exit, ...]
    requirements: tuple[Requirement, ...]
    acquisitions: tuple[Acquisition, ...]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Data)


class Kept:
    """The kept summaries that are true of ``program``; ``rules`` identifies the tables that they were computed with."""

    def __init__(self, program: Program, rules: str, numbers: Numbers) -> None:
        self._program = program
        self.store = program.store
        self._numbers = numbers
        self._rules = hashlib.sha256(f"{rules} {_own_source()}".encode()).hexdigest()
        self._tree = program.files.subtree_id("") or ""
        self._origin: int | None = None
        self._pending: dict[Key, Known] = {}
        self._computed = 0
        self._help: Callable[[], None] | None = None
        self._unlike: dict[int, tuple[frozenset[int], tuple[str, ...]] | None] = {}
        self._using: dict[tuple[int, tuple[str, ...]], frozenset[int]] = {}
        self._sets: dict[bytes, int] = {}
        self._marks: dict[int, str] = {}

    def find(self, function: Function) -> Known | None:
        """The summary of ``function``, or None where none is kept that is true of this tree."""
        if function.reading:  # as one patch has it read, and nobody else
            return None
        oid = self._program.files.blob_id(function.path)
        rows = self.store.rows(
            "select summary.origin, summary.files, summary.data from summary join origin on origin.id = summary.origin"
            " where summary.oid = ? and summary.path = ? and summary.name = ? and summary.line = ? and origin.rules = ?"
            " order by origin.tree = ? desc, summary.origin desc",
            (oid, function.path, function.name, function.line, self._rules, self._tree),
        )
        for origin, files, data in rows:
            if self._holds(origin, files, function):
                content = intact(data)
                if content is not None:  # else something else has written into it; it is only a cache
                    return Known(partial(_read, content), self._set_of(files))
        return None

    def _set_of(self, files: bytes) -> int:
        """The set of the files with these marks; all functions of a circle have the same."""
        known = self._sets.get(files)
        if known is None:
            known = self._sets[files] = self._numbers.of_marks(_numbers_in(files))
        return known

    def keep(self, key: Key, known: Known) -> None:
        """Keep a summary that was computed in this tree."""
        if key.reading:
            return
        self._pending[key] = known
        self._computed += 1
        if self._computed == _MANY and self._help is not None:
            self._help()
        if len(self._pending) >= _PENDING:
            self.flush()

    def ask_for_help(self, begin: Callable[[], None]) -> None:
        """Call ``begin`` where there is much to compute: at once in a large tree of which nothing is known, else when
        it shows."""
        rows = self.store.rows("select id from origin where rules = ?", (self._rules,))
        known = any(self._difference(origin) is not None for (origin,) in rows)
        if known or len(self._all_marks()) < _LARGE:
            self._help = begin
        else:
            begin()

    def flush(self) -> None:
        """Write what waits to be written."""
        if not self._pending:
            return
        origin = self._own_origin()
        rows = []
        for key, known in self._pending.items():
            summary = known.summary
            data = _Data(
                tuple(summary.effects.values()),
                tuple(summary.exits),
                tuple(summary.requirements.values()),
                tuple(summary.acquisitions.values()),
            )
            oid = self._program.files.blob_id(key.path)
            files = array("I", sorted(self._numbers.marks_of(known.files))).tobytes()
            rows.append((oid, key.path, key.name, key.line, origin, files, encoded(data)))
        self.store.write("insert or replace into summary values (?, ?, ?, ?, ?, ?, ?)", rows)
        self._pending.clear()

    # Trees

    def _own_origin(self) -> int:
        if self._origin is None:
            values = (self._tree, self._rules)
            known = self.store.rows("select id from origin where tree = ? and rules = ?", values)
            if not known:
                self._make_room()
                files = zlib.compress(_ENCODER.encode(self._all_marks()), 1)
                self.store.write(
                    "insert into origin (tree, rules, files) values (?, ?, ?) on conflict do nothing",
                    [(*values, files)],
                )
                known = self.store.rows("select id from origin where tree = ? and rules = ?", values)
            self._origin = int(known[0][0])
        return self._origin

    def _make_room(self) -> None:
        """Forget the trees of other tables, and of the others the one of which least is kept."""
        self.store.write("delete from origin where rules <> ?", [(self._rules,)])
        excess = self.store.rows(
            "select id from origin order by (select count(*) from summary where summary.origin = origin.id) desc"
            " limit -1 offset ?",
            (_MOST_TREES - 1,),
        )
        self.store.write("delete from origin where id = ?", excess)
        self.store.write("delete from summary where origin not in (select id from origin)", [()])

    def _all_marks(self) -> dict[int, str]:
        """The mark of every C file of the tree, with its object name."""
        if not self._marks:
            self._marks.update(self._marks_from_another() or {})
        if not self._marks:
            self._marks.update((mark(path), oid) for path, oid in self._program.files.blobs("", _C))
        return self._marks

    def _marks_from_another(self) -> dict[int, str] | None:
        """The same out of what is kept of a tree from which this one differs little: to list all of it takes longer."""
        rows = self.store.rows(
            "select tree, files from origin where rules = ? order by id desc limit 1", (self._rules,)
        )
        for tree, packed in rows:
            changes = self._program.files.differing(tree, _C)
            marks = _unpacked(packed) if changes is not None and len(changes) <= _MOST_CHANGED else None
            if changes is not None and marks is not None:
                for path, (_, after) in changes.items():
                    if after is None:
                        marks.pop(mark(path), None)
                    else:
                        marks[mark(path)] = after
                return marks
        return None

    def _holds(self, origin: int, files: bytes, function: Function) -> bool:
        """Whether what was computed in the tree ``origin`` and rests on ``files`` is true of this tree."""
        if origin == self._origin:
            return True
        unlike = self._difference(origin)
        if unlike is None:
            return False
        changed, names = unlike
        if not changed:
            return True
        marks = frozenset(_numbers_in(files))
        if marks & changed:
            return False
        return not names or not marks & self._users(origin, names, self._program.scope(function.path))

    def _difference(self, origin: int) -> tuple[frozenset[int], tuple[str, ...]] | None:
        if origin not in self._unlike:
            self._unlike[origin] = self._compare(origin)
        return self._unlike[origin]

    def _compare(self, origin: int) -> tuple[frozenset[int], tuple[str, ...]] | None:
        """What differs between that tree and this one: the marks of files, and names that mean something else."""
        ((tree, packed),) = self.store.rows("select tree, files from origin where id = ?", (origin,)) or (("", b""),)
        if tree == self._tree:
            return frozenset(), ()
        changes = self._changes(tree, packed)
        names = self._names_of(changes) if changes is not None and len(changes) <= _MOST_CHANGED else None
        return None if changes is None or names is None else (frozenset(changes), names)

    def _changes(self, tree: str, packed: bytes) -> dict[int, _Change] | None:
        """What differs from ``tree`` by the files' marks; None where what is known of that tree cannot be read."""
        files = self._program.files
        known = files.differing(tree, _C) if tree else None
        if known is not None:
            return {mark(path): _Change(path, *oids) for path, oids in known.items()}
        before = _unpacked(packed)
        if before is None:
            return None
        after = self._all_marks()
        changed = {at for at in before.keys() | after.keys() if before.get(at) != after.get(at)}
        paths = {mark(path): path for path, _ in files.blobs("", _C) if mark(path) in changed}
        # what is gone, and known by its mark alone, may have been a header
        return {at: _Change(paths.get(at, ".h"), before.get(at), after.get(at)) for at in sorted(changed)}

    def _names_of(self, changes: Mapping[int, _Change]) -> tuple[str, ...] | None:
        """The names that mean something else than before the changes; None where they are many or not known."""
        contents = self._program.files.read_blobs([oid for one in changes.values() for oid in one.oids()])
        words: set[str] = set()
        try:
            for change in changes.values():
                offers: set[str] = set()
                for _ in change.oids():
                    offers ^= offered(scan(next(contents)[1]), change.path)
                words.update(name.split()[-1] for name in offers)
                if len(words) > _MOST_NAMES:
                    return None
        except ReviewerError:
            return None
        return tuple(sorted(words))

    def _users(self, origin: int, names: tuple[str, ...], folders: tuple[str, ...]) -> frozenset[int]:
        key = (origin, folders)
        if key not in self._using:
            self._using[key] = frozenset(mark(path) for path in self._program.using(names, folders))
        return self._using[key]


def _read(content: bytes) -> Summary:
    try:
        data = _DECODER.decode(content)
    except msgspec.MsgspecError as error:
        raise CacheError(f"a summary in the cache cannot be read: {error}", damaged=True) from error
    return Summary(
        {effect.key: effect for effect in data.effects},
        dict.fromkeys(data.exits),
        {requirement.key: requirement for requirement in data.requirements},
        {acquisition.key: acquisition for acquisition in data.acquisitions},
    )


def _unpacked(packed: bytes) -> dict[int, str] | None:
    """The marks that are kept of a tree; None where something else has written into them."""
    try:
        return msgspec.msgpack.decode(zlib.decompress(packed), type=dict[int, str])
    except (zlib.error, msgspec.MsgspecError):
        return None


def _numbers_in(packed: bytes) -> Iterable[int]:
    numbers = array("I")
    numbers.frombytes(packed[: len(packed) // 4 * 4])
    return numbers


@cache
def _own_source() -> str:
    """A digest of the code that computes summaries: after an update of the program none of the old ones is true."""
    digest = hashlib.sha256()
    for folder in ("context", "source"):
        for path in sorted((_PACKAGE / folder).glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()
