# SPDX-License-Identifier: GPL-2.0-or-later
"""Read the TOML tables beside the checks; what is not as it should be is named with its file and key."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from reviewer.context.schema import (
    COUNTERS,
    ContextTable,
    EffectsTable,
    EntriesTable,
    LockKind,
    ObjectEntry,
    Operations,
    OperationsTable,
    RegistrationEntry,
    RequiresTable,
    Watching,
)
from reviewer.context.tables import (
    Api,
    Callbacks,
    Demands,
    HrTimerCalls,
    LockCall,
    LockKinds,
    Member,
    Operation,
    OrderDocument,
    Registration,
    Transitions,
)
from reviewer.errors import CheckError
from reviewer.tomltable import read_table

TABLES = ("locks", "context", "effects", "entries", "operations", "requires")
_NAME = re.compile(r"[A-Za-z_]\w*")

_T = TypeVar("_T")


class _Reader:
    """Takes the tables of one folder apart; an error names the file and the key."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def wrong(self, table: str, key: str, what: str) -> CheckError:
        return CheckError(
            f"{self._folder / table}.toml: {key}: {what}; mend the table, or reinstall the program if it is not yours"
        )

    def words(self, table: str, key: str, text: str) -> list[str]:
        """The names in ``text``, each of which is to be a C identifier and to stand there once."""
        found = text.split()
        for word in found:
            if not _NAME.fullmatch(word):
                raise self.wrong(table, key, f"{word!r} is not a name")
            if found.count(word) > 1:
                raise self.wrong(table, key, f"{word} stands there twice")
        return found

    def pattern(self, table: str, key: str, patterns: Iterable[str]) -> re.Pattern[str]:
        """One pattern that matches where one of ``patterns`` does."""
        for text in patterns:
            try:
                re.compile(text)
            except re.error as error:
                raise self.wrong(table, key, f"{text!r} is not a regular expression: {error}") from error
        return re.compile("|".join(patterns))

    def once(self, table: str, found: Iterable[tuple[str, str, _T]]) -> dict[str, _T]:
        """Name to value of triples (key, name, value); a name under two keys is an error."""
        values: dict[str, _T] = {}
        keys: dict[str, str] = {}
        for key, name, value in found:
            if name in values:
                raise self.wrong(table, key, f"{name} stands in {keys[name]} already")
            keys[name], values[name] = key, value
        return values

    def lock_calls(self, table: Mapping[str, LockKind]) -> dict[str, LockCall]:
        return self.once("locks", self._lock_calls(table))

    def _lock_calls(self, table: Mapping[str, LockKind]) -> Iterator[tuple[str, str, LockCall]]:
        for kind, entry in table.items():
            told: set[str] = set()
            for operation in Operation:
                for suffix in ("", "_irq", "_irqsave", "_irqrestore", "_bh"):
                    key = operation.value + suffix
                    names = getattr(entry, "try_" if key == "try" else key, "")
                    for name in self.words("locks", f"{kind}.{key}", names):
                        told.add(name)
                        behind = suffix.lstrip("_").replace("irqrestore", "irqsave")
                        position, lock = entry.argument.get(name, 0), entry.names.get(name, "")
                        yield f"{kind}.{key}", name, LockCall(operation, kind, behind, position, lock)
            for key, given in (("argument", set(entry.argument)), ("names", set(entry.names))):
                for name in sorted(given - told):
                    raise self.wrong("locks", f"{kind}.{key}", f"{name} is no primitive of this kind")

    def locks_inside(self, table: Mapping[str, LockKind]) -> dict[str, tuple[str, str]]:
        return self.once(
            "locks",
            (
                (f"{kind}.inside", name, (kind, lock))
                for kind, entry in table.items()
                for lock, given in entry.inside.items()
                for name in self.words("locks", f"{kind}.inside", given)
            ),
        )

    def lock_guards(self, table: Mapping[str, LockKind]) -> dict[str, tuple[str, str]]:
        return self.once(
            "locks",
            (
                (f"{kind}.{key}", name, (kind, suffix))
                for kind, entry in table.items()
                for key, suffix in (("guards", ""), ("guards_irq", "irq"), ("guards_bh", "bh"))
                for name in self.words("locks", f"{kind}.{key}", getattr(entry, key))
            ),
        )

    def kinds(self, table: Mapping[str, LockKind]) -> LockKinds:
        for kind, entry in table.items():
            if entry.writer and entry.writer not in table:
                raise self.wrong("locks", f"{kind}.writer", f"{entry.writer!r} is no kind of lock")
        return LockKinds(
            titles={kind: entry.title for kind, entry in table.items()},
            exclusive=frozenset(kind for kind, entry in table.items() if entry.exclusive),
            shared=frozenset(kind for kind, entry in table.items() if entry.shared),
            fair=frozenset(kind for kind, entry in table.items() if entry.fair),
            handed_on=frozenset(kind for kind, entry in table.items() if entry.handed_on),
            writers={kind: entry.writer for kind, entry in table.items() if entry.writer},
        )

    def downgraded(self, table: Mapping[str, LockKind]) -> dict[str, str]:
        for kind, entry in table.items():
            if bool(entry.downgrade) != (entry.downgraded in table):
                raise self.wrong("locks", f"{kind}.downgraded", f"{entry.downgraded!r} is no kind of lock")
        return {kind: entry.downgraded for kind, entry in table.items() if entry.downgraded}

    def types(self, table: Mapping[str, LockKind]) -> dict[str, str]:
        return self.once(
            "locks",
            (
                (f"{kind}.types", name, kind)
                for kind, entry in table.items()
                for name in self.words("locks", f"{kind}.types", entry.types)
            ),
        )

    def by_key(self, table: str, section: str, values: Mapping[str, str]) -> dict[str, str]:
        """Name to the key under which it stands."""
        return self.once(
            table,
            (
                (f"{section}.{key}", name, key)
                for key, names in values.items()
                for name in self.words(table, f"{section}.{key}", names)
            ),
        )

    def counters(self, section: str, given: Mapping[str, Mapping[str, int]], known: frozenset[str]) -> None:
        for name, changes in given.items():
            for counter in changes:
                if counter not in known:
                    raise self.wrong("context", f"{section}.{name}", f"{counter} is not a counter")

    def registrations(self, table: EntriesTable) -> tuple[Registration, ...]:
        found: list[Registration] = []
        sections: tuple[tuple[str, Sequence[RegistrationEntry | ObjectEntry]], ...] = (
            ("registration", table.registration),
            ("object", table.object),
        )
        for section, entries in sections:
            for number, entry in enumerate(entries, 1):
                place = f"{section} {number}"
                position = entry.object if isinstance(entry, ObjectEntry) else entry.function
                for name in sorted(set(entry.flags_at) - set(position)):
                    raise self.wrong("entries", f"{place}, flags_at", f"{name} is no call of this entry")
                flagged = [
                    (self.pattern("entries", f"{place}, flagged", [text]), kind) for text, kind in entry.flagged.items()
                ]
                member, holds = (entry.member, "") if isinstance(entry, ObjectEntry) else ("", entry.holds)
                unless = () if isinstance(entry, ObjectEntry) else tuple(entry.unless.split())
                found.append(Registration(position, member, entry.kind, entry.flags_at, tuple(flagged), holds, unless))
        return tuple(found)

    def member(self, entry: Operations) -> Member:
        indexed = [(self.pattern("operations", "indexed", [text]), kind) for text, kind in entry.indexed.items()]
        return Member(entry.kind, entry.assigned, entry.unless, tuple(indexed), entry.holds)

    def members(self, table: OperationsTable) -> dict[str, Member]:
        return self.once(
            "operations",
            (
                (entry.structure, f"{entry.structure}.{name}", self.member(entry))
                for entry in table.operations
                for name in self.words("operations", entry.structure, entry.members)
            ),
        )


