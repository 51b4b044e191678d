# SPDX-License-Identifier: GPL-2.0-or-later
"""The words in which a check is written; all that a file in ``checks/`` may import.

A check is one ``CHECK = Check(...)``. Its ``judge`` is asked about the context of every event of the kinds it
subscribes to and answers with a ``Report`` or None. The context answers for both worlds: PREEMPT_RT and not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from reviewer.context.effects import Event, EventKind
from reviewer.context.schema import EntryKind, LockClass, Watching
from reviewer.context.state import IN_READER, Origin, Reason, State, atomic
from reviewer.context.tables import Api
from reviewer.model import Kernels, Severity, Source

__all__ = [
    "Check",
    "Context",
    "Event",
    "EventKind",
    "Kernels",
    "LockClass",
    "Origin",
    "Reason",
    "Report",
    "Severity",
    "Source",
    "Watching",
    "required_report",
]

_ENTRY_WORD: dict[str, str] = {
    EntryKind.HARDIRQ: "in hard interrupt context",
    EntryKind.HARDIRQ_THREADED: "in hard interrupt context",
    EntryKind.SOFTIRQ: "in softirq context",
    EntryKind.NMI: "in NMI context",
    EntryKind.RAW_LOCK: "with a raw spinlock of the core held",
    EntryKind.SPIN_LOCK: "with a spinlock of the core held",
    EntryKind.IRQS_OFF: "with interrupts disabled by the caller",
    EntryKind.RESTART: "with interrupts disabled by the caller",
    EntryKind.PREEMPT_OFF: "with preemption disabled by the caller",
    EntryKind.ATOMIC: "in a function that may be called in atomic context",
}
_COUNTER_WORD = {
    "preempt": "with preemption disabled",
    "irq": "with interrupts disabled",
    "bh": "with bottom halves disabled",
    "kmap": "inside kmap_atomic()",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What a check has to say about one event.

    ``subject`` tells two findings of one check in one function apart: a lock, a callee. ``message`` is one sentence for
    reports, ``question`` the one that a reviewer would write under the line. ``was`` says the same of the past, for a
    finding that a patch replaces by another. ``consequence`` says what breaks where the tree states no rule.
    ``entered`` says that how the function is entered makes it wrong. ``interleaving`` are rows of two sides that race.
    ``sources`` are where the kernel states this very thing, before those of the check.
    """

    subject: str
    message: str
    question: str
    was: str = ""
    consequence: str = ""
    entered: bool = False
    interleaving: tuple[tuple[str, str], ...] = ()
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """The context of an event, in words that checks need."""

    event: Event
    api: Api

    @property
    def state(self) -> State:
        """The state itself."""
        return self.event.state

    @property
    def call(self) -> str:
        """The offending call as text, ``kzalloc(GFP_KERNEL)``."""
        return self.event.steps[-1].text

    @property
    def direct(self) -> bool:
        """Whether the offending call stands on the event's own line."""
        return len(self.event.steps) == 1

    def atomic(self, *, rt: bool) -> Reason | None:
        """Why nothing may sleep here, or None. Code that exists in the other world only is not judged."""
        if self.state.rt is not None and self.state.rt is not rt:
            return None
        return atomic(self.state, self.api, rt=rt)

    @property
    def sleeping_lock(self) -> Reason | None:
        """A mutex or the like that was taken here, or None."""
        for held in sorted(self.state.locks):
            if self.api.classes.get(held.kind) is LockClass.SLEEPING and held.origin is Origin.TAKEN:
                return Reason(held.kind, held.expression, held.origin)
        return None

    @property
    def in_reader(self) -> bool:
        """Whether an RCU reader is open here for certain."""
        return self.state.rcu > 0 and self.state.is_certain("rcu")

    @property
    def watching(self) -> Watching:
        """Whether RCU watches, or which extended quiescent state was entered here and is not left for certain."""
        return self.state.eqs if self.state.is_certain("eqs") else Watching.RESTORED

    @property
    def entered_in_reader(self) -> bool:
        """Whether the function is called in an RCU reader, of which it cannot know."""
        return self.state.entry in IN_READER

    @property
    def schedules(self) -> bool:
        """Whether the call is what the task state is set for: ``schedule()`` and its like."""
        return self.event.callee in self.api.task_running

    @property
    def only_srcu(self) -> str | None:
        """The srcu_struct whose reader was opened here, where nothing else protects: no RCU reader, no lock."""
        readers = [held for held in self.state.locks if self.api.classes.get(held.kind) is LockClass.READER]
        if len(readers) != 1 or len(self.state.locks) != 1 or self.state.rcu > 0 or self.state.unsure:
            return None
        if readers[0].origin is not Origin.TAKEN or self.atomic(rt=False) is not None:
            return None
        return self.lock_text(Reason(readers[0].kind, readers[0].expression, readers[0].origin))

    def lock_class(self, reason: Reason) -> LockClass | None:
        """The class of the lock that ``reason`` names, or None where it is no lock."""
        return self.api.classes.get(reason.what)

    def kind_of(self, reason: Reason) -> Where | None:
        """Which of the contexts that checks tell apart ``reason`` is."""
        if reason.what == "entry":
            return _ENTRY_WHERE.get(reason.expression, Where.ENTERED)
        if reason.what in ("preempt", "irq"):
            return Where.DISABLED
        return Where.RAW_LOCK if self.lock_class(reason) is LockClass.RAW else None

    def lock_text(self, reason: Reason) -> str:
        """The lock as the source writes it."""
        for expression, text, _, _ in self.event.shown:
            if expression == reason.expression:
                return text
        return reason.expression.removeprefix("?.")

    def place(self, reason: Reason) -> str:
        """``with the raw spinlock b->lock held``, ``in hard interrupt context``, ..."""
        if reason.what == "entry":
            return _ENTRY_WORD.get(reason.expression, "in atomic context")
        if reason.what in _COUNTER_WORD:
            return _COUNTER_WORD[reason.what]
        return f"with the {self.api.kinds.titles.get(reason.what, 'lock')} {self.lock_text(reason)} held"

    def subject(self, reason: Reason) -> str:
        """The pair of context and callee that identifies a finding."""
        name = reason.expression.replace("->", ".").split(".")[-1] if reason.what not in _COUNTER_WORD else ""
        return f"{self.event.callee} {reason.what} {name}".strip()

    @property
    def required(self) -> str:
        """What an assertion asks for that nobody gives, as the source names it: ``vcpu->mutex``."""
        return self.event.detail[0]

    @property
    def required_kinds(self) -> frozenset[str]:
        """The kinds of what would do: ``lock``, ``exclusive``, ``srcu``, ``rcu``, ``walk``, ``irqs``, ``preempt``."""
        return frozenset(self.event.detail[1].split(","))

    @property
    def callee(self) -> str:
        """The name of what is called on the event's own line."""
        return self.event.callee

    @property
    def function(self) -> str:
        """The function in which the event is."""
        return self.event.function.name

    @property
    def in_driver(self) -> bool:
        """Whether this is driver code."""
        return self.event.function.path.startswith(("drivers/", "sound/"))

    @property
    def detail(self) -> tuple[str, ...]:
        """What an event of this kind carries besides; see where it is made."""
        return self.event.detail

    def report(self, reason: Reason, *, message: str, question: str, was: str = "") -> Report:
        """The report on a call in a place that forbids it."""
        past = was or f"{self.call} was called {self.place(reason)}"
        return Report(
            subject=self.subject(reason), message=message, question=question, was=past, entered=reason.what == "entry"
        )


