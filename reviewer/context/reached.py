# SPDX-License-Identifier: GPL-2.0-or-later
"""What a call reaches and brings about, in the words of its caller: the same on every path that comes to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from reviewer.context.acquire import ANY, LONGEST_CHAIN
from reviewer.context.answers import Follows, follows
from reviewer.context.asked import asks
from reviewer.context.assumptions import in_caller as in_caller_words
from reviewer.context.closure import Key, key_of
from reviewer.context.depending import of_arguments
from reviewer.context.effects import (
    SLEEPING,
    SLEEPING_ON_RT,
    UNCHANGED,
    Acquisition,
    Assumptions,
    Condition,
    Effect,
    EventKind,
    Exit,
    Left,
    OfTables,
    Requirement,
    RequirementKey,
    Summary,
)
from reviewer.context.foreign import leads_abroad
from reviewer.context.locks import in_caller
from reviewer.context.made import is_new
from reviewer.context.settings import in_caller as settings_in_caller
from reviewer.context.state import State, atomic
from reviewer.context.tables import Api
from reviewer.model import Step
from reviewer.source.cfg import Call, Function, Loop
from reviewer.source.expression import last_member, unwrap
from reviewer.source.pointers import is_apart

if TYPE_CHECKING:
    from reviewer.context.analysis import Analyser


class Brought(NamedTuple):
    """An effect that a call brings about: as the caller says it but for its conditions, which are the callee's.

    ``in_user`` holds where it is an access to user memory that sleeps.
    """

    effect: Effect
    conditions: tuple[Condition, ...]
    callee: Function
    in_user: bool


class Acquired(NamedTuple):
    """A lock that a call takes: as the caller says it but for its conditions, which are the callee's."""

    acquisition: Acquisition
    conditions: tuple[Condition, ...]


class Required(NamedTuple):
    """What a call demands: as the caller says it but for its conditions, which are the callee's under ``source``.

    It is not demanded where one of the arguments ``unless_null`` is NULL.
    """

    requirement: Requirement
    source: RequirementKey
    conditions: tuple[Condition, ...]
    unless_null: frozenset[int]


class Callee(NamedTuple):
    """One function that a call can reach. ``handed`` are the calls that it makes of what it is given.

    ``unnamed`` are the locks of its callers that it lets go of without a name, as kind and last member.
    """

    function: Function
    summary: Summary
    effects: tuple[Brought | Effect, ...]
    unnamed: tuple[tuple[str, str], ...]


