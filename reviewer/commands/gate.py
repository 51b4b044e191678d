# SPDX-License-Identifier: GPL-2.0-or-later
"""What a git hook has reviewed, what it says of it, and whether git may go on."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from reviewer.check import Check
from reviewer.commands.outcome import show, wanted_checks
from reviewer.commands.progress import progress
from reviewer.config import Options
from reviewer.errors import RepositoryError
from reviewer.mail import mailinfo
from reviewer.model import Base, Finding, Patch, Review, Series, ThreadKind
from reviewer.pipeline import Tell, review_commits, review_series, review_staged
from reviewer.report.data import CLEAN, FOUND, exit_status, is_brought
from reviewer.report.plain import clean_line, clean_path
from reviewer.tree.history import commits_between, newest_called
from reviewer.tree.pushed import new_commits
from reviewer.tree.repository import Repository
from reviewer.tree.staged import is_rebasing, nothing_staged

_MOST: Final = 50  # commits of a push; more is somebody else's work being moved, and would take minutes
_SEARCHED: Final = 200  # newest commits of HEAD, in which a patch that is to be sent is looked for
_MOST_ENTRIES: Final = 10  # that are written out to be copied
_LARGEST: Final = 16 << 20  # bytes of a mail
_COMMIT: Final = re.compile(rb"From ([0-9a-f]{40}(?:[0-9a-f]{24})?) ")
_BASE: Final = re.compile(rb"^base-commit: ([0-9a-f]{40,64})$", re.MULTILINE)

# How to have git go on although there are findings. git am knows --no-verify from 2.40 on only.
_GO_ON: Final = {
    "pre-commit": "git commit --no-verify",
    "pre-push": "git push --no-verify",
    "pre-applypatch": "git -c reviewer.hook=false am --continue",
    "sendemail-validate": "git send-email --no-validate",
}


@dataclass(frozen=True, slots=True)
class _Desk:
    """What a review is made with."""

    repository: Repository
    checks: Sequence[Check]
    options: Options
    tell: Tell


def judge(hook: str, words: Sequence[str], options: Options) -> int:
    """Review what the hook is about; the result is the exit status. Says nothing where there is nothing to say."""
    options = replace(options, format="text")  # git shows it to a person, whatever other commands are to print
    with (
        closing(Repository.open(options.repo, options.cache_dir)) as repository,
        progress("Looking for what is new", options) as tell,
    ):
        review = _review(hook, words, _Desk(repository, wanted_checks(options), options, tell))
        go_on = _GO_ON[hook]
        if hook == "pre-applypatch" and is_rebasing(repository):
            go_on = go_on.replace(" am ", " rebase ")
    if review is None:
        return CLEAN
    status = exit_status(review)
    brought = [finding for patch in review.patches for finding in patch.findings if is_brought(finding)]
    if not brought and status == CLEAN:
        return CLEAN
    show(review, options)
    if not brought:
        return status
    sys.stdout.write(_way_on(hook, go_on, brought, options))
    return FOUND


def _review(hook: str, words: Sequence[str], desk: _Desk) -> Review | None:
    """The review, or None where there is nothing to review."""
    if hook == "pre-push":
        return _pushed(_told_of_push(), desk)
    if hook == "sendemail-validate":
        return _mailed(Path(words[0]), desk)
    reason = nothing_staged(desk.repository)
    if reason:
        sys.stderr.write(f"reviewer: nothing was reviewed: {reason}\n")
        return None
    return review_staged(desk.repository, desk.checks, desk.options, desk.tell)


def _told_of_push() -> str:
    """What git tells the hook, or the program https://pre-commit.com, which puts it into the environment."""
    told = [os.environ.get(f"PRE_COMMIT_{name}") for name in ("LOCAL_BRANCH", "TO_REF", "REMOTE_BRANCH", "FROM_REF")]
    return " ".join(one or "" for one in told) if told[1] else sys.stdin.read()


