# SPDX-License-Identifier: GPL-2.0-or-later
"""Who calls a function by name, or hands it to somebody who does."""

from __future__ import annotations

import posixpath
import re

from reviewer.source.cfg import Call, Function
from reviewer.source.nearness import architecture_of
from reviewer.source.program import Program

_ONE_IMAGE = ("arch/", "block/", "fs/", "include/", "init/", "ipc/", "kernel/", "lib/", "mm/", "security/", "virt/")
"""Of what is linked together no two files can offer a function of the same name."""

MOST = 24
"""So many callers of one function are found; whoever asks can tell by their number that there may be more."""


def callers(program: Program, function: Function) -> tuple[Function, ...]:
    """The functions that call ``function`` or pass it as an argument, nearest files first, at most ``MOST``."""
    name = function.name
    found: list[Function] = []
    for path in program.mentioning(function):
        found += (
            user
            for user in users(program, path, name)
            if _calls(user, name) and _can_mean(program, name, path, function)
        )
        if len(found) >= MOST:
            break
    return tuple(found[:MOST])


def _can_mean(program: Program, name: str, user: str, function: Function) -> bool:
    """Whether a call of ``name`` in ``user`` is one of ``function``, in the usual kernel or in another."""
    found = program.resolve(name, user)[:1]
    if found == (function,):
        return True
    own, using = architecture_of(function.path), architecture_of(user)
    if _is_private(function) or using not in (None, own):
        return False
    if not found:  # what another architecture offers to the code that all share
        return using is None and own not in (None, program.architecture(user))
    usual = found[0]
    if usual.path == user or _is_private(usual) or (using is not None and architecture_of(usual.path) == using != own):
        return False
    if usual.path.endswith(".h") and function.path.endswith(".h"):
        return False  # which of them the file includes is not known
    together = all(_in_one_image(one.path, function.path) for one in (usual, function))
    return together or program.builds.exclusive(usual.path, function.path)


def _is_private(function: Function) -> bool:
    return "macro" in function.words or (function.static and function.path.endswith(".c"))


def _in_one_image(path: str, other: str) -> bool:
    """Whether what ``path`` offers is offered to the whole kernel, or to the folder of ``other``."""
    public = not path.endswith(".h") or "include" in path.split("/")
    return path.startswith(_ONE_IMAGE) and (public or posixpath.dirname(path) == posixpath.dirname(other))


def users(program: Program, path: str, word: str) -> tuple[Function, ...]:
    """The functions of ``path`` in whose body ``word`` stands."""
    text = program.text(path)
    if text is None or word.encode() not in text:
        return ()
    places = re.finditer(rb"\b" + re.escape(word.encode()) + rb"\b", text)
    lines = sorted({text.count(b"\n", 0, place.start()) + 1 for place in places})
    return tuple(
        function
        for extent in program.extents(path)
        if any(extent.line < line <= extent.end or line == extent.line == extent.end for line in lines)
        for function in program.functions(path, extent.name)
        if function.line == extent.line
    )


def hands_over(caller: Function, name: str) -> bool:
    """Whether ``caller`` passes the function ``name`` as an argument."""
    given = (name, "&" + name)
    return any(isinstance(node, Call) and any(each in given for each in node.args) for node in caller.nodes())


def _calls(caller: Function, name: str) -> bool:
    return any(isinstance(node, Call) and node.name == name for node in caller.nodes()) or hands_over(caller, name)
