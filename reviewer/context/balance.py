# SPDX-License-Identifier: GPL-2.0-or-later
"""Returns that leave locks or RCU readers otherwise than the function's other returns do."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Set
from typing import NamedTuple

from reviewer.context.effects import WALKED, Event, EventKind, Exit, Summary, Taken
from reviewer.context.irqflags import left_disabled
from reviewer.context.locks import is_returned
from reviewer.context.state import State
from reviewer.context.tables import Api
from reviewer.context.wanted import Calls, released_if_other, released_if_wanted
from reviewer.model import Step
from reviewer.source.cfg import Assign, Function
from reviewer.source.expression import constant, last_member, plain, split_member

# Functions that are meant to return with something held or dropped.
_PAIRED_NAME = re.compile(
    r".*(?:^|_)(?:(?:try|un|re)?lock\w*|begin|end|start|stop|enter|exit|get|put|acquire|release|(?:un)?prep(?:are)?|finish|complete|next|show|hold|unhold|save|restore|enable|disable|suspend|resume|pin|unpin|claim|pre|post)(?:_\w+)?",
    re.IGNORECASE,
)

_WHOLE = re.compile(r"P\d+|(?:\?\.)?R")

PAIRS = (
    ("rcu", "rcu_read_lock", "rcu_read_unlock", "rcu"),
    ("preempt", "preempt_disable", "preempt_enable", "context"),
    ("bh", "local_bh_disable", "local_bh_enable", "context"),
    ("migrate", "migrate_disable", "migrate_enable", "context"),
)
"""Counters, what raises and lowers each, and as what an event tells of it."""
_FOUND = "found"
"""Stands for a pointer that comes with a lock or reader: NULL says that it does not."""
COUNTERS = tuple(counter for counter, *_ in PAIRS)
_ASKED = frozenset(("locks", WALKED, *COUNTERS))


class Moves(NamedTuple):
    """What a function and its callees do to locks and counters on some way.

    ``below`` are locks that the function itself takes and a callee lets go of, ``handed_up`` are those of a callee
    that the function never releases, so that the callee is to be asked. ``let_go`` are the last members of all locks
    that are released here, or that nobody else could release, ``raised`` and ``lowered`` are counters. ``passed`` are,
    by line of the return, the locks that are held on just the paths that hand their object to an operation of which
    nothing is known; ``held_as`` are locks that are held under another name there. ``flags_lost`` are lines of returns
    with interrupts disabled where only the function knew what they were before.
    """

    below: Set[tuple[str, str]]
    handed_up: Set[tuple[str, str]]
    let_go: Set[str]
    raised: Set[str]
    lowered: Set[str]
    passed: Set[tuple[int, tuple[str, str]]]
    held_as: Set[tuple[int, tuple[str, str]]]
    flags_lost: Set[int]


def unbalanced(
    function: Function,
    summary: Summary,
    start: State,
    api: Api,
    taken: Taken,
    moves: Moves,
    reached: Calls,
) -> Iterator[Event]:
    """One event for each lock or reader that some return leaves held against the rest.

    Locks that the tables know to be handed on are left out. ``taken`` says where each lock was taken, ``reached``
    what a call reaches. What the function only takes or only gives back, whatever way it goes, is for somebody else to
    balance.
    """
    if "irq" in moves.raised & moves.lowered and not (start.irq or start.suffix or start.entry):
        yield from _interrupts(function, summary.exits, start, taken, moves.flags_lost)
    if any(
        annotation.name in ("__acquires", "__releases", "__cond_acquires", "__acquires_shared", "__releases_shared")
        for annotation in function.annotations
    ):
        return
    if _PAIRED_NAME.fullmatch(function.name):
        return
    exits = [unnamed(exit_) for exit_ in summary.exits if not exit_.unsure & _ASKED]
    unclear = len(exits) != len(summary.exits)
    if unclear and any(exit_.unsure & _ASKED - {"locks"} for exit_ in summary.exits):
        return
    if function.returns.endswith("*"):
        exits = [
            exit_._replace(value=_FOUND) if exit_.value in ("any", "nonzero") and _holds(exit_) else exit_
            for exit_ in exits
        ]
    if "rcu" in moves.raised and "rcu" in moves.lowered and not unclear:
        yield from _readers(function, exits, start)
    for event, lock in _locks(function, exits, start, api, moves, reached):
        if last_member(lock[1]) in moves.let_go and not (unclear and not _forgotten(exits, lock)):
            yield placed(event, lock, taken)
    if not unclear:
        yield from _counters(function, exits, start, moves)


def _forgotten(exits: list[Exit], lock: tuple[str, str]) -> bool:
    """Whether ``lock`` is held on error returns alone, while it is not on two others at least.

    That is enough where it is not clear of some other way out what it leaves held.
    """
    return all(exit_.value == "negative" for exit_ in exits if lock in exit_.gained) and (
        len({exit_.line for exit_ in exits if exit_.value == "negative" and lock not in exit_.gained}) > 1
    )


def unnamed(exit_: Exit) -> Exit:
    """The exit without names that only this way out gives a lock: ``R->lock`` where others return another value."""
    return exit_._replace(
        gained=frozenset((kind, "?." + last_member(name) if is_returned(name) else name) for kind, name in exit_.gained)
    )


def placed(event: Event, lock: tuple[str, str], taken: Taken) -> Event:
    """The event of ``lock`` with the place where it was taken."""
    line, call = taken.get(lock, (0, ""))
    named = re.fullmatch(r"\w+\(([^(),]+)\)", call)
    name = plain(named.group(1)) if named and lock[1].startswith("?") else event.callee
    return event._replace(callee=name, shown=((name, name, line, call),) if line else ())


def _holds(exit_: Exit) -> bool:
    return bool(exit_.gained) or any(getattr(exit_, counter) > 0 for counter in COUNTERS)


def _groups(exits: list[Exit]) -> Iterator[list[Exit]]:
    """Exits that a caller cannot tell apart by the return value."""
    by_class: dict[str, list[Exit]] = defaultdict(list)
    for exit_ in exits:
        by_class[exit_.value].append(exit_)
    for name, group in by_class.items():
        alike = [by_class.get("nonzero", [])] if name == "negative" else []
        alike += [by_class.get("any", [])] if name not in ("any", "none", _FOUND) else []
        if name == _FOUND:
            alike += [by_class.get("any", [])]
            if not any(alike):
                continue  # what comes with it need not be the same each time, and IS_ERR() tells too
        yield [*group, *(exit_ for others in alike for exit_ in others)]


def _readers(function: Function, exits: list[Exit], start: State) -> Iterator[Event]:
    for group in _groups(exits):
        if len({exit_.rcu for exit_ in group}) == 2:  # more than two: a loop that counts
            least = min(abs(exit_.rcu) for exit_ in group)
            wrong = min((exit_ for exit_ in group if abs(exit_.rcu) != least), key=lambda exit_: exit_.line)
            right = min(exit_.line for exit_ in group if abs(exit_.rcu) == least)
            yield imbalance(
                function, wrong, right, start, "rcu_read_lock" if wrong.rcu > 0 else "rcu_read_unlock", "rcu"
            )
            return
    # An error return inside a reader that the successful return has left.
    for failed in exits:
        if failed.value == "negative" and failed.rcu > 0:
            balanced = [exit_ for exit_ in exits if exit_.value in ("zero", "any") and exit_.rcu == 0]
            if balanced:
                yield imbalance(function, failed, min(exit_.line for exit_ in balanced), start, "rcu_read_lock", "rcu")
                return


def _locks(
    function: Function,
    exits: list[Exit],
    start: State,
    api: Api,
    moves: Moves,
    reached: Calls,
) -> Iterator[tuple[Event, tuple[str, str]]]:
    everything = frozenset[tuple[str, str]]().union(*(exit_.gained for exit_ in exits))
    told = {lock for lock in everything if last_member(lock[1]) in api.handed_on or lock[0] in api.kinds.handed_on}
    wanted = released_if_wanted(function, reached)
    if _keeps_a_mark(function):  # of what one call has taken and another lets go of
        told |= frozenset[tuple[str, str]]().union(*(exit_.released for exit_ in exits))
    told |= moves.handed_up | {lock for lock in everything if last_member(lock[1]) in released_if_other(function)}
    for group in _groups(exits):
        for lock in sorted(frozenset[tuple[str, str]]().union(*(exit_.gained for exit_ in group)) - told):
            holding = [exit_ for exit_ in group if lock in exit_.gained and not _exchanged(function, lock, exit_)]
            if (asked := wanted.get(last_member(lock[1]))) is not None:
                holding = [exit_ for exit_ in holding if not any(map(asked, exit_.conditions))]
            without = {
                exit_.line for exit_ in group if lock not in exit_.gained and (exit_.line, lock) not in moves.held_as
            }
            if lock in moves.below:  # whether the callee is reached before a common return, memory decides
                holding = [exit_ for exit_ in holding if exit_.line not in without]
            holding = [
                exit_ for exit_ in holding if exit_.line not in without or (exit_.line, lock) not in moves.passed
            ]
            if function.returns.endswith("*") and _tells(lock, group):
                continue
            if holding and without:
                told.add(lock)
                wrong = min(holding, key=lambda e: e.line)
                yield imbalance(function, wrong, min(without), start, lock[1], "lock", lock[0]), lock
    for failed in sorted((e for e in exits if e.value == "negative"), key=lambda e: e.line):
        for lock in sorted(failed.gained - told):
            clean = [exit_ for exit_ in exits if exit_.value == "zero" and lock not in exit_.gained]
            if clean and all(lock not in e.gained for e in exits if e.value == "zero"):
                told.add(lock)
                yield imbalance(function, failed, min(e.line for e in clean), start, lock[1], "lock", lock[0]), lock


def _keeps_a_mark(function: Function) -> bool:
    """Whether the function sets a member in one place and clears it in another, for when it is called again."""
    found: dict[str, set[bool]] = defaultdict(set)
    for node in function.nodes():
        if isinstance(node, Assign) and split_member(node.target) is not None:
            value = constant(node.value)
            if value in (0, 1):
                found[node.target].add(value == 1)
    return any(len(values) > 1 for values in found.values())


def _tells(lock: tuple[str, str], group: list[Exit]) -> bool:
    """Whether the returned pointer says if the lock is held: an object comes locked, NULL and ERR_PTR() do not."""
    return all(exit_.value == _FOUND if lock in exit_.gained else exit_.value in ("zero", "nonzero") for exit_ in group)


def _exchanged(function: Function, lock: tuple[str, str], exit_: Exit) -> bool:
    """Whether the caller's lock of another object was let go of for ``lock``, as where a timer changes its base."""
    name = _member(function, lock[1])
    return any(
        kind == lock[0] and other != lock[1] and _member(function, other) == name for kind, other in exit_.released
    )


