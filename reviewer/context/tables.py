# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel API as the analysis knows it: what the TOML tables beside the checks say, in the form that it asks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from reviewer.context.schema import EntryKind, LockClass, Watching


class Operation(StrEnum):
    """What a lock primitive does."""

    ACQUIRE = "acquire"
    RELEASE = "release"
    TRY = "try"
    TRY_ZERO = "try_zero"
    DOWNGRADE = "downgrade"


@dataclass(frozen=True, slots=True)
class LockCall:
    """A lock primitive. ``suffix`` is ``""``, ``irq``, ``irqsave`` or ``bh``; ``argument`` is 0-based.

    ``name`` is the lock of a call that names none itself, ``P0`` standing for its first argument; else empty.
    """

    operation: Operation
    kind: str
    suffix: str
    argument: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Registration:
    """A call that hands over a function to be called in context ``kind``.

    ``position`` is where by call: the function itself, or an object that has it in ``member``. The first pattern of
    ``flagged`` that matches a whole word of the argument at ``flags_at`` decides otherwise. ``holds`` is a global lock
    that is held meanwhile. In a file that says one of the words ``unless`` the context may be another one. Where there
    is a word ``no_user`` there is no memory of a user either, in a file that does not say it. What it sets up runs when
    one of ``started_by`` is given the object, and those of ``stopped_by`` do no more than to stop it or to ask for it.
    """

    position: Mapping[str, int]
    member: str
    kind: EntryKind
    flags_at: Mapping[str, int]
    flagged: tuple[tuple[re.Pattern[str], EntryKind], ...]
    holds: str = ""
    unless: tuple[str, ...] = ()
    no_user: str = ""
    started_by: frozenset[str] = frozenset()
    stopped_by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a structure of operations that is called in context ``kind``.

    With ``assigned`` its name says it all. ``unless`` is a word with which a file says that it may sleep there. In an
    array the name of the element, ``[NAME] = { ... }``, decides where it matches one of ``indexed``. ``holds`` is the
    global lock that is held.
    """

    kind: EntryKind
    assigned: bool
    unless: str
    indexed: tuple[tuple[re.Pattern[str], EntryKind], ...] = ()
    holds: str = ""


@dataclass(frozen=True, slots=True)
class Role:
    """What files that are built only with ``option`` put into ``member`` is called by those that say a word of ``by``.

    Who says a word of ``others`` and none of these does not call it.
    """

    member: str
    option: str
    by: tuple[str, ...]
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Demands:
    """What calls demand of their context (requires.toml): name to the position of the argument that says it.

    ``asserted`` says as what an asserted lock is held: a kind of locks, or ``writing`` or ``any`` where its declaration
    is asked for the kind. ``denied`` are asserts that a lock is not held. ``fixed`` maps asserts without an argument,
    ``named`` the functions that take a lock without one, to the lock. ``tests`` maps the functions that a condition is
    made of to the kind of need. ``takers`` may return with something held that is not in the tables. ``roots`` are
    members of structures through which user space enters, with the lock that is held then, if any.
    """

    held: Mapping[str, int]
    exclusive: Mapping[str, int]
    asserted: Mapping[str, str]
    denied: frozenset[str]
    condition: Mapping[str, int]
    violated: Mapping[str, int]
    reader: Mapping[str, int]
    walk: Mapping[str, int]
    srcu: Mapping[str, int]
    fixed: Mapping[str, str]
    named: Mapping[str, str]
    tests: Mapping[str, str]
    context: Mapping[str, str]
    wrappers: re.Pattern[str]
    takers: re.Pattern[str]
    roots: Mapping[str, str]

    def asserts(self, name: str) -> bool:
        """Whether ``name`` itself says what it demands."""
        tables = (self.held, self.exclusive, self.condition, self.violated, self.reader, self.walk, self.srcu)
        return name in self.context or name in self.fixed or any(name in table for table in tables)


@dataclass(frozen=True, slots=True)
class Transitions:
    """Calls that enter and leave contexts in which RCU may not watch.

    ``by_hand`` are for code below the paths ``core`` and for functions that have asked by ``asks``; of these ``enters``
    begin and ``leaves`` end what cannot schedule. Nothing comes after those of ``last``. ``readers`` and ``traces`` are
    patterns of what needs RCU. ``deprecated`` maps a call to its successors, of which the first has to be in the tree.
    With ``guest`` the way into a guest begins, on which none of the locks ``not_into_guest``, by class, is held.
    """

    by_hand: frozenset[str]
    asks: frozenset[str]
    enters: frozenset[str]
    leaves: frozenset[str]
    core: tuple[str, ...]
    last: frozenset[str]
    readers: re.Pattern[str]
    traces: re.Pattern[str]
    deprecated: Mapping[str, str]
    guest: frozenset[str]
    not_into_guest: frozenset[str]


@dataclass(frozen=True, slots=True)
class HrTimerCalls:
    """Calls on hrtimers: those that set one up and that start it, with the position of the mode; those that wait."""

    set_up: Mapping[str, int]
    start: Mapping[str, int]
    wait: frozenset[str]


@dataclass(frozen=True, slots=True)
class DeclaredCalls:
    """Calls that sleep only for objects that one of ``words`` has declared to be of some kind.

    Who has a ``structure`` of operations of his own declares his own objects.
    """

    calls: frozenset[str]
    structure: str
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Members of ``structure`` that are called around something: ``begins`` before it, ``ends`` after it.

    The holders of the locks ``never``, by their last member, wait until it has ended.
    """

    structure: str
    begins: str
    ends: str
    never: frozenset[str]


