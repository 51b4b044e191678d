# SPDX-License-Identifier: GPL-2.0-or-later
"""Interrupt flags that a function saves and has to give back before it returns.

Source: include/linux/irqflags.h, local_irq_save(); include/linux/spinlock.h, spin_lock_irqsave().
"""

from __future__ import annotations

from reviewer.context.effects import Exit
from reviewer.context.saved import FLAGS, saves
from reviewer.context.state import State
from reviewer.context.tables import Api, Operation
from reviewer.source.cfg import AnyNode, Assign, Call, Function, Guard, Return
from reviewer.source.expression import identifiers


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
    """The variable in which ``node`` saves the flags; empty where it does not."""
    variable, what = saves(node, api)
    return variable if what == FLAGS else ""


def kept_to_itself(function: Function, api: Api) -> frozenset[str]:
    """The function's own variables in which it saves the flags, where it disables interrupts in no other way.

    Empty where it puts them anywhere else: then somebody may give them back who is not given them.
    """
    kept, shown = set[str](), set[str]()
    for node in function.nodes():
        if isinstance(node, Assign | Return):
            shown |= identifiers(node.value)
        elif isinstance(node, Call):
            variable = saved_in(node, api)
            if variable in function.locals and variable not in function.params:
                kept.add(variable)
            elif disables_by_hand(node, api) or _locks_with_suffix(node, api):
                return frozenset()
    return frozenset() if kept & shown else frozenset(kept)


def _locks_with_suffix(node: Call, api: Api) -> bool:
    """Whether ``node`` takes a lock by a call that disables interrupts, whatever PREEMPT_RT makes of it."""
    lock = api.locks.get(node.name)
    return lock is not None and lock.operation is not Operation.RELEASE and lock.suffix in ("irq", "irqsave")
