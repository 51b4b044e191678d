# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known where a condition holds: values, symbols, the interrupted context, the kind of kernel."""

from __future__ import annotations

import msgspec

from reviewer.context.facts import (
    ALIKE,
    ASSUMED,
    DECIDED,
    DECISION,
    EQUAL,
    GFP,
    MEANING,
    NONZERO,
    SEEN,
    SYMBOL,
    UNEQUAL,
    VALUE,
    Facts,
    asked_of,
    compare,
    gfp_of,
    learn,
    value_of,
)
from reviewer.context.implied import conclude
from reviewer.context.pointers import Pointers
from reviewer.context.references import LAST, TRIED
from reviewer.context.references import learn as learn_reference
from reviewer.context.state import Origin, State, Task, atomic
from reviewer.context.tables import Api
from reviewer.source.cfg import WARNED, Call, Function, Literal
from reviewer.source.expression import constant, is_path, split_member, unwrap

_RUNNING = "TASK_RUNNING"
_ALLOWING = frozenset(("task", "no_interrupt"))
_OF_INTERRUPTS = frozenset(("interrupt", "no_interrupt"))


def assume(state: State, facts: Facts, literal: Literal, function: Function, api: Api) -> State | None:
    """The state where ``literal`` holds, or None where it cannot."""
    text = literal.left
    meaning = facts.get((MEANING, text))
    if meaning is None and (mask := asked_of(text, api)):
        meaning = ("gfp", mask)
    if meaning is not None and meaning[1].startswith((TRIED, LAST)):
        learn_reference(facts, meaning, literal)
        meaning = None
    if meaning is not None:
        what, about = meaning
        if what == "same":
            text = about
        elif what in (EQUAL, UNEQUAL):
            truth = literal.truth
            holds = truth == (what == EQUAL)
            if truth is not None and facts.setdefault((SYMBOL, about), holds) != holds:
                return None
        else:
            return _assume_meaning(state, facts, meaning, literal, function, api)
    if isinstance(literal.right, str):
        return state if _assume_variable(facts, text, literal) else None
    return state if _assume_constant(facts, text, literal, literal.right, function, api) else None


def _assume_variable(facts: Facts, text: str, literal: Literal) -> bool:
    """Take a comparison of ``text`` with a variable for true; whether it can be."""
    if literal.operator not in ("==", "!=") and value_of(facts, text) == 0:
        text = "0"  # a loop up to a number: another one up to the same number runs if this one does
    other = facts.get((MEANING, literal.right)) if isinstance(literal.right, str) else None
    if other is not None and other[0] == "same":
        literal = msgspec.structs.replace(literal, right=other[1])
    return _assume_symbol(facts, text, literal)


def _assume_constant(facts: Facts, text: str, literal: Literal, right: int, function: Function, api: Api) -> bool:
    """Take a comparison of ``text`` with the constant ``right`` for true; whether it can be."""
    value = value_of(facts, text)
    if value is None and text != literal.left:
        value = value_of(facts, literal.left)  # the callee has told it
    if value is None and (alike := facts.get((ALIKE, text))) is not None:
        value = facts[VALUE, text] = alike
    known = compare(value, literal.operator, right) if value is not None else None
    if known is not None:
        return known == literal.holds
    ordered = literal.operator not in ("==", "!=")  # by zero too: "<= 0" is no value that is kept
    if (right != 0 or ordered) and not _assume_symbol(facts, text, literal):
        return False
    learn(facts, text, literal.operator, right, literal.holds)
    _exclude(facts, text, api)
    if (VALUE, text) in facts:
        if "->" in (read := function.aliases.get(text, "")):
            facts[SEEN, read] = facts[VALUE, text]
        facts.pop((SYMBOL, f"{text}=={right}"), None)
    if (VALUE, text) in facts and not conclude(facts, (VALUE, text)):
        return False
    if (decision := facts.get((DECISION, text))) is not None and value_of(facts, text) == 0:
        facts[DECIDED, text] = decision
    return True


