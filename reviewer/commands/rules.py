# SPDX-License-Identifier: GPL-2.0-or-later
"""``reviewer rules [ID]``: what is checked, and where the kernel demands it; ``--markdown``: the pages of docs/."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from reviewer.catalogue import load_catalogue
from reviewer.check import Check
from reviewer.citation import Citer
from reviewer.commands.arguments import add_options
from reviewer.commands.outcome import wanted_checks
from reviewer.config import Options, data_dir
from reviewer.errors import RepositoryError, UsageError
from reviewer.report.pages import Stated, as_markdown, as_text, catalogue_as_markdown, index_as_markdown
from reviewer.tree.repository import Repository
from reviewer.wording import did_you_mean


def add_parser(subparsers: Any) -> None:
    """Describe the command to argparse."""
    parser = subparsers.add_parser(
        "rules",
        help="list the checks, or explain one",
        description="Lists the checks, or explains one of them: why it exists, the rule as the kernel tree states it "
        "(at HEAD, or at --base), wrong and right code, what it is known to miss and how to silence it.",
    )
    parser.add_argument(
        "id", nargs="?", metavar="ID", help="the check to explain; a pattern such as 'lock-*' lists those that match"
    )
    parser.add_argument(
        "--markdown", type=Path, metavar="DIR", help="write the pages of all checks below this folder instead"
    )
    add_options(parser, "repo", "base", "checks", "areas", base="quote the rule from this commit (default: HEAD)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, options: Options) -> int:
    """Print the list or the explanation, or write the pages."""
    checks = wanted_checks(options)
    if arguments.markdown is not None:
        if arguments.id is not None:
            raise UsageError("--markdown writes the pages of all checks; leave out the id, or choose with --checks")
        write_pages(checks, arguments.markdown)
        return 0
    if arguments.id is None:
        _list(checks)
        return 0
    every = wanted_checks(replace(options, checks="*", areas=()))  # one that is switched off is there too
    for check in every:
        if check.id == arguments.id:
            sys.stdout.write(as_text(check, _stated(check, options)))
            return 0
    if alike := [check for check in every if fnmatchcase(check.id, arguments.id)]:
        _list(alike)
        return 0
    meant = did_you_mean(arguments.id, (check.id for check in every))
    raise UsageError(f"there is no check {arguments.id!r}; reviewer rules lists them{meant}")


def _list(checks: Sequence[Check]) -> None:
    width = max(len(check.id) for check in checks)
    for check in checks:
        sys.stdout.write(f"{check.id:<{width}}  {check.rule}\n")


def write_pages(checks: Sequence[Check], folder: Path) -> None:
    """Write the pages and their index as Markdown to ``checks/`` in ``folder``, and the rules they are for beside it.

    The rules are left out where one of their checks is.
    """
    pages = {f"checks/{check.id}.md": as_markdown(check) for check in checks}
    pages["checks/README.md"] = index_as_markdown(checks)
    rules = load_catalogue(data_dir("checks"))
    if {name for rule in rules for name in rule.checks} <= {check.id for check in checks}:
        pages["rules.md"] = catalogue_as_markdown(rules, checks)
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def _stated(check: Check, options: Options) -> Stated | None:
    """The rule in the tree that was asked for, or in the one where the user stands; None if that is no kernel tree."""
    asked = options.repo is not None or options.base is not None
    try:
        repository = Repository.open(options.repo, options.cache_dir)
    except RepositoryError:
        if asked:
            raise
        return None
    try:
        if not asked and not repository.knows("HEAD"):
            return None
        commit = repository.resolve(options.base or "HEAD")
        files = repository.snapshot(repository.tree_of(commit), commit)
        if not asked and not any(files.exists(source.path) for source in check.sources):
            return None
        citer = Citer(files, commit)
        return Stated(commit, tuple((source, citer.cite((source,))) for source in check.sources))
    finally:
        repository.close()