Judge = Callable[[Context], Report | None]


class Where(StrEnum):
    """The atomic contexts that checks tell apart."""

    ANYWHERE = "anywhere"
    RAW_LOCK = "under a raw spinlock"
    DISABLED = "with preemption or interrupts disabled by hand"
    ENTERED = "in an interrupt"


_ENTRY_WHERE: dict[str, Where] = {
    EntryKind.RAW_LOCK: Where.RAW_LOCK,
    EntryKind.IRQS_OFF: Where.DISABLED,
    EntryKind.RESTART: Where.DISABLED,
    EntryKind.PREEMPT_OFF: Where.DISABLED,
}


def required_report(context: Context) -> Report:
    """The report on an assertion that is reached without what it asks for."""
    entry = context.event.detail[2]
    through = "" if context.direct else f"{context.callee}() leads to "
    reached = f", entered by {entry}" if entry else ""
    return Report(
        subject=f"{context.event.steps[-1].function} {context.required}",
        message=f"{through}{context.call} without {context.required}{reached}",
        question=f"Who provides {context.required} here? {through or 'I see '}{context.call}"
        f"{' and nothing above that does' if not entry else f', and nothing from {entry} down to it does'}.",
        was=f"{through}{context.call} was reached without {context.required}",
    )


def called_where(
    where: Where,
    *,
    rt: bool,
    message: str,
    question: str,
    cites: Callable[[Context, Reason], tuple[Source, ...]] | None = None,
) -> Judge:
    """A judge that objects to a call in an atomic context. ``{call}`` and ``{place}`` in the texts are filled in.

    ``cites`` answers with where the kernel states it of this very call or context.
    """

    def judge(context: Context) -> Report | None:
        reason = context.atomic(rt=rt)
        if reason is None or where not in (Where.ANYWHERE, context.kind_of(reason)):
            return None
        words = {"call": context.call, "place": context.place(reason)}
        report = context.report(reason, message=message.format(**words), question=question.format(**words))
        return replace(report, sources=cites(context, reason)) if cites is not None else report

    return judge


@dataclass(frozen=True, slots=True)
class Check:
    """One rule of the kernel.

    ``id`` is the file's name with dashes. ``rule`` is the rule in one sentence, ``why`` what breaks. ``sources`` are
    where the kernel states it, best first; none where it states it nowhere. ``wrong`` examples mark each line that is
    to be found with ``/* wrong */``;
    ``right`` ones are to stay silent; ``misses`` are wrong and known not to be found.
    """

    id: str
    area: str
    severity: Severity
    kernels: Kernels
    rule: str
    why: str
    events: frozenset[EventKind]
    judge: Judge
    sources: tuple[Source, ...]
    wrong: tuple[str, ...]
    right: tuple[str, ...]
    misses: tuple[str, ...] = field(default=())
