# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known after an assignment, and after a call that only gives back what it is given."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reviewer.context.facts import (
    EQUAL,
    GFP,
    MEANING,
    MOVED,
    PUT,
    REPLACED,
    STORED,
    SYMBOL,
    UNEQUAL,
    VALUE,
    WHERE,
    Facts,
    asked_of,
    copy_bits,
    copy_equal,
    forget,
    forget_compared,
    gfp_of,
    value_of,
)
from reviewer.context.implied import of_conjunction
from reviewer.context.settings import is_set_in, names_constant
from reviewer.source.cfg import Assign, Call, written_by
from reviewer.source.expression import identifiers, root, unwrap

if TYPE_CHECKING:
    from reviewer.context.flow import Flow

_COMPARED = re.compile(r"([A-Za-z_][\w.>-]*)([!=]=)([A-Z][A-Z0-9_]+)")


def assigned(flow: Flow, node: Assign, facts: Facts) -> None:
    """A variable or member gets a value: forget what was known of it, and learn what is known of that."""
    value = None if node.target in flow.awaited else value_of(facts, node.value)
    gfp = (
        gfp_of(facts, node.value, flow.function.params, flow.api)
        if "GFP_" in node.value or (GFP, node.value) in facts
        else None
    )
    forget(facts, node.target)
    if is_set_in(flow.function, node.target):
        forget_compared(facts, node.target)
    if node.target in flow.function.params:
        facts[MOVED, node.target] = True
        if node.target not in identifiers(node.value):
            facts[REPLACED, node.target] = True
    if (compared := _COMPARED.fullmatch(unwrap(node.value))) is not None and node.target in flow.function.locals:
        what, operator, symbol = compared.groups()
        facts[MEANING, node.target] = (EQUAL if operator == "==" else UNEQUAL, f"{what}=={symbol}")
    if (mask := asked_of(unwrap(node.value.removeprefix("!!")), flow.api)) and _stays(flow, mask):
        facts[MEANING, node.target], gfp = ("gfp", mask), None
    if value is not None:
        facts[VALUE, node.target] = value
    elif node.value in flow.function.params and "->" in node.target and (MOVED, node.value) not in facts:
        facts[STORED, node.target] = flow.function.params.index(node.value)
    elif is_set_in(flow.function, node.target) and names_constant(flow.function, node.value):
        facts[PUT, node.target] = frozenset((node.value,))
    elif follows := of_conjunction(node.target, node.value):
        facts[WHERE[VALUE], node.target] = follows
    if node.target in flow.function.locals and _lasts(flow, node.value):
        facts[SYMBOL, f"{node.target}=={node.value}"] = True
    if isinstance(gfp, bool):
        facts[GFP, node.target] = gfp
    copy_bits(facts, node.target, node.value)
    if node.value in flow.function.locals and root(node.target) in flow.function.locals and "->" not in node.target:
        copy_equal(facts, node.target, node.value)


def _stays(flow: Flow, name: str) -> bool:
    """Whether nothing is assigned to ``name`` in the function."""
    return all(written_by(node) != name for node in flow.function.nodes())


def converted(flow: Flow, node: Call, facts: Facts) -> None:
    """The result of a call is what it is given, in another form."""
    if node.result and len(node.args) == 1 and is_set_in(flow.function, node.result):
        given = node.args[0]
        if given in flow.function.params and "->" in node.result and (MOVED, given) not in facts:
            facts[STORED, node.result] = flow.function.params.index(given)
        elif names_constant(flow.function, given):
            facts[PUT, node.result] = frozenset((given,))


def _lasts(flow: Flow, name: str) -> bool:
    """Whether ``name`` is a variable that keeps its value."""
    own = name in flow.function.locals or name in flow.function.params
    return name.isidentifier() and not own and flow.analyser.lasting.is_set_at_boot(flow.function.path, name)
