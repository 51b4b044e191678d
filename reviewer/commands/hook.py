# SPDX-License-Identifier: GPL-2.0-or-later
"""``reviewer hook``: have git ask before it commits, pushes, applies or sends."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from typing import Any, Final

from reviewer.commands.arguments import add_options
from reviewer.commands.gate import judge
from reviewer.config import Options
from reviewer.errors import UsageError
from reviewer.report.plain import clean_path
from reviewer.tree.hooks import HOOKS, Hook, HookFolder
from reviewer.tree.repository import Repository
from reviewer.wording import counted

_FLAGS: Final = dict(zip(("--pre-commit", "--pre-push", "--applypatch", "--send-email"), HOOKS, strict=True))
_ABOUT: Final = {
    "pre-commit": "review what is staged before git commit records it",
    "pre-push": "review the new commits before git push sends them",
    "pre-applypatch": "review each patch before git am (b4 shazam) commits it",
    "sendemail-validate": "review each patch before git send-email sends it",
}


def add_parser(subparsers: Any) -> None:
    """Describe the command to argparse."""
    parser = subparsers.add_parser(
        "hook",
        help="review what git commits, pushes, applies or sends, in its hooks",
        description="Git hooks for the repository. A hook that exists already is kept beside the new one and runs "
        "first. Findings stop git and say how to go on; a failure of the program itself does not, unless "
        "git config reviewer.hookStrict is set.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for word, what, action in (
        ("install", "install the hooks (default: all four)", _install),
        ("uninstall", "remove the hooks and restore what was there before (default: all four)", _uninstall),
    ):
        command = commands.add_parser(word, help=what, description=f"{what.capitalize()}.")
        for flag, name in _FLAGS.items():
            command.add_argument(flag, dest="hooks", action="append_const", const=name, help=_ABOUT[name])
        add_options(command, "repo")
        command.set_defaults(run=action)
    command = commands.add_parser(
        "status", help="show which hooks are installed", description="Show which hooks are installed."
    )
    add_options(command, "repo")
    command.set_defaults(run=_status)
    command = commands.add_parser(
        "run",
        help="do what the hook does",
        description="Does what git would have the hook do, with the arguments and the standard input that githooks(5) "
        "gives it. Run by hand, 'reviewer hook run pre-commit' reviews what is staged.",
        epilog="Exit status: 1 if there is a bug or a question, 0 if not; 2 usage; 3 something could not be done.",
    )
    command.add_argument("hook_name", metavar="HOOK", choices=HOOKS, help=", ".join(HOOKS))
    command.add_argument("arguments", metavar="ARGUMENT", nargs="*", help="as git gives them")
    add_options(command, "repo")
    command.set_defaults(run=_run)


def _install(arguments: argparse.Namespace, options: Options) -> int:
    with closing(Repository.open(options.repo, options.cache_dir)) as repository:
        folder = HookFolder(repository)
        for name in _chosen(arguments):
            _tell(folder.install(name, sys.executable))
        if folder.shared:
            sys.stdout.write(f"{clean_path(str(folder.path))} is shared: the hooks review in this repository alone.\n")
    return 0


def _uninstall(arguments: argparse.Namespace, options: Options) -> int:
    with closing(Repository.open(options.repo, options.cache_dir)) as repository:
        folder = HookFolder(repository)
        for name in _chosen(arguments):
            folder.uninstall(name)
            _tell(folder.hook(name))
    return 0


def _status(_arguments: argparse.Namespace, options: Options) -> int:
    with closing(Repository.open(options.repo, options.cache_dir)) as repository:
        folder = HookFolder(repository)
        for name in HOOKS:
            _tell(folder.hook(name))
    if not options.hook:
        sys.stdout.write("git config reviewer.hook is off: they do nothing.\n")
    elif options.hook_strict:
        sys.stdout.write("git config reviewer.hookStrict is on: they stop git also where they cannot do their job.\n")
    return 0


def _run(arguments: argparse.Namespace, options: Options) -> int:
    words: Sequence[str] = arguments.arguments
    least, most = {"pre-push": (0, 2), "sendemail-validate": (1, 2)}.get(arguments.hook_name, (0, 0))
    if not least <= len(words) <= most:
        raise UsageError(
            f"{arguments.hook_name} was given {counted(len(words), 'argument')}; githooks(5) says which ones there are"
        )
    return judge(arguments.hook_name, words, options) if options.hook else 0


def _chosen(arguments: argparse.Namespace) -> tuple[str, ...]:
    return tuple(dict.fromkeys(arguments.hooks)) if arguments.hooks else HOOKS


def _tell(hook: Hook) -> None:
    if hook.installed:
        state = clean_path(str(hook.path))
        if hook.kept is not None:
            state += f", which runs {clean_path(hook.kept.name)} first"
        if hook.gone:
            state += f"; it does nothing, as {clean_path(hook.gone)} is gone: reviewer hook install"
    else:
        state = "not installed"
        if hook.foreign:
            state += f"; {clean_path(str(hook.path))} is another program's"
    sys.stdout.write(f"{hook.name:<20}{state}\n")
