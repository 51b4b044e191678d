# SPDX-License-Identifier: GPL-2.0-or-later
"""Run git in a way that only reads, and that no configuration can turn into running something else.

A repository is hostile input: its configuration can name programs (fsmonitor, hooks, filters, merge and diff drivers,
credential helpers, transports). Every call made here overrides the settings that git would otherwise obey, starts from
an environment without inherited ``GIT_*`` variables (the program may run inside a git hook, where ``GIT_DIR`` and
``GIT_INDEX_FILE`` are set), never prompts, takes no optional lock, and passes arguments as a list, never to a shell.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from reviewer.errors import NO_GIT, RepositoryError

if TYPE_CHECKING:
    from git.cmd import Git

# Inherited variables that are the user's own choice of programs, credentials or trust; all other GIT_* are dropped.
_KEPT = frozenset(
    {
        "GIT_ALLOW_PROTOCOL",
        "GIT_ASKPASS",
        "GIT_CEILING_DIRECTORIES",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CONFIG_SYSTEM",
        "GIT_DISCOVERY_ACROSS_FILESYSTEM",
        "GIT_EXEC_PATH",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSH_VARIANT",
        "GIT_SSL_CAINFO",
        "GIT_SSL_NO_VERIFY",
        "GIT_TEST_ASSUME_DIFFERENT_OWNER",
    }
)

# Settings that run a program or change output, whatever git-config(1) says elsewhere.
_NEUTRAL_CONFIG: tuple[tuple[str, str], ...] = (
    ("core.fsmonitor", "false"),
    ("core.hooksPath", "/dev/null"),
    ("core.attributesFile", "/dev/null"),
    ("core.alternateRefsCommand", "true"),
    ("core.quotePath", "true"),
    ("core.untrackedCache", "false"),
    ("core.warnAmbiguousRefs", "false"),
    ("protocol.ext.allow", "never"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("fetch.writeCommitGraph", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("submodule.recurse", "false"),
    ("log.showSignature", "false"),
    ("log.mailmap", "false"),
    ("apply.whitespace", "nowarn"),
    ("apply.ignoreWhitespace", "no"),
    ("diff.suppressBlankEmpty", "false"),
    ("diff.noprefix", "false"),
    ("diff.mnemonicPrefix", "false"),
    ("merge.renormalize", "false"),
    ("merge.conflictStyle", "merge"),
    ("advice.detachedHead", "false"),
)

_NEUTRAL_ENVIRONMENT: tuple[tuple[str, str], ...] = (
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_PAGER", "cat"),
    ("GIT_EDITOR", "false"),
    ("GIT_SEQUENCE_EDITOR", "false"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_MERGE_AUTOEDIT", "no"),
)


@dataclass(frozen=True, slots=True)
class Finished:
    """What a git command left behind. ``stderr`` is decoded for people; bytes that are no UTF-8 are escaped."""

    status: int
    stdout: bytes
    stderr: str


@dataclass(frozen=True, slots=True)
class Process:
    """A running git and its three pipes."""

    popen: subprocess.Popen[bytes]
    stdin: IO[bytes]
    stdout: IO[bytes]
    stderr: IO[bytes]

    def stop(self) -> None:
        """Close the pipes and end the process."""
        for pipe in (self.stdin, self.stdout, self.stderr):
            # git may be gone already, with something still unwritten in the pipe
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        self.popen.kill()
        self.popen.wait()


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs git against one git directory.

    ``git_dir`` is None only while looking for the repository. ``config`` is added to the neutral settings and wins
    over them. ``environment`` is added likewise; ``inherit`` names further inherited variables that stay. Without
    ``network`` git can reach no other repository, not even to complete a partial clone behind a command's back.
    """

    cwd: Path
    git_dir: Path | None = None
    config: tuple[tuple[str, str], ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    inherit: frozenset[str] = field(default=frozenset())
    network: bool = False

    def with_environment(self, **variables: str) -> Runner:
        """The same runner with more environment variables."""
        return replace(self, environment=(*self.environment, *variables.items()))

    def run(self, *arguments: str, stdin: bytes = b"", what: str = "", check: bool = True) -> Finished:
        """Run ``git ARGUMENTS`` to its end.

        With ``check``, a status other than 0 raises RepositoryError, which says ``what`` was tried (default: the
        command) and quotes git.
        """
        process = self.start(*arguments)
        stdout, stderr = process.popen.communicate(stdin)
        done = Finished(process.popen.returncode, stdout, stderr.decode("utf-8", "backslashreplace").rstrip("\n"))
        if check and done.status != 0:
            tried = what or f"git {arguments[0]}"
            place = f" in {self.git_dir}" if self.git_dir else ""
            raise RepositoryError(f"{tried}{place} failed: {done.stderr or f'exit status {done.status}'}")
        return done

    def start(self, *arguments: str) -> Process:
        """Start ``git ARGUMENTS``; the caller stops it."""
        environment = self._environment()
        kept = _KEPT | self.inherit | environment.keys()
        dropped = [name for name in os.environ if name.startswith("GIT_") and name not in kept]
        # GitPython adds to the inherited environment and cannot take from it; env(1) can.
        prefix = ["env", *(part for name in dropped for part in ("-u", name))] if dropped else []
        git = _git_class()(str(self.cwd))
        try:
            started = git.execute(
                [*prefix, "git", *arguments],
                istream=subprocess.PIPE,
                as_process=True,
                env=environment,
                shell=False,
            )
        except OSError as error:
            raise RepositoryError(f"git could not be started in {self.cwd}: {error}; is it installed?") from error
        # The wrapper would terminate the process when it is collected; here whoever asked for the process stops it.
        popen, started.proc = started.proc, None
        if popen is None or popen.stdin is None or popen.stdout is None or popen.stderr is None:
            raise RepositoryError(f"git {arguments[0]} was started without pipes in {self.cwd}")
        return Process(popen, popen.stdin, popen.stdout, popen.stderr)

    def _environment(self) -> Mapping[str, str]:
        variables = dict(_NEUTRAL_ENVIRONMENT)
        if not self.network:
            # The first says it to git from 2.45 on; the second is a list of transports, none of which exists.
            variables |= {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"}
        if self.git_dir is not None:
            variables["GIT_DIR"] = str(self.git_dir)
            # Without this, git takes the current folder, or core.worktree, for a checkout and reads attributes there.
            variables["GIT_WORK_TREE"] = str(self.git_dir)
            # Reading finds no index and so an empty one; writing one fails.
            variables["GIT_INDEX_FILE"] = "/nonexistent/index"
        variables.update(self.environment)
        settings: Sequence[tuple[str, str]] = (*_NEUTRAL_CONFIG, *self.config)
        if "GIT_CONFIG_COUNT" not in self.inherit:
            variables["GIT_CONFIG_COUNT"] = str(len(settings))
            for number, (key, value) in enumerate(settings):
                variables[f"GIT_CONFIG_KEY_{number}"] = key
                variables[f"GIT_CONFIG_VALUE_{number}"] = value
        return variables


def private_objects(runner: Runner, object_dir: Path, below: Sequence[Path]) -> Runner:
    """The runner with ``object_dir`` as the place where git writes objects, and ``below`` only read."""
    alternates = ":".join(_quoted(str(path)) for path in below)
    return runner.with_environment(GIT_OBJECT_DIRECTORY=str(object_dir), GIT_ALTERNATE_OBJECT_DIRECTORIES=alternates)


def _quoted(path: str) -> str:
    """A path for GIT_ALTERNATE_OBJECT_DIRECTORIES, which splits at colons (git(1))."""
    return '"' + re.sub(r'(["\\])', r"\\\1", path) + '"' if re.search(r'[:"\\]', path) else path


def _git_class() -> type[Git]:
    """GitPython's Git. Imported late: GitPython refuses to be imported where there is no git."""
    try:
        from git.cmd import Git  # noqa: PLC0415
        from git.exc import GitCommandNotFound  # noqa: F401, PLC0415
    except ImportError as error:
        raise RepositoryError(NO_GIT) from error
    return Git