def _hands_over(entries: EntriesTable) -> dict[str, frozenset[int]]:
    """Where each call that registers a function has it."""
    given = [item for entry in entries.registration for item in entry.function.items()]
    return {name: frozenset(at for each, at in given if each == name) for name, _ in given}


def _check_roles(reader: _Reader, api: Api) -> None:
    """Each name changes the context in one way and has one effect at most."""
    changes = {
        "locks.toml": set(api.locks),
        "context.toml, counters": set(api.counters),
        "context.toml, irq": set(api.irq),
        "context.toml, eqs": set(api.eqs),
        "context.toml, predicates": set(api.predicates),
    }
    effects = {
        "locks.toml": set(api.locks),
        "sleeps.always": set(api.sleeps),
        "sleeps.unless": set(api.sleeps_unless),
        "sleeps.user": set(api.user_access),
        "sleeps.drops_lock": set(api.drops_lock),
        "sleeps.drops_queue_lock": set(api.drops_queue_lock),
        "sleeps.between_looks": set(api.sleeps_between),
        "sleeps.preempt_disabled": set(api.sleeps_preempt_disabled),
        "sleeps.conditional": set(api.sleeps_if),
        "allocators": set(api.allocators),
        "frees": set(api.frees),
        "spinlocks": set(api.spinlock_takers),
        "interrupts": set(api.handles_irq),
    }
    for table, groups in (("context", changes), ("effects", effects)):
        places = list(groups)
        for at, place in enumerate(places):
            for other in places[at + 1 :]:
                for name in sorted(groups[place] & groups[other]):
                    raise reader.wrong(table, other, f"{name} stands in {place} too")


