# SPDX-License-Identifier: GPL-2.0-or-later
"""Which functions can stand in a member that is called: those that take what the call gives.

A function in a table has the type of the member (C11, 6.5.16.1), so that a call of it gives as many arguments as the
function takes, and no pointer to one structure for a pointer to another. What does not is meant for a namesake.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from reviewer.source.brackets import closing
from reviewer.source.cfg import Call, Function
from reviewer.source.expression import root, split_arguments, variables
from reviewer.source.preprocess import blank_comments_and_strings
from reviewer.source.program import Program

_LONGEST_HEADER = 4000  # bytes
_MACRO = re.compile(r"[A-Za-z_]\w*(?:\(.*\))?")
_NEVER_MACROS = frozenset(("NULL", "true", "false"))


class Fitting:
    """Answers for the functions of ``program``."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._taken: dict[tuple[str, str, int], int | None] = {}

    def fits(self, function: Function, calls: Iterable[Call], caller: Function) -> bool:
        """Whether ``function`` can be what one of ``calls`` in ``caller`` calls, as far as this can be told."""
        return any(
            self._takes_as_many(function, call, caller) and self._takes_such(function, call, caller) for call in calls
        )

    def _takes_as_many(self, function: Function, call: Call, caller: Function) -> bool:
        given = len(call.args)
        if given == len(function.params) and "" not in function.params:
            return True
        taken = self._number_taken(function)
        if taken is None or taken == given:
            return True
        # A macro may stand for several arguments, or, if it is the only one, for none.
        hidden = any(_may_be_macro(argument, caller) for argument in call.args)
        return hidden and (taken > given or (taken, given) == (0, 1))

    def _number_taken(self, function: Function) -> int | None:
        """How many arguments ``function`` takes; None where it is not clear, or takes any number."""
        key = (function.path, function.name, function.line)
        if key not in self._taken:
            self._taken[key] = self._count(function)
        return self._taken[key]

    def _count(self, function: Function) -> int | None:
        if function.via or "macro" in function.words:
            return None
        rows = (self._program.text(function.path) or b"").split(b"\n")
        text = blank_comments_and_strings(b"\n".join(rows[function.line - 1 : function.end])[:_LONGEST_HEADER])
        name = re.search(rb"\b%b\s*\(" % re.escape(function.name.encode("latin-1")), text)
        end = closing(text, name.end() - 1) if name is not None else -1
        if name is None or end < 0:
            return None
        declared = text[name.end() : end - 1].decode("latin-1")
        if "..." in declared or "#" in declared:
            return None
        if declared.strip() == "void":
            return 0
        same = len(split_arguments(declared)) == len(function.params) and "" not in function.params
        return len(function.params) if same else None

    def _takes_such(self, function: Function, call: Call, caller: Function) -> bool:
        """Whether no argument is a pointer to one structure where ``function`` takes a pointer to another."""
        if len(call.args) != len(function.params):
            return True
        return not any(
            self._are_others(argument, function.types.get(name, ""), function, caller)
            for argument, name in zip(call.args, function.params, strict=True)
        )

    def _are_others(self, argument: str, wanted: str, function: Function, caller: Function) -> bool:
        declared = wanted.endswith("*") and _is_declared(argument, caller)
        given = self._program.type_of(argument, caller) if declared else None
        wanted = wanted.rstrip("*")
        if given is None or given == wanted:
            return False
        tags = (self._program.tag(given, caller.path), self._program.tag(wanted, function.path))
        return None not in tags and len(set(tags)) > 1


def _is_declared(argument: str, caller: Function) -> bool:
    """Whether the type of ``argument`` is that of a declaration: a ``void *`` goes for every pointer."""
    found = variables(argument) if "(" in argument else (root(argument),)
    return all(name in caller.types for name in found if name in caller.params or name in caller.locals)


def _may_be_macro(argument: str, caller: Function) -> bool:
    """Whether the preprocessor may put something else in the place of ``argument``, with commas in it."""
    if _MACRO.fullmatch(argument) is None or argument in _NEVER_MACROS:
        return False
    return argument not in caller.params and argument not in caller.locals
