# SPDX-License-Identifier: GPL-2.0-or-later
"""The type of an expression and the class of a lock, by the declarations of a program.

Approximate where the preprocessor decides, but never a guess: where declarations disagree there is no answer.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from reviewer.source.cfg import Function, Return
from reviewer.source.expression import split_arguments, split_member, unwrap
from reviewer.source.preprocess import ABSENT
from reviewer.source.types import FUNCTION, Member, structures

if TYPE_CHECKING:
    from reviewer.source.program import Program

_TOO_DEEP = 12  # members, casts and calls in one expression
_CAST = re.compile(r"\((?:const)?(?:struct|union)?(\w+)\*+\)(?=[\w(&*$])")
_CALL = re.compile(r"(\w+)\((.*)\)")
_NAME = re.compile(r"[A-Za-z_]\w*")
_MOST_TYPEDEFS = 3  # one for another
_INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]+([<"])([\w./-]+)[>"]', re.MULTILINE)
_TAGGED = re.compile(r"(?:const)?(?:struct|union)(?=\w)")
# The value has the type of an argument (include/linux/percpu-defs.h, rcupdate.h, compiler.h, nospec.h).
_SAME_TYPE = dict.fromkeys(
    "per_cpu per_cpu_ptr this_cpu_ptr raw_cpu_ptr get_cpu_ptr get_cpu_var this_cpu_read __this_cpu_read "
    "raw_cpu_read READ_ONCE rcu_dereference rcu_dereference_check rcu_dereference_protected rcu_dereference_raw "
    "rcu_dereference_bh rcu_dereference_sched rcu_access_pointer srcu_dereference srcu_dereference_check "
    "smp_load_acquire unrcu_pointer rtnl_dereference".split(),
    0,
)
# The value has the type that an argument names (include/linux/container_of.h, list.h, rbtree.h).
_NAMED_TYPE = dict.fromkeys(
    (
        "container_of container_of_const list_entry list_first_entry list_first_entry_or_null list_last_entry "
        "hlist_entry hlist_entry_safe rb_entry rb_entry_safe llist_entry"
    ).split(),
    1,
)


class Declaration(NamedTuple):
    """A declared lock: its class and the name of its type.

    The class is ``kvm.mmu_lock`` for a member, the name for a variable; what is known to one file or folder only has
    its file in front, ``kernel/x.c:pool.lock``.
    """

    lock_class: str
    type: str


class Declarations:
    """Answers for one ``Program``."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._members: dict[tuple[str, str, str], tuple[Member, str, str] | None] = {}
        self._variables: dict[tuple[str, str], tuple[str, str] | None] = {}
        self._symbols: dict[tuple[str, str], bool] = {}
        self._included: dict[str, tuple[str, ...]] = {}
        self._locks: dict[tuple[str, int, str], Declaration | None] = {}

    def type_of(self, expression: str, function: Function, depth: int = 0) -> str | None:
        """The name of the type of ``expression`` in ``function``, pointers and arrays left out; None if not clear."""
        expression = unwrap(expression).lstrip("&*")
        if depth > _TOO_DEEP or not expression:
            return None
        expression = unwrap(expression)
        cast = _CAST.match(expression)
        if cast is not None:
            return cast.group(1)
        parts = split_member(expression)
        if parts is not None:
            owner = self.type_of(parts[0], function, depth + 1)
            found = self._member(owner, parts[1], function.path) if owner is not None else None
            return found[0].type if found is not None and found[0].type != FUNCTION else None
        if expression.endswith("]"):
            return self.type_of(expression[: _subscript(expression)], function, depth + 1)
        call = _CALL.fullmatch(expression)
        if call is not None:
            return self._type_of_call(call.group(1), split_arguments(call.group(2)), function, depth)
        if not _NAME.fullmatch(expression):
            return None
        if expression in function.params or expression in function.locals:
            declared = function.types.get(expression, "").rstrip("*")
            alias = "" if declared else function.aliases.get(expression, "")
            return declared or (self.type_of(alias, function, depth + 1) if alias else None)
        variable = self._variable(expression, function.path)
        return variable[0].rstrip("*") if variable is not None else None

    def _type_of_call(self, name: str, arguments: Sequence[str], function: Function, depth: int) -> str | None:
        at = _SAME_TYPE.get(name, -1)
        if 0 <= at < len(arguments):
            return self.type_of(arguments[at], function, depth + 1)
        at = _NAMED_TYPE.get(name, -1)
        if 0 <= at < len(arguments):
            return _TAGGED.sub("", arguments[at]) or None
        called = self._program.resolve(name, function.path)
        return called[0].returns.rstrip("*") or None if len(called) == 1 else None

    def holder(self, structure: str, member: str, user: str) -> tuple[str, str] | None:
        """Where the structure is defined that a file calls ``structure``, and its tag; None where it is not clear, or
        has no such member itself."""
        found = self._member(structure, member, user)
        return found[1:] if found is not None else None

    def member_of(self, structure: str, path: str, user: str) -> str | None:
        """The type of ``path``, a chain of members of what a file calls ``structure``; None where it is not clear."""
        owner: str | None = structure
        for name in path.split(".") if path else ():
            found = self._member(owner, name, user) if owner is not None else None
            owner = found[0].type if found is not None and found[0].type != FUNCTION else None
        return owner

    def part(self, structure: str, user: str) -> str:
        """The type of a part of a table: of ``bell.ops`` the type of the member ``ops`` of ``struct bell``.

        A part whose type has no name, or is not known, keeps the name that it was given.
        """
        owner, *path = structure.split(".")
        for name in path:
            found = self._member(owner, name, user)
            named = found is not None and found[0].type not in (FUNCTION, "")
            owner = found[0].type if found is not None and named else f"{owner}.{name}"
        return owner

    def lock_class(self, expression: str, types: Mapping[str, str], user: str) -> str | None:
        """The class of the lock ``expression`` as a text about the file ``user`` writes it."""
        parts = split_member(expression)
        if parts is None:
            variable = self._variable(expression, user)
            return expression if variable is not None and variable == (variable[0].rstrip("*"), "") else None
        owner = self._type_in(parts[0], types, user)
        found = self._member(owner, parts[1], user) if owner is not None else None
        return _qualified(f"{found[2]}.{parts[1]}".replace("{}", ""), found[1]) if found is not None else None

    def _type_in(self, expression: str, types: Mapping[str, str], user: str) -> str | None:
        """The type of an expression in a text; a variable that it does not explain is called like its structure."""
        parts = split_member(expression)
        if parts is None:
            return types.get(expression, expression)
        owner = self._type_in(parts[0], types, user)
        found = self._member(owner, parts[1], user) if owner is not None else None
        return found[0].type if found is not None else None

    def lock(self, expression: str, function: Function, depth: int = 0) -> Declaration | None:
        """The declaration of the lock that ``expression`` means; None for a lock behind a pointer of its own."""
        key = (f"{function.path}:{function.name}", function.line, expression)
        if key not in self._locks:
            self._locks[key] = None  # while it is looked for: a function that returns its own lock
            self._locks[key] = self._lock(expression, function, depth)
        return self._locks[key]

    def _lock(self, expression: str, function: Function, depth: int) -> Declaration | None:
        expression = unwrap(unwrap(expression).removeprefix("&"))
        if expression.endswith("]"):
            expression = expression[: _subscript(expression)]
        if depth > _TOO_DEEP or not expression or expression[0] in "*&":
            return None
        parts = split_member(expression)
        if parts is not None:
            owner = self.type_of(parts[0], function)
            found = self._member(owner, parts[1], function.path) if owner is not None else None
            if found is None or found[0].pointer:
                return None
            name = f"{found[2]}.{parts[1]}".replace("{}", "")
            return Declaration(_qualified(name, found[1]), found[0].type)
        call = _CALL.fullmatch(expression)
        if call is not None:
            if (at := _SAME_TYPE.get(call.group(1))) is not None:
                arguments = split_arguments(call.group(2))
                return self._lock(arguments[at], function, depth + 1) if at < len(arguments) else None
            return self._returned(call.group(1), function, depth)
        if (alias := function.aliases.get(expression)) is not None:
            return self._lock(alias, function, depth + 1)
        if not _NAME.fullmatch(expression) or expression in function.params or expression in function.locals:
            return None
        variable = self._variable(expression, function.path)
        if variable is None or variable[0].endswith("*"):
            return None
        return Declaration(f"{variable[1]}:{expression}" if variable[1] else expression, variable[0])

    def _returned(self, name: str, function: Function, depth: int) -> Declaration | None:
        """The one lock whose address every return of a function gives."""
        called = self._program.resolve(name, function.path)
        if len(called) != 1:
            return None
        values = [n.value for b in called[0].blocks for n in b.nodes if isinstance(n, Return) and n.value]
        found = {self.lock(value, called[0], depth + 1) if value.startswith("&") else None for value in values}
        return next(iter(found)) if len(found) == 1 else None

    # Tables

    def tag(self, name: str, user: str) -> str | None:
        """The tag of the structure that the file ``user`` calls ``name``; None where its definition is not found.

        A tag without one may be a macro for another.
        """
        for _ in range(_MOST_TYPEDEFS):
            targets = {target for _, target in self._nearest_types(name, user)}
            if targets == {""} or (not targets and self._is_included(name, user)):
                return name
            if len(targets) != 1:
                return None
            name = targets.pop()
        return None

    def _is_included(self, tag: str, user: str) -> bool:
        """Whether a structure of this tag is defined in a header that ``user`` includes, or in one which that does."""
        body = re.compile(rb"\b(?:struct|union)\s+%b\s*\{" % re.escape(tag.encode()))
        first = self._headers(user)
        return any(
            body.search(self._program.files.read(header) or b"")
            for headers in (first, (inner for header in first for inner in self._headers(header)))
            for header in headers
        )

    def _headers(self, path: str) -> tuple[str, ...]:
        """The headers that ``path`` includes by name, of those that not every file sees."""
        if path not in self._included:
            self._included[path] = tuple(
                found
                for quoted, name in _INCLUDE.findall(self._program.files.read(path) or b"")
                for found in (_header(path, name.decode("latin-1"), quoted=quoted == b'"'),)
                if not found.startswith("include/linux/") and self._program.files.blob_id(found) is not None
            )
        return self._included[path]

    def _member(self, owner: str, name: str, user: str) -> tuple[Member, str, str] | None:
        """The member ``name`` of the type ``owner``, the file that defines it, and the tag of the type."""
        key = (owner, name, user)
        if key not in self._members:
            self._members[key] = self._find_member(owner, name, user)
        return self._members[key]

    def _find_member(self, owner: str, name: str, user: str) -> tuple[Member, str, str] | None:
        tag, _, inner = owner.partition(".")
        for _ in range(_MOST_TYPEDEFS):
            nearest = self._nearest_types(tag, user)
            targets = {target for _, target in nearest}
            if len(targets) != 1:
                return None
            (target,) = targets
            if not target:
                break
            tag = target
        else:
            return None
        wanted = f"{tag}.{inner}" if inner else tag
        found = [
            (member, path, wanted)
            for path, _ in nearest
            for member in self._structures(path, tag).get(wanted, ())
            if member.name == name
        ]
        if len({(member.type, member.pointer) for member, _, _ in found}) > 1:
            found = [each for each in found if self._exists(each[0].arm, user)]
        return found[0] if len({(member.type, member.pointer) for member, _, _ in found}) == 1 else None

    def _nearest_types(self, name: str, user: str) -> list[tuple[str, str]]:
        rows = self._program.store.types(name)
        return [(path, rows[at][1]) for at, path in self._nearest([row for row, _ in rows], user)]

    def _nearest(self, rows: Sequence[int], user: str) -> Iterator[tuple[int, str]]:
        located = [(self._program.distance(path, user), at, path) for at, path in self._program.located(rows, user)]
        least = min((distance for distance, _, _ in located), default=9)
        return ((at, path) for distance, at, path in located if distance == least < 9)

    def _structures(self, path: str, name: str) -> dict[str, tuple[Member, ...]]:
        store, files = self._program.store, self._program.files
        oid = files.blob_id(path)
        known = store.structures(oid, name) if oid is not None else None
        if known is None:
            known = structures(files.read(path) or b"", name)
            if oid is not None:
                store.add_structures(oid, name, known)
        return known

    def _exists(self, arm: str, user: str) -> bool:
        """Whether a preprocessor arm is compiled: an option counts as set, another symbol where the architecture
        defines it."""
        symbol = arm.lstrip("!")
        if not symbol or symbol == "?":
            return not symbol
        if symbol.startswith("CONFIG_"):
            return (symbol.encode() not in ABSENT) != arm.startswith("!")
        folder = f"arch/{self._program.architecture(user)}/include"
        key = (symbol, folder)
        if key not in self._symbols:
            define = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+" + re.escape(symbol.encode()) + rb"\b", re.MULTILINE)
            self._symbols[key] = any(
                define.search(self._program.files.read(path) or b"")
                for path in sorted(self._program.using((symbol,), (folder,)))
            )
        return self._symbols[key] != arm.startswith("!")

    def _variable(self, name: str, user: str) -> tuple[str, str] | None:
        """The type of a variable of a file, and the file where no other one knows it."""
        key = (name, user)
        if key not in self._variables:
            rows = self._program.store.variables(name)
            near = [
                (rows[at][1], path if rows[at][2] else "")
                for at, path in self._nearest([row for row, _, _ in rows], user)
                if path == user or not rows[at][2]
            ]
            types = {declared for declared, _ in near}
            self._variables[key] = near[0] if len(types) == 1 else None
        return self._variables[key]


def _subscript(expression: str) -> int:
    """The offset of the bracket that opens the subscript at the end of ``expression``."""
    depth = 0
    for at in range(len(expression) - 1, -1, -1):
        depth += (expression[at] == "]") - (expression[at] == "[")
        if depth == 0:
            return at
    return 0


def _header(path: str, name: str, *, quoted: bool) -> str:
    """Where the header stands that ``path`` includes as ``name``."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path) if quoted else "include", name))


def _qualified(name: str, path: str) -> str:
    """Structures of drivers and C files may have namesakes elsewhere."""
    shared = path.startswith("include/") or "/include/" in path or path == posixpath.basename(path)
    return name if shared else f"{path}:{name}"
