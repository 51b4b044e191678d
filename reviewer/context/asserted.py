# SPDX-License-Identifier: GPL-2.0-or-later
"""Locks that a function says its callers hold."""

from __future__ import annotations

from reviewer.context.locks import canonical
from reviewer.context.state import Origin, State
from reviewer.context.tables import Api
from reviewer.source.cfg import Function, is_avoidable, placed_calls


def asserted_at_times(function: Function, api: Api) -> frozenset[str]:
    """The locks that are asserted on some ways through ``function`` and not on others."""
    found: dict[str, bool] = {}
    for block, call in placed_calls(function):
        if call.name in api.demands.asserted and call.args:
            expression = canonical(function, call.args[0])
            found[expression] = found.get(expression, True) and is_avoidable(function, block)
    return frozenset(expression for expression, at_times in found.items() if at_times)


def without(state: State, at_times: frozenset[str]) -> State:
    """``state`` without the locks ``at_times``, which some callers hold: what they pass tells which ones."""
    left = frozenset(held for held in state.locks if held.origin is Origin.TAKEN or held.expression not in at_times)
    return state if left == state.locks else state._replace(locks=left)
