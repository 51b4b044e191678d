# SPDX-License-Identifier: GPL-2.0-or-later
"""What a call that asserts something demands of its context, as requires.toml and its arguments say."""

from __future__ import annotations

import re
from collections.abc import Mapping

from reviewer.context.conditions import Clause, Definition, clauses
from reviewer.context.effects import Need
from reviewer.context.tables import Api
from reviewer.source.cfg import Call, Function
from reviewer.source.expression import plain
from reviewer.source.macros import defined
from reviewer.source.preprocess import blank_comments_and_strings
from reviewer.source.program import Program

_RETURN = re.compile(rb"\breturn\b([^;]*);")
_READER_WORD = "an RCU reader"
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


def demanded(program: Program, api: Api, function: Function, call: Call) -> list[Clause]:
    """The clauses that all have to hold where ``function`` makes ``call``; none where its arguments do not tell."""
    demands, name = api.demands, call.name
    for kind, table in (("lock", demands.held), ("exclusive", demands.exclusive)):
        if name in table:
            lock = _argument(call, table)
            return [frozenset((Need(kind, lock),))] if lock is not None and _can_be_lock(api, function, lock) else []
    if name in demands.fixed:
        return [frozenset((Need("lock", demands.fixed[name]),))]
    if name in demands.context:
        return [frozenset((Need(demands.context[name], ""),))]
    definition = definitions(program, function.path)
    for table, holds in ((demands.condition, True), (demands.violated, False)):
        if name in table:
            condition = _argument(call, table)
            return clauses(condition, demands, definition, holds=holds) if condition is not None else []
    found = _reader(api, call)
    if found is None:
        return []
    need, condition = found
    others = clauses(condition, demands, definition) if condition is not None else [frozenset[Need]()]
    return [clause | {need} for clause in others]


def _argument(call: Call, table: Mapping[str, int], after: int = 0) -> str | None:
    """The argument at the position that ``table`` has for the call, or so many ``after`` it; None where none is."""
    position = table[call.name]
    return call.args[position + after] if position >= 0 and position + after < len(call.args) else None


def _reader(api: Api, call: Call) -> tuple[Need, str | None] | None:
    """The reader that ``call`` wants, and the condition that is as good as one, if it is given any."""
    demands = api.demands
    for kind, table in (("rcu", demands.reader), ("walk", demands.walk)):
        if call.name in table:
            return Need(kind, ""), _argument(call, table)
    domain = _argument(call, demands.srcu) if call.name in demands.srcu else None
    return (Need("srcu", domain), _argument(call, demands.srcu, after=1)) if domain is not None else None


def _can_be_lock(api: Api, function: Function, name: str) -> bool:
    """Whether what is asserted may be a lock: of a variable of another type lockdep alone knows who holds it."""
    declared = _IDENTIFIER.findall(function.types.get(name, ""))
    return not declared or any(word in api.types for word in declared)


def words(clause: Clause) -> str:
    """The needs of a clause as the source names them: ``kvm->srcu or kvm->slots_lock``."""
    found: list[str] = []
    for kind in ("rcu", "walk", "srcu", "lock", "anyone", "exclusive", "irqs", "preempt"):
        for need in sorted(clause):
            if need.kind != kind:
                continue
            named = {
                "rcu": _READER_WORD,
                "walk": _READER_WORD,
                "srcu": f"a reader of {plain(need.expression)}",
                "irqs": "interrupts disabled",
                "preempt": "preemption disabled",
            }.get(kind, plain(need.expression))
            found.append(named)
    return " or ".join(dict.fromkeys(found))


def definitions(program: Program, user: str) -> Definition:
    """How conditions in the file ``user`` look up the functions that they are made of."""

    def definition(name: str) -> tuple[tuple[str, ...], str] | None:
        found = program.resolve(name, user)
        return returned(program, found[0]) if len(found) == 1 else None

    return definition


def returned(program: Program, function: Function) -> tuple[tuple[str, ...], str] | None:
    """The parameters of ``function`` and the one expression that it returns; None where it does more."""
    text = program.files.read(function.path)
    if text is None:
        return None
    lines = text.split(b"\n")
    if "macro" in function.words:
        _, body = defined(b"\n".join(lines[function.line - 1 : function.line + 20])) or (b"", b"")
    else:
        source = blank_comments_and_strings(b"\n".join(lines[function.line - 1 : function.end]))
        found = _RETURN.findall(source)
        body = found[0] if len(found) == 1 and source.count(b";") == 1 else b""
    expression = "".join(body.decode("latin-1").split())
    return (function.params, expression) if expression else None
