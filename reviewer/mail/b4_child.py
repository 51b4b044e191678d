# SPDX-License-Identifier: GPL-2.0-or-later
"""The child process that alone imports b4: ``python -m reviewer.mail.b4_child``, one JSON request in, one answer out.

It asks servers and reads files; what b4 makes of a message is in ``b4_messages``.

b4 and liblore change Python's table of e-mail charsets when they are imported, read git configuration and a
``.b4-config`` from wherever they stand, and log to the terminal. None of that may reach the program, so ``fetch``
runs this module in an empty folder with an environment of its own and takes only the answer.

A request holds ``source`` (``{"server": URL, "message_id": ID}`` or ``{"files": [...]}`` or ``{"data": base64}``),
``wanted`` (message-id or null), and ``newer``, ``attestation`` and ``offline`` (bool). The answer holds ``messages``,
``newer``, ``attestations`` and ``notes``, or ``error`` (one of ``unreachable``, ``not-found``, ``no-archive``,
``refused``, ``not-mail``, ``unreadable``) and ``detail``.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import json
import logging
import os
import re
import resource
import sys
import zlib
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final

import b4
import b4.mbox
import liblore
import liblore.utils
import requests

from reviewer.mail import headers
from reviewer.mail.b4_messages import JSON, TimeIsUp, attest, facts, parse, time_limit

# A hostile server may send a small file that unpacks to any size.
MEMORY_LIMIT: Final = 4 << 30
SEARCH_SECONDS: Final = 30.0
# What a public-inbox answers for a message that it does not hold: 300 offers others whose ids begin alike.
NOT_FOUND: Final = frozenset({300, 404, 410})
# The first line of a file that is a bare diff or the output of "git show", not mail.
_BARE = re.compile(rb"(diff --git |--- \S|Index: |commit [0-9a-f]{40})")
_HEADER = re.compile(rb"[!-9;-~]+:")


class FailureError(Exception):
    """The request cannot be met; ``kind`` is one of the errors named above."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


def configure(request: JSON) -> None:
    """Give b4 the settings of the request; nothing else is to be found from where this process stands."""
    settings = {"attestation-policy": "softfail" if request["attestation"] else "off"}
    server = request["source"].get("server")
    if server:
        settings["midmask"] = f"{server.rstrip('/')}/%s"
    b4.setup_config(argparse.Namespace(config={f"b4.{key}": value for key, value in settings.items()}))
    b4.can_network = not request["offline"]
    if server:
        # Without a cache folder: b4's own node writes every thread to disk even when told not to use its cache.
        b4.LORENODE = liblore.LoreNode.from_git_config(server.rstrip("/"))
        b4.LORENODE.set_user_agent("b4", b4.__VERSION__)


def thread_from_server(message_id: str) -> list[bytes]:
    """The whole ``t.mbox.gz`` of a message, split. b4's own wrapper cannot tell a dead server from a missing mail."""
    node = b4.get_lore_node()
    try:
        mbox = node.get_mbox_by_msgid(message_id)
    except liblore.RemoteError as error:
        if error.status_code in NOT_FOUND:
            raise FailureError(
                "not-found" if archive_exists(node) else "no-archive", f"HTTP {error.status_code}"
            ) from error
        raise FailureError("unreachable" if error.status_code is None else "refused", _reason(error)) from error
    except (OSError, EOFError, zlib.error) as error:  # requests' own errors are OSErrors too
        kind = "unreachable" if isinstance(error, requests.RequestException) else "not-mail"
        raise FailureError(kind, _reason(error)) from error
    return liblore.utils.split_and_dedupe_as_bytes(mbox)


def archive_exists(node: Any) -> bool:
    """Whether the server answers for the archive itself: a wrong URL gives the same 404 as an unknown message."""
    try:
        return bool(node.request("GET", f"{node.url}/", stream=True).status_code < 400)
    except (liblore.LibloreError, OSError):
        return True


def split(data: bytes, name: str) -> list[bytes]:
    """The messages in a file: mbox or mboxrd, one mail, one patch file, or a bare diff (which becomes a mail)."""
    if data.startswith(b"\x1f\x8b"):  # t.mbox.gz as it was downloaded
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise FailureError("not-mail", f"{name}: {error}") from error
    data = data.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    if re.match(rb"From \S", data) and not _HEADER.match(data):
        data = _lf_if_wire(data)
        return [message.lstrip(b"\n") for message in liblore.utils.split_mbox_as_bytes(data)]
    if _BARE.match(data):
        title = re.sub(r"[^\w.,+:/ -]", " ", name).strip()
        return [b"Subject: [PATCH] " + title.encode() + b"\n\n" + data]
    if not _HEADER.match(data):
        raise FailureError("not-mail", f"{name}: neither a mail header nor a diff at its start")
    return [_lf_if_wire(data)]


def _lf_if_wire(data: bytes) -> bytes:
    # A mail saved as it went over the wire ends its header lines in CRLF too; then no CR belongs to the text.
    first = data.split(b"\n", 1)[0]
    return data.replace(b"\r\n", b"\n") if first.endswith(b"\r") else data


def read_files(paths: list[str]) -> list[bytes]:
    """The messages of local files and Maildirs. b4's reader creates an mbox that is missing, and leaves ``>From``."""
    messages: list[bytes] = []
    for path in paths:
        try:
            if os.path.isdir(path):
                messages += [
                    message for mail in _maildir(Path(path)) for message in split(mail.read_bytes(), mail.name)
                ]
            else:
                messages += split(Path(path).read_bytes(), os.path.basename(path))
        except OSError as error:
            raise FailureError("unreadable", f"{path}: {error.strerror}") from error
    return messages


