# SPDX-License-Identifier: GPL-2.0-or-later
"""What a function does to its context and needs of it: events inside, effects and exits seen from outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from reviewer.context.schema import Watching
from reviewer.context.state import Held, State
from reviewer.model import Step
from reviewer.source.cfg import Function


class EventKind(StrEnum):
    """What happens, of the things that a context can forbid."""

    SLEEP = "sleep"
    BLOCKING_ALLOCATION = "blocking allocation"
    ALLOCATION = "allocation"
    FREE = "free"
    SPINLOCK = "spinlock"
    LOCAL_LOCK = "local lock"
    IRQ_ENABLE = "interrupts enabled"
    STALE_INSERT = "insertion on a stale lookup"
    TAKEN_TWICE = "lock taken twice"
    SEQCOUNT_WRITE = "write section of a plain sequence counter"
    HANDLE_IRQ = "interrupt handed on"
    INSTRUMENTED = "instrumented call in noinstr code"
    RCU_WALK = "RCU list walked"
    UNBALANCED = "unbalanced return"
    LOCK_ORDER = "locks taken in two orders"
    DOCUMENTED_ORDER = "locks taken against the documented order"
    PARAMETER_CALLED = "parameter called"
    USE_AFTER_READER = "use after the reader was left"
    FREED_TOO_EARLY = "freed before a grace period"
    CPU_BEFORE_PIN = "CPU asked for before the task stays on it"
    CPU_BEFORE_IRQS_OFF = "CPU asked for before interrupts are disabled"
    CPU_WHILE_PREEMPTIBLE = "CPU asked for with a sleeping lock held"
    FREED_SOONER = "freed at once and no longer after a grace period"
    WAITS_FOR_ITSELF = "waits for a reader that it is itself"
    READER_ORDER = "lock taken in a reader, and readers waited for with it"
    READERS_FORGOTTEN = "list of RCU readers changed without care for them"
    CPU_PINNED = "own CPU's data accessed as by a task that stays there"
    CPU_PRESUMED = "own CPU's data no longer accessed as by any task"
    WRONG_GRACE_PERIOD = "freed after the grace period of other readers"
    ASKS_IN_ATOMIC = "decision by in_atomic()"
    ASSERTS_IRQS_OFF = "interrupts asserted to be disabled under a spinlock_t"
    USE_AFTER_LOCK = "use after the lock of the list was released"
    REQUIRES = "context required"
    CALLED_UNLIKE = "called unlike elsewhere"
    NULL_NOT_ASKED = "used without the question for NULL"
    RETURNED_UNPROTECTED = "returned after its protection ended"
    INTERRUPTIBLE = "lock of an interrupt taken with interrupts enabled"
    BH_FOR_PREEMPT = "bottom halves disabled in place of preemption"
    SLEEPS_WITH_KEPT_LOCK = "lock of the caller no longer released before sleeping"
    IRQS_LEFT_ON = "interrupts no longer disabled by a lock"
    WAITS_FOR_HANDLER = "waits for a handler with a lock that it takes"
    SAVED_TWICE = "what a lock is given back is overwritten"
    READER_RECURSION = "reader that waits behind writers taken twice"
    READ_TWICE = "reader whose index is kept already"
    GUEST_IN_READER = "guest entered in a reader"
    LOCK_MAY_FAIL = "guard of a lock that can fail"
    TIMER_WAIT = "waits for the callback of an hrtimer"
    OTHER_MODE = "hrtimer started in another mode"
    RCU_BY_HAND = "RCU told of an entry or exit by hand"
    DEPRECATED = "call that has a successor"
    RCU_IN_EQS = "RCU used in an extended quiescent state"
    AFTER_EXIT = "something after the exit from an exception"
    SLEEPS_UNWATCHED = "sleeps where RCU was made to watch an interrupt"
    INSTRUMENTATION_LEFT = "instrumentation still allowed at a return"
    KEPT_ACROSS = "lock kept from one callback to another"
    NEVER_IN_CALLBACK = "lock taken in a callback that its holders wait for"


SLEEPING = frozenset((EventKind.SLEEP, EventKind.BLOCKING_ALLOCATION))
SLEEPING_ON_RT = frozenset(
    (EventKind.ALLOCATION, EventKind.FREE, EventKind.SPINLOCK, EventKind.LOCAL_LOCK, EventKind.TIMER_WAIT)
)


NO_DELTA: Final = (0, 0, 0, 0)
"""The ``delta`` of an effect before which no counter was lowered."""
HOLDS: Final = "holds"


class Condition(NamedTuple):
    """What must hold of parameter ``position`` (0-based).

    ``operator`` is ``value``, ``points to``, ``gfp``, ``==`` or ``&``, or ``HOLDS`` where ``operand`` is an expression
    in the parameters.
    """

    position: int
    operator: str
    operand: int | str | bool
    holds: bool = True


MOST_CONDITIONS: Final = 32
"""What happens only where more of them hold is told to no caller: of a condition that is left out he would be told
wrongly. A switch leaves about so many values to its default; of other effects few have more than four."""

Assumptions = frozenset[tuple[str, bool]]
"""Expressions in a function's parameters (``P0->flags&LAZY``, ``is_lazy(P0)``), and whether they are true."""


