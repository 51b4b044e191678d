# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a condition on a parameter holds for the arguments of a call."""

from __future__ import annotations

import re

from reviewer.context.effects import HOLDS, Condition
from reviewer.context.facts import SYMBOL, VALUE, Facts, Parameter, Value, compare, gfp_of, value_of
from reviewer.context.oneof import names_of
from reviewer.context.sought import satisfied_for
from reviewer.context.tables import Api
from reviewer.source.cfg import Function
from reviewer.source.expression import constant, unwrap

_COMPARISON = re.compile(r"(\w+)==([A-Z_]\w*)")
_SYMBOL = re.compile(r"[A-Z_][A-Z0-9_]*")


def satisfied(
    condition: Condition, args: tuple[str, ...], facts: Facts, caller: Function, api: Api
) -> bool | Condition | None:
    """True or False where known, a condition on the caller's own parameter, or None: then the effect is not certain.

    A gfp mask that cannot be resolved is answered False: unknown is never a finding.
    """
    if condition.position >= len(args):
        return None
    argument = unwrap(args[condition.position])
    if condition.operator == "gfp":
        blocking = gfp_of(facts, argument, caller.params, api)
        if isinstance(blocking, Parameter):
            return condition._replace(position=blocking.position)
        return False if blocking is None else blocking == condition.operand
    if condition.operator == "points to":
        if argument in caller.params:
            return condition._replace(position=caller.params.index(argument))
        value = value_of(facts, argument[1:]) if argument.startswith("&") else None
        return None if value is None else _is(value, condition.operand)
    if condition.operator == HOLDS:
        return satisfied_for(condition, args, facts, caller)
    if condition.operator == "value":
        return _value(condition, argument, facts, caller)
    return _symbol(condition, argument, facts, caller)


def _value(condition: Condition, argument: str, facts: Facts, caller: Function) -> bool | Condition | None:
    value: Value | None = value_of(facts, argument)
    if value is None and argument.startswith("&"):
        value = "nonzero"
    if value is None and argument.startswith("!"):
        inner = value_of(facts, unwrap(argument[1:]))
        if inner is not None:
            value = int(inner == 0)
    wanted = condition.operand
    comparison = _COMPARISON.fullmatch(argument)
    if value is None and comparison is not None and wanted in (0, 1, "nonzero"):
        return _symbol(
            Condition(condition.position, "==", comparison.group(2), wanted != 0), comparison.group(1), facts, caller
        )
    if value is None:
        if argument in caller.params:
            return condition._replace(position=caller.params.index(argument))
        return None
    return _is(value, wanted)


def _is(value: Value, wanted: Value) -> bool | None:
    if isinstance(wanted, int):
        return compare(value, "==", wanted)
    if wanted == "nonzero":
        return compare(value, "!=", 0)
    return compare(value, "<" if wanted == "negative" else ">", 0)


def _symbol(condition: Condition, argument: str, facts: Facts, caller: Function) -> bool | Condition | None:
    symbol = str(condition.operand)
    known: bool | None = None
    if several := names_of(symbol):
        parts = [
            _symbol(condition._replace(operand=name, holds=True), argument, facts, caller) for name in sorted(several)
        ]
        if True in parts:
            return condition.holds
        if all(part is False for part in parts):
            return not condition.holds
    elif condition.operator == "==":
        known = (
            True
            if argument == symbol
            else False
            if _SYMBOL.fullmatch(argument)
            else facts.get((SYMBOL, f"{argument}=={symbol}"))
        )
    else:
        words = re.findall(r"[A-Za-z_]\w*", argument)
        if symbol in words:
            known = True
        elif (not words and constant(argument) is not None) or (
            words and all(word.upper() == word for word in words) and "(" not in argument
        ):
            known = False
        else:
            value = facts.get((VALUE, f"{argument}&{symbol}"))
            known = None if value is None else value != 0
    if known is not None:
        return known == condition.holds
    if argument in caller.params:
        return condition._replace(position=caller.params.index(argument))
    return None


def presumed(condition: Condition, callee: Function) -> bool:
    """Whether to take an argument of unknown value to satisfy a condition.

    What is one of several values is presumed to be that, as nobody passes what a function refuses. A pointer is
    presumed not to be NULL, and no argument to be a bare number that a condition singles out, as ``~0`` for all of
    them. Of anything else, unknown is never a finding.
    """
    if names_of(condition.operand):
        return True
    if condition.operator == "==" and not condition.holds and not str(condition.operand).isidentifier():
        return True
    is_pointer = condition.position < len(callee.pointers) and callee.pointers[condition.position]
    return is_pointer and condition.operator == "value" and condition.operand == "nonzero"
