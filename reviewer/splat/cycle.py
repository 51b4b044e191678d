# SPDX-License-Identifier: GPL-2.0-or-later
"""The circle of a lockdep report: which lock was taken while which was held, where, and a picture of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reviewer.splat.meanings import Meanings, Pseudo
from reviewer.splat.records import Frame, Link, Lock, Splat
from reviewer.splat.waits import first_frame

_LONGEST_PATH: Final = 12  # frames
# Of a name that is an expression in C, also in the brackets of "(work_completion)(&boat->work)".
_LAST_WORD: Final = re.compile(r"(?<![-\w])[A-Za-z_]\w*(?=\)?$)")


@dataclass(frozen=True, slots=True)
class Edge:
    """``wanted`` was asked for while ``held`` was held. ``frames`` lead there, innermost first.

    ``now`` is the order that the task of the report was about to make; the others were seen before. ``inferred``
    tells that the report itself does not show the order: it follows from where ``wanted`` was taken.
    """

    held: Lock
    wanted: Lock
    frames: tuple[Frame, ...] = ()
    now: bool = False
    inferred: bool = False


def edges_of(splat: Splat, meanings: Meanings) -> tuple[Edge, ...]:
    """The edges of the circle in order, beginning with those that were seen before; empty for other reports.

    In ``-> #N`` of print_circular_bug() each lock was taken while the one of the next higher number was held, the
    highest while that of #0 was.
    """
    if splat.kind != "lockdep-circular":
        return ()
    chain = sorted(splat.chain, key=lambda link: -link.number)
    if chain and [link.number for link in chain] == list(range(len(chain) - 1, -1, -1)) and len(chain) > 1:
        return tuple(
            Edge(held.lock, _placed(link, splat), link.frames, now=link.number == 0)
            for held, link in zip((chain[-1], *chain), chain, strict=False)
        )
    if splat.wanted is None or not splat.holding:
        return ()
    held, wanted = splat.holding[0], splat.wanted
    now = Edge(held, wanted, _stack(splat), now=True)
    shown = next((link for link in chain if link.lock.label == held.label and len(chain) == 1), None)
    if shown is not None and shown.number == 1:
        return (Edge(wanted, held, shown.frames), now)
    if section_of(held, wanted, (), meanings) is not None and held.at is not None:
        return (Edge(wanted, held, (held.at,), inferred=True), now)
    return (now,)


def section_of(taken: Lock, pseudo_lock: Lock, frames: Sequence[Frame], meanings: Meanings) -> Pseudo | None:
    """The pseudo-lock's meaning where ``taken`` was taken by a function that runs inside it."""
    pseudo = meanings.pseudo(pseudo_lock)
    if pseudo is None:
        return None
    return pseudo if any(pseudo.covers(frame) for frame in (taken.at, *frames)) else None


def _placed(link: Link, splat: Splat) -> Lock:
    """The lock of a link, with where the task took or wants it if the report says so of the same class."""
    for lock in (splat.wanted, *splat.holding):
        if lock is not None and lock.label == link.lock.label:
            return lock
    return link.lock


def _stack(splat: Splat) -> tuple[Frame, ...]:
    if splat.traces:
        return splat.traces[-1].frames
    return (splat.wanted.at,) if splat.wanted is not None and splat.wanted.at is not None else ()


def taker(frames: Sequence[Frame], meanings: Meanings) -> Frame | None:
    """The function that takes the lock: the innermost frame that is neither lockdep's nor a lock function."""
    useful = path_of(frames, meanings)
    inner = first_frame(tuple(useful), meanings)
    if inner is not None and inner.function in meanings.acquires and len(useful) > 1:
        return next((frame for frame in useful if frame.function not in meanings.acquires), inner)
    return inner


def path_of(frames: Sequence[Frame], meanings: Meanings) -> list[Frame]:
    """The frames that are proven and not lockdep's own, innermost first."""
    return [f for f in frames if not f.unsure and f.function.split(".")[0] not in meanings.noise]


