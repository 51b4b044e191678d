# SPDX-License-Identifier: GPL-2.0-or-later
"""Get a thread: from a public-inbox with b4, or from mailboxes, Maildirs, patch files and standard input.

b4 works in a child process (``b4_child``) that stands in an empty folder of its own and sees no git configuration but
the few settings of the user's global one that say where mail comes from and which keys count. A repository's
``.b4-config`` is therefore never read. Nothing of the mail is written to disk.
"""

from __future__ import annotations

import base64
import json
import os
import site
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import reviewer
from reviewer.errors import NO_GIT, FetchError, NotFoundError, UsageError
from reviewer.mail.headers import printable
from reviewer.mail.source import LORE, Source, archive_url, recognise
from reviewer.mail.thread import Thread, message_of

# What of the user's configuration reaches b4: mirrors and time limits of the archives, keys and how to check them.
_SETTINGS: Final = r"^(b4\.(attestation-.*|gpgbin|keyringsrc)|lore\..*|liblore\..*)$"
_PASSED_ON: Final = (
    "PATH",
    "TMPDIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)
TIMEOUT: Final = 120.0


def fetch(
    source: str | Sequence[str],
    *,
    lore: str | None = None,
    attestation: bool = False,
    offline: bool = False,
    newer: bool = True,
    timeout: float = TIMEOUT,
    stdin: BinaryIO | None = None,
) -> Thread:
    """The thread that ``source`` names.

    ``source`` is a message-id (with or without brackets), a URL of it in any form that archives use, one or several
    files (mbox, mboxrd, Maildir, patches) with a message-id behind them if they hold more than one series, or ``-``
    for ``stdin``. ``lore`` is the archive to ask where the source names none; None is b4's own ``b4.midmask``, else
    lore.kernel.org. With ``newer`` the server is asked for later revisions too. ``attestation`` has b4 check the
    signatures; the result is only shown. ``offline`` refuses to use the network. ``timeout`` in seconds is for the
    whole. NotFoundError if a server or file does not have the message; FetchError if it could not be asked or read.
    """
    settings = _user_settings()
    wanted = recognise(source, _server(lore, settings))
    if wanted.server and offline:
        raise FetchError(
            f"{wanted.wanted}: it would have to be fetched from {wanted.server}, and the network is switched off; "
            "save the thread as an mbox and give that file"
        )
    request: dict[str, Any] = {
        "source": _child_source(wanted, stdin),
        "wanted": wanted.wanted,
        "newer": newer and wanted.server is not None,
        "attestation": attestation,
        "offline": offline or (wanted.server is None and not attestation),
    }
    answer = _ask_child(request, settings, wanted, timeout)
    if "error" in answer:
        raise _error(answer["error"], answer["detail"], wanted)
    found = answer["newer"]
    return Thread(
        messages=tuple(message_of(base64.b64decode(fact["raw"]), fact) for fact in answer["messages"]),
        wanted=wanted.wanted,
        origin=wanted.origin,
        ordered=len(wanted.paths) > 1,
        newer=(int(found[0]), str(found[1])) if found else None,
        attestations={key: (bool(said[0]), str(said[1])) for key, said in answer["attestations"].items()},
        notes=tuple(printable(note) for note in answer["notes"]),
        archive=wanted.server,
    )


def _server(lore: str | None, settings: Sequence[tuple[str, str]]) -> str:
    midmask = next((value for key, value in reversed(settings) if key == "b4.midmask"), None)
    configured = lore or midmask
    return archive_url(configured) if configured else LORE


def _child_source(wanted: Source, stdin: BinaryIO | None) -> dict[str, Any]:
    if wanted.server:
        return {"server": wanted.server, "message_id": wanted.wanted}
    if wanted.paths:
        for path in wanted.paths:
            if os.path.isdir(path) and not all(os.path.isdir(os.path.join(path, part)) for part in ("cur", "new")):
                raise FetchError(
                    f"tried to read {path!r} as a Maildir: it has no folders 'cur' and 'new'; "
                    f"for a folder of patches give the files: {path}/*.patch"
                )
        return {"files": list(wanted.paths)}
    stream = stdin if stdin is not None else sys.stdin.buffer
    if stream.isatty():
        raise UsageError("'-' reads mail from standard input, which is a terminal; pipe an mbox or a patch into it")
    return {"data": base64.b64encode(stream.read()).decode()}


def _user_settings() -> tuple[tuple[str, str], ...]:
    """The user's own settings for b4, from global and system configuration: never those of a repository."""
    pattern = _SETTINGS.replace("(attestation", "(midmask|attestation")
    with tempfile.TemporaryDirectory(prefix="reviewer-") as folder:
        environment = {key: value for key, value in os.environ.items() if not _names_repository(key)}
        environment["GIT_CEILING_DIRECTORIES"] = os.path.dirname(os.path.realpath(folder))
        try:
            done = subprocess.run(
                ["git", "config", "--null", "--get-regexp", pattern],
                capture_output=True,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except FileNotFoundError:
            raise FetchError(NO_GIT) from None
    if done.returncode > 1:
        said = done.stderr.decode(errors="replace").strip()
        raise FetchError(f"tried to read git's configuration: {said or 'git config failed'}")
    found: list[tuple[str, str]] = []
    for entry in done.stdout.decode(errors="surrogateescape").split("\0"):
        key, separator, value = entry.partition("\n")
        if key:
            found.append((key, value if separator else "true"))
    return tuple(found)


def _names_repository(variable: str) -> bool:
    return variable in ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_NAMESPACE")


def _child_environment(folder: str, settings: Sequence[tuple[str, str]], attestation: bool) -> Mapping[str, str]:
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    # The package may stand in a checkout, and b4 in the user's own site-packages, which Python finds by HOME.
    roots = [str(Path(reviewer.__file__).resolve().parent.parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    environment = kept | {
        "HOME": folder,
        "XDG_CACHE_HOME": os.path.join(folder, "cache"),
        "XDG_CONFIG_HOME": os.path.join(folder, "config"),
        "XDG_DATA_HOME": os.path.join(folder, "data"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": os.path.dirname(os.path.realpath(folder)),
        "GIT_TERMINAL_PROMPT": "0",
        "PYTHONPATH": os.pathsep.join(root for root in roots if root),
        "PYTHONUSERBASE": site.getuserbase() or folder,
        "PYTHONUTF8": "1",
        "LC_ALL": "C.UTF-8",
    }
    passed = [(key, value) for key, value in settings if key != "b4.midmask"]
    if attestation:
        home = os.environ.get("HOME", folder)
        environment["GNUPGHOME"] = os.environ.get("GNUPGHOME") or os.path.join(home, ".gnupg")
        data = os.environ.get("XDG_DATA_HOME") or os.path.join(home, ".local", "share")
        passed.append(("b4.keyringsrc", os.path.join(data, "b4", "keyring")))
    for number, (key, value) in enumerate(passed):
        environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return environment | {"GIT_CONFIG_COUNT": str(len(passed))}


def _ask_child(
    request: Mapping[str, Any], settings: Sequence[tuple[str, str]], wanted: Source, timeout: float
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="reviewer-") as folder:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "reviewer.mail.b4_child"],
                input=json.dumps(request).encode(),
                capture_output=True,
                cwd=folder,
                env=_child_environment(folder, settings, bool(request["attestation"])),
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise FetchError(
                f"asked {wanted.origin} for {wanted.wanted or 'mail'}: no answer within {timeout:g} seconds; "
                "try again, or another server with git config reviewer.lore"
            ) from None
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = None
    if done.returncode or not isinstance(answer, dict):
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no word"]
        raise FetchError(
            f"ran b4 on {wanted.origin}: it ended with status {done.returncode}: {printable(lines[-1])}; "
            "check that b4 0.16 or newer works here (b4 --version)"
        )
    return answer


def _error(kind: str, detail: str, wanted: Source) -> FetchError:
    message_id, origin, detail = wanted.wanted, wanted.origin, printable(detail)
    if kind == "not-found":
        if wanted.server is None:
            return NotFoundError(f"looked for {message_id} in {origin}: {detail}; check the id or give the right file")
        return NotFoundError(
            f"asked {origin} for {message_id}: it has no such message ({detail}); check the id, wait if the mail was "
            "only just sent, or save the mail and give the file"
        )
    told = {
        "no-archive": (
            f"asked {origin} for {message_id}: there is no archive at that URL ({detail}); "
            "check the URL, or reviewer.lore and b4.midmask in git config"
        ),
        "unreachable": (
            f"asked {origin} for {message_id}: the server could not be reached ({detail}); check the network, "
            "try again, or name another server with git config reviewer.lore"
        ),
        "refused": (
            f"asked {origin} for {message_id}: the server did not answer the request ({detail}); try again later, "
            "or name another server with git config reviewer.lore"
        ),
        "not-mail": f"tried to read {origin} as mail: {detail}; give an mbox, a Maildir, a mail or a patch",
        "unreadable": f"tried to read {origin}: {detail}",
    }
    return FetchError(told.get(kind, f"asked {origin} for {message_id}: {detail}"))
