# SPDX-License-Identifier: GPL-2.0-or-later
"""Options, and where they come from: the command line, then git config ``[reviewer]``, then the defaults below.

Configuration is read with ``git config``, so that global, system and repository files, includes and
``git -c`` work as git users expect. Files of the tree under review are never configuration.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from reviewer.errors import NO_GIT, RepositoryError, UsageError
from reviewer.model import Severity
from reviewer.selection import checked

FORMATS: Final = ("text", "diff", "json", "sarif", "gcc")

# What git itself drops when it turns to another repository than the one that the environment names.
_REPOSITORY_VARIABLES: Final = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
)


def _home() -> Path:
    """The user's home folder, also where ``HOME`` is unset or empty; UsageError if there is none."""
    home = os.environ.get("HOME")
    if home and os.path.isabs(home):
        return Path(home)
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        raise UsageError(
            "looked for a home folder to keep data in: HOME is not set and the user is not in the password "
            "database; set HOME, or XDG_CACHE_HOME and XDG_DATA_HOME"
        ) from None


def _xdg(variable: str, fallback: str) -> Path:
    # The XDG base directory specification has relative values ignored.
    value = os.environ.get(variable, "")
    return (Path(value) if os.path.isabs(value) else _home() / fallback) / "reviewer"


def default_cache() -> Path:
    """``$XDG_CACHE_HOME/reviewer``: safe to delete at any time."""
    return _xdg("XDG_CACHE_HOME", ".cache")


def default_output() -> Path:
    """``$XDG_DATA_HOME/reviewer/drafts``: where drafts go unless ``--output`` says otherwise."""
    return _xdg("XDG_DATA_HOME", ".local/share") / "drafts"


def default_ignore() -> Path:
    """``$XDG_CONFIG_HOME/reviewer/ignore``: what the user does not want to be told."""
    return _xdg("XDG_CONFIG_HOME", ".config") / "ignore"


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for.

    ``repo`` None is the repository one stands in. ``output`` None is ``default_output()``. ``html`` is
    the page to write, if any. ``checks`` are globs over
    check ids, ``areas`` are areas of checks and ``within`` patterns for the paths of findings, all three as
    ``selection`` reads them; ``checks_dirs`` are the user's own folders of checks. ``lore`` None leaves the server to
    b4's own configuration. ``cache`` False keeps nothing of the mail or the tree after the run. ``branches`` are
    tried for a series that names no base, newest first. ``earlier`` compares a series with its earlier revisions.
    ``hook`` False has git hooks do nothing, ``hook_strict`` has them stop git also where they cannot do their job.
    ``ignore_file`` need not exist, as git's ``core.excludesFile`` need not. ``template_dir`` is the user's folder of
    templates for mails, None for the program's own.
    """

    repo: Path | None = None
    base: str | None = None
    format: str = "text"
    output: Path | None = None
    html: Path | None = None
    checks: str = "*"
    areas: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    severity: Severity = Severity.QUESTION
    lore: str | None = None
    attestation: bool = False
    inline_diff: bool = False
    three_way: bool = True
    offline: bool = False
    earlier: bool = True
    cache: bool = True
    quiet: bool = False
    verbose: bool = False
    show_pre_existing: bool = False
    show_silenced: bool = False
    hook: bool = True
    hook_strict: bool = False
    branches: tuple[str, ...] = ()
    checks_dirs: tuple[Path, ...] = ()
    cache_dir: Path = field(default_factory=default_cache)
    ignore_file: Path = field(default_factory=default_ignore)
    template_dir: Path | None = None

    @property
    def annotate(self) -> bool:
        """Whether the context of each line of a diff is asked for."""
        return self.format == "diff" or self.html is not None

    @property
    def drafts(self) -> Path:
        """The folder for drafts."""
        return self.output if self.output is not None else default_output()


def data_dir(name: str) -> Path:
    """The folder of ``checks`` or ``templates``: the one in the package if it was installed, else the checkout's."""
    package = Path(__file__).resolve().parent
    folders = [package / "_bundled" / name]
    if (package.parent / "pyproject.toml").is_file():  # beside an installed package lie other projects' folders
        folders.append(package.parent / name)
    for folder in folders:
        if folder.is_dir() and any(entry.is_file() for entry in folder.iterdir()):
            return folder
    raise RepositoryError(
        f"looked for the folder {name!r} inside {package} and beside it: neither is there; install the program again"
    )


def git_environment(repo: Path | None) -> dict[str, str]:
    """The environment for a git command that is to work on ``repo``.

    A named repository wins over ``GIT_DIR`` and its like, which git sets for hooks and aliases.
    """
    environment = dict(os.environ)
    if repo is not None:
        for name in _REPOSITORY_VARIABLES:
            environment.pop(name, None)
    return environment


