# SPDX-License-Identifier: GPL-2.0-or-later
"""The manual page in man(7), made of what ``--help`` says."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator, Mapping

from reviewer import __version__

_FILES = (
    (".reviewer/ignore", "in the kernel tree: findings that are known and not to be told"),
    ("~/.config/reviewer/ignore", "the same for all trees; below $XDG_CONFIG_HOME if that is set"),
    ("~/.local/share/reviewer/drafts", "the drafted replies; below $XDG_DATA_HOME if that is set"),
    ("~/.cache/reviewer", "what was learned of trees, safe to delete; below $XDG_CACHE_HOME if that is set"),
)
_STATUS = (
    ("0", "nothing found"),
    ("1", "a bug or a question was found"),
    ("2", "the command line or the configuration makes no sense, or there is no commit in the range"),
    ("3", "something could not be done; the report or standard error says what"),
    ("130", "interrupted"),
)
_SEE_ALSO = "git-config(1), git-send-email(1), githooks(5), b4(1)"


def manual(parser: argparse.ArgumentParser, settings: Mapping[str, str]) -> str:
    """The page of a program whose commands are subparsers; ``settings`` are keys of git config and what they do."""
    commands = list(_commands(parser))
    lines = [
        f'.TH {_quoted(parser.prog.upper())} 1 "" {_quoted(f"{parser.prog} {__version__}")}',
        ".nh",  # options and paths are there to be copied
        ".ad l",
        ".SH NAME",
        f"{parser.prog} \\- second pair of eyes on Linux kernel patches",
        ".SH SYNOPSIS",
        *(line for command, _ in commands for line in _synopsis(command)),
        ".SH DESCRIPTION",
        _text(parser.description or ""),
        ".SH COMMANDS",
    ]
    for command, about in commands:
        lines += [f".SS {_quoted(command.prog)}", _text(command.description or about)]
        for action in command._actions:  # argparse has no public way to them
            if not isinstance(action, argparse._HelpAction | argparse._SubParsersAction):
                lines += _definition(_invocation(action), action.help or "")
        lines += [".PP", _text(command.epilog)] if command.epilog else []
    lines += _definitions("SETTINGS", settings.items())
    lines += _definitions("EXIT STATUS", _STATUS)
    lines += _definitions("FILES", _FILES)
    lines += [".SH SEE ALSO", _text(_SEE_ALSO)]
    return "\n".join(lines) + "\n"


def _commands(parser: argparse.ArgumentParser) -> Iterator[tuple[argparse.ArgumentParser, str]]:
    """The commands with what the list of commands says of them, those of commands behind them."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            about = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, command in action.choices.items():
                yield command, about.get(name, "")
                yield from _commands(command)


def _synopsis(command: argparse.ArgumentParser) -> Iterator[str]:
    """The forms of the usage, each with a hanging indent."""
    usage = command.format_usage().removeprefix("usage: ")
    for form in re.split(rf"\n\s*(?={re.escape(command.prog)} )", usage):
        words = " ".join(form.split()).removeprefix(command.prog).strip()
        yield from (".HP", f"\\fB{_text(command.prog)}\\fR {_text(words)}")


def _invocation(action: argparse.Action) -> str:
    value = action.metavar if isinstance(action.metavar, str) else (action.dest if action.nargs != 0 else "")
    if not action.option_strings:
        return f"\\fI{_text(value)}\\fR"
    takes = f" \\fI{_text(value)}\\fR" if action.nargs != 0 and value else ""
    return ", ".join(f"\\fB{_text(option)}\\fR{takes}" for option in action.option_strings)


def _definitions(heading: str, rows: Iterable[tuple[str, str]]) -> list[str]:
    return [f".SH {heading}", *(line for name, about in rows for line in _definition(f"\\fB{_text(name)}\\fR", about))]


def _definition(term: str, about: str) -> list[str]:
    return [".TP", term, _text(about)]


def _text(text: str) -> str:
    """Text as it is: no escape, no request, and dashes that can be copied."""
    escaped = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


def _quoted(text: str) -> str:
    return '"{}"'.format(_text(text).replace('"', "\\(dq"))
