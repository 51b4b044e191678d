# SPDX-License-Identifier: GPL-2.0-or-later
"""A report told in plain words: who holds what, who waits for what, and why that is wrong."""

from __future__ import annotations

from dataclasses import dataclass

from reviewer.model import Citation, Source, Step
from reviewer.splat.atomic import only_in_reader, reasons
from reviewer.splat.cycle import Arc, ArcChange, Edge, arcs_of, edges_of, path_of, picture, section_of, taker
from reviewer.splat.meanings import Meanings, Pseudo
from reviewer.splat.particulars import particulars
from reviewer.splat.records import Frame, Lock, Splat
from reviewer.splat.waits import Nesting, describe, legend, locks_of, nesting_of, sleeps, sort_of

_LONGEST_PATH = 12  # frames of one path that are worth reading
_MOST_LOCKS = 30


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the account under a heading. ``drawn`` lines keep their columns; others are sentences.

    ``gist`` is what has to be told where there is room for little.
    """

    heading: str
    lines: tuple[str, ...]
    drawn: bool = False
    gist: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """The whole account: ``sources`` are where the tree states the rule, the nearest first.

    ``functions`` are worth finding in a tree. ``takers`` are the names that make the locks' order: the functions that
    take or want them, and the members that the locks are. ``circle`` is what a picture of it shows.
    """

    title: str
    sections: tuple[Section, ...]
    sources: tuple[Source, ...]
    functions: tuple[str, ...]
    takers: tuple[str, ...] = ()
    circle: tuple[Arc, ...] = ()


@dataclass(frozen=True, slots=True)
class Explained:
    """A splat, what it says, and what the tree has: ``places`` are definitions by name, ``unknown`` not found.

    ``several`` are the definitions of names that have more than one, of which the report does not say which it means.
    ``repeats`` is how often the same report stands in what was read besides, quoted or cut.
    ``touched`` are the subjects of the thread's patches that touch what makes the order of the locks, and the names.
    ``changes`` are what patches change on the arcs of the circle, None where no patches were held against it;
    ``named`` are the lines of this tree that can be the one the report names: that line itself where it fits.
    ``claimed`` tells that the report stands in a patch or cover letter, which is to say that the series mends it.
    """

    splat: Splat
    account: Account
    citation: Citation | None = None
    places: tuple[Step, ...] = ()
    unknown: tuple[str, ...] = ()
    repeats: int = 0
    touched: tuple[tuple[str, tuple[str, ...]], ...] = ()
    changes: tuple[ArcChange, ...] | None = None
    claimed: bool = False
    named: tuple[Step, ...] = ()
    several: tuple[tuple[str, tuple[Step, ...]], ...] = ()


def account_of(splat: Splat, meanings: Meanings) -> Account:
    """What ``splat`` says and what follows from it; nothing is claimed that the report does not show."""
    kind = meanings.kinds[splat.kind]
    nesting = nesting_of(splat, meanings)
    edges = edges_of(splat, meanings)
    arcs = arcs_of(edges, splat, meanings)
    crossing = _crossing(edges, meanings)
    sections = [
        Section("", (*_who(splat), *particulars(splat), *reasons(splat, meanings), kind.means), gist=True),
        Section("The circle", picture(arcs), drawn=True, gist=True),
        *_paths(edges, splat, meanings),
        Section("Why it closes", _why(edges, crossing, splat, meanings, nesting), gist=True),
        Section("What the names stand for", _names(splat, meanings, nesting)),
        Section("Locks held", _held(splat), drawn=True),
        Section("Lockdep's scenario", () if edges else _scenario(splat), drawn=True),
        Section("The numbers", legend(splat, nesting)),
        Section("How far to trust it", _limits(splat)),
    ]
    own = _rule(splat, meanings)
    nearest = tuple(source for pseudo in _pseudos(splat, meanings) for source in _sources(pseudo, splat))
    return Account(
        kind.title,
        tuple(section for section in sections if section.lines),
        tuple(dict.fromkeys((*nearest, *own) if crossing else (*own, *nearest))),
        _functions(splat, edges, meanings),
        _takers(splat, edges, meanings),
        arcs,
    )


def _at(lock: Lock) -> str:
    return f" in {lock.at.function}()" if lock.at is not None else ""


def _label(lock: Lock) -> str:
    numbers = f" {{{lock.wait.outer}:{lock.wait.inner}}}" if lock.wait is not None else ""
    return f"{lock.label}{numbers}"


_WANTS = {
    "lockdep-unlock-balance": "releases",
    "lockdep-contention": "waits for",
    "lockdep-inconsistent": "takes",
    "lockdep-irq-inversion": "has changed the use of",
    "lockdep-held-freed": "frees memory with",
}


def _who(splat: Splat) -> tuple[str, ...]:
    if splat.task is None:
        who = f"CPU {splat.cpu}" if splat.cpu is not None else ""
    else:
        who = f"{splat.task.comm} (pid {splat.task.pid})" + (f" on CPU {splat.cpu}" if splat.cpu is not None else "")
    said = []
    if splat.wanted is not None:
        verb = _WANTS.get(splat.kind, "wants")
        said.append(f"{who or 'A task'} {verb} {_label(splat.wanted)}{_at(splat.wanted)}")
        if splat.holding:
            said[0] += " while it holds " + " and ".join(
                f"{_label(lock)}, taken{_at(lock) or ' before'}" for lock in splat.holding[:3]
            )
        said[0] += "."
    elif who:
        said.append(f"It was {who}.")
    if splat.path:
        where = f" in {splat.fact('function').split('+')[0]}()" if splat.fact("function") else ""
        said.append(f"The report names {splat.path}:{splat.number}{where}.")
    return tuple(said)


def _crossing(edges: tuple[Edge, ...], meanings: Meanings) -> tuple[Lock, Pseudo] | None:
    """A lock taken inside a section and still held where the section is entered again, with the section's meaning."""
    for before, after in zip(edges, (*edges[1:], *edges[:1]), strict=True):
        if before.held.label == after.wanted.label and before.wanted.label == after.held.label and before != after:
            pseudo = section_of(before.wanted, before.held, before.frames, meanings)
            if pseudo is not None and pseudo.across:
                return before.wanted, pseudo
    return None


