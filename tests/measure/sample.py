# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions drawn at random from all of a kernel tree, found in its text alone, and a line put into one.

Nothing of the program is asked, so that what it reads badly is drawn as often as what it reads well.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Final

from tests.kernels import KernelClone
from tests.repos import git_bytes

_LINE: Final = b"\tbarrier();\n"
# As kernel style has it: the body opens on a line of its own.
_FUNCTION: Final = rb"^(?:[A-Za-z_][^;{}#=(\n]*\b)?%b[ \t]*\([^;{}#]{0,2000}\)[^;{}#()\n]*\n{\n"
_NAMED: Final = re.compile(_FUNCTION % rb"([A-Za-z_]\w*)", re.MULTILINE)


def functions_in(text: bytes) -> list[str]:
    """The names of the functions whose bodies stand in the text of a file, each once."""
    return list(dict.fromkeys(match.group(1).decode() for match in _NAMED.finditer(text)))


def with_line(text: bytes, function: str) -> bytes | None:
    """The text with one more statement at the beginning of ``function``; None where it has no such function."""
    body = re.search(_FUNCTION % function.encode(), text, re.MULTILINE)
    return None if body is None else text[: body.end()] + _LINE + text[body.end() :]


def drawn(clone: KernelClone, count: int, seed: int) -> Iterator[tuple[str, str]]:
    """``count`` functions of different .c files, as file and name; the same ones for the same seed.

    A file is drawn as often as it is long, as a function of it would be.
    """
    chance = random.Random(seed)  # noqa: S311 - a sample, not a secret
    listed = git_bytes(clone.path, "ls-tree", "-r", "-l", "-z", clone.base).decode("utf-8", "surrogateescape")
    sizes = {}
    for entry in listed.removesuffix("\0").split("\0"):
        about, _, path = entry.partition("\t")
        mode, _, _, size = about.split()
        if mode.startswith("100") and path.endswith(".c"):
            sizes[path] = int(size)
    # Of waiting times with these rates the least is each one's as often as its rate is of the sum of all.
    order = sorted(sizes, key=lambda path: chance.expovariate(max(sizes[path], 1)))
    found = 0
    for path in order:
        if found == count:
            return
        functions = functions_in(git_bytes(clone.path, "show", f"{clone.base}:{path}"))
        if functions:
            found += 1
            yield path, chance.choice(functions)