def tables_digest(folder: Path) -> str:
    """A digest of the tables of ``folder``: what is computed with others is not the same. Raises CheckError."""
    digest = hashlib.sha256()
    for name in TABLES:
        path = folder / f"{name}.toml"
        try:
            digest.update(path.read_bytes())
        except OSError as error:
            raise CheckError(f"cannot read the table {path}: {error}; reinstall the program") from error
    return digest.hexdigest()


def _demands(reader: _Reader, table: RequiresTable) -> Demands:
    return Demands(
        held=table.held,
        exclusive=table.exclusive,
        condition=table.condition,
        violated=table.violated,
        reader=table.reader,
        walk=table.walk,
        srcu=table.srcu,
        fixed=table.fixed,
        named=table.named,
        tests=reader.by_key("requires", "tests", msgspec.structs.asdict(table.tests)),
        context=reader.by_key("requires", "context", msgspec.structs.asdict(table.context)),
        wrappers=reader.pattern("requires", "wrappers.pattern", [table.wrappers.pattern]),
        takers=reader.pattern("requires", "takers.pattern", [table.takers.pattern]),
        roots={name: table.roots.holds.get(name, "") for name in table.roots.members.split()},
    )


def _transitions(reader: _Reader, table: ContextTable) -> Transitions:
    given = table.transitions

    def names(key: str, text: str) -> frozenset[str]:
        return frozenset(reader.words("context", f"transitions.{key}", text))

    return Transitions(
        by_hand=names("by_hand", given.by_hand),
        asks=names("asks", given.asks),
        enters=names("enters", given.enters),
        leaves=names("leaves", given.leaves),
        core=tuple(given.core.split()),
        last=names("last", given.last),
        readers=reader.pattern("context", "transitions.readers", [given.readers]),
        traces=reader.pattern("context", "transitions.traces", [given.traces]),
        deprecated=given.deprecated,
        guest=names("guest", given.guest),
        not_into_guest=frozenset(given.not_into_guest.split()),
    )


