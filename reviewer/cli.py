# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: which command runs, and what its exceptions mean to the shell.

Exit status: 0 nothing found, 1 findings, 2 usage, 3 could not do the job, 130 interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import os
import re
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, Final, NoReturn

from reviewer import __version__
from reviewer.commands.arguments import fitting, given
from reviewer.commands.stdout import reader_may_leave, write_data
from reviewer.config import Options, load_options
from reviewer.errors import CheckError, DraftError, FetchError, RepositoryError, ReviewerError, SeriesError, UsageError
from reviewer.model import Problem
from reviewer.report.data import failure, to_json
from reviewer.report.plain import clean
from reviewer.wording import did_you_mean

OK: Final = 0
USAGE: Final = 2
FAILED: Final = 3
INTERRUPTED: Final = 130
_TERMINATED: Final = 128 + signal.SIGTERM

# What a report calls the step in which an exception ended the run.
_STAGES: Final[tuple[tuple[type[ReviewerError], str], ...]] = (
    (FetchError, "fetch"),
    (SeriesError, "series"),
    (RepositoryError, "repository"),
    (CheckError, "checks"),
    (DraftError, "drafts"),
    (UsageError, "usage"),
)
_COMMANDS = (
    "review",
    "check",
    "context",
    "splat",
    "drafts",
    "rules",
    "index",
    "hook",
    "doctor",
    "b4-check",
    "b4-review",
    "b4-setup",
    "demo",
    "completion",
    "man",
)
# The words in argparse's errors that it does not know.
_WRONG: Final = re.compile(r"(?<=choice: ')[^']+(?=')|(?<=')[^']+(?=' is none of )|(?<!\S)--?[a-z][\w-]*(?:=\S*)?")
_OF_ALL = ("completion", "man")  # those that are about all commands


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the result is the exit status."""
    _open_closed_streams()
    with _terminable():
        return _main(argv)


def _open_closed_streams() -> None:
    """Python has None for a stream that was closed by who started it: what is written there is to go nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))


def _main(argv: Sequence[str] | None) -> int:
    arguments = argparse.Namespace()
    status: int = OK
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a locale without the letter is no reason to fail
    try:
        try:
            words = sys.argv[1:] if argv is None else argv
            _parser(next(iter(words), "")).parse_args(words, namespace=arguments)
        except SystemExit as leaving:  # argparse has printed help or what is wrong
            return leaving.code if isinstance(leaving.code, int) else USAGE
        _stand_somewhere()
        asked = given(arguments)
        configured = not getattr(arguments, "without_settings", False)
        options = fitting(load_options(asked) if configured else Options(**asked), arguments)
        arguments.format, arguments.chosen = options.format, "format" in asked
        with reader_may_leave():
            status = arguments.run(arguments, options)
    except KeyboardInterrupt:
        print("reviewer: interrupted", file=sys.stderr)
        return INTERRUPTED
    except ReviewerError as error:
        stage = next((name for kind, name in _STAGES if isinstance(error, kind)), "review")
        return _fail(arguments, stage, str(error), error.exit_code)
    except OSError as error:
        what = f"{error.filename}: " if error.filename is not None else ""
        return _fail(arguments, "system", f"{what}{error.strerror or error}", FAILED)
    except ImportError as error:
        return _fail(arguments, "system", f"a part of the program cannot be loaded: {error}; install it again", FAILED)
    except RecursionError:
        return _fail(arguments, "internal", "the input is nested too deeply to be read", FAILED)
    except Exception as error:  # the last place that can keep a traceback from the user
        return _fail(arguments, "internal", _describe(error, bool(getattr(arguments, "debug", False))), FAILED)
    return status


def _stand_somewhere() -> None:
    """RepositoryError where the current directory was removed, which git and paths relative to it need."""
    try:
        Path.cwd()
    except FileNotFoundError:
        raise RepositoryError(
            "looked for the current directory: it was removed; change to one that exists, then run this again"
        ) from None


def _fail(arguments: argparse.Namespace, stage: str, message: str, status: int) -> int:
    """Say what went wrong, on stderr and, where data was asked for, as data."""
    report = failure([Problem(stage, "", message)])
    with contextlib.suppress(OSError):  # stdout may be what failed; stderr still says so
        match getattr(arguments, "format", None):
            case "json":
                write_data(to_json(report))
            case "sarif":  # imported here, as it brings all of what checks are made of
                write_data(importlib.import_module("reviewer.report.sarif").to_sarif(report, ()))
    sys.stderr.write(f"reviewer: {clean(message)}\n")
    return status


def _describe(error: Exception, debug: bool) -> str:
    if debug:
        return "".join(traceback.format_exception(error))
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"internal error: {type(error).__name__}: {error} ({Path(frame.filename).name}:{frame.lineno}); "
        "--debug shows where it came from"
    )


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM unwind the stack, so that temporary folders with mail in them are removed."""

    def leave(_signal: int, _frame: FrameType | None) -> None:
        sys.exit(_TERMINATED)

    try:
        before = signal.signal(signal.SIGTERM, leave)
    except ValueError:  # not in the main thread: signals are somebody else's
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _commands(first: str) -> tuple[ModuleType, ...]:
    """The modules of the commands: only that of the ``first`` word where it is one, as loading the others takes time.

    They are imported here: an import that fails, for instance GitPython without a git, is to end in _main's hands.
    """
    names = (first,) if first in _COMMANDS and first not in _OF_ALL else _COMMANDS
    return tuple(importlib.import_module(f"reviewer.commands.{name.replace('-', '_')}") for name in names)


class _Parser(argparse.ArgumentParser):
    """Its errors say what may have been meant, and where the help is."""

    _intermixed = False

    def error(self, message: str) -> NoReturn:
        known = {*self._words()}
        wrong = [word.partition("=")[0] for word in _WRONG.findall(message)]
        hint = next(filter(None, (did_you_mean(word, known) for word in wrong if word not in known)), "")
        super().error(f"{message}{hint}\n{self.prog} --help says more")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse does it, but options may stand between the arguments, and what is unknown is an error here.

        argparse would leave it to the program's parser to say so, which knows nothing of the command. That one would
        miss the command where an option before it is misspelt.
        """
        first = args[0] if args and self._subparsers is not None else ""
        if first.startswith("-") and not any(word.startswith(first) for word in self._option_string_actions):
            self.error(f"unrecognized arguments: {first}")
        if self._intermixed or self._subparsers is not None or args is None or "--" in args:
            found, unknown = super().parse_known_args(args, namespace)
        else:
            self._intermixed = True  # what is called next calls this once for options and once for arguments
            try:
                found, unknown = self.parse_known_intermixed_args(args, namespace)
            finally:
                self._intermixed = False
        if unknown and not self._intermixed:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown

    def _words(self) -> Iterator[str]:
        """Commands, options and choices."""
        for action in self._actions:
            yield from action.option_strings
            yield from map(str, action.choices or ())


def _parser(first: str) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="reviewer",
        description="Reviews Linux kernel patches: the context a change runs in, the rules it breaks, and the reply.",
        epilog="Settings: git config reviewer.<option>. Exit status: 0 nothing found, 1 findings, 2 usage, "
        "3 could not do the job, 130 interrupted.",
    )
    parser.add_argument("--version", action="version", version=f"reviewer {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for module in _commands(first):
        module.add_parser(subparsers)
    for command in subparsers.choices.values():
        command.set_defaults(program=parser)
        command.add_argument("--debug", action="store_true", help="show where an internal error came from")
    return parser
