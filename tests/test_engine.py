# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases in C for the analysis: each line that a check is to find says so, every other line stays silent."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reviewer.model import Change
from reviewer.source.normalise import normalise
from reviewer.source.parse import parse
from tests.findings import brought_by

_CASES = Path(__file__).with_name("engine")


@pytest.mark.parametrize("case", sorted(path.name for path in _CASES.glob("*.c")))
def test_marked_lines_are_found_and_no_others(case: str) -> None:
    code = (_CASES / case).read_text()
    wanted = {
        (match.group(1), number)
        for number, line in enumerate(code.split("\n"), 1)
        for match in re.finditer(r"/\* wrong: ([\w-]+) \*/", line)
    }
    assert wanted
    found = {(f.check, f.line) for f in brought_by(code) if f.change is not Change.FIXED}
    assert sorted(found) == sorted(wanted)


@pytest.mark.parametrize("case", sorted(path.name for path in _CASES.glob("*.c")))
def test_rewrite_keeps_length_and_lines_and_everything_is_read(case: str) -> None:
    text = (_CASES / case).read_bytes()
    rewritten, _ = normalise(text)
    assert len(rewritten) == len(text)
    assert [m.start() for m in re.finditer(b"\n", rewritten)] == [m.start() for m in re.finditer(b"\n", text)]
    parsed = parse(case, text)
    assert all(extent.readable for extent in parsed.extents)
    headers = re.findall(rb"^(?!#|/|struct|enum)[a-z][\w *]*?(\w+)\([^;\n]*\)[^;\n]*(?:$|\{)", text, re.MULTILINE)
    assert [extent.name.encode() for extent in parsed.extents] == headers
