# SPDX-License-Identifier: GPL-2.0-or-later
"""Summaries kept from one run to the next.

A summary is kept with the tree that it was computed in and the set of files that it rests on. It is true of another
tree if that tree differs from the first in none of these files, nor in what the names in them mean: what files offer,
and which of several functions of one name is the usual one, as Makefiles and Kconfig say. A patch therefore costs what
it changed, and another commit what lies between the two.
"""

from __future__ import annotations

import hashlib
import zlib
from array import array
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from reviewer.context.closure import Key, Known
from reviewer.context.effects import Acquisition, Answer, Effect, Exit, Requirement, Summary
from reviewer.context.filesets import Numbers, mark
from reviewer.errors import CacheError, ReviewerError
from reviewer.source.cfg import Function
from reviewer.source.edits import offered
from reviewer.source.files import C_SUFFIXES
from reviewer.source.program import Program
from reviewer.source.rebuilt import BUILD_FILES, rebuilt
from reviewer.source.scan import scan
from reviewer.source.store import encoded, intact

_READ = (*C_SUFFIXES, *BUILD_FILES)
_PENDING = 2000
_PENDING_SHARED = 50
_MANY = 100  # summaries
_LARGE = 5000  # files
_MOST_CHANGED = 1000  # files; beyond that it is quicker to compute anew what is asked for
_MOST_NAMES = 200
_MOST_TREES = 6
_K = TypeVar("_K")
_PACKAGE = Path(__file__).resolve().parent.parent


class _Change(NamedTuple):
    """A C file that differs between two trees, with the object names of its content; None where it is not there."""

    path: str
    before: str | None
    after: str | None

    def oids(self) -> list[str]:
        """The contents that there are, the old one first."""
        return [oid for oid in (self.before, self.after) if oid is not None]


class _Files(msgspec.Struct, frozen=True, array_like=True):
    """The files of a tree, with the object names of their content."""

    code: dict[int, str]
    """C files by their marks."""
    builds: dict[str, str]
    """Makefiles and Kconfig files by their paths."""

    def put(self, path: str, oid: str | None) -> None:
        """Note what ``path`` holds now; None for a file that is gone."""
        if path.endswith(C_SUFFIXES):
            _put(self.code, mark(path), oid)
        else:
            _put(self.builds, path, oid)


class _Changes(NamedTuple):
    """What differs between two trees: C files by their marks, and what Makefiles and Kconfig files were before."""

    code: dict[int, _Change]
    builds: dict[str, str | None]


