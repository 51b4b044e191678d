# SPDX-License-Identifier: GPL-2.0-or-later
"""What may stand in the TOML tables beside the checks: every key, and the type of its value.

Lists of names are strings of words, so that a table stays readable. A key that is not here is an error.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Annotated

import msgspec

Position = Annotated[int, msgspec.Meta(ge=0, le=20)]
"""The 0-based position of an argument."""
Positions = dict[str, Position]
Counters = dict[str, dict[str, int]]
COUNTERS = frozenset("preempt bh migrate pagefault kmap rcu instrumentation".split())
"""The fields of ``State`` that context.toml may move."""


class LockClass(StrEnum):
    """How a lock behaves (Documentation/locking/locktypes.rst; seqlock.rst for the writers of sequence counters)."""

    RAW = "raw"
    SPIN = "spin"
    LOCAL = "local"
    SLEEPING = "sleeping"
    READER = "reader"
    SEQCOUNT = "seqcount"


class EntryKind(StrEnum):
    """The context in which a function is entered that nobody calls by name; entries.toml says what each means."""

    TASK = "task"
    HARDIRQ = "hardirq"
    HARDIRQ_THREADED = "hardirq_threaded"
    SOFTIRQ = "softirq"
    NMI = "nmi"
    RAW_LOCK = "raw_lock"
    SPIN_LOCK = "spin_lock"
    IRQS_OFF = "irqs_off"
    RESTART = "restart"
    PREEMPT_OFF = "preempt_off"
    RCU_READER = "rcu_reader"
    PANIC = "panic"
    NONBLOCK = "nonblock"
    ALONE = "alone"
    ATOMIC = "atomic"


class Watching(IntEnum):
    """Whether RCU watches the processor, or in which extended quiescent state it is."""

    RESTORED = 0
    GUEST = 1
    IDLE = 2
    USER = 3
    WATCHING = 4


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class LockKind(_Table, frozen=True, forbid_unknown_fields=True):
    """One section of locks.toml.

    ``names`` gives the lock that a call without an argument of its own means, ``downgraded`` the kind of lock that is
    held after ``downgrade``. ``inside`` gives for a lock the calls that take it and let go of it before they return,
    ``waits`` names the calls that wait for the readers of what is given first. The other words stand at the head of the
    file.
    """

    class_: LockClass = msgspec.field(name="class")
    title: str
    exclusive: bool = False
    shared: bool = False
    fair: bool = False
    handed_on: bool = False
    writer: str = ""
    types: str = ""
    acquire: str = ""
    acquire_irq: str = ""
    acquire_irqsave: str = ""
    acquire_bh: str = ""
    try_: str = msgspec.field(name="try", default="")
    try_irq: str = ""
    try_irqsave: str = ""
    try_bh: str = ""
    try_zero: str = ""
    try_zero_irq: str = ""
    try_zero_irqsave: str = ""
    release: str = ""
    release_irq: str = ""
    release_irqrestore: str = ""
    release_bh: str = ""
    guards: str = ""
    guards_irq: str = ""
    guards_bh: str = ""
    downgrade: str = ""
    downgraded: str = ""
    argument: Positions = {}
    names: dict[str, str] = {}
    inside: dict[str, str] = {}
    waits: str = ""


class Irq(_Table, frozen=True, forbid_unknown_fields=True):
    """Interrupts by hand."""

    disable: str
    enable: str
    save: str
    restore: str
    asserted: str
    masked: str
    guards: str
    untraced: str


class Task(_Table, frozen=True, forbid_unknown_fields=True):
    """The state of the current task."""

    set: str
    running: str


class Eqs(_Table, frozen=True, forbid_unknown_fields=True):
    """Calls by what they make of RCU's watching; see ``Watching``. ``restored`` ones go back to the caller's state."""

    guest: str
    idle: str
    user: str
    watching: str
    restored: str


class Transitions(_Table, frozen=True, forbid_unknown_fields=True):
    """Entry and exit of contexts; see ``Transitions`` of the tables."""

    by_hand: str
    asks: str
    enters: str
    leaves: str
    core: str
    last: str
    readers: str
    traces: str
    guest: str
    not_into_guest: str
    deprecated: dict[str, str]


class Callbacks(_Table, frozen=True, forbid_unknown_fields=True):
    """Callbacks that come in pairs; see ``Callbacks`` of the tables."""

    structure: str
    begins: str
    ends: str
    never: str


class Predicates(_Table, frozen=True, forbid_unknown_fields=True):
    """Questions about the context; ``irqs`` and ``no_irqs`` about that of the code which was interrupted.

    ``interrupt`` are those of the questions for an atomic context that see interrupts alone, ``state`` give the state
    of the task.
    """

    atomic: str
    interrupt: str
    task: str
    gfp: str
    irqs: str
    no_irqs: str
    state: str


class Errors(_Table, frozen=True, forbid_unknown_fields=True):
    """Calls that make a pointer of an error number, read it and ask for one."""

    makes: str
    reads: str
    asks: str


class Stores(_Table, frozen=True, forbid_unknown_fields=True):
    """Calls that put their second argument into the first."""

    names: str


class Clears(_Table, frozen=True, forbid_unknown_fields=True):
    """Calls that fill the memory given first, of the size given third, with their second argument."""

    names: str


class Names(_Table, frozen=True, forbid_unknown_fields=True):
    """Names alone."""

    names: str


class TakenOut(_Table, frozen=True, forbid_unknown_fields=True):
    """Calls that take a pointer out of the variable that they are given first."""

    names: str


class Listed(_Table, frozen=True, forbid_unknown_fields=True):
    """Calls that give the object to which an element of a list belongs."""

    names: str


class Panic(_Table, frozen=True, forbid_unknown_fields=True):
    """Global variables that are not zero in a panic."""

    raised: str


class Questions(_Table, frozen=True, forbid_unknown_fields=True):
    """Groups of questions of which no two are answered yes for the same argument; those with the same answer always."""

    exclusive: list[str]
    steady: str


class Converts(_Table, frozen=True, forbid_unknown_fields=True):
    """Calls that give what they are given in another form, from which it can be had again."""

    names: str


class Orders(_Table, frozen=True, forbid_unknown_fields=True):
    """A document of lock order; see ``OrderDocument``."""

    document: str
    folders: list[str]
    types: dict[str, str]


class ContextTable(_Table, frozen=True, forbid_unknown_fields=True):
    """context.toml."""

    counters: Counters
    guards: Counters
    irq: Irq
    task: Task
    eqs: Eqs
    transitions: Transitions
    callbacks: list[Callbacks]
    predicates: Predicates
    claims: Names
    quiet: Pattern
    errors: Errors
    taken_out: TakenOut
    listed: Listed
    stores: Stores
    clears: Clears
    converts: Converts
    alone: dict[str, str]
    panic: Panic
    questions: Questions
    orders: list[Orders]
    elsewhere: dict[str, str]


class Waits(_Table, frozen=True, forbid_unknown_fields=True):
    """Calls that wait until the handler of the object that they are given first has ended."""

    handlers: str


class HrTimers(_Table, frozen=True, forbid_unknown_fields=True):
    """Calls on hrtimers; see ``HrTimerCalls``."""

    set_up: Positions
    start: Positions
    wait: str


class Declared(_Table, frozen=True, forbid_unknown_fields=True):
    """What sleeps for some objects only; see ``DeclaredCalls``."""

    calls: str
    structure: str
    words: str


class Sleeps(_Table, frozen=True, forbid_unknown_fields=True):
    """What may sleep."""

    always: dict[str, str]
    patterns: list[str]
    user: str
    others_user: str
    kernel_iterators: str
    drops_lock: Positions
    drops_queue_lock: Positions
    between_looks: Positions
    preempt_disabled: str
    voluntary: str
    not_at_restart: str
    conditional: str
    unless: dict[str, str]
    declared: Declared


class Spinlocks(_Table, frozen=True, forbid_unknown_fields=True):
    """What takes a spinlock_t without the word in its name."""

    names: str
    irqsafe: str


class Frees(_Table, frozen=True, forbid_unknown_fields=True):
    """What frees; after those of ``at_once`` the memory is anybody's."""

    names: str
    at_once: str