@dataclass(frozen=True, slots=True)
class OrderDocument:
    """A document that says which lock is taken outside which, for code below ``folders``.

    ``types`` are the structures that it means by the name of a variable.
    """

    document: str
    folders: tuple[str, ...]
    types: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LockKinds:
    """What is said of kinds of locks, the sections of locks.toml; see there.

    ``titles`` are what they are called, ``writers`` gives for a kind of readers the kind of the writers.
    """

    titles: Mapping[str, str]
    exclusive: frozenset[str]
    shared: frozenset[str]
    fair: frozenset[str]
    handed_on: frozenset[str]
    writers: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class LockTables:
    """locks.toml: lock primitives, guards and types of locks, with the kind that each has.

    ``classes`` says how a kind behaves. ``locks_inside`` are calls that take a lock and release it before they return,
    as (kind, lock), ``lock_guards`` guard classes as (kind, suffix). ``named_locks`` are global locks that primitives
    take without being given them. ``downgraded`` is the kind as which a lock is held after a downgrade.
    """

    classes: Mapping[str, LockClass]
    kinds: LockKinds
    types: Mapping[str, str]
    locks: Mapping[str, LockCall]
    named_locks: frozenset[str]
    waits_for_readers: frozenset[str]
    locks_inside: Mapping[str, tuple[str, str]]
    lock_guards: Mapping[str, tuple[str, str]]
    downgraded: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class ContextTables:
    """context.toml: what changes the context without being a lock, and what asks about it.

    ``counters`` and ``counter_guards`` give by how much a call moves each counter; ``irq``, ``predicates``,
    ``error_pointers`` and ``eqs`` map a name to the key under which it stands. ``irq_untraced`` enable interrupts and
    tell nobody. ``alone`` maps a variable to the value that it has once more than one task runs, ``raised_in_panic``
    are those that are not zero in a panic. ``elsewhere`` are the names that mean something else below a folder.
    ``exclusive_questions`` are for each question those of which none is answered yes where it is, ``steady`` those that
    get the same answer each time.
    """

    counters: Mapping[str, Mapping[str, int]]
    counter_guards: Mapping[str, Mapping[str, int]]
    irq: Mapping[str, str]
    irq_guards: frozenset[str]
    irq_untraced: frozenset[str]
    eqs: Mapping[str, Watching]
    transitions: Transitions
    callbacks: tuple[Callbacks, ...]
    predicates: Mapping[str, str]
    error_pointers: Mapping[str, str]
    claims: frozenset[str]
    quiet: re.Pattern[str]
    taken_out: frozenset[str]
    listed: frozenset[str]
    stores: frozenset[str]
    clears: frozenset[str]
    converts: frozenset[str]
    alone: Mapping[str, str]
    raised_in_panic: frozenset[str]
    exclusive_questions: Mapping[str, tuple[str, ...]]
    steady: frozenset[str]
    task_set: frozenset[str]
    task_running: frozenset[str]
    orders: tuple[OrderDocument, ...]
    elsewhere: Mapping[str, frozenset[str]]


