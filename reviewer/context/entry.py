# SPDX-License-Identifier: GPL-2.0-or-later
"""In which context a function is entered by nobody's call: entry macros, registrations, tables of operations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from reviewer.context.handedon import handed_on, plain_value
from reviewer.context.schema import EntryKind
from reviewer.context.state import IN_READER, Held, Origin, State
from reviewer.context.superseded import is_superseded
from reviewer.context.tables import Api, Member, Registration
from reviewer.model import Step
from reviewer.source.brackets import closing
from reviewer.source.cfg import Function
from reviewer.source.expression import split_arguments
from reviewer.source.preprocess import blank_comments_and_strings
from reviewer.source.program import Program

_WORDS = {
    EntryKind.HARDIRQ: "hard interrupt",
    EntryKind.HARDIRQ_THREADED: "hard interrupt (a thread on PREEMPT_RT)",
    EntryKind.SOFTIRQ: "softirq",
    EntryKind.NMI: "NMI",
    EntryKind.RAW_LOCK: "called with a raw spinlock held",
    EntryKind.SPIN_LOCK: "called with a spinlock held",
    EntryKind.IRQS_OFF: "called with interrupts disabled",
    EntryKind.RESTART: "called with interrupts disabled",
    EntryKind.PREEMPT_OFF: "called with preemption disabled",
    EntryKind.RCU_READER: "called in an RCU reader",
    EntryKind.PANIC: "panic, in an RCU reader",
    EntryKind.NONBLOCK: "called where the memory management may not wait",
    EntryKind.ATOMIC: "may be called in atomic context",
    EntryKind.TASK: "process context",
}
_WINDOW = 700  # bytes around a name in which the call stands that it is handed to
_INSIDE = re.compile(rb"[\w.>\"]")  # before what is a part of a longer name, a member or a string
_CAST = re.compile(rb"(?<=[(,=])\s*\(\s*\w+\s*\**\s*\)$")
_FAR = 20000  # bytes in which the head of an array stands
_ASSIGNED = re.compile(rb"([\w.>\[\]-]*?)(?:->|\.)(\w+)\s*=$")
_VARIABLE = re.compile(rb"(\w+)\s*(?:\[[^\]]*\]\s*)?=\s*\{[^;{}]*$")
_ASKED = re.compile(r"(!?)(\w+)\(.*\)")
_DEFINED = re.compile(rb"^([A-Z]\w+)\(\w+\)\s*=\s*\{", re.MULTILINE)
_ELEMENT = re.compile(rb"\[\s*(\w+)\s*\]\s*=\s*\{[^{}]*$")
_ARRAY = re.compile(rb"\bstruct\s+(\w+)\s+\w+\[[^\]]*\]\s*=\s*\{")


class Entry(NamedTuple):
    """One way in: the kind of entries.toml, the step that shows it, and the global lock that is held, if any."""

    kind: EntryKind
    step: Step
    holds: str = ""

    @property
    def state(self) -> State:
        """The state in which the function starts."""
        locks = frozenset((Held("?", self.holds, Origin.ASSERTED),)) if self.holds else frozenset[Held]()
        return State(locks=locks, entry=self.kind, rcu=int(self.kind in IN_READER))


class _Found(NamedTuple):
    kind: EntryKind
    path: str
    line: int
    text: str
    holds: str = ""
    no_user: bool = False


def entries(program: Program, api: Api, function: Function) -> tuple[Entry, ...]:
    """The contexts other than process context in which ``function`` is entered, each kind once."""
    return tuple(way for way in ways_in(program, api, function) if way.kind is not EntryKind.TASK)


def ways_in(program: Program, api: Api, function: Function) -> tuple[Entry, ...]:
    """The contexts in which the tables know ``function`` to be entered, process context too, each kind once."""
    found: dict[EntryKind, Entry] = {}
    for way in _all(program, api, function):
        if way.kind is not EntryKind.TASK and _says_task(function, api):
            continue
        if way.kind is not EntryKind.ALONE and way.kind not in found:
            mark = f"<- {_WORDS[way.kind]}, {way.text}"
            found[way.kind] = Entry(way.kind, Step(way.path, way.line, function.name, mark), way.holds)
    return tuple(found[kind] for kind in sorted(found))


def _says_task(function: Function, api: Api) -> bool:
    """Whether ``function`` claims to run in a task alone: whoever registers it knows that it does."""
    for call in function.calls():
        if call.args and (call.name in api.claims or call.name in api.demands.violated):
            asked = _ASKED.fullmatch(call.args[0])
            is_task = asked is not None and api.predicates.get(asked.group(2)) == "task"
            if asked is not None and is_task and bool(asked.group(1)) == (call.name not in api.claims):
                return True
    return False


def _all(program: Program, api: Api, function: Function) -> Iterator[_Found]:
    kind = api.definers.get(function.via)
    if kind is not None:
        yield _Found(kind, function.path, function.line, f"{function.via}()")
    for structure, name in sorted(program.members(function)):
        member = api.members.get(f"{structure}.{name}")
        if member is None or member.indexed:
            continue
        if not _says(program.text(function.path), member.unless):
            yield _Found(member.kind, function.path, function.line, f"struct {structure}.{name}", member.holds)
    near = program.mentioning(function)
    for path in near:
        text = program.text(path)
        if text is not None:
            yield from _Mentions(program, text, path, api, near).ways_in(function.name.encode())


def runs_alone(program: Program, api: Api, function: Function) -> bool:
    """Whether ``function`` is called where no other processor and no task runs, so that no lock is contended."""
    members = (api.members.get(f"{structure}.{name}") for structure, name in program.filled(function))
    return any(member is not None and member.kind is EntryKind.ALONE for member in members)


def has_no_user(program: Program, api: Api, function: Function) -> bool:
    """Whether ``function`` runs in threads of the kernel alone, by what its file says: they have no user's memory."""
    text = program.text(function.path)
    name = function.name.encode()
    if not function.static or text is None or _called(text, name):
        return False
    found = list(_Mentions(program, text, function.path, api, (function.path,)).ways_in(name))
    return bool(found) and all(way.no_user for way in found)


