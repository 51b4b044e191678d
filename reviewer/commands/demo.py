# SPDX-License-Identifier: GPL-2.0-or-later
"""``reviewer demo``: the whole path on an example that comes with the program. Offline, in a temporary folder."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from reviewer.commands.arguments import add_options
from reviewer.commands.outcome import show
from reviewer.commands.review import keep_drafts, review_mail
from reviewer.config import Options, git_environment
from reviewer.errors import NO_GIT, RepositoryError, UsageError
from reviewer.mail.outbox import stored
from reviewer.model import Applied
from reviewer.report.plain import clean
from reviewer.tree.repository import Repository

_DATA: Final = Path(__file__).resolve().parent.parent / "demo_data"
_MAIL: Final = "doorbell.mbox"

# The commit's id follows from these and the files; the example's mail names it as its base-commit.
_IDENTITY: Final = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (
        ("NAME", "Doorbell maintainers"),
        ("EMAIL", "doorbell@example.org"),
        ("DATE", "1741600000 +0000"),
    )
}
_INTRODUCTION: Final = """\
The example: a driver for a device that does not exist, and a series of three
patches to it as it would arrive on a mailing list.
"""
_REVIEWER: Final = {"user.name": "Jane Reviewer", "user.email": "jane@example.org"}


def add_parser(subparsers: Any) -> None:
    """Describe the command to argparse."""
    parser = subparsers.add_parser(
        "demo",
        help="review the example that comes with the program",
        description="Reviews a small series in a small kernel-style tree, both of which come with the program, and "
        "shows the report and the drafted replies. Works offline, in a temporary folder.",
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="make the example in this new folder and keep it")
    add_options(parser, "format")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, options: Options) -> int:
    """Review the example. Findings are what it is for: the exit status is 0 unless something could not be done."""
    with _folder(arguments.keep) as folder:
        tree, mail = make_example(folder)
        # Not the user's settings: the example shows the same to everybody.
        settings = Options(
            repo=tree,
            format=options.format,
            output=folder / "drafts",
            cache_dir=folder / "cache",
            ignore_file=folder / "ignore",
            offline=True,
        )
        repository = Repository.open(tree)
        try:
            review = review_mail([str(mail)], repository, settings)
            review, _ = keep_drafts(review, repository, settings)
        finally:
            repository.close()
        if settings.format != "text":
            show(review, settings)
        else:
            sys.stdout.write(f"{_INTRODUCTION}\n")
            show(review, settings)
            _show_drafts(settings.drafts)
            if arguments.keep is None:
                sys.stdout.write("\nNothing was sent, and the example is gone; --keep DIR would leave it in DIR.\n")
            else:
                sys.stdout.write("\nNothing was sent. The example stays; this does the same once more:\n")
                words = ["reviewer", "review", mail, "--repo", tree, "--output", settings.drafts]
                sys.stdout.write(f"  {shlex.join(map(str, words))}\n")
        failed = review.errors or not review.patches or any(patch.applied is Applied.NO for patch in review.patches)
        return 3 if failed else 0


def _show_drafts(folder: Path) -> None:
    for number, draft in enumerate(stored(folder), 1):
        sys.stdout.write(f"\n{f' Draft {number} ':-^78}\n\n{clean(draft.path.read_text('utf-8'))}")


def make_example(folder: Path) -> tuple[Path, Path]:
    """Make the example's git repository and mail in ``folder``; the result is where they are."""
    tree = folder / "linux"
    shutil.copytree(_DATA / "tree", tree, copy_function=shutil.copyfile)
    _git(tree, "init", "--quiet", "--object-format=sha1", "--initial-branch=master", "--template=", ".")
    _git(tree, "add", "--all", "--force", ".")
    _git(tree, "-c", "gc.auto=0", "commit", "--quiet", "--no-verify", "--message", "The example tree")
    for key, value in _REVIEWER.items():
        _git(tree, "config", key, value)
    shutil.copyfile(_DATA / "thread" / _MAIL, folder / _MAIL)
    return tree, folder / _MAIL


def _git(tree: Path, *words: str) -> None:
    """Run git on the example as if nobody had configured anything."""
    environment = {key: value for key, value in git_environment(tree).items() if not key.startswith("GIT_CONFIG")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C", **_IDENTITY}
    # A file's mode is to be the same whatever the umask and the file system of the temporary folder are.
    command = ["git", "-C", str(tree), "-c", "core.fileMode=false", "-c", "core.autocrlf=false", *words]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
        )
    except FileNotFoundError:
        raise RepositoryError(NO_GIT) from None
    if done.returncode:
        raise RepositoryError(f"tried to make the example in {tree}: git {words[0]}: {done.stderr.strip()}")


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="reviewer-demo-") as name:
            yield Path(name)
        return
    try:
        keep.mkdir(parents=True)
    except FileExistsError:
        raise UsageError(f"tried to make the example in {keep}: it is there already; give a new folder") from None
    yield keep.resolve()
