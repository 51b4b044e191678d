# SPDX-License-Identifier: GPL-2.0-or-later
"""``reviewer context PLACE``: in which contexts a line or function runs, and what may not be done there."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from contextlib import closing
from typing import Any, Final

from reviewer.commands.arguments import add_options, number
from reviewer.commands.outcome import wanted_checks
from reviewer.commands.places import in_tree
from reviewer.commands.progress import progress
from reviewer.commands.stdout import reader_may_leave, write_data
from reviewer.config import Options
from reviewer.errors import RepositoryError
from reviewer.report.situation import render_situation, situation_to_dot, situation_to_json
from reviewer.report.text import console_for
from reviewer.situation import Target, situation, target_of
from reviewer.tree.repository import Repository

_FORMATS: Final = ("text", "json", "dot", "svg")
_LEVELS: Final = 2
_MOST_LEVELS: Final = 8
_PATIENCE: Final = 60  # seconds that dot may take


def add_parser(subparsers: Any) -> None:
    """Describe the command to argparse."""
    parser = subparsers.add_parser(
        "context",
        help="show the contexts in which a line or function runs",
        usage="reviewer context [OPTIONS] PLACE",
        description="Shows for a line or a function of the tree which locks are held there and what is disabled, who "
        "calls it like that, which locks its calls take and demand, and what is forbidden there and why. "
        "Reads the commit that --base names (default: HEAD), not the files you are editing.",
        epilog="Exit status: 0; 2 usage; 3 no such place, or it could not be read.",
    )
    parser.add_argument("place", metavar="PLACE", type=target_of, help="FILE:LINE, FILE:FUNCTION or FUNCTION")
    parser.add_argument(
        "--callers",
        type=number(0, _MOST_LEVELS),
        default=_LEVELS,
        metavar="N",
        help=f"look at callers up to N calls above (default: {_LEVELS}, at most {_MOST_LEVELS})",
    )
    add_options(parser, "repo", "base", "format", base="the commit to read (default: HEAD)", formats=_FORMATS)
    add_options(parser, "checks", "areas", "cache", "quiet", "verbose")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, options: Options) -> int:
    """Print the context of the place."""
    if options.format == "svg":
        _dot()  # before anything is computed for it
    checks = wanted_checks(options)
    with closing(Repository.open(options.repo, options.cache_dir)) as repository:
        target = _from_here(arguments.place, repository, options)
        with progress("Looking into the tree", options) as tell:
            found = situation(target, arguments.callers, repository, checks, options, tell)
    with reader_may_leave():
        match options.format:
            case "json":
                write_data(situation_to_json(found))
            case "dot":
                write_data(situation_to_dot(found))
            case "svg":
                write_data(_drawn(situation_to_dot(found)))
            case _:
                render_situation(found, console_for(sys.stdout))
    return 0


def _from_here(target: Target, repository: Repository, options: Options) -> Target:
    """A file is named from where one stands in the work tree, or from the top of the tree."""
    if not target.path:
        return target
    (path,) = in_tree([target.path], options.base or "HEAD", repository)
    return target._replace(path=path)


def _dot() -> str:
    program = shutil.which("dot")
    if program is None:
        raise RepositoryError(
            "looked for dot to draw the picture: Graphviz is not installed; install the package graphviz, "
            "or take --format dot and draw it elsewhere"
        )
    return program


def _drawn(graph: str) -> str:
    """The graph as SVG, laid out by Graphviz."""
    try:
        done = subprocess.run(
            [_dot(), "-Tsvg"], input=graph.encode(), capture_output=True, check=False, timeout=_PATIENCE
        )
    except subprocess.TimeoutExpired:
        raise RepositoryError(
            f"dot did not lay the graph out in {_PATIENCE} seconds; ask for fewer callers, or take --format dot"
        ) from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise RepositoryError(f"dot could not draw the graph: {said}; take --format dot and look at it")
    return done.stdout.decode("utf-8", "replace")
