# SPDX-License-Identifier: GPL-2.0-or-later
"""What the user named: a message on a server, local files, or standard input.

b4 asks for ``@`` in a URL before it decodes it, so it does not find ``%40``; takes any other host's URL for the name
of an archive on it; and cannot be given several files.
"""

from __future__ import annotations

import os
import re
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reviewer.errors import FetchError, UsageError

LORE: Final = "https://lore.kernel.org/all"
# Hosts whose URLs are the common name of a mail, wherever it is then fetched from.
_COMMON_HOSTS: Final = frozenset(
    {"lore.kernel.org", "lkml.kernel.org", "patch.msgid.link", "msgid.link", "patchwork.kernel.org"}
)
_MESSAGE_ID: Final = re.compile(r"[^\s<>\x00-\x1f\x7f]{1,900}")
_BEFORE: Final = re.compile(r"[\w./-]*@?(?:[~^]\d*)+")  # a commit before another, as git names it
_COMMIT: Final = re.compile(r"[0-9a-f]{7,64}")
_LOCAL_NAME: Final = re.compile(r"(?:\.{0,2}/|~).*|.*\.(?:mbox|mbx|mboxrd|patch|diff|eml|gz)", re.DOTALL)


@dataclass(frozen=True)
class Source:
    """Where the mail is. ``server`` is the URL of an archive without a slash at its end, None for local mail.

    ``paths`` is empty for standard input. ``wanted`` is a message-id without brackets; always set with ``server``.
    """

    origin: str
    server: str | None = None
    paths: tuple[str, ...] = ()
    wanted: str | None = None


def recognise(given: str | Sequence[str], server: str | None) -> Source:
    """Tell message-ids, URLs and paths apart. ``server`` is the archive to ask where the source names none.

    An existing path wins over a message-id of the same name. A message-id after files names the mail in them.
    UsageError if the words make no sense together; FetchError if a file is missing.
    """
    words = [given] if isinstance(given, str) else list(given)
    if not words:
        raise UsageError("looked for what to review: nothing was named; give a message-id, a URL, a file or -")
    if "-" in words:
        wanted = [_wanted(word, server)[1] for word in words if word != "-"]
        if len(wanted) > 1 or words.count("-") > 1:
            raise UsageError("'-' is the whole source; only one message-id may stand beside it")
        return Source("standard input", wanted=wanted[0] if wanted else None)
    paths = [word for word in words if os.path.exists(word)]
    others = [_wanted(word, server) for word in words if word not in paths]
    if len(others) > 1:
        raise UsageError("one message at a time: give one message-id or URL, with or without files to look for it in")
    if not paths:
        archive, message_id = others[0]
        return Source(archive, server=archive, wanted=message_id)
    origin = paths[0] if len(paths) == 1 else f"{len(paths)} files"
    return Source(origin, paths=tuple(os.path.abspath(path) for path in paths), wanted=others[0][1] if others else None)


def archive_url(configured: str) -> str:
    """A configured archive as a URL to which ``/MESSAGE-ID/`` is added; takes b4's masks (``.../all/%s``) too."""
    url = configured.strip().removesuffix("%s").rstrip("/")
    parts = _split_url(url)
    return url if parts.path.strip("/") else f"{url}/all"


def _split_url(url: str) -> urllib.parse.SplitResult:
    try:
        parts = urllib.parse.urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(
            f"tried to read {url!r} as the URL of a mail archive: it has to be http://HOST/... or https://HOST/... "
            "without a user name"
        )
    return parts


def _wanted(word: str, server: str | None) -> tuple[str, str]:
    """(archive, message-id) of a word that is no existing path."""
    default = server or LORE
    if re.match(r"https?://", word, re.IGNORECASE):
        return _from_url(word, default)
    text = re.sub(r"^(?:id|mid|rfc822msgid):", "", word.strip())
    bracketed = text.startswith("<") and text.endswith(">")
    text = text[1:-1] if bracketed else text
    if (
        not _MESSAGE_ID.fullmatch(text)
        or not (bracketed or "@" in text)
        or (not bracketed and _LOCAL_NAME.fullmatch(text))
    ):
        range_ = _range(word)
        meant = f"commits are reviewed with: reviewer check {range_}" if range_ else "check the spelling"
        raise FetchError(
            f"looked for {word!r}: there is no such file, and it is neither a message-id (NAME@HOST) nor a URL; {meant}"
        )
    return default, text


def _range(word: str) -> str:
    """The range of commits that a word may mean, as git writes revisions; nothing for another word."""
    if ".." in word:
        return word
    if word in ("HEAD", "@"):
        return f"{word}~1.."
    if _BEFORE.fullmatch(word):
        return f"{word}.."
    return f"{word}~1..{word}" if _COMMIT.fullmatch(word) else ""


def _from_url(url: str, default: str) -> tuple[str, str]:
    parts = _split_url(url)
    segments = [urllib.parse.unquote(segment) for segment in parts.path.split("/") if segment]
    common = (parts.hostname or "").lower() in _COMMON_HOSTS
    at = next((index for index, segment in enumerate(segments) if "@" in segment), None)
    if at is None and common and len(segments) >= 2 and segments[0] != "project":
        at = 1  # ids without "@" exist; what follows the list's name is one
        if segments[1] in ("_", "T", "t.mbox.gz", "new.atom"):
            at = None
    if at is None:
        raise FetchError(
            f"looked for a message-id in {url!r}: the URL names none; open the mail in the archive and copy its URL, "
            "or give the Message-ID from its header"
        )
    if common:
        # The id may hold a slash, and people paste it as it is; these hosts have one folder before it.
        start = 3 if segments[0] == "project" else min(1, at)
        return default, _checked("/".join(segments[start : at + 1]), url)
    base = segments[:at]
    folder = "all" if base in ([], ["r"]) else "/".join(urllib.parse.quote(segment) for segment in base)
    return f"{parts.scheme}://{parts.netloc}/{folder}", _checked(segments[at], url)


def _checked(message_id: str, url: str) -> str:
    text = message_id.strip("<>")
    if not _MESSAGE_ID.fullmatch(text):
        raise FetchError(f"looked for a message-id in {url!r}: {text!r} is none; copy the URL again")
    return text