class _Data(msgspec.Struct, frozen=True, array_like=True):
    effects: tuple[Effect, ...]
    exits: tuple[Exit, ...]
    requirements: tuple[Requirement, ...]
    acquisitions: tuple[Acquisition, ...]
    settings: tuple[tuple[str, str], ...]
    answers: tuple[Answer, ...]


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
        self._most_pending = _PENDING
        self._unlike: dict[int, tuple[frozenset[int], tuple[str, ...]] | None] = {}
        self._using: dict[tuple[int, tuple[str, ...]], frozenset[int]] = {}
        self._sets: dict[bytes, int] = {}
        self._listed: _Files | None = None

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

    def keep(self, circle: Mapping[Key, Known]) -> None:
        """Keep the summaries of functions that call each other and were computed in this tree."""
        before = self._computed
        for key, known in circle.items():
            if not key.reading:
                self._pending[key] = known
                self._computed += 1
        if before < _MANY <= self._computed and self._help is not None:
            self._help()
        if len(self._pending) >= self._most_pending:
            self.flush()

    def share(self) -> None:
        """Write early what another process, which computes summaries of the same tree, need not compute then."""
        self._most_pending = _PENDING_SHARED

    def ask_for_help(self, begin: Callable[[], None]) -> None:
        """Call ``begin`` where there is much to compute: at once in a large tree of which nothing is known, else when
        it shows."""
        rows = self.store.rows("select id from origin where rules = ?", (self._rules,))
        known = any(self._difference(origin) is not None for (origin,) in rows)
        if known or len(self._all_files().code) < _LARGE:
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
                tuple(sorted(summary.settings)),
                summary.answers,
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
                files = zlib.compress(_ENCODER.encode(self._all_files()), 1)
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

    def _all_files(self) -> _Files:
        if self._listed is None:
            self._listed = self._files_from_another()
        if self._listed is None:
            self._listed = _Files({}, {})
            for path, oid in self._program.files.blobs("", _READ):
                self._listed.put(path, oid)
        return self._listed

    def _files_from_another(self) -> _Files | None:
        """The same out of what is kept of a tree from which this one differs little: to list all of it takes longer."""
        rows = self.store.rows(
            "select tree, files from origin where rules = ? order by id desc limit 1", (self._rules,)
        )
        for tree, packed in rows:
            changes = self._program.files.differing(tree, _READ)
            listed = _unpacked(packed) if changes is not None and len(changes) <= _MOST_CHANGED else None
            if changes is not None and listed is not None:
                for path, (_, after) in changes.items():
                    listed.put(path, after)
                return listed
        return None

    def _holds(self, origin: int, files: bytes, function: Function) -> bool:
        """Whether what was computed in the tree ``origin`` and rests on ``files`` is true of this tree."""
        if origin == self._origin:
            return True
        unlike = self._difference(origin)
        if unlike is None:
            return False
        changed, names = unlike
        if not changed and not names:
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
        if changes is None or len(changes.code) > _MOST_CHANGED or len(changes.builds) > _MOST_CHANGED:
            return None
        try:
            names = self._names_of(changes.code) | self._names_built_otherwise(changes)
        except ReviewerError:
            return None
        return (frozenset(changes.code), tuple(sorted(names))) if len(names) <= _MOST_NAMES else None

    def _changes(self, tree: str, packed: bytes) -> _Changes | None:
        """What differs from ``tree``; None where what is known of that tree cannot be read."""
        files = self._program.files
        known = files.differing(tree, _READ) if tree else None
        if known is not None:
            code = {mark(path): _Change(path, *oids) for path, oids in known.items() if path.endswith(C_SUFFIXES)}
            return _Changes(
                code, {path: before for path, (before, _) in known.items() if not path.endswith(C_SUFFIXES)}
            )
        before, after = _unpacked(packed), self._all_files()
        if before is None:
            return None
        changed = {at for at in before.code.keys() | after.code.keys() if before.code.get(at) != after.code.get(at)}
        paths = {mark(path): path for path, _ in files.blobs("", C_SUFFIXES) if mark(path) in changed}
        builds = before.builds.keys() | after.builds.keys()
        return _Changes(
            # what is gone, and known by its mark alone, may have been a header
            {at: _Change(paths.get(at, ".h"), before.code.get(at), after.code.get(at)) for at in sorted(changed)},
            {
                path: before.builds.get(path)
                for path in sorted(builds)
                if before.builds.get(path) != after.builds.get(path)
            },
        )

    def _names_of(self, changes: Mapping[int, _Change]) -> set[str]:
        """The names that mean something else in other files than before the changes; more than enough are not all."""
        contents = self._program.files.read_blobs([oid for one in changes.values() for oid in one.oids()])
        words: set[str] = set()
        for change in changes.values():
            offers: set[str] = set()
            for _ in change.oids():
                offers ^= offered(scan(next(contents)[1]), change.path)
            words.update(name.split()[-1] for name in offers)
            if len(words) > _MOST_NAMES:
                break
        return words

    def _names_built_otherwise(self, changes: _Changes) -> set[str]:
        """The names of which another function may be the usual one now, though no C file changed."""
        if not changes.builds:
            return set()
        files = self._program.files
        texts = dict(files.read_blobs({oid for oid in changes.builds.values() if oid is not None}))
        before = {path: texts[oid] if oid is not None else None for path, oid in changes.builds.items()}
        found: set[str] = set()
        for path in rebuilt(files, before):
            found |= {name for name, kind in scan(files.read(path) or b"").definitions if kind == "f"}
        # a function that has never had another of its name beside it is the usual one in any case
        return {name for name in found if len(self.store.definitions(name)) > 1}

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
        frozenset(data.settings),
        data.answers,
    )


def _put(known: dict[_K, str], key: _K, oid: str | None) -> None:
    if oid is None:
        known.pop(key, None)
    else:
        known[key] = oid


def _unpacked(packed: bytes) -> _Files | None:
    """The files that are kept of a tree; None where something else has written into them."""
    try:
        return msgspec.msgpack.decode(zlib.decompress(packed), type=_Files)
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
