# SPDX-License-Identifier: GPL-2.0-or-later
"""The cache as a run uses it: opened where it can be, and done without where it cannot."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from reviewer.config import Options
from reviewer.errors import CacheError
from reviewer.source.database import cache_file
from reviewer.source.store import SCHEMA, Store
from reviewer.tree.repository import Repository

_T = TypeVar("_T")
_SECONDS_A_DAY = 24 * 60 * 60


def open_store(options: Options) -> Store:
    """The cache in the user's folder; CacheError where that cannot be used."""
    return Store(cache_file(options.cache_dir, SCHEMA))


@contextlib.contextmanager
def working_folder(options: Options) -> Iterator[Path]:
    """Where patches are applied: in the cache folder, or in a temporary one where nothing can be written there."""
    try:
        options.cache_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        tempfile.TemporaryFile(dir=options.cache_dir).close()
    except OSError:
        with tempfile.TemporaryDirectory(prefix="reviewer-") as name:
            yield Path(name)
        return
    yield options.cache_dir


def today() -> int:
    """The day as ``Store.note_use`` counts them."""
    return int(time.time()) // _SECONDS_A_DAY


class Cache:
    """The store of one run. Use as a context manager.

    Where the file fails, at the start or later, the run says so once on stderr and goes on with a store in memory.
    ``say`` is told instead of stderr.
    """

    def __init__(self, options: Options, say: Callable[[str], None] | None = None) -> None:
        self._kept = options.cache
        self._say = say
        self._said = False
        self.store = Store(None)
        if options.cache:
            try:
                self.store = open_store(options)
            except CacheError as error:
                self._replace(error)

    def use(self, function: Callable[[Store], _T]) -> _T:
        """What ``function`` answers. Where the store fails, it is asked again with the next one."""
        try:
            return function(self.store)
        except CacheError as error:
            self._replace(error)
            return function(self.store)

    def _replace(self, error: CacheError) -> None:
        """Go on in memory after ``error``, which is raised again where that is what failed."""
        if not self._kept:
            raise error
        self._kept = False
        self.tell(f"the cache cannot be used ({error}); going on without it, which takes longer")
        if error.damaged:
            self.store.database.discard()
        else:
            self.store.database.close()
        self.store = Store(None)

    @property
    def kept(self) -> bool:
        """Whether what is stored is there for the next run."""
        return self._kept

    def tell(self, message: str) -> None:
        """Say what is wrong with the cache, unless it has been said."""
        if self._said:
            return
        self._said = True
        if self._say is not None:
            self._say(message)
        else:
            sys.stderr.write(f"reviewer: {message}\n")

    def note_use(self, repository: Repository, tree: str) -> None:
        """Remember that ``tree`` is in use, so that upkeep leaves what belongs to it."""
        if self._kept:
            self.use(lambda store: store.note_use(str(repository.git_dir), tree, today()))

    def __enter__(self) -> Cache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.store.close()
        except CacheError as failure:
            with contextlib.suppress(CacheError):
                self._replace(failure)
