# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions of a program to events and summaries, each computed once."""

from __future__ import annotations

import re

from reviewer.context.arranged import Arranged
from reviewer.context.body import Body
from reviewer.context.calls import Calls
from reviewer.context.closure import Base, Closure, Key, Peer, key_of
from reviewer.context.effects import Analysis, Assumptions, OfTables, Summary
from reviewer.context.elements import Elements
from reviewer.context.exclusive import Exclusive
from reviewer.context.fillers import Fillers
from reviewer.context.fitting import Fitting
from reviewer.context.flow import Flow
from reviewer.context.handeddown import HandedDown
from reviewer.context.handlers import Handlers
from reviewer.context.handlerwaits import HandlerWaits
from reviewer.context.hrtimers import HrTimers
from reviewer.context.kept import Kept
from reviewer.context.lasting import Lasting
from reviewer.context.order import Orders
from reviewer.context.owners import Owners
from reviewer.context.ownlocks import OwnLocks
from reviewer.context.panics import Panics
from reviewer.context.puts import Puts
from reviewer.context.references import Counters
from reviewer.context.roles import Roles
from reviewer.context.setups import SetUps
from reviewer.context.shown import guard_name
from reviewer.context.state import State
from reviewer.context.tableflags import TableFlags
from reviewer.context.tablemates import TableMates
from reviewer.context.tables import Api
from reviewer.context.undeclared import Undeclared
from reviewer.source.cfg import Assign, Call, Function, Guard, Loop, Return
from reviewer.source.expression import last_member, split_member
from reviewer.source.pointers import Instance
from reviewer.source.program import Program
from reviewer.source.unlike import Unlike

_PREDICATE_NAME = re.compile(
    r"(?:.*_)?(?:is|has|enabled|supported|active|can|use|needs|IS_ERR|test(?!_(?:and|set|clear|change)))(?:_.*)?"
    r"|Page[A-Z]\w*"
)
_LIKE_A_FUNCTION = re.compile(r"&?[a-z_][a-z0-9_]{4,}")
_SMALL = 8  # blocks
_MOST_MEANT = 4096  # calls through members
_SAME_FOLDER = 1  # as distances are counted
_READS = frozenset(
    (
        "READ_ONCE",
        "smp_load_acquire",
        "test_bit",
        "atomic_read",
        "container_of",
        "per_cpu",
        "this_cpu_read",
        "rcu_access_pointer",
    )
)