def _called(text: bytes, name: bytes) -> bool:
    """Whether a file calls ``name`` on some line that does not begin in the first column, as a declaration does."""
    code = blank_comments_and_strings(text)
    return re.search(rb"^[ \t].*?(?<!\w)" + re.escape(name) + rb"\s*\(", code, re.MULTILINE) is not None


def _says(text: bytes | None, word: str) -> bool:
    """Whether a file says ``word`` other than to deny it; no file says the empty one."""
    if not word or text is None:
        return False
    return re.search(rb"\b" + re.escape(word.encode()) + rb"\b(?!\s*=\s*(?:false|0)\b)", text) is not None


class _Mentions:
    """The places of one file where a function is handed over that the files ``near`` mention."""

    def __init__(self, program: Program, text: bytes, path: str, api: Api, near: tuple[str, ...]) -> None:
        self._program = program
        self._text = text
        self._path = path
        self._api = api
        self._near = near

    def ways_in(self, name: bytes) -> Iterator[_Found]:
        for place in re.finditer(re.escape(name) + rb"(?=\s*[,);}])", self._text):
            found = place.start()
            if _INSIDE.match(self._text, found - 1):
                continue
            start = max(0, found - _WINDOW)
            window = blank_comments_and_strings(self._text[start : place.end() + _WINDOW])
            at = found - start
            before = _CAST.sub(b"", window[:at].rstrip().removesuffix(b"&").rstrip())
            if not window.startswith(name, at) or before[-1:] not in (b",", b"(", b"=", b"{"):
                continue  # in a comment, or no value that is handed over
            line = self._text.count(b"\n", 0, found) + 1
            if before.endswith(b"="):
                yield from self._assigned(before, found, line)
            elif before.endswith(b"{"):
                yield from self._in_array(found, line)
            elif (call := _enclosing_call(window, at)) is not None:
                yield from self._handed_over(call, name.decode(), line)

    def _handed_over(self, call: tuple[str, list[str]], name: str, line: int) -> Iterator[_Found]:
        called, arguments = call
        known = False
        for registration in self._api.registrations:
            position = registration.position.get(called)
            if registration.member or position is None or position >= len(arguments):
                continue
            known = True
            otherwise = any(_says(self._text, word) for word in registration.unless)
            if plain_value(arguments[position]) != name or otherwise:
                continue
            if not is_superseded(self._program, registration, arguments[0], name, self._near):
                kind = _kind(registration, called, arguments, self._text)
                no_user = bool(registration.no_user) and not _says(self._text, registration.no_user)
                yield _Found(kind, self._path, line, f"{called}()", registration.holds, no_user)
        for position in range(len(arguments)) if not known else ():
            if plain_value(arguments[position]) == name:
                below = list(handed_on(self._program, self._api, called, arguments, position, self._path))
                found = {
                    (_kind(each.registration, each.called, list(each.arguments), self._text), each.registration.holds)
                    for each in below
                }
                if len(found) == 1:  # otherwise something decides that is not seen
                    kind, holds = found.pop()
                    yield _Found(kind, self._path, line, f"{called}()", holds)

    def _assigned(self, before: bytes, at: int, line: int) -> Iterator[_Found]:
        """``x->member = f`` and ``.member = f``: the member decides, or the call that the object is handed to."""
        assigned = _ASSIGNED.search(before)
        if assigned is None:
            return
        member = assigned.group(2).decode("latin-1")
        yield from self._in_element(
            before[: assigned.start()], f"{assigned.group(1).decode('latin-1')}.{member}", at, line
        )
        if assigned.group(1):
            structure, operation = self._api.assigned.get(member, ("", None))
            declared = self._type_at(assigned.group(1).decode("latin-1"), line) if member in self._api.fields else None
            if declared is not None:
                structure, operation = declared, self._api.members.get(f"{declared}.{member}")
            if operation is not None and not operation.indexed and not self._denied(operation):
                yield _Found(operation.kind, self._path, line, f"{structure}.{member}", operation.holds)
            name = _last(assigned.group(1))
        else:
            yield from self._defined(member, at, line)
            variable = _VARIABLE.search(before[: assigned.start()])
            name = variable.group(1) if variable is not None else b""
        for registration in self._api.registrations if name else ():
            if registration.member == member:
                yield from self._objects(registration, name, line)

    def _type_at(self, expression: str, line: int) -> str | None:
        """The type of an expression in the function that stands at ``line``; None where it is not clear."""
        for extent in self._program.extents(self._path):
            if extent.line <= line <= extent.end:
                functions = [f for f in self._program.functions(self._path, extent.name) if f.line == extent.line]
                declared = self._program.type_of(expression, functions[0]) if functions else None
                return declared or self._type_of_global(expression)
        return None

    def _type_of_global(self, name: str) -> str | None:
        """The structure that the variable ``name`` of the file is; None where it is something else."""
        declared = rb"^(?:static\s+|const\s+)*struct\s+(\w+)\s+(?:__\w+\s+)*" + re.escape(name.encode()) + rb"\s*[;=]"
        found = re.search(declared, self._text, re.MULTILINE)
        return found.group(1).decode("latin-1") if found is not None else None

    def _defined(self, name: str, at: int, line: int) -> Iterator[_Found]:
        """``.member = f`` in a structure whose definition a macro begins."""
        heads = list(_DEFINED.finditer(self._text, max(0, at - _FAR), at))
        if heads and b"\n}" not in self._text[heads[-1].end() : at]:
            structure = self._api.structure_definers.get(heads[-1].group(1).decode("latin-1"))
            member = self._api.members.get(f"{structure}.{name}")
            if member is not None and not self._denied(member):
                yield _Found(member.kind, self._path, line, f"struct {structure}.{name}")

    def _denied(self, member: Member) -> bool:
        return _says(self._text, member.unless)

    def _objects(self, registration: Registration, name: bytes, line: int) -> Iterator[_Found]:
        """The calls in this file that the object ``name`` is handed to."""
        for called, position in registration.position.items():
            for match in re.finditer(rb"\b" + called.encode() + rb"\s*\(", self._text):
                close = closing(self._text, match.end() - 1)
                if close < 0:
                    continue
                arguments = _arguments(self._text[match.end() : close - 1])
                if position < len(arguments) and _last(arguments[position].lstrip("&").encode("latin-1")) == name:
                    kind = _kind(registration, called, arguments, self._text)
                    at = registration.flags_at.get(called)
                    text = f"{called}({arguments[at]})" if at is not None and at < len(arguments) else f"{called}()"
                    yield _Found(kind, self._path, line, text)

    def _in_element(self, before: bytes, designator: str, at: int, line: int) -> Iterator[_Found]:
        """``[NAME] = { .member = f }`` in an array of structures for which the name of the element decides."""
        element = _ELEMENT.search(before)
        structure = self._array(at) if element is not None else ""
        member = self._api.members.get(structure + designator)
        if element is not None and member is not None and member.indexed:
            name = element.group(1).decode("latin-1")
            kind = next((kind for pattern, kind in member.indexed if pattern.fullmatch(name)), member.kind)
            yield _Found(kind, self._path, line, f"struct {structure}{designator} of {name}", member.holds)

    def _array(self, at: int) -> str:
        """The structures of the array in whose definition the offset lies."""
        heads = list(_ARRAY.finditer(self._text, max(0, at - _FAR), at))
        inside = heads and b"\n};" not in self._text[heads[-1].end() : at]
        return heads[-1].group(1).decode("latin-1") if inside else ""

    def _in_array(self, at: int, line: int) -> Iterator[_Found]:
        """``{ f, ... }`` in an array of structures."""
        structure = self._array(at)
        member = self._api.positions.get((structure, 0))
        if member is not None:
            yield _Found(member.kind, self._path, line, f"struct {structure}")


def _kind(registration: Registration, called: str, arguments: list[str], text: bytes) -> EntryKind:
    """What the flags say, or those that a macro of the file (``text``) stands for."""
    at = registration.flags_at.get(called)
    flags = re.findall(r"\w+", arguments[at]) if at is not None and at < len(arguments) else []
    for flag in [flag for flag in flags if flag.isupper()]:
        defined = re.search(rb"^[ \t]*#[ \t]*define[ \t]+" + flag.encode() + rb"[ \t]+(.*)", text, re.MULTILINE)
        flags += re.findall(r"\w+", defined.group(1).decode("latin-1")) if defined is not None else []
    for pattern, kind in registration.flagged:
        if any(pattern.fullmatch(flag) for flag in flags):
            return kind
    return registration.kind


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
                return head.group(1).decode("latin-1"), _arguments(text[at + 1 : close - 1])
            depth -= 1
        elif char in (b";", b"{", b"}"):
            return None
    return None


def _arguments(text: bytes) -> list[str]:
    return ["".join(argument.split()) for argument in split_arguments(text.decode("latin-1"))]
