# SPDX-License-Identifier: GPL-2.0-or-later
"""Conditions on the options of a kernel, as Kconfig writes them: ``SMP && (!PREEMPT_RT || EXPERT=y)``.

Source: Documentation/kbuild/kconfig-language.rst.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_TOKEN = re.compile(r"\$\((?:[^()]|\([^()]*\))*\)|\|\||&&|!=|<=|>=|[!()=<>]|\"[^\"]*\"|'[^']*'|[\w$.-]+")
_OPTION = re.compile(r"\w+")
_COMPARES = frozenset(("=", "!=", "<", ">", "<=", ">="))
_CONSTANTS = frozenset("ynm")
_NESTED = 60  # brackets and negations within each other; nobody writes so many


@dataclass(frozen=True, slots=True)
class Named:
    """An option that must be set, or a constant."""

    name: str


@dataclass(frozen=True, slots=True)
class Compared:
    """An option that is compared with a value."""

    name: str
    sign: str
    value: str


@dataclass(frozen=True, slots=True)
class Denied:
    """What must not hold."""

    term: Condition


@dataclass(frozen=True, slots=True)
class Joined:
    """Conditions of which each must hold, or one."""

    parts: tuple[Condition, ...]
    each: bool


@dataclass(frozen=True, slots=True)
class Unclear:
    """What could not be read."""


Condition = Named | Compared | Denied | Joined | Unclear


def condition(text: str) -> Condition:
    """What an expression of Kconfig says."""
    reader = _Reader(_TOKEN.findall(text))
    found = reader.one_of()
    return found if reader.is_done() else Unclear()


def may_hold(stated: Condition, possible: Callable[[str], bool]) -> bool:
    """Whether it can hold where ``possible`` says which options can be set. What is denied can always be unset."""
    match stated:
        case Named(name):
            return name in ("y", "m") or possible(name)
        case Compared(name, sign, value):
            return (sign, value) not in (("=", "y"), ("=", "m"), ("!=", "n")) or possible(name)
        case Joined(parts, each):
            return (all if each else any)(may_hold(part, possible) for part in parts)
    return True


def must_hold(stated: Condition) -> frozenset[str]:
    """The options that are set wherever it holds, ``SMP``, or not set, ``!SMP``."""
    match stated:
        case Named(name):
            return _option(name)
        case Compared(name, "=", "y" | "m") | Compared(name, "!=", "n"):
            return _option(name)
        case Compared(name, "=", "n"):
            return _option(name, "!")
        case Denied(term):
            return _must_not(term)
        case Joined(parts, each):
            return _together([must_hold(part) for part in parts], each=each)
    return frozenset()


def _must_not(stated: Condition) -> frozenset[str]:
    """The same for wherever it does not hold."""
    match stated:
        case Named(name):
            return _option(name, "!")
        case Compared(name, sign, "n") if sign in ("=", "!="):
            return _option(name, "" if sign == "=" else "!")
        case Denied(term):
            return must_hold(term)
        case Joined(parts, each):
            return _together([_must_not(part) for part in parts], each=not each)
    return frozenset()


def _option(name: str, denied: str = "") -> frozenset[str]:
    return frozenset((denied + name,)) if _OPTION.fullmatch(name) and name not in _CONSTANTS else frozenset()


def _together(parts: list[frozenset[str]], *, each: bool) -> frozenset[str]:
    return frozenset[str]().union(*parts) if each else parts[0].intersection(*parts[1:])


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens[::-1]
        self._depth = 0

    def is_done(self) -> bool:
        """Whether nothing is left to read."""
        return not self._tokens

    def one_of(self) -> Condition:
        """Read conditions of which one must hold: the whole of an expression."""
        return self._joined(self._all_of, "||")

    def _all_of(self) -> Condition:
        return self._joined(self._term, "&&")

    def _joined(self, part: Callable[[], Condition], sign: str) -> Condition:
        parts = [part()]
        while self._took(sign):
            parts.append(part())
        return Joined(tuple(parts), each=sign == "&&") if len(parts) > 1 else parts[0]

    def _term(self) -> Condition:
        word = self._tokens.pop() if self._tokens else ""
        self._depth += word in ("!", "(")
        if self._depth > _NESTED:
            self._tokens = [""]
            return Unclear()
        if word == "!":
            term: Condition = Denied(self._term())
            self._depth -= 1
            return term
        if word == "(":
            term = self.one_of()
            self._depth -= 1
            return term if self._took(")") else Unclear()
        if self._tokens and self._tokens[-1] in _COMPARES:
            sign = self._tokens.pop()
            return Compared(word, sign, self._tokens.pop() if self._tokens else "")
        return Named(word) if _OPTION.fullmatch(word) else Unclear()

    def _took(self, token: str) -> bool:
        if self._tokens and self._tokens[-1] == token:
            self._tokens.pop()
            return True
        return False