class Seqcounts(_Table, frozen=True, forbid_unknown_fields=True):
    """Calls that begin a write section, and the type of counters without a lock of their own."""

    writers: str
    plain: str


class Percpu(_Table, frozen=True, forbid_unknown_fields=True):
    """Patterns of what asks for the own CPU, and of what tells of code that runs on one only.

    Accesses named with the prefix ``pinned`` want a task that stays on its CPU, those with one of ``anywhere`` do not.
    """

    bound: str
    own: str
    pinned: str
    anywhere: str


class Handle(_Table, frozen=True, forbid_unknown_fields=True):
    """Calls that hand an interrupt on."""

    handle: str


class Patterns(_Table, frozen=True, forbid_unknown_fields=True):
    """Regular expressions of which one has to match a whole name."""

    patterns: list[str]


class Instrumented(_Table, frozen=True, forbid_unknown_fields=True):
    """Patterns of calls that can be traced, and how the name of another function for noinstr code is made of one."""

    patterns: list[str]
    twins: list[str]


class Offline(_Table, frozen=True, forbid_unknown_fields=True):
    """Patterns of calls that ask whether a CPU runs, and of those that give what is that CPU's own."""

    asked: str
    own: str


class Rcu(_Table, frozen=True, forbid_unknown_fields=True):
    """Iterators that want an RCU reader with the number of their arguments; patterns of what hands out pointers."""

    iterators: Positions
    pointers: str
    unlinks: str
    offline: Offline
    frees: str
    srcu_pointers: Positions
    last_reference: str
    not_last_reference: str
    lowers_reference: str
    raises_reference: str
    gives_back: str
    references: str
    for_readers: dict[str, str]
    makes: str
    keeps: str