class Answer(NamedTuple):
    """What is ``told`` of the memory that a function was given where it is ``truth`` that it returns what is
    ``operator right``: ``!= 0``, ``== 1`` or ``<= 1``. With ``given`` only where the parameter at that position
    (0-based) is true, or is not."""

    operator: str
    right: int
    truth: bool
    told: Assumptions
    given: tuple[int, bool] | None = None


class Where(NamedTuple):
    """An assumption, ``text`` and its ``truth``, that is made only where it is ``is_true`` that an argument is true.

    For callers ``argument`` is the position of the parameter (0-based), inside a function an expression.
    """

    argument: str
    is_true: bool
    text: str
    truth: bool


OfTables = frozenset[tuple[str, tuple[str, ...]]]
"""Pointers to tables of operations (``P0->ops``), and which tables of their file they can point to.

Objects (``P0``) too, and which elements of an array, ``rings[RING_EVENTS]``, they can be.
"""


class Effect(NamedTuple):
    """Something that calling a function brings about.

    ``minus`` are locks of the caller that are released before it, ``irq_on`` says that interrupts were enabled before
    it, ``delta`` the counters (suffix, preempt, bh, rcu) that were lowered before it. ``masked`` effects are already
    wrong inside the function, so that callers are not told again. ``steps`` lead to the offending call. ``subject`` is
    what it is about, in the function's parameters (``P0->lock``; ``P1`` for a function that is called through one), or
    ``#`` and an object as ``SetUps`` knows it. It does not concern callers in ``apart``, nor those whose tables leave
    out one of the members that it goes ``through`` (see ``reviewer.source.pointers``; roles are among them by their
    option, see ``Roles``), nor those who know better than
    ``assumed``, nor those whose object has none of the tables of operations in ``tables``. Locks in ``free``, in the
    function's parameters, were taken and released before it: whoever held one before has let go of it by then.
    ``last`` says that it happens only where the last reference to an object goes. ``others`` are further ways to the
    same, under other assumptions. ``where`` is what it takes for granted besides, as arguments are.
    """

    kind: EventKind
    conditions: tuple[Condition, ...]
    minus: frozenset[tuple[str, str]]
    irq_on: bool
    delta: tuple[int, int, int, int]
    rt: bool | None
    masked: bool
    steps: tuple[Step, ...]
    subject: str = ""
    apart: frozenset[str] = frozenset()
    through: frozenset[str] = frozenset()
    assumed: Assumptions = frozenset()
    free: frozenset[str] = frozenset()
    last: bool = False
    tables: OfTables = frozenset()
    others: tuple[Effect, ...] = ()
    where: frozenset[Where] = frozenset()

    @classmethod
    def of(
        cls,
        kind: EventKind,
        step: Step,
        *,
        conditions: tuple[Condition, ...] = (),
        minus: frozenset[tuple[str, str]] = frozenset(),
        delta: tuple[int, int, int, int] = NO_DELTA,
        subject: str = "",
    ) -> Effect:
        """What a call does itself, or a guard or a loop, that ``step`` shows."""
        return cls(kind, conditions, minus, False, delta, None, False, (step,), subject)

    @property
    def ways(self) -> tuple[Effect, ...]:
        """All ways to it, each of which knows ``others``: callers are told of one of them."""
        return tuple(way._replace(others=self.others) for way in (self, *self.others)) if self.others else (self,)

    @property
    def called(self) -> str:
        """What the last step calls."""
        return self.steps[-1].text.partition("(")[0]

    @property
    def key(self) -> tuple[object, ...]:
        """Effects with equal keys mean the same to a caller."""
        return (
            self.kind,
            self.conditions,
            self.minus,
            self.irq_on,
            self.delta,
            self.rt,
            self.masked,
            self.subject,
            self.apart,
            self.last,
            self.tables,
        )


class Need(NamedTuple):
    """Something that a context can offer.

    ``kind`` is ``lock``, ``anyone`` (a lock, whoever holds it), ``exclusive`` (not for reading), ``srcu``, ``rcu``,
    ``walk`` (an RCU reader or any lock), ``irqs``, ``preempt`` or ``unused`` (the reference counter ``expression`` is
    zero).
    """

    kind: str
    expression: str


