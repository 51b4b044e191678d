# SPDX-License-Identifier: GPL-2.0-or-later
"""What reports and the names in them mean: the tables ``splats.toml`` and ``pseudolocks.toml`` beside the checks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import msgspec

from reviewer.errors import CheckError
from reviewer.model import Source
from reviewer.splat.kinds import IDS
from reviewer.splat.records import Frame, Lock
from reviewer.tomltable import read_table


class _Place(msgspec.Struct, forbid_unknown_fields=True):
    path: str
    anchor: str
    section: str = ""
    about: list[str] = []


class _Kind(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    title: str
    means: str
    config: str = ""
    place: str = ""
    sources: list[_Place] = []


class _Kinds(msgspec.Struct, forbid_unknown_fields=True):
    functions: dict[str, str]
    locks: dict[str, list[str]]
    architectures: dict[str, str]
    kind: list[_Kind]


class _Pseudo(msgspec.Struct, forbid_unknown_fields=True):
    names: list[str]
    stands: str
    waits: str
    within: list[str] = []
    across: str = ""
    sleeping: str = ""
    sources: list[_Place] = []


class _Pseudos(msgspec.Struct, forbid_unknown_fields=True):
    pseudo: list[_Pseudo]


@dataclass(frozen=True, slots=True)
class KindMeaning:
    """A kind of report: a title, what it says, the option that a kernel needs for it, and where its rule is stated.

    Each source goes with words of which one has to stand in the first line of the report, none for any report.
    ``place`` matches what stands on the line of source that such a report names; None where none is looked for.
    """

    id: str
    title: str
    means: str
    config: str
    sources: tuple[tuple[Source, tuple[str, ...]], ...]
    place: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class Pseudo:
    """A name that lockdep prints like a lock. ``stands`` and ``waits`` say what holding and wanting it mean.

    ``across`` (and ``sleeping``, for a lock that sleeps) is said of a lock that was taken inside it and is still held
    when it is wanted again. ``sources`` are where the tree says so, each with words of which one has to stand in the
    report.
    """

    names: re.Pattern[str]
    stands: str
    waits: str
    within: re.Pattern[str] | None
    across: str = ""
    sleeping: str = ""
    sources: tuple[tuple[Source, tuple[str, ...]], ...] = ()

    def covers(self, frame: Frame | None) -> bool:
        """Whether what runs in ``frame`` runs while this is held."""
        return frame is not None and self.within is not None and self.within.fullmatch(frame.function) is not None


@dataclass(frozen=True, slots=True)
class Meanings:
    """Both tables. ``acquires`` maps a function to what it takes, ``types`` a well-known class to its type."""

    kinds: dict[str, KindMeaning]
    pseudos: tuple[Pseudo, ...]
    acquires: dict[str, str]
    types: dict[str, str]
    noise: frozenset[str]
    architectures: tuple[tuple[str, re.Pattern[str]], ...] = ()

    def architecture(self, function: str) -> str:
        """The architecture on which alone a function of that name shows up in traces; empty where none is known."""
        return next((name for name, functions in self.architectures if functions.fullmatch(function)), "")

    def pseudo(self, lock: Lock) -> Pseudo | None:
        """What a name stands for where it is no ordinary lock; a lock with a type of its own is one."""
        if lock.wait is not None and lock.wait.inner > 0 and lock.wait.outer != 1:
            return None
        return next((pseudo for pseudo in self.pseudos if pseudo.names.fullmatch(lock.name)), None)


def load_meanings(folder: Path) -> Meanings:
    """The tables in ``folder``; CheckError names what is wrong with one."""
    kinds = read_table(folder / "splats.toml", _Kinds)
    missing = set(IDS) ^ {kind.id for kind in kinds.kind}
    if missing:
        raise CheckError(
            f"{folder / 'splats.toml'}: {', '.join(sorted(missing))}: either not described or not known as a kind of "
            "report; mend the table or reinstall the program"
        )
    return Meanings(
        {
            kind.id: KindMeaning(
                kind.id,
                kind.title,
                kind.means,
                kind.config,
                _sources(kind.sources),
                _pattern(folder, "splats", [kind.place]) if kind.place else None,
            )
            for kind in kinds.kind
        },
        tuple(_pseudo(folder, entry) for entry in read_table(folder / "pseudolocks.toml", _Pseudos).pseudo),
        {name: what for what, names in kinds.functions.items() if what != "noise" for name in names.split()},
        {name: what for what, names in kinds.locks.items() for name in names},
        frozenset(kinds.functions.get("noise", "").split()),
        tuple((name, _pattern(folder, "splats", [text])) for name, text in kinds.architectures.items()),
    )


def _sources(places: list[_Place]) -> tuple[tuple[Source, tuple[str, ...]], ...]:
    return tuple((Source(place.path, place.anchor, place.section), tuple(place.about)) for place in places)


def _pattern(folder: Path, name: str, patterns: list[str]) -> re.Pattern[str]:
    try:
        return re.compile("|".join(patterns))
    except re.error as error:
        raise CheckError(f"{folder / name}.toml: {patterns}: {error}; mend the table") from error


def _pseudo(folder: Path, entry: _Pseudo) -> Pseudo:
    names = _pattern(folder, "pseudolocks", entry.names)
    within = _pattern(folder, "pseudolocks", entry.within) if entry.within else None
    return Pseudo(names, entry.stands, entry.waits, within, entry.across, entry.sleeping, _sources(entry.sources))
