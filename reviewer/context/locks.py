# SPDX-License-Identifier: GPL-2.0-or-later
"""Lock identity, and what taking and releasing a lock does to the state."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from reviewer.context.facts import (
    DECIDED,
    DECISION,
    FLAGS,
    MOVED,
    NONZERO,
    STANDS,
    SYMBOL,
    TAKEN_AT,
    UNMOVED,
    VALUE,
    Facts,
)
from reviewer.context.schema import LockClass
from reviewer.context.state import Held, Origin, State, moved
from reviewer.context.tables import Api, Operation
from reviewer.source.cfg import Assign, Call, Function, Guard
from reviewer.source.expression import is_path, last_member, plain, root, variables

Apart = Callable[[str, str], bool]
"""Whether two expressions certainly name two locks, as members of structures of different types."""

_ROOT = re.compile(r"[A-Za-z_]\w*")
_PARAMETER = re.compile(r"P(\d+)(?!\w)")
_RETURNED = re.compile(r"R(?=->|\.|$)")
_PRIVATE = re.compile(r"ACCESS_PRIVATE\((.*),(\w+)\)")


def canonical(function: Function, expression: str) -> str:
    """``expression`` without ``&``, casts and local aliases, so that two names of one lock are one."""
    expression = plain(_PRIVATE.sub(r"\1->\2", expression))
    for _ in range(3):
        match = _ROOT.match(expression)
        alias = function.aliases.get(match.group()) if match else None
        if match is None or not alias or match.group() in variables(alias):
            break
        rest = expression[match.end() :]
        if rest.startswith("->") or not rest:
            expression = (alias[1:] + ("." + rest[2:] if rest else "")) if alias.startswith("&") else alias + rest
        elif rest.startswith(".") and not alias.isupper():  # such a word initialises an object, it does not name one
            expression = alias + rest
        else:
            break
        expression = plain(expression)
    return expression


def by_local_name(function: Function, expression: str) -> str:
    """A canonical expression as the function writes it: from the local variable that stands for most of it."""
    best, shown = "", expression
    for name, alias in sorted(function.aliases.items()):
        full = canonical(function, name)
        rest = expression[len(full) :]
        if expression.startswith(full) and rest.startswith(("->", ".")) and len(full) > max(len(best), len(name)):
            arrow = alias.startswith("&") and rest.startswith(".")
            best, shown = full, name + ("->" + rest[1:] if arrow else rest)
    return shown


def releases(function: Function, api: Api) -> Iterator[tuple[str, int]]:
    """The locks that ``function`` itself lets go of, as it writes them, and the lines on which it does so."""
    for node in function.calls():
        call = api.locks.get(node.name)
        if call is not None and call.operation is Operation.RELEASE and call.argument < len(node.args):
            yield node.args[call.argument], node.line


def acquires(function: Function, api: Api) -> Iterator[tuple[str, str]]:
    """Kind and lock, as ``function`` writes it, of what it takes itself: by guards, by trying, and for certain."""
    for node in function.nodes():
        if isinstance(node, Guard) and node.cls in api.lock_guards:
            yield api.lock_guards[node.cls][0], node.argument
        call = api.locks.get(node.name) if isinstance(node, Call) else None
        if isinstance(node, Call) and call is not None and call.operation is not Operation.RELEASE:
            yield from ((call.kind, lock) for lock in node.args[call.argument : call.argument + 1])


def in_parameters(function: Function, expression: str) -> str:
    """A canonical expression as a caller can read it: ``P0->lock``; ``?.lock`` where it starts from a local."""
    match = _ROOT.match(expression)
    if match and match.group() in function.params:
        return f"P{function.params.index(match.group())}{expression[match.end() :]}"
    if match and match.group() in function.locals:
        return "?." + last_member(expression)
    return expression


def handed_out(function: Function) -> dict[str, str]:
    """Local variables that the function stores for its caller, ``*out = lock``, by what the caller calls them."""
    out: dict[str, str] = {}
    for node in function.nodes():
        if isinstance(node, Assign) and node.value in function.locals and root(node.target) in function.params:
            out[node.value] = in_parameters(function, canonical(function, node.target))
    return out


def returned_as(function: Function, expression: str, value: str) -> str | None:
    """A canonical expression that is reached from the returned ``value``: ``R->lock``; None where it is not."""
    value = canonical(function, value)
    rest = expression.removeprefix(value)
    if not value or rest == expression or (rest and not rest.startswith(("->", "."))):
        return None
    is_structure = function.returns and not function.returns.endswith("*")
    return "R" + ("->" + rest[1:] if rest.startswith(".") and not is_structure else rest)


def is_returned(expression: str) -> bool:
    """Whether an expression is one that ``returned_as`` made."""
    return _RETURNED.match(expression) is not None


def in_caller(caller: Function, expression: str, args: tuple[str, ...], result: str | None = None) -> str:
    """The reverse: an expression in parameters, with the arguments of a call and its ``result`` put in."""
    if not expression.startswith(("P", "R")):
        return expression
    if (returned := _RETURNED.match(expression)) is not None:
        if result is None or not is_path(result):
            return "?." + last_member(expression)
        return canonical(caller, result + expression[returned.end() :])
    match = _PARAMETER.match(expression)
    if not match:
        return expression
    index = int(match.group(1))
    if index >= len(args):
        return "?." + last_member(expression)
    argument, rest = plain(args[index]), expression[match.end() :]
    if args[index].lstrip("(").startswith("&") and rest.startswith("->"):
        rest = "." + rest[2:]
    return canonical(caller, argument + rest)


def take(state: State, facts: Facts, kind: str, expression: str, shown: str, line: int, call: str) -> State:
    """The state after acquiring a lock; one that the function had released counts as the caller's again.

    ``shown`` and ``call`` are the lock and the acquiring call as the source writes them.
    """
    for key, decision in list(facts.items()):
        if key[0] in (DECISION, DECIDED) and decision.lock == expression and decision.stage == "dropped":
            facts[key] = decision._replace(stage="stale")
    moved = (MOVED, root(expression)) in facts
    given_back = {(was, name) for was, name in state.dropped if name == expression and was in (kind, "?")}
    if given_back and not moved:
        held = Held(kind, expression, Origin.ASSERTED)
        return state._replace(dropped=state.dropped - given_back, locks=state.locks | {held})
    facts[TAKEN_AT, expression] = (shown, line, call)
    facts[UNMOVED, expression] = facts[STANDS, expression] = True
    if "->" in expression:  # it was reached through this pointer
        facts.setdefault((VALUE, root(expression)), NONZERO)
    return state._replace(locks=state.locks | {Held(kind, expression, Origin.TAKEN)})


def find_held(state: State, kind: str, expression: str, apart: Apart) -> Held | None:
    """The held lock that ``expression`` means: the same one, else the only one with that last member it may be."""
    for origin in Origin:
        if (exact := Held(kind, expression, origin)) in state.locks:
            return exact
    name = last_member(expression)
    named = [held for held in state.locks if held.kind in ("?", kind) and last_member(held.expression) == name]
    named = [held for held in named if not apart(held.expression, expression)]
    alike = [held for held in named if held.kind == kind] or named
    if not alike:  # of some locks the primitives are given the structure that holds them: xa_lock()
        alike = [held for held in state.locks if held.kind in ("?", kind) and around(held.expression) == expression]
    return alike[0] if len(alike) == 1 else None


def around(expression: str) -> str:
    """The structure that holds the lock."""
    return expression.removesuffix(last_member(expression)).removesuffix("->").removesuffix(".")


def equal_name(expression: str, state: State, facts: Facts) -> str:
    """The name under which a lock is held: its own, or one that was found equal to it."""
    held = {lock.expression for lock in state.locks}
    if expression not in held:
        for key, truth in facts.items():
            if key[0] == SYMBOL and truth:
                both = key[1].split("==")
                if expression in both and (other := both[both[0] == expression]) in held:
                    return other
    return expression


def other_names(expression: str, facts: Facts) -> list[str]:
    """The names that a lock has because its owner was found equal to another variable."""
    owner, found = root(expression), list[str]()
    for (letter, text), truth in facts.items():
        left, equal, right = text.partition("==")
        if letter == SYMBOL and equal and truth and owner in (left, right) and owner != expression:
            found.append((right if owner == left else left) + expression[len(owner) :])
    return found


def drop(state: State, facts: Facts, kind: str, expression: str, apart: Apart) -> State:
    """The state after releasing a lock; one that was not taken here is the caller's."""
    held = find_held(state, kind, expression, apart)
    name = held.expression if held else expression
    for key, decision in list(facts.items()):
        if key[0] in (DECISION, DECIDED) and decision.lock == name:
            facts[key] = decision._replace(stage="dropped")
    if held is None and (MOVED, root(expression)) in facts:
        return state  # the parameter means something else by now
    if held is None:
        return state._replace(dropped=state.dropped | {(kind, expression)})
    state = state._replace(locks=state.locks - {held})
    if held.origin is Origin.ASSERTED:
        return state._replace(dropped=state.dropped | {(held.kind, held.expression)})
    return state


def apply_suffix(state: State, api: Api, kind: str, suffix: str, sign: int, facts: Facts, flags: str) -> State:
    """What ``_irq``, ``_irqsave`` and ``_bh`` do besides. On PREEMPT_RT those of a spinlock_t do nothing."""
    if not suffix:
        return state
    if suffix == "bh":
        return state._replace(bh=moved(state.bh, sign))
    if api.classes[kind] is LockClass.RAW:
        if sign > 0:
            if suffix == "irqsave" and flags:
                facts[FLAGS, flags] = state.irq
            return state._replace(irq="off")
        if suffix == "irqsave":
            return state._replace(irq=facts.get((FLAGS, flags), "restored"))
        return state._replace(irq="on")
    if sign < 0 and suffix == "irq" and (state.irq == "off" or (not state.irq and state.suffix <= 0)):
        state = state._replace(irq="on")
    if sign > 0 and state.irq == "on" and state.suffix < 0:  # the caller's lock is taken again as he had it
        state = state._replace(irq="")
    return state._replace(suffix=moved(state.suffix, sign))
