# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of locks: from kinds with the names of their primitives to each primitive with its kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reviewer.context.schema import LockKind
from reviewer.context.tablereader import TableReader
from reviewer.context.tables import LockCall, LockKinds, LockTables, Operation

_SUFFIXES = ("", "_irq", "_irqsave", "_irqrestore", "_bh")
_GUARDS = (("guards", ""), ("guards_irq", "irq"), ("guards_bh", "bh"))
Kinds = Mapping[str, LockKind]
"""The sections of locks.toml."""


def lock_tables(reader: TableReader, kinds: Kinds) -> LockTables:
    """What locks.toml says, by name. Raises CheckError."""
    calls = reader.once(_calls(reader, kinds))
    return LockTables(
        classes={kind: entry.class_ for kind, entry in kinds.items()},
        kinds=_kinds(reader, kinds),
        types=reader.once(
            (f"{kind}.types", name, kind)
            for kind, entry in kinds.items()
            for name in reader.words(f"{kind}.types", entry.types)
        ),
        locks=calls,
        named_locks=frozenset(call.name for call in calls.values() if call.name and not call.name.startswith("P0")),
        waits_for_readers=frozenset(
            name for kind, entry in kinds.items() for name in reader.words(f"{kind}.waits", entry.waits)
        ),
        locks_inside=reader.once(
            (f"{kind}.inside", name, (kind, lock))
            for kind, entry in kinds.items()
            for lock, given in entry.inside.items()
            for name in reader.words(f"{kind}.inside", given)
        ),
        lock_guards=reader.once(
            (f"{kind}.{key}", name, (kind, suffix))
            for kind, entry in kinds.items()
            for key, suffix in _GUARDS
            for name in reader.words(f"{kind}.{key}", getattr(entry, key))
        ),
        downgraded=_downgraded(reader, kinds),
    )


def _calls(reader: TableReader, kinds: Kinds) -> Iterator[tuple[str, str, LockCall]]:
    """(key, name, what it is) of each primitive."""
    for kind, entry in kinds.items():
        told: set[str] = set()
        for operation in Operation:
            for suffix in _SUFFIXES:
                key = operation.value + suffix
                names = getattr(entry, "try_" if key == "try" else key, "")
                for name in reader.words(f"{kind}.{key}", names):
                    told.add(name)
                    behind = suffix.lstrip("_").replace("irqrestore", "irqsave")
                    position, lock = entry.argument.get(name, 0), entry.names.get(name, "")
                    yield f"{kind}.{key}", name, LockCall(operation, kind, behind, position, lock)
        for key, given in (("argument", set(entry.argument)), ("names", set(entry.names))):
            for name in sorted(given - told):
                raise reader.wrong(f"{kind}.{key}", f"{name} is not a primitive of this kind")


def _kinds(reader: TableReader, kinds: Kinds) -> LockKinds:
    for kind, entry in kinds.items():
        if entry.writer and entry.writer not in kinds:
            raise reader.wrong(f"{kind}.writer", f"{entry.writer!r} is not a kind of lock")
    return LockKinds(
        titles={kind: entry.title for kind, entry in kinds.items()},
        exclusive=frozenset(kind for kind, entry in kinds.items() if entry.exclusive),
        shared=frozenset(kind for kind, entry in kinds.items() if entry.shared),
        fair=frozenset(kind for kind, entry in kinds.items() if entry.fair),
        handed_on=frozenset(kind for kind, entry in kinds.items() if entry.handed_on),
        writers={kind: entry.writer for kind, entry in kinds.items() if entry.writer},
    )


def _downgraded(reader: TableReader, kinds: Kinds) -> dict[str, str]:
    for kind, entry in kinds.items():
        if bool(entry.downgrade) != (entry.downgraded in kinds):
            raise reader.wrong(f"{kind}.downgraded", f"{entry.downgraded!r} is not a kind of lock")
    return {kind: entry.downgraded for kind, entry in kinds.items() if entry.downgraded}
