# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel API as the analysis knows it, read from the TOML tables beside the checks."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from reviewer.errors import CheckError

TABLES = ("locks", "context", "effects", "entries", "requires")


class LockClass(StrEnum):
    """How a lock behaves (Documentation/locking/locktypes.rst)."""

    RAW = "raw"
    SPIN = "spin"
    LOCAL = "local"
    SLEEPING = "sleeping"
    READER = "reader"


class Operation(StrEnum):
    """What a lock primitive does."""

    ACQUIRE = "acquire"
    RELEASE = "release"
    TRY = "try"
    TRY_ZERO = "try_zero"


@dataclass(frozen=True, slots=True)
class LockCall:
    """A lock primitive. ``suffix`` is ``""``, ``irq``, ``irqsave`` or ``bh``; ``argument`` is 0-based."""

    operation: Operation
    kind: str
    suffix: str
    argument: int


@dataclass(frozen=True, slots=True)
class Registration:
    """A call that hands over a function to be called in context ``kind``; ``flagged`` if one of ``flags`` is given.

    ``when_null`` is the kind where the argument at ``null_at`` is NULL and no flag says otherwise.
    """

    function: Mapping[str, int]
    kind: str
    flags_at: Mapping[str, int]
    flags: frozenset[str]
    flagged: str
    null_at: Mapping[str, int]
    when_null: str


@dataclass(frozen=True, slots=True)
class Demands:
    """What calls demand of their context (requires.toml): name to the position of the argument that says it.

    ``fixed`` maps asserts without an argument, ``named`` the functions that take a lock without one, to the lock.
    ``tests`` maps the functions that a condition is made of to the kind of need. ``takers`` may return with something
    held that is not in the tables. ``roots`` are members of structures through which user space enters.
    """

    held: Mapping[str, int]
    exclusive: Mapping[str, int]
    condition: Mapping[str, int]
    violated: Mapping[str, int]
    reader: Mapping[str, int]
    walk: Mapping[str, int]
    srcu: Mapping[str, int]
    fixed: Mapping[str, str]
    named: Mapping[str, str]
    tests: Mapping[str, str]
    context: Mapping[str, str]
    wrappers: re.Pattern[str]
    takers: re.Pattern[str]
    roots: frozenset[str]

    def asserts(self, name: str) -> bool:
        """Whether ``name`` itself says what it demands."""
        tables = (self.held, self.exclusive, self.condition, self.violated, self.reader, self.walk, self.srcu)
        return name in self.context or name in self.fixed or any(name in table for table in tables)


