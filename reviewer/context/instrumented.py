# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls in code that must not be traced that lead to code which can be.

Source: Documentation/core-api/entry.rst, "Non-instrumentable code - noinstr"; include/linux/compiler_types.h, noinstr.
"""

from __future__ import annotations

from reviewer.context.annotations import is_instrumented, is_noinstr
from reviewer.context.effects import EventKind
from reviewer.context.schema import Watching
from reviewer.context.tables import Api
from reviewer.context.watch import Path, Watcher
from reviewer.model import Step
from reviewer.source.cfg import AnyNode, Call, Function

_NOT_WATCHING = frozenset((Watching.GUEST, Watching.IDLE, Watching.USER))


class Instrumented(Watcher):
    """Reports such calls in noinstr functions while instrumentation is not allowed.

    Where RCU does not watch in other functions, only what the patch itself makes traceable counts.
    """

    @staticmethod
    def matter(function: Function, api: Api) -> bool:
        """Whether ``function`` or a part of it must not be traced."""
        nodes = (node for block in function.blocks for node in block.nodes)
        return is_noinstr(function) or any(isinstance(node, Call) and node.name in api.eqs for node in nodes)

    def before(self, node: AnyNode, path: Path) -> None:
        """Report a call that can be traced, or that hands over a function that can be by now."""
        state, facts = path
        if not isinstance(node, Call) or state.instrumentation > 0:
            return
        noinstr = self._flow.noinstr
        traced = self._made_traceable(node) if noinstr or state.eqs in _NOT_WATCHING else None
        if traced is None and noinstr:
            traced = self._traced(node)
        if traced is None and not (noinstr and self._api.instrumented.fullmatch(node.name)):
            return
        function = self._flow.function
        steps = [Step(function.path, node.line, function.name, f"{node.name.removeprefix('.')}()")]
        if traced is not None:
            steps.append(Step(traced.path, traced.line, traced.name, "<- neither noinstr nor __always_inline"))
        detail = (traced.name if traced is not None else node.name,)
        self._flow.event(EventKind.INSTRUMENTED, node, state, facts, tuple(steps), detail=detail)

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
        if self._api.is_known(node.name) or self._api.opaque.fullmatch(node.name):
            return None
        callees = self._flow.analyser.program.resolve(node.name, self._flow.function.path)
        return callees[0] if len(callees) == 1 and is_instrumented(callees[0]) else None
