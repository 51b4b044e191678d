# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files a configuration option keeps out of the kernel, from the Makefile and Kconfig beside them."""

from __future__ import annotations

import posixpath
import re

from reviewer.source.files import Files

_ENTRY = re.compile(r"^(?:menu)?config[ \t]+(\w+)[ \t]*\n((?:[ \t]+.*\n|\n)*)", re.MULTILINE)


def excluded_with(files: Files, path: str, option: str) -> bool:
    """Whether the C file ``path`` is not built with ``CONFIG_option`` (given without the prefix).

    So it is where the Makefile beside it builds it for one option and that one ``depends on !option``. Composite
    objects and headers are answered False: not known to be excluded.
    """
    if not path.endswith(".c"):
        return False
    folder, name = posixpath.split(path)
    makefile = _text(files, posixpath.join(folder, "Makefile"))
    built = re.search(
        rf"^obj-\$\(CONFIG_(\w+)\)[ \t]*[:+]?=(?:[^\n]|\\\n)*?\b{re.escape(name[:-2])}\.o\b", makefile, re.MULTILINE
    )
    if built is None:
        return False
    while True:
        for entry in _ENTRY.finditer(_text(files, posixpath.join(folder, "Kconfig"))):
            if entry.group(1) == built.group(1):
                return any(
                    re.search(rf"!\s*{option}\b(?!_)", line) and "||" not in line
                    for line in entry.group(2).split("\n")
                    if line.strip().startswith("depends on")
                )
        if not folder:
            return False
        folder = posixpath.dirname(folder)


def lacks_preempt_rt(files: Files, architecture: str) -> bool:
    """Whether the tree has PREEMPT_RT for other architectures and not for this one."""
    select = "select ARCH_SUPPORTS_RT"
    if select in _text(files, f"arch/{architecture}/Kconfig"):
        return False
    return any(select in _text(files, f"arch/{other}/Kconfig") for other in ("x86", "arm64", "riscv"))


def _text(files: Files, path: str) -> str:
    return (files.read(path) or b"").decode("utf-8", "replace").replace("\\\n", "  ")
