# SPDX-License-Identifier: GPL-2.0-or-later
"""Paths that are no text: git takes any bytes for a name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reviewer.cli import main
from tests.repos import git_bytes, make


@pytest.mark.parametrize("name", [b"\xff.c", b"d\xff/x.h"])
def test_a_path_that_is_no_text_is_passed_over(
    name: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "static DEFINE_SPINLOCK(l);\nvoid f(void)\n{\n\tspin_lock(&l);\n\tmsleep(1);\n\tspin_unlock(&l);\n}\n"
    tree = tmp_path / "linux"
    make(tree, {"a.c": "int a;\n"})
    make(tree, {os.fsdecode(name): text})
    monkeypatch.chdir(tree)
    patch = tmp_path / "odd.patch"
    patch.write_bytes(git_bytes(tree, "format-patch", "-1", "--stdout"))
    for words in (("check", "HEAD~1.."), ("check", "--all", "."), ("review", str(patch), "--base", "HEAD~1")):
        assert main([*words]) == 0, capsys.readouterr().err
    assert main(["review", str(patch)]) == 3  # it is applied already, so that its hunks alone are read
    assert "internal error" not in capsys.readouterr().err
