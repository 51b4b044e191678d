# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes outside functions that change what functions mean: declared locks, macros, registrations and tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from reviewer.context.callers import users
from reviewer.context.entry import entries
from reviewer.context.tables import Api
from reviewer.model import Place
from reviewer.sides import Sides
from reviewer.source.cfg import Call, Function, Guard
from reviewer.source.files import C_SUFFIXES
from reviewer.source.program import Program
from reviewer.source.scan import scan

_DEFINE = re.compile(rb"[ \t]*#[ \t]*define[ \t]+(\w+)\(")
_VALUE = re.compile(rb"[=,(]\s*&?([A-Za-z_]\w+)\s*(?=[,);}])")
_TIMER = re.compile(rb"\bhrtimer_(?:init|setup)\w*\s*\(")
_TIMER_FUNCTION = re.compile(rb"(?:->|\.)function\s*=\s*&?(\w+)\s*;")
_WORD = re.compile(rb"\w+")
_LINE_FEED = re.compile(rb"\n")
_STATEMENT = 2000  # bytes in which the statement around a line begins and ends


def changed_paths(sides: Sides) -> Iterator[tuple[str, str]]:
    """(old path, new path) of the C files that the patch changes."""
    for path in sorted(sides.changed):
        if path.endswith(C_SUFFIXES):
            yield sides.old_path(path), path


# Locks


def changed_locks(sides: Sides) -> dict[str, tuple[str, Place]]:
    """By name of a lock whose declared type the patch changes: the file that declares it, and the line."""
    found: dict[str, tuple[str, Place]] = {}
    for old, new in changed_paths(sides):
        before, after = sides.before.text(old), sides.after.text(new)
        if before is None or after is None:
            continue
        types = [_types(text) for text in (before, after)]
        for name in sorted(types[0].keys() & types[1].keys()):
            if types[0][name] != types[1][name] and (line := _mentioned(after, name, sides.lines(new).added)):
                found.setdefault(name, (new, Place(new, line)))
    return found


def _types(text: bytes) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for name, kind in scan(text).locks:
        found[name] = found.get(name, frozenset()) | {kind}
    return found


def _mentioned(text: bytes, name: str, lines: Iterable[int]) -> int:
    """The first of ``lines`` that holds ``name``; 0 where none does."""
    rows = text.split(b"\n")
    word = re.compile(rb"\b" + re.escape(name.encode()) + rb"\b")
    return next((line for line in sorted(lines) if line <= len(rows) and word.search(rows[line - 1])), 0)


def users_of_lock(program: Program, name: str, declared_in: str) -> Iterator[Function]:
    """The functions that do something with a lock or member called ``name``, nearest files first."""
    if declared_in.endswith(".c"):
        paths: Iterable[str] = (declared_in,)
    else:
        folders = ("",) if "include/" in declared_in else program.scope(declared_in)[:1]
        paths = program.files.mentioning(frozenset((name,)), folders).get(name, ())
    word = re.compile(rf"\b{re.escape(name)}\b")
    for path in sorted(paths, key=lambda path: (program.distance(path, declared_in), path)):
        for function in users(program, path, name):
            if any(
                (isinstance(node, Call) and any(map(word.search, node.args)))
                or (isinstance(node, Guard) and word.search(node.argument))
                for node in function.nodes()
            ):
                yield function


# Macros


def changed_macros(sides: Sides) -> Iterator[tuple[Function | None, Function, Place]]:
    """The function-like macros that the patch changes, read as functions, with a changed line of each.

    None for one that did nothing before the patch that is worth reading.
    """
    for old, new in changed_paths(sides):
        text = sides.after.text(new)
        lines = sides.lines(new)
        rows = text.split(b"\n") if text is not None else []
        told: set[str] = set()
        for line in (*sorted(lines.added), *sorted(lines.near)):
            name = _macro_around(rows, line)
            if name is None or name in told:
                continue
            told.add(name)
            before, after = sides.before.resolve(name, old)[:1], sides.after.resolve(name, new)[:1]
            if after and all("macro" in function.words for function in (*before, *after)):
                yield next(iter(before), None), after[0], Place(new, line)


