# SPDX-License-Identifier: GPL-2.0-or-later
"""Guard classes as the tree defines them: what begins and what ends their scope, as functions in C.

Source: include/linux/cleanup.h, DEFINE_FREE(), DEFINE_CLASS(), DEFINE_GUARD() and DEFINE_LOCK_GUARD_0() and _1().
"""

from __future__ import annotations

import re
from enum import StrEnum

from reviewer.source.brackets import closing
from reviewer.source.cfg import Function
from reviewer.source.expression import split_arguments
from reviewer.source.parse import parse
from reviewer.source.preprocess import blank_comments_and_strings


class GuardCall(StrEnum):
    """What a guard class does at one end of its scope."""

    BEGIN = "guard"
    END = "end_guard"
    FREE = "end_free"

    def of(self, cls: str) -> str:
        """The name under which the function is looked up that does it for the class ``cls``."""
        return f"{self}({cls})"


_GUARDS = ("DEFINE_GUARD", "DEFINE_LOCK_GUARD_0", "DEFINE_LOCK_GUARD_1", "DEFINE_CLASS")
DEFINERS = {GuardCall.BEGIN: _GUARDS, GuardCall.END: _GUARDS, GuardCall.FREE: ("DEFINE_FREE",)}
"""The macros that define what a guard call does."""

_NAMED = re.compile(r"(guard|end_guard|end_free)\((\w+)\)")
_DEFINITION = re.compile(rb"^(DEFINE_(?:GUARD|LOCK_GUARD_[01]|CLASS|FREE))\(\s*(\w+)\s*,", re.MULTILINE)
_LONGEST = 1000  # bytes of one definition
_POINTER = re.compile(r"_T\s*->\s*lock\b")
_PARAMETER = re.compile(r"(\w+)\s*(?:\[\s*\])?$")


def guard_call(name: str) -> tuple[GuardCall, str] | None:
    """The call and the class that ``name`` stands for; None where it is the name of a function."""
    match = _NAMED.fullmatch(name)
    return (GuardCall(match.group(1)), match.group(2)) if match else None


def read_guard(path: str, text: bytes, call: GuardCall, cls: str) -> Function | None:
    """What ``call`` does for the class ``cls`` as the file ``path`` defines it, or None where it does not.

    The guarded object is the parameter ``_T``.
    """
    for match in _DEFINITION.finditer(text):
        definer = match.group(1).decode()
        if match.group(2) != cls.encode() or definer not in DEFINERS[call]:
            continue
        opening = match.start() + len(definer)
        written = blank_comments_and_strings(text[opening : opening + _LONGEST])
        close = closing(written, 0)
        if close < 0:
            return None
        arguments = [part.strip() for part in split_arguments(written[1 : close - 1].decode("latin-1"))]
        parameters, body = _parts(call, definer, arguments)
        source = f"static void {call}({parameters}) {{ {body}; }}\n".encode("latin-1")
        return next(parse(path, b"\n" * text.count(b"\n", 0, match.start()) + source).functions(call), None)
    return None


def _parts(call: GuardCall, definer: str, arguments: list[str]) -> tuple[str, str]:
    """Parameters and body of what ``call`` does."""
    first = {"DEFINE_LOCK_GUARD_0": 1, "DEFINE_CLASS": 3}.get(definer, 2)
    at = first if call is GuardCall.BEGIN or definer == "DEFINE_FREE" else 2 if definer == "DEFINE_CLASS" else first + 1
    body = arguments[at] if at < len(arguments) else ""
    if definer == "DEFINE_LOCK_GUARD_1":
        body = _POINTER.sub("_T", body)
    if definer == "DEFINE_LOCK_GUARD_0":
        return "void", body
    if definer == "DEFINE_CLASS" and call is GuardCall.BEGIN:
        named = [match.group(1) for part in arguments[4:] if part != "void" and (match := _PARAMETER.search(part))]
        return ", ".join(f"int {name}" for name in named) or "void", body
    return "int _T", body
