# SPDX-License-Identifier: GPL-2.0-or-later
"""What the program needs from the machine it runs on: what is there, what is missing, and how to get it."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import Final

from reviewer.cache import open_store
from reviewer.config import Options, data_dir
from reviewer.errors import RepositoryError, ReviewerError
from reviewer.ignore import TREE_FILE, entries_of_tree, entries_of_user
from reviewer.mail.fetch import fetch
from reviewer.mail.outbox import stored
from reviewer.registry import load_checks
from reviewer.silencing import without_check, without_effect
from reviewer.source.upkeep import contents
from reviewer.tree.configuration import Configuration, read_configuration
from reviewer.tree.hooks import HOOKS, HookFolder
from reviewer.tree.repository import Repository
from reviewer.tree.runner import Runner
from reviewer.wording import counted

_OLDEST_GIT: Final = (2, 39)
_LITTLE_ROOM: Final = 1 << 30  # bytes; the cache of one kernel tree has about a third of it
_GIGABYTE: Final = 1_000_000_000
_MEGABYTE: Final = 1_000_000
_SENDMAIL: Final = ("/usr/sbin/sendmail", "/usr/lib/sendmail")  # where git-send-email(1) looks, before PATH
_PROBE: Final = b"From: a@example.org\nSubject: [PATCH] x\nMessage-ID: <x@example.org>\n\n-- \n"


class State(StrEnum):
    """Whether all is well with one thing, or well enough, or something cannot be done for want of it."""

    GOOD = "ok"
    NOTE = "note"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Row:
    """How things stand with ``name``. ``advice`` are commands or sentences that say what to do."""

    name: str
    state: State
    told: str
    advice: tuple[str, ...] = ()


def examine(options: Options, problem: str) -> Iterator[Row]:
    """One row after the other, as each may take a moment. ``problem`` is what is wrong with the settings, if anything.

    Asks no server, and writes nothing but the cache's own file.
    """
    git = _git()
    yield git
    yield _settings(problem)
    if git.state is State.MISSING:  # everything else is asked of it
        return
    yield _mail_reader()
    try:
        repository = Repository.open(options.repo, options.cache_dir)
    except ReviewerError as error:
        yield Row(
            "tree",
            State.MISSING,
            str(error),
            ("git clone https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git",),
        )
        try:
            configuration = read_configuration(Runner(cwd=Path.cwd()))
        except RepositoryError:  # a broken file, as the row before has said
            return
        yield from _elsewhere(options, configuration)
        return
    with closing(repository):
        yield _guarded("tree", lambda: _tree(repository))
        yield from _elsewhere(options, repository.configuration)
        if repository.knows("HEAD"):
            yield _guarded("silenced", lambda: _silenced(options, repository))
        yield _guarded("hooks", lambda: _hooks(options, repository))


def _elsewhere(options: Options, configuration: Configuration) -> Iterator[Row]:
    """What does not depend on the tree."""
    yield _guarded("cache", lambda: _cache(options))
    yield _guarded("checks", lambda: _checks(options))
    yield _identity(configuration)
    yield _sender(configuration)
    yield _guarded("drafts", lambda: _drafts(options))


def _guarded(name: str, look: Callable[[], Row]) -> Row:
    try:
        return look()
    except ReviewerError as error:
        return Row(name, State.MISSING, str(error))
    except OSError as error:
        return Row(name, State.MISSING, f"{error.filename}: {error.strerror}")


def _git() -> Row:
    advice = ("sudo apt install git, or what your distribution calls it; 2.39 or newer",)
    try:
        told = Runner(cwd=Path("/")).run("version").stdout.decode("ascii", "replace").strip()
    except RepositoryError as error:
        return Row("git", State.MISSING, str(error), advice)
    found = re.search(r"(\d+)\.(\d+)\S*", told)
    if found is None or (int(found[1]), int(found[2])) < _OLDEST_GIT:
        return Row("git", State.MISSING, f"{told} is too old", advice)
    return Row("git", State.GOOD, found[0])


def _settings(problem: str) -> Row:
    if problem:
        return Row("settings", State.MISSING, problem)
    return Row("settings", State.GOOD, "all of git config reviewer.* can be read")


def _mail_reader() -> Row:
    """Read a mail as reviews do, with b4 in its child process."""
    advice = ("install the program again: its environment is not whole",)
    try:
        version = metadata.version("b4")
        with tempfile.NamedTemporaryFile(prefix="reviewer-", suffix=".eml") as file:
            file.write(_PROBE)
            file.flush()
            fetch(file.name, offline=True)
    except metadata.PackageNotFoundError:
        return Row("b4", State.MISSING, "is not installed beside the program: no mail can be read", advice)
    except ReviewerError as error:
        return Row("b4", State.MISSING, str(error), advice)
    return Row("b4", State.GOOD, f"{version}, reads mail")


def _tree(repository: Repository) -> Row:
    if not repository.knows("HEAD"):
        told = f"{repository.git_dir}: there is no commit at HEAD yet, so that there is nothing to review against"
        return Row("tree", State.MISSING, told, ("git switch BRANCH, git fetch, or name a kernel tree with --repo",))
    head = repository.resolve("HEAD")
    where = f"{repository.git_dir}: "
    files = repository.snapshot(repository.tree_of(head), head)
    makefile = (files.read("Makefile") or b"").decode("utf-8", "replace")
    numbers = dict(re.findall(r"^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION) *= *(\S*)$", makefile, re.MULTILINE))
    if not numbers.get("VERSION") or not files.exists("include/linux"):
        return Row(
            "tree",
            State.NOTE,
            f"{where}HEAD is not a Linux kernel: rules are quoted from the kernel's own documents, and calls are "
            "followed through its headers",
            ("go to a kernel tree, or name one with --repo",),
        )
    parts = [numbers[part] for part in ("VERSION", "PATCHLEVEL", "SUBLEVEL") if numbers.get(part)]
    told = f"{where}Linux {'.'.join(parts)}{numbers.get('EXTRAVERSION', '')} at {head[:12]}"
    if repository.shallow:
        deepen = "git fetch --unshallow"
        return Row("tree", State.NOTE, f"{told}; a shallow clone, which lacks the bases of older series", (deepen,))
    if repository.partial:
        return Row("tree", State.NOTE, f"{told}; a partial clone: what a review needs is fetched each time")
    return Row("tree", State.GOOD, told)


def _cache(options: Options) -> Row:
    if not options.cache:
        return Row("cache", State.NOTE, "switched off by git config reviewer.cache: every review starts anew")
    advice = ("git config --global reviewer.cacheDir DIR, or set XDG_CACHE_HOME",)
    try:
        with closing(open_store(options)) as store:
            found = contents(store)
    except ReviewerError as error:
        return Row("cache", State.NOTE, f"{error}; reviews do without, which takes longer", advice)
    free = shutil.disk_usage(options.cache_dir).free
    told = f"{options.cache_dir}: {found.size / _MEGABYTE:.1f} MB, {free / _GIGABYTE:.1f} GB free"
    if free < _LITTLE_ROOM:
        return Row("cache", State.NOTE, told, ("reviewer index --prune, or another place:", *advice))
    if not found.blobs:
        return Row("cache", State.GOOD, f"{told}; empty, so that the first review takes longer", ("reviewer index",))
    return Row("cache", State.GOOD, told)


def _checks(options: Options) -> Row:
    checks = load_checks([data_dir("checks"), *options.checks_dirs])
    chosen = load_checks([data_dir("checks"), *options.checks_dirs], options.checks, options.areas)
    off = len(checks) - len(chosen)
    return Row("checks", State.GOOD, f"{len(chosen)}{f', {off} more switched off' if off else ''}")


def _identity(configuration: Configuration) -> Row:
    name, email = configuration.get("user.name"), configuration.get("user.email")
    if name and email:
        return Row("identity", State.GOOD, f"{name} <{email}>")
    lacking = [(key, example) for key, example, value in _identities(name, email) if not value]
    return Row(
        "identity",
        State.MISSING,
        f"git does not know your {' and '.join(key.removeprefix('user.') for key, _ in lacking)}: "
        "no reply can be written in your name",
        tuple(f"git config --global {key} '{example}'" for key, example in lacking),
    )


def _identities(name: str | None, email: str | None) -> tuple[tuple[str, str, str | None], ...]:
    return (("user.name", "Your Name", name), ("user.email", "you@example.org", email))


def _sender(configuration: Configuration) -> Row:
    folder = Runner(cwd=Path("/")).run("--exec-path").stdout.decode("utf-8", "surrogateescape").rstrip("\n")
    if not (Path(folder) / "git-send-email").exists() and shutil.which("git-send-email") is None:
        return Row(
            "sending",
            State.NOTE,
            "git send-email is not installed: drafts are written, and have to be sent in another way",
            ("sudo apt install git-email, or what your distribution calls it",),
        )
    server = [one.value for one in configuration.matching(r"sendemail\.(.*\.)?(smtpserver|sendmailcmd)") if one.value]
    if server:
        return Row("sending", State.GOOD, f"git send-email, through {server[-1]}")
    program = next((path for path in (*_SENDMAIL, shutil.which("sendmail")) if path and Path(path).exists()), None)
    if program is not None:
        return Row("sending", State.GOOD, f"git send-email, through {program}")
    return Row(
        "sending",
        State.NOTE,
        "git send-email does not know how to send: drafts are written, and `reviewer drafts send` would fail",
        ("git config --global sendemail.smtpServer HOST; git-send-email(1) has examples",),
    )


def _drafts(options: Options) -> Row:
    folder = options.drafts
    waiting = len(stored(folder)) if folder.is_dir() else 0
    place = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=place):
            return Row("drafts", State.GOOD, f"{folder}: {waiting}")
    except OSError as error:
        told = f"{folder}: cannot be written ({error.strerror})"
        return Row("drafts", State.MISSING, told, ("git config --global reviewer.output DIR, or set XDG_DATA_HOME",))


def _silenced(options: Options, repository: Repository) -> Row:
    head = repository.resolve("HEAD")
    of_tree, wrong = entries_of_tree(repository.snapshot(repository.tree_of(head), head))
    own = entries_of_user(options.ignore_file)
    if wrong:
        return Row("silenced", State.MISSING, "; ".join(f"{one.path}: {one.message}" for one in wrong))
    told = f"{counted(len(of_tree), 'entry', 'entries')} in {TREE_FILE}, {len(own)} in {options.ignore_file}"
    checks = load_checks([data_dir("checks"), *options.checks_dirs])
    notes = (*without_check((*of_tree, *own), checks, options), *without_effect(repository, of_tree, head, (), options))
    return Row("silenced", State.NOTE if notes else State.GOOD, told, notes)


def _hooks(options: Options, repository: Repository) -> Row:
    folder = HookFolder(repository)
    found = [folder.hook(name) for name in HOOKS]
    there = [hook.name for hook in found if hook.installed]
    gone = sorted({hook.gone for hook in found if hook.gone})
    if gone:
        told = f"{', '.join(there)}: they review nothing, as {gone[0]} is gone"
        return Row("hooks", State.MISSING, told, ("reviewer hook install",))
    if not there:
        return Row("hooks", State.GOOD, "none", ("reviewer hook install has git ask for a review",))
    return Row("hooks", State.GOOD, ", ".join(there) + ("" if options.hook else "; switched off by reviewer.hook"))