class Gfp(_Table, frozen=True, forbid_unknown_fields=True):
    """gfp flags that let an allocator sleep, and those that do not. ``decides`` is the bit that decides it."""

    blocking: str
    atomic: str
    decides: str


class Decisions(_Table, frozen=True, forbid_unknown_fields=True):
    """Patterns of names: lookups, and what depends on their answer."""

    lookup: str
    insert: str
    insert_checks: str
    remove: str


class Members(_Table, frozen=True, forbid_unknown_fields=True):
    """The last members of locks that are handed on."""

    members: str


class EffectsTable(_Table, frozen=True, forbid_unknown_fields=True):
    """effects.toml."""

    sleeps: Sleeps
    waits: Waits
    hrtimers: HrTimers
    allocators: Positions
    optional_gfp: Positions
    frees: Frees
    spinlocks: Spinlocks
    seqcounts: Seqcounts
    percpu: Percpu
    interrupts: Handle
    instrumented: Instrumented
    rcu: Rcu
    gfp: Gfp
    decisions: Decisions
    handed_on: Members
    opaque: Patterns


class RegistrationEntry(_Table, frozen=True, forbid_unknown_fields=True):
    """A call that hands over functions; see ``Registration``."""

    function: Positions
    kind: EntryKind
    flags_at: Positions = {}
    flagged: dict[str, EntryKind] = {}
    holds: str = ""
    unless: str = ""
    no_user: str = ""
    started_by: str = ""
    stopped_by: str = ""


class ObjectEntry(_Table, frozen=True, forbid_unknown_fields=True):
    """A call that hands over an object with a function in ``member``; see ``Registration``."""

    member: str
    object: Positions
    kind: EntryKind
    flags_at: Positions = {}
    flagged: dict[str, EntryKind] = {}


class EntriesTable(_Table, frozen=True, forbid_unknown_fields=True):
    """entries.toml. ``definers`` has macros by kind."""

    definers: dict[EntryKind, str]
    registration: list[RegistrationEntry]
    object: list[ObjectEntry]


class Operations(_Table, frozen=True, forbid_unknown_fields=True):
    """Members of one structure that are called in the same context, and where the kernel says so."""

    structure: str
    members: str
    kind: EntryKind
    source: Annotated[str, msgspec.Meta(min_length=10)]
    assigned: bool = False
    definer: str = ""
    unless: str = ""
    position: Position | None = None
    indexed: dict[str, EntryKind] = {}
    holds: str = ""


class RoleEntry(_Table, frozen=True, forbid_unknown_fields=True):
    """A member whose functions not every provider calls, and where the kernel says so."""

    member: str
    option: str
    by: str
    others: str
    source: Annotated[str, msgspec.Meta(min_length=10)]


class OperationsTable(_Table, frozen=True, forbid_unknown_fields=True):
    """operations.toml."""

    operations: list[Operations]
    roles: list[RoleEntry]


class Tests(_Table, frozen=True, forbid_unknown_fields=True):
    """Tests of the context by what they ask for."""

    held: str
    anyone: str
    typed: str
    rcu: str
    srcu: str
    irqs: str


class Asserts(_Table, frozen=True, forbid_unknown_fields=True):
    """Asserts without an argument."""

    irqs: str
    preempt: str


class Denied(_Table, frozen=True, forbid_unknown_fields=True):
    """Asserts that a lock is not held."""

    names: str


class Pattern(_Table, frozen=True, forbid_unknown_fields=True):
    """A pattern of names."""

    pattern: str


_Places = dict[str, Annotated[int, msgspec.Meta(ge=-1, le=20)]]


class Roots(_Table, frozen=True, forbid_unknown_fields=True):
    """Members of structures through which user space enters, and the lock that is held in some of them."""

    members: str
    holds: dict[str, str]


class RequiresTable(_Table, frozen=True, forbid_unknown_fields=True):
    """requires.toml; see ``Demands``."""

    held: Positions
    exclusive: Positions
    asserted: dict[str, str]
    denied: Denied
    condition: Positions
    violated: Positions
    reader: _Places
    walk: Positions
    srcu: Positions
    fixed: dict[str, str]
    named: dict[str, str]
    tests: Tests
    context: Asserts
    wrappers: Pattern
    takers: Pattern
    roots: Roots
