# SPDX-License-Identifier: GPL-2.0-or-later
"""Objects that were taken away from RCU readers and must outlive a grace period.

Source: include/linux/rculist.h, list_del_rcu(); Documentation/RCU/checklist.rst.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from reviewer.context.callers import callers
from reviewer.context.effects import SLEEPING, Event, EventKind
from reviewer.context.facts import FETCHED, UNLINKED, VALUE
from reviewer.context.readers import srcu_of_readers
from reviewer.context.state import State
from reviewer.context.tables import Api
from reviewer.context.watch import Path, Watcher
from reviewer.model import Step
from reviewer.source.cfg import AnyNode, Call, Function, Guard, written_by
from reviewer.source.expression import constant, identifiers, last_member, plain, root, split_arguments
from reviewer.source.program import Program

if TYPE_CHECKING:
    from reviewer.context.flow import Flow

_FETCHES = re.compile(r"rcu_dereference(?:_protected|_raw|_check)?|\w*rtnl_dereference|srcu_dereference\w*")
_STORES = frozenset(("rcu_assign_pointer", "RCU_INIT_POINTER"))
_ENTRY = re.compile(r"&([A-Za-z_]\w*)->[\w.]+")
_WAITS = re.compile(r".*(?:synchronize|rcu_barrier|grace_period|synchronise).*")
_TEARDOWN = re.compile(r"(?:.*_)?(?:exit|destroy|free|release|fini|cleanup|uninit|dealloc|destruct|dtor)(?:_.*)?")
_SHARED = re.compile(r".*(?:refcount|kref|dec_and|_put|synchronize|rcu|ref_).*")
_ABOVE = 3  # levels of callers that may wait


class Unlinked(NamedTuple):
    """Taken away from readers at ``line`` by ``call``."""

    line: int
    call: str


class GracePeriods(Watcher):
    """Follows such objects to where they are freed."""

    def __init__(self, flow: Flow) -> None:
        super().__init__(flow)
        # The entries that this function unlinks, by variable, with the member that links them.
        self._unlinked_by = {
            entry.group(1): last_member(call.args[0])
            for call in flow.function.calls()
            if flow.api.unlinks.fullmatch(call.name) and call.args and (entry := _ENTRY.fullmatch(call.args[0]))
        }
        self._no_readers_from = min(
            (call.line for call in flow.function.calls() if _WAITS.fullmatch(call.name)), default=flow.function.end
        )

    @staticmethod
    def matter(function: Function, api: Api) -> bool:
        """Whether ``function`` takes anything away from readers."""
        return any(
            isinstance(node, Call)
            and (api.unlinks.fullmatch(node.name) or node.name in _STORES or node.name == "rcu_replace_pointer")
            for node in function.nodes()
        )

    def before(self, node: AnyNode, path: Path) -> None:
        """Report what is freed too early or by the wrong grace period; forget it where a grace period may pass."""
        state, facts = path
        if isinstance(node, Call) and node.name in self._api.rcu_frees:
            self._deferred(node, state)
        unlinked = [(key[1], value) for key, value in facts.items() if key[0] == UNLINKED]
        if not unlinked or not isinstance(node, (Call, Guard)):
            return
        for variable, known in unlinked:
            freed = self._freeing(node, variable)
            if freed and facts.get((VALUE, variable)) != 0 and not self._flow.body.once.has_warned(facts):
                self._report(node, variable, known, freed, state)
                del facts[UNLINKED, variable]
            elif self._handed_over(node, variable):
                del facts[UNLINKED, variable]  # handed over: whoever has it now may wait for readers
        if isinstance(node, Call) and self._may_wait(node):
            for variable, _ in unlinked:
                facts.pop((UNLINKED, variable), None)

    def after(self, node: AnyNode, path: Path) -> None:
        """Note what is fetched from where readers find it, and what is taken away from them."""
        _, facts = path
        target = written_by(node)
        if target:
            stale = [key for key, place in facts.items() if key[0] == FETCHED and target in identifiers(place)]
            for key in stale:
                del facts[key]
        if not isinstance(node, Call) or not node.args or node.line > self._no_readers_from:
            return  # who waits first and unlinks then takes things down that no reader can find any more
        if self._api.unlinks.fullmatch(node.name):
            entry = _ENTRY.fullmatch(node.args[0])
            if entry is not None:
                facts[UNLINKED, entry.group(1)] = Unlinked(node.line, f"{node.name}()")
        elif _FETCHES.fullmatch(node.name) and node.result and not node.result.startswith("$"):
            facts[FETCHED, node.result] = node.args[0]
        elif node.name == "rcu_replace_pointer" and node.result and not node.result.startswith("$"):
            if self._asks_whether_running(node.args[0]):
                return
            facts[UNLINKED, node.result] = Unlinked(node.line, f"{node.name}()")
        elif node.name in _STORES and len(node.args) > 1 and not self._takes_down(node):
            for key in [key for key, place in facts.items() if key[0] == FETCHED and place == node.args[0]]:
                if node.args[1] != key[1]:
                    facts[UNLINKED, key[1]] = Unlinked(node.line, f"{node.name}()")

    def _handed_over(self, node: Call | Guard, variable: str) -> bool:
        return (
            isinstance(node, Call)
            and variable in {plain(argument) for argument in node.args}
            and not self._api.opaque.fullmatch(node.name)
        )

    def _asks_whether_running(self, place: str) -> bool:
        """Whether ``place`` is a CPU's own, and the function asks whether that CPU runs: else it has no readers."""
        own = self._api.of_cpu.search(place)
        processor = split_arguments(own.group(1))[-1].strip() if own is not None else ""
        return bool(processor) and any(
            self._api.asks_running.fullmatch(call.name) and call.args[:1] == (processor,)
            for call in self._flow.function.calls()
        )

    def _deferred(self, node: Call, state: State) -> None:
        """Report an object that waits for RCU readers where the file has SRCU readers only."""
        variable = root(node.args[0]) if node.args else ""
        member = self._unlinked_by.get(variable)
        if member is None:
            return
        function = self._flow.function
        domain = srcu_of_readers(self._flow.analyser.program, self._api, function.path, member)
        if domain is not None:
            step = Step(function.path, node.line, function.name, f"{node.name}()")
            detail = (variable, f"{node.name}()", domain)
            kind = EventKind.WRONG_GRACE_PERIOD
            self._flow.note(Event(kind, function, node.line, variable, "", state, (step,), False, (), detail))

    def _takes_down(self, node: Call) -> bool:
        """Whether the structure itself goes away, so that its readers have gone before."""
        return constant(node.args[1]) == 0 and bool(_TEARDOWN.fullmatch(self._flow.function.name))

    def _freeing(self, node: Call | Guard, variable: str) -> str:
        """The call that frees what ``variable`` points to, here or in the function that is called; or nothing."""
        if isinstance(node, Guard):
            return ""
        if node.name in self._api.frees_at_once:
            return f"{node.name}({variable})" if plain(node.args[0] if node.args else "") == variable else ""
        if self._api.is_known(node.name) or self._api.opaque.fullmatch(node.name):
            return ""
        callees = self._flow.analyser.callees(node.name, self._flow.function)
        at = [position for position, argument in enumerate(node.args) if argument == variable]
        if len(callees) != 1 or len(at) != 1 or at[0] >= len(callees[0].params):
            return ""
        return f"{node.name}({variable})" if self._frees(callees[0], callees[0].params[at[0]]) else ""

    def _frees(self, function: Function, parameter: str) -> bool:
        """Whether ``function`` frees its parameter at once, whatever else it does."""
        calls = list(function.calls())
        return (
            all(not _SHARED.fullmatch(call.name) for call in calls)
            and any(call.name in self._api.frees_at_once and call.args[:1] == (parameter,) for call in calls)
            and not any(self._may_wait(call) for call in calls)
        )

    def _may_wait(self, node: Call) -> bool:
        if _WAITS.fullmatch(node.name):
            return True
        if self._api.is_known(node.name) or self._api.opaque.fullmatch(node.name):
            return False
        callees = self._flow.analyser.callees(node.name, self._flow.function)
        return not callees or any(
            effect.kind in SLEEPING
            for callee in callees
            for effect in self._flow.analyser.summary(callee).effects.values()
        )

    def _report(self, node: Call | Guard, variable: str, known: Unlinked, freed: str, state: State) -> None:
        function = self._flow.function
        step = Step(function.path, node.line, function.name, freed)
        shown = ((variable, variable, known.line, f"{known.call} takes {variable} away from readers"),)
        detail = (variable, known.call, str(known.line), freed)
        kind = EventKind.FREED_TOO_EARLY
        self._flow.note(Event(kind, function, node.line, variable, "", state, (step,), False, shown, detail))


def waits(call: Call) -> bool:
    """Whether a call by its name waits for readers."""
    return bool(_WAITS.fullmatch(call.name))


def waited_above(program: Program, function: Function, depth: int = _ABOVE) -> bool:
    """Whether everybody who calls ``function`` waits for readers, or is called by those who do."""
    above = [caller for caller in callers(program, function) if caller.name != function.name]
    return bool(above) and all(
        any(waits(call) for call in caller.calls()) or (depth > 1 and waited_above(program, caller, depth - 1))
        for caller in above
    )


def ends(function: Function) -> bool:
    """Whether ``function`` by its name takes things down that no reader can find any more."""
    return bool(_TEARDOWN.fullmatch(function.name))