class Requirement(NamedTuple):
    """What a function demands of whoever calls it: one of ``needs``, where ``conditions`` hold.

    ``what`` names it as the source does; ``steps`` lead to the assertion. It is demanded of nobody who passes NULL for
    one of the parameters at the positions ``unless_null``, nor where the caller knows better than ``assumed``.
    """

    needs: frozenset[Need]
    conditions: tuple[Condition, ...]
    what: str
    steps: tuple[Step, ...]
    unless_null: frozenset[int] = frozenset()
    assumed: Assumptions = frozenset()

    @property
    def key(self) -> RequirementKey:
        """Requirements with equal keys mean the same to a caller."""
        return (self.needs, self.conditions)


RequirementKey = tuple[frozenset[Need], tuple[Condition, ...]]


class Standing(StrEnum):
    """Where a requirement of a callee stands at one call."""

    OPEN = "open"
    TAKEN = "taken here"
    HELD = "held, or not known not to be"


class Site(NamedTuple):
    """A call of ``callee`` with a requirement: ``source`` in the callee's words, ``own`` in those of the function.

    ``source`` is None where the call itself is the assertion.
    """

    line: int
    callee: str
    source: RequirementKey | None
    own: Requirement
    standing: Standing


class Under(NamedTuple):
    """What is held at one call: on every path, and on some path. Lock expressions, and ``rcu``."""

    always: frozenset[str]
    sometimes: frozenset[str]


class Acquisition(NamedTuple):
    """A lock that calling a function takes, other than by trying.

    ``expression`` is in the function's parameters, ``lock_class`` empty where the declaration is not clear. ``minus``
    are locks that are released before it, ``*`` for any of them. ``irqs`` says whether interrupts are ``off`` or ``on``
    then, empty as the caller has them; ``bh`` whether bottom halves are disabled. ``steps`` lead to the call that takes
    it. What the global variables ``asked`` hold decides whether it is taken, and what members of the objects hold that
    the parameters ``marked`` (0-based) point to; it is taken from no caller who knows better than ``assumed``.
    """

    kind: str
    lock_class: str
    expression: str
    conditions: tuple[Condition, ...]
    minus: frozenset[str]
    irqs: str
    bh: bool
    steps: tuple[Step, ...]
    asked: frozenset[str] = frozenset()
    assumed: Assumptions = frozenset()
    marked: frozenset[int] = frozenset()

    @property
    def key(self) -> tuple[object, ...]:
        """Acquisitions with equal keys mean the same to a caller."""
        return self[:7]


class Interruptible(NamedTuple):
    """A spinning lock is taken, by a call on ``line``, where nothing here has disabled interrupts.

    ``rt`` holds where that is so on PREEMPT_RT only, as a spinlock_t does not disable them there: ``proof`` is where
    that was taken. Else it is a step before it that may sleep, so that interrupts were enabled when the function was
    called; None where there is none on every path.
    """

    acquisition: Acquisition
    line: int
    state: State
    rt: bool
    proof: Step | None


class Edge(NamedTuple):
    """A lock is taken, by a call on ``line``, while ``held`` is.

    ``where`` says where that was taken: the lock as it is written, line, call. ``chosen`` are those of the two, by
    expression, whose object was asked for its type or state before.
    """

    held: Held
    acquisition: Acquisition
    line: int
    state: State
    where: tuple[str, int, str]
    chosen: tuple[str, ...] = ()


MAYBE_LOWERED: Final = "-"
"""After ``irq`` or the name of a counter in ``unsure``: it may be below what the caller had."""

DISTRUSTED: Final = frozenset(("locks", "irq", "preempt", "bh", "migrate", "kmap", "rcu"))
"""``Exit.unsure`` where not all paths were followed: there may be other ways out."""

WALKED: Final = "walked"
"""In ``Exit.unsure``: a lock is held of something that is walked, so that a second walk may let go of it."""


class Left(StrEnum):
    """What a function leaves of the task state: it has not touched it, has it waiting, or may have reset it."""

    ALONE = ""
    WAITING = "waiting"
    RESET = "reset"


class Exit(NamedTuple):
    """One way out of a function: class of the return value and the change of the state.

    ``rt`` says in which world only, with PREEMPT_RT or without. ``task`` says what the function leaves of the task
    state. Locks in ``perhaps`` are released on some ways out of a callee, nobody knows which.
    """

    value: str
    gained: frozenset[tuple[str, str]]
    released: frozenset[tuple[str, str]]
    irq: str
    suffix: int
    preempt: int
    bh: int
    migrate: int
    pagefault: int
    kmap: int
    rcu: int
    instrumentation: int
    eqs: Watching
    unsure: frozenset[str]
    conditions: tuple[Condition, ...]
    line: int
    rt: bool | None = None
    task: Left = Left.ALONE
    perhaps: frozenset[tuple[str, str]] = frozenset()

    @property
    def change(self) -> tuple[object, ...]:
        """The change of state alone, whatever is unsure of it."""
        return self[1:13]