@dataclass(frozen=True, slots=True)
class OrderDocument:
    """A document that says which lock is taken outside which, for code below ``folders``.

    ``types`` are the structures that it means by the name of a variable.
    """

    document: str
    folders: tuple[str, ...]
    types: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Api:
    """Every table, in the form the analysis asks."""

    classes: Mapping[str, LockClass]
    types: Mapping[str, str]
    locks: Mapping[str, LockCall]
    lock_guards: Mapping[str, tuple[str, str]]
    counters: Mapping[str, Mapping[str, int]]
    counter_guards: Mapping[str, Mapping[str, int]]
    irq: Mapping[str, str]
    irq_guards: frozenset[str]
    eqs: Mapping[str, int]
    predicates: Mapping[str, str]
    sleeps: frozenset[str]
    sleep_pattern: re.Pattern[str]
    user_access: frozenset[str]
    drops_lock: Mapping[str, int]
    drops_queue_lock: Mapping[str, int]
    sleeps_if: frozenset[str]
    sleeps_preempt_disabled: frozenset[str]
    allocators: Mapping[str, int]
    optional_gfp: frozenset[str]
    frees: frozenset[str]
    frees_at_once: frozenset[str]
    spinlock_takers: frozenset[str]
    seqcount_writers: frozenset[str]
    plain_seqcount: str
    blocking_gfp: frozenset[str]
    atomic_gfp: frozenset[str]
    lookup: re.Pattern[str]
    insert: re.Pattern[str]
    insert_checks: re.Pattern[str]
    remove: re.Pattern[str]
    handles_irq: frozenset[str]
    instrumented: re.Pattern[str]
    rcu_iterators: Mapping[str, int]
    own_cpu: re.Pattern[str]
    bound_to_cpu: re.Pattern[bytes]
    rcu_frees: frozenset[str]
    unlinks: re.Pattern[str]
    rcu_pointers: re.Pattern[str]
    srcu_pointers: Mapping[str, int]
    takes_reference: re.Pattern[str]
    task_set: frozenset[str]
    task_running: frozenset[str]
    handed_on: frozenset[str]
    opaque: re.Pattern[str]
    definers: Mapping[str, str]
    registrations: tuple[Registration, ...]
    members: Mapping[str, str]
    orders: tuple[OrderDocument, ...]
    demands: Demands

    def sleeps_always(self, name: str) -> bool:
        """Whether ``name`` may sleep whatever its arguments are."""
        return name in self.sleeps or bool(self.sleep_pattern.fullmatch(name))

    def is_known(self, name: str) -> bool:
        """Whether the tables say all there is to say about ``name``."""
        return (
            name in self.locks
            or name in self.counters
            or name in self.irq
            or name in self.eqs
            or name in self.allocators
            or name in self.frees
            or name in self.spinlock_takers
            or name in self.seqcount_writers
            or name in self.handles_irq
            or name in self.task_set
            or name in self.task_running
            or name in self.predicates
            or name in self.user_access
            or name in self.drops_lock
            or name in self.drops_queue_lock
            or name in self.sleeps_if
            or name in self.sleeps_preempt_disabled
            or self.sleeps_always(name)
        )


def _words(text: object) -> list[str]:
    return str(text).split()


def _read(folder: Path, name: str) -> dict[str, Any]:
    path = folder / f"{name}.toml"
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise CheckError(f"cannot read the table {path}: {error}; reinstall the program or mend the file") from error


def _lock_calls(table: Mapping[str, Any]) -> dict[str, LockCall]:
    calls: dict[str, LockCall] = {}
    for kind, entry in table.items():
        positions = entry.get("argument", {})
        for key, names in entry.items():
            operation, _, suffix = key.partition("_")
            if key == "try_zero":
                operation, suffix = "try_zero", ""
            if operation not in Operation.__members__.values() or not isinstance(names, str):
                continue
            for name in names.split():
                calls[name] = LockCall(
                    Operation(operation), kind, suffix.replace("irqrestore", "irqsave"), positions.get(name, 0)
                )
    return calls


def _demands(table: Mapping[str, Any]) -> Demands:
    return Demands(
        **{name: table[name] for name in ("held", "exclusive", "condition", "violated", "reader", "walk", "srcu")},
        fixed=table["fixed"],
        named=table["named"],
        tests={name: kind for kind, names in table["tests"].items() for name in _words(names)},
        context={name: kind for kind, names in table["context"].items() for name in _words(names)},
        wrappers=re.compile(table["wrappers"]["pattern"]),
        takers=re.compile(table["takers"]["pattern"]),
        roots=frozenset(_words(table["roots"]["members"])),
    )


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


