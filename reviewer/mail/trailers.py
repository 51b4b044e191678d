# SPDX-License-Identifier: GPL-2.0-or-later
"""Comments on trailers that lead nowhere: quoted as they stand in the commit message, with a question below."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reviewer.mail import prose
from reviewer.mail.exchanges import exchanges, place_of
from reviewer.mail.quote import is_quotable
from reviewer.model import Claim, Message, Severity

_SPEAKS = re.compile(r"\b(?:fixes|commit|tag|trailer|sha-?1?|hash|id)\b", re.IGNORECASE)


def to_ask(claims: Sequence[Claim], message: Message, replies: Sequence[Message]) -> tuple[tuple[str, str], ...]:
    """Quotation and comment for each claim that is more than a matter of style and that nobody has made in a reply."""
    lines = {" ".join(line.split()): line for line in message.body.split("\n")}
    found = []
    for claim in claims:
        line = lines.get(claim.trailer)
        if claim.severity is Severity.NIT or line is None or not is_quotable(line.encode("utf-8", "surrogateescape")):
            continue
        if not _was_said(claim, replies):
            found.append((f"> {line}", "\n".join(_comment(claim))))
    return tuple(found)


def _was_said(claim: Claim, replies: Sequence[Message]) -> bool:
    return any(
        place_of(exchange.quoted, claim.trailer) is not None and _SPEAKS.search("\n".join(exchange.comment))
        for reply in replies
        for exchange in exchanges(reply.body)
    )


def _comment(claim: Claim) -> list[str]:
    rule = prose.citation(claim.citation) if claim.citation is not None else []
    asked = prose.fill(f"Is this the commit that is meant? {prose.sentence(claim.message)}")
    return [*asked, "", *rule] if rule else asked
