# SPDX-License-Identifier: GPL-2.0-or-later
"""What every form of the report says about a finding, in safe text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final

from reviewer.model import Applied, Finding, Problem, Raised, Review, Step, Where
from reviewer.report.plain import clean_line, clean_path

_BARE_CALL: Final = re.compile(r"(\w+)\(\)")


def remarks(finding: Finding) -> Iterator[str]:
    """Sentences beside the message: what was so before, who knows already, what removes it, where alone it holds."""
    if finding.claim:
        yield f"The subject says that this fixes {clean_line(finding.claim)}; on this path it is still there."
    if finding.before:
        yield clean_line(finding.before)
    if finding.since is not None:
        yield f"There since v{finding.since}."
    if finding.raised is not None:
        yield _raised(finding.raised)
    if finding.fixed_later is not None:
        yield f"Patch {finding.fixed_later} of the series removes this again."
    if finding.cause is not None:
        yield f"Brought by {clean_path(finding.cause.path)}:{finding.cause.line}."
    conditions = [f"on {finding.arch}"] if finding.arch else []
    conditions += [f"without {name[1:]}" if name.startswith("!") else f"with {name}" for name in finding.config]
    if conditions:
        yield f"Only {', '.join(map(clean_line, conditions))}."


def in_a_row(finding: Finding) -> str:
    """The message and the remarks in one line, for forms that have no other room."""
    message, beside = clean_line(finding.message), tuple(remarks(finding))
    stop = "." if beside and not message.endswith((".", "?")) else ""
    return " ".join((f"{message}{stop}", *beside))


def shortcomings(review: Review) -> Iterator[Problem]:
    """All that makes the exit status say that something could not be done."""
    yield from review.errors
    for patch in review.patches:
        if patch.applied is Applied.NO:
            what = "is in the tree already" if patch.in_tree else "does not apply"
            said = f"patch {patch.number} {what}: {patch.reason}"
            yield Problem("apply", "", f"{said}; it was reviewed from its diff alone")
    series = review.series
    if series is not None and not review.patches:
        yield Problem("series", "", f"there is no patch to review: the thread is a {series.kind.value}")


def notes_of(review: Review) -> Iterator[str]:
    """The notes on the thread and on the review, each once."""
    series = review.series
    yield from dict.fromkeys((*(series.notes if series is not None else ()), *review.notes))


def _raised(raised: Raised) -> str:
    name = clean_line(raised.by.name) or clean_line(raised.by.email)
    which = f"<{clean_line(raised.message_id)}>"
    if raised.where is Where.REPLY:
        return f"Already {'answered by the author,' if raised.author else 'raised by'} {name} in {which}."
    where = "below the --- of" if raised.where is Where.NOTES else "in the commit message of"
    return f"Already answered by the author, {name}, {where} {which}."


def nested(witness: Sequence[Step]) -> Iterator[tuple[int, str, Step]]:
    """The steps as depth and text: what a function does stands one deeper than the call that led into it."""
    depth = -1
    function: str | None = None
    for step, following in zip_longest(witness, witness[1:]):
        text, name = clean_line(step.text), clean_line(step.function)
        if function is None or step.function != function:
            depth, function = depth + 1, step.function
        # A remark instead of code says where the context begins: it belongs to the function itself.
        if text.startswith("<-") or not text:
            yield depth, f"{name}() {text}".rstrip(), step
            depth += 1
        else:
            yield depth, text + (_really(text, following) if following is not None else ""), step


def _really(text: str, following: Step) -> str:
    """Which function a call through a pointer leads into, where that function is named after the member."""
    called = _BARE_CALL.fullmatch(text)
    function = clean_line(following.function)
    return f" -> {function}()" if called is not None and function.endswith(f"_{called.group(1)}") else ""
