# SPDX-License-Identifier: GPL-2.0-or-later
"""The picture of a terminal in README: what the program writes to one, drawn by rich.

``pytest --update-golden`` draws it anew.
"""

from __future__ import annotations

import fcntl
import html
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from reviewer.commands.demo import make_example
from tests.conftest import ROOT
from tests.inbox import split_mboxrd
from tests.repos import git

PICTURE = ROOT / "docs" / "terminal.svg"
WIDTH, HEIGHT = 104, 60
_LETTER = 12.2  # the width that rich gives to one
COMMAND = "reviewer check HEAD~3.."


@pytest.fixture
def typescript(tmp_path: Path) -> str:
    """What a terminal gets for the command in the example, where its series is applied."""
    tree, mail = make_example(tmp_path)
    for patch in split_mboxrd(mail.read_bytes())[1:4]:
        git(tree, "am", "--quiet", stdin=patch)
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
    child = subprocess.Popen(
        [sys.executable, "-m", *COMMAND.split()], cwd=tree, stdout=end, stderr=subprocess.PIPE, env=environment
    )
    os.close(end)
    said = b""
    try:
        while chunk := os.read(terminal, 65536):
            said += chunk
    except OSError:  # the other end is closed
        pass
    os.close(terminal)
    _, errors = child.communicate()
    assert (child.returncode, errors) == (1, b"")
    return said.decode().replace("\r\n", "\n")


def drawn(typescript: str) -> str:
    """The picture. The fonts are the reader's own: rich would have them fetched from a server."""
    console = Console(
        file=io.StringIO(), record=True, width=WIDTH, height=HEIGHT, force_terminal=True, color_system="truecolor"
    )
    console.print(Text(f"$ {COMMAND}"), Text.from_ansi(typescript), sep="\n")
    style = re.sub(r"@font-face \{\{.*?\}\}\s*|<!--.*?-->\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    return console.export_svg(title="reviewer", code_format=style, unique_id="terminal")


def lines_of(svg: str) -> list[str]:
    """The text of a picture by line: what stands at the same height."""
    rows: dict[float, str] = {}
    found = re.findall(r'<text class="terminal-r\d+" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>', svg)
    for left, height, text in found:  # blanks without a style are not drawn
        row = rows.get(float(height), "").ljust(round(float(left) / _LETTER))
        rows[float(height)] = row + html.unescape(text).replace("\xa0", " ")
    return [rows[height].rstrip() for height in sorted(rows)]


def test_the_picture_is_what_a_terminal_shows(request: pytest.FixtureRequest, typescript: str) -> None:
    if request.config.getoption("--update-golden"):
        PICTURE.write_text(drawn(typescript), "utf-8")
    assert "\x1b[1;31mbug" in typescript
    said = [line.rstrip() for line in re.sub(r"\x1b\[[\d;]*m", "", typescript).splitlines()]
    shown = lines_of(PICTURE.read_text("utf-8"))
    assert [line for line in shown if line][:1] == [f"$ {COMMAND}"]
    assert [line for line in shown if line][1:] == [line for line in said if line]


def test_the_picture_needs_nothing_from_elsewhere() -> None:
    svg = PICTURE.read_text("utf-8")
    assert re.findall(r'https?://[^"\s)]+', svg) == ["http://www.w3.org/2000/svg"]
    assert "<script" not in svg
    assert "](docs/terminal.svg)" in (ROOT / "README.md").read_text("utf-8")