UNMOVED_EXIT: Final = Exit(
    "any", frozenset(), frozenset(), "", 0, 0, 0, 0, 0, 0, 0, 0, Watching.RESTORED, frozenset(), (), 0
)
"""A way out that leaves the state as it was."""
UNCHANGED: Final = UNMOVED_EXIT.change


class Event(NamedTuple):
    """Something that happens at ``line`` of ``function`` in the context ``state``.

    ``callee`` is what is called on that line. ``steps`` start at that line. ``shown`` maps lock expressions to
    the text in the source, the line where they were taken and the call that took them.
    ``detail`` carries what a kind needs besides, ``context`` are steps elsewhere that show why it matters. ``last`` is
    as in ``Effect``; ``granted`` is what must be so of memory besides, and is not known here.
    """

    kind: EventKind
    function: Function
    line: int
    callee: str
    argument: str
    state: State
    steps: tuple[Step, ...]
    masked: bool
    shown: tuple[tuple[str, str, int, str], ...]
    detail: tuple[str, ...] = ()
    context: tuple[Step, ...] = ()
    last: bool = False
    granted: Assumptions = frozenset()

    @property
    def is_sure(self) -> bool:
        """Whether it happens whatever memory holds that nothing here tells of."""
        return not self.last and not self.granted

    @classmethod
    def of_edge(
        cls,
        kind: EventKind,
        function: Function,
        edge: Edge,
        detail: tuple[str, ...],
        *,
        further: tuple[Step, ...] = (),
        context: tuple[Step, ...] = (),
    ) -> Event:
        """A lock taken in ``function`` while another is held; ``further`` are steps after those that take it."""
        steps = edge.acquisition.steps
        shown = ((edge.held.expression, *edge.where),)
        return cls(
            kind, function, edge.line, steps[0].text, "", edge.state, (*steps, *further), False, shown, detail, context
        )


@dataclass(slots=True)
class Summary:
    """A function seen from outside. ``exits`` are a set that keeps its order: results do not depend on hashes.

    ``settings`` are as in ``reviewer.context.settings``, ``answers`` as in ``reviewer.context.answers``.
    """

    effects: dict[tuple[object, ...], Effect] = field(default_factory=dict)
    exits: dict[Exit, None] = field(default_factory=dict)
    requirements: dict[RequirementKey, Requirement] = field(default_factory=dict)
    acquisitions: dict[tuple[object, ...], Acquisition] = field(default_factory=dict)
    settings: frozenset[tuple[str, str]] = frozenset()
    answers: tuple[Answer, ...] = ()

    @property
    def outside(self) -> tuple[object, ...]:
        """What callers can notice, for comparing two versions of a function."""
        return (
            frozenset(self.effects),
            frozenset((e.value, e.change, e.task, e.conditions) for e in self.exits),
            frozenset(self.acquisitions),
        )

    @property
    def whole(self) -> tuple[object, ...]:
        """All that a caller's own summary is made from."""
        return (*self.outside, frozenset(self.requirements), self.settings, self.answers)

    @property
    def told(self) -> tuple[object, ...]:
        """All that it says, with its lines, in its order."""
        return (
            tuple(self.effects.values()),
            tuple(self.exits),
            tuple(self.requirements.values()),
            tuple(self.acquisitions.values()),
            self.settings,
            self.answers,
        )


Taken = dict[tuple[str, str], tuple[int, str]]
"""Lock as callers see it, to the line and the call that took it; a counter that was raised has no name."""


@dataclass(slots=True)
class Analysis:
    """A summary, the events that were met on the way, and where each lock was taken and each counter was raised.

    ``again`` are locks taken while they seem to be held, by a function that calls others in between: too little for an
    event, unless an earlier version of the function did no such thing.
    ``left_with`` are the locks taken here with which a return of each class leaves, in doubt or not.
    ``asks_pinned`` holds where the function asks for its CPU when it has seen to it that the task stays there.
    """

    summary: Summary = field(default_factory=Summary)
    events: list[Event] = field(default_factory=list)
    sites: tuple[Site, ...] = ()
    under: dict[tuple[int, str], Under] = field(default_factory=dict)
    edges: dict[tuple[str, str, str, str], Edge] = field(default_factory=dict)
    interruptible: dict[tuple[int, str, bool], Interruptible] = field(default_factory=dict)
    complete: bool = True
    asks_pinned: bool = False
    left_with: set[tuple[str, frozenset[tuple[str, str]]]] = field(default_factory=set)
    taken: Taken = field(default_factory=dict)
    again: list[Event] = field(default_factory=list)


EMPTY = Summary()
