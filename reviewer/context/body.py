# SPDX-License-Identifier: GPL-2.0-or-later
"""What a function's text tells about it, the same however often its paths are followed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, partial
from typing import TYPE_CHECKING

from reviewer.context.annotations import is_noinstr
from reviewer.context.asserted import asserted_at_times
from reviewer.context.assumptions import Changed, becomes, copied, pointed, written
from reviewer.context.choices import Choices
from reviewer.context.cleared import Cleared
from reviewer.context.conjunctions import conjunctions
from reviewer.context.contexttests import ContextTests
from reviewer.context.cursors import Cursors
from reviewer.context.deferred import Deferred
from reviewer.context.entry import has_no_user
from reviewer.context.filled import Filled
from reviewer.context.graceperiod import GracePeriods
from reviewer.context.handover import HandOver
from reviewer.context.instrumented import Instrumented
from reviewer.context.irqflags import kept_to_itself
from reviewer.context.locks import canonical, handed_out, releases
from reviewer.context.made import marked
from reviewer.context.once import Once, set_where_missed
from reviewer.context.otherwise import otherwise
from reviewer.context.outlasting import Outlasting
from reviewer.context.ownreferences import OwnReferences
from reviewer.context.percpu import PerCpu
from reviewer.context.pointers import Pointers
from reviewer.context.ranges import never_taken
from reviewer.context.reached import NOTHING, Reached, Told, reached
from reviewer.context.references import References
from reviewer.context.saved import Saved
from reviewer.context.subjects import Subjects
from reviewer.context.tables import Api
from reviewer.context.temporaries import last_read
from reviewer.context.transitions import Transitions
from reviewer.context.watch import Watcher
from reviewer.source.cfg import Call, Function, reverse_postorder, written_by
from reviewer.source.expression import last_member, split_member

if TYPE_CHECKING:
    from reviewer.context.analysis import Analyser

_WATCHERS: tuple[type[Watcher], ...] = (
    Pointers,
    GracePeriods,
    PerCpu,
    ContextTests,
    Instrumented,
    Transitions,
    Saved,
    HandOver,
)


class Body:
    """One function as the analysis of its paths asks for it.

    ``rank`` gives the blocks in the order in which they are followed, ``watchers`` what is to be watched on the way.
    What many functions never ask for, as those that come to nothing, is worked out when it is asked for.
    """

    def __init__(self, analyser: Analyser, function: Function) -> None:
        api = analyser.api
        self._analyser = analyser
        self._function = function
        self._reached: dict[tuple[int, str, tuple[str, ...]], Reached] = {}
        self._told: dict[tuple[int, str, tuple[str, ...]], Told] = {}
        subjects = Subjects(function)
        self.conditions = subjects.conditions
        self.decided_by_number = subjects.decided_by_number
        self.noinstr = is_noinstr(function)
        self.cursors = Cursors(analyser.program, function, analyser.api.listed)
        self.cleared = Cleared(analyser, function)
        self.once = Once(function, api)
        self.last_read = last_read(function, self.once.asked)
        self.references = References(analyser, function)
        self.own_references = OwnReferences(analyser, function)
        self.outlasting = Outlasting(analyser, function)
        self.never_taken = never_taken(function)
        self.conjunctions = conjunctions(function)
        self.otherwise = otherwise(function, api.converts)
        self.rank = {block: position for position, block in enumerate(reverse_postorder(function))}
        self.watchers = tuple(watcher for watcher in _WATCHERS if watcher.matter(function, api))

    # Locks and flags

    @cached_property
    def handed_out(self) -> dict[str, str]:
        """The local variables that are stored for the caller, see ``locks.handed_out``."""
        return handed_out(self._function)

    @cached_property
    def released(self) -> frozenset[str]:
        """The locks that the function itself lets go of somewhere."""
        function = self._function
        return frozenset(canonical(function, lock) for lock, _ in releases(function, self._analyser.api))

    @cached_property
    def lowered(self) -> frozenset[str]:
        """The counters that it lowers itself."""
        return frozenset(counters_lowered(self._function, self._analyser.api))

    @cached_property
    def own_flags(self) -> frozenset[str]:
        """The variables in which it saves the flags for itself, see ``irqflags.kept_to_itself``."""
        return kept_to_itself(self._function, self._analyser.api)

    # What decides whether something happens

    @cached_property
    def asserted_at_times(self) -> frozenset[str]:
        """The locks that are asserted on some ways and not on others."""
        return asserted_at_times(self._function, self._analyser.api)

    @cached_property
    def filled(self) -> Filled:
        """What the members of its objects are set to."""
        return Filled(self._function)

    @cached_property
    def choices(self) -> Choices:
        """Where it takes one lock or another."""
        return Choices(self._function, self._analyser.api)

    @cached_property
    def deferred(self) -> Deferred:
        """What it leaves to a callback for some objects."""
        program, path = self._analyser.program, self._function.path
        return Deferred(self._function, self._analyser.api, partial(program.own_functions, path))

    @cached_property
    def written(self) -> frozenset[str]:
        """The last members of what it puts something into, see ``assumptions.written``."""
        return written(self._function, self._analyser.api.stores)

    @cached_property
    def changed(self) -> Changed:
        """What it leaves otherwise than its caller had it."""
        return Changed(self.written, set_where_missed(self._function, self._analyser.api.stores))

    @cached_property
    def exchanged(self) -> frozenset[str]:
        """The members that it gives another value, whatever that is."""
        targets = (written_by(node) for node in self._function.nodes())
        return frozenset(last_member(target) for target in targets if target and split_member(target) is not None)

    @cached_property
    def becomes(self) -> dict[str, int]:
        """What members are set to, and the first line that does so."""
        return becomes(self._function, self._analyser.api.stores)

    @cached_property
    def copied(self) -> dict[str, str]:
        """The members that it sets to what a call that only looks has seen."""
        analyser, function = self._analyser, self._function
        return copied(function, lambda name: analyser.only_looks(name, function.path))

    @cached_property
    def pointed(self) -> dict[str, str]:
        """The variables that are what a parameter points to, see ``assumptions.pointed``."""
        return pointed(self._function)

    @cached_property
    def marked(self) -> dict[int, frozenset[int]]:
        """The lines that run only for objects of which a member says something, see ``made.marked``."""
        return marked(self._function)

    @cached_property
    def has_no_user(self) -> bool:
        """Whether the function runs where there is no user's memory."""
        return has_no_user(self._analyser.program, self._analyser.api, self._function)

    def reached(self, node: Call) -> Reached:
        """What a call reaches, as the summaries of its callees say now; it is found out again where they change.

        Nothing where the tables have nobody look into what it calls.
        """
        if not self._analyser.is_followed(node, self._function):
            return NOTHING
        key = (node.line, node.name, node.args)
        found = self._reached.get(key)
        if found is None or any(self._analyser.summary(one.function) is not one.summary for one in found.callees):
            told = self._told.setdefault(key, {}) if self._analyser.is_open(self._function) else None
            found = self._reached[key] = reached(self._analyser, self._function, node, told)
        return found


def counters_lowered(function: Function, api: Api) -> Iterator[str]:
    """The counters that ``function`` itself lowers."""
    for node in function.calls():
        yield from (name for name, change in api.counters.get(node.name, {}).items() if change < 0)