class Reached(NamedTuple):
    """All that a call can reach. ``sleeps`` is whether any of it may, ``apart`` whether some code never calls all of
    it, ``certain`` whether it does the same to the state on every way. The rest is empty where it is not one function;
    ``asks`` is the question about the context that it stands for, if it is one.
    """

    callees: tuple[Callee, ...] = ()
    sleeps: bool = False
    apart: bool = False
    releases: bool = False
    resets_task: bool = False
    leaves_all: bool = True
    certain: bool = False
    acquired: tuple[Acquired, ...] = ()
    required: tuple[Required, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    asks: str = ""
    follows: Follows = ()


NOTHING = Reached()

Told = dict[tuple[Key, Effect], Brought | None]
"""What effects of callees are in the words of one call; None where they do not concern it."""


class _Links(NamedTuple):
    """What lies between a call and each function that it can reach, as ``Analyser`` has it of calls of a member."""

    apart: Mapping[Key, frozenset[str]]
    through: Mapping[Key, frozenset[str]]
    beside: Mapping[Key, Assumptions]
    tables: Mapping[Key, OfTables]


def reached(analyser: Analyser, caller: Function, node: Call, told: Told | None = None) -> Reached:
    """What ``node`` in ``caller`` reaches.

    ``told`` is kept between questions about the same call, where summaries change: most effects stay what they were.
    """
    name = node.name
    functions = analyser.callees(name, caller)
    if not functions:
        return NOTHING
    links = _Links(
        analyser.apart(name, caller),
        analyser.reached_by(name, caller),
        analyser.set_by(name, caller),
        analyser.tables_of(name, caller),
    )
    found = tuple(_callee(analyser, caller, node, function, links, told) for function in functions)
    exits = [exit_ for callee in found for exit_ in callee.summary.exits]
    together = Reached(
        callees=found,
        sleeps=any(effect.kind in SLEEPING for callee in found for effect in callee.summary.effects.values()),
        apart=any(links.apart.values()),
        releases=any(exit_.released for exit_ in exits),
        resets_task=any(exit_.task is Left.RESET for exit_ in exits),
        leaves_all=all(map(_leaves_all, exits)),
    )
    if len(found) != 1 or name.startswith("."):
        return together
    function, summary = found[0].function, found[0].summary
    return together._replace(
        certain=not together.apart and _are_alike(exits),
        acquired=tuple(_acquired(analyser, caller, node, summary)),
        required=required(caller, node, summary),
        settings=settings_in_caller(summary.settings, caller, node.args),
        asks=asks(function, analyser.api) if node.result else "",
        follows=follows(summary.answers, node.args) if node.result and summary.answers else (),
    )


def _callee(
    analyser: Analyser, caller: Function, node: Call, function: Function, links: _Links, told: Told | None
) -> Callee:
    summary, key = analyser.summary(function), key_of(function)
    tables, given = links.tables.get(key, frozenset()), links.beside.get(key, frozenset())
    effects: list[Brought | Effect] = []
    for own in (way for effect in summary.effects.values() for way in effect.ways):
        effect = own
        if (through := links.through.get(key)) is not None:
            effect = own._replace(
                apart=own.apart | links.apart[key],
                through=own.through | through,
                masked=own.masked or _wrong_there(own, through, analyser.api),
            )
        if effect.kind is EventKind.PARAMETER_CALLED:
            effects.append(effect)
            continue
        if told is None:
            brought = brought_about(analyser, caller, node, effect, function, tables)
        elif (key, effect) in told:
            brought = told[key, effect]
        else:
            brought = told[key, effect] = brought_about(analyser, caller, node, effect, function, tables)
        if brought is not None and given:
            brought = brought._replace(effect=brought.effect._replace(assumed=given | brought.effect.assumed))
        if brought is not None:
            effects.append(brought)
    unnamed = {(kind, last_member(name)) for exit_ in summary.exits for kind, name in exit_.released if name[:1] == "?"}
    return Callee(function, summary, tuple(effects), tuple(sorted(unnamed)))


def _are_alike(exits: Sequence[Exit]) -> bool:
    """Whether all ways out do the same to the state, and none is in doubt."""
    changes = {(exit_.change, exit_.unsure, exit_.perhaps) for exit_ in exits}
    return len(changes) == 1 and not exits[0].unsure and not exits[0].perhaps


def _leaves_all(exit_: Exit) -> bool:
    return exit_.change == UNCHANGED and not exit_.unsure and not exit_.perhaps and exit_.task is Left.ALONE


def _wrong_there(effect: Effect, members: Iterable[str], api: Api) -> bool:
    """Whether what a function does is wrong already because it is called through one of ``members``."""
    if effect.conditions or effect.minus or effect.irq_on or any(effect.delta):
        return False
    for rt, kinds in ((False, SLEEPING), (True, SLEEPING_ON_RT)):
        if effect.kind in kinds:
            entered = (State(entry=api.members[name].kind) for name in members if name in api.members)
            return any(atomic(state, api, rt=rt) is not None for state in entered)
    return False


def brought_about(
    analyser: Analyser,
    caller: Function,
    node: Call,
    effect: Effect,
    callee: Function,
    reached_in: OfTables = frozenset(),
) -> Brought | None:
    """``effect`` of ``callee`` as ``caller`` says it; None where it does not concern this caller.

    ``reached_in`` are the tables through which ``caller`` reaches it.
    """
    path = caller.path
    if (effect.apart and is_apart(path, effect.apart)) or any(
        analyser.program.leaves_out(path, member) for member in effect.through
    ):
        return None
    if leads_abroad(effect.steps, caller) or analyser.fillers.mean_another(path, effect):
        return None
    if analyser.table_flags.mean_another(effect) or analyser.undeclared.rule_out(path, node.name, effect):
        return None
    if analyser.roles.rule_out(path, effect):
        return None
    args = node.args
    mates, tables = analyser.table_mates, reached_in
    if effect.tables:
        below = frozenset((in_caller(caller, path, args), names) for path, names in effect.tables)
        known = mates.together(reached_in, below)
        if known is None:
            return None
        tables = known
    if tables and (mates.excluded(caller, tables) or analyser.elements.excluded(caller, tables)):
        return None
    step = Step(path, node.line, caller.name, f"{node.name.removeprefix('.')}({_passed(node, effect)})")
    told = effect._replace(
        conditions=(),
        minus=frozenset((kind, in_caller(caller, expression, args)) for kind, expression in effect.minus),
        steps=(step, *effect.steps),
        subject=in_caller(caller, effect.subject, args),
        assumed=in_caller_words(effect.assumed, args) if effect.assumed else effect.assumed,
        free=frozenset(in_caller(caller, expression, args) for expression in effect.free),
        tables=tables,
    )
    told = of_arguments(told, args)
    in_user = effect.called in analyser.api.user_access
    if in_user and _gives_kernel_memory(caller, node, analyser.api):
        return None
    return Brought(told, effect.conditions, callee, in_user)


def _gives_kernel_memory(caller: Function, node: Call, api: Api) -> bool:
    """Whether ``node`` is given an object of ``caller`` with an iterator over memory that is not the user's."""
    own = {argument[1:] for argument in node.args if argument[:1] == "&" and argument[1:] in caller.locals}
    return bool(own) and any(
        call.name in api.kernel_iterators and call.args and call.args[0].removeprefix("&").partition(".")[0] in own
        for call in caller.calls()
    )


def _passed(node: Call, effect: Effect) -> str:
    """The gfp mask handed down, where that is what decides."""
    for condition in effect.conditions:
        if condition.operator == "gfp" and condition.position < len(node.args):
            return node.args[condition.position] if "GFP_" in node.args[condition.position] else ""
    return ""


def _acquired(analyser: Analyser, caller: Function, node: Call, summary: Summary) -> list[Acquired]:
    step = Step(caller.path, node.line, caller.name, f"{node.name}()")
    found = []
    for acquisition in summary.acquisitions.values():
        if len(acquisition.steps) < LONGEST_CHAIN and not leads_abroad(acquisition.steps, caller):
            marked = [node.args[at] for at in sorted(acquisition.marked) if at < len(node.args)]
            if any(is_new(analyser, caller, node, name) for name in marked):
                continue
            told = acquisition._replace(
                expression=in_caller(caller, acquisition.expression, node.args),
                conditions=(),
                minus=frozenset(
                    name if name == ANY else in_caller(caller, name, node.args) for name in acquisition.minus
                ),
                steps=(step, *acquisition.steps),
                assumed=in_caller_words(acquisition.assumed, node.args) if acquisition.assumed else acquisition.assumed,
                marked=frozenset(caller.params.index(name) for name in marked if name in caller.params),
            )
            found.append(Acquired(told, acquisition.conditions))
    return found


def required(caller: Function, node: Call | Loop, summary: Summary) -> tuple[Required, ...]:
    """What a callee with this summary demands, as ``caller`` says it."""
    step = Step(caller.path, node.line, caller.name, f"{node.name}()")
    found = []
    for requirement in summary.requirements.values():
        if not leads_abroad(requirement.steps, caller):
            needs = frozenset(
                need._replace(expression=in_caller(caller, need.expression, node.args) if need.expression else "")
                for need in requirement.needs
            )
            given = {unwrap(node.args[at]) for at in requirement.unless_null if at < len(node.args)}
            told = requirement._replace(
                needs=needs,
                conditions=(),
                steps=(step, *requirement.steps),
                unless_null=frozenset(at for at, name in enumerate(caller.params) if name in given),
                assumed=in_caller_words(requirement.assumed, node.args) if requirement.assumed else requirement.assumed,
            )
            found.append(Required(told, requirement.key, requirement.conditions, requirement.unless_null))
    return tuple(found)
