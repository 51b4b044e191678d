# SPDX-License-Identifier: GPL-2.0-or-later
"""Earlier revisions that a series links to: ``v1: https://.../MESSAGE-ID/``, ``- Link to v2: https://...``."""

from __future__ import annotations

import re
import urllib.parse
from dataclasses import replace
from typing import Final

from reviewer.errors import FetchError
from reviewer.mail.fetch import fetch
from reviewer.mail.headers import printable
from reviewer.mail.thread import Thread
from reviewer.model import Series

_MOST: Final = 3  # threads that are fetched
_SECONDS: Final = 30.0  # for each
_LINK: Final = re.compile(r"\bv(\d{1,3})\b[^\n]{0,40}?(?:\n[^\n\S]{0,40})?[\[(<]?(https?://\S{1,1000})", re.IGNORECASE)
_MESSAGE_ID: Final = re.compile(r"[^\s<>/@\x00-\x1f\x7f]{1,500}@[^\s<>/@\x00-\x1f\x7f]{1,300}")


def linked_revisions(series: Series) -> tuple[tuple[int, str], ...]:
    """Revision and message-id of the earlier revisions that the cover letter or the first patch links to."""
    first = series.patches[0].message if series.patches else None
    found: dict[int, str] = {}
    for message in (series.cover, first):
        for number, url in _LINK.findall(message.body.partition("\ndiff --git ")[0] if message is not None else ""):
            path = urllib.parse.unquote(urllib.parse.urlsplit(url.rstrip(">).,]")).path)
            name = next((part for part in path.split("/") if _MESSAGE_ID.fullmatch(part)), None)
            if name is not None and int(number) < series.revision:
                found.setdefault(int(number), name)
    return tuple(sorted(found.items()))


def with_linked(thread: Thread, series: Series) -> Thread:
    """The thread with those of the earlier revisions that the series links to and that are not in it.

    They are asked from the archive that the thread came from and from nowhere else, whatever host a link names; what
    that does not have is noted. A thread that came from files stays as it is.
    """
    if thread.archive is None:
        return thread
    known = {revision.revision for revision in series.earlier}
    wanted = [(number, name) for number, name in linked_revisions(series) if number not in known]
    for number, name in reversed(wanted[-_MOST:]):
        if name in thread.by_id:
            continue
        try:
            more = fetch(f"<{name}>", lore=thread.archive, newer=False, timeout=_SECONDS)
        except FetchError as error:
            note = f"The earlier revision v{number} was not compared with: {printable(str(error))}"
            thread = replace(thread, notes=(*thread.notes, note))
            continue
        new = tuple(message for message in more.messages if message.message_id not in thread.by_id)
        thread = replace(thread, messages=(*thread.messages, *new))
    return thread
