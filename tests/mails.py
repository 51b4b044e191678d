# SPDX-License-Identifier: GPL-2.0-or-later
"""Mails made for tests: our own C file, a diff of it, and the headers around."""

from __future__ import annotations

import base64
import quopri
import subprocess
from pathlib import Path

FILE = "drivers/demo/clock.c"
BEFORE = b"""#include <linux/spinlock.h>

static int ticks;

void demo_tick(void)
{
\tticks++;

\tdemo_wake();
}
"""
AFTER = BEFORE.replace(b"\tticks++;\n\n", b"\tif (ticks < 100)\n\t\tticks++;\n\n")
# A "~" stands for the blank of an empty context line, which editors strip.
DIFF = b"""diff --git a/drivers/demo/clock.c b/drivers/demo/clock.c
index 1111111111..2222222222 100644
--- a/drivers/demo/clock.c
+++ b/drivers/demo/clock.c
@@ -4,7 +4,8 @@ static int ticks;
~
 void demo_tick(void)
 {
-\tticks++;
+\tif (ticks < 100)
+\t\tticks++;
~
 \tdemo_wake();
 }
""".replace(b"~\n", b" \n")
STAT = b" drivers/demo/clock.c | 3 ++-\n 1 file changed, 2 insertions(+), 1 deletion(-)\n\n"
BODY = (
    b"The counter runs over after a while.\n\nSigned-off-by: Ann Author <ann@example.org>\n---\n"
    + STAT
    + DIFF
    + b"-- \n2.39.5\n"
)


def mail(
    subject: str,
    message_id: str | None,
    body: bytes = BODY,
    *,
    sender: str = "Ann Author <ann@example.org>",
    reply_to: str | None = None,
    date: str = "Mon, 04 Mar 2024 10:00:00 +0100",
    extra: tuple[str, ...] = (),
) -> bytes:
    """One mail with LF line ends; ``extra`` are further header lines."""
    lines = [f"From: {sender}", "To: list@example.org", f"Subject: {subject}", f"Date: {date}"]
    if message_id:
        lines.append(f"Message-ID: <{message_id}>")
    if reply_to:
        lines += [f"In-Reply-To: <{reply_to}>", f"References: <{reply_to}>"]
    return "\n".join([*lines, *extra]).encode() + b"\n\n" + body


def mboxrd(*messages: bytes) -> bytes:
    """An mboxrd file of the messages."""
    out = b""
    for message in messages:
        quoted = b"\n".join(
            b">" + line if line.lstrip(b">").startswith(b"From ") else line for line in message.split(b"\n")
        )
        out += b"From mboxrd@z Thu Jan  1 00:00:00 1970\n" + quoted + b"\n"
    return out


def quoted_printable(body: bytes) -> bytes:
    """The body in quoted-printable; tabs and trailing blanks encoded."""
    return quopri.encodestring(body, quotetabs=True)


def base64_text(body: bytes) -> bytes:
    """The body in base64, 76 columns."""
    return base64.encodebytes(body)


def applied(folder: Path, diff: bytes, before: bytes = BEFORE, path: str = FILE) -> bytes:
    """The file after ``git apply`` of the diff to ``before``: git is the judge of every diff."""
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(before)
    done = subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "-"], input=diff, cwd=folder, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return target.read_bytes()
