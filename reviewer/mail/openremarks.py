# SPDX-License-Identifier: GPL-2.0-or-later
"""Review comments on an earlier revision that stand on lines which the series still changes in the same way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from reviewer.mail.exchanges import Exchange, bare, exchanges, place_of
from reviewer.mail.interdiff import Changed, changed_lines
from reviewer.model import Comparison, Message, Patch, Remark, Series

_ABOVE = 6  # quoted lines above a comment in which the line stands that it is about
_TELLING = 12  # characters of a line, without blanks, by which it is known in another revision
_FEWEST_WORDS = 4  # of a comment that is no question
_READ = 2000  # characters of a comment, which begins with what it wants
_BEGINNING = 3  # lines of a comment by which it is known in an answer
_MOST = 200  # comments
_MOST_SEARCHED = 1500  # lines of a patch that are compared with a quote that is broken or cut off
_LONGEST = 160  # characters of a comment that are told
_TRAILER = re.compile(r"\s*[A-Z][\w-]+-by:\s|\s*(?:Fixes|Link|Closes|Cc):\s", re.IGNORECASE)
_QUOTATION = re.compile(r"<(quote)>.*?(?:</\1>|$)", re.IGNORECASE)
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
    patches: dict[int, _Patch] = {}
    for reply in earlier.replies:
        patch = _answered(reply, earlier.patches)
        if patch is None or _is_author(reply, earlier):
            continue
        lines = patches.get(patch.number) or patches.setdefault(patch.number, _Patch(patch))
        for exchange in exchanges(reply.body) if len(found) < _MOST else ():
            text = _text(exchange)
            commented = lines.commented(exchange) if text else None
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
    text = _QUOTATION.sub(" ", " ".join(" ".join(said).split())[:_READ])
    sentences = re.findall(r".{12,}?[.?!:](?=\s|$)", text) or [text]
    if "?" not in text and (len(re.findall(r"[A-Za-z']{2,}", text)) < _FEWEST_WORDS or _PRAISE.search(sentences[0])):
        return ""
    asked = [one for one in sentences if one.endswith("?")]
    told = str([*asked, *(one for one in sentences if not one.endswith(":")), *sentences][0]).strip()
    return told if len(told) <= _LONGEST else told[:_LONGEST].rsplit(" ", 1)[0] + " ..."


class _Patch:
    """The lines of a patch, to find the one that a comment is about."""

    def __init__(self, patch: Patch) -> None:
        self._lines = changed_lines(patch.diff, patch.number)
        self._places: dict[str, list[int]] = {}
        for index, changed in enumerate(self._lines):
            if len(changed.bare) > _TELLING:
                self._places.setdefault(bare(changed.line), []).append(index)

    def commented(self, exchange: Exchange) -> Changed | None:
        """The line right above a comment; None where the comment answers something else."""
        near = [line for line in exchange.quoted if line.strip()][-_ABOVE:]
        # What stands last has to be of the diff, or else it is somebody's words that are answered.
        if not near or near[-1][:1] not in ("+", "-", " ", "@", "}", "\t"):
            return None
        for at in range(len(near) - 1, -1, -1):
            sign = near[at][:1]
            found = [
                index
                for index in self._places.get(bare(near[at]), ())
                if sign not in "+-" or self._lines[index].line[:1] == sign
            ]
            if found:
                return self._lines[self._meant(found, near)]
        if len(self._lines) > _MOST_SEARCHED:
            return None
        mangled = [
            (place, -index)
            for index, changed in enumerate(self._lines)
            if len(changed.bare) > _TELLING and (place := place_of(near, changed.line)) is not None
        ]
        return self._lines[-max(mangled)[1]] if mangled else None

    def _meant(self, found: Sequence[int], near: Sequence[str]) -> int:
        """Of equal lines the one around which most is quoted as well."""
        quoted = {bare(line) for line in near}

        def together(index: int) -> int:
            return sum(bare(one.line) in quoted for one in self._lines[max(0, index - _ABOVE) : index + 1])

        return max(found[:_MOST], key=together)


def _answer(reply: Message, exchange: Exchange, series: Series) -> str | None:
    """The message-id of the author's reply that quotes the comment."""
    for answer in _answers(reply, series):
        quoted = [line for each in exchanges(answer.body) for line in each.quoted]
        if any(place_of(quoted, line) is not None for line in exchange.comment[:_BEGINNING]):
            return answer.message_id
    return None


def _answers(reply: Message, series: Series) -> Iterator[Message]:
    for one in series.replies:
        below = reply.message_id == one.in_reply_to or reply.message_id in one.references
        if below and _is_author(one, series):
            yield one
