# SPDX-License-Identifier: GPL-2.0-or-later
"""The files in git's folder for hooks: put there, told apart from those of others, taken away again.

git runs one file for each hook. A hook that is there already is kept beside ours, which runs it first and goes by what
it says; taking ours away puts it back.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reviewer.errors import RepositoryError
from reviewer.tree.repository import Repository

HOOKS: Final = ("pre-commit", "pre-push", "pre-applypatch", "sendemail-validate")
"""The hooks of githooks(5) that can review something before it is recorded or sent."""

BLOCK: Final = 10
"""The status with which the program tells the script to stop git: Python ends with 1 where it cannot even start."""

_MARK: Final = "# reviewer-hook: made by `reviewer hook install`, removed by `reviewer hook uninstall`"
_FOR: Final = "# for: "
_KEPT: Final = ".before-reviewer"
# -P: the folder that git runs a hook in is the tree under review, and no module may come from there.
_RUN: Final = " -P -m reviewer.hooked"

# Beside the script and not by its name: other programs that keep a hook give it another.
_BEFORE: Final = """\
before=$(dirname -- "$0")/{kept}
if [ -x "$before" ]; then
	"$before" "$@" || exit
fi
"""
# A push tells its hook on standard input what it pushes, and both hooks want to know.
_BEFORE_PUSH: Final = """\
before=$(dirname -- "$0")/{kept}
told=$(cat; echo .)
told=${{told%.}}
if [ -x "$before" ]; then
	printf %s "$told" | "$before" "$@" || exit
fi
"""
# Other repositories use the same folder: the review is for those that asked for it.
_ONLY_FOR: Final = """\
here=$(git rev-parse --path-format=absolute --git-common-dir)
grep -qxF "{for_}$here" "$0" || exit 0
"""
_SCRIPT: Final = """\
#!/bin/sh
{mark}
{for_lines}{before}{only_for}{pipe}{python}{run} {hook} "$@" >&2
status=$?
case $status in
0) exit 0 ;;
{block}) exit 1 ;;
130 | 143) exit $status ;;
esac
echo "reviewer: could not be started (status $status), so nothing was reviewed; install it again, then this hook:" \\
	"reviewer hook install" >&2
[ "$(git config --type=bool reviewer.hookStrict)" != true ]
"""


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook: its file, whether it is ours for this repository, and another one's file that ours runs first.

    ``foreign`` holds where another program's file stands in the place of ours. ``gone`` is the interpreter that ours is
    to run, where that is no longer there.
    """

    name: str
    path: Path
    installed: bool
    foreign: bool
    kept: Path | None
    gone: str = ""


class HookFolder:
    """The folder in which git looks for the hooks of a repository, of all its work trees.

    It is ``shared`` if it lies outside of the repository: others may use it too.
    """

    def __init__(self, repository: Repository) -> None:
        runner = repository.runner
        told = runner.run("rev-parse", "--git-common-dir").stdout
        common = (repository.git_dir / os.fsdecode(told.removesuffix(b"\n"))).resolve()
        top = repository.top()
        self._for = f"{_FOR}{common}"
        configured = repository.config("core.hooksPath")
        if configured:
            self.path = ((top or repository.git_dir) / Path(configured).expanduser()).resolve()
        else:
            self.path = (common / "hooks").resolve()  # some make it a link to a folder for all repositories
        own = (common, *((top.resolve(),) if top is not None else ()))
        self.shared = not any(self.path.is_relative_to(folder) for folder in own)

    def hook(self, name: str) -> Hook:
        """How things stand with one hook."""
        path, kept = self.path / name, self.path / f"{name}{_KEPT}"
        lines = _lines(path)
        ours = lines is not None and _MARK in lines
        installed = lines is not None and ours and (not self.shared or self._for in lines)
        gone = _gone(lines) if lines is not None and installed else ""
        return Hook(
            name, path, installed, lines is not None and not ours, kept if os.path.lexists(kept) else None, gone
        )

    def install(self, name: str, python: str) -> Hook:
        """Put our file there, or renew it; ``python`` is the interpreter that has the program.

        RepositoryError where another hook stands there although one is kept already, and for a name that no script
        can hold.
        """
        if self.shared and "\n" in self._for:  # the script would run what follows
            raise RepositoryError(f"{self.path} is shared, and the name of this repository has a line break; rename it")
        hook = self.hook(name)
        self.path.mkdir(parents=True, exist_ok=True)
        if hook.foreign:
            if hook.kept is not None:
                raise RepositoryError(
                    f"{hook.path} is another program's, and {hook.kept} is kept from before; remove one of the two"
                )
            hook.path.rename(self.path / f"{name}{_KEPT}")
        users = self._users(hook.path) | ({self._for} if self.shared else set())
        _write(hook.path, _script(name, python, users))
        return self.hook(name)

    def uninstall(self, name: str) -> bool:
        """Take our file away and put back what stood there; whether there was anything to do.

        From a shared folder it goes with the last repository that asked for it.
        """
        hook = self.hook(name)
        if not hook.installed:
            return False
        others = self._users(hook.path) - {self._for}
        if others:
            lines = hook.path.read_text("utf-8", "surrogateescape").splitlines(keepends=True)
            _write(hook.path, "".join(line for line in lines if line.rstrip("\n") != self._for))
        elif hook.kept is not None:
            hook.kept.replace(hook.path)
        else:
            hook.path.unlink()
        return True

    def _users(self, path: Path) -> set[str]:
        """The lines for the repositories that asked for the hook in a shared folder."""
        lines = _lines(path) or []
        return {line for line in lines if line.startswith(_FOR)} if _MARK in lines else set()


def _lines(path: Path) -> list[str] | None:
    """The lines of a hook, None where there is none. A link is another's, wherever it leads."""
    if path.is_symlink():
        return []
    if not path.exists():
        return None
    return path.read_bytes().decode("utf-8", "surrogateescape").split("\n")


def _gone(lines: list[str]) -> str:
    """The interpreter that a script of ours names, if it cannot be run."""
    commands = [line.rpartition("| ")[2] for line in lines if _RUN in line]
    python = shlex.split(commands[0])[0] if commands else ""
    return "" if os.access(python, os.X_OK) else python


def _script(name: str, python: str, users: set[str]) -> str:
    push = name == "pre-push"
    return _SCRIPT.format(
        mark=_MARK,
        for_lines="".join(f"{line}\n" for line in sorted(users)),
        before=(_BEFORE_PUSH if push else _BEFORE).format(kept=f"{name}{_KEPT}"),
        only_for=_ONLY_FOR.format(for_=_FOR) if users else "",
        pipe='printf %s "$told" | ' if push else "",
        python=shlex.quote(python),
        run=_RUN,
        hook=name,
        block=BLOCK,
    )


def _write(path: Path, text: str) -> None:
    """Put the whole file there at once: git may be about to run it."""
    handle, name = tempfile.mkstemp(prefix=".reviewer-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8", "surrogateescape"))
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o777 & ~umask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
