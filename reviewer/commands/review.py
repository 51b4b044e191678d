# SPDX-License-Identifier: GPL-2.0-or-later
"""``reviewer review SOURCE``: a series from the mailing list, judged in a kernel tree, with drafted replies."""

from __future__ import annotations

import argparse
import dataclasses
import re
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from reviewer.commands.arguments import add_options, number
from reviewer.commands.outcome import show, wanted_checks
from reviewer.commands.places import check_page
from reviewer.commands.progress import progress
from reviewer.config import Options
from reviewer.errors import DraftError, FetchError, UsageError
from reviewer.mail.draft import compose, write
from reviewer.mail.fetch import fetch
from reviewer.mail.headers import fields, first, message_ids
from reviewer.mail.linked import with_linked
from reviewer.mail.outbox import standing_back
from reviewer.mail.series import series_of
from reviewer.mail.templates import Templates
from reviewer.model import Change, Finding, Problem, Review, Severity
from reviewer.pipeline import review_series
from reviewer.report.text import Written
from reviewer.threadsplats import splats_of
from reviewer.tree.repository import Repository

_LARGEST: Final = 16 << 20  # bytes of a mail


def add_parser(subparsers: Any) -> None:
    """Describe the command to argparse."""
    parser = subparsers.add_parser(
        "review",
        help="review a series from the mailing list and draft the replies",
        usage="reviewer review [OPTIONS] SOURCE...",
        description="Fetches a thread with b4, applies the series beside your repository and drafts the replies. "
        "Nothing is sent, and your repository is left as it is. With a --format meant for programs, drafts are written "
        "only if --output names a folder.",
    )
    parser.add_argument(
        "source",
        nargs="+",
        metavar="SOURCE",
        help="a message-id or its URL in an archive, an mbox, a Maildir, patch files, or - for standard input; "
        "a message-id after a file picks one of several series in it",
    )
    parser.add_argument(
        "--thread",
        action="store_true",
        help="SOURCE is a single mail, as a mail program pipes it: fetch the whole thread that it belongs to",
    )
    parser.add_argument(
        "--revision",
        type=number(1, prefix="v"),
        metavar="N",
        help="the revision to review (default: the one that SOURCE names)",
    )
    add_options(parser, "repo", "base", "branches", "format", "output", "checks", "areas", "within", "severity", "lore")
    add_options(parser, "attestation", "inline_diff", "three_way", "offline", "earlier", "cache")
    add_options(parser, "show_pre_existing", "show_silenced", "html", "quiet", "verbose")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, options: Options) -> int:
    """Review the series, write the drafts and print the report."""
    check_page(options.html)
    source = [_message_id(arguments.source)] if arguments.thread else arguments.source
    repository = Repository.open(options.repo, options.cache_dir)
    try:
        review = review_mail(source, repository, options, revision=arguments.revision)
        written = None
        if options.format == "text" or options.output is not None:
            review, written = keep_drafts(review, repository, options)
        with progress("Reading the kernel's reports", options):
            splats = splats_of(review, repository, options)
    finally:
        repository.close()
    return show(review, options, written, splats)


def _message_id(source: Sequence[str]) -> str:
    """The message-id, in brackets, of the one mail in a file or on standard input."""
    if len(source) != 1:
        raise UsageError(f"--thread takes one mail, a file or -; there are {len(source)}")
    name = "standard input" if source[0] == "-" else source[0]
    if source[0] == "-":
        if sys.stdin.isatty():
            raise UsageError("'-' reads a mail from standard input, which is a terminal; pipe a mail into it")
        data = sys.stdin.buffer.read(_LARGEST)
    else:
        with Path(source[0]).open("rb") as file:
            data = file.read(_LARGEST)
    mail = re.sub(rb"\A(?:From [^\n]*)?\n*", b"", data.replace(b"\r\n", b"\n"), count=1)
    found = message_ids(first(fields(mail), "message-id"))
    if len(found) != 1:
        raise FetchError(
            f"looked for the Message-ID of the mail in {name}: there is none; have the mail program pipe the mail as "
            "it came, with its headers (mutt: set nopipe_decode), or leave out --thread"
        )
    return f"<{found[0]}>"


def review_mail(
    source: Sequence[str], repository: Repository, options: Options, *, revision: int | None = None
) -> Review:
    """Fetch what ``source`` names and review it in ``repository``."""
    checks = wanted_checks(options)  # before the network is asked: a broken check stops the run
    with progress("Fetching the thread", options):
        thread = fetch(
            source[0] if len(source) == 1 else source,
            lore=options.lore,
            attestation=options.attestation,
            offline=options.offline,
            newer=not options.offline,
        )
        read = partial(series_of, revision=revision, inline_diff=options.inline_diff)
        series = with_linked(thread, read) if options.earlier and not options.offline else read(thread)
    with progress("Looking into the repository", options) as tell:
        return review_series(series, repository, checks, options, tell)


def keep_drafts(review: Review, repository: Repository, options: Options) -> tuple[Review, Written | None]:
    """Write the drafts. What prevents it joins the review's errors: the findings are worth reading without mails."""
    folder = options.drafts
    if not any(patch.claims or any(map(_is_brought, patch.findings)) for patch in review.patches):
        return review, Written(folder, 0)
    try:
        sender = repository.user()
        if sender is None:
            raise DraftError(
                "tried to write the replies in your name: git does not know your address; "
                "set it with git config user.email and run again"
            )
        unwritten: list[DraftError] = []
        drafts = compose(
            review,
            sender=sender,
            nits=options.severity is Severity.NIT,
            templates=Templates(options.template_dir),
            refused=unwritten.append,
        )
        paths = write(drafts, folder)
        stay = tuple(draft.name for draft in standing_back(folder, paths))
    except DraftError as error:
        problem = Problem("drafts", "", str(error))
        return dataclasses.replace(review, errors=(*review.errors, problem)), None
    problems = tuple(Problem("drafts", "", str(error)) for error in unwritten)
    review = dataclasses.replace(review, errors=(*review.errors, *problems))
    if problems and not drafts:
        return review, None
    without = any(patch.message_id is None for patch in review.patches if any(map(_is_brought, patch.findings)))
    return review, Written(folder, len(drafts), sum(len(draft.left_out) for draft in drafts), without, stay)


def _is_brought(finding: Finding) -> bool:
    return finding.change in {Change.INTRODUCED, Change.EXPOSED} or bool(finding.claim)