def _pushed(told: str, desk: _Desk) -> Review | None:
    push = new_commits(desk.repository, told, _MOST)
    if not push.ends:
        return None
    base, applied = commits_between(desk.repository, push.ends, "what is pushed")
    review = review_commits(base, applied, desk.repository, desk.checks, desk.options, desk.tell)
    if not push.left_out:
        return review
    sys.stderr.write(
        f"reviewer: this push brings {push.left_out + len(applied)} commits that are on no remote yet; "
        f"the newest {len(applied)} were reviewed. The others: reviewer check RANGE\n"
    )
    return review


def _mailed(path: Path, desk: _Desk) -> Review | None:
    """The review of a patch file, on the parent of the commit that git format-patch says it is, if that is here.

    The patches before it in the series are in that parent; HEAD has the whole series, so that nothing would apply.
    The second file of githooks(5), with the headers as they are to be sent, is not read: it says to whom the mail goes
    and what it answers, and nothing of what the patch stands on. git 2.39 has no such file.
    """
    with path.open("rb") as file:
        raw = file.read(_LARGEST + 1)
    if len(raw) > _LARGEST:
        raise RepositoryError(f"{path} has more than {_LARGEST >> 20} MB; that is no patch to review")
    mail = mailinfo.split(raw)
    if not mail.diff:
        return None
    patch = Patch(1, mail.subject, mail.diff, mail.description)
    named = _BASE.search(raw)
    series = Series(
        ThreadKind.SERIES,
        None,
        mail.subject,
        1,
        mail.author,
        (patch,),
        1,
        base_commit=named[1].decode() if named else None,
    )
    base = _parent(raw, mail.subject, desk.repository)
    options = desk.options if base is None else replace(desk.options, base=base.commit)
    review = review_series(series, desk.repository, desk.checks, options, desk.tell)
    return review if base is None else replace(review, base=base)


def _parent(raw: bytes, subject: str, repository: Repository) -> Base | None:
    found = _COMMIT.match(raw)
    if found is not None and repository.knows(f"{found[1].decode()}^"):
        reason = "It is the parent of the commit that the file is made of."
        return Base(repository.resolve(f"{found[1].decode()}^"), reason)
    # git format-patch --zero-commit names none, and one that was rebased since may be gone.
    commit = newest_called(repository, subject, _SEARCHED)
    if commit is None or not repository.knows(f"{commit}^"):
        return None
    return Base(
        repository.resolve(f"{commit}^"), "It is the parent of the commit in HEAD that is called like the file."
    )


def _way_on(hook: str, go_on: str, found: Sequence[Finding], options: Options) -> str:
    """How to have git go on this once, and how to say for good that findings are wrong."""
    file = options.ignore_file
    folder = "" if file.parent.is_dir() else f"  mkdir -p {clean_path(shlex.quote(str(file.parent)))}\n"
    entries = dict.fromkeys(_entry(finding) for finding in found)
    lines = [
        f"  echo {clean_line(shlex.quote(entry))} >> {clean_path(shlex.quote(str(file)))}\n"
        for entry in list(entries)[:_MOST_ENTRIES]
    ]
    if len(entries) > len(lines):
        lines.append(f"  and so on for {len(entries) - len(lines)} more.\n")
    what = "A finding that is wrong" if len(entries) == 1 else "Findings that are wrong"
    return (
        f"\nThis is the {hook} hook of reviewer. To have git go on all the same:\n"
        f"  {go_on}\n"
        f"{what} can be silenced, with the reason:\n{folder}{''.join(lines)}"
    )


def _entry(finding: Finding) -> str:
    function = f" {finding.function}()" if finding.function else ""
    # PATH is one word and a glob: what may not stand in it stands for itself as any character.
    path = re.sub(r"[^\w./+,:@~-]", "?", finding.path)
    return f"{finding.check} {path}{function} -- REASON"
