# SPDX-License-Identifier: GPL-2.0-or-later
"""The keys that README gives to mail programs, pressed in the real ones; ``--thread`` on the mail that they pipe."""

from __future__ import annotations

import email
import mailbox
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reviewer.commands.demo import make_example
from tests.conftest import ROOT
from tests.inbox import Inbox, split_mboxrd
from tests.test_cli import reviewer

README = (ROOT / "README.md").read_text()
LONGEST = 90  # seconds

Press = Callable[[str], str]


@pytest.fixture
def mails(tmp_path: Path) -> list[bytes]:
    """The example in the home folder: its tree as ``linux``, its mails as a Maildir and as the result."""
    _, mbox = make_example(tmp_path)
    found = split_mboxrd(mbox.read_bytes())
    folder = mailbox.Maildir(str(tmp_path / "Mail"), create=True)
    for one in found:
        folder.add(email.message_from_bytes(one))
    folder.close()
    return found


@pytest.fixture(params=["mutt", "neomutt"])
def press(request: pytest.FixtureRequest, tmp_path: Path, mails: list[bytes]) -> Press:  # noqa: ARG001  # puts mail there
    """Presses keys on the second mail of the folder; the result is what the pager was given."""
    program = shutil.which(request.param)
    if program is None:
        pytest.skip(f"{request.param} is not installed")
    (macros,) = re.findall(r"^```muttrc\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    rc = tmp_path / "muttrc"
    rc.write_text(f"{macros}set sort=subject wait_key=no folder={tmp_path}/Mail mbox_type=Maildir\n")
    tools = tmp_path / "bin"
    tools.mkdir()
    shown = tmp_path / "shown"
    for name, script in (
        ("reviewer", f'PYTHONPATH={ROOT} exec {sys.executable} -m reviewer "$@" 2>&1'),
        ("less", f"cat > {shown}.new && mv {shown}.new {shown}"),
    ):
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)

    def pressed(keys: str) -> str:
        child, terminal = pty.fork()
        if child == 0:
            os.environ.update(HOME=str(tmp_path), PATH=f"{tools}:{os.environ['PATH']}", TERM="xterm")
            os.chdir(tmp_path)
            os.execv(program, [program, "-n", "-F", str(rc), "-f", f"{tmp_path}/Mail"])  # noqa: S606  # on a terminal
        try:
            os.write(terminal, keys.encode())
            until = time.monotonic() + LONGEST
            while not shown.exists() and time.monotonic() < until:
                if select.select([terminal], [], [], 0.05)[0]:
                    os.read(terminal, 65536)
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(terminal)
        assert shown.exists(), "the pager was not started"
        return shown.read_text()

    return pressed


def test_a_key_reviews_a_patch(press: Press) -> None:
    said = press("/Show\n,p")
    assert "2/3  applied      misc: doorbell: Show pending tokens and statistics" in said
    assert "[rt-alloc-under-raw-spinlock]" in said


def test_a_key_fetches_and_reviews_the_series(press: Press, inbox: Inbox, mails: list[bytes]) -> None:
    inbox.add(mails)
    subprocess.run(["git", "config", "--global", "reviewer.lore", inbox.url], check=True)
    said = press("/Show\n,r")
    assert "3 of 3 patches applied." in said
    assert "2 drafts in" in said


def test_keys_for_reports_and_drafts(press: Press, tmp_path: Path) -> None:
    assert "There is no kernel report in it." in press("/Show\n,s")
    (tmp_path / "shown").unlink()
    drafts = tmp_path / ".local/share/reviewer/drafts"
    reviewer("review", tmp_path / "doorbell.mbox", "--repo", tmp_path / "linux", "--output", drafts)
    assert "Subject: Re: [PATCH v2 1/3] misc: doorbell: Remember" in press(",d|less\n")


def test_the_mail_of_thread_is_one_with_its_headers(tmp_path: Path, mails: list[bytes]) -> None:
    body = tmp_path / "body"
    body.write_bytes(mails[2].partition(b"\n\n")[2])
    for source, stdin, status, told in (
        (["-"], body.read_bytes(), 3, b"looked for the Message-ID of the mail in standard input: there is none"),
        ([str(body)], b"", 3, b"looked for the Message-ID of the mail in"),
        (["-", "-"], mails[2], 2, b"--thread takes one mail"),
        (["-"], b"From x\nMessage-ID: <--help@x/../y>\n\nbody\n", 3, b"--help@x/../y"),
        ([str(tmp_path / "none")], b"", 3, b"No such file or directory"),
    ):
        done = reviewer("review", "--thread", *source, "--offline", "--repo", tmp_path / "linux", stdin=stdin)
        assert done.returncode == status, done.stderr
        assert told in done.stderr


def test_the_mail_may_be_in_any_form_that_programs_pipe(tmp_path: Path, inbox: Inbox, mails: list[bytes]) -> None:
    inbox.add(mails)
    for data in (mails[2], b"From ada@example.org Tue Mar 11 14:33:20 2025\n" + mails[2].replace(b"\n", b"\r\n")):
        done = reviewer(
            "review", "--thread", "-", "--lore", inbox.url, "--repo", tmp_path / "linux", "--format", "gcc", stdin=data
        )
        assert (done.returncode, done.stderr) == (1, b"")
        assert b"(patch 1) [lock-gfp-blocking-in-atomic]" in done.stdout
