# SPDX-License-Identifier: GPL-2.0-or-later
"""Pointers that are good only while an RCU or SRCU reader is open, or a lock is held.

Sources: Documentation/RCU/checklist.rst (pointers that leak out of a reader);
Documentation/kernel-hacking/locking.rst, "Exposing Objects Outside This File".
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import NamedTuple

from reviewer.context.effects import Event, EventKind
from reviewer.context.facts import BORROWED, TAKEN_AT, VALUE, Facts
from reviewer.context.locks import canonical
from reviewer.context.ownership import frees_from_list
from reviewer.context.schema import LockClass
from reviewer.context.state import Origin, State
from reviewer.context.tables import Api
from reviewer.context.watch import Path, Watcher
from reviewer.model import Step
from reviewer.source.cfg import AnyNode, Assign, Call, Edge, Function, Guard, Loop, Return, written_by
from reviewer.source.expression import constant, identifiers, is_path, last_member, plain, root

_RCU = "RCU"
_NOT_EVALUATED = re.compile(r"\b(?:sizeof|typeof|__typeof__|offsetof|container_of)\((?:[^()]|\([^()]*\))*\)")
_ADDRESS = re.compile(r"(?<![\w)\]])&[A-Za-z_]\w*(?:->|\.)[\w.]*+(?!->|\[)")
_MEMBER = re.compile(r"&([A-Za-z_]\w*)->([\w.]+)")
_VARIABLE = re.compile(r"[A-Za-z_]\w*")
_SAME_OBJECT = re.compile(r"container_of|container_of_const|\w*list_entry\w*|rb_entry\w*|unrcu_pointer")


class Borrowed(NamedTuple):
    """A pointer fetched at ``line`` by ``call``, good while ``reader`` is open; ``left`` is the line where it was left.

    ``reader`` is ``RCU`` or the canonical expression of the srcu_struct. ``left`` is 0 while the reader is open.
    ``member`` is set for an object that was put on a list by that member: then ``reader`` is the lock of the list.
    """

    reader: str
    line: int
    call: str
    left: int
    member: str = ""


class Pointers(Watcher):
    """Follows such pointers to where they are used."""

    @staticmethod
    def matter(function: Function, api: Api) -> bool:
        """Whether ``function`` fetches a pointer in this way at all, or puts an object on a list."""
        return any(
            (isinstance(node, Call) and node.result and (node.name in api.srcu_pointers or _fetches(node, api)))
            or (isinstance(node, Call) and api.insert.fullmatch(node.name))
            or (isinstance(node, Loop) and node.name in api.rcu_iterators)
            for node in function.nodes()
        )

    def before(self, node: AnyNode, path: Path) -> None:
        """Judge what ``node`` reads or writes through a pointer whose reader was left."""
        state, facts = path
        for variable, borrowed in _all(facts):
            if isinstance(node, Return) and borrowed.left == node.line:
                continue  # the value was computed before the guard ended
            if borrowed.left:
                self._judge(_texts(node, self._api), node.line, variable, borrowed, state, facts)
            if isinstance(node, Call) and self._keeps(node, variable):
                facts.pop((BORROWED, variable), None)

    def conditions(self, edges: Iterable[Edge], path: Path) -> None:
        """The same for what branches are decided upon."""
        state, facts = path
        for variable, borrowed in _all(facts):
            if borrowed.left:
                for edge in edges:
                    for literal in edge.literals:
                        texts = (_ADDRESS.sub("", literal.left), _ADDRESS.sub("", str(literal.right)))
                        self._judge(texts, literal.line, variable, borrowed, state, facts)

    @staticmethod
    def equal(variable: str, facts: Facts) -> None:
        """A pointer that equals one which is known otherwise is as good as that one."""
        facts.pop((BORROWED, variable), None)

    def after(self, node: AnyNode, path: Path) -> None:
        """Note new pointers, and those whose reader has been left."""
        state, facts = path
        for variable, borrowed in _all(facts):
            if not borrowed.left and not self._open(borrowed.reader, state):
                facts[BORROWED, variable] = borrowed._replace(left=node.line)
        if isinstance(node, Call) and node.result and _VARIABLE.fullmatch(node.result):
            self._fetched(node, node.result, state, facts)
        elif isinstance(node, Call) and self._api.insert.fullmatch(node.name) and node.args:
            self._published(node, state, facts)
        elif isinstance(node, Loop) and node.name in self._api.rcu_iterators and node.args:
            self._borrow(node.args[0], _RCU, node.line, f"{node.name}()", state, facts)
        elif isinstance(node, Assign) and _VARIABLE.fullmatch(node.target):
            known = facts.get((BORROWED, plain(node.value)))
            if known is not None and not node.value.startswith("*"):
                facts[BORROWED, node.target] = known

    def _fetched(self, node: Call, variable: str, state: State, facts: Facts) -> None:
        if node.name in self._api.srcu_pointers:
            at = self._api.srcu_pointers[node.name]
            if at < len(node.args):
                reader = canonical(self._flow.function, node.args[at])
                self._borrow(variable, reader, node.line, f"{node.name}()", state, facts)
        elif _fetches(node, self._api) and not self._is_own(node):
            self._borrow(variable, _RCU, node.line, f"{node.name}()", state, facts)
        elif _SAME_OBJECT.fullmatch(node.name) and node.args:
            known = facts.get((BORROWED, plain(node.args[0])))
            if known is not None:
                facts[BORROWED, variable] = known

    def _is_own(self, node: Call) -> bool:
        """Whether the pointer is fetched from an object that the function has made: it decides when that lets go."""
        function = self._flow.function
        owner = root(plain(node.args[0])) if node.args else ""
        makers = [other for other in function.nodes() if written_by(other) == owner]
        return (
            owner in function.locals
            and len(makers) == 1
            and isinstance(makers[0], Call)
            and self._api.makes.fullmatch(makers[0].name) is not None
        )

    def _published(self, node: Call, state: State, facts: Facts) -> None:
        """An object of this function's own goes on a list: from now on it belongs to whoever holds the lock."""
        entry = _MEMBER.fullmatch(node.args[0])
        locks = [held for held in state.locks if self._api.classes.get(held.kind) not in (None, LockClass.READER)]
        if entry is None or len(locks) != 1 or locks[0].origin is not Origin.TAKEN or state.rcu > 0:
            return
        variable, member = entry.group(1), last_member(entry.group(2))
        if self._allocated(variable):
            call = f"{node.name}()"
            facts[BORROWED, variable] = Borrowed(locks[0].expression, node.line, call, 0, member)

    def _allocated(self, variable: str) -> bool:
        """Whether the variable holds nothing but memory that this function has allocated."""
        function = self._flow.function
        nodes = list(function.nodes())
        values = [node for node in nodes if isinstance(node, Assign) and node.target == variable]
        calls = [node for node in nodes if isinstance(node, Call) and node.result == variable]
        return (
            variable in function.locals
            and len(calls) == 1
            and calls[0].name in self._api.allocators
            and all(constant(assign.value) == 0 for assign in values)
        )

    def _borrow(self, variable: str, reader: str, line: int, call: str, state: State, facts: Facts) -> None:
        if self._open(reader, state) and self._unprotected(state, reader):
            facts[BORROWED, variable] = Borrowed(reader, line, call, 0)

    def _open(self, reader: str, state: State) -> bool:
        if reader == _RCU:
            return state.rcu > 0
        return any(held.expression == reader for held in state.locks)

    def _unprotected(self, state: State, reader: str = "") -> bool:
        """Whether nothing but ``reader`` keeps the object from going away: no lock, nothing that is a reader too."""
        held = [lock for lock in state.locks if lock.expression != reader]
        return (
            not held
            and (reader == _RCU or state.rcu <= 0)
            and not (state.preempt > 0 or state.bh > 0 or state.suffix > 0 or state.irq == "off")
            and not state.entry
            and not state.unsure
        )

    def _keeps(self, node: Call, variable: str) -> bool:
        """Whether the call may keep the object alive, or is given it for good."""
        given = [argument for argument in node.args if variable in identifiers(argument)]
        if not given:
            return False
        if self._api.takes_reference.fullmatch(node.name.removeprefix(".")) or node.name in self._api.locks:
            return True
        if not any(is_path(argument) for argument in given):
            return False
        if self._api.opaque.fullmatch(node.name) or _SAME_OBJECT.fullmatch(node.name):
            return False
        return not self._flow.analyser.only_looks(node.name, self._flow.function.path)

    def _judge(
        self, texts: Iterable[str], line: int, variable: str, borrowed: Borrowed, state: State, facts: Facts
    ) -> None:
        used = next((text for text in texts if _uses(variable).search(_NOT_EVALUATED.sub("", text))), None)
        if used is None or facts.get((VALUE, variable)) == 0:
            return
        facts.pop((BORROWED, variable), None)
        if self._unprotected(state):
            function = self._flow.function
            lock = last_member(borrowed.reader)
            freed_by = borrowed.member and frees_from_list(
                self._flow.analyser.program, self._api, function, borrowed.member, lock
            )
            if freed_by is None:
                return
            reader = facts.get((TAKEN_AT, borrowed.reader), (borrowed.reader,))[0]
            detail = (variable, borrowed.call, reader, str(borrowed.line), str(borrowed.left), freed_by)
            step = Step(function.path, line, function.name, used)
            kind = EventKind.USE_AFTER_LOCK if freed_by else EventKind.USE_AFTER_READER
            got, left = (
                (f"{borrowed.call} with {variable}", f"{reader} is released")
                if freed_by
                else (f"{variable} = {borrowed.call}", f"the {reader} reader is left")
            )
            shown = ((variable, variable, borrowed.line, got), (reader, reader, borrowed.left, left))
            self._flow.note(Event(kind, function, line, variable, "", state, (step,), False, shown, detail))


