# SPDX-License-Identifier: GPL-2.0-or-later
"""``reviewer index [REV]``: build ahead what reviews of a tree need, and keep what is kept in order."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from reviewer.cache import open_store
from reviewer.commands.arguments import add_options, number
from reviewer.config import Options
from reviewer.errors import UsageError
from reviewer.indexing import Report, build, drop_unused
from reviewer.report.plain import clean
from reviewer.source.store import SCHEMA
from reviewer.source.upkeep import contents
from reviewer.tree.repository import Repository
from reviewer.wording import counted

_DAYS: Final = 30
_MEGABYTE: Final = 1_000_000


def add_parser(subparsers: Any) -> None:
    """Describe the command to argparse."""
    parser = subparsers.add_parser(
        "index",
        help="prepare the cache for reviews of a tree",
        description="Reads all C files of a commit into the cache, so that the first review of its tree does not have "
        "to. Reviews work without this. It can be interrupted at any time; what was read is kept.",
    )
    parser.add_argument("revision", nargs="?", default="HEAD", metavar="REV", help="the commit (default: HEAD)")
    parser.add_argument(
        "--folder",
        action="append",
        default=[],
        metavar="DIR",
        help="also read every function below this folder of the tree; repeatable",
    )
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--show", action="store_true", help="only say where the cache is and what it holds")
    other.add_argument(
        "--prune",
        action="store_true",
        help="drop what belongs neither to REV nor to HEAD nor to a recently reviewed tree",
    )
    other.add_argument("--clear", action="store_true", help="remove the cache")
    parser.add_argument(
        "--days",
        type=number(0),
        default=_DAYS,
        metavar="N",
        help=f"how many days count as recently for --prune (default: {_DAYS})",
    )
    add_options(parser, "repo")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, options: Options) -> int:
    """Do the one thing that was asked for. CacheError where the cache cannot be used: it is all there is to do here."""
    if not options.cache:
        raise UsageError("git config reviewer.cache is off: there is no cache to build or to show")
    if arguments.show:
        _show(options)
    elif arguments.clear:
        store = open_store(options)
        with closing(store), store.database.alone():
            store.database.discard()
    else:
        with closing(Repository.open(options.repo, options.cache_dir)) as repository:
            if arguments.prune:
                drop_unused(repository, ("HEAD", arguments.revision), arguments.days, options)
                _show(options)
            else:
                with _progress() as report:
                    new = build(repository, arguments.revision, arguments.folder, options, report)
                sys.stdout.write(f"{counted(new, 'file was', 'files were')} new.\n")
    return 0


def _show(options: Options) -> None:
    with closing(open_store(options)) as store:
        found = contents(store)
        rows = (
            ("path", clean(str(store.database.path))),
            ("schema", str(SCHEMA)),
            ("size", f"{found.size / _MEGABYTE:.1f} MB"),
            ("files", str(found.blobs)),
            ("functions", str(found.functions)),
            ("summaries", str(found.summaries)),
            ("patches", str(found.patches)),
            ("trees", str(found.trees)),
        )
    sys.stdout.write("".join(f"{name:<10} {value}\n" for name, value in rows))


@contextlib.contextmanager
def _progress() -> Iterator[Report]:
    """A bar on a terminal; elsewhere a line at the begin of each stage."""
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        told: set[str] = set()

        def tell(what: str, _done: int, total: int) -> None:
            if what not in told:
                told.add(what)
                sys.stderr.write(f"{what}: {counted(total, 'file')}\n")

        yield tell
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        tasks: dict[str, Any] = {}

        def advance(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done)

        yield advance
