# SPDX-License-Identifier: GPL-2.0-or-later
"""References that are given back and cannot be the last: what is done afterwards, or a list, counts on another one.

Whoever goes on to use an object after letting go of it relies on somebody else's reference. A list has its own
reference to each object where whoever takes one off gives it back afterwards: an object that is found there keeps that
one as long as the lock is held under which objects are taken off, or the RCU reader is open, where readers are waited
for in between (Documentation/RCU/listRCU.rst, Documentation/RCU/rcuref.rst).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from reviewer.context.chains import call_below
from reviewer.context.effects import Effect
from reviewer.context.facts import TAKEN_AT, Facts
from reviewer.context.graceperiod import waits
from reviewer.context.locks import acquires, canonical
from reviewer.context.state import Origin, State
from reviewer.source.cfg import AnyNode, Assign, Call, Function, Loop, is_avoidable, texts_of, written_by
from reviewer.source.expression import constant, is_path, last_member, plain, root, split_member

if TYPE_CHECKING:
    from reviewer.context.analysis import Analyser

_DEEPEST = 4
"""So many calls one below the other give back the same reference."""

_BACK = re.compile(r"(.+)->(\w+)->(\w+)")
_NULL = "NULL"


class _Removal(NamedTuple):
    """A removal from a list that had a reference: whether readers are waited for before it is given back, and the
    locks of the function."""

    waits: bool
    locks: frozenset[str]


class Outlasting:
    """The objects that ``function`` lets go of while others keep them."""

    def __init__(self, analyser: Analyser, function: Function) -> None:
        self._analyser = analyser
        self._function = function
        self._used: dict[Call, bool] = {}
        self._lets_go: dict[str, bool] = {}

    def keeps(self, node: Call, effect: Effect, state: State, facts: Facts) -> bool:
        """Whether ``effect`` of ``node`` comes from letting go of the last reference, and this one is not the last."""
        gives_back = self._lets_go.get(node.name)
        if gives_back is None:
            gives_back = self._analyser.api.gives_back.fullmatch(node.name) is not None
            self._lets_go[node.name] = gives_back
        if not gives_back or not node.args:
            return False
        given = _object(node)
        if not is_path(given) or not self._is_of_last(node, effect):
            return False
        return self._is_used_after(node, given) or self._is_listed(given, state, facts)

    def _is_of_last(self, node: Call, effect: Effect) -> bool:
        caller, call = self._function, node
        for step in effect.steps[1 : 1 + _DEEPEST]:
            below = call_below(self._analyser, caller, call, step)
            if below is None:
                return False
            caller, block, call = below
            if is_avoidable(caller, block):
                return any(self._analyser.api.lowers_reference.fullmatch(other.name) for other in caller.calls())
            if not call.args or not self._analyser.api.gives_back.fullmatch(call.name):
                return False
        return False

    # The object is used afterwards

    def _is_used_after(self, node: Call, given: str) -> bool:
        if node not in self._used:
            full = canonical(self._function, given)
            names = frozenset((given, full, self._turned_back(full)))
            self._used[node] = any(self._uses_follow(*at, names) for at in self._places(node))
        return self._used[node]

    def _places(self, node: Call) -> Iterator[tuple[int, int]]:
        for number, block in enumerate(self._function.blocks):
            yield from ((number, at) for at, other in enumerate(block.nodes, 1) if other is node)

    def _uses_follow(self, number: int, at: int, names: frozenset[str]) -> bool:
        """Whether all ways that lead on from a place use the object of ``names`` before it goes by another name."""
        waiting, seen = [(number, at, names)], set[tuple[int, frozenset[str]]]()
        while waiting:
            number, at, names = waiting.pop()
            block = self._function.blocks[number]
            for node in block.nodes[at:]:
                if self._uses(node, names):
                    break
                names = frozenset(name for name in names if not any(_starts(name, new) for new in _given_anew(node)))
            else:
                if not names or not block.edges:
                    return False
                new = {(edge.target, names) for edge in block.edges} - seen
                seen |= new
                waiting += [(target, 0, left) for target, left in new]
        return True

    def _uses(self, node: AnyNode, names: frozenset[str]) -> bool:
        """Whether ``node`` reaches into the object; a lock that is let go of may have been forgotten."""
        if isinstance(node, Loop) or (isinstance(node, Call) and node.name in self._analyser.api.locks):
            return False
        return any(f"{name}->" in f" {text}" and _reaches(text, name) for text in texts_of(node) for name in names)

    def _turned_back(self, path: str) -> str:
        """``x`` for ``x->a->b``, where the two objects point to each other."""
        match = _BACK.fullmatch(path)
        return match.group(1) if match is not None and match.group(3) in self._back.get(match.group(2), ()) else path

    @cached_property
    def _back(self) -> Mapping[str, frozenset[str]]:
        """The members by which each member that the file sets leads back, always: ``x->a = y`` with ``y->b = x``."""
        found: dict[str, frozenset[str]] = {}
        for function in self._neighbours():
            stores = {node.target: node.value for node in function.nodes() if isinstance(node, Assign)}
            for target, value in stores.items():
                split = split_member(target)
                if split is None or value == _NULL or constant(value) is not None:
                    continue
                back = (split_member(other) for other, stored in stores.items() if stored == split[0])
                names = frozenset(there[1] for there in back if there is not None and there[0] == value)
                found[split[1]] = found.get(split[1], names) & names
        return found

    def _neighbours(self) -> Iterator[Function]:
        program, path = self._analyser.program, self._function.path
        for extent in program.extents(path):
            yield from program.functions(path, extent.name)

    # The object is on a list

    def _is_listed(self, given: str, state: State, facts: Facts) -> bool:
        """Whether the object was found on a list of which nobody lets go of one before the reader or lock ends."""
        api = self._analyser.api
        for node in self._function.nodes():
            if not isinstance(node, Loop) or node.args[:1] != (given,):
                continue
            removals = next((self._removals[word] for word in node.args[2:] if word in self._removals), ())
            if state.rcu > 0 and node.name in api.rcu_iterators and removals:
                return all(removal.waits for removal in removals)
            held = {last_member(lock) for lock in self._around(node, state, facts)}
            if removals and held:
                return all(held & removal.locks for removal in removals)
        return False

    @staticmethod
    def _around(loop: Loop, state: State, facts: Facts) -> Iterator[str]:
        """The locks that have been held since before the loop."""
        for held in state.certain_locks():
            _, line, _ = facts.get((TAKEN_AT, held.expression), ("", 0, ""))
            if held.origin is Origin.TAKEN and 0 < line < loop.line:
                yield held.expression

    @cached_property
    def _removals(self) -> Mapping[str, tuple[_Removal, ...]]:
        """How the file takes objects off lists, by the member through which they are linked there."""
        api = self._analyser.api
        found: dict[str, tuple[_Removal, ...]] = {}
        for function in self._neighbours():
            calls = list(function.calls())
            for at, call in enumerate(calls):
                if not call.args or not api.remove.fullmatch(call.name):
                    continue
                removed, rest = root(call.args[0]), calls[at + 1 :]
                waited = next((number for number, other in enumerate(rest) if waits(other)), len(rest))
                locks = frozenset(last_member(plain(lock)) for _, lock in acquires(function, api))
                kept = self._gives_back(rest, removed) or self._callers_give_back(function, removed)
                first = kept and waited < len(rest) and not self._gives_back(rest[:waited], removed)
                found.setdefault(last_member(call.args[0]), ())
                found[last_member(call.args[0])] += (_Removal(first, locks if kept else frozenset()),)
        return found

    def _gives_back(self, calls: list[Call], variable: str) -> bool:
        gives_back = self._analyser.api.gives_back
        return any(call.args and _object(call) == variable and gives_back.fullmatch(call.name) for call in calls)

    def _callers_give_back(self, function: Function, variable: str) -> bool:
        """Whether all who call ``function`` give back what it takes off a list."""
        if variable not in function.params:
            return False
        place, asked = function.params.index(variable), False
        for caller in self._neighbours():
            calls = list(caller.calls())
            for at, call in enumerate(calls):
                if call.name == function.name and place < len(call.args):
                    asked = True
                    if not self._gives_back(calls[at + 1 :], plain(call.args[place])):
                        return False
        return asked


def _object(node: Call) -> str:
    """What a call gives back a reference to: the object itself, or the one whose counter it is given."""
    first = node.args[0]
    split = split_member(plain(first))
    return split[0] if first.startswith("&") and split is not None else plain(first)


def _given_anew(node: AnyNode) -> Iterator[str]:
    """What ``node`` may give another value to: a target, the cursors of a loop, variables whose address it is given."""
    if isinstance(node, Loop):
        yield from node.args
    elif isinstance(node, Call):
        yield from (plain(argument) for argument in node.args if argument.startswith("&"))
    target = written_by(node)
    if target is not None:
        yield target


def _starts(path: str, target: str) -> bool:
    """Whether ``path`` leads through ``target``, which is given another value."""
    return path == target or path.startswith((f"{target}->", f"{target}."))


def _reaches(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w>.]){re.escape(name)}->", text) is not None
