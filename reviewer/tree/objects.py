# SPDX-License-Identifier: GPL-2.0-or-later
"""Git objects by id, fast: long-lived ``git cat-file --batch`` processes on one object store.

Asking by id alone keeps odd path names out of the line-based protocol.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from reviewer.errors import RepositoryError
from reviewer.tree.runner import Process, Runner

_TREE_CACHE = 20_000  # trees; Linux has about 5,700 for one commit
_WINDOW = 512  # ids sent ahead of the answers; at most 65 bytes each, so that the pipe always takes them


class TreeEntry(NamedTuple):
    """One line of a tree object. ``mode`` is git's, in octal text: 100644, 100755, 120000, 40000, 160000."""

    mode: str
    name: str
    oid: str

    @property
    def kind(self) -> str:
        """``blob``, ``tree`` or ``commit`` (a submodule), as in git ls-tree."""
        if self.mode == "40000":
            return "tree"
        return "commit" if self.mode == "160000" else "blob"


class Objects:
    """The objects that a Runner's git directory can see.

    ``fetch`` is asked for objects that are absent, all at once; it is how a partial clone gets its blobs.
    Usable from several threads; after a fork the child process starts git processes of its own.
    """

    def __init__(self, runner: Runner, oid_size: int, fetch: Callable[[tuple[str, ...]], None] | None = None) -> None:
        self._runner = runner
        self._oid_size = oid_size
        self._fetch = fetch
        self._lock = threading.RLock()
        self._process: Process | None = None
        self._owner = 0
        self._trees: OrderedDict[str, Mapping[str, TreeEntry]] = OrderedDict()

    @property
    def runner(self) -> Runner:
        """The runner, for commands other than cat-file on the same objects."""
        return self._runner

    @property
    def partial(self) -> bool:
        """Whether objects may be absent that can be fetched."""
        return self._fetch is not None

    def close(self) -> None:
        """End the git process. The next question starts a new one."""
        with self._lock:
            process, self._process = self._process, None
            if process is not None and self._owner == os.getpid():
                process.stop()

    def read(self, oid: str) -> tuple[str, bytes]:
        """The kind and content of an object; RepositoryError if it cannot be had."""
        with self._lock:
            found = self._ask(oid)
            if found is None:
                self._get((oid,))
                found = self._ask(oid)
        if found is None:
            raise RepositoryError(f"object {oid} is missing from {self._runner.git_dir}; `git fsck` says more")
        return found

    def tree(self, oid: str) -> Mapping[str, TreeEntry]:
        """The entries of a tree object by name, in git's order."""
        with self._lock:
            known = self._trees.get(oid)
            if known is not None:
                self._trees.move_to_end(oid)
                return known
            kind, data = self.read(oid)
            if kind != "tree":
                raise RepositoryError(f"object {oid} is a {kind}, not a tree")
            entries = {entry.name: entry for entry in _parse_tree(data, self._oid_size)}
            self._trees[oid] = entries
            if len(self._trees) > _TREE_CACHE:
                self._trees.popitem(last=False)
            return entries

    def stream(self, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """(id, content) of each object, in the order asked for, through a process of its own."""
        if self._fetch is not None:
            oids = tuple(oids)
            self.ensure(oids)
        waiting = iter(oids)
        process = self._runner.start("cat-file", "--batch", "--buffer")
        try:
            ahead: list[str] = []
            while True:
                room = _WINDOW - len(ahead)
                more = list(islice(waiting, room))
                ahead += more
                process.stdin.write("".join(f"{oid}\n" for oid in more).encode())
                if len(more) < room:
                    process.stdin.close()
                    break
                process.stdin.flush()
                # The other half of the window is longer than what git keeps in its output buffer, so that
                # all of this half arrives without the flush after each object that makes git slow.
                for oid in ahead[: _WINDOW // 2]:
                    yield oid, self._answer(process, oid)
                del ahead[: _WINDOW // 2]
            for oid in ahead:
                yield oid, self._answer(process, oid)
        finally:
            process.stop()

    def absent(self, oids: Iterable[str]) -> tuple[str, ...]:
        """Those of the objects that this store does not hold."""
        wanted = tuple(dict.fromkeys(oids))
        if not wanted:
            return ()
        done = self._runner.run(
            "cat-file", "--batch-check=%(objecttype)", "--buffer", stdin="".join(f"{o}\n" for o in wanted).encode()
        )
        lines = done.stdout.split(b"\n")
        return tuple(oid for oid, line in zip(wanted, lines, strict=False) if line.endswith(b" missing"))

    def known(self, prefixes: Iterable[str]) -> tuple[str, ...]:
        """The blobs of this store that abbreviated ids name; unknown and ambiguous ones are left out."""
        asked = "".join(f"{prefix}\n" for prefix in dict.fromkeys(prefixes)).encode()
        told = self._runner.run("cat-file", "--batch-check=%(objecttype) %(objectname)", stdin=asked).stdout
        return tuple(line[5:].decode() for line in told.splitlines() if line.startswith(b"blob "))

    def ensure(self, oids: Iterable[str]) -> None:
        """Have all these objects at hand: what is absent is fetched in one go, where that is possible."""
        if self._fetch is not None:
            missing = self.absent(oids)
            if missing:
                self._get(missing)

    def _get(self, oids: tuple[str, ...]) -> None:
        if self._fetch is None:
            return
        self._fetch(oids)
        self.close()  # the process has looked through its packs before the new one came

    def _answer(self, process: Process, oid: str) -> bytes:
        found = _read_answer(process)
        if found is None:
            raise RepositoryError(f"object {oid} is missing from {self._runner.git_dir}; `git fsck` says more")
        return found[1]

    def _ask(self, oid: str) -> tuple[str, bytes] | None:
        if self._process is None or self._owner != os.getpid() or self._process.popen.poll() is not None:
            self._process = self._runner.start("cat-file", "--batch")
            self._owner = os.getpid()
        process = self._process
        try:
            process.stdin.write(f"{oid}\n".encode())
            process.stdin.flush()
            return _read_answer(process)
        except BaseException:
            # Half an answer may still be in the pipe: nobody may read it as the answer to another question.
            self._process = None
            process.stop()
            raise


def _read_answer(process: Process) -> tuple[str, bytes] | None:
    header = process.stdout.readline()
    if header.endswith((b" missing\n", b" ambiguous\n")):
        return None
    fields = header.split()
    if len(fields) != 3:
        said = process.stderr.read().decode("utf-8", "backslashreplace").strip()
        raise RepositoryError(f"git cat-file stopped: {said or header.decode('utf-8', 'backslashreplace')}")
    size = int(fields[2])
    data = process.stdout.read(size)
    if len(data) != size or not process.stdout.read(1):  # a line feed, apart: else all of it would be copied
        raise RepositoryError(f"git cat-file stopped inside object {fields[0].decode()}")
    return fields[1].decode(), data


def _parse_tree(data: bytes, oid_size: int) -> Iterator[TreeEntry]:
    position = 0
    while position < len(data):
        space = data.index(b" ", position)
        end = data.index(b"\0", space)
        yield TreeEntry(
            data[position:space].decode(),
            os.fsdecode(data[space + 1 : end]),
            data[end + 1 : end + 1 + oid_size].hex(),
        )
        position = end + 1 + oid_size
