# SPDX-License-Identifier: GPL-2.0-or-later
"""``reviewer check RANGE``: the findings on commits, before the list sees them."""

from __future__ import annotations

import argparse
from typing import Any

from reviewer.commands.arguments import add_options
from reviewer.commands.outcome import show, wanted_checks
from reviewer.commands.progress import progress
from reviewer.config import Options
from reviewer.pipeline import review_range
from reviewer.tree.repository import Repository


def add_parser(subparsers: Any) -> None:
    """Describe the command to argparse."""
    parser = subparsers.add_parser(
        "check",
        help="review commits of the repository",
        description="Reviews the commits of a range, each on its own. Merge commits are skipped.",
    )
    parser.add_argument("range", metavar="RANGE", help="as git log reads it, e.g. origin/master..")
    add_options(parser, "repo", "format", "checks", "severity", "cache", "show_pre_existing")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, options: Options) -> int:
    """Review the range and print what was found."""
    checks = wanted_checks(options)
    repository = Repository.open(options.repo, options.cache_dir)
    try:
        with progress("Reviewing"):
            review = review_range(arguments.range, repository, checks, options)
    finally:
        repository.close()
    return show(review, options)
