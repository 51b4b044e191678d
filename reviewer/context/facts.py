# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known on a path besides the context: values of variables, gfp masks, saved flags, decisions under a lock.

Facts are a dictionary so that equal states can join by keeping what both sides agree on. A key is a pair of one of the
letters below and a name.
"""

from __future__ import annotations

import functools
import re
from typing import Any, Final, Literal, NamedTuple

from reviewer.context.oneof import one_of
from reviewer.context.tables import Api
from reviewer.source.cfg import Call
from reviewer.source.expression import NEGATIVE, constant, identifiers, root, unwrap, variables

VALUE: Literal["value"] = "value"
GFP: Literal["gfp"] = "gfp"
FLAGS: Literal["flags"] = "flags"
MEANING: Literal["meaning"] = "meaning"
DECISION: Literal["decision"] = "decision"
DECIDED: Literal["decided"] = "decided"
UNMOVED: Literal["unmoved"] = "unmoved"
MOVED: Literal["moved"] = "moved"
REPLACED: Literal["replaced"] = "replaced"
STANDS: Literal["stands"] = "stands"
SYMBOL: Literal["symbol"] = "symbol"
TAKEN_AT: Literal["taken"] = "taken"
BORROWED: Literal["borrowed"] = "borrowed"
FETCHED: Literal["fetched"] = "fetched"
OWN_CPU: Literal["own cpu"] = "own cpu"
IRQ_TEST: Literal["irq test"] = "irq test"
UNLINKED: Literal["unlinked"] = "unlinked"
ASSUMED: Literal["assumed"] = "assumed"
PASSED: Literal["passed"] = "passed"
SLEPT: Literal["slept"] = "slept"
ENTERED: Literal["entered"] = "entered"
LEFT: Literal["left"] = "left"
KEEPS: Literal["keeps"] = "keeps"
ALIKE: Literal["alike"] = "alike"
SOUGHT: Literal["sought"] = "sought"
REFERENCE: Literal["reference"] = "reference"
OWNED: Literal["owned"] = "owned"
STORED: Literal["stored"] = "stored"
PUT: Literal["put"] = "put"
"""The names of the constants that a member was set to: one on each path."""

EXCLUDED: Literal["excluded"] = "excluded"
SAVED_IN: Literal["saved in"] = "saved in"
SEEN: Literal["seen"] = "seen"
"""What a member was when it was read into a variable, which has told it since: it may have changed meanwhile."""

EQUAL: Literal["equal"] = "equal"
UNEQUAL: Literal["unequal"] = "unequal"
"""What a boolean can mean besides the answer of a call: that something equals a symbol, or does not."""

UNKNOWN = "?"
"""What an object was sought for, where that has changed since."""

WHERE: Final = {VALUE: "where value", SYMBOL: "where symbol"}
"""To the letter of a fact, the one of what follows from it: a set of ``Implied``."""

Facts = dict[tuple[str, str], Any]

NONZERO, NEGATIVE_VALUE, POSITIVE = "nonzero", "negative", "positive"
Value = int | str

_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">": "<=", "<=": ">", ">=": "<"}


class Decision(NamedTuple):
    """The answer of a lookup made under ``lock``; ``stage`` is fresh, dropped or stale (dropped and taken again).

    ``others`` are further locks that were held. As DECISION it belongs to the variable
    that holds the answer, as DECIDED to the path that was chosen because nothing
    was found.
    """

    lock: str
    stage: str
    line: int
    call: str
    others: frozenset[str]


class Implied(NamedTuple):
    """A fact, by its key, that follows where another one is ``truth``. It may be what follows from a third one."""

    truth: bool
    key: tuple[str, str]
    value: Any


class Parameter(NamedTuple):
    """Stands for the gfp mask that the caller passes in parameter ``position`` (0-based)."""

    position: int


_MOST_PUT = 4
_SETS = frozenset(WHERE.values())
_FORGOTTEN = frozenset((VALUE, SYMBOL, MEANING, GFP, UNMOVED, STANDS, STORED, PUT, SEEN, OWNED, EXCLUDED)) | _SETS
_KEPT = frozenset((FLAGS, TAKEN_AT, DECIDED, MOVED, REPLACED))
_ADDRESS = re.compile(r"&[A-Za-z_][\w.>\[\]-]*")


_ERROR_OR_NULL = re.compile(r"IS_ERR_OR_NULL\(([\w>.-]+)\)")
_BARE = re.compile(r"[\w$]+")
_SIZEOF = re.compile(r"sizeof\([^()]*\)")
_COMPARES = re.compile(r"[=<>]=")
_SEVERAL_BITS = re.compile(r"([\w>.-]+)&\(([A-Z_]\w*(?:\|[A-Z_]\w*)+)\)")


def value_of(facts: Facts, text: str) -> Value | None:
    """The value of an expression: a number, ``nonzero``, ``negative``, ``positive``, or None."""
    known, denied, pointer = _form(text)
    if known is not None:
        return known
    if denied is not None:
        inner = value_of(facts, denied)
        return None if inner is None else int(inner == 0)
    found: Value | None = facts.get((VALUE, text))
    if (
        found is None
        and pointer is not None
        and (facts.get((VALUE, pointer)) == 0 or _is_true(facts.get((VALUE, f"IS_ERR({pointer})"))))
    ):
        return NONZERO
    return found


@functools.lru_cache(maxsize=65536)
def _form(text: str) -> tuple[Value | None, str | None, str | None]:
    """What is known of an expression by its text: its value, what it is the denial of, what ``IS_ERR_OR_NULL()`` asks
    about."""
    known = constant(text)
    if known is not None:
        return NEGATIVE_VALUE if known == NEGATIVE else known, None, None
    if text.startswith("!") and not text.startswith("!="):
        return None, unwrap(text[1:]), None
    if text.startswith(("ERR_PTR(", "ERR_CAST(")) or (text[:1] == "&" and _ADDRESS.fullmatch(text)):
        return NONZERO, None, None
    asked = _ERROR_OR_NULL.fullmatch(text)
    return None, None, asked.group(1) if asked is not None else None


def compare(value: Value, operator: str, right: int) -> bool | None:
    """Whether ``value operator right``, or None where that is not known."""
    if isinstance(value, int):
        return {
            "==": value == right,
            "!=": value != right,
            "<": value < right,
            ">": value > right,
            "<=": value <= right,
            ">=": value >= right,
        }[operator]
    if right != 0:
        return None
    if operator == "==":
        return False
    if operator == "!=":
        return True
    if value == NEGATIVE_VALUE:
        return operator in ("<", "<=")
    if value == POSITIVE:
        return operator in (">", ">=")
    return None


def learn(facts: Facts, text: str, operator: str, right: int, holds: bool) -> None:
    """Note that ``text operator right`` is ``holds``."""
    effective = operator if holds else _OPPOSITE[operator]
    if effective == "==":
        facts[VALUE, text] = right
        bits = _SEVERAL_BITS.fullmatch(text) if right == 0 else None
        if bits is not None:
            facts.update(((VALUE, f"{bits.group(1)}&{bit}"), 0) for bit in bits.group(2).split("|"))
    elif right == 0 and effective in ("!=", "<", ">"):
        facts[VALUE, text] = {"!=": NONZERO, "<": NEGATIVE_VALUE, ">": POSITIVE}[effective]


@functools.lru_cache(maxsize=65536)
def _mentioned(text: str) -> frozenset[str]:
    return variables(_SIZEOF.sub("", text))


def forget(facts: Facts, variable: str) -> None:
    """``variable`` gets another value: drop what was known of it and of what is reached through it."""
    if not variable:
        return
    bare = _BARE.fullmatch(variable) is not None
    gone = [
        key
        for key in facts
        if key[1] == variable
        or (bare and variable in key[1] and key[0] in _FORGOTTEN and variable in _mentioned(key[1]))
        or (key[0] == EXCLUDED and variable in key[1])
        or (key[0] == MEANING and facts[key][0] in (EQUAL, UNEQUAL) and variable in facts[key][1])
        or (key[0] == SOUGHT and (root(key[1]) == variable or variable in identifiers(facts[key])))
        if key[0] not in _KEPT
    ]
    for key in gone:
        if key[0] == SOUGHT and variable not in (key[1], root(key[1])):
            facts[key] = UNKNOWN
        else:
            del facts[key]

    for key, follows in [item for item in facts.items() if item[0][0] in _SETS]:
        facts[key] = frozenset(one for one in follows if not _is_about(one, variable, bare))


def forget_compared(facts: Facts, member: str) -> None:
    """``member`` gets another value: drop what it was found to equal, or not to."""
    for key in [key for key in facts if key[0] == SYMBOL and member in key[1]]:
        if member in _COMPARES.split(key[1]):
            del facts[key]


def _is_about(one: Implied, variable: str, bare: bool) -> bool:
    below = one.value if one.key[0] in _SETS else ()
    return _tells_of(one.key[1], variable, bare) or any(_is_about(each, variable, bare) for each in below)


def _tells_of(text: str, variable: str, bare: bool) -> bool:
    return text == variable or (bare and variable in text and variable in _mentioned(text))


def copy_bits(facts: Facts, target: str, value: str) -> None:
    """``target = value`` for flags: what is known of bits of the one is true of the other."""
    if value:
        for (kind, text), known in list(facts.items()):
            if kind == VALUE and text.startswith(value + "&"):
                facts[VALUE, target + text[len(value) :]] = known


def copy_equal(facts: Facts, target: str, value: str) -> None:
    """``target = value``: what the one is known to equal, the other equals too."""
    for text in [text for kind, text in facts if kind == SYMBOL and text.startswith(value + "==")]:
        if facts[SYMBOL, text] and text != f"{value}=={target}":
            facts[SYMBOL, target + text[len(value) :]] = True


@functools.lru_cache(maxsize=16384)
def _gfp_words(text: str) -> tuple[frozenset[str], bool]:
    return identifiers(text), "?" in text or "~" in text


def gfp_of(facts: Facts, text: str, parameters: tuple[str, ...], api: Api) -> bool | Parameter | None:
    """Whether a gfp mask lets the allocator sleep: True, False, a parameter that decides, or None for unknown."""
    text = unwrap(text)
    words, unclear = _gfp_words(text)
    if not unclear:
        if words & api.blocking_gfp:
            return True
        if words & api.atomic_gfp or text == "0":
            return False
    known = facts.get((GFP, text))
    if known is not None:
        return bool(known)
    for word in words:
        found = facts.get((GFP, word))
        if found is not None and not unclear:
            return bool(found)
        if word in parameters and not unclear:
            return Parameter(parameters.index(word))
    return None


def asked_of(text: str, api: Api) -> str:
    """The gfp mask of which ``text`` asks whether it lets the allocator sleep; empty where it asks nothing."""
    mask, mark, bit = text.partition("&")
    return mask if mark and bit == api.gfp_decides and mask.isidentifier() else ""


def note_same(facts: Facts, node: Call) -> None:
    """Two calls of the same predicate with the same arguments give the same answer while nothing is assigned."""
    if node.result and node.result.startswith("$"):
        text = f"{node.name}({','.join(node.args)})"
        seen = facts.get((FLAGS, "line of " + text))
        if seen == node.line:  # a loop came back here: the answer may have changed
            facts.pop((VALUE, text), None)
        facts[FLAGS, "line of " + text] = node.line
        facts[MEANING, node.result] = ("same", text)


def note_error(facts: Facts, node: Call, api: Api) -> None:
    """An error number becomes a pointer, or is read from one: neither is zero.

    ``ERR_PTR()`` of a variable is taken for an error unless that is known to be zero.
    """
    what = api.error_pointers.get(node.name)
    if not node.result or not node.args or what in (None, "asks"):
        return
    asked = [name for name, role in api.error_pointers.items() if role == "asks"]
    if what == "reads":
        if any(_is_true(value_of(facts, f"{name}({node.args[0]})")) for name in asked):
            facts[VALUE, node.result] = NEGATIVE_VALUE
    elif value_of(facts, node.args[0]) == 0:
        facts[VALUE, node.result] = 0
    else:
        facts.update(((VALUE, text), NONZERO) for text in (node.result, *(f"{name}({node.result})" for name in asked)))


def join(old: Facts, new: Facts) -> bool:
    """Keep in ``old`` what ``new`` agrees with; whether anything is known less well now.

    Two values that are both true, as of a flag that is set in one branch and the answer of a trylock in the other,
    are nonzero. A member that was set to two constants is one of them, and so is a variable that was found to equal
    them. What is known of a pointer stays known where it is NULL on the other side. It does not matter where a path
    slept, and of two places where a lock was taken the first is told.
    """
    changed = False
    for key, value in new.items():
        if key[0] == BORROWED and key not in old and old.get((VALUE, key[1])) == 0:
            old[key] = value
            changed = True
    gone = [
        key
        for key, value in old.items()
        if new.get(key) != value
        and not (key[0] == BORROWED and new.get((VALUE, key[1])) == 0)
        and not (key[0] == SLEPT and key in new)
        and key[0] not in _SETS
    ]
    for key in gone:
        if key[0] == VALUE and _is_true(old[key]) and _is_true(new.get(key)):
            if old[key] == NONZERO:
                continue
            old[key] = NONZERO
        elif key[0] == SOUGHT and key in new:
            if old[key] == UNKNOWN:
                continue
            old[key] = UNKNOWN
        elif key[0] == TAKEN_AT and key in new:
            if old[key] <= new[key]:
                continue
            old[key] = new[key]
        elif key[0] == PUT and key in new and len(either := old[key] | new[key]) <= _MOST_PUT:
            if old[key] == either:
                continue
            old[key] = either
        else:
            letter, text = key
            several = one_of(letter, text, new) if letter in (SYMBOL, VALUE) and old[key] not in (0, False) else None
            if several == text:
                continue  # the other side knows more
            known = old.pop(key)
            if several is not None:
                old[letter, several] = known
        changed = True
    return changed


def _is_true(value: Value | None) -> bool:
    return value not in (None, 0)
