# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls in code that must not be traced that lead to code which can be.

Source: Documentation/core-api/entry.rst, "Non-instrumentable code - noinstr"; include/linux/compiler_types.h, noinstr.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reviewer.context.annotations import is_instrumented, is_noinstr, is_untraceable
from reviewer.context.effects import EventKind
from reviewer.context.schema import Watching
from reviewer.context.tables import Api
from reviewer.context.watch import Path, Watcher
from reviewer.model import Step
from reviewer.source.cfg import AnyNode, Call, Function

if TYPE_CHECKING:
    from reviewer.context.flow import Flow

_QUIET = frozenset(("macro", "notrace", "__init"))
_NOT_WATCHING = frozenset((Watching.GUEST, Watching.IDLE, Watching.USER))


class Instrumented(Watcher):
    """Reports such calls in noinstr functions while instrumentation is not allowed.

    Where RCU does not watch in other functions, only what the patch itself makes traceable counts.
    """

    def __init__(self, flow: Flow) -> None:
        super().__init__(flow)
        # What is always inlined and allows instrumentation for a part of itself has callers that do not.
        self._for_noinstr = "__always_inline" in flow.function.words and any(
            _allows(call, flow.api) for call in flow.function.calls()
        )

    @staticmethod
    def matter(function: Function, api: Api) -> bool:
        """Whether ``function`` or a part of it must not be traced."""
        return is_noinstr(function) or any(call.name in api.eqs or _allows(call, api) for call in function.calls())

    def before(self, node: AnyNode, path: Path) -> None:
        """Report a call that can be traced, or that hands over a function that can be by now."""
        state, facts = path
        if not isinstance(node, Call) or state.instrumentation > 0 or "instrumentation" in state.unsure:
            return
        noinstr = self._flow.body.noinstr or self._for_noinstr
        traced = self._made_traceable(node) if noinstr or state.eqs in _NOT_WATCHING else None
        if traced is None and noinstr:
            traced = self._traced(node)
        if traced is None and not (noinstr and self._api.instrumented.fullmatch(node.name)):
            return
        function = self._flow.function
        steps = [Step(function.path, node.line, function.name, f"{node.name.removeprefix('.')}()")]
        if traced is not None:
            steps.append(Step(traced.path, traced.line, traced.name, "<- neither noinstr nor __always_inline"))
        place = "in noinstr code" if noinstr else "where RCU does not watch"
        detail = (traced.name if traced is not None else node.name, place)
        self._flow.note(self._flow.event(EventKind.INSTRUMENTED, node, state, facts, tuple(steps), detail=detail))

    def _made_traceable(self, node: Call) -> Function | None:
        """What the call leads to and could not be traced before the patch: by name, by another way, or handed over."""
        analyser, function = self._flow.analyser, self._flow.function
        if not analyser.outlined:
            return None
        other = analyser.unfolded.get(node.name)
        if other is not None and (not node.name.startswith(".") or other.path == function.path):
            return other
        found = [*analyser.program.resolve(node.name, function.path)]
        for argument in node.args:
            found += analyser.handed_over(argument.removeprefix("&"), function)
        return next((callee for callee in found if (callee.path, callee.name) in analyser.outlined), None)

    def _traced(self, node: Call) -> Function | None:
        """The callee if it is no inline function, or if it is and code like this has another one to call."""
        twin = self._beside_twin(node.name)
        if twin is not None:
            return twin
        if self._api.is_known(node.name) or self._api.opaque.fullmatch(node.name):
            return None
        callees = self._flow.analyser.program.resolve(node.name, self._flow.function.path)
        return callees[0] if len(callees) == 1 and is_instrumented(callees[0]) else None

    def _beside_twin(self, name: str) -> Function | None:
        """The function called ``name`` if it can be outlined and only wraps one that is made for noinstr code.

        One that calls nothing stands for it in another configuration.
        """
        program, path = self._flow.analyser.program, self._flow.function.path
        forms = (form.replace("{}", name) for form in self._api.untraced_twins)
        twins = [twin for form in forms for twin in program.resolve(form, path)]
        wrapped = {twin.name for twin in twins if is_untraceable(twin)} - {self._flow.function.name}
        found = program.resolve(name, path) if wrapped else ()
        if any(is_untraceable(each) or _QUIET & set(each.words) for each in found):
            return None
        called = [(each, {call.name for call in each.calls()}) for each in found]
        return next((each for each, names in called if not names or names & wrapped), None)


def _allows(node: Call, api: Api) -> bool:
    return api.counters.get(node.name, {}).get("instrumentation", 0) > 0
