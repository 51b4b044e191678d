# SPDX-License-Identifier: GPL-2.0-or-later
"""``reviewer splat SOURCE``: the kernel's own reports (lockdep, RCU, atomic context) in plain words."""

from __future__ import annotations

import argparse
import io
import re
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from reviewer.commands.arguments import add_options
from reviewer.commands.progress import progress
from reviewer.commands.stdout import write_data
from reviewer.config import Options, data_dir
from reviewer.errors import RepositoryError, UsageError
from reviewer.explained import explain
from reviewer.mail.fetch import fetch
from reviewer.mail.thread import RawMessage, Thread
from reviewer.report.splat import render_splats, splats_to_json
from reviewer.report.text import console_for
from reviewer.splat.account import Explained
from reviewer.splat.lines import MAX_TEXT
from reviewer.splat.meanings import Meanings, load_meanings
from reviewer.splat.parse import parse
from reviewer.splat.records import Splat
from reviewer.threadsplats import explain_in_tree, held_against
from reviewer.tree.repository import Repository

_NO_TREE: Final = "No kernel repository here: functions and the rule are not looked up (--repo names one)."
_HEADER: Final = re.compile(r"[!-9;-~]{1,80}:")
_MOST_HEADERS: Final = 1000  # lines


def add_parser(subparsers: Any) -> None:
    """Describe the command to argparse."""
    parser = subparsers.add_parser(
        "splat",
        help="explain the kernel's reports in a log or mail",
        usage="reviewer splat [OPTIONS] [SOURCE...]",
        description="Finds lockdep, RCU and atomic-context reports, even quoted and wrapped by mail, and says who "
        "holds what, who waits for what and why. In a kernel repository it also says where the functions are and which "
        "rule was broken.",
        epilog="Exit status: 0 no report found; 1 a report found; 2 usage; 3 the source could not be read.",
    )
    parser.add_argument(
        "source",
        nargs="*",
        default=["-"],
        metavar="SOURCE",
        help="a log, mbox or mail, a message-id or its URL, or - for standard input (default)",
    )
    add_options(parser, "repo", "format", "lore", "offline", "cache", "quiet", "verbose", formats=("text", "json"))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, options: Options) -> int:
    """Explain what is found; the result is 1 if there is anything."""
    meanings = load_meanings(data_dir("checks"))
    splats: list[Splat] = []
    threads: list[Thread] = []
    for source in arguments.source:
        splats += _read(source, options, threads)
    notes: list[str] = []
    found = tuple(_with_patches(one, threads) for one in _explained(splats, meanings, options, notes))
    if not found:
        notes.append("There is no kernel report in it.")
    if options.format == "json":
        write_data(splats_to_json(found, notes))
    else:
        render_splats(found, console_for(sys.stdout), notes)
    return 1 if found else 0


def _explained(
    splats: Sequence[Splat], meanings: Meanings, options: Options, notes: list[str]
) -> tuple[Explained, ...]:
    if not splats:
        return ()
    try:
        repository = Repository.open(options.repo, options.cache_dir)
        commit = repository.resolve("HEAD")
    except RepositoryError:
        if options.repo is not None:
            raise
        notes.append(_NO_TREE)
        return explain(splats, meanings)
    with closing(repository), progress("Looking into the tree", options):
        found, is_kernel = explain_in_tree(splats, meanings, repository, commit, options)
    if not is_kernel:
        notes.append(_NO_TREE)
    return found


def _with_patches(one: Explained, threads: Sequence[Thread]) -> Explained:
    """The report with what the patches of the thread that it stands in change of it."""
    mails = {raw.message_id: thread for thread in threads for raw in thread.messages}
    thread = mails.get(one.splat.message_id) if one.splat.message_id else None
    patches = [raw for raw in thread.messages if raw.is_patch] if thread is not None else []
    if thread is None or not patches:
        return one
    claimed = any(raw.message_id == one.splat.message_id for raw in (*patches, *filter(_covers, thread.messages)))
    return held_against(one, [(raw.message.subject, raw.raw) for raw in patches], claimed=claimed)


def _covers(raw: RawMessage) -> bool:
    return raw.is_cover


def _read(source: str, options: Options, threads: list[Thread]) -> tuple[Splat, ...]:
    """The reports in a log, or in the mails of what is mail, whose thread is added to ``threads``."""
    stdin = None
    if source == "-":
        if sys.stdin.isatty():
            raise UsageError("'-' reads a log or mail from standard input, which is a terminal; name a file")
        data = sys.stdin.buffer.read(MAX_TEXT)
        stdin = io.BytesIO(data)
    elif Path(source).is_file():
        with open(source, "rb") as file:
            data = file.read(MAX_TEXT)
    else:
        data = None
    if data is not None and not _is_mail(data):
        return parse(data.decode("utf-8", "replace"))
    with progress("Fetching the thread", options):
        thread = fetch(source, lore=options.lore, offline=options.offline, newer=False, stdin=stdin)
    threads.append(thread)
    return tuple(splat for raw in thread.messages for splat in parse(raw.message.body, raw.message_id))


def _is_mail(data: bytes) -> bool:
    """Whether it begins as an mbox, or with headers up to an empty line and a Message-ID among them."""
    if data.startswith(b"From "):
        return True
    named = False
    for line in data[:MAX_TEXT].split(b"\n", _MOST_HEADERS)[:_MOST_HEADERS]:
        text = line.decode("ascii", "replace").rstrip("\r")
        if not text:
            return named
        if text[0] not in " \t" and _HEADER.match(text) is None:
            return False
        named = named or text.lower().startswith("message-id:")
    return False
