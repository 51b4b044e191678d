# SPDX-License-Identifier: GPL-2.0-or-later
"""Members of objects of a function that are zero: the object was cleared as a whole, and nothing was put there since.

The object may be cleared by a function that it is handed to, which fills some members from its parameters, or by an
initialiser that does not name the member (C11, 6.7.9 paragraph 21), perhaps through macros of its file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from reviewer.context.facts import Facts, value_of
from reviewer.source.cfg import AnyNode, Assign, Call, Function, Guard, Loop, Return
from reviewer.source.expression import constant, last_member, split_arguments, unwrap
from reviewer.source.macros import expansions

if TYPE_CHECKING:
    from reviewer.context.analysis import Analyser

_DEEPEST = 4
"""So many calls one below the other are looked into."""
_FLAG = re.compile(r"(.+[^&])&[A-Z][A-Z0-9_]*")
_NAMED = re.compile(r"\.(\w+)=(.*)")
_BY_MACRO = re.compile(r"([A-Z]\w*)(?:\((.*)\))?")
_ASKED = re.compile(r"(\w+)\(&(\w+)\)")
_ANSWER = re.compile(r"(!?)(?:(\w+)\((\w+)\)|(\w+)->(\w+))((?:[=!]=(?:NULL|0))?)")


class _Put(NamedTuple):
    """What is put into a member: the ``values``; ``cleared`` is whether its object is cleared on every path."""

    values: frozenset[str]
    cleared: bool


class Cleared:
    """What is put into the members of the objects of ``function``, as far as that is clear from all who get them."""

    def __init__(self, analyser: Analyser, function: Function) -> None:
        self._analyser = analyser
        self._function = function
        self._known: dict[str, _Put | None] = {}

    def contradicts(self, text: str, truth: bool, facts: Facts) -> bool:
        """Whether ``text``, such as ``it.group`` or ``has_group(&it)``, is not what somebody takes it for."""
        asked = _ASKED.fullmatch(text)
        if asked is None:
            return truth and self.is_zero(text, facts)
        return self._answer(asked.group(1), self._function, asked.group(2), facts, 0) is (not truth)

    def _answer(self, name: str, user: Function, of: str, facts: Facts, depth: int) -> bool | None:
        """What a function that only looks at a member of the own object ``of`` says; None where that is not clear."""
        found = self._analyser.callees(name, user)
        nodes = list(found[0].nodes()) if len(found) == 1 else []
        returned = [node.value for node in nodes if isinstance(node, Return)]
        answer = _ANSWER.fullmatch(returned[0]) if len(returned) == 1 and depth < _DEEPEST else None
        if answer is None or not all(isinstance(node, Return | Call) for node in nodes):
            return None
        denied, called, given, pointer, member, compared = answer.groups()
        if found[0].params[:1] != (given or pointer,):
            return None
        if called:
            value = self._answer(called, found[0], of, facts, depth + 1)
        else:
            value = False if self.is_zero(f"{of}.{member}", facts) else None
        return value if value is None else value != (bool(denied) != compared.startswith("=="))

    def is_zero(self, text: str, facts: Facts) -> bool:
        """Whether ``text``, a member of an own object such as ``it.group`` or a flag there, is zero for all that is put
        into it."""
        flag = _FLAG.fullmatch(text)
        text = flag.group(1) if flag is not None else text
        of, _, member = text.partition(".")
        if not member.isidentifier() or of not in self._function.locals:
            return False
        if text not in self._known:
            self._known[text] = self._put(self._function, f"&{of}", of, text, 0)
        put = self._known[text]
        return put is not None and put.cleared and all(value_of(facts, value) == 0 for value in put.values)

    def _put(self, function: Function, pointer: str, of: str, path: str, depth: int) -> _Put | None:
        """What ``function`` puts into ``path``, a member of what ``pointer`` points to; None where that is not clear.

        ``of`` is the variable, a pointer or the object itself.
        """
        values, cleared = set[str](), False
        first = {id(node) for node in function.blocks[0].nodes}
        for node in function.nodes():
            if isinstance(node, Call) and self._clears(node, pointer):
                cleared |= id(node) in first or depth == 0
                continue
            if (
                isinstance(node, Assign)
                and node.target == of
                and ((given := self._initial(node.value, path)) is not None)
            ):
                cleared |= depth == 0
                values |= {value for value in given if constant(value) != 0}
                continue
            if self._gets_away(node, pointer, of, path):
                return None
            if isinstance(node, Assign) and node.target == path:
                if constant(node.value) != 0:
                    values.add(unwrap(node.value))
            elif isinstance(node, Call) and pointer in node.args:
                below = self._below(function, node, pointer, path, depth)
                if below is None:
                    return None
                values |= below.values
                cleared |= below.cleared and (depth == 0 or id(node) in first)
        moved = {node.target for node in function.nodes() if isinstance(node, Assign)}
        if not values <= set(function.params) - moved:
            return None
        return _Put(frozenset(values), cleared)

    def _below(self, function: Function, node: Call, pointer: str, path: str, depth: int) -> _Put | None:
        """What the function that ``node`` calls puts there, as ``function`` says it."""
        callees = self._analyser.callees(node.name, function)
        if not callees and self._analyser.api.is_known(node.name):
            return _Put(frozenset(), False)
        position = node.args.index(pointer)
        if len(callees) != 1 or depth == _DEEPEST or node.args.count(pointer) != 1:
            return None
        callee = callees[0]
        if len(callee.params) != len(node.args):
            return None
        name = callee.params[position]
        put = self._put(callee, name, name, f"{name}->{last_member(path)}", depth + 1)
        if put is None:
            return None
        given = (unwrap(node.args[callee.params.index(value)]) for value in put.values)
        return _Put(frozenset(value for value in given if constant(value) != 0), put.cleared)

    def _clears(self, node: Call, pointer: str) -> bool:
        if node.name not in self._analyser.api.clears or len(node.args) != 3 or node.args[:2] != (pointer, "0"):
            return False
        whole = pointer[1:] if pointer.startswith("&") else f"*{pointer}"
        return node.args[2] == f"sizeof({whole})"

    def _initial(self, text: str, path: str) -> tuple[str, ...] | None:
        """What an initialiser in braces gives the member, empty where it leaves that zero; None where it is not clear.

        A macro in it may have a form for each configuration.
        """
        if not text.startswith("{") or not text.endswith("}"):
            return None
        values: list[str] = []
        for part in split_arguments(text[1:-1]):
            macro = _BY_MACRO.fullmatch(part)
            forms = self._forms(macro.group(1), macro.group(2) or "") if macro is not None else (part,)
            if not forms:
                return None
            for entry in (entry for form in forms for entry in split_arguments(form)):
                named = _NAMED.fullmatch(entry)
                if named is not None and named.group(1) == last_member(path):
                    values.append(unwrap(named.group(2)))
                elif named is None and entry not in ("", "0"):
                    return None
        return tuple(values)

    def _forms(self, macro: str, arguments: str) -> tuple[str, ...]:
        """What the macro stands for in the file of the function."""
        path = self._function.path
        return expansions(self._analyser.program.text(path) or b"", macro, tuple(split_arguments(arguments)))

    @staticmethod
    def _gets_away(node: AnyNode, pointer: str, of: str, path: str) -> bool:
        """Whether the node may put something there in a way that is not followed."""
        inside = (f"&{path}", f"&({path})")
        if isinstance(node, Assign):
            other = last_member(node.target) == last_member(path) and node.target not in (path, last_member(path))
            return other or node.target == of or unwrap(node.value) == pointer or node.value.startswith(inside[0] + ".")
        if isinstance(node, Call):
            return node.result in (of, path) or any(
                argument in inside or (pointer != argument and pointer == unwrap(argument)) for argument in node.args
            )
        if isinstance(node, Guard):
            return pointer == unwrap(node.argument)
        return isinstance(node, Loop) and pointer in node.args
