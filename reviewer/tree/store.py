# SPDX-License-Identifier: GPL-2.0-or-later
"""A private git directory in the program's cache folder, on top of the objects of the user's repository.

Commands that write objects or an index run here, so that whatever happens to them, the user's repository has nothing to
do with it; and no configuration, attribute file or hook of the user's repository reaches them. They do not even see the
user's objects: git renews the time stamp of an object or pack that holds what it was about to write. What they read is
copied for them first.

Each store is a folder of its own with a locked file in it. The lock goes with the process, also when it is killed; the
next store to be made clears the folders whose lock nobody holds.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType

from reviewer.errors import RepositoryError
from reviewer.tree.objects import Objects
from reviewer.tree.runner import Runner, private_objects

_CONFIG = """\
[core]
	repositoryformatversion = {version}
	compression = 0
	fsync = none
	protectNTFS = false
	protectHFS = false
{extensions}"""


class Store:
    """A private git directory. Close it, or use it as a context manager: it is removed then.

    ``runner`` writes and sees only what was written or copied here; ``objects`` reads this and all that lies below.
    ``alternates`` are the object directories below it, ``shallow`` the commits whose parents these lack. ``fetch``
    brings absent objects into the object directory it is given.
    """

    def __init__(
        self,
        cache_dir: Path,
        alternates: Sequence[Path],
        oid_size: int,
        fetch: Callable[[Path, tuple[str, ...]], None] | None = None,
        shallow: frozenset[str] = frozenset(),
    ) -> None:
        folder = cache_dir / "overlays"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with _turn(folder):
                _clear_dead(folder)
                self.git_dir = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=folder))
                self._lock = os.open(self.git_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _fill(self.git_dir, oid_size, shallow)
        except OSError as error:
            raise RepositoryError(
                f"no working folder could be made in {folder}: {error}; XDG_CACHE_HOME names another place for it"
            ) from error
        self.object_dir = self.git_dir / "objects"
        self.runner = _private_runner(self.git_dir)
        bring = None if fetch is None else _Bring(fetch, self.object_dir)
        self.objects = Objects(private_objects(self.runner, self.object_dir, alternates), oid_size, bring)
        self._removal = weakref.finalize(self, _remove, self.git_dir, self._lock, os.getpid())

    def copy(self, oids: Iterable[str]) -> None:
        """Copy objects from below into this store, for commands that see nothing else."""
        wanted = tuple(dict.fromkeys(oids))
        if wanted:
            self.objects.ensure(wanted)
            listed = "".join(f"{oid}\n" for oid in wanted).encode()
            pack = self.objects.runner.run("pack-objects", "--stdout", "-q", "--window=0", stdin=listed).stdout
            self.runner.run("index-pack", "--stdin", stdin=pack)

    def close(self) -> None:
        """End the git processes and remove the folder. Closing twice does nothing."""
        self.objects.close()
        self._removal()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def objects_of(git_dir: Path, alternates: Sequence[Path], oid_size: int) -> Objects:
    """The objects of a private git directory that another process has made, and of all that lies below it."""
    return Objects(private_objects(_private_runner(git_dir), git_dir / "objects", alternates), oid_size)


def _private_runner(git_dir: Path) -> Runner:
    # Only the program's own git directory counts here: what the user's git is configured to do does not.
    return Runner(cwd=git_dir, git_dir=git_dir).with_environment(
        GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_SYSTEM=os.devnull
    )


class _Bring:
    """``fetch`` with its folder; an object and not a closure over the store, which would keep the store alive."""

    def __init__(self, fetch: Callable[[Path, tuple[str, ...]], None], object_dir: Path) -> None:
        self._fetch = fetch
        self._object_dir = object_dir

    def __call__(self, oids: tuple[str, ...]) -> None:
        self._fetch(self._object_dir, oids)


def _fill(git_dir: Path, oid_size: int, shallow: frozenset[str]) -> None:
    (git_dir / "refs").mkdir()
    (git_dir / "objects" / "pack").mkdir(parents=True)
    sha256 = oid_size == 32
    extensions = "[extensions]\n\tobjectFormat = sha256\n" if sha256 else ""
    (git_dir / "config").write_text(_CONFIG.format(version=int(sha256), extensions=extensions))
    if shallow:
        (git_dir / "shallow").write_text("".join(f"{oid}\n" for oid in sorted(shallow)))
    # Last: only with HEAD is this a git directory.
    (git_dir / "HEAD").write_text("ref: refs/heads/none\n")


@contextlib.contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """One process at a time makes or clears folders, so that a folder without a lock is always a dead one."""
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _clear_dead(folder: Path) -> None:
    for candidate in sorted(folder.iterdir()):
        if candidate.is_symlink() or not candidate.is_dir():
            continue
        try:
            lock = os.open(candidate / "lock", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            shutil.rmtree(candidate, ignore_errors=True)
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            shutil.rmtree(candidate, ignore_errors=True)
        finally:
            os.close(lock)


def _remove(git_dir: Path, lock: int, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(git_dir, ignore_errors=True)
        os.close(lock)
