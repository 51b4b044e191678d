# SPDX-License-Identifier: GPL-2.0-or-later
"""The splats of a text or a thread, told, with what a tree has to them: the rule, and the functions of the traces."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from reviewer.citation import Citer
from reviewer.model import Step
from reviewer.source.program import Program
from reviewer.splat.account import Explained, account_of
from reviewer.splat.meanings import Meanings
from reviewer.splat.records import Splat

_USUAL: Final = "x86"
_TOO_FAR: Final = 9  # Program.distance() of what no user can mean
_MOST: Final = 24  # functions of one report that are looked for in the tree
# What a name is looked for in that the core of the kernel does not have, and in how many files of it at most.
_FAR: Final = ("block", "crypto", "drivers", "fs", "io_uring", "ipc", "net", "security", "sound")
_TOO_MANY: Final = 40
_MOST_LINES: Final = 6  # of a function, one of which a report can mean


@dataclass(frozen=True, slots=True)
class Tree:
    """Where the functions of a report are looked for."""

    program: Program
    citer: Citer


def explain(splats: Sequence[Splat], meanings: Meanings, tree: Tree | None = None) -> tuple[Explained, ...]:
    """Each splat with its account; with a tree also the rule in its words and the functions by name.

    Of the same report, as replies quote it, the most complete is told, in the place of the first.
    """
    same: dict[tuple[object, ...], list[Splat]] = {}
    for splat in splats:
        same.setdefault(_identity(splat), []).append(splat)
    return tuple(
        replace(_explained(max(group, key=_size), meanings, tree), repeats=len(group) - 1) for group in same.values()
    )


def _identity(splat: Splat) -> tuple[object, ...]:
    """What reports of one event have in common however they were cut; instances of locks tell two events apart."""
    return (splat.kind, splat.header, splat.release, splat.task, splat.path, splat.number, splat.wanted, splat.holding)


def _size(splat: Splat) -> int:
    frames = sum(len(trace.frames) for trace in splat.traces) + sum(len(link.frames) for link in splat.chain)
    return frames + sum(len(block.locks) for block in splat.held)


def _explained(splat: Splat, meanings: Meanings, tree: Tree | None) -> Explained:
    account = account_of(splat, meanings)
    if tree is None:
        return Explained(splat, account)
    users = _users(splat, meanings)
    wanted = account.functions[:_MOST]
    near = {name: steps for name in wanted if (steps := _definitions(tree.program, name, users))}
    found = near | _far(tree.program, [name for name in wanted if name not in near])
    places = tuple(found[name][0] for name in wanted if len(found.get(name, ())) == 1)
    several = tuple((name, found[name]) for name in wanted if len(found.get(name, ())) > 1)
    unknown = tuple(name for name in wanted if name not in found)
    named = _named(splat, meanings, tree.program)
    cited = tree.citer.cite(account.sources)
    return Explained(splat, account, cited, places, unknown, named=named, several=several)


def _named(splat: Splat, meanings: Meanings, program: Program) -> tuple[Step, ...]:
    """The line that the report names, if this tree has there what such a report comes from.

    Else, as lines move from version to version, those of the named function that have it; none if they are many.
    """
    place, path = meanings.kinds[splat.kind].place, splat.path.removeprefix("./")
    if place is None or splat.number is None or not path.endswith((".c", ".h")):
        return ()
    lines = (program.text(path) or b"").decode("utf-8", "replace").split("\n")
    name = splat.fact("function").split("+")[0].split(".")[0]
    functions = program.functions(path, name) if name else ()
    fitting = [
        Step(path, number, name, lines[number - 1].strip())
        for function in functions
        for number in range(function.line, min(function.end, len(lines)) + 1)
        if place.search(lines[number - 1]) and number > function.line
    ]
    exact = [step for step in fitting if step.line == splat.number]
    if not name and splat.number <= len(lines) and place.search(lines[splat.number - 1]):
        exact = [Step(path, splat.number, "", lines[splat.number - 1].strip())]
    if exact:
        return (exact[0],)
    return tuple(fitting) if len(fitting) <= _MOST_LINES and splat.kind != "smatch-atomic" else ()


def _far(program: Program, names: Sequence[str]) -> dict[str, tuple[Step, ...]]:
    """Where the names are defined in drivers, file systems and the like, if few files mention them."""
    mentioned = program.files.mentioning(frozenset(names), _FAR) if names else {}
    found: dict[str, tuple[Step, ...]] = {}
    for name, paths in mentioned.items():
        sources = [path for path in paths if path.endswith(".c")]
        if len(sources) > _TOO_MANY:
            continue
        begins = re.compile(rb"^(?:[A-Za-z_][^;={}\n]*[\s*(])?" + re.escape(name.encode()) + rb"\s*[(),]", re.MULTILINE)
        defining = [
            path for path in sources if begins.search(program.text(path) or b"") and program.functions(path, name)
        ]
        if defining:
            found[name] = tuple(_step(program, path, name) for path in defining)
    return found


def _users(splat: Splat, meanings: Meanings) -> tuple[str, ...]:
    """Files from whose point of view names are looked up: those that the traces name, then one of the architecture."""
    frames = [
        frame for frames in (*(t.frames for t in splat.traces), *(c.frames for c in splat.chain)) for frame in frames
    ]
    named = dict.fromkeys(frame.path.removeprefix("./") for frame in frames if frame.path)
    arch = next(
        (meanings.architecture(frame.function) for frame in frames if meanings.architecture(frame.function)), ""
    )
    return (*list(named)[:_MOST], f"arch/{arch or _USUAL}/kernel/")


def _definitions(program: Program, name: str, users: Sequence[str]) -> tuple[Step, ...]:
    """Where ``name`` is defined as seen from the first of ``users`` for which that is one place; else all of them."""
    several: tuple[str, ...] = ()
    for user in users:
        paths = [(program.distance(path, user), path) for path in program.defining(name, user)]
        near = [entry for entry in paths if entry[0] < _TOO_FAR]
        nearest = sorted(path for distance, path in near if distance == min(near)[0])
        # A header with another definition has the stub for kernels without it.
        nearest = [path for path in nearest if path.endswith(".c")] or nearest
        defining = tuple(path for path in nearest if program.functions(path, name))
        if len(nearest) == 1 and defining:
            return (_step(program, nearest[0], name),)
        several = several or defining
    return tuple(_step(program, path, name) for path in several)


def _step(program: Program, path: str, name: str) -> Step:
    """Where the function ``name`` begins in ``path``, and the line with its name."""
    function = max(program.functions(path, name), key=lambda each: each.end - each.line)
    lines = (program.text(path) or b"").split(b"\n")[function.line - 1 : function.end]
    offset = next((at for at, line in enumerate(lines) if name.encode() in line), 0)
    text = lines[offset].decode("utf-8", "replace").strip() if lines else ""
    return Step(path, function.line + offset, name, text)
