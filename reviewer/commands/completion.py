# SPDX-License-Identifier: GPL-2.0-or-later
"""``reviewer completion SHELL``: the script by which a shell completes the command line."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any, Final

import shtab

from reviewer.commands.outcome import wanted_checks
from reviewer.commands.stdout import write_data
from reviewer.config import Options

_SHELLS: Final = ("bash", "zsh", "fish")
# Anybody whose branches were fetched has chosen names, and git allows $(...) in them. bash expands what it lists once
# more, so nothing may be in a name that means anything to a shell.
_NAMES: Final = "git rev-parse --symbolic --branches --remotes --tags 2>/dev/null | grep -xE '[A-Za-z0-9._/+-]+'"
_REVISION: Final = {
    "bash": "_reviewer_revisions",
    "zsh": "_reviewer_revisions",
    "fish": f"({_NAMES})",
    "preamble": {
        "bash": f'_reviewer_revisions() {{ compgen -W "$({_NAMES})" -- "$1"; }}',
        "zsh": f'_reviewer_revisions() {{ compadd -- ${{(f)"$({_NAMES})"}}; }}',
    },
}
# What the placeholders of the help stand for.
_KINDS: Final[dict[str, Any]] = {
    "DIR": shtab.DIRECTORY,
    "FILE": shtab.FILE,
    "PATH": shtab.FILE,
    "PLACE": shtab.FILE,
    "RANGE": _REVISION,
    "REV": _REVISION,
    "SOURCE": shtab.FILE,
}
_CHECKS: Final = ("GLOB", "ID")
# Where shtab's comments have the script put, and where the shells look for it without being told, as README says.
_PLACES: Final = (
    ("~/.local/share/bash_completion/", "~/.local/share/bash-completion/completions/"),
    ("~/.local/share/zsh_completion", "~/.zfunc"),
)


def add_parser(subparsers: Any) -> None:
    """Describe the command to argparse."""
    parser = subparsers.add_parser(
        "completion",
        help="print the completion script for bash, zsh or fish",
        description="Prints the script that lets a shell complete commands, options, checks, files and revisions. "
        "README says where each shell looks for it.",
    )
    parser.add_argument("shell", choices=_SHELLS, help="the shell")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, options: Options) -> int:
    """Print the script for what the command line has now."""
    checks = [check.id for check in wanted_checks(options)]
    for action in _actions(arguments.program):
        if isinstance(action.metavar, str) and action.metavar in _KINDS:
            action.complete = _KINDS[action.metavar]  # type: ignore[attr-defined]  # where shtab looks for it
        elif action.metavar in _CHECKS:
            action.choices = checks
    script = shtab.complete(arguments.program, shell=arguments.shell)
    for others, own in _PLACES:
        script = script.replace(others, own)
    write_data(f"{script}\n")
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:  # argparse has no public way to them
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
        else:
            yield action
