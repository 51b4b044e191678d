# SPDX-License-Identifier: GPL-2.0-or-later
"""In which context a function is entered by nobody's call: entry macros, registrations, tables of operations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from reviewer.context.state import State
from reviewer.context.tables import Api
from reviewer.model import Step
from reviewer.source.cfg import Function
from reviewer.source.normalise import closing
from reviewer.source.preprocess import blank_comments_and_strings
from reviewer.source.program import Program

_WORDS = {
    "hardirq": "hard interrupt",
    "hardirq_threaded": "hard interrupt (a thread on PREEMPT_RT)",
    "softirq": "softirq",
    "nmi": "NMI",
    "raw_lock": "called with a raw spinlock held",
}
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
    found: dict[str, Entry] = {}
    for kind, where, line, text in _all(program, api, function):
        if kind != "task" and kind not in found:
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
        text = program.files.read(path)
        if text is not None and name in text:
            yield from _registered(blank_comments_and_strings(text), path, name, api)


def _registered(text: bytes, path: str, name: bytes, api: Api) -> Iterator[tuple[str, str, int, str]]:
    handed_over = re.compile(rb"[,(=]\s*&?" + re.escape(name) + rb"\s*[,);]")
    for place in handed_over.finditer(text):
        call = _enclosing_call(text, place.start() + (1 if text[place.start() : place.start() + 1] != b"(" else 0))
        line = text.count(b"\n", 0, place.end() - 1) + 1
        if call is not None:
            called, arguments = call
            for registration in api.registrations:
                position = registration.function.get(called)
                if position is None or position >= len(arguments) or arguments[position].lstrip("&") != name.decode():
                    continue
                flags = arguments[at] if (at := registration.flags_at.get(called, 99)) < len(arguments) else ""
                flagged = bool(set(re.findall(r"\w+", flags)) & registration.flags)
                yield (registration.flagged if flagged else registration.kind), path, line, f"{called}()"
    for assignment in re.finditer(rb"([\w.>\[\]-]+?)(?:->|\.)function\s*=\s*&?" + re.escape(name) + rb"\s*;", text):
        timer = re.split(rb"->|\.", assignment.group(1))[-1]
        for setup in _TIMER_INIT.finditer(text):
            if re.split(rb"->|\.", setup.group(1).strip())[-1] == timer:
                mode = setup.group(2).decode()
                kind = (
                    "hardirq" if mode.endswith("_HARD") else "softirq" if mode.endswith("_SOFT") else "hardirq_threaded"
                )
                yield kind, path, text.count(b"\n", 0, assignment.start()) + 1, f"hrtimer, {mode}"


def _enclosing_call(text: bytes, inside: int) -> tuple[str, list[str]] | None:
    """The call in whose argument list the offset lies, with its arguments."""
    depth = 0
    for at in range(inside - 1, max(0, inside - 600), -1):
        char = text[at : at + 1]
        if char == b")":
            depth += 1
        elif char == b"(":
            if depth == 0:
                head = re.search(rb"(\w+)\s*$", text[max(0, at - 60) : at])
                close = closing(text, at)
                if head is None or close < 0:
                    return None
                return head.group(1).decode("latin-1"), _split(text[at + 1 : close - 1].decode("latin-1"))
            depth -= 1
        elif char in (b";", b"{", b"}"):
            return None
    return None


def _split(text: str) -> list[str]:
    out, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += (char in "([{") - (char in ")]}")
        if char == "," and depth == 0:
            out.append(text[start:at])
            start = at + 1
    return ["".join(part.split()) for part in (*out, text[start:])]
