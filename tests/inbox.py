# SPDX-License-Identifier: GPL-2.0-or-later
"""One real public-inbox for the whole test run: several lists, one external index over all, served on loopback.

A pytest plugin: the fixture ``inbox`` yields an ``Inbox``. The mail is written straight into the git repositories in
the layout of public-inbox-v2-format(5), one commit a message with the mail as the file ``m``, because delivering
hundreds of mails one by one takes minutes; everything after that is done by public-inbox's own commands.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PROGRAMS = ("public-inbox-init", "public-inbox-index", "public-inbox-extindex", "public-inbox-httpd")
# The lists that the real threads came from, by the first word of the file name, and one for mail made by tests.
LISTS = {"kvm": "kvm", "kvmarm": "kvmarm", "s390": "linux-s390"}
MADE = "made"
_FROM_LINE = re.compile(rb"^From \S+ +.*\d\d:\d\d:\d\d.*\d{4}\n", re.MULTILINE)
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)


def split_mboxrd(data: bytes) -> list[bytes]:
    """The messages of an mboxrd file, with its quoting undone."""
    return [_QUOTED_FROM.sub(rb"\1", message) for message in _FROM_LINE.split(data) if message]


@dataclass
class Inbox:
    """A running server. ``url`` is the base of the index over all lists, with a slash at its end."""

    root: Path
    environment: Mapping[str, str]
    listener: socket.socket
    url: str
    inboxes: tuple[str, ...]
    started: set[str] = field(default_factory=set)
    server: subprocess.Popen[bytes] | None = None

    def add(self, messages: Sequence[bytes], inbox: str = MADE) -> None:
        """Let ``messages`` (bytes of a mail each, with LF) arrive at a list, and index them."""
        # The server dies of an exception inside Xapian when the index changes under it more than once. The socket
        # stays open here, so that a client meanwhile waits instead of being refused.
        self.stop()
        self.store(inbox, messages)
        self.run("public-inbox-index", "--no-fsync", "-j0", str(self.root / inbox))
        self.start()

    def start(self) -> None:
        """Serve on the socket, which is handed over as systemd does: nobody has to wait or guess."""
        script = 'exec 3<&"$1"; shift; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"'
        with (self.root / "httpd.log").open("ab") as log:
            self.server = subprocess.Popen(
                ["bash", "-c", script, "bash", str(self.listener.fileno()), "public-inbox-httpd", "-W0"],
                env=dict(self.environment),
                pass_fds=(self.listener.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def stop(self) -> None:
        """End the server, by force if it does not listen."""
        if self.server is None:
            return
        self.server.send_signal(signal.SIGTERM)
        try:
            self.server.wait(20)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()
        self.server = None

    def store(self, inbox: str, messages: Iterable[bytes]) -> None:
        """Write messages into the list's git repository without indexing them."""
        repository = self.root / inbox / "git" / "0.git"
        stream: list[bytes] = []
        for number, message in enumerate(messages):
            stream.append(b"commit refs/heads/master\ncommitter Test <test@example.org> 1700000000 +0000\ndata 0\n")
            if number == 0 and inbox in self.started:
                stream.append(b"from refs/heads/master^0\n")
            stream.append(b"deleteall\nM 100644 inline m\ndata %d\n%b\n" % (len(message), message))
        if stream:
            self.run("git", f"--git-dir={repository}", "fast-import", "--quiet", stdin=b"".join(stream))
            self.started.add(inbox)

    def run(self, *command: str, stdin: bytes = b"") -> None:
        """Run one of the tools in the inbox's own environment."""
        done = subprocess.run(command, input=stdin, capture_output=True, env=dict(self.environment), check=False)
        if done.returncode:
            raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr.decode(errors='replace')}")


def hermetic_environment(home: Path) -> dict[str, str]:
    """An environment that nothing of the developer's own configuration reaches."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "gitconfig").touch()
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    return kept | {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_DATA_HOME": str(home / "data"),
        "GIT_CONFIG_GLOBAL": str(home / "gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


def _create(root: Path, listener: socket.socket) -> Inbox:
    environment = hermetic_environment(root / "home") | {"PI_CONFIG": str(root / "config")}
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    inboxes = (*LISTS.values(), MADE)
    inbox = Inbox(root, environment, listener, f"{base}/all/", inboxes)
    for name in inboxes:
        address = f"{name}@lists.example.org"
        inbox.run("public-inbox-init", "-V2", "-L", "full", "-j1", name, str(root / name), f"{base}/{name}/", address)
    with (root / "config").open("a") as config:
        config.write(f'[extindex "all"]\n\ttopdir = {root}/all\n\turl = {base}/all/\n')
    return inbox


def _fill(inbox: Inbox) -> None:
    shared = os.environ.get("SHARED")
    threads = sorted(Path(shared, "mail", "threads").glob("*.mbox")) if shared else []
    by_list: dict[str, list[bytes]] = {}
    for path in threads:
        by_list.setdefault(LISTS[path.name.split("-")[0]], []).extend(split_mboxrd(path.read_bytes()))
    for name, messages in by_list.items():
        inbox.store(name, messages)
    for name in inbox.inboxes:
        inbox.run("public-inbox-index", "--no-fsync", "--no-update-extindex", "-j0", str(inbox.root / name))
    inbox.run("public-inbox-extindex", "--no-fsync", "-j0", "--all", str(inbox.root / "all"))


@pytest.fixture(scope="session")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inbox]:
    """A public-inbox with the real threads (where SHARED names them), served on a random port of 127.0.0.1."""
    lacking = [name for name in PROGRAMS if shutil.which(name) is None]
    if lacking:
        pytest.skip(f"public-inbox is not installed: {', '.join(lacking)} not found")
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        listener.setblocking(False)  # as public-inbox asks for
        made = _create(tmp_path_factory.mktemp("inbox"), listener)
        _fill(made)
        made.start()
        try:
            yield made
        finally:
            made.stop()