def _macro_around(rows: list[bytes], line: int) -> str | None:
    """The macro in whose definition the 1-based ``line`` lies."""
    at = line - 1
    while 0 < at < len(rows) and rows[at - 1].endswith(b"\\"):
        at -= 1
    match = _DEFINE.match(rows[at]) if 0 <= at < len(rows) else None
    return match.group(1).decode("latin-1") if match is not None else None


# Ways in


def entered_otherwise(sides: Sides, api: Api) -> Iterator[tuple[Function, Place]]:
    """The functions that the patch has entered in other contexts than before, with the line that does so."""
    told: set[tuple[str, str]] = set()
    for old, new in changed_paths(sides):
        text = sides.after.text(new)
        before = sides.before.text(old)
        lines = sides.lines(new)
        named: dict[str, int] = {}
        if text is not None:
            starts = _line_starts(text)
            for line in (*sorted(lines.added), *sorted(lines.near)):
                for name in _values(text, starts, line):
                    named.setdefault(name, line)
        if before is not None and text is not None:
            starts = _line_starts(before)
            for line in sorted(lines.removed):
                for name in _values(before, starts, line):
                    named.setdefault(name, _nearest(lines.added | lines.near, line))
            for name, line in _allowed(text, before, lines.removed, api):
                named.setdefault(name, _nearest(lines.added | lines.near, line))
            for name, line in _allowed(text, text, lines.added, api):
                named.setdefault(name, line)
        for name, line in named.items():
            for function in sides.after.resolve(name, new)[:1]:
                key = (function.path, function.name)
                if key in told or "macro" in function.words:
                    continue
                told.add(key)
                was = sides.counterpart(function)
                kinds = {entry.kind for entry in entries(sides.before, api, was)} if was is not None else set()
                if kinds != {entry.kind for entry in entries(sides.after, api, function)}:
                    yield function, Place(new, line)


def _nearest(lines: Iterable[int], line: int) -> int:
    return min(lines, key=lambda at: (abs(at - line), at), default=line)


def _allowed(text: bytes, side: bytes, changed: Iterable[int], api: Api) -> Iterator[tuple[str, int]]:
    """The functions of ``text`` in members that may sleep where the file says a word, and the changed line of ``side``
    that says it."""
    rows = side.split(b"\n")
    for line in sorted(changed):
        words = api.allowing & set(_WORD.findall(rows[line - 1])) if line <= len(rows) else frozenset[bytes]()
        if words:
            facts = scan(text)
            fields = {name.partition(".")[2] for name, each in api.members.items() if each.unless.encode() in words}
            found = [(each.function, each.field) for each in facts.assigned]
            found += [(function, field) for function, _, field in facts.members]
            yield from ((function, line) for function, field in found if field in fields)


def _line_starts(text: bytes) -> list[int]:
    return [0, *(match.end() for match in _LINE_FEED.finditer(text))]


def _values(text: bytes, starts: Sequence[int], line: int) -> list[str]:
    """The names that the statement or initialiser around ``line`` hands over; for a timer, the timers' functions.

    ``starts`` are the offsets at which the lines of ``text`` begin.
    """
    start = starts[line - 1] if line <= len(starts) else 0
    end = text.find(b"\n", start)
    end = len(text) if end < 0 else end
    first = max((text.rfind(mark, max(0, start - _STATEMENT), start) for mark in (b";", b"{", b"}")), default=-1) + 1
    ends = [at for mark in (b";", b"{", b"}") if (at := text.find(mark, end - 1, end + _STATEMENT)) >= 0]
    statement = text[first : min(ends, default=end) + 1]
    names = [name.decode("latin-1") for name in _VALUE.findall(statement)]
    if _TIMER.search(statement):
        names += [name.decode("latin-1") for name in _TIMER_FUNCTION.findall(text)]
    return [name for name in dict.fromkeys(names) if not name.isupper()]
