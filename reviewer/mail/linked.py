# SPDX-License-Identifier: GPL-2.0-or-later
"""Earlier revisions that a series links to: ``v1: https://.../MESSAGE-ID/``, ``- Link to v2: https://...``."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable
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


def with_linked(thread: Thread, read: Callable[[Thread], Series]) -> Series:
    """The series that ``read`` finds in the thread, with the earlier revisions that it and they link to.

    They are asked from the archive that the thread came from and from nowhere else, whatever host a link names; what
    that does not have is noted. A thread that came from files stays as it is.
    """
    series = read(thread)
    asked: set[str] = set()
    while thread.archive is not None and len(asked) < _MOST:
        known = {one.revision for one in series.earlier}
        links = dict(link for one in (series, *series.earlier) for link in linked_revisions(one))
        wanted = [number for number, name in links.items() if number not in known and name not in asked]
        if not wanted:
            break
        number = max(wanted)
        asked.add(links[number])
        thread = _with(thread, number, links[number], thread.archive)
        series = read(thread)
    return series


def _with(thread: Thread, number: int, name: str, archive: str) -> Thread:
    """The thread and that of a mail, or a note why it is not here."""
    if name in thread.by_id:
        return thread
    try:
        more = fetch(f"<{name}>", lore=archive, newer=False, timeout=_SECONDS)
    except FetchError as error:
        note = f"The series was not compared with its earlier revision v{number}: {printable(str(error))}"
        return replace(thread, notes=(*thread.notes, note))
    new = tuple(message for message in more.messages if message.message_id not in thread.by_id)
    return replace(thread, messages=(*thread.messages, *new))
