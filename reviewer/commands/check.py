# SPDX-License-Identifier: GPL-2.0-or-later
"""``reviewer check RANGE``: the findings on commits, before the list sees them; ``--all``: those in whole files."""

from __future__ import annotations

import argparse
from typing import Any

from reviewer.auditing import audit_tree
from reviewer.commands.arguments import add_options
from reviewer.commands.outcome import show, show_audit, wanted_checks
from reviewer.commands.places import check_page, in_tree
from reviewer.commands.progress import progress
from reviewer.config import Options
from reviewer.errors import UsageError
from reviewer.pipeline import review_range
from reviewer.tree.log import Log
from reviewer.tree.repository import Repository


def add_parser(subparsers: Any) -> None:
    """Describe the command to argparse."""
    parser = subparsers.add_parser(
        "check",
        help="review commits of the repository, or audit files as they stand",
        usage="reviewer check [OPTIONS] RANGE\n       reviewer check [OPTIONS] [REV] --all PATH...",
        description="Reviews the commits of a range one by one; merge commits are skipped. With --all it compares "
        "nothing and reports everything that is wrong in files and folders as they stand in REV (default: HEAD).",
        epilog="Exit status: 1 if the commits bring a bug or a question, or if --all finds one; 0 if not; 2 usage, "
        "or there is no commit in the range; 3 something could not be done.",
    )
    parser.add_argument(
        "range",
        metavar="RANGE",
        nargs="?",
        help="as git format-patch takes it: origin/master.. or, for one commit, HEAD~1..HEAD; with --all one revision",
    )
    parser.add_argument(
        "--all",
        dest="paths",
        nargs="+",
        metavar="PATH",
        help="audit these files and folders as they stand; relative to the current directory or to the top of the tree",
    )
    add_options(parser, "repo", "format", "checks", "areas", "within", "severity", "cache")
    add_options(parser, "show_pre_existing", "show_silenced", "html", "quiet", "verbose")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, options: Options) -> int:
    """Review the range, or audit the paths, and print what was found."""
    if arguments.range is None and not arguments.paths:
        raise UsageError(
            "looked for a range of commits, or --all with files and folders: there is neither; "
            "usage: reviewer check RANGE, or reviewer check [REV] --all PATH..."
        )
    if arguments.paths and (options.html is not None or (options.format == "diff" and arguments.chosen)):
        raise UsageError(
            "--all compares nothing, so there is no patch for --html or --format diff to show; "
            "ask for --format text, json, sarif or gcc"
        )
    check_page(options.html)
    checks = wanted_checks(options)
    repository = Repository.open(options.repo, options.cache_dir)
    try:
        if arguments.paths:
            revision = arguments.range or "HEAD"
            with progress("Looking for the files", options) as tell:
                paths = in_tree(arguments.paths, revision, repository)
                audit = audit_tree(revision, paths, repository, checks, options, tell)
            return show_audit(audit, options)
        with progress("Looking for the commits", options) as tell:
            review = review_range(arguments.range, repository, checks, options, tell)
        if not review.patches:
            raise UsageError(_nothing_in(arguments.range, repository))
    finally:
        repository.close()
    return show(review, options)


def _reversed(revisions: str, repository: Repository) -> tuple[str, str]:
    """The ends of a range that was written the wrong way round, the older first; nothing for another one."""
    newer, dots, older = revisions.partition("..")
    newer, older = newer or "HEAD", older or "HEAD"
    if not dots or older.startswith(".") or not (repository.knows(newer) and repository.knows(older)):
        return "", ""
    ends = repository.resolve(older), repository.resolve(newer)
    wrong = ends[0] != ends[1] and Log(repository, ends[1]).leads_to(*ends)
    return (older, newer) if wrong else ("", "")


def _nothing_in(revisions: str, repository: Repository) -> str:
    """Why there was nothing to review, and what may have been meant: one revision alone is where a range begins."""
    said = f"there is no commit in {revisions!r} other than merges: nothing was reviewed"
    older, newer = _reversed(revisions, repository)
    if older:
        return f"{said}; {older} is older than {newer}, and the commits between the two are {older}..{newer}"
    if repository.knows(revisions):
        said = f"{revisions!r} alone means {revisions}..HEAD, in which there is no commit: nothing was reviewed"
        if repository.knows(f"{revisions}~1"):
            return f"{said}; that one commit is {revisions}~1..{revisions}"
    return f"{said}; the newest commit is HEAD~1..HEAD" if repository.knows("HEAD~1") else said