def read_git_config(repo: Path | None = None) -> dict[str, tuple[str, ...]]:
    """All values of ``reviewer.*`` in git config, by lower-case key without the section, in git's order.

    RepositoryError if git is missing or cannot read its configuration.
    """
    command = ["git", *(["-C", str(repo)] if repo else []), "config", "--null", "--get-regexp", r"^reviewer\."]
    try:
        done = subprocess.run(
            command, capture_output=True, check=False, stdin=subprocess.DEVNULL, env=git_environment(repo)
        )
    except FileNotFoundError:
        raise RepositoryError(NO_GIT) from None
    if done.returncode == 1:  # no such key
        return {}
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise RepositoryError(f"tried to read git's configuration: {said or 'git config failed'}")
    values: dict[str, tuple[str, ...]] = {}
    for entry in done.stdout.decode(errors="surrogateescape").split("\0"):
        if not entry:
            continue
        # A key without "=" in the file has no newline here and means "true", as it does for git.
        key, separator, value = entry.partition("\n")
        name = key.removeprefix("reviewer.")
        values[name] = (*values.get(name, ()), value if separator else "true")
    return values


def _boolean(value: str) -> bool:
    lowered = value.lower()
    if lowered in {"true", "yes", "on", "1"}:
        return True
    if lowered in {"false", "no", "off", "0", ""}:
        return False
    raise ValueError("is neither true nor false")


def _format(value: str) -> str:
    if value not in FORMATS:
        raise ValueError(f"is none of {', '.join(FORMATS)}")
    return value


def read_severity(value: str) -> Severity:
    """The severity called so; ValueError says which ones there are."""
    try:
        return Severity(value)
    except ValueError:
        raise ValueError(f"is none of {', '.join(Severity)}") from None


def _path(value: str) -> Path:
    if not value:
        raise ValueError("is empty")
    if value == "~" or value.startswith("~/"):
        return _home() / value[2:]
    return Path(value)


# git config key -> field of Options, and how one value is read. Several values: the last one wins, as in git.
_SINGLE: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = {
    "base": ("base", str),
    "format": ("format", _format),
    "output": ("output", _path),
    "checks": ("checks", checked),
    "severity": ("severity", read_severity),
    "lore": ("lore", str),
    "attestation": ("attestation", _boolean),
    "inlinediff": ("inline_diff", _boolean),
    "threeway": ("three_way", _boolean),
    "offline": ("offline", _boolean),
    "earlier": ("earlier", _boolean),
    "cache": ("cache", _boolean),
    "cachedir": ("cache_dir", _path),
    "ignorefile": ("ignore_file", _path),
    "templatedir": ("template_dir", _path),
    "showpreexisting": ("show_pre_existing", _boolean),
    "showsilenced": ("show_silenced", _boolean),
    "hook": ("hook", _boolean),
    "hookstrict": ("hook_strict", _boolean),
}
# Keys of which every value counts.
_MULTIPLE: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = {
    "areas": ("areas", checked),
    "branches": ("branches", str),
    "checksdir": ("checks_dirs", _path),
    "paths": ("within", checked),
}


def hooks_are_strict() -> bool:
    """``Options.hook_strict`` where the options cannot be had, for instance for another key; False if unknown."""
    try:
        return _boolean(read_git_config().get("hookstrict", ("",))[-1])
    except (RepositoryError, ValueError):
        return False


def configured() -> dict[str, str]:
    """The keys of git config ``[reviewer]``, in lower case as git lists them, and the fields of ``Options``."""
    return {key: field for key, (field, _) in (*_SINGLE.items(), *_MULTIPLE.items())}


def load_options(given: Mapping[str, Any]) -> Options:
    """Options from git config, overridden by what the command line has ``given`` (field name -> value).

    Unknown keys of the section are other programs' or other versions' and are left alone. UsageError names the key
    whose value makes no sense.
    """
    repo = given.get("repo")
    if repo is not None and not Path(repo).is_dir():
        raise UsageError(
            f"looked for a repository in {str(repo)!r}: there is no such folder; give --repo a git repository"
        )
    found: dict[str, Any] = {}
    for key, values in read_git_config(repo).items():
        table = _SINGLE if key in _SINGLE else _MULTIPLE
        if key not in table:
            continue
        name, read = table[key]
        try:
            found[name] = read(values[-1]) if table is _SINGLE else tuple(read(value) for value in values if value)
        except ValueError as error:
            raise UsageError(
                f"git config reviewer.{key}: {values[-1]!r} {error}; see git config --show-origin"
            ) from None
    return Options(**{**found, **given})
