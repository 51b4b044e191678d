# SPDX-License-Identifier: GPL-2.0-or-later
"""A context in short words, as a reviewer notes it in the margin: held locks, ``irq-``, ``pre-``, ``rcu``, ``EQS``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from reviewer.context.locks import around
from reviewer.context.schema import EntryKind, LockClass, Watching
from reviewer.context.state import ASSERTED, Held, Origin, State
from reviewer.context.tables import Api
from reviewer.model import Mark, World
from reviewer.source.expression import last_member, plain

_IRQ_OFF: Final = ("irq-", "interrupts disabled")
_IRQ_ON: Final = ("irq+", "interrupts enabled here")
_PREEMPT_OFF: Final = ("pre-", "preemption disabled")
_RCU: Final = ("rcu", "RCU reader")
_WATCHING: Final = {
    Watching.GUEST: ("EQS", "extended quiescent state: the guest runs, RCU does not watch"),
    Watching.IDLE: ("EQS", "extended quiescent state: idle, RCU does not watch"),
    Watching.USER: ("EQS", "extended quiescent state: user space, RCU does not watch"),
}
_COUNTERS: Final = (
    ("preempt", *_PREEMPT_OFF),
    ("bh", "bh-", "bottom halves disabled"),
    ("migrate", "mig-", "migration disabled"),
    ("pagefault", "pf-", "page faults disabled"),
    ("kmap", "kmap", "inside kmap_atomic()"),
    ("rcu", *_RCU),
)
_HARD: Final = ("hardirq", "hard interrupt")
_ENTERED: Final[Mapping[EntryKind, tuple[tuple[str, str], ...]]] = {
    EntryKind.HARDIRQ: (_HARD,),
    EntryKind.SOFTIRQ: (("softirq", "softirq"),),
    EntryKind.NMI: (("nmi", "NMI"),),
    EntryKind.RAW_LOCK: (("raw-lock", "called with a raw spinlock held"), _PREEMPT_OFF),
    EntryKind.SPIN_LOCK: (("spin-lock", "called with a spinlock held"),),
    EntryKind.IRQS_OFF: (_IRQ_OFF,),
    EntryKind.RESTART: (_IRQ_OFF,),
    EntryKind.PREEMPT_OFF: (_PREEMPT_OFF,),
    EntryKind.PANIC: (("panic", "panic"),),
    EntryKind.ATOMIC: (("atomic", "may be called in atomic context"),),
}
_Word = tuple[str, str]


class Taken(NamedTuple):
    """How a held lock is written, and ``how`` it was taken: a line for the order of locks, and words."""

    written: str
    line: int
    how: str


class Names(NamedTuple):
    """What to tell of locks: which are ``doubtful``, by kind and expression, and by expression how one was taken."""

    doubtful: frozenset[tuple[str, str]]
    taken: Mapping[str, Taken]


_NOT_SEEN: Final = Taken("", 0, "")
# Members that say what kind of lock it is, and not which: they are told with the object that they are of.
_KINDS: Final = frozenset(
    ("lock", "raw_lock", "slock", "spinlock", "rwlock", "seqlock", "mutex", "mtx", "sem", "rwsem", "rw_sem")
)
_ROOM: Final = 16  # columns for a lock with its object
_OWNED: Final = re.compile(r"(\w+)(?:\[[^\]]*\])?(->|\.)(\w+)(?:\[[^\]]*\])?$")


def marks(states: Iterable[State], names: Names, api: Api) -> tuple[Mark, ...]:
    """The marks of a line that runs in ``states``: locks first, then the rest in a fixed order."""
    found: dict[_Word, dict[bool, bool]] = {}
    states = tuple(states)
    worlds = [rt for rt in (False, True) if any(state.rt in (None, rt) for state in states)]
    for rt in worlds:
        told = [_words(state, names, api, rt=rt) for state in states if state.rt in (None, rt)]
        told.sort(key=lambda words: tuple(words.items()))  # states come in any order
        for word in dict.fromkeys(word for words in told for word in words):
            always = all(words.get(word, False) for words in told)
            found.setdefault(word, {})[rt] = always
    if _IRQ_OFF in found:
        found.pop(_IRQ_ON, None)  # not on all ways, as (irq-) says
    if len(worlds) == 1:
        world = World.RT if worlds[0] else World.NOT_RT
        return tuple(Mark(*word, world, always[worlds[0]]) for word, always in found.items())
    made: list[Mark] = []
    for word, by_world in found.items():
        if len(by_world) == 2 and by_world[False] == by_world[True]:
            made.append(Mark(*word, World.BOTH, by_world[True]))
        else:
            made += (Mark(*word, World.RT if rt else World.NOT_RT, always) for rt, always in by_world.items())
    return tuple(sorted(made, key=lambda mark: mark.world is not World.BOTH))


def _words(state: State, names: Names, api: Api, *, rt: bool) -> dict[_Word, bool]:
    """The words for one state in one world, and whether each is certain."""
    words: dict[_Word, bool] = {}

    def say(word: _Word, certain: bool) -> None:
        words[word] = words.get(word, False) or certain

    held = sorted(state.locks, key=lambda lock: (names.taken.get(lock.expression, _NOT_SEEN).line, lock))
    certain = state.certain_locks()
    for lock in held:
        sure = lock in certain and (lock.kind, lock.expression) not in names.doubtful
        say(_lock_word(lock, names, api), sure)
        spins = api.classes.get(lock.kind) is LockClass.RAW or (not rt and api.classes.get(lock.kind) is LockClass.SPIN)
        if spins:
            say(_PREEMPT_OFF, sure)
    if state.irq in ("off", ASSERTED) or (state.suffix > 0 and not rt):
        say(_IRQ_OFF, state.is_certain("irq"))
    elif state.irq == "on":
        say(_IRQ_ON, state.is_certain("irq"))
    for counter, text, meaning in _COUNTERS:
        if getattr(state, counter) > 0:
            say((text, meaning), state.is_certain(counter))
    if state.eqs in _WATCHING:
        say(_WATCHING[state.eqs], True)
    if state.not_running:
        say(("!run", "task state set: not TASK_RUNNING"), True)
    for word in _entered(state, rt=rt):
        say(word, True)
    return words


def _entered(state: State, *, rt: bool) -> tuple[_Word, ...]:
    if state.entry == EntryKind.HARDIRQ_THREADED:
        return (("thread", "interrupt thread"),) if rt else (_HARD,)
    if state.entry in (EntryKind.IRQS_OFF, EntryKind.RESTART) and state.irq == "on":
        return ()
    return _ENTERED.get(EntryKind(state.entry), ()) if state.entry else ()


def _lock_word(lock: Held, names: Names, api: Api) -> _Word:
    """A held lock in short, ``mmu_lock:r``, and in full."""
    taken = names.taken.get(lock.expression, _NOT_SEEN)
    kind = f"{api.kinds.titles.get(lock.kind, 'lock')} {taken.written or lock.expression.removeprefix('?.')}"
    how = f", {taken.how}" if taken.how else ", the caller's or asserted" if lock.origin is Origin.ASSERTED else ""
    return _short(lock, names, api), f"{kind}{how}"


def _short(lock: Held, names: Names, api: Api) -> str:
    name = last_member(lock.expression) or lock.expression
    if api.classes.get(lock.kind) is LockClass.READER:
        owner = last_member(around(lock.expression)) if name == lock.kind else ""
        return name if name.startswith("rcu") else f"{lock.kind}:{owner or name}"
    if name in _KINDS or any(name == last_member(other) for other in names.taken if other != lock.expression):
        name = _with_owner(name, names.taken.get(lock.expression, _NOT_SEEN).written, lock.expression)
    return f"{name}:r" if lock.kind in api.kinds.shared else name


def _with_owner(name: str, *texts: str) -> str:
    """``rnp->lock`` for a lock whose own name says little: as the first text that ends in it has it, if it is short."""
    for text in texts:
        found = _OWNED.search(plain(text))
        if found is not None and found[3] == name and len(owned := "".join(found.groups())) <= _ROOM:
            return owned
    return name
