# SPDX-License-Identifier: GPL-2.0-or-later
"""Expressions as text without white space: the few questions that the analysis asks of them."""

from __future__ import annotations

import functools
import re

NEGATIVE = -4095
"""Stands for any ``-Exxx`` value; errno.h defines none beyond 4095 (include/linux/err.h, MAX_ERRNO)."""

_NAMED = {"NULL": 0, "false": 0, "true": 1, "nullptr": 0}
_DECIMAL = re.compile(r"-?\d+[uUlL]*")
_HEXADECIMAL = re.compile(r"0[xX][0-9a-fA-F]+[uUlL]*")
_ERROR = re.compile(r"-E[A-Z0-9]+")
_IDENTIFIER = re.compile(r"[A-Za-z_$]\w*")
_VARIABLE = re.compile(r"(?<!\w)(?<!\.)(?<!->)[A-Za-z_$]\w*")
_CAST = re.compile(r"\((?:const|unsigned|struct|void|u\d+|s\d+|long|int|char|\w+_t)\w*\**\)(?=[\w(&])")
_BRACKETED = re.compile(r"\((\w+)\)(?=->|\.)")
_LAST_MEMBER = re.compile(r"(?:->|\.)([A-Za-z_]\w*)$")
_PATH = re.compile(r"&?[A-Za-z_][\w.\[\]]*(?:(?:->|\.)[\w.\[\]]+)*")

ACCESSED = r"[A-Z][A-Z0-9_]*\([A-Za-z_][\w.>-]*\)(?=->|\.)"
"""Pattern of what a macro names, of which a part is taken: ``OPTIONS(fs)`` in ``OPTIONS(fs).mode``.

The names of macros are capitalised (Documentation/process/coding-style.rst, 12).
"""


@functools.lru_cache(maxsize=65536)
def unwrap(text: str) -> str:
    """``text`` without the brackets around the whole of it."""
    while text[:1] == "(" and text[-1:] == ")" and _balanced(text[1:-1]):
        text = text[1:-1]
    return text


def _balanced(text: str) -> bool:
    depth = 0
    for char in text:
        depth += (char == "(") - (char == ")")
        if depth < 0:
            return False
    return depth == 0


@functools.lru_cache(maxsize=65536)
def constant(text: str) -> int | None:
    """The value of a constant expression of the simplest kind; an error number counts as ``NEGATIVE``."""
    text = unwrap(text)
    if text in _NAMED:
        return _NAMED[text]
    if _DECIMAL.fullmatch(text):
        return int(text.rstrip("uUlL"))
    if _HEXADECIMAL.fullmatch(text):
        return int(text.rstrip("uUlL"), 16)
    if _ERROR.fullmatch(text):
        return NEGATIVE
    return None


@functools.lru_cache(maxsize=65536)
def identifiers(text: str) -> frozenset[str]:
    """Every identifier in ``text``, members included."""
    return frozenset(_IDENTIFIER.findall(text))


@functools.lru_cache(maxsize=65536)
def variables(text: str) -> frozenset[str]:
    """Every identifier in ``text`` that is no member of something: ``vcpu`` of ``vcpu->kvm``."""
    return frozenset(_VARIABLE.findall(text))


@functools.lru_cache(maxsize=65536)
def root(text: str) -> str:
    """The first identifier of ``text``: the variable that a member path starts from."""
    match = _IDENTIFIER.search(text)
    return match.group() if match else ""


@functools.lru_cache(maxsize=65536)
def last_member(text: str) -> str:
    """The last member of a path: ``lock`` of ``&vcpu->kvm->lock``."""
    return re.split(r"->|\.", text.rstrip(")"))[-1].split("[")[0].lstrip("&*(")


def is_path(text: str) -> bool:
    """Whether ``text`` is a variable or a member path, perhaps behind ``&``, and not a constant."""
    return bool(_PATH.fullmatch(text)) and constant(text) is None


@functools.lru_cache(maxsize=65536)
def plain(text: str) -> str:
    """``text`` without casts, ``&`` and ``*`` in front and brackets around it."""
    text = unwrap(_BRACKETED.sub(r"\1", _CAST.sub("", text)))
    while text[:1] in ("&", "*"):
        text = unwrap(text[1:])
    return text


@functools.lru_cache(maxsize=65536)
def split_member(text: str) -> tuple[str, str] | None:
    """``a->b[c]`` and ``lock`` for ``a->b[c].lock``; None where ``text`` does not end with a member."""
    match = _LAST_MEMBER.search(text)
    if match is None or match.start() == 0:
        return None
    base = text[: match.start()]
    return (base, match.group(1)) if _balanced(base) and base[0] not in "&*" else None


@functools.lru_cache(maxsize=16384)
def split(text: str, separator: str) -> tuple[str, ...]:
    """``text`` at the separators that stand in no bracket."""
    out, depth, start, at = [], 0, 0, 0
    while at < len(text):
        char = text[at]
        depth += (char in "([{") - (char in ")]}")
        if depth == 0 and text.startswith(separator, at):
            out.append(text[start:at])
            at += len(separator)
            start = at
        else:
            at += 1
    return (*out, text[start:])


def split_arguments(text: str) -> tuple[str, ...]:
    """The arguments between the brackets of a call."""
    return split(text, ",")
