# SPDX-License-Identifier: GPL-2.0-or-later
"""Objects that a partial clone left at its remote: fetched by git, into a private object directory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from reviewer.errors import RepositoryError
from reviewer.tree.configuration import FROM_REPOSITORY, Configuration
from reviewer.tree.objects import Objects
from reviewer.tree.runner import Runner, private_objects

_NAMED = 3  # objects that a message names before it counts the rest


class Promisor:
    """The remotes that a partial clone can ask for what it lacks (gitrepository-layout(5), partial-clone)."""

    def __init__(self, runner: Runner, configuration: Configuration, object_dirs: tuple[Path, ...]) -> None:
        self._runner = runner
        self._configuration = configuration
        self._object_dirs = object_dirs
        names = [s.value for s in configuration.matching(r"extensions\.partialclone") if s.value]
        names += [
            setting.key.removeprefix("remote.").removesuffix(".promisor")
            for setting in configuration.matching(r"remote\..*\.promisor")
            if (setting.value or "true").lower() in ("true", "yes", "on", "1")
        ]
        self.remotes: tuple[str, ...] = tuple(dict.fromkeys(names))

    def fetch(self, object_dir: Path, oids: tuple[str, ...]) -> None:
        """Bring ``oids`` into ``object_dir``; RepositoryError names them if no remote gives them."""
        runner = private_objects(replace(self._runner, network=True), object_dir, self._object_dirs)
        runner = replace(
            runner, config=(*runner.config, ("fetch.negotiationAlgorithm", "noop"), ("fetch.prune", "false"))
        )
        said = []
        for remote in self.remotes:
            # The options are those with which git itself fetches what is missing (promisor-remote.c).
            done = runner.run(
                *("fetch", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no", "--refmap="),
                *("--no-auto-maintenance", "--quiet", "--filter=blob:none", "--stdin", *self._program(remote)),
                *("--", remote),
                stdin="".join(f"{oid}\n" for oid in oids).encode(),
                check=False,
            )
            if done.status == 0:
                return
            said.append(f"{remote} ({self._address(remote)}): {_without_secrets(done.stderr)}")
        named = ", ".join(oids[:_NAMED]) + (f" and {len(oids) - _NAMED} more" if len(oids) > _NAMED else "")
        raise RepositoryError(
            f"this is a partial clone, and its remote did not give the missing objects {named}.\n"
            + "\n".join(said)
            + "\nTry again when the remote answers, or fetch everything once with `git fetch --refetch --no-filter`."
        )

    def _program(self, remote: str) -> tuple[str, ...]:
        """The user's own choice of the program to run at the other end, never the repository's."""
        given = list(self._configuration.matching(re.escape(f"remote.{remote}.uploadpack")))
        if not given:
            return ()
        own = [s.value for s in given if s.scope not in FROM_REPOSITORY and s.value]
        return (f"--upload-pack={own[-1] if own else 'git-upload-pack'}",)

    def _address(self, remote: str) -> str:
        return _without_secrets(self._configuration.get(f"remote.{remote}.url") or "no URL configured")


def complete(objects: Objects, commits: Sequence[str], trees: Iterable[str]) -> None:
    """Have the files that ``commits`` change, at once and before a command that cannot wait for them.

    ``trees`` are those that are compared. Does nothing where everything is there, as in any but a partial clone.
    """
    if not objects.partial:
        return
    objects.ensure(trees)
    listed = objects.runner.run(
        *("diff-tree", "--stdin", "-r", "--root", "--raw", "--no-renames", "--no-abbrev"),
        stdin="".join(f"{oid}\n" for oid in commits).encode(),
    ).stdout
    wanted: set[str] = set()
    for line in listed.splitlines():
        if line.startswith(b":"):
            old_mode, new_mode, old, new, _ = line[1:].split(b" ", 4)
            wanted.update(
                oid.decode() for mode, oid in ((old_mode, old), (new_mode, new)) if mode not in (b"000000", b"160000")
            )
    objects.ensure(sorted(wanted))


def _without_secrets(text: str) -> str:
    return re.sub(r"(\w+://)[^/@\s]+@", r"\1", text)