class Analyser:
    """The analysis of one ``Program``. Results do not depend on the order of the questions.

    ``outlined`` are functions (path, name) that were always inlined or noinstr and need not be any more; ``unfolded``
    gives the one of them that a macro or, as ``.member``, a member of a structure calls.
    ``opened`` gives, for a function (path, name) that the tables have nobody look into, the effects (by key) that a
    patch has given it: who calls it is judged by these, for itself.
    ``base`` is the analysis of the program that this one was made from: what a change does not reach is taken from it.
    """

    def __init__(self, program: Program, api: Api, base: Analyser | None = None) -> None:
        self.program = program
        self.api = api
        self.calls = Calls(self)
        self.orders = Orders(self)
        self.handlers = Handlers(self)
        self.set_ups = SetUps(self)
        self.handler_waits = HandlerWaits(self)
        self.hrtimers = HrTimers(self)
        self.lasting = Lasting(program)
        self._handed_down = HandedDown(self)
        self.counters = Counters(program, api)
        self.table_mates = TableMates(program)
        self.elements = Elements(program)
        self.fillers = Fillers(program)
        self.table_flags = TableFlags(program)
        self.undeclared = Undeclared(program, api)
        self._fitting = Fitting(program)
        puts = Puts(program, api.stores)
        self.exclusive = Exclusive(program, puts)
        self.arranged = Arranged(program, api)
        self.roles = Roles(program, api)
        self.panics = Panics(program, api, puts)
        self.owners = Owners(program, api)
        telling = frozenset(api.sleeps_unless.values()) | api.sleeps_declared.words
        self._closure: Closure = Closure(
            self._below,
            lambda function: Flow(self, function, State(), outside_only=True).run().summary,
            Base(base._closure, Unlike(base.program, program, telling)) if base is not None else None,
        )
        self.outlined: set[tuple[str, str]] = set()
        self.unfolded: dict[str, Function] = {}
        self.opened: dict[tuple[str, str], frozenset[tuple[object, ...]]] = {}
        self._memo: dict[tuple[Key, State], Analysis] = {}
        self._bodies: dict[Key, Body] = {}
        self._predicates: dict[tuple[str, str], bool] = {}
        self._more: dict[str, bool] = {}
        self._own: dict[tuple[str, str], bool] = {}
        self._meant: dict[tuple[Key, str], tuple[Instance, ...]] = {}
        self.own_locks = OwnLocks(program)

    def keep(self, rules: str) -> Kept:
        """Take summaries from earlier runs and keep new ones, for the base of all others; ``rules`` names the tables.

        What is new is written by ``Kept.flush``.
        """
        kept = Kept(self.program, rules, self._closure.numbers)
        self._closure.keeper = kept
        return kept

    def share(self, peer: Peer, kept: Kept, *, backwards: bool) -> None:
        """Share the summaries with another process that computes them; one of the two goes ``backwards``."""
        kept.share()
        self.program.share(backwards=backwards)
        self._closure.peer = peer
        self._closure.backwards = backwards

    def analyse(self, function: Function, start: State | None = None) -> Analysis:
        """Analyse ``function`` for itself, entered in the context ``start``."""
        state = start if start is not None else State()
        key = (key_of(function), state)
        if key not in self._memo:
            self._closure.known(function)  # its callees first, one after the other and not one inside the other
            self._memo[key] = Flow(self, function, state, self.opened).run()
        return self._memo[key]

    def forget(self) -> None:
        """Let go of the events of the functions that were analysed for themselves; summaries stay."""
        self._memo.clear()

    def callees(self, name: str, caller: Function) -> tuple[Function, ...]:
        """What a call of ``name`` in ``caller`` can reach; nothing where that is not known."""
        name = self._pointer(name, caller)
        if name.startswith("."):
            return tuple(instance.function for instance in self._instances(name[1:], caller))
        return self.program.resolve(name, caller.path)

    def _named(self, name: str, caller: Function) -> tuple[Function, ...]:
        """The same with what only has the name of what is meant: it decides that, and may come to be meant."""
        name = self._pointer(name, caller)
        if name.startswith("."):
            return tuple(instance.function for instance in self._standing(name[1:], caller))
        return self.program.resolve(name, caller.path)

    def apart(self, name: str, caller: Function) -> dict[Key, frozenset[str]]:
        """For each function that a call through a member in ``caller`` can reach, the code that never reaches it."""
        name = self._pointer(name, caller)
        found = self._instances(name[1:], caller) if name.startswith(".") else ()
        return {key_of(instance.function): instance.apart for instance in found}

    def reached_by(self, name: str, caller: Function) -> dict[Key, frozenset[str]]:
        """The members, ``structure.field``, and roles through which a call in ``caller`` can reach each function."""
        name = self._pointer(name, caller)
        found = self._instances(name[1:], caller) if name.startswith(".") else ()
        return {key_of(instance.function): self.roles.through(instance) for instance in found}

    def set_by(self, name: str, caller: Function) -> dict[Key, Assumptions]:
        """For each function that a call through a member in ``caller`` can reach, the flags that stand beside it.

        They are true of the object whose member is called: ``chip->can_sleep`` where ``chip->get()`` is.
        """
        receiver, field = self._receiver(name, caller)
        if receiver is None:
            return {}
        return {
            key_of(instance.function): frozenset((f"{receiver}->{flag}", True) for flag in instance.flags)
            for instance in self._instances(field, caller)
        }

    def tables_of(self, name: str, caller: Function) -> dict[Key, OfTables]:
        """For each function that a call through a member in ``caller`` can reach, the tables of its file with it.

        Where assignments put it there, the elements of an array that have it.
        """
        receiver, field = self._receiver(name, caller)
        if receiver is None:
            return {}
        found = self._instances(field, caller)
        mates, several = self.table_mates, len(found) > 1
        return {
            key_of(instance.function): (
                mates.possible(receiver, field, instance.function.name, caller)
                or (mates.shared(receiver, field, instance.function, caller) if several else frozenset())
                or self.elements.possible(receiver, field, instance, caller)
            )
            for instance in found
        }

    def _receiver(self, name: str, caller: Function) -> tuple[str | None, str]:
        """Whose member a call in ``caller`` is of, None where that is not one expression, and the member."""
        field = self._pointer(name, caller)[1:]
        receivers = caller.receivers.get(field, ()) if name.startswith(".") else ()
        return (receivers[0] if len(receivers) == 1 else None), field

    def _instances(self, field: str, caller: Function) -> tuple[Instance, ...]:
        """What ``caller`` can mean of that which stands in a member ``field``."""
        key = (key_of(caller), field)
        if key not in self._meant:
            if len(self._meant) > _MOST_MEANT:
                self._meant.clear()
            found = self._standing(field, caller)
            name = "." + field
            calls = [call for call in caller.calls() if self._pointer(call.name, caller) == name] if found else []
            self._meant[key] = tuple(
                instance for instance in found if not calls or self._fitting.fits(instance.function, calls, caller)
            )
        return self._meant[key]

    def _standing(self, field: str, caller: Function) -> tuple[Instance, ...]:
        """What stands in the member ``field`` of the structures whose member ``caller`` calls."""
        taken = (split_member(value) for value in caller.aliases.values())
        receivers = (*caller.receivers.get(field, ()), *(parts[0] for parts in taken if parts and parts[1] == field))
        found = {self.program.type_of(receiver, caller) for receiver in receivers}
        return tuple(
            instance
            for instance in self.program.instances(
                field, caller.path, frozenset(name for name in found if name and None not in found)
            )
            if key_of(instance.function) != key_of(caller)  # which calls another one
        )

    @staticmethod
    def _pointer(name: str, caller: Function) -> str:
        """The callee of a local pointer: what it was set to, if that was done once."""
        if name not in caller.locals:
            return name
        name = caller.aliases.get(name, "?")
        return "." + last_member(name) if "->" in name or "." in name else name.removeprefix("&")

    def handed_over(self, name: str, caller: Function) -> tuple[Function, ...]:
        """The function that ``name`` means where ``caller`` hands it to somebody; nothing where it is no function."""
        if not name.isidentifier() or name in caller.params or name in caller.locals:
            return ()
        return tuple(f for f in self.program.resolve(name, caller.path) if "macro" not in f.words)

    def summary(self, function: Function) -> Summary:
        """``function`` seen from outside, with everything that it calls."""
        return self._closure.summary(function)

    def is_open(self, function: Function) -> bool:
        """Whether ``function`` is followed again and again, as others that it is in a circle with are."""
        return self._closure.is_open(function)

    def body(self, function: Function) -> Body:
        """What the text of ``function`` tells; kept while a circle is computed, whose functions are followed again."""
        if not self.is_open(function):
            self._bodies.clear()
            return Body(self, function)
        key = key_of(function)
        if key not in self._bodies:
            self._bodies[key] = Body(self, function)
        return self._bodies[key]

    def _below(self, function: Function) -> tuple[Function, ...]:
        """Every function whose summary the analysis of ``function`` may ask for."""
        nodes = list(function.nodes())
        calls = [node for node in nodes if isinstance(node, Call) and self.is_followed(node, function)]
        names = [node.name for node in calls]
        names += [guard_name(node) for node in nodes if isinstance(node, Guard) and not self.api.knows_guard(node.cls)]
        called = [self._named(name, function) for name in dict.fromkeys(names)]
        given = [
            (self.handed_over(argument.removeprefix("&"), function), node, position)
            for node in calls
            for position, argument in enumerate(node.args)
            if _LIKE_A_FUNCTION.fullmatch(argument)
        ]
        called += [
            functions
            for functions, node, position in given
            if functions and self._handed_down.may_be_called(node, position, function)
        ]
        loops = dict.fromkeys(node.name for node in nodes if isinstance(node, Loop))
        walked = [self.program.loop_macro(name, function.path) for name in loops]
        return (
            *(callee for callees in called for callee in callees),
            *(macro for macro in walked if macro is not None),
        )

    def is_followed(self, node: Call, caller: Function) -> bool:
        """Whether the summaries of what ``node`` in ``caller`` calls are there to be asked for: ``_below`` has them."""
        own = self.is_own(node.name, caller.path)
        return (own or self._has_more(node.name)) and node.name not in caller.params

    def _has_more(self, name: str) -> bool:
        """Whether the definition of ``name`` is asked for: the tables do not know it, or not what it demands."""
        found = self._more.get(name)
        if found is None:
            api, demands = self.api, self.api.demands
            known = api.is_known(name) or api.opaque.fullmatch(name) is not None
            found = self._more[name] = not known or any(p.fullmatch(name) for p in (demands.wrappers, demands.takers))
        return found

    def is_own(self, name: str, user: str) -> bool:
        """Whether ``name``, which the tables know, means something else in the file ``user``.

        It may have a static function of its own that is called so, or belong to an architecture that has. Of what is
        known by a pattern alone, a definition in the same folder says more.
        """
        key = (name, user)
        if key not in self._own:
            self._own[key] = any(
                name in names for folder, names in self.api.elsewhere.items() if user.startswith(folder)
            ) or (
                user.endswith(".c")
                and self.api.is_known(name)
                and (self._is_static(user, name) or (self.api.sleeps_by_name(name) and self._is_near(name, user)))
            )
        return self._own[key]

    def _is_static(self, path: str, name: str) -> bool:
        return any(function.static for function in self.program.own_functions(path, name))

    def _is_near(self, name: str, user: str) -> bool:
        found = self.program.resolve(name, user)
        return any(self.program.distance(each.path, user) <= _SAME_FOLDER for each in found)

    def is_predicate(self, name: str, user: str) -> bool:
        """Whether a call of ``name`` only looks: two calls then give the same answer while nothing is assigned."""
        key = (name, user)
        if key not in self._predicates:
            tabled = name in self.api.exclusive_questions or name in self.api.steady
            named = tabled or _PREDICATE_NAME.fullmatch(name) is not None
            self._predicates[key] = named or self.only_looks(name, user)
        return self._predicates[key]

    def only_looks(self, name: str, user: str) -> bool:
        """Whether a call of ``name`` does nothing but read, as its body shows."""
        if self.api.is_known(name) or self.api.opaque.fullmatch(name):
            return False
        found = self.program.resolve(name, user)
        if len(found) != 1 or len(found[0].blocks) > _SMALL:
            return False
        nodes = list(found[0].nodes())
        return all(
            isinstance(node, Return)
            or (isinstance(node, Assign) and node.target in found[0].locals)
            or (isinstance(node, Call) and node.name in _READS)
            for node in nodes
        )

    def not_with_rt(self, path: str) -> bool:
        """Whether ``path`` is of the kernel's core and not built with PREEMPT_RT, which is meant to stay so."""
        return not path.startswith("drivers/") and self.program.builds.never_with(path, "PREEMPT_RT")

    def lock_kind(self, function: Function, expression: str, *, writing: bool = False) -> str:
        """The kind of a lock from its declaration, or that of its writers; ``?`` where that is not clear."""
        declared = self.program.lock(expression, function)
        types = self.program.lock_types(last_member(expression), function.path) if declared is None else {declared.type}
        kinds = {self.api.types.get(name, "?") for name in types}
        if len(kinds) != 1:
            return "?"
        (kind,) = kinds
        return self.api.kinds.writers.get(kind, kind) if writing else kind