def _why(
    edges: tuple[Edge, ...],
    crossing: tuple[Lock, Pseudo] | None,
    splat: Splat,
    meanings: Meanings,
    nesting: Nesting,
) -> tuple[str, ...]:
    said: list[str] = []
    for edge in edges:
        frame = taker(edge.frames, meanings)
        by = f"{frame.function}()" if frame is not None else "a task"
        pseudo = section_of(edge.wanted, edge.held, edge.frames, meanings)
        if edge.inferred:
            said.append(
                f"The dependency chain is cut off here, but {by}, where {edge.wanted.label} was taken, itself runs "
                f"inside {edge.held.label}: that is the other way round."
            )
        elif pseudo is not None and not edge.now:
            said.append(f"{by} took {edge.wanted.label} inside {edge.held.label}.")
    if crossing is not None:
        lock, pseudo = crossing
        said.append(_capital(pseudo.across.replace("{lock}", lock.label)))
        if pseudo.sleeping and sleeps(lock, splat, meanings, nesting):
            sort = sort_of(lock, splat, meanings, nesting)
            said.append(_capital(pseudo.sleeping.replace("{sort}", sort).replace("{lock}", lock.label)))
    elif len(edges) == 1:
        said.append("The dependency chain is cut off, so the report does not show how the circle closes.")
    return tuple(said)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _paths(edges: tuple[Edge, ...], splat: Splat, meanings: Meanings) -> list[Section]:
    sections = []
    for number, edge in enumerate(edges, 1):
        when = "now" if edge.now else "it follows from where the lock was taken" if edge.inferred else "seen before"
        frames = path_of(edge.frames, meanings)
        if frames:
            asked = "wanted" if edge.now else "taken"
            heading = f"({number}) {edge.wanted.label} {asked} while {edge.held.label} is held, {when}"
            sections.append(Section(heading, _stack(frames), drawn=True))
    if not edges:
        sections += [
            Section(trace.title, _stack(path_of(trace.frames, meanings)), drawn=True) for trace in splat.traces[:8]
        ]
    return sections


def _stack(frames: list[Frame]) -> tuple[str, ...]:
    shown = [
        f"{frame.function}(){f' [{frame.module}]' if frame.module else ''}{' (inlined)' if frame.inline else ''}"
        for frame in frames[:_LONGEST_PATH]
    ]
    lines = [f"{'called by ' if number else ''}{text}" for number, text in enumerate(shown)]
    if len(frames) > _LONGEST_PATH:
        lines.append(f"and {len(frames) - _LONGEST_PATH} more, up to {frames[-1].function}()")
    return tuple(lines)


def _unique(splat: Splat) -> list[Lock]:
    found: dict[str, Lock] = {}
    for lock in locks_of(splat):
        known = found.get(lock.label)
        if known is None or (known.at is None and lock.at is not None):
            found[lock.label] = lock
    return list(found.values())[:_MOST_LOCKS]


def _names(splat: Splat, meanings: Meanings, nesting: Nesting) -> tuple[str, ...]:
    said = []
    for lock in _unique(splat):
        pseudo = meanings.pseudo(lock)
        wanted = splat.wanted is not None and splat.wanted.label == lock.label
        if pseudo is not None:
            waits = f" Wanting it means: {pseudo.waits}." if wanted else ""
            said.append(f"{lock.label}: {pseudo.stands}.{waits}")
            continue
        what = describe(lock, splat, meanings, nesting)
        owner = _owner(lock)
        taken = f"taken{_at(lock)}" if lock.at is not None and not wanted else ""
        parts = [part for part in (owner, what, taken) if part]
        if parts:
            said.append(f"{lock.label}: {'; '.join(parts)}.")
    return tuple(said)


