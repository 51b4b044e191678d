# SPDX-License-Identifier: GPL-2.0-or-later
"""What a path takes for granted of memory that its function was given: a flag of a parameter's object, a predicate.

A caller that has found the opposite never goes that way. Of an object that the function finds by itself the member
alone is told, ``?->ready``: it may be the one that the caller has asked about. Few global variables are told, as
``::oops_in_progress``. Of a parameter that is below a value
which only the function knows, ``P1>=?`` is told to be false: no caller goes that way with the greatest value there is.
Of a member that is one of several constants, or none of them, all are told: ``P0->state==IDLE|BUSY|``. What a parameter
points to when the function begins is ``P0[0]``.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Set
from typing import Final, NamedTuple

from reviewer.context.effects import Assumptions
from reviewer.context.facts import MOVED, PUT, SEEN, SYMBOL, VALUE, Facts, value_of
from reviewer.context.oneof import BETWEEN, each_of
from reviewer.context.settings import is_another
from reviewer.context.stores import stored
from reviewer.source.cfg import Assign, Function, written_by
from reviewer.source.expression import ACCESSED, is_path, last_member, variables

SOME: Final = "?->"
"""Before a member of an object that is not known."""

GLOBAL: Final = "::"
"""Before a variable of the kernel that tells in which state all of it is."""

_KNOWN = frozenset((VALUE, SEEN))
_MOST = 8
_LONGEST = 80
_SHORTEST = 2  # words of a member's name
_FOUND = re.compile(
    r"([A-Za-z_]\w*)->[\w.>-]+|[A-Z][A-Z0-9_]*\(([A-Za-z_]\w*)(?:(?:->|\.)[\w.>-]+)?\)(?:->|\.)[\w.>-]+"
)
_ACCESSED = re.compile(rf"{ACCESSED}[\w.>-]+")
_MEMORY = re.compile(r"[>.(&]")
_WORD = re.compile(r"(->|\.)?\b([A-Za-z_]\w*)\b(\()?")
_PARAMETER = re.compile(r"\bP(\d+)\b(->|\[0\])?")
_OF_PARAMETER = re.compile(r"P\d+(->[\w.>-]+)(|==[A-Z][A-Z0-9_]*(?:(?:\|[A-Z][A-Z0-9_]*)+\|)?)")
_COMPARED = re.compile(r"(?:&\(?[A-Z_][\w|]*\)?|[=<>]=(?:\w+|\?))$")
_MEMBER_COMPARED = re.compile(rf"(?:{ACCESSED}|\w+)(?:(?:->|\.)\w+)+[=<>]=\w+|\w+[<>]=[A-Z][A-Z0-9_]*")
_NOT_BELOW = re.compile(r"([a-z_]\w*)>=([a-z_]\w*)")
_ABOVE = re.compile(r"([a-z_]\w*)<=([a-z_]\w*)")
_GREATEST = re.compile(r"(?:[A-Z]\w*_)?MAX>=\?|~0U?L*>=\?")
_CONSTANT = re.compile(r"[A-Z][A-Z0-9_]*")
_LIKE_ITSELF = re.compile(r"([A-Z][A-Z0-9_]*)[<>]=\1")
_STATE = re.compile(r"(?:\w+\()?(\w+)(?:(?:->|\.)\w+)*\)?==[A-Z]\w*")


def written(function: Function, stores: Set[str]) -> frozenset[str]:
    """The last members of all that the function puts something into in memory, itself or by the calls ``stores``.

    A copy of a member of that name leaves it as it was.
    """
    own = {*function.locals, *function.params}
    return frozenset(
        last_member(target)
        for target, value, _ in stored(function.nodes(), stores)
        if target not in own and not (_FOUND.fullmatch(value) and last_member(value) == last_member(target))
    )


def becomes(function: Function, stores: Set[str]) -> dict[str, int]:
    """What members are set to, as ``dev->state==DEAD``, and the first line that does so. ``stores`` are calls."""
    found: dict[str, int] = {}
    for target, value, line in stored(function.nodes(), stores):
        if value.isupper() and _MEMBER_COMPARED.fullmatch(text := f"{target}=={value}"):
            found[text] = min(line, found.get(text, line))
    return found


def copied(function: Function, only_looks: Callable[[str], bool]) -> dict[str, str]:
    """The members that the function sets at one place, to what a call that only looks has seen."""
    targets = Counter(node.target for node in function.nodes() if isinstance(node, Assign))
    calls = [node for node in function.calls() if node.result and _FOUND.fullmatch(node.result)]
    targets.update(node.result for node in calls if node.result)
    return {
        node.result: f"{node.name}({','.join(node.args)})"
        for node in calls
        if node.result and targets[node.result] == 1 and only_looks(node.name)
    }


def pointed(function: Function) -> dict[str, str]:
    """The variables that are set once, right at the beginning, to what a parameter points to: ``c`` for ``*P0``."""
    found: dict[str, str] = {}
    for node in function.blocks[0].nodes:
        if not isinstance(node, Assign) or node.target not in function.locals:
            break
        if node.value[:1] == "*" and node.value[1:] in function.params:
            found[node.target] = f"{node.value[1:]}[0]"
    written = Counter(written_by(node) for node in function.nodes()) if found else Counter()
    return {name: of for name, of in found.items() if written[name] == 1 and not written[of.removesuffix("[0]")]}


class Taken(NamedTuple):
    """What a path takes for granted, ``own`` in the words of callers; parameters in ``moved`` were assigned to."""

    own: tuple[tuple[str, bool], ...]
    moved: frozenset[str]


class Changed(NamedTuple):
    """The last ``members`` of what a function writes; ``where_missed`` are paths that it fills only where empty."""

    members: frozenset[str]
    where_missed: frozenset[str]


def taken_for_granted(
    function: Function,
    facts: Facts,
    changed: Changed,
    copies: Mapping[str, str],
    others: Mapping[str, str],
    told_always: Set[str],
) -> Taken:
    """What the path that knows ``facts`` takes for granted of memory that is not ``changed``.

    ``copies`` is what the function has read there into members of its own, ``others`` are other names of its variables,
    ``told_always`` are global.
    """
    found = [(text, facts[VALUE, text] != 0) for kind, text in facts if kind == VALUE and _tells(text)]
    seen = [text for kind, text in facts if kind == SEEN and (VALUE, text) not in facts]
    found += [(text, facts[SEEN, text] != 0) for text in seen if _tells(text)]
    if others:
        parts = [(text.partition("->"), truth) for text, truth in found]
        found += [
            (f"{others[name]}->{member}", truth) for (name, _, member), truth in parts if name in others and member
        ]
    told = [(text, facts[SYMBOL, text]) for kind, text in facts if kind == SYMBOL]
    found += [(_read(text, copies), truth) for text, truth in told if _compares_member(text)]
    found += [(GLOBAL + name, facts[VALUE, name] != 0) for name in sorted(told_always) if (VALUE, name) in facts]
    found += [(below, False) for text, truth in told if not truth and (below := _below(function, text))]
    moved = frozenset(name for kind, name in facts if kind == MOVED)
    return Taken(tuple(_outside(found, function, moved, changed)), moved)


def for_callers(taken: Taken, function: Function, changed: Changed, below: Assumptions) -> Assumptions:
    """What the path takes for granted of memory that the function leaves alone.

    ``changed`` is what it writes, ``below`` what a callee takes for granted, in the function's own words.
    """
    if not taken.own and not below:
        return below
    kept = (*taken.own, *_outside(below, function, taken.moved, changed))
    return frozenset(sorted(kept, key=lambda one: (one[0].startswith(SOME), one))[:_MOST])


def _outside(
    found: Iterable[tuple[str, bool]], function: Function, moved: frozenset[str], changed: Changed
) -> Iterator[tuple[str, bool]]:
    for text, truth in found:
        if text.startswith(GLOBAL):
            yield text, truth
            continue
        if text.endswith(BETWEEN):
            of, mark, others = text.partition("==")
            outside = in_parameters(function.params, moved, of)
            if outside is None and truth:
                outside = _of_some_object(function, of)
            if outside is not None and last_member(of) not in changed.members:
                yield outside + mark + others, truth
            continue
        outside = in_parameters(function.params, moved, text) or _of_some_object(function, text)
        if outside is None:
            continue
        if last_member(_COMPARED.sub("", text)) not in changed.members or (not truth and text in changed.where_missed):
            yield outside, truth


def _of_some_object(function: Function, text: str) -> str | None:
    """The member alone, where its object is a variable of the function or of one that it calls."""
    if text.startswith(SOME):
        return text
    path, mark, constant = text.partition("==")
    found = _FOUND.fullmatch(path)
    if found is None or (found[1] or found[2]) not in function.locals or (mark and not _CONSTANT.fullmatch(constant)):
        return None
    return f"{SOME}{last_member(path)}{mark}{constant}"


def _below(function: Function, text: str) -> str | None:
    """What says that a parameter is below a variable of the function, where ``text``, which is false, means that."""
    if (match := _NOT_BELOW.fullmatch(text)) is not None:
        low, high = match.groups()
    elif (match := _ABOVE.fullmatch(text)) is not None:
        high, low = match.groups()
    else:
        return None
    return f"{low}>=?" if low in function.params and high in function.locals else None


def _read(text: str, copies: Mapping[str, str]) -> str:
    """A comparison of a copy as one of what was copied."""
    copy = _COMPARED.sub("", text)
    return copies[copy] + text[len(copy) :] if copy in copies else text


@functools.lru_cache(maxsize=65536)
def _tells(text: str) -> bool:
    return len(text) < _LONGEST and _MEMORY.search(text) is not None


@functools.lru_cache(maxsize=65536)
def _compares_member(text: str) -> bool:
    return text.endswith(BETWEEN) or (len(text) < _LONGEST and _MEMBER_COMPARED.fullmatch(text) is not None)


@functools.lru_cache(maxsize=65536)
def in_parameters(parameters: tuple[str, ...], moved: frozenset[str], text: str) -> str | None:
    """``text`` as callers can read it; None where it is about something that they do not see."""
    out, at, seen = [], 0, False
    for match in _WORD.finditer(text):
        member, name, called = match.groups()
        if member or called or (name.isupper() and name not in parameters):
            continue
        if name not in parameters or name in moved:
            return None
        out += [text[at : match.start(2)], f"P{parameters.index(name)}"]
        at, seen = match.end(2), True
    return "".join((*out, text[at:])) if seen else None


@functools.lru_cache(maxsize=65536)
def in_caller(assumptions: Assumptions, arguments: tuple[str, ...]) -> Assumptions:
    """The assumptions of a callee that is given ``arguments``, in the caller's words.

    Of an object to which the caller has no path the member alone is told, as of one that a function finds by itself.
    """
    found: set[tuple[str, bool]] = set()
    for text, truth in assumptions:
        positions = {int(match.group(1)) for match in _PARAMETER.finditer(text)}
        if all(at < len(arguments) and is_path(arguments[at].removeprefix("&")) for at in positions):
            found.add((_PARAMETER.sub(lambda match: _given(match, arguments), text), truth))
        elif (own := _OF_PARAMETER.fullmatch(text)) is not None:
            found.add((f"{SOME}{last_member(own.group(1))}{own.group(2)}", truth))
    return frozenset(found)


def _given(match: re.Match[str], arguments: tuple[str, ...]) -> str:
    argument, behind = arguments[int(match.group(1))], match.group(2) or ""
    if behind and argument.startswith("&"):
        return argument[1:] + ("." if behind == "->" else "")
    return argument + behind


def by_state(assumptions: Assumptions, listed: Set[str], kinds: Collection[str], facts: Facts) -> bool:
    """Whether one is about the state of an object that was found on a list, which the function has not asked about.

    What a list is for decides which states the objects on it can have, and of which kind they are, as the questions
    ``kinds`` ask, and nobody says so where they are found.
    """
    for text, truth in assumptions:
        if (match := _STATE.fullmatch(text)) is not None:
            if match.group(1) in listed and (SYMBOL, text) not in facts:
                return True
        elif truth and text.partition("(")[0] in kinds and (VALUE, text) not in facts and variables(text) & listed:
            return True
    return False


def of_some_object(assumptions: Assumptions) -> Assumptions:
    """Those that are about no parameter, so that they mean the same to any caller."""
    return frozenset(one for one in assumptions if one[0].startswith(SOME))


def refuted(assumptions: Iterable[tuple[str, bool]], facts: Facts) -> bool:
    """Whether the caller knows that one of the assumptions, in its own words, does not hold."""
    for text, truth in assumptions:
        if facts.get((SYMBOL, text), truth) != truth or (not truth and _is_true_of_itself(text)):
            return True
        if text.endswith(BETWEEN):
            if _is_none_of(text, facts) if truth else is_another(text, facts):
                return True
            continue
        if (compared := _compared(text)) is not None and _is_otherwise(*compared, truth, facts):
            return True
        value = value_of(facts, text.removeprefix(GLOBAL))
        value = facts.get((SEEN, text)) if value is None else value
        if value is not None and (value != 0) != truth:
            return True
        if text.startswith(SOME) and _asked_otherwise(text.removeprefix(SOME), truth, facts):
            return True
        longer = _parts(text) if value is None else ()
        if len(longer) > _SHORTEST and any(
            letter in _KNOWN and (known != 0) != truth and _ends_with(longer, _parts(other))
            for (letter, other), known in facts.items()
        ):
            return True
    return False


def _is_none_of(text: str, facts: Facts) -> bool:
    """Whether it is known that a member is none of the constants that ``text`` names."""
    return all(
        (compared := _compared(one)) is not None and _is_otherwise(*compared, True, facts) for one in each_of(text)
    )


@functools.lru_cache(maxsize=65536)
def _is_true_of_itself(text: str) -> bool:
    """Whether a comparison is true whatever the values are: with itself, or of the greatest value with any other."""
    return _LIKE_ITSELF.fullmatch(text) is not None or _GREATEST.fullmatch(text) is not None


@functools.lru_cache(maxsize=16384)
def _compared(text: str) -> tuple[str, str, str] | None:
    """What a member is compared with: its path, empty for that of some object, its name and the constant."""
    path, mark, constant = text.partition("==")
    if not mark or not _CONSTANT.fullmatch(constant) or not (path.startswith(SOME) or _is_member(path)):
        return None
    return "" if path.startswith(SOME) else path, last_member(path), constant


def _is_member(text: str) -> bool:
    return is_path(text) or _ACCESSED.fullmatch(text) is not None


def _is_otherwise(path: str, member: str, constant: str, truth: bool, facts: Facts) -> bool:
    """Whether it is known that the member is another constant than ``constant``, or this one, where ``truth`` is not.

    Of some object it is where that is so of one whose constant begins with the same word: it is of the same kind.
    """
    kind = constant.partition("_")[0] + "_"
    for (letter, text), known in facts.items():
        if letter == PUT:
            found, holds = [_compared(f"{text}=={name}") for name in known], True
        else:
            asked = each_of(text) if known and text.endswith(BETWEEN) else (text,)
            found, holds = [_compared(one) if letter == SYMBOL and member in one else None for one in asked], known
        if all(
            one is not None
            and (one[0] == path if path else one[1] == member and one[2].startswith(kind))
            and (holds != truth if one[2] == constant else holds and truth)
            for one in found
        ):
            return True
    return False


def _asked_otherwise(member: str, truth: bool, facts: Facts) -> bool:
    """Whether the member is known of some object, as the opposite."""
    return any(
        letter in _KNOWN and (known != 0) != truth and _FOUND.fullmatch(other) and last_member(other) == member
        for (letter, other), known in facts.items()
    )


@functools.lru_cache(maxsize=65536)
def _parts(text: str) -> tuple[str, ...]:
    return tuple(text.replace("->", ".").split("."))


def _ends_with(longer: tuple[str, ...], shorter: tuple[str, ...]) -> bool:
    """Whether ``a->b.c`` is meant by ``b->c`` too: a member that is known as a variable as well."""
    return _SHORTEST <= len(shorter) < len(longer) and longer[-len(shorter) :] == shorter
