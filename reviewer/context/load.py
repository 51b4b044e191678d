# SPDX-License-Identifier: GPL-2.0-or-later
"""Read the TOML tables beside the checks; what is not as it should be is named with its file and key."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import fields
from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec

from reviewer.context.loadlocks import lock_tables
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
    RoleEntry,
    Watching,
)
from reviewer.context.tablereader import TableReader
from reviewer.context.tables import (
    Api,
    Callbacks,
    ContextTables,
    DeclaredCalls,
    Demands,
    EffectTables,
    EntryTables,
    HrTimerCalls,
    LockTables,
    Member,
    MemberTables,
    OrderDocument,
    Registration,
    Role,
    Transitions,
)
from reviewer.errors import CheckError
from reviewer.tomltable import read_table

TABLES = ("locks", "context", "effects", "entries", "operations", "requires")


def load_tables(folder: Path) -> Api:
    """Read the tables of ``folder``. Raises CheckError, which names file and key, where one is not as it should be."""
    readers = {name: TableReader(folder, name) for name in TABLES}
    parts: tuple[LockTables | ContextTables | EffectTables | EntryTables | MemberTables, ...] = (
        lock_tables(readers["locks"], read_table(folder / "locks.toml", dict[str, LockKind])),
        _context(readers["context"], read_table(folder / "context.toml", ContextTable)),
        _effects(readers["effects"], read_table(folder / "effects.toml", EffectsTable)),
        _entries(readers["entries"], read_table(folder / "entries.toml", EntriesTable)),
        _members(readers["operations"], read_table(folder / "operations.toml", OperationsTable)),
    )
    demands = _demands(readers["requires"], read_table(folder / "requires.toml", RequiresTable))
    known: dict[str, Any] = {field.name: getattr(part, field.name) for part in parts for field in fields(part)}
    api = Api(demands=demands, **known)
    _check_roles(readers, api)
    return api


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


def _context(reader: TableReader, table: ContextTable) -> ContextTables:
    for section, given in (("counters", table.counters), ("guards", table.guards)):
        for name, changes in given.items():
            for counter in sorted(changes.keys() - COUNTERS):
                raise reader.wrong(f"{section}.{name}", f"{counter} is not a counter")
    irq = msgspec.structs.asdict(table.irq)
    irq_guards, irq_untraced = irq.pop("guards"), irq.pop("untraced")
    return ContextTables(
        counters=table.counters,
        counter_guards=table.guards,
        irq=reader.by_key("irq", irq),
        irq_guards=reader.names("irq.guards", irq_guards),
        irq_untraced=reader.names("irq.untraced", irq_untraced),
        eqs={name: Watching[key.upper()] for name, key in reader.by_key("eqs", table.eqs).items()},
        transitions=_transitions(reader, table),
        callbacks=tuple(
            Callbacks(each.structure, each.begins, each.ends, frozenset(each.never.split())) for each in table.callbacks
        ),
        predicates=reader.by_key("predicates", table.predicates),
        error_pointers=reader.by_key("errors", table.errors),
        claims=reader.names("claims.names", table.claims.names),
        quiet=reader.pattern("quiet.pattern", table.quiet.pattern),
        taken_out=reader.names("taken_out.names", table.taken_out.names),
        listed=reader.names("listed.names", table.listed.names),
        stores=reader.names("stores.names", table.stores.names),
        converts=reader.names("converts.names", table.converts.names),
        clears=reader.names("clears.names", table.clears.names),
        alone=table.alone,
        raised_in_panic=reader.names("panic.raised", table.panic.raised),
        exclusive_questions={
            name: tuple(other for other in group.split() if other != name)
            for group in table.questions.exclusive
            for name in group.split()
        },
        steady=reader.names("questions.steady", table.questions.steady),
        task_set=reader.names("task.set", table.task.set),
        task_running=reader.names("task.running", table.task.running),
        orders=tuple(OrderDocument(each.document, tuple(each.folders), each.types) for each in table.orders),
        elsewhere={folder: reader.names("elsewhere", text) for folder, text in table.elsewhere.items()},
    )


def _transitions(reader: TableReader, table: ContextTable) -> Transitions:
    given = table.transitions
    return Transitions(
        by_hand=reader.names("transitions.by_hand", given.by_hand),
        asks=reader.names("transitions.asks", given.asks),
        enters=reader.names("transitions.enters", given.enters),
        leaves=reader.names("transitions.leaves", given.leaves),
        core=tuple(given.core.split()),
        last=reader.names("transitions.last", given.last),
        readers=reader.pattern("transitions.readers", given.readers),
        traces=reader.pattern("transitions.traces", given.traces),
        deprecated=given.deprecated,
        guest=reader.names("transitions.guest", given.guest),
        not_into_guest=frozenset(given.not_into_guest.split()),
    )


def _effects(reader: TableReader, table: EffectsTable) -> EffectTables:
    sleeps, decisions, rcu, percpu = table.sleeps, table.decisions, table.rcu, table.percpu
    for name in sorted(set(table.allocators) & set(table.optional_gfp)):
        raise reader.wrong("optional_gfp", f"{name} stands in allocators too")
    return EffectTables(
        sleeps=frozenset(reader.by_key("sleeps.always", sleeps.always)),
        sleep_pattern=reader.pattern("sleeps.patterns", *sleeps.patterns),
        sleeps_unless=reader.by_key("sleeps.unless", sleeps.unless),
        sleeps_declared=DeclaredCalls(
            reader.names("sleeps.declared.calls", sleeps.declared.calls),
            sleeps.declared.structure,
            reader.names("sleeps.declared.words", sleeps.declared.words),
        ),
        user_access=reader.names("sleeps.user", sleeps.user),
        others_user=reader.names("sleeps.others_user", sleeps.others_user),
        kernel_iterators=reader.names("sleeps.kernel_iterators", sleeps.kernel_iterators),
        drops_lock=sleeps.drops_lock,
        drops_queue_lock=sleeps.drops_queue_lock,
        sleeps_between=sleeps.between_looks,
        sleeps_voluntarily=reader.names("sleeps.voluntary", sleeps.voluntary),
        sleeps_not_at_restart=reader.names("sleeps.not_at_restart", sleeps.not_at_restart),
        sleeps_preempt_disabled=reader.names("sleeps.preempt_disabled", sleeps.preempt_disabled),
        sleeps_if=reader.names("sleeps.conditional", sleeps.conditional),
        waits_for_handlers=reader.names("waits.handlers", table.waits.handlers),
        hrtimers=HrTimerCalls(
            table.hrtimers.set_up, table.hrtimers.start, reader.names("hrtimers.wait", table.hrtimers.wait)
        ),
        allocators={**table.allocators, **table.optional_gfp},
        optional_gfp=frozenset(table.optional_gfp),
        frees=reader.names("frees.names", table.frees.names),
        frees_at_once=reader.names("frees.at_once", table.frees.at_once),
        blocking_gfp=reader.names("gfp.blocking", table.gfp.blocking),
        atomic_gfp=reader.names("gfp.atomic", table.gfp.atomic),
        gfp_decides=table.gfp.decides,
        spinlock_takers=reader.names("spinlocks.names", table.spinlocks.names),
        irqsafe_owners=reader.names("spinlocks.irqsafe", table.spinlocks.irqsafe),
        seqcount_writers=reader.names("seqcounts.writers", table.seqcounts.writers),
        plain_seqcount=table.seqcounts.plain,
        lookup=reader.pattern("decisions.lookup", decisions.lookup),
        insert=reader.pattern("decisions.insert", decisions.insert),
        insert_checks=reader.pattern("decisions.insert_checks", decisions.insert_checks),
        remove=reader.pattern("decisions.remove", decisions.remove),
        handles_irq=reader.names("interrupts.handle", table.interrupts.handle),
        instrumented=reader.pattern("instrumented.patterns", *table.instrumented.patterns),
        untraced_twins=tuple(table.instrumented.twins),
        own_cpu=reader.pattern("percpu.own", percpu.own),
        cpu_pinned=percpu.pinned,
        cpu_anywhere=tuple(percpu.anywhere.split()),
        bound_to_cpu=re.compile(rf"\b(?:{reader.pattern('percpu.bound', percpu.bound).pattern})\b".encode()),
        rcu_iterators=rcu.iterators,
        rcu_pointers=reader.pattern("rcu.pointers", rcu.pointers),
        srcu_pointers=rcu.srcu_pointers,
        rcu_frees=reader.names("rcu.frees", rcu.frees),
        unlinks=reader.pattern("rcu.unlinks", rcu.unlinks),
        asks_running=reader.pattern("rcu.offline.asked", rcu.offline.asked),
        of_cpu=re.compile(rf"\b(?:{reader.pattern('rcu.offline.own', rcu.offline.own).pattern})\((.*)\)"),
        last_reference=reader.pattern("rcu.last_reference", rcu.last_reference),
        not_last_reference=reader.pattern("rcu.not_last_reference", rcu.not_last_reference),
        lowers_reference=reader.pattern("rcu.lowers_reference", rcu.lowers_reference, rcu.last_reference),
        raises_reference=reader.pattern("rcu.raises_reference", rcu.raises_reference),
        makes=reader.pattern("rcu.makes", rcu.makes),
        gives_back=reader.pattern("rcu.gives_back", rcu.gives_back),
        keeps=reader.pattern("rcu.keeps", rcu.keeps),
        takes_reference=reader.pattern("rcu.references", rcu.references),
        for_readers=rcu.for_readers,
        handed_on=reader.names("handed_on.members", table.handed_on.members),
        opaque=reader.pattern("opaque.patterns", *table.opaque.patterns),
    )


def _entries(reader: TableReader, table: EntriesTable) -> EntryTables:
    given = [item for entry in table.registration for item in entry.function.items()]
    return EntryTables(
        definers=reader.once(
            (f"definers.{kind}", name, kind)
            for kind, names in table.definers.items()
            for name in reader.words(f"definers.{kind}", names)
        ),
        registrations=tuple(_registrations(reader, table)),
        hands_over={name: frozenset(at for each, at in given if each == name) for name, _ in given},
    )


def _registrations(reader: TableReader, table: EntriesTable) -> Iterator[Registration]:
    sections: tuple[tuple[str, Sequence[RegistrationEntry | ObjectEntry]], ...] = (
        ("registration", table.registration),
        ("object", table.object),
    )
    for section, entries in sections:
        for number, entry in enumerate(entries, 1):
            place = f"{section} {number}"
            position = entry.object if isinstance(entry, ObjectEntry) else entry.function
            for name in sorted(set(entry.flags_at) - set(position)):
                raise reader.wrong(f"{place}, flags_at", f"{name} is not a call of this entry")
            flagged = [(reader.pattern(f"{place}, flagged", text), kind) for text, kind in entry.flagged.items()]
            if isinstance(entry, ObjectEntry):
                yield Registration(position, entry.member, entry.kind, entry.flags_at, tuple(flagged))
                continue
            yield Registration(
                position,
                "",
                entry.kind,
                entry.flags_at,
                tuple(flagged),
                entry.holds,
                tuple(entry.unless.split()),
                entry.no_user,
                reader.names(f"{place}, started_by", entry.started_by),
                reader.names(f"{place}, stopped_by", entry.stopped_by),
            )


def _members(reader: TableReader, table: OperationsTable) -> MemberTables:
    members = reader.once(
        (entry.structure, f"{entry.structure}.{name}", _member(reader, entry))
        for entry in table.operations
        for name in reader.words(entry.structure, entry.members)
    )
    return MemberTables(
        members=members,
        fields=frozenset(name.partition(".")[2] for name in members),
        allowing=frozenset(member.unless.encode() for member in members.values() if member.unless),
        assigned={
            name.partition(".")[2]: (name.partition(".")[0], member)
            for name, member in members.items()
            if member.assigned
        },
        positions={
            (entry.structure, entry.position): Member(entry.kind, entry.assigned, entry.unless)
            for entry in table.operations
            if entry.position is not None
        },
        structure_definers={entry.definer: entry.structure for entry in table.operations if entry.definer},
        roles=reader.once(("roles", entry.option, _role(reader, entry)) for entry in table.roles),
    )


def _role(reader: TableReader, entry: RoleEntry) -> Role:
    by, others = reader.words("roles.by", entry.by), reader.words("roles.others", entry.others)
    return Role(entry.member, entry.option, tuple(by), tuple(others))


def _member(reader: TableReader, entry: Operations) -> Member:
    indexed = [(reader.pattern("indexed", text), kind) for text, kind in entry.indexed.items()]
    return Member(entry.kind, entry.assigned, entry.unless, tuple(indexed), entry.holds)


def _demands(reader: TableReader, table: RequiresTable) -> Demands:
    return Demands(
        held=table.held,
        exclusive=table.exclusive,
        asserted=table.asserted,
        denied=reader.names("denied.names", table.denied.names),
        condition=table.condition,
        violated=table.violated,
        reader=table.reader,
        walk=table.walk,
        srcu=table.srcu,
        fixed=table.fixed,
        named=table.named,
        tests=reader.by_key("tests", table.tests),
        context=reader.by_key("context", table.context),
        wrappers=reader.pattern("wrappers.pattern", table.wrappers.pattern),
        takers=reader.pattern("takers.pattern", table.takers.pattern),
        roots={name: table.roots.holds.get(name, "") for name in table.roots.members.split()},
    )


def _check_roles(readers: dict[str, TableReader], api: Api) -> None:
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
        for place, other in combinations(groups, 2):
            for name in sorted(groups[place] & groups[other]):
                raise readers[table].wrong(other, f"{name} stands in {place} too")
