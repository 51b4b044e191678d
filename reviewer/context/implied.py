# SPDX-License-Identifier: GPL-2.0-or-later
"""What follows from what, where paths met on which different things were known.

After ``a || b`` nobody knows ``a``, but where ``a`` turns out to be false later, ``b`` is true. When facts are joined,
what one side knew follows from whatever tells that side from the other.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Final

from reviewer.context.facts import GFP, NONZERO, SYMBOL, VALUE, WHERE, Facts, Implied, Value, join
from reviewer.source.expression import is_path, root, split, unwrap

_OF: Final = {letter: of for of, letter in WHERE.items()}
_KNOWN: Final = frozenset((VALUE, SYMBOL, GFP))
_MOST_TELLING, _MOST_FOLLOWING = 4, 6

Key = tuple[str, str]
Rule = tuple[Key, Implied]


def join_facts(old: Facts, new: Facts) -> bool:
    """Keep in ``old`` what ``new`` agrees with, and what follows from what; whether less is known now."""
    if old == new:
        return False
    found = _parted(old, new)
    less = False
    for key in [key for key in old if key[0] in _OF]:
        kept = frozenset(one for one in old[key] if _holds(key, one, new))
        less |= len(kept) < len(old[key])
        old[key] = kept
    less |= join(old, new)
    for key, follows in found.items():
        old[key] = old.get(key, frozenset()) | follows
    return less


def _parted(old: Facts, new: Facts) -> dict[Key, frozenset[Implied]]:
    """What follows from the facts that tell the two sides apart."""
    telling = [
        key
        for key, value in old.items()
        if key[0] in WHERE and key in new and _is_told(key) and _contradict(value, new[key])
    ]
    if not telling:
        return {}
    unlike = [key for key, value in old.items() if new.get(key) != value and _is_told(key)]
    unlike += [key for key, value in new.items() if value is not None and key not in old and _is_told(key)]
    found = {}
    for key in telling[-_MOST_TELLING:]:
        follows = [
            Implied(side[key] != 0, other, side[other])
            for side in (old, new)
            for other in [other for other in unlike if other != key and other in side][-_MOST_FOLLOWING:]
        ]
        if follows:
            found[WHERE[key[0]], key[1]] = frozenset(follows)
    return found


def _is_told(key: Key) -> bool:
    return key[0] in _KNOWN and key[1][:1] != "$"


def _holds(key: Key, one: Implied, facts: Facts) -> bool:
    """Whether what was known to follow on one side follows on the other, whose ``facts`` these are."""
    if one in facts.get(key, ()) or facts.get(one.key) == one.value:
        return True
    known = facts.get((_OF[key[0]], key[1]))
    return known is not None and (known != 0) != one.truth


def conclude(facts: Facts, learnt: Key) -> bool:
    """Add to ``facts`` what follows from ``learnt``, which is one of them; False where that cannot be."""
    waiting = [learnt]
    while waiting:
        key = waiting.pop()
        follows = facts.get((WHERE.get(key[0], ""), key[1]), ())
        for one in sorted(follows, key=str) if len(follows) > 1 else follows:
            if one.truth != (facts[key] != 0):
                continue
            if one.key[0] in _OF:
                told = (_OF[one.key[0]], one.key[1])
                if told in facts and not one.value <= facts.get(one.key, frozenset()):
                    waiting.append(told)
                facts[one.key] = facts.get(one.key, frozenset()) | one.value
                continue
            if one.key not in facts:
                facts[one.key] = one.value
                waiting.append(one.key)
            elif _contradict(facts[one.key], one.value):
                return False
    return True


@functools.lru_cache(maxsize=16384)
def of_conjunction(target: str, text: str) -> frozenset[Implied]:
    """What follows where ``target``, which is set to ``text``, is true: of ``a->on&&!a->off``, that ``a->on`` is true
    and ``a->off`` is not."""
    if "&&" not in text and text[:1] != "!":
        return frozenset()
    parts = [(part.removeprefix("!"), part[:1] == "!") for part in map(unwrap, split(unwrap(text), "&&"))]
    own = root(target)
    return frozenset(
        Implied(True, (VALUE, part), 0 if denied else NONZERO)
        for part, denied in parts
        if is_path(part) and part[:1] != "&" and part not in (target, own)
    )


def rules(facts: Facts) -> tuple[Rule, ...]:
    """All that follows from something else, each with the key of the fact that it follows from."""
    return tuple(((_OF[key[0]], key[1]), one) for key, follows in facts.items() if key[0] in _OF for one in follows)


def with_assumed(facts: Facts, found: tuple[Rule, ...], assumed: Iterable[tuple[str, bool]]) -> Facts | None:
    """``facts``, whose rules were ``found``, and what follows where expressions are as assumed, true or not; None where
    they cannot be."""
    known = facts
    for text, truth in assumed if found else ():
        for told, one in found:
            follows: tuple[Key, Value | bool] | None = None
            if told == (VALUE, text) and one.truth == truth:
                follows = one.key, one.value
            elif one.key == (VALUE, text) and (one.value != 0) != truth and told[0] == VALUE:
                follows = told, 0 if one.truth else NONZERO  # what would make it otherwise does not hold
            if follows is not None:
                known = {**known, follows[0]: known.get(*follows)}
                if _contradict(known[follows[0]], follows[1]):
                    return None
    return known


def _contradict(known: Value | bool, other: Value | bool) -> bool:
    return (known != 0) != (other != 0)
