# SPDX-License-Identifier: GPL-2.0-or-later
"""In which context a function is entered by nobody's call: entry macros, registrations, tables of operations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from reviewer.context.state import State
from reviewer.context.tables import Api
from reviewer.model import Step
from reviewer.source.brackets import closing
from reviewer.source.cfg import Function
from reviewer.source.expression import split_arguments
from reviewer.source.preprocess import blank_comments_and_strings
from reviewer.source.program import Program

_WORDS = {
    "hardirq": "hard interrupt",
    "hardirq_threaded": "hard interrupt (a thread on PREEMPT_RT)",
    "softirq": "softirq",
    "nmi": "NMI",
    "task": "process context",
    "raw_lock": "called with a raw spinlock held",
    "spin_lock": "called with a spinlock held",
}
_WINDOW = 700  # bytes around a name in which the call stands that it is handed to
_INSIDE = re.compile(rb"[\w.>\"]")  # before what is a part of a longer name, a member or a string
_TIMER_FUNCTION = re.compile(rb"([\w.>\[\]-]+?)(?:->|\.)function\s*=$")
_TIMER_INIT = re.compile(rb"\bhrtimer_init(?:_on_stack)?\s*\(\s*&?([^,]+),[^,]+,\s*(\w+)\s*\)")


class Entry(NamedTuple):
    """One way in: the kind of entries.toml and the step that shows it."""

    kind: str
    step: Step

    @property
    def state(self) -> State:
        """The state in which the function starts."""
        return State(entry=self.kind)


def entries(program: Program, api: Api, function: Function) -> tuple[Entry, ...]:
    """The contexts other than process context in which ``function`` is entered, each kind once."""
    return tuple(way for way in ways_in(program, api, function) if way.kind != "task")


def ways_in(program: Program, api: Api, function: Function) -> tuple[Entry, ...]:
    """The contexts in which the tables know ``function`` to be entered, process context too, each kind once."""
    found: dict[str, Entry] = {}
    for kind, where, line, text in _all(program, api, function):
        if kind not in found:
            mark = f"<- {_WORDS[kind]}, {text}"
            found[kind] = Entry(kind, Step(where, line, function.name, mark))
    return tuple(found[kind] for kind in sorted(found))


def _all(program: Program, api: Api, function: Function) -> Iterator[tuple[str, str, int, str]]:
    kind = api.definers.get(function.via)
    if kind is not None:
        yield kind, function.path, function.line, f"{function.via}()"
    for structure, member in sorted(program.members(function)):
        if (kind := api.members.get(f"{structure}.{member}")) is not None:
            yield kind, function.path, function.line, f"struct {structure}.{member}"
    name = function.name.encode()
    for path in program.mentioning(function):
        text = program.text(path)
        if text is not None:
            yield from _registered(text, path, name, api)


def _registered(text: bytes, path: str, name: bytes, api: Api) -> Iterator[tuple[str, str, int, str]]:
    for place in re.finditer(re.escape(name) + rb"(?=\s*[,);])", text):
        found = place.start()
        if _INSIDE.match(text, found - 1):
            continue
        start = max(0, found - _WINDOW)
        window = blank_comments_and_strings(text[start : place.end() + _WINDOW])
        at = found - start
        before = window[:at].rstrip().removesuffix(b"&").rstrip()
        if not window.startswith(name, at) or before[-1:] not in (b",", b"(", b"="):
            continue  # in a comment, or no value that is handed over
        line = text.count(b"\n", 0, found) + 1
        if before.endswith(b"="):
            yield from _timer(text, before, path, line)
            continue
        call = _enclosing_call(window, at)
        if call is not None:
            yield from _handed_over(call, name.decode(), api, path, line)


def _handed_over(
    call: tuple[str, list[str]], name: str, api: Api, path: str, line: int
) -> Iterator[tuple[str, str, int, str]]:
    called, arguments = call
    for registration in api.registrations:
        position = registration.function.get(called)
        if position is None or position >= len(arguments) or arguments[position].lstrip("&") != name:
            continue
        at = registration.flags_at.get(called)
        flags = arguments[at] if at is not None and at < len(arguments) else ""
        flagged = bool(set(re.findall(r"\w+", flags)) & registration.flags)
        at = registration.null_at.get(called)
        without = at is not None and at < len(arguments) and arguments[at] == "NULL"
        kind = registration.flagged if flagged else registration.when_null if without else registration.kind
        yield kind, path, line, f"{called}()"


def _timer(text: bytes, before: bytes, path: str, line: int) -> Iterator[tuple[str, str, int, str]]:
    """``x->timer.function = f``: the mode with which that timer is initialised decides."""
    assigned = _TIMER_FUNCTION.search(before)
    for setup in _TIMER_INIT.finditer(text) if assigned else ():
        if assigned and _last(setup.group(1)) == _last(assigned.group(1)):
            mode = setup.group(2).decode()
            hard, soft = mode.endswith("_HARD"), mode.endswith("_SOFT")
            yield ("hardirq" if hard else "softirq" if soft else "hardirq_threaded"), path, line, f"hrtimer, {mode}"


def _last(path: bytes) -> bytes:
    return re.split(rb"->|\.", path.strip())[-1]


def _enclosing_call(text: bytes, inside: int) -> tuple[str, list[str]] | None:
    """The call in whose argument list the offset lies, with its arguments."""
    depth = 0
    for at in range(inside - 1, -1, -1):
        char = text[at : at + 1]
        if char == b")":
            depth += 1
        elif char == b"(":
            if depth == 0:
                head = re.search(rb"(\w+)\s*$", text[max(0, at - 60) : at])
                close = closing(text, at)
                if head is None or close < 0:
                    return None
                return head.group(1).decode("latin-1"), [
                    "".join(argument.split())
                    for argument in split_arguments(text[at + 1 : close - 1].decode("latin-1"))
                ]
            depth -= 1
        elif char in (b";", b"{", b"}"):
            return None
    return None
