# SPDX-License-Identifier: GPL-2.0-or-later
"""Function-like macros read as functions."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from reviewer.source.cfg import Function
from reviewer.source.parse import parse
from reviewer.source.preprocess import blank_comments_and_strings

_LONGEST = 3000  # bytes; what is longer is a program of its own
_DEFINE = rb"[ \t]*#[ \t]*define[ \t]+"
_HEAD = re.compile(_DEFINE)
# The parameters, None for a macro that takes none, and the body with its continued lines.
_DEFINITION = re.compile(_DEFINE + rb"\w+(?:\(([^)\n]*)\))?[ \t]*((?:[^\n\\]|\\\r?\n|\\.)*)")
_MATTERS = re.compile(rb"lock|irq|preempt|sleep|sched|alloc|wait|rcu_read|mutex|_user|bh_")
# A question about a member of what the macro is given.
_ASKS = re.compile(rb"[\s(]*![\s!(]*\w+\)?->\w+[\s)]*")
_STATEMENT = re.compile(rb"(?:for|while|struct|static|extern|__attribute|asm)\b|\{")
# A call whose answer is told to the compiler's analysis of locks (include/linux/compiler-context-analysis.h).
_TOLD = re.compile(rb"\w*(?:acquire|release)\w*\(\s*(\w+\(__VA_ARGS__\))\s*,.*\)\s*;?", re.DOTALL)
_MOST_ARGUMENTS = 6
_NO_VALUE = re.compile(
    rb"[{}]|\A\s*(?:(?:do|if|else|switch|case|return|goto|break|continue|typeof|const|unsigned|int|while)\b|\Z)"
)


def defined(text: bytes) -> tuple[bytes, bytes] | None:
    """Parameters and body of the macro whose definition ``text`` begins with; None where it begins with another thing.

    Comments and the backslashes before continued lines are left out. A macro without parameters has empty ones.
    """
    match = _DEFINITION.match(blank_comments_and_strings(text))
    if match is None:
        return None
    return match.group(1) or b"", match.group(2).replace(b"\\\n", b"\n").replace(b"\\", b" ").strip()


def read_macro(path: str, text: bytes, name: str, *, loop: bool) -> Function | None:
    """The macro ``name`` that the file ``text`` defines, if what it does can matter; its value is what it returns.

    With ``loop`` an iteration macro, as a function that runs the loop once.
    """
    start = _defined_at(text, name.encode())
    found = defined(text[start : start + 2 * _LONGEST]) if start >= 0 else None
    if found is None:
        return None
    arguments, body = found
    if arguments.strip() == b"..." and (told := _TOLD.fullmatch(body)) is not None:
        arguments = b",".join(b"a%d" % number for number in range(_MOST_ARGUMENTS))
        body = b"int answer = " + told.group(1).replace(b"__VA_ARGS__", arguments) + b"; answer"
    if (
        not (loop or _MATTERS.search(body) or _ASKS.fullmatch(body))
        or b"#" in body
        or b"..." in arguments
        or len(body) > _LONGEST
        or (not loop and _STATEMENT.match(body))
    ):
        return None
    if body.startswith(b"({") and body.endswith(b"})"):
        body = body[2:-2].strip().removesuffix(b";")
    if not loop:
        before, end, last = body.rpartition(b";")
        body = before + end + (b" " if _NO_VALUE.search(last) else b" return ") + last
    parameters = b",".join(b"int " + argument.strip() for argument in arguments.split(b",") if argument.strip())
    source = b"static int " + name.encode() + b"(" + parameters + b") { " + body + b"; }\n"
    function = next(parse(path, b"\n" * text.count(b"\n", 0, start) + source).functions(name), None)
    return msgspec.structs.replace(function, words=("macro",)) if function is not None else None


def expansions(text: bytes, name: str, arguments: tuple[str, ...]) -> tuple[str, ...]:
    """What the macro ``name`` with ``arguments`` stands for, by each of its definitions in ``text``; no blanks."""
    found: list[str] = []
    for start in re.finditer(rb"^" + _DEFINE + re.escape(name.encode()) + rb"\b", text, re.MULTILINE):
        definition = defined(text[start.start() : start.end() + _LONGEST])
        if definition is None:
            return ()
        parameters, body = (part.decode("latin-1") for part in definition)
        given = dict(zip(map(str.strip, parameters.split(",")), arguments, strict=False))
        found.append(_with("".join(body.split()), given))
    return tuple(found)


def _with(body: str, given: Mapping[str, str]) -> str:
    """``body`` with what is ``given`` for the parameters; ``##`` joins the words beside it (C11, 6.10.3.3)."""
    return re.sub(r"(?<!\.)\b[A-Za-z_]\w*", lambda word: given.get(word[0], word[0]), body).replace("##", "")


def _defined_at(text: bytes, name: bytes) -> int:
    """The offset of the line that defines the function-like macro ``name``, or -1."""
    at = text.find(name + b"(")
    while at >= 0:
        start = text.rfind(b"\n", 0, at) + 1
        if _HEAD.fullmatch(text[start:at]):
            return start
        at = text.find(name + b"(", at + 1)
    return -1
