# SPDX-License-Identifier: GPL-2.0-or-later
"""A patch may nest as deep as its author likes: the program answers, or says that it cannot follow; it never dies."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.repos import make

_DEPTH = 20000
_SHAPES = {
    "brackets": "x = " + "(" * _DEPTH + "f(1)" + ")" * _DEPTH + ";",
    "blocks": "{" * _DEPTH + "f();" + "}" * _DEPTH,
    "ifs": "if (a) " * _DEPTH + "f();",
    "nots": "x = " + "!" * _DEPTH + "f(1);",
    "sums": "x = " + "f(1)+(" * _DEPTH + "1" + ")" * _DEPTH + ";",
    "ands": "if (" + "a && " * _DEPTH + "b) f();",
    "calls": "x = " + "f(" * _DEPTH + "1" + ")" * _DEPTH + ";",
    "choices": "x = " + "a ? f(1) : " * _DEPTH + "0;",
    "members": "x = a" + "->b" * _DEPTH + ";",
    "elses": "if (a) f(); else " * _DEPTH + "f();",
}


@pytest.mark.parametrize("shape", sorted(_SHAPES))
def test_deep_nesting_is_answered(shape: str, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    base = make(tree, {"kernel/a.c": "int x;\n"})
    tip = make(tree, {"kernel/a.c": f"int x;\nvoid g(int a)\n{{\n\t{_SHAPES[shape]}\n}}\n"})
    done = subprocess.run(
        [sys.executable, "-m", "reviewer", "check", f"{base}..{tip}", "--repo", tree, "--format", "json"],
        check=False,
        capture_output=True,
        cwd=ROOT,
    )
    assert done.returncode in (0, 3), done.stderr.decode()
    assert b'"patches"' in done.stdout
    assert b"Traceback" not in done.stderr
    if done.returncode == 3:
        assert b"nests deeper than the analysis can follow" in done.stdout
