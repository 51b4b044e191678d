# SPDX-License-Identifier: GPL-2.0-or-later
"""Interrupt flags that a function saves and has to give back before it returns.

Source: include/linux/irqflags.h, local_irq_save(); include/linux/spinlock.h, spin_lock_irqsave().
"""

from __future__ import annotations

from typing import Final

from reviewer.context.effects import Exit
from reviewer.context.facts import SAVED_IN, Facts
from reviewer.context.state import State
from reviewer.context.tables import Api, Operation
from reviewer.source.cfg import AnyNode, Assign, Call, Function, Guard, Return
from reviewer.source.expression import variables

_SAVED: Final = (SAVED_IN, "#irq")


def interrupts_off(state: State) -> bool:
    """Whether interrupts were disabled and are still, with PREEMPT_RT or without."""
    return state.irq == "off" or state.suffix > 0


def disables_by_hand(node: AnyNode, api: Api) -> bool:
    """Whether ``node`` disables interrupts by its own name, on PREEMPT_RT too: it takes no lock."""
    if isinstance(node, Guard):
        return node.enter and node.cls in api.irq_guards
    return isinstance(node, Call) and api.irq.get(node.name) in ("disable", "save")


def left_disabled(exit_: Exit) -> bool:
    """Whether interrupts that were disabled on the way are still so at this way out."""
    if exit_.irq == "off":
        return exit_.suffix >= 0  # spin_unlock_irqrestore() gives back what local_irq_save() has saved
    return not exit_.irq and exit_.suffix > 0


def saved_in(node: Call, api: Api) -> str:
    """The variable in which ``node`` saves the flags, where it takes its lock if that can fail; empty where in none."""
    lock = api.locks.get(node.name)
    if lock is not None:
        saved = lock.operation is not Operation.RELEASE and lock.suffix == "irqsave" and len(node.args) > 1
        return node.args[-1] if saved else ""
    return node.args[0] if api.irq.get(node.name) == "save" and node.args else ""


def kept_to_itself(function: Function, api: Api) -> frozenset[str]:
    """The function's own variables in which it saves the flags.

    Those that it puts anywhere else are left out: then somebody may give them back who is not given them.
    """
    kept, shown = set[str](), set[str]()
    for node in function.nodes():
        if isinstance(node, Assign | Return):
            shown |= variables(node.value)
        elif isinstance(node, Call):
            kept.add(saved_in(node, api))
    return frozenset(kept - shown - set(function.params)) & frozenset(function.locals)


def note_saved(node: AnyNode, before: State, after: State, facts: Facts, own: frozenset[str], api: Api) -> str:
    """Note in which variable of ``own`` the flags are since when interrupts are disabled; the one, where it is new."""
    if interrupts_off(before) == interrupts_off(after):
        return ""
    variable = saved_in(node, api) if isinstance(node, Call) and interrupts_off(after) else ""
    if variable not in own:
        facts.pop(_SAVED, None)
        return ""
    facts[_SAVED] = variable
    return variable


def saved_at(facts: Facts) -> str:
    """The function's own variable in which the flags are that were there before interrupts were disabled; or empty."""
    return str(facts.get(_SAVED, ""))
