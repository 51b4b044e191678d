# SPDX-License-Identifier: GPL-2.0-or-later
"""``reviewer doctor``: is everything there, and if not, how to get it."""

from __future__ import annotations

import argparse
import sys
from typing import Any, Final

from rich.text import Text

from reviewer.commands.arguments import add_options, given
from reviewer.config import Options, load_options
from reviewer.errors import ReviewerError
from reviewer.health import Row, State, examine
from reviewer.report.data import CLEAN, FOUND
from reviewer.report.plain import clean_line
from reviewer.report.text import console_for

_STYLE: Final = {State.GOOD: "green", State.NOTE: "yellow", State.MISSING: "bold red"}


def add_parser(subparsers: Any) -> None:
    """Describe the command to argparse."""
    parser = subparsers.add_parser(
        "doctor",
        help="check the set-up: what is missing, and how to get it",
        description="Checks git, b4, the kernel tree, the cache, the checks, the mail set-up and the hooks, and says "
        "what to do about anything that is missing. Contacts no server.",
        epilog="Exit status: 0 if nothing is missing, 1 if something is.",
    )
    add_options(parser, "repo")
    # Settings that cannot be read are what it is to tell of, and no reason to stop.
    parser.set_defaults(run=run, without_settings=True)


def run(arguments: argparse.Namespace, options: Options) -> int:
    """Print a row for each thing."""
    problem = ""
    try:
        options = load_options(given(arguments))
    except ReviewerError as error:
        problem = str(error)
    missing = 0
    for row in examine(options, problem):
        missing += row.state is State.MISSING
        _show(row)
    sys.stdout.write("\nNothing is missing.\n" if not missing else f"\nMissing: {missing}.\n")
    return FOUND if missing else CLEAN


def _show(row: Row) -> None:
    console = console_for(sys.stdout)
    line = Text(f"{row.name:<10}")
    line.append(f"{row.state.value:<9}", _STYLE[row.state])
    line.append(clean_line(row.told))
    console.print(line, soft_wrap=True)
    for advice in row.advice:
        console.print(Text(f"{'':<19}{clean_line(advice)}"), soft_wrap=True)
