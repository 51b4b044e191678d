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
_MACRO = re.compile(rb"[ \t]*#[ \t]*define[ \t]+\w+\(([^)\n]*)\)[ \t]*((?:[^\n\\]|\\\r?\n|\\.)*)")
_EXPANSION = re.compile(rb"(?:\(([^)\n]*)\))?[ \t]*((?:[^\n\\]|\\\r?\n|\\.)*)")
_DEFINE = re.compile(rb"[ \t]*#[ \t]*define[ \t]+")
_MATTERS = re.compile(rb"lock|irq|preempt|sleep|sched|alloc|wait|rcu_read|mutex|_user|bh_")
_STATEMENT = re.compile(rb"(?:for|while|struct|static|extern|__attribute|asm)\b|\{")
# A call whose answer is told to the compiler's analysis of locks (include/linux/compiler-context-analysis.h).
_TOLD = re.compile(rb"\w*(?:acquire|release)\w*\(\s*(\w+\(__VA_ARGS__\))\s*,.*\)\s*;?", re.DOTALL)
_MOST_ARGUMENTS = 6
_NO_VALUE = re.compile(
    rb"[{}]|\A\s*(?:(?:do|if|else|switch|case|return|goto|break|continue|typeof|const|unsigned|int|while)\b|\Z)"
)


def read_macro(path: str, text: bytes, name: str, *, loop: bool) -> Function | None:
    """The macro ``name`` that the file ``text`` defines, if what it does can matter; its value is what it returns.

    With ``loop`` an iteration macro, as a function that runs the loop once.
    """
    start = _defined_at(text, name.encode())
    match = _MACRO.match(blank_comments_and_strings(text[start : start + 2 * _LONGEST])) if start >= 0 else None
    if match is None:
        return None
    arguments, body = match.group(1), match.group(2).replace(b"\\\n", b"\n").replace(b"\\", b" ").strip()
    if arguments.strip() == b"..." and (told := _TOLD.fullmatch(body)) is not None:
        arguments = b",".join(b"a%d" % number for number in range(_MOST_ARGUMENTS))
        body = b"int answer = " + told.group(1).replace(b"__VA_ARGS__", arguments) + b"; answer"
    if (
        not (loop or _MATTERS.search(body))
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
    for start in re.finditer(rb"^[ \t]*#[ \t]*define[ \t]+%b\b" % re.escape(name.encode()), text, re.MULTILINE):
        match = _EXPANSION.match(blank_comments_and_strings(text[start.end() : start.end() + _LONGEST]))
        if match is None:
            return ()
        body = re.sub(r"[\\\s]+", "", match.group(2).decode("latin-1"))
        parameters = (parameter.strip() for parameter in (match.group(1) or b"").decode("latin-1").split(","))
        found.append(_with(body, dict(zip(parameters, arguments, strict=False))))
    return tuple(found)


def _with(body: str, given: Mapping[str, str]) -> str:
    return re.sub(r"(?<!\.)\b[A-Za-z_]\w*", lambda word: given.get(word[0], word[0]), body)


def _defined_at(text: bytes, name: bytes) -> int:
    """The offset of the line that defines the function-like macro ``name``, or -1."""
    at = text.find(name + b"(")
    while at >= 0:
        start = text.rfind(b"\n", 0, at) + 1
        if _DEFINE.fullmatch(text[start:at]):
            return start
        at = text.find(name + b"(", at + 1)
    return -1
