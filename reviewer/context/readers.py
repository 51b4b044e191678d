# SPDX-License-Identifier: GPL-2.0-or-later
"""Which kind of reader the functions of a file open for the lists that they walk."""

from __future__ import annotations

from reviewer.context.locks import acquires
from reviewer.context.schema import LockClass
from reviewer.context.tables import Api
from reviewer.source.cfg import Call, Function, Guard, Loop
from reviewer.source.expression import last_member, plain
from reviewer.source.program import Program


def srcu_of_readers(program: Program, api: Api, path: str, member: str) -> str | None:
    """The one srcu_struct in whose readers the file ``path`` walks lists by ``member``; None if that is not all.

    None too where a function of the file opens an ordinary RCU reader: the list may be walked there.
    """
    walked = False
    domains: set[str] = set()
    for extent in program.extents(path):
        for function in program.functions(path, extent.name):
            if function.line != extent.line:
                continue
            if _opens_rcu(function, api):
                return None
            walked = walked or _walks(function, member)
            domains |= _srcu(function, api)
    return domains.pop() if walked and len(domains) == 1 else None


def _opens_rcu(function: Function, api: Api) -> bool:
    return any(
        (isinstance(node, Call) and "rcu" in api.counters.get(node.name, {}))
        or (isinstance(node, Guard) and "rcu" in api.counter_guards.get(node.cls, {}))
        for node in function.nodes()
    )


def _walks(function: Function, member: str) -> bool:
    return any(
        isinstance(node, Loop) and node.name.endswith(("_rcu", "_srcu")) and member in node.args[2:3]
        for node in function.nodes()
    )


def _srcu(function: Function, api: Api) -> set[str]:
    """The srcu_structs whose readers ``function`` opens, by last member."""
    taken = acquires(function, api)
    return {last_member(plain(lock)) for kind, lock in taken if api.classes.get(kind) is LockClass.READER}
