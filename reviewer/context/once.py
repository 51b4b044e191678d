# SPDX-License-Identifier: GPL-2.0-or-later
"""Paths that few calls take: where something is set up for the first time, where a last reference goes, where an
assertion has failed, and where the CPU is given up because something in memory says so."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Set
from functools import cached_property

from reviewer.context.assumptions import refuted
from reviewer.context.effects import Assumptions
from reviewer.context.facts import VALUE, Facts, value_of
from reviewer.context.references import LAST, TRIED
from reviewer.context.stores import stored
from reviewer.context.tables import Api
from reviewer.source.cfg import WARNED, Assign, Block, Call, Function, Literal, Loop, placed_calls, written_by
from reviewer.source.expression import last_member, root, split_member

_COUNTED = re.compile(r"(\w+)\([^()]*?&(\w[\w.>-]*)->[\w.]+\)")
_CALLS = 2  # one that takes a reference, and the one that it is taken for
_NOT_IN_MEMORY = (LAST, TRIED)
_SET_UP = re.compile(r"(?:\w*_)?initiali[sz]ed")


class Once:
    """Tells such paths of one function by what is known on them.

    What they do need not happen in a call that is made later, or by who holds a reference: of callers, nothing is said.
    """

    def __init__(self, function: Function, api: Api) -> None:
        self._clear_at_first = _set_once(function, api.stores) | frozenset(_asked_for(function, _SET_UP))
        self._true_at_last = frozenset(_asked_for(function, api.last_reference))
        self._false_at_last = frozenset(_asked_for(function, api.not_last_reference))
        self._function = function
        self._api = api

    @cached_property
    def _guarded(self) -> frozenset[int]:
        return frozenset(_guarded(self._function, self._api.sleeps_voluntarily))

    @cached_property
    def _marked(self) -> frozenset[str]:
        return frozenset(_marked(self._function))

    @cached_property
    def _outlived(self) -> frozenset[tuple[int, str]]:
        function, api = self._function, self._api
        return frozenset((*_written_after(function, api.stores), *_given_back(function, api)))

    @property
    def asked(self) -> frozenset[str]:
        """The names of what tells such a path, wherever on it."""
        return self._clear_at_first | self._true_at_last | self._false_at_last

    def is_first(self, facts: Facts) -> bool:
        """Whether something is set up for the first time here."""
        return any(facts.get((VALUE, name)) == 0 for name in self._clear_at_first)

    def registers(self, name: str, facts: Facts) -> bool:
        """Whether a call of ``name`` registers a handler where a mark of an object, set here too, says that none is.

        Where the handler runs, and all that it brings about, the mark says otherwise.
        """
        unmarked = any(facts.get((VALUE, mark)) == 0 for mark in self._marked)
        return unmarked and any(name in each.position for each in self._api.registrations if not each.member)

    def is_last(self, facts: Facts) -> bool:
        """Whether the last reference to an object was let go of."""
        return any(facts.get((VALUE, name), 0) != 0 for name in self._true_at_last) or any(
            facts.get((VALUE, name)) == 0 for name in self._false_at_last
        )

    def outlives(self, line: int, assumed: Assumptions) -> bool:
        """Whether a call on ``line`` lets go of the last reference by what is ``assumed``, and cannot have done so.

        Who writes to the object right after the call holds another reference to it. What allowed the function to take
        one still keeps the object where it is given back at once.
        """
        return bool(self._outlived) and any((line, name) in self._outlived for name in _let_go(assumed, self._api))

    @staticmethod
    def has_warned(facts: Facts) -> bool:
        """Whether the kernel has found here that something is wrong with itself."""
        return (VALUE, WARNED) in facts

    def is_guarded(self, line: int) -> bool:
        """Whether the CPU is given up on ``line`` only where something in memory says so."""
        return line in self._guarded


def about_last(assumed: Assumptions, api: Api) -> bool:
    """Whether ``assumed`` says that the last reference to an object is let go of."""
    return bool(assumed) and (
        any(truth and text.startswith(LAST) for text, truth in assumed) or any(True for _ in _let_go(assumed, api))
    )


def unknown(assumed: Assumptions, facts: Facts, api: Api, own: Collection[str]) -> Assumptions:
    """What of ``assumed``, in the function's own words, is about memory and not known to hold.

    What stands in the variables ``own`` the function has put there, or had put there by others.
    Whether a reference is the last one is not among it: that one is not is what is to be expected.
    """
    return frozenset(
        (text, truth)
        for text, truth in assumed
        if not text.startswith(_NOT_IN_MEMORY)
        and not text.endswith("?")
        and ("->" in text or root(text) not in own)
        and not any(about_last(frozenset(((text, either),)), api) for either in (False, True))
        and not refuted(((text, not truth),), facts)
    )


def _let_go(assumed: Assumptions, api: Api) -> Iterator[str]:
    """The objects whose last reference goes where ``assumed`` holds, as paths of the pointers to them."""
    for text, truth in assumed:
        pattern = api.last_reference if truth else api.not_last_reference
        if (match := _COUNTED.fullmatch(text)) is not None and pattern.fullmatch(match.group(1)):
            yield match.group(2)


def _written_after(function: Function, stores: Set[str]) -> Iterator[tuple[int, str]]:
    """The lines of calls, and the pointers to what is always written to after them."""
    for block in function.blocks:
        written = set[str]()
        for node in reversed(block.nodes):
            target = written_by(node) or ""
            if isinstance(node, Call):
                if node.name in stores and node.args:
                    written.update(_pointers(node.args[0]))
                yield from ((node.line, pointer) for pointer in written)
            elif isinstance(node, Assign):
                written.update(_pointers(node.target))
            moved = {root(argument) for argument in node.args} if isinstance(node, Loop) else {target}
            written = {
                pointer
                for pointer in written
                if root(pointer) not in moved and not f"{pointer}->".startswith(f"{target}->")
            }


def _given_back(function: Function, api: Api) -> Iterator[tuple[int, str]]:
    """The lines of calls, and the pointers to what a reference was taken to right before, for a call that refused it.

    As in ``kref_get(&a->ref); if (!queue_work(q, &a->work)) kref_put(&a->ref, release);``.
    """
    ways: dict[int, list[str]] = defaultdict(list)
    for block in function.blocks:
        taken, asked = _taken_for(block, api)
        for edge in block.edges:
            ways[edge.target].append(taken if any(literal.left == asked for literal in edge.literals) else "")
    for number, before in ways.items():
        first = next(iter(function.blocks[number].nodes), None)
        of = _object(first) if isinstance(first, Call) else ""
        if first is not None and of and set(before) == {of}:
            yield first.line, of


def _taken_for(block: Block, api: Api) -> tuple[str, str | None]:
    """To what ``block`` takes a reference for its last call, and what that has answered."""
    if len(block.nodes) < _CALLS:
        return "", None
    taking, last = block.nodes[-_CALLS:]
    if isinstance(taking, Call) and isinstance(last, Call) and api.raises_reference.fullmatch(taking.name):
        return _object(taking), last.result
    return "", None


def _object(node: Call) -> str:
    """The pointer to the object that a call is given first, or a member of it."""
    path = node.args[0] if node.args else ""
    return path[1:].rpartition("->")[0] if path.startswith("&") else path


def _pointers(path: str) -> Iterator[str]:
    """The pointers that an access to ``path`` goes through: ``a`` and ``a->b`` for ``a->b->c``."""
    parts = path.split("->")
    yield from ("->".join(parts[:count]) for count in range(1, len(parts)))


def _guarded(function: Function, names: Set[str]) -> Iterator[int]:
    """The lines of calls of ``names`` to which every way leads through a condition on a member."""
    called = {block: node.line for block, node in placed_calls(function) if node.name in names}
    if not called:
        return
    free = {
        edge.target
        for block in function.blocks
        for edge in block.edges
        if not any("->" in literal.left for literal in edge.literals)
    }
    yield from (line for number, line in called.items() if number and number not in free)


def _asked_for(function: Function, pattern: re.Pattern[str]) -> Iterator[str]:
    """What holds the answers of calls and members whose name matches ``pattern``, as facts call it."""
    for block in function.blocks:
        for node in block.nodes:
            if isinstance(node, Call) and pattern.fullmatch(node.name):
                yield f"{node.name}({','.join(node.args)})"
                if node.result:
                    yield node.result
        for edge in block.edges:
            yield from (each.left for each in edge.literals if pattern.fullmatch(last_member(each.left)))


def _marked(function: Function) -> Iterator[str]:
    """The members that the function sets to a constant other than 0."""
    for node in function.nodes():
        if isinstance(node, Assign) and "->" in node.target and value_of({}, node.value) not in (None, 0):
            yield node.target


def _set_once(function: Function, stores: Set[str]) -> frozenset[str]:
    """The global flags that the function sets and never clears, and what it sets where it has found nothing in it."""
    own = {*function.params, *function.locals}
    assigned = [node for node in function.nodes() if isinstance(node, Assign)]
    missed = _set_where_missed(function, stores, lambda name: name.isidentifier() and name not in own)
    cleared = {node.target for node in assigned if value_of({}, node.value) in (None, 0)} - missed
    flags = {node.target for node in assigned if node.target.isidentifier()} - cleared - own
    copies = {node.target for node in assigned if node.value in missed and node.target in function.locals}
    return frozenset(flags | missed | copies)


def set_where_missed(function: Function, stores: Set[str]) -> frozenset[str]:
    """The members that the function only sets where it has found nothing in them: it leaves all others alone.

    Where one is empty behind that, nothing was in it when the function was called. The paths of others with the same
    last member may mean the same memory: none of them is set.
    """
    found = _set_where_missed(function, stores, lambda name: "->" in name)
    if not found:
        return found
    paths: dict[str, set[str]] = defaultdict(set)
    for name, _, _ in stored(function.nodes(), stores):
        if split_member(name) is not None:
            paths[last_member(name)].add(name)
    return frozenset(name for name in found if paths[last_member(name)] == {name})


def _set_where_missed(function: Function, stores: Set[str], is_meant: Callable[[str], bool]) -> frozenset[str]:
    """What is assigned to only in blocks to which every way leads through the answer that it is empty.

    That may be asked of a copy: ``if (!own) { own = make(); smp_store_release(&global, own); }``.
    """
    sets = {
        number: {(name, value) for name, value, _ in stored(block.nodes, stores) if is_meant(name)}
        for number, block in enumerate(function.blocks)
    }
    if not any(sets.values()):
        return frozenset()
    ways: dict[int, list[tuple[Literal, ...]]] = defaultdict(list)
    for block in function.blocks:
        for edge in block.edges:
            ways[edge.target].append(edge.literals)
    found, others = set[str](), set[str]()
    for number, put in sets.items():
        for name, value in put:
            missed = bool(ways[number]) and all(
                any(_is_missing(literal, name) or _is_missing(literal, value) for literal in way)
                for way in ways[number]
            )
            (found if missed else others).add(name)
    return frozenset(found - others)


def _is_missing(literal: Literal, name: str) -> bool:
    """Whether ``literal`` says that the variable ``name`` holds nothing."""
    return literal.left == name and literal.right == 0 and (literal.operator == "==") == literal.holds
