# SPDX-License-Identifier: GPL-2.0-or-later
"""Review comments on an earlier revision that stand on lines which the series still changes in the same way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from reviewer.mail.exchanges import Exchange, exchanges, place_of
from reviewer.mail.interdiff import Changed, changed_lines
from reviewer.model import Comparison, Message, Patch, Remark, Series

_ABOVE = 6  # quoted lines above a comment in which the line stands that it is about
_TELLING = 12  # characters of a line, without blanks, by which it is known in another revision
_FEWEST_WORDS = 4  # of a comment that is no question
_LONGEST = 160  # characters of a comment that are told
_TRAILER = re.compile(r"\s*[A-Z][\w-]+-by:\s|\s*(?:Fixes|Link|Closes|Cc):\s", re.IGNORECASE)
_PRAISE = re.compile(r"\b(?:lgtm|looks? (?:good|fine|sane|reasonable)|nice|thanks?|thank you|applied|acked)\b", re.I)


def open_remarks(series: Series, earlier: Series, comparison: Comparison) -> tuple[Remark, ...]:
    """The comments of others in the replies to ``earlier`` on lines that ``series`` adds or removes as well.

    Those on functions that are as they were come first.
    """
    lines_now = [changed for patch in series.patches for changed in changed_lines(patch.diff, patch.number)]
    now = _Lines(lines_now)
    new = {change.now for change in comparison.patches if change.before is None}
    different = {(change.path, change.function) for change in comparison.functions}
    different |= {(changed.path, changed.function) for changed in lines_now if changed.patch in new}
    found: dict[tuple[str, str, str], Remark] = {}
    for reply in earlier.replies:
        patch = _answered(reply, earlier.patches)
        if patch is None or _is_author(reply, earlier):
            continue
        lines = changed_lines(patch.diff, patch.number)
        for exchange in exchanges(reply.body):
            text = _text(exchange)
            commented = _commented(exchange, lines) if text else None
            still = now.same(commented) if commented is not None else None
            if still is None:
                continue
            place = (still.path, still.function)
            remark = Remark(
                reply.author,
                reply.message_id,
                patch.number,
                still.patch,
                *place,
                still.line,
                text,
                _answer(reply, exchange, earlier),
                place in different,
            )
            found.setdefault((reply.message_id, still.path, still.line), remark)
    return tuple(sorted(found.values(), key=lambda remark: remark.function_changed))


class _Lines:
    """The lines that a series changes, to find one of another revision among them."""

    def __init__(self, lines: Sequence[Changed]) -> None:
        self._found: dict[tuple[str, str], list[Changed]] = {}
        for changed in lines:
            self._found.setdefault((changed.path, changed.bare), []).append(changed)

    def same(self, other: Changed) -> Changed | None:
        """The line in the same function, else the only one of the file with this text."""
        found = self._found.get((other.path, other.bare), [])
        here = [one for one in found if one.function == other.function]
        return here[0] if here else found[0] if len(found) == 1 else None


def _is_author(reply: Message, series: Series) -> bool:
    return series.author is not None and reply.author.email.lower() == series.author.email.lower()


def _answered(reply: Message, patches: Sequence[Patch]) -> Patch | None:
    """The patch that a reply goes back to."""
    by_id = {patch.message.message_id: patch for patch in patches if patch.message is not None}
    near = (reply.in_reply_to,) if reply.in_reply_to else ()
    return next((by_id[one] for one in (*near, *reversed(reply.references)) if one in by_id), None)


def _text(exchange: Exchange) -> str:
    """The beginning of a comment that wants something; empty for praise, trailers and code alone."""
    said = [line.strip() for line in exchange.comment if not _TRAILER.match(line)]
    text = " ".join(" ".join(said).split())
    sentences = re.findall(r".{12,}?[.?!:](?=\s|$)", text) or [text]
    if "?" not in text and (len(re.findall(r"[A-Za-z']{2,}", text)) < _FEWEST_WORDS or _PRAISE.search(sentences[0])):
        return ""
    asked = [one for one in sentences if one.endswith("?")]
    told = str([*asked, *(one for one in sentences if not one.endswith(":")), *sentences][0]).strip()
    return told if len(told) <= _LONGEST else told[:_LONGEST].rsplit(" ", 1)[0] + " ..."


def _commented(exchange: Exchange, lines: Sequence[Changed]) -> Changed | None:
    """The line of the patch right above a comment; None where the comment answers something else."""
    quoted = [line for line in exchange.quoted if line.strip()]
    if not quoted:
        return None
    near = quoted[-_ABOVE:]
    # What stands last has to be of the diff, or else it is somebody's words that are answered.
    if near[-1][:1] not in ("+", "-", " ", "@", "}", "\t"):
        return None
    places = [
        (place_of(near, one.line) if len(one.bare) > _TELLING else None, index) for index, one in enumerate(lines)
    ]
    known = [
        (at, _together(near, lines, index), -index)
        for at, index in places
        if at is not None and (near[at][:1] not in "+-" or near[at][:1] == lines[index].line[:1])
    ]
    return lines[-max(known)[2]] if known else None


def _together(quoted: Sequence[str], lines: Sequence[Changed], index: int) -> int:
    """How many of the lines around a line of a patch are quoted as well: of equal lines the one that is meant."""
    around = lines[max(0, index - _ABOVE) : index + 1]
    return sum(place_of(quoted, one.line) is not None for one in around)


def _answer(reply: Message, exchange: Exchange, series: Series) -> str | None:
    """The message-id of the author's reply that quotes the comment."""
    for answer in _answers(reply, series):
        if any(place_of(each.quoted, line) is not None for each in exchanges(answer.body) for line in exchange.comment):
            return answer.message_id
    return None


def _answers(reply: Message, series: Series) -> Iterator[Message]:
    for one in series.replies:
        below = reply.message_id == one.in_reply_to or reply.message_id in one.references
        if below and _is_author(one, series):
            yield one