def _exclude(facts: Facts, text: str, api: Api) -> None:
    """Where one of several questions that exclude each other is answered yes, the others are answered no."""
    name, bracket, argument = text.partition("(")
    others = api.exclusive_questions.get(name, ()) if bracket else ()
    if others and facts.get((VALUE, text)) not in (None, 0):
        facts.update(((VALUE, f"{other}({argument}"), 0) for other in others)


# One way to write each order, so that a condition and its opposite are about the same.
_AS_LEAST = {"<": (">=", False), ">": ("<=", False)}


def _assume_symbol(facts: Facts, text: str, literal: Literal) -> bool:
    if literal.operator not in ("==", "!="):
        operator, holds = _AS_LEAST.get(literal.operator, (literal.operator, True))
        holds = holds == literal.holds
        key = (SYMBOL, f"{text}{operator}{literal.right}")
        return bool(facts.setdefault(key, holds) == holds) and conclude(facts, key)
    truth = literal.holds if literal.operator == "==" else not literal.holds
    key = (SYMBOL, f"{text}=={literal.right}")
    if facts.get(key, facts.get((SYMBOL, f"{literal.right}=={text}"), truth)) != truth:
        return False
    facts[key] = truth
    if not conclude(facts, key):
        return False
    if truth:
        Pointers.equal(text, facts)
        Pointers.equal(str(literal.right), facts)
    return True


def _assume_meaning(
    state: State, facts: Facts, meaning: tuple[str, str], literal: Literal, function: Function, api: Api
) -> State | None:
    """The state where the answer to a question about the context is as ``literal`` says, or None."""
    what, argument = meaning
    if what == "state":
        running = literal.right == _RUNNING and (literal.operator == "==") == literal.holds
        return state._replace(task=Task.RUNNING) if running else state
    truth = literal.truth
    if truth is None:
        return state
    text = literal.left
    if "&" not in text and (facts.setdefault((VALUE, text), NONZERO if truth else 0) != 0) != truth:
        return None
    if what in ("atomic", "interrupt") and truth:
        facts[ASSUMED, "atomic"] = True
    if what == "rt":
        return None if state.rt is not None and state.rt != truth else state._replace(rt=truth)
    if what == "gfp":
        known = gfp_of(facts, argument, function.params, api)
        if isinstance(known, bool):
            return state if known == truth else None
        facts[GFP, unwrap(argument)] = truth
        # A mask that comes from elsewhere says by itself that the caller may sleep.
        return state._replace(may_sleep=True) if known is None and truth else state
    if what in ("irqs", "no_irqs"):  # about the interrupted context: where they are off, who knows what called
        return state if truth == (what == "irqs") else state._replace(unsure=state.unsure | {"irq"})
    if truth == (what in _ALLOWING):  # the code says that it may sleep here
        reason = atomic(state, api, rt=False)
        if reason is None:
            return state._replace(may_sleep=True)
        if what in _OF_INTERRUPTS and reason.what != "entry":
            return state
        return None if reason.origin is Origin.TAKEN else state
    return state


def presume(function: Function, node: Call, position: int, facts: Facts) -> None:
    """After a warning the code goes on as if there had been no reason for it, unless it asks again itself.

    Where the warning asks for nothing, whoever comes there is wrong.
    """
    text = unwrap(node.args[position]) if position < len(node.args) else ""
    if constant(text) not in (None, 0):
        facts[VALUE, WARNED] = NONZERO
        return
    member = unwrap(text.removeprefix("!"))
    if split_member(member) is None or not is_path(member) or (VALUE, member) in facts:
        return
    if not any(
        literal.left == member for block in function.blocks for edge in block.edges for literal in edge.literals
    ):
        facts[VALUE, member] = NONZERO if text.startswith("!") else 0
