# SPDX-License-Identifier: GPL-2.0-or-later
"""``reviewer b4-check``: judge the patch on standard input for b4, which runs this for each patch of a series.

As ``b4.review-perpatch-check-cmd`` it prints JSON, as ``b4.am-perpatch-check-cmd`` (``--am``) a line for each warning,
errors with ``ERROR:`` (b4 0.16, _run_external_cmd() and run_local_check()). b4 takes every line on stderr for a failure
of the patch, so that what could not be done is said on stdout.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from reviewer.check import Check
from reviewer.commands.arguments import add_options
from reviewer.commands.outcome import wanted_checks
from reviewer.commands.stdout import write_data
from reviewer.config import Options
from reviewer.errors import FetchError, RepositoryError, ReviewerError, SeriesError, UsageError
from reviewer.mail.fetch import fetch
from reviewer.mail.quote import hunks_of
from reviewer.mail.series import series_of
from reviewer.model import Applied, Finding, Review, Series, Severity
from reviewer.pipeline import review_range, review_series
from reviewer.report.data import CLEAN, FAILED, FOUND, TOOL_NAME, is_brought
from reviewer.report.plain import clean_line, clean_path
from reviewer.report.words import nested, remarks
from reviewer.tree.b4branch import branch_of, review_branch
from reviewer.tree.history import commits_of
from reviewer.tree.repository import Repository
from reviewer.wording import counted

_LARGEST: Final = 16 << 20  # bytes of a mail
_PATIENCE: Final = 30.0  # seconds for the archive, which is asked for the other patches
_WORD: Final = {Severity.BUG: "ERROR", Severity.QUESTION: "WARNING", Severity.NIT: "CHECK"}
_STATUS: Final = {Severity.BUG: "fail", Severity.QUESTION: "warn", Severity.NIT: "warn"}


@dataclass(frozen=True, slots=True)
class _Judged:
    """What was found in the patch. ``doubt`` says what is missing, be it of the series or of the review.

    ``partly`` tells that the patch itself was not looked at in whole, so that silence means nothing; ``failed`` that
    this is the program's doing.
    """

    findings: tuple[Finding, ...]
    doubt: str = ""
    partly: bool = False
    failed: bool = False


def add_parser(subparsers: Any) -> None:
    """Describe the command to argparse."""
    parser = subparsers.add_parser(
        "b4-check",
        help="check one patch for b4",
        usage="reviewer b4-check [OPTIONS]",
        description="Reads a patch mail from standard input, as b4 passes it, and prints what b4 expects to read. The "
        "patch is judged within its series: as committed on the branch of 'b4 review', or else with the other patches "
        "from the archive. 'reviewer b4-setup' prints how to make b4 run this.",
        epilog="Exit status: 1 if there is a bug or a question, 0 if not; 2 usage; 3 something could not be done.",
    )
    parser.add_argument("--am", action="store_true", help="print lines for b4.am-perpatch-check-cmd instead of JSON")
    add_options(parser, "repo", "base", "branches", "checks", "severity", "lore", "offline", "cache")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, options: Options) -> int:
    """Judge the mail and print the verdict."""
    if sys.stdin.isatty():
        raise UsageError("'b4-check' reads a patch mail from standard input, which is a terminal; b4 is to run it")
    data = sys.stdin.buffer.read(_LARGEST)
    try:
        judged = _judge(data, options)
    except ReviewerError as error:
        judged = _Judged((), f"not checked: {clean_line(str(error))}", partly=True, failed=True)
    if judged is not None:
        write_data(_lines(judged) if arguments.am else _as_json(judged))
    if judged is None or judged.failed:
        return CLEAN if judged is None else FAILED
    return FOUND if judged.findings else CLEAN


def _judge(data: bytes, options: Options) -> _Judged | None:
    """The verdict on the patch in a mail; None where the mail holds none."""
    checks = wanted_checks(options)
    try:
        series = series_of(fetch("-", offline=True, newer=False, stdin=io.BytesIO(data)))
    except SeriesError:
        return None
    if not series.patches:
        return None
    with closing(Repository.open(options.repo, options.cache_dir)) as repository:
        return (
            _as_committed(series, repository, checks, options)
            or _in_its_series(series, repository, checks, options)
            or _alone(series, repository, checks, options)
        )


def _as_committed(series: Series, repository: Repository, checks: Sequence[Check], options: Options) -> _Judged | None:
    """On the branch that b4 has made of the series, if this mail's patch is on it."""
    message = series.patches[-1].message
    told = os.environ.get("B4_TRACKING_FILE")
    names = [branch_of(repository, Path(told)) if told else None, "HEAD"]
    for name in names:
        try:
            branch = review_branch(repository, name) if name is not None else None
        except RepositoryError:
            continue
        if branch is None or message is None or message.message_id not in branch.message_ids:
            continue
        _, applied = commits_of(repository, branch.range)
        if len(applied) == len(branch.message_ids):
            commit = applied[branch.message_ids.index(message.message_id)].patch.commit
            return _verdict(review_range(f"{commit}^!", repository, checks, options))
    return None