def _owner(lock: Lock) -> str:
    """What the class name itself says: ``&kvm->lock`` is the member ``lock`` of what ``kvm`` points to."""
    name = lock.name.removeprefix("&")
    structure, arrow, member = name.rpartition("->")
    if not lock.name.startswith("&") or not arrow:
        return ""
    return f"the member {member} of what was called {structure} where it was initialised"


def _held(splat: Splat) -> tuple[str, ...]:
    lines = []
    for block in splat.held[:_MOST_LOCKS]:
        who = f"{block.task.comm}/{block.task.pid}"
        if block.count == 0:
            lines.append(f"{who}: none")
        for number, lock in enumerate(block.locks[:_MOST_LOCKS]):
            lines.append(f"{who} #{number} {_label(lock)}{_at(lock)}")
        if len(block.locks) < block.count:
            lines.append(f"{who}: {block.count} announced, {len(block.locks)} listed")
    return tuple(lines)


def _scenario(splat: Splat) -> tuple[str, ...]:
    if not splat.scenario:
        return ()
    left = max((len(step.action) for step in splat.scenario if step.where != "CPU1"), default=0) + 2
    two = any(step.where == "CPU1" for step in splat.scenario)
    lines = [f"{'CPU0':<{left}}CPU1" if two else "CPU0"]
    interrupted = False
    for step in splat.scenario:
        if step.where == "Interrupt" and not interrupted:
            lines.append("<Interrupt>")
            interrupted = True
        lines.append(f"{'':<{left}}{step.action}" if step.where == "CPU1" else step.action)
    return tuple(lines)


def _limits(splat: Splat) -> tuple[str, ...]:
    said = []
    if splat.truncated:
        said.append("The report is not complete: parts that it announces, or that its kind always has, are missing.")
    if splat.lockdep_off and splat.kind != "lockdep-limits":
        said.append("Lockdep was off or switched itself off: the list of held locks may be incomplete or missing.")
    if splat.fact("debug_locks") == "0":
        said.append("debug_locks = 0: an earlier report had switched lockdep off, so that this one may be false.")
    return tuple(said)


def _pseudos(splat: Splat, meanings: Meanings) -> list[Pseudo]:
    found = [pseudo for lock in _unique(splat) if (pseudo := meanings.pseudo(lock)) is not None]
    return list(dict.fromkeys(found))


def _rule(splat: Splat, meanings: Meanings) -> tuple[Source, ...]:
    """Where the rule of the kind is stated; for a call that may sleep inside a reader and nowhere else, RCU's."""
    kind = splat.kind
    if kind == "sleeping-function" and only_in_reader(splat):
        kind = "rcu-voluntary-switch"
    return tuple(
        source
        for source, about in meanings.kinds[kind].sources
        if not about or any(word in splat.header for word in about)
    )


def _sources(pseudo: Pseudo, splat: Splat) -> list[Source]:
    text = " ".join(
        part.lower()
        for lock in locks_of(splat)
        for part in (lock.name, lock.at.function if lock.at else "", lock.at.module if lock.at else "")
    )
    return [source for source, about in pseudo.sources if not about or any(word in text for word in about)]


def _takers(splat: Splat, edges: tuple[Edge, ...], meanings: Meanings) -> tuple[str, ...]:
    locks = list(locks_of(splat))
    names = [lock.at.function for lock in locks if lock.at is not None]
    names += [frame.function for edge in edges if (frame := taker(edge.frames, meanings)) is not None]
    # A bare "lock" or "mutex" is the member of too many structures to tell anything.
    names += [
        member
        for lock in locks
        if meanings.pseudo(lock) is None and "_" in (member := lock.name.rpartition(">")[2].removeprefix("&"))
    ]
    return tuple(dict.fromkeys(name.split(".")[0] for name in names))


def _functions(splat: Splat, edges: tuple[Edge, ...], meanings: Meanings) -> tuple[str, ...]:
    """Functions worth finding in a tree: where locks are taken, then the paths, without lockdep's own."""
    found = [lock.at for lock in locks_of(splat) if lock.at is not None]
    for edge in edges:
        found += path_of(edge.frames, meanings)[:_LONGEST_PATH]
    for trace in splat.traces:
        found += path_of(trace.frames, meanings)[:_LONGEST_PATH]
    names = [frame.function.split(".")[0] for frame in found if frame.function not in meanings.acquires]
    return tuple(dict.fromkeys(name for name in names if name and name not in meanings.noise))
