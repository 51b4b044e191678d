# SPDX-License-Identifier: GPL-2.0-or-later
"""Guard classes as the tree defines them: what begins and what ends their scope, as functions in C.

Source: include/linux/cleanup.h, DEFINE_FREE(), DEFINE_CLASS(), EXTEND_CLASS(), DEFINE_GUARD() and
DEFINE_LOCK_GUARD_0() and _1(), and the forms _COND of these.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

import msgspec

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


CONDITIONAL = frozenset(("DEFINE_GUARD_COND", "DEFINE_LOCK_GUARD_1_COND"))
"""Definers of classes whose constructor, as it is read here, returns 0 or why the lock was not taken."""
_EXTENDING = frozenset(("EXTEND_CLASS", *CONDITIONAL))
_GUARDS = ("DEFINE_GUARD", "DEFINE_LOCK_GUARD_0", "DEFINE_LOCK_GUARD_1", "DEFINE_CLASS", *sorted(_EXTENDING))
DEFINERS = {GuardCall.BEGIN: _GUARDS, GuardCall.END: _GUARDS, GuardCall.FREE: ("DEFINE_FREE",)}
"""The macros that define what a guard call does."""

_NAMED = re.compile(r"(guard|end_guard|end_free)\((\w+)\)")
_DEFINITION = re.compile(
    rb"^(DEFINE_(?:GUARD|LOCK_GUARD_1)_COND|EXTEND_CLASS|DEFINE_(?:GUARD|LOCK_GUARD_[01]|CLASS|FREE))"
    rb"\(\s*(\w+)\s*,\s*(\w*)",
    re.MULTILINE,
)
_LONGEST = 1000  # bytes of one definition
_LOCK = re.compile(r"_T\s*->\s*lock\b")
_OWN = re.compile(r"_T\s*->\s*(?!lock\b)")


def guard_call(name: str) -> tuple[GuardCall, str] | None:
    """The call and the class that ``name`` stands for; None where it is the name of a function."""
    match = _NAMED.fullmatch(name)
    return (GuardCall(match.group(1)), match.group(2)) if match else None


def read_guard(path: str, text: bytes, call: GuardCall, cls: str) -> Function | str | None:
    """What ``call`` does for the class ``cls`` as the file ``path`` defines it, or None where it does not.

    A function that begins or ends a scope is called with the arguments of the guard and, after them, its variable; one
    that ends that of ``DEFINE_CLASS()`` with the variable alone. The name of another class is the one whose scope ends
    so. ``via`` of the function is the macro.
    """
    for match in _DEFINITION.finditer(text):
        definer, base, second = (group.decode() for group in match.groups())
        extends = definer in _EXTENDING
        if (base + second if extends else base) != cls or definer not in DEFINERS[call]:
            continue
        if extends and call is GuardCall.END:
            return base
        opening = match.start() + len(definer)
        written = blank_comments_and_strings(text[opening : opening + _LONGEST])
        close = closing(written, 0)
        if close < 0:
            return None
        arguments = [part.strip() for part in split_arguments(written[1 : close - 1].decode("latin-1"))]
        source = f"static {_written(call, definer, arguments)}\n".encode("latin-1")
        found = next(parse(path, b"\n" * text.count(b"\n", 0, match.start()) + source).functions(call), None)
        return msgspec.structs.replace(found, via=definer) if found is not None else None
    return None


def _written(call: GuardCall, definer: str, arguments: Sequence[str]) -> str:
    """The function in C, without macros: ``type call(parameters) { ... }``."""
    at = 1 if definer == "DEFINE_LOCK_GUARD_0" else 2
    if definer == "DEFINE_FREE":
        return f"void {call}(int _T) {{ {_argument(arguments, 2)}; }}"
    if definer == "EXTEND_CLASS":
        return _constructor(call, "int", _argument(arguments, 2), arguments[3:])
    if definer == "DEFINE_CLASS":
        of = _argument(arguments, 1)
        if call is GuardCall.BEGIN:
            return _constructor(call, of, _argument(arguments, 3), arguments[4:])
        return f"void {call}({_declared(of, '_T')}) {{ {_argument(arguments, 2)}; }}"
    if definer in CONDITIONAL:
        holds = _argument(arguments, 3) or "_RET"
        answer = f"{{ int _RET = ({_argument(arguments, 2)}); if (!({holds})) return -EBUSY; return 0; }}"
        return f"int {call}(int *_T, int *_G) {_in_parts(definer, answer)}"
    body = _in_parts(definer, _argument(arguments, at if call is GuardCall.BEGIN else at + 1))
    of = {"DEFINE_LOCK_GUARD_0": "", "DEFINE_LOCK_GUARD_1": _argument(arguments, 1) + " *"}.get(
        definer, _argument(arguments, 1)
    )
    guarded = (_declared(of, "_T"),) if of else ()
    return f"void {call}({', '.join((*guarded, 'int *_G'))}) {{ {body}; }}"


def _in_parts(definer: str, body: str) -> str:
    """``body`` with the guarded object as ``_T`` and what the guard keeps besides in ``_G``."""
    return _LOCK.sub("_T", _OWN.sub("_G->", body)) if "LOCK_GUARD" in definer else body


def _constructor(call: GuardCall, of: str, made: str, parameters: Sequence[str]) -> str:
    """A function that returns ``made``; of a statement expression, its last expression."""
    before = ""
    if made.startswith("({") and made.endswith("})"):
        before, _, made = made[2:-2].rstrip().rstrip(";").rpartition(";")
        before += ";"
    header = ", ".join(_parameters(parameters)) or "void"
    return f"{_declared(of, f'{call}({header})')} {{ {before} {_declared(of, 'made')} = {made}; return made; }}"


def _declared(of: str, name: str) -> str:
    return f"{of}{'' if of.endswith('*') else ' '}{name}"


def _parameters(written: Sequence[str]) -> tuple[str, ...]:
    return tuple(part for part in written if part and part != "void")


def _argument(arguments: Sequence[str], at: int) -> str:
    return arguments[at] if at < len(arguments) else ""