@dataclass(frozen=True, slots=True)
class ArcChange:
    """What a patch changes on the arc of that ``number``, counted from 1.

    ``lines`` are changed lines, with their sign, that name a lock of the arc or call a function of its path inside
    one: these make or break the order. ``functions`` are those of the path with changed lines of any kind.
    """

    number: int
    patch: str
    functions: tuple[str, ...]
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Arc:
    """One edge as it is drawn: in ``who``, a function or ``somebody``, ``wanted`` was asked for inside ``held``.

    ``now`` and ``inferred`` are the edge's; ``task`` is who did it where it is the order made now. ``path`` are the
    functions from where ``wanted`` is asked for out to where ``held`` was taken, as far as the report tells;
    ``names`` are what code calls the two locks.
    """

    held: str
    wanted: str
    who: str
    now: bool = False
    inferred: bool = False
    task: str = ""
    path: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def how(self) -> str:
        """What happened on this arc, to be read behind ``who`` and before the name of the lock."""
        return "wants" if self.now else "took"

    @property
    def when(self) -> str:
        """When that was, or why it is believed."""
        if self.now:
            return f"now{', ' if self.task else ''}{self.task}"
        return "running inside the first" if self.inferred else "seen before"


def arcs_of(edges: Sequence[Edge], splat: Splat, meanings: Meanings) -> tuple[Arc, ...]:
    """The edges, ready to be drawn."""
    task = f"{splat.task.comm}/{splat.task.pid}" if splat.task is not None else ""
    arcs = []
    for edge in edges:
        frame = taker(edge.frames, meanings)
        who = f"{frame.function}()" if frame is not None else "somebody"
        path = _between(edge, meanings)
        names = tuple(dict.fromkeys(word for lock in (edge.held, edge.wanted) if (word := member_of(lock))))
        by = task if edge.now else ""
        arcs.append(Arc(edge.held.label, edge.wanted.label, who, edge.now, edge.inferred, by, path, names))
    return tuple(arcs)


def _between(edge: Edge, meanings: Meanings) -> tuple[str, ...]:
    """The functions in which the order is made: from the taker out to the one that holds the other lock."""
    names = [frame.function.split(".")[0] for frame in path_of(edge.frames, meanings)]
    outermost = edge.held.at.function.split(".")[0] if edge.held.at is not None else ""
    names = names[: names.index(outermost) + 1] if outermost in names else names[:_LONGEST_PATH]
    return tuple(dict.fromkeys(name for name in names if name not in meanings.acquires))


def member_of(lock: Lock) -> str:
    """The last word of a class name, which code uses for the lock: ``lock`` of ``&kvm->lock``; empty if it is none."""
    word = _LAST_WORD.search(lock.name)
    return word[0] if word is not None else ""


def closed(arcs: Sequence[Arc]) -> bool:
    """Whether the last arc leads back to the first lock; a report that is cut off shows less."""
    return bool(arcs) and arcs[-1].wanted == arcs[0].held


def caption(arcs: Sequence[Arc], number: int) -> str:
    """What stands beside the arc of that number, counted from 1."""
    arc = arcs[number - 1]
    what = "the first" if number == len(arcs) and closed(arcs) else "the next"
    return f"({number}) {arc.who} {arc.how} {what}{' ' if arc.now else ', '}{arc.when}"


def picture(arcs: Sequence[Arc]) -> tuple[str, ...]:
    """The circle as text, from the first lock down and back."""
    if not arcs:
        return ()
    closes = closed(arcs)
    bar = "|" if closes else " "
    lines = [f"{'+-> ' if closes else '    '}{arcs[0].held}"]
    for number, arc in enumerate(arcs, 1):
        lines += [f"{bar}    |", f"{bar}    |  {caption(arcs, number)}"]
        if number == len(arcs) and closes:
            lines.append("+----+")
        else:
            lines += [f"{bar}    v", f"{bar}   {arc.wanted}"]
    return tuple(lines)