def _member(function: Function, expression: str) -> str:
    """The last member of a lock as callers see it; empty where the primitive is given an object that holds it."""
    name = last_member(expression)
    return "" if _WHOLE.fullmatch(expression) or (expression == f"?.{name}" and name in function.locals) else name


def _counters(function: Function, exits: list[Exit], start: State, moves: Moves) -> Iterator[Event]:
    for counter, disable, enable, what in PAIRS:
        if counter == "rcu" or counter not in moves.raised or counter not in moves.lowered:
            continue
        for group in _groups(exits):
            values = {getattr(exit_, counter) for exit_ in group}
            if len(values) != 2:  # more than two: a loop that counts
                continue
            least = min(values, key=abs)
            wrong = min((e for e in group if getattr(e, counter) != least), key=lambda e: e.line)
            if wrong.released and getattr(wrong, counter) < least:
                continue  # with the caller's lock goes what was disabled together with it
            right = min(e.line for e in group if getattr(e, counter) == least)
            yield imbalance(function, wrong, right, start, disable if getattr(wrong, counter) > least else enable, what)
            break


def _interrupts(
    function: Function, exits: Iterable[Exit], start: State, taken: Taken, lost: Set[int]
) -> Iterator[Event]:
    """A return with interrupts disabled by which flags are lost that other returns give back.

    Nobody else can give them back, whatever value is returned. A lock that is held there says more, and is told. Where
    a common return is reached both ways, they may have been disabled before the function was called.
    """
    clear = [exit_ for exit_ in exits if not exit_.gained and "irq" not in exit_.unsure]
    right = {exit_.line for exit_ in clear if not left_disabled(exit_)}
    wrong = [exit_ for exit_ in clear if left_disabled(exit_) and exit_.line in lost - right]
    if wrong and right:
        first = min(wrong, key=lambda exit_: exit_.line)
        yield placed(imbalance(function, first, min(right), start, "interrupts", "irqs"), ("irq", ""), taken)


def imbalance(
    function: Function, wrong: Exit, right: int | None, start: State, subject: str, what: str, kind: str = ""
) -> Event:
    """The event of a return that leaves ``subject`` unlike the one on line ``right`` does.

    0 where only other paths of the function do it right, None where no path does any more.
    """
    match = re.match(r"P(\d+)", subject)
    if match and int(match.group(1)) < len(function.params):
        subject = function.params[int(match.group(1))] + subject[match.end() :]
    step = Step(function.path, wrong.line, function.name, "return")
    return Event(
        EventKind.UNBALANCED,
        function,
        wrong.line,
        subject.removeprefix("?."),
        "",
        start,
        (step,),
        False,
        (),
        (what, "" if right is None else str(right), kind),
    )