def _maildir(folder: Path) -> list[Path]:
    mails = [mail for part in ("cur", "new") for mail in (folder / part).iterdir() if not mail.name.startswith(".")]
    trashed = re.compile(r":2,[A-Z]*T[A-Za-z]*$")
    return sorted((mail for mail in mails if not trashed.search(mail.name)), key=lambda mail: mail.name)


def unique(messages: list[bytes]) -> list[bytes]:
    """One copy of each mail: of several, the one that came through the list that mangles least, as b4 prefers it."""
    kept: dict[object, EmailMessage] = {}
    raws: dict[object, bytes] = {}
    for at, raw in enumerate(messages):
        message = parse(raw)
        key: object = b4.LoreMessage.get_clean_msgid(message) or at
        if key not in kept or liblore.utils.get_preferred_duplicate(kept[key], message) is message:
            kept[key], raws[key] = message, raw
    return list(raws.values())


def strict(messages: list[bytes], wanted: str) -> list[bytes]:
    """The thread of ``wanted`` alone: ``t.mbox.gz`` and a mailbox hold others as well.

    Not by b4's own function of the name, which takes ``[PATCH 1/1]`` for a lone patch and cuts off its cover letter.
    """
    parsed = [parse(raw) for raw in messages]
    ids = [b4.LoreMessage.get_clean_msgid(message) for message in parsed]
    if wanted not in ids:
        raise FailureError("not-found", f"{len(messages)} messages, none of them with that id")
    kept = liblore.utils.get_strict_thread(parsed, wanted) or []
    chosen = {b4.LoreMessage.get_clean_msgid(message) for message in kept} | {wanted}
    return [raw for raw, message_id in zip(messages, ids, strict=True) if message_id in chosen]


def newer_revision(messages: list[bytes]) -> tuple[int, str] | None:
    """The highest later revision that the server knows, by change-id or by author and subject, as b4 looks it up."""
    ask_openly(b4.get_lore_node())
    known = [parse(raw) for raw in messages]
    seen = {b4.LoreMessage.get_clean_msgid(message) for message in known}
    best: tuple[int, int, str] | None = None
    for message in b4.mbox.get_extra_series(list(known), direction=1):
        message_id = b4.LoreMessage.get_clean_msgid(message)
        subject = b4.LoreSubject(headers.decode(headers.first(headers.fields(message.as_bytes()), "subject")))
        if message_id is None or message_id in seen or subject.reply:
            continue
        candidate = (subject.revision, -subject.counter, message_id)
        if best is None or candidate > best:
            best = candidate
    return (best[0], best[2]) if best else None


def ask_openly(node: Any) -> None:
    """Make a failed search raise: b4 takes a server that does not answer for one that knows nothing newer."""
    search = node.get_mbox_by_query

    def asked(*args: Any, **options: Any) -> Any:
        try:
            return search(*args, **options)
        except liblore.RemoteError as error:
            if error.status_code in NOT_FOUND:
                return b""
            raise RuntimeError(_reason(error)) from error

    node.get_mbox_by_query = asked


def _reason(error: BaseException) -> str:
    """What lies at the bottom of an error of requests, whose own words repeat the URL three times."""
    while error.__cause__ is not None:
        error = error.__cause__
    inner = getattr(error.args[0], "reason", None) if error.args else None
    return re.sub(r"^\w+\([^()]*\): ", "", str(inner or error))


def answer(request: JSON) -> JSON:
    """Do what the request asks; raises FailureError."""
    source, wanted, notes = request["source"], request["wanted"], []
    if "server" in source:
        messages = thread_from_server(source["message_id"])
    elif "files" in source:
        messages = read_files(source["files"])
    else:
        messages = split(base64.b64decode(source["data"]), "standard input")
    if not messages:
        raise FailureError("not-mail", "it holds no message")
    messages = unique(messages)
    if wanted:
        messages = strict(messages, wanted)
    result: JSON = {"messages": [facts(raw) for raw in messages], "newer": None, "attestations": {}}
    if request["newer"]:
        try:
            with time_limit(SEARCH_SECONDS):
                result["newer"] = newer_revision(messages)
        except TimeIsUp:
            notes.append(f"The search for newer revisions took longer than {SEARCH_SECONDS:g} seconds.")
        except Exception as error:  # the search is a courtesy: the thread itself is here already
            notes.append(f"The server could not be asked for newer revisions: {error}")
    if request["attestation"]:
        patches = [raw for raw, fact in zip(messages, result["messages"], strict=True) if fact["diff"]]
        result["attestations"] = attest(patches)
    return result | {"notes": notes}


def _limit_memory() -> None:
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    except (OSError, ValueError):  # a smaller limit is in force already
        return


def main() -> int:
    """Answer the request on standard input; exit status 0 whenever there is an answer."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get between the answer's lines
    logging.disable(logging.CRITICAL)
    _limit_memory()
    request = json.load(sys.stdin.buffer)
    try:
        configure(request)
        result = answer(request)
    except FailureError as failure:
        result = {"error": failure.kind, "detail": str(failure)}
    except MemoryError:
        result = {"error": "not-mail", "detail": f"it needs more than {MEMORY_LIMIT >> 30} GiB of memory"}
    output.write(json.dumps(result).encode())
    output.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
