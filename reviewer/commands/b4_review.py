# SPDX-License-Identifier: GPL-2.0-or-later
"""``reviewer b4-review``: review a branch of ``b4 review`` and leave the comments where b4 reads an agent's."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from reviewer.commands.arguments import add_options
from reviewer.commands.outcome import show, wanted_checks
from reviewer.commands.progress import progress
from reviewer.config import Options
from reviewer.errors import RepositoryError
from reviewer.mail.agentnotes import IDENTITY, agent_notes
from reviewer.mail.templates import Templates
from reviewer.pipeline import review_range
from reviewer.report.data import exit_status
from reviewer.report.plain import clean_line, clean_path
from reviewer.tree.b4branch import review_branch
from reviewer.tree.history import commits_of
from reviewer.tree.repository import Repository


def add_parser(subparsers: Any) -> None:
    """Describe the command to argparse."""
    parser = subparsers.add_parser(
        "b4-review",
        help="comment on a series inside b4 review",
        usage="reviewer b4-review [OPTIONS] [BRANCH]",
        description="Reviews the series on a branch of 'b4 review' and writes the comments below .git/b4-review, from "
        "where b4 takes them over when it opens the branch. Nothing else is written. b4 0.16 does not look there in "
        "a linked work tree.",
        epilog="Exit status: 1 if the series brings a bug or a question, 0 if not; 2 usage; 3 something could not be "
        "done.",
    )
    parser.add_argument(
        "branch",
        nargs="?",
        default="HEAD",
        metavar="BRANCH",
        help="b4/review/CHANGE-ID (default: the branch that is checked out)",
    )
    parser.add_argument(
        "--agent",
        metavar="PROMPT",
        help="run as b4's review agent: the prompt that b4 passes is ignored, and findings are not a failure",
    )
    add_options(parser, "repo", "checks", "severity", "cache")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, options: Options) -> int:
    """Review the branch, write the comments, print the report."""
    options = replace(options, format="text")  # b4 and its user read it
    templates = Templates(options.template_dir)
    checks = wanted_checks(options)
    with closing(Repository.open(options.repo, options.cache_dir)) as repository:
        branch = review_branch(repository, arguments.branch)
        folder = _folder(repository)
        with progress("Reviewing", options):
            review = review_range(branch.range, repository, checks, options)
        _, applied = commits_of(repository, branch.range)
        files = agent_notes(review, [patch.patch.diff for patch in applied], templates)
        if files:
            _write(folder / branch.tip, files)
    show(review, options)
    if files:
        sys.stdout.write(f"Comments for b4 in {clean_path(str(folder / branch.tip))}; b4 review takes them over.\n")
    else:
        sys.stdout.write("No comments for b4: there is nothing to say.\n")
    status = exit_status(review)
    return 0 if arguments.agent is not None and status == 1 else status


def _folder(repository: Repository) -> Path:
    """Where b4 looks: in ``.git`` of the work tree, which has to be a folder."""
    top = repository.top()
    if top is None or not (top / ".git").is_dir():
        where = "this repository has no work tree" if top is None else f"{top} is a linked work tree"
        raise RepositoryError(
            f"looked for the place where b4 review reads comments: {where}, where b4 0.16 reads none; run this in the "
            "main work tree, with the branch as argument"
        )
    return top / ".git" / "b4-review"


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """Put all files in place at once, instead of those of an earlier run; comments of somebody else stay."""
    identity = folder / "identity.txt"
    if folder.is_symlink() or folder.exists():
        known = identity.read_text("utf-8", "replace").strip() if identity.is_file() else ""
        if folder.is_symlink() or known != IDENTITY:
            whose = f"those of {clean_line(known)}" if known else "somebody's"
            raise RepositoryError(
                f"tried to write comments into {folder}: there are {whose}, which b4 has not taken over yet; open the "
                "series in b4 review first"
            )
    folder.parent.mkdir(exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".reviewer-", dir=folder.parent))
    try:
        for name, text in files.items():
            (made / name).write_text(text, "utf-8", newline="\n")
        if folder.exists():
            shutil.rmtree(folder)
        os.rename(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
