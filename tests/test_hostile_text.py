# SPDX-License-Identifier: GPL-2.0-or-later
"""Text that is no C, in sizes that a mail can carry: reading it takes one pass, not one for each of its bytes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT

_MANY = 60000
_SHAPES = {
    "open calls": b"a(",
    "open calls on lines": b"a(\n",
    "empty calls on lines": b"a()\n",
    "open macros": b"A_B_C(\n",
    "open loops": b"{ for_each_x(\n",
    "open typeof": b"typeof(",
    "open asm": b"asm(",
    "attributes": b"__attr ",
    "comments without end": b"/*",
    "strings without end": b'"',
    "strings that go on": b'"\\\n',
    "characters": b"'a",
    "structures": b"(struct a ",
    "pointers": b"(a * ",
    "wide calls": b"f(struct a" + b" " * 500,
    "tables without end": b"struct x y = {\n.a = b,\n",
    "conditionals": b"#if 1\n",
    "definitions": b"#define a(b) \\\n",
    "cases": b"case a",
    "semicolons": b";\n",
    "zeros": b"\0",
}


@pytest.mark.parametrize("shape", sorted(_SHAPES))
def test_reading_ends(shape: str) -> None:
    code = (
        "from reviewer.source.parse import parse\nfrom reviewer.source.scan import scan\nimport sys\n"
        "text = sys.stdin.buffer.read()\nscan(text)\nlist(parse('a.c', text).functions())\n"
    )
    text = _SHAPES[shape] * (_MANY if len(_SHAPES[shape]) < 50 else 1000)
    # The limit is a thousand times what one pass takes: it tells a pass from a pass for each byte.
    done = subprocess.run(
        [sys.executable, "-c", code], input=text, check=False, capture_output=True, cwd=ROOT, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode()