def load_tables(folder: Path) -> Api:
    """Read the tables of ``folder``. Raises CheckError where one is missing or not as it should be."""
    locks, context, effects, entries, requires = (_read(folder, name) for name in TABLES)
    try:
        return Api(
            classes={kind: LockClass(entry["class"]) for kind, entry in locks.items()},
            types={name: kind for kind, entry in locks.items() for name in _words(entry.get("types", ""))},
            locks=_lock_calls(locks),
            lock_guards={
                name: (kind, suffix)
                for kind, entry in locks.items()
                for key, suffix in (("guards", ""), ("guards_irq", "irq"), ("guards_bh", "bh"))
                for name in _words(entry.get(key, ""))
            },
            counters=context["counters"],
            counter_guards=context["guards"],
            irq={
                name: what for what in ("disable", "enable", "save", "restore") for name in _words(context["irq"][what])
            },
            irq_guards=frozenset(_words(context["irq"]["guards"])),
            eqs={name: value for key, value in (("enter", 1), ("leave", 0)) for name in _words(context["eqs"][key])},
            predicates={name: what for what, names in context["predicates"].items() for name in _words(names)},
            sleeps=frozenset(_words(effects["sleeps"]["always"])),
            sleep_pattern=re.compile("|".join(effects["sleeps"]["patterns"])),
            user_access=frozenset(_words(effects["sleeps"]["user"])),
            drops_lock=effects["sleeps"]["drops_lock"],
            drops_queue_lock=effects["sleeps"]["drops_queue_lock"],
            sleeps_preempt_disabled=frozenset(_words(effects["sleeps"]["preempt_disabled"])),
            sleeps_if=frozenset(_words(effects["sleeps"]["conditional"])),
            allocators={**effects["allocators"], **effects["optional_gfp"]},
            optional_gfp=frozenset(effects["optional_gfp"]),
            spinlock_takers=frozenset(_words(effects["spinlocks"]["names"])),
            seqcount_writers=frozenset(_words(effects["seqcounts"]["writers"])),
            plain_seqcount=str(effects["seqcounts"]["plain"]),
            frees=frozenset(_words(effects["frees"]["names"])),
            frees_at_once=frozenset(_words(effects["frees"]["at_once"])),
            blocking_gfp=frozenset(_words(effects["gfp"]["blocking"])),
            atomic_gfp=frozenset(_words(effects["gfp"]["atomic"])),
            lookup=re.compile(effects["decisions"]["lookup"]),
            insert=re.compile(effects["decisions"]["insert"]),
            insert_checks=re.compile(effects["decisions"]["insert_checks"]),
            remove=re.compile(effects["decisions"]["remove"]),
            handles_irq=frozenset(_words(effects["interrupts"]["handle"])),
            instrumented=re.compile("|".join(effects["instrumented"]["patterns"])),
            rcu_iterators=effects["rcu"]["iterators"],
            bound_to_cpu=re.compile(rf"\b(?:{effects['percpu']['bound']})\b".encode()),
            own_cpu=re.compile(effects["percpu"]["own"]),
            rcu_frees=frozenset(_words(effects["rcu"]["frees"])),
            unlinks=re.compile(effects["rcu"]["unlinks"]),
            rcu_pointers=re.compile(effects["rcu"]["pointers"]),
            srcu_pointers=effects["rcu"]["srcu_pointers"],
            takes_reference=re.compile(effects["rcu"]["references"]),
            task_set=frozenset(_words(context["task"]["set"])),
            task_running=frozenset(_words(context["task"]["running"])),
            handed_on=frozenset(_words(effects["handed_on"]["members"])),
            opaque=re.compile("|".join(effects["opaque"]["patterns"])),
            definers={name: kind for kind, names in entries["definers"].items() for name in _words(names)},
            registrations=tuple(
                Registration(
                    e["function"],
                    e["kind"],
                    e.get("flags_at", {}),
                    frozenset(_words(e.get("flags", ""))),
                    e.get("flagged", e["kind"]),
                    e.get("null_at", {}),
                    e.get("when_null", e["kind"]),
                )
                for e in entries["registration"]
            ),
            members=entries["members"],
            orders=tuple(
                OrderDocument(order["document"], tuple(order["folders"]), order["types"]) for order in context["orders"]
            ),
            demands=_demands(requires),
        )
    except (KeyError, TypeError, ValueError, re.error) as error:
        raise CheckError(
            f"the tables in {folder} are not as they should be: {error!r}; reinstall the program or mend them"
        ) from error
