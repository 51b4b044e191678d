# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files are built otherwise than before, after a change of Makefiles and Kconfig files."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from reviewer.source.buildfiles import KCONFIG, MAKEFILE, BuildFiles
from reviewer.source.builds import Builds
from reviewer.source.files import Files

BUILD_FILES = (MAKEFILE, KCONFIG)
"""The names of the files that say how a tree is built."""


def rebuilt(files: Files, before: Mapping[str, bytes | None]) -> tuple[str, ...]:
    """The C files that more or fewer options take away than where the build files were as ``before`` says.

    ``before`` gives by path what changed, None for what was not there.
    """
    rules = BuildFiles(files), BuildFiles(_Before(files, before))
    suspects: set[str] = set()
    for path in before:
        folder, name = posixpath.split(path)
        if name == MAKEFILE:
            suspects.update(one for each in rules for one in each.sources(folder))
        elif name == KCONFIG:
            suspects.update(one for one, _ in files.blobs(folder, (".c",)))
    now, then = map(Builds, rules)
    return tuple(path for path in sorted(suspects) if now.missing(path) != then.missing(path))


class _Before:
    """The texts of a tree, some as they were."""

    def __init__(self, files: Files, before: Mapping[str, bytes | None]) -> None:
        self._files = files
        self._before = before

    def read(self, path: str) -> bytes | None:
        return self._before[path] if path in self._before else self._files.read(path)