@dataclass(frozen=True, kw_only=True)
class EffectTables:
    """effects.toml: what a call does that its context may forbid.

    Positions of arguments are 0-based: of the gfp mask in ``allocators`` (those of ``optional_gfp`` may leave it
    out), of the lock in ``drops_lock`` and ``drops_queue_lock``, of the time in ``sleeps_between``, of the
    srcu_struct in ``srcu_pointers``; ``rcu_iterators`` gives the number of arguments. ``sleeps_not_at_restart``
    does not where the system restarts. ``sleeps_unless`` maps a call to the word with which a driver says that it
    does not sleep. ``for_readers`` maps what changes a list to what does so while others read it.
    ``takes_reference`` may keep an object alive longer, ``keeps`` does unless it is about to go. ``gfp_decides`` is
    the bit of a mask that lets allocators sleep. ``makes`` gives an object that nobody else has; ``gives_back``
    lets go of what ``raises_reference`` took. ``handed_on`` are last members of locks that callees let go of and
    say so in what they return. What ``opaque`` matches is never looked into.
    """

    sleeps: frozenset[str]
    sleep_pattern: re.Pattern[str]
    sleeps_unless: Mapping[str, str]
    sleeps_declared: DeclaredCalls
    user_access: frozenset[str]
    others_user: frozenset[str]
    kernel_iterators: frozenset[str]
    drops_lock: Mapping[str, int]
    drops_queue_lock: Mapping[str, int]
    sleeps_between: Mapping[str, int]
    sleeps_if: frozenset[str]
    sleeps_preempt_disabled: frozenset[str]
    sleeps_voluntarily: frozenset[str]
    sleeps_not_at_restart: frozenset[str]
    waits_for_handlers: frozenset[str]
    hrtimers: HrTimerCalls
    allocators: Mapping[str, int]
    optional_gfp: frozenset[str]
    frees: frozenset[str]
    frees_at_once: frozenset[str]
    blocking_gfp: frozenset[str]
    atomic_gfp: frozenset[str]
    gfp_decides: str
    spinlock_takers: frozenset[str]
    irqsafe_owners: frozenset[str]
    seqcount_writers: frozenset[str]
    plain_seqcount: str
    lookup: re.Pattern[str]
    insert: re.Pattern[str]
    insert_checks: re.Pattern[str]
    remove: re.Pattern[str]
    handles_irq: frozenset[str]
    instrumented: re.Pattern[str]
    untraced_twins: tuple[str, ...]
    own_cpu: re.Pattern[str]
    cpu_pinned: str
    cpu_anywhere: tuple[str, ...]
    bound_to_cpu: re.Pattern[bytes]
    rcu_iterators: Mapping[str, int]
    rcu_pointers: re.Pattern[str]
    srcu_pointers: Mapping[str, int]
    rcu_frees: frozenset[str]
    unlinks: re.Pattern[str]
    asks_running: re.Pattern[str]
    of_cpu: re.Pattern[str]
    last_reference: re.Pattern[str]
    not_last_reference: re.Pattern[str]
    lowers_reference: re.Pattern[str]
    raises_reference: re.Pattern[str]
    gives_back: re.Pattern[str]
    makes: re.Pattern[str]
    keeps: re.Pattern[str]
    takes_reference: re.Pattern[str]
    for_readers: Mapping[str, str]
    handed_on: frozenset[str]
    opaque: re.Pattern[str]


@dataclass(frozen=True, kw_only=True)
class EntryTables:
    """entries.toml: what has a function called that nobody calls by name.

    ``definers`` are macros that define such a function, ``hands_over`` gives the positions at which a call of
    ``registrations`` is given one.
    """

    definers: Mapping[str, EntryKind]
    registrations: tuple[Registration, ...]
    hands_over: Mapping[str, frozenset[int]]


@dataclass(frozen=True, kw_only=True)
class MemberTables:
    """operations.toml: members of structures, ``structure.member``, by the context in which they are called.

    ``assigned`` are those that their own name tells, without the structure, ``positions`` those that an initialiser
    fills by position, ``structure_definers`` the macros that begin the definition of a structure. ``fields`` are the
    names of all members, ``allowing`` the words with which files say that a member may sleep. ``roles`` are by option.
    """

    members: Mapping[str, Member]
    fields: frozenset[str]
    allowing: frozenset[bytes]
    assigned: Mapping[str, tuple[str, Member]]
    positions: Mapping[tuple[str, int], Member]
    structure_definers: Mapping[str, str]
    roles: Mapping[str, Role]


@dataclass(frozen=True, kw_only=True)
class Api(LockTables, ContextTables, EffectTables, EntryTables, MemberTables):
    """Every table, in the form that the analysis asks; ``demands`` is requires.toml."""

    demands: Demands
    _known: dict[str, bool] = field(default_factory=dict, init=False, repr=False, compare=False)

    def sleeps_always(self, name: str) -> bool:
        """Whether ``name`` may sleep whatever its arguments are."""
        return name in self.sleeps or bool(self.sleep_pattern.fullmatch(name))

    def sleeps_by_name(self, name: str) -> bool:
        """Whether ``name`` is taken to sleep because it is called like what does."""
        return name not in self.sleeps and self.sleep_pattern.fullmatch(name) is not None

    def knows_guard(self, cls: str) -> bool:
        """Whether the tables say what a guard of ``cls`` does; ``__free:name`` is what frees with ``name``."""
        return (
            cls in self.lock_guards
            or cls in self.counter_guards
            or cls in self.irq_guards
            or cls.removeprefix("__free:") in self.frees
        )

    def is_primitive(self, name: str) -> bool:
        """Whether ``name`` is one of the calls that the context is made of: locks, counters, interrupts by hand."""
        return name in self.locks or name in self.counters or name in self.irq

    def fetches(self, name: str) -> bool:
        """Whether ``name`` fetches a pointer that readers of RCU or SRCU follow."""
        return name in self.srcu_pointers or self.rcu_pointers.fullmatch(name) is not None

    def is_known(self, name: str) -> bool:
        """Whether the tables say all there is to say about ``name``."""
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._knows(name)
        return known

    def _knows(self, name: str) -> bool:
        return (
            name in self.locks
            or name in self.counters
            or name in self.irq
            or name in self.eqs
            or name in self.allocators
            or name in self.frees
            or name in self.spinlock_takers
            or name in self.seqcount_writers
            or name in self.handles_irq
            or name in self.task_set
            or name in self.task_running
            or name in self.predicates
            or name in self.user_access
            or name in self.drops_lock
            or name in self.drops_queue_lock
            or name in self.sleeps_between
            or name in self.sleeps_if
            or name in self.sleeps_unless
            or name in self.sleeps_preempt_disabled
            or self.sleeps_always(name)
        )