def _all(facts: Facts) -> list[tuple[str, Borrowed]]:
    return [(key[1], value) for key, value in facts.items() if key[0] == BORROWED]


def _fetches(node: Call, api: Api) -> bool:
    return bool(api.rcu_pointers.fullmatch(node.name)) and not any("current" in argument for argument in node.args[:1])


def _texts(node: AnyNode, api: Api) -> tuple[str, ...]:
    """The expressions that ``node`` evaluates; an address that is handed to a call is used by it."""
    if isinstance(node, Assign):
        return (node.target, _ADDRESS.sub("", node.value))
    if isinstance(node, Guard):
        return (node.argument,)
    if isinstance(node, Return):
        return (_ADDRESS.sub("", node.value),)
    if isinstance(node, Call) and (_SAME_OBJECT.fullmatch(node.name) or node.name in api.optional_gfp):
        return ()  # these look at the type alone
    return tuple(text if _ADDRESS.fullmatch(text) else _ADDRESS.sub("", text) for text in node.args)


@functools.lru_cache(maxsize=4096)
def _uses(variable: str) -> re.Pattern[str]:
    name = re.escape(variable)
    return re.compile(rf"(?<!->)(?<![.\w$])(?:{name}(?:->|\[)|(?<![\w)\]])\*+{name}\b(?!->|\[|\())")