def load_tables(folder: Path) -> Api:
    """Read the tables of ``folder``. Raises CheckError, which names file and key, where one is not as it should be."""
    locks = read_table(folder / "locks.toml", dict[str, LockKind])
    context = read_table(folder / "context.toml", ContextTable)
    effects = read_table(folder / "effects.toml", EffectsTable)
    entries = read_table(folder / "entries.toml", EntriesTable)
    operations = read_table(folder / "operations.toml", OperationsTable)
    requires = read_table(folder / "requires.toml", RequiresTable)
    reader = _Reader(folder)
    sleeps, decisions = effects.sleeps, effects.decisions
    irq = msgspec.structs.asdict(context.irq)
    irq_guards, irq_untraced = irq.pop("guards"), irq.pop("untraced")
    for section, given in (("counters", context.counters), ("guards", context.guards)):
        reader.counters(section, given, COUNTERS)

    def names(table: str, key: str, text: str) -> frozenset[str]:
        return frozenset(reader.words(table, key, text))

    members = reader.members(operations)
    api = Api(
        classes={kind: entry.class_ for kind, entry in locks.items()},
        kinds=reader.kinds(locks),
        types=reader.types(locks),
        locks=reader.lock_calls(locks),
        named_locks=frozenset(
            call.name for call in reader.lock_calls(locks).values() if call.name and not call.name.startswith("P0")
        ),
        waits_for_readers=frozenset(
            name for kind, entry in locks.items() for name in reader.words("locks", f"{kind}.waits", entry.waits)
        ),
        waits_for_handlers=names("effects", "waits.handlers", effects.waits.handlers),
        hrtimers=HrTimerCalls(
            effects.hrtimers.set_up, effects.hrtimers.start, names("effects", "hrtimers.wait", effects.hrtimers.wait)
        ),
        locks_inside=reader.locks_inside(locks),
        lock_guards=reader.lock_guards(locks),
        downgraded=reader.downgraded(locks),
        counters=context.counters,
        counter_guards=context.guards,
        irq=reader.by_key("context", "irq", irq),
        irq_guards=names("context", "irq.guards", irq_guards),
        irq_untraced=names("context", "irq.untraced", irq_untraced),
        eqs={
            name: Watching[key.upper()]
            for name, key in reader.by_key("context", "eqs", msgspec.structs.asdict(context.eqs)).items()
        },
        transitions=_transitions(reader, context),
        callbacks=tuple(
            Callbacks(each.structure, each.begins, each.ends, frozenset(each.never.split()))
            for each in context.callbacks
        ),
        predicates=reader.by_key("context", "predicates", msgspec.structs.asdict(context.predicates)),
        error_pointers=reader.by_key("context", "errors", msgspec.structs.asdict(context.errors)),
        taken_out=names("context", "taken_out.names", context.taken_out.names),
        stores=names("context", "stores.names", context.stores.names),
        clears=names("context", "clears.names", context.clears.names),
        alone=context.alone,
        exclusive_questions={
            name: tuple(other for other in group.split() if other != name)
            for group in context.questions.exclusive
            for name in group.split()
        },
        steady=names("context", "questions.steady", context.questions.steady),
        sleeps=frozenset(reader.by_key("effects", "sleeps.always", sleeps.always)),
        sleep_pattern=reader.pattern("effects", "sleeps.patterns", sleeps.patterns),
        sleeps_unless=reader.by_key("effects", "sleeps.unless", sleeps.unless),
        user_access=names("effects", "sleeps.user", sleeps.user),
        kernel_iterators=names("effects", "sleeps.kernel_iterators", sleeps.kernel_iterators),
        drops_lock=sleeps.drops_lock,
        drops_queue_lock=sleeps.drops_queue_lock,
        sleeps_between=sleeps.between_looks,
        sleeps_voluntarily=names("effects", "sleeps.voluntary", sleeps.voluntary),
        sleeps_preempt_disabled=names("effects", "sleeps.preempt_disabled", sleeps.preempt_disabled),
        sleeps_if=names("effects", "sleeps.conditional", sleeps.conditional),
        allocators={**effects.allocators, **effects.optional_gfp},
        optional_gfp=frozenset(effects.optional_gfp),
        spinlock_takers=names("effects", "spinlocks.names", effects.spinlocks.names),
        irqsafe_owners=names("effects", "spinlocks.irqsafe", effects.spinlocks.irqsafe),
        seqcount_writers=names("effects", "seqcounts.writers", effects.seqcounts.writers),
        plain_seqcount=effects.seqcounts.plain,
        frees=names("effects", "frees.names", effects.frees.names),
        frees_at_once=names("effects", "frees.at_once", effects.frees.at_once),
        blocking_gfp=names("effects", "gfp.blocking", effects.gfp.blocking),
        atomic_gfp=names("effects", "gfp.atomic", effects.gfp.atomic),
        lookup=reader.pattern("effects", "decisions.lookup", [decisions.lookup]),
        insert=reader.pattern("effects", "decisions.insert", [decisions.insert]),
        insert_checks=reader.pattern("effects", "decisions.insert_checks", [decisions.insert_checks]),
        remove=reader.pattern("effects", "decisions.remove", [decisions.remove]),
        handles_irq=names("effects", "interrupts.handle", effects.interrupts.handle),
        instrumented=reader.pattern("effects", "instrumented.patterns", effects.instrumented.patterns),
        untraced_twins=tuple(effects.instrumented.twins),
        rcu_iterators=effects.rcu.iterators,
        rcu_frees=names("effects", "rcu.frees", effects.rcu.frees),
        cpu_pinned=effects.percpu.pinned,
        cpu_anywhere=tuple(effects.percpu.anywhere.split()),
        own_cpu=reader.pattern("effects", "percpu.own", [effects.percpu.own]),
        bound_to_cpu=re.compile(
            rf"\b(?:{reader.pattern('effects', 'percpu.bound', [effects.percpu.bound]).pattern})\b".encode()
        ),
        unlinks=reader.pattern("effects", "rcu.unlinks", [effects.rcu.unlinks]),
        asks_running=reader.pattern("effects", "rcu.offline.asked", [effects.rcu.offline.asked]),
        of_cpu=re.compile(
            rf"\b(?:{reader.pattern('effects', 'rcu.offline.own', [effects.rcu.offline.own]).pattern})\((.*)\)"
        ),
        rcu_pointers=reader.pattern("effects", "rcu.pointers", [effects.rcu.pointers]),
        srcu_pointers=effects.rcu.srcu_pointers,
        last_reference=reader.pattern("effects", "rcu.last_reference", [effects.rcu.last_reference]),
        not_last_reference=reader.pattern("effects", "rcu.not_last_reference", [effects.rcu.not_last_reference]),
        lowers_reference=reader.pattern(
            "effects", "rcu.lowers_reference", [effects.rcu.lowers_reference, effects.rcu.last_reference]
        ),
        for_readers=effects.rcu.for_readers,
        keeps=reader.pattern("effects", "rcu.keeps", [effects.rcu.keeps]),
        takes_reference=reader.pattern("effects", "rcu.references", [effects.rcu.references]),
        task_set=names("context", "task.set", context.task.set),
        task_running=names("context", "task.running", context.task.running),
        handed_on=names("effects", "handed_on.members", effects.handed_on.members),
        opaque=reader.pattern("effects", "opaque.patterns", effects.opaque.patterns),
        definers=reader.once(
            "entries",
            (
                (f"definers.{kind}", name, kind)
                for kind, given in entries.definers.items()
                for name in reader.words("entries", f"definers.{kind}", given)
            ),
        ),
        registrations=reader.registrations(entries),
        hands_over=_hands_over(entries),
        orders=tuple(OrderDocument(each.document, tuple(each.folders), each.types) for each in context.orders),
        elsewhere={folder: names("context", "elsewhere", text) for folder, text in context.elsewhere.items()},
        demands=_demands(reader, requires),
        members=members,
        allowing=frozenset(member.unless.encode() for member in members.values() if member.unless),
        fields=frozenset(name.partition(".")[2] for name in members),
        assigned={
            name.partition(".")[2]: (name.partition(".")[0], member)
            for name, member in members.items()
            if member.assigned
        },
        structure_definers={entry.definer: entry.structure for entry in operations.operations if entry.definer},
        positions={
            (entry.structure, entry.position): Member(entry.kind, entry.assigned, entry.unless)
            for entry in operations.operations
            if entry.position is not None
        },
    )
    for name in sorted(set(effects.allocators) & set(effects.optional_gfp)):
        raise reader.wrong("effects", "optional_gfp", f"{name} stands in allocators too")
    _check_roles(reader, api)
    return api
