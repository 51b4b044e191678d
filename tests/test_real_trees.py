# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernel text as it is: the grammar reads it, and the checks' sources are in it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from reviewer.source.normalise import normalise
from reviewer.source.parse import parse

_FOLDERS = ("kernel", "arch/x86/kvm", "virt/kvm", "drivers/irqchip")


def _files(tree: Path, folder: str) -> list[str]:
    listed = subprocess.run(
        ["git", "-C", tree, "ls-tree", "-r", "--name-only", "-z", "HEAD", "--", folder + "/"],
        check=True,
        capture_output=True,
    )
    return [name for name in listed.stdout.decode().split("\0") if name.endswith((".c", ".h"))]


@pytest.mark.parametrize("version", ["6.1", "6.12", "7.2"])
def test_less_than_one_function_in_two_hundred_holds_what_the_grammar_cannot_read(
    kernel_tree: Callable[[str], Path], version: str
) -> None:
    tree = kernel_tree(version)
    functions = unreadable = 0
    for folder in _FOLDERS:
        for name in _files(tree, folder):
            text = (tree / name).read_bytes()
            rewritten, _ = normalise(text)
            assert len(rewritten) == len(text), name
            assert rewritten.count(b"\n") == text.count(b"\n"), name
            extents = parse(name, text).extents
            functions += len(extents)
            unreadable += sum(not extent.readable for extent in extents)
    assert functions > 10000
    assert unreadable / functions < 0.005
