# SPDX-License-Identifier: GPL-2.0-or-later
"""Two locks taken in one order here and in the other order by other code."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from reviewer.context.acquire import WAIT
from reviewer.context.effects import Analysis, Edge, Event, EventKind
from reviewer.context.schema import LockClass
from reviewer.model import Step
from reviewer.source.cfg import Call, Function

if TYPE_CHECKING:
    from reviewer.context.analysis import Analyser

_IDENTIFIER = re.compile(rb"[A-Za-z_]\w*")
_ITEM = re.compile(r"^- (.*?)(?=\n\s*\n|\n- |\Z)", re.MULTILINE | re.DOTALL)
_LOCK = r"\w[\w>-]*(?:\.\w[\w>-]*)*(?:\(\))?"
_OUTSIDE = re.compile(rf"({_LOCK}) is taken outside ({_LOCK}(?: and {_LOCK})*)")
_COMMENT = re.compile(rb"/\*.*?\*/", re.DOTALL)
_CHAIN = re.compile(r"\w+(?:->\w+)+(?: --> \w+(?:->\w+)+)+")
_SETS_UP = re.compile(r"(?:^|_)init(?:_|$)")
_WAITS = frozenset((WAIT,))
_MOST_FILES = 4
_MOST_FUNCTIONS = 40


class Reverse(NamedTuple):
    """A function that takes the two locks the other way round, and its edge."""

    function: Function
    edge: Edge

    @property
    def steps(self) -> tuple[Step, ...]:
        """Where it takes the one and then the other."""
        _, line, call = self.edge.where
        first = (Step(self.function.path, line, self.function.name, f"{call} <- the other way round"),) if line else ()
        return (*first, *self.edge.acquisition.steps)


class Stated(NamedTuple):
    """A sentence of a document: the lock of class ``outer`` is taken outside that of class ``inner``."""

    outer: str
    inner: str
    document: str
    sentence: str


def stated(text: bytes) -> Iterator[tuple[str, str, str]]:
    """(outer lock, inner lock, sentence) of each item of a list that says which lock is taken outside which."""
    for item in _ITEM.findall(text.decode("utf-8", "replace")):
        match = _OUTSIDE.match(" ".join(item.split()).replace("`", ""))
        if match is not None:
            for inner in match.group(2).split(" and "):
                yield match.group(1), inner, match.group()


def stated_in_comments(text: bytes) -> Iterator[tuple[str, str, str]]:
    """The same of the comments of C text: ``a->lock is taken outside b->lock``, ``a->lock --> b->lock``."""
    for comment in _COMMENT.findall(text):
        if b" is taken outside " not in comment and b" --> " not in comment:
            continue
        for line in comment.decode("utf-8", "replace").split("\n"):
            match = _OUTSIDE.search(line)
            if match is not None:
                yield from ((match.group(1), inner, match.group()) for inner in match.group(2).split(" and "))
            chain = _CHAIN.search(line)
            names = chain.group().split(" --> ") if chain is not None else []
            yield from ((outer, inner, f"{outer} --> {inner}") for outer, inner in itertools.pairwise(names))


class Orders:
    """The orders in which the functions of a program take locks, asked for two classes at a time."""

    def __init__(self, analyser: Analyser) -> None:
        self._analyser = analyser
        self._found: dict[tuple[str, str, str], Reverse | None] = {}
        self._documents: dict[str, tuple[Stated, ...]] = {}
        self._words: dict[str, dict[str, frozenset[bytes]]] = {}
        # Whoever waits for readers of an srcu_struct waits for the locks that they take inside.
        self._readers = frozenset(kind for kind, known in analyser.api.classes.items() if known is LockClass.READER)

    def against_documents(self, function: Function, analysis: Analysis) -> Iterator[Event]:
        """An event for each pair of locks of ``function`` that a document wants taken in the other order."""
        wanted = self._stated(function.path) if analysis.edges else ()
        shared = self._analyser.api.kinds.shared
        for edge in analysis.edges.values() if wanted else ():
            # A reader waits for a writer that waits for another reader: an order that is stated holds for readers too.
            held, taken = self._classes(function, edge, shared, shared)
            for rule in wanted:
                if held and (rule.outer, rule.inner) == (taken, held):
                    detail = (_short(held), _short(taken), rule.document, rule.sentence)
                    yield Event.of_edge(EventKind.DOCUMENTED_ORDER, function, edge, detail)

    def _stated(self, user: str) -> tuple[Stated, ...]:
        if user not in self._documents:
            program = self._analyser.program
            said: list[tuple[str, Mapping[str, str], tuple[str, str, str]]]
            said = [(user, {}, each) for each in stated_in_comments(program.files.read(user) or b"")]
            for order in self._analyser.api.orders:
                text = program.files.read(order.document) if user.startswith(order.folders) else None
                said += [(order.document, order.types, each) for each in stated(text or b"")]
            found: list[Stated] = []
            for document, types, (outer, inner, sentence) in said:
                first, second = (self._meant(name, types, user) for name in (outer, inner))
                if first is not None and second is not None:
                    found.append(Stated(first, second, document, sentence))
            self._documents[user] = tuple(found)
        return self._documents[user]

    def _meant(self, name: str, types: Mapping[str, str], user: str) -> str | None:
        """The class of the lock that a text means, which may call it by the function that takes it."""
        if not name.endswith("()"):
            return self._analyser.program.lock_of_type(name, types, user)
        call = self._analyser.api.locks.get(name.removesuffix("()"))
        return call.name if call is not None and call.name in self._analyser.api.named_locks else None

    def inversions(self, function: Function, analysis: Analysis) -> Iterator[Event]:
        """An event for each pair of locks of ``function`` that another function takes in the other order."""
        for edge in analysis.edges.values():
            held, taken = self._classes(function, edge, self._readers, _WAITS)
            if not held or not taken or held == taken:
                continue
            in_reader = edge.held.kind in self._readers
            reverse = self._reverse(held, taken, function, edge, in_reader=in_reader)
            if reverse is None:
                continue
            waits = in_reader or edge.acquisition.kind == WAIT
            kind = EventKind.READER_ORDER if waits else EventKind.LOCK_ORDER
            detail = (_short(held), _short(taken), reverse.function.name, "reader" if in_reader else "")
            yield Event.of_edge(kind, function, edge, detail, further=reverse.steps)

    def _classes(self, function: Function, edge: Edge, held: frozenset[str], taken: frozenset[str]) -> tuple[str, str]:
        """The classes of the two locks of an edge; empty where one is not clear.

        It is empty too where one of them is neither exclusive nor of the kinds that are given: by itself a lock that
        several can hold at once does not make others wait.
        """
        exclusive = self._analyser.api.kinds.exclusive
        if edge.held.kind not in exclusive | held or edge.acquisition.kind not in exclusive | taken:
            return "", ""
        expression = edge.held.expression
        if expression in self._analyser.api.named_locks:
            return expression, edge.acquisition.lock_class
        return self._analyser.program.lock_class(expression, function) or "", edge.acquisition.lock_class

    def _are_compatible(self, function: Function, edge: Edge, reverse: Reverse) -> bool:
        """Whether the two orders do no harm."""
        return _nested(function, edge, reverse) or self._are_apart(function, edge, reverse)

    def _are_apart(self, function: Function, edge: Edge, reverse: Reverse) -> bool:
        """Whether the two are about locks of two files, each of which sets up its own.

        The place where a lock is set up is its class to lockdep (include/linux/spinlock.h, spin_lock_init()). One of
        the two has to have asked of which type the object is.
        """
        chosen = [(function, lock) for lock in edge.chosen] + [(reverse.function, lock) for lock in reverse.edge.chosen]
        files = {function.path, reverse.function.path}
        objects = [self._analyser.set_ups.object_of(lock, user) for user, lock in chosen if len(files) > 1]
        return any(all(self._sets_up(path, of) for path in files) for of in objects if of)

    def _sets_up(self, path: str, of: str) -> bool:
        """Whether the lock ``of`` is set up in the file ``path``."""
        uses = self._analyser.set_ups.uses(of, path)
        return any(
            each.path == path and isinstance(node, Call) and _SETS_UP.search(node.name) is not None
            for each, node in uses
        )

    def _reverse(self, held: str, taken: str, user: Function, edge: Edge, *, in_reader: bool) -> Reverse | None:
        folder = posixpath.dirname(user.path)
        key = (held, taken, folder)
        words = sorted(self._analyser.api.waits_for_readers) if in_reader else [_member(held)]
        if key not in self._found:
            self._found[key] = next(self._all(held, taken, user, words), None)
        found = self._found[key]
        if found is not None and self._are_compatible(user, edge, found):
            others = self._all(held, taken, user, words)
            found = next((other for other in others if not self._are_compatible(user, edge, other)), None)
        return found if found is not None and found.function != user else None

    def _all(self, held: str, taken: str, user: Function, words: list[str]) -> Iterator[Reverse]:
        return (reverse for inner in words for reverse in self._search(held, taken, user, inner))

    def _search(self, held: str, taken: str, user: Function, inner: str) -> Iterator[Reverse]:
        """Functions of the folder that take a lock of class ``held`` while they hold one of class ``taken``.

        ``inner`` is the word by which they are known to take it.
        """
        outer = _member(taken)
        for path in self.paths(outer, inner, user.path):
            text = self._analyser.program.text(path) or b""
            if has_own_classes(text, outer) or has_own_classes(text, inner):
                return
            for name in self._candidates(path, outer, inner):
                for function in self._analyser.program.functions(path, name):
                    for edge in self._analyser.analyse(function).edges.values():
                        if self._classes(function, edge, self._readers, _WAITS) == (taken, held):
                            yield Reverse(function, edge)

    def words(self, path: str) -> dict[str, frozenset[bytes]]:
        """The identifiers that each function of a file uses."""
        if path not in self._words:
            lines = (self._analyser.program.text(path) or b"").split(b"\n")
            self._words[path] = {
                extent.name: frozenset(_IDENTIFIER.findall(b"\n".join(lines[extent.line - 1 : extent.end])))
                for extent in self._analyser.program.extents(path)
            }
        return self._words[path]

    def _candidates(self, path: str, outer: str, inner: str) -> list[str]:
        """The functions of a file that use both words, or call functions of the file that do."""
        words = self.words(path)
        reaching = []
        for word in (outer.encode(), inner.encode()):
            own = {name.encode() for name, used in words.items() if word in used}
            reaching.append({name for name, used in words.items() if word in used or used & own})
        return sorted(reaching[0] & reaching[1])[:_MOST_FUNCTIONS]

    def paths(self, outer: str, inner: str, user: str) -> list[str]:
        """The files of the user's folder that say both words, its own first."""
        folder = posixpath.dirname(user)
        found: set[str] = set()
        if folder:
            program = self._analyser.program
            found = set(program.mentions_below(folder, outer)) & set(program.mentions_below(folder, inner))
        near = sorted(path for path in found if path != user and posixpath.dirname(path) == folder)
        return [user, *near[: _MOST_FILES - 1]]


def _nested(function: Function, edge: Edge, reverse: Reverse) -> bool:
    """Whether the two are one way through the code: ``a``, inside it ``b``, inside that the ``a`` of another object.

    Then ``b`` is taken at one place for both, and who comes there without the first ``a`` does not take that one.
    """
    steps, others = edge.acquisition.steps[-1], reverse.edge.acquisition.steps[-1]
    return (steps.path, steps.line) == (reverse.function.path, reverse.edge.where[1]) or (
        (others.path, others.line) == (function.path, edge.where[1])
    )


def _member(lock_class: str) -> str:
    return lock_class.rpartition(":")[2].rpartition(".")[2]


def _short(lock_class: str) -> str:
    return lock_class.rpartition(":")[2]


def has_own_classes(text: bytes, name: str) -> bool:
    """Whether instances of the lock are told apart by hand, so that the declaration is not the class."""
    return bool(
        re.search(rb"\blockdep_set_(?:class|subclass)\w*\s*\([^;]{0,200}\b" + re.escape(name.encode()) + rb"\b", text)
    )