def _in_its_series(series: Series, repository: Repository, checks: Sequence[Check], options: Options) -> _Judged | None:
    """With the patches before it, which the archive has."""
    patch = series.patches[-1]
    if patch.number < 2 or patch.message is None or not patch.message.message_id or options.offline:
        return None
    try:
        thread = fetch(f"<{patch.message.message_id}>", lore=options.lore, newer=False, timeout=_PATIENCE)
        whole = series_of(thread, revision=series.revision)
    except (FetchError, SeriesError, UsageError):
        return None
    before = tuple(one for one in whole.patches if one.number <= patch.number)
    if [one.number for one in before] != list(range(1, patch.number + 1)):
        return None
    if hunks_of(before[-1].diff) != hunks_of(patch.diff):
        return None
    return _verdict(review_series(replace(whole, patches=before), repository, checks, options))


def _alone(series: Series, repository: Repository, checks: Sequence[Check], options: Options) -> _Judged:
    number = series.patches[-1].number
    judged = _verdict(review_series(series, repository, checks, options))
    if number < 2 or judged.doubt:
        return judged
    return replace(judged, doubt=f"judged without the {'patch' if number == 2 else 'patches'} before it")


def _verdict(review: Review) -> _Judged:
    patch = review.patches[-1]
    found = tuple(finding for finding in patch.findings if is_brought(finding))
    if review.errors:
        problem = review.errors[-1]
        return _Judged(found, f"not checked whole: {clean_line(problem.message)}", partly=True, failed=True)
    if patch.applied is Applied.NO:
        return _Judged(found, f"it does not apply, only its diff was read ({clean_line(patch.reason)})", partly=True)
    return _Judged(found)


def _as_json(judged: _Judged) -> str:
    statuses = [_grave(finding, judged) for finding in judged.findings] + ["warn" if judged.partly else "pass"]
    details = [{"status": _grave(finding, judged), "description": _description(finding)} for finding in judged.findings]
    entry = {
        "tool": TOOL_NAME,
        "status": "fail" if judged.failed else min(statuses, key=("fail", "warn", "pass").index),
        "summary": "; ".join(part for part in (_counted(judged.findings), judged.doubt) if part) or "nothing found",
        "details": json.dumps(details) if details else judged.doubt,
    }
    return json.dumps([entry]) + "\n"


def _grave(finding: Finding, judged: _Judged) -> str:
    """A finding on half a series may be what an earlier patch makes right."""
    return "warn" if judged.doubt else _STATUS[finding.severity]


def _counted(findings: Sequence[Finding]) -> str:
    counts = [(sum(one.severity is severity for one in findings), severity.value) for severity in Severity]
    return ", ".join(counted(number, word) for number, word in counts if number)


def _description(finding: Finding) -> str:
    chain = [
        f"{'  ' * (depth + 2)}{text}  {clean_path(step.path)}:{step.line}"
        for depth, text, step in nested(finding.witness)
    ]
    rules = [
        f"    \u201c{clean_line(rule.quote)}\u201d {clean_path(rule.path)}:{rule.line}" for rule in finding.citations
    ]
    return "\n".join([_headline(finding), *chain, *rules])


def _headline(finding: Finding) -> str:
    says = " ".join((clean_line(finding.message), *remarks(finding)))
    where = f"{clean_path(finding.path)}:{finding.line}: in {clean_line(finding.function)}()"
    return f"{where}: {says} [{finding.check}]"


def _lines(judged: _Judged) -> str:
    lines = [
        f"{'WARNING' if judged.doubt else _WORD[finding.severity]}: {_headline(finding)}" for finding in judged.findings
    ]
    if judged.doubt and (judged.partly or judged.findings):
        lines.append(f"WARNING: {judged.doubt}")
    return "".join(f"{line}\n" for line in lines)
