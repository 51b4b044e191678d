# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls among the arguments of a macro that opens a reader or takes a lock: they may be made inside it.

Source: https://gcc.gnu.org/onlinedocs/cpp/Macro-Arguments.html; as with ``btrfs_info()`` in fs/btrfs/messages.h.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reviewer.context.tables import Api, Operation
from reviewer.source.cfg import Function
from reviewer.source.macros import expansions

if TYPE_CHECKING:
    from reviewer.context.analysis import Analyser

_DEEPEST = 4
"""So many macros one below the other are looked into."""
_FAR = 12  # lines, of one call
_CALLED = re.compile(r"\b([A-Za-z_]\w+)\(")


def perhaps_inside(analyser: Analyser, function: Function, line: int, name: str) -> bool:
    """Whether a call of ``name`` on ``line`` of ``function`` is an argument of such a macro."""
    mentioned = f"{name}("
    return any(
        abs(call.line - line) <= _FAR
        and not analyser.api.is_known(call.name)
        and any(mentioned in argument and name in _CALLED.findall(argument) for argument in call.args)
        and _opens(analyser, call.name, function.path, 0)
        for call in function.calls()
    )


def _opens(analyser: Analyser, name: str, user: str, depth: int) -> bool:
    """Whether ``name`` is a macro that opens a reader or takes a lock, itself or by another macro."""
    program = analyser.program
    for path in program.macro_files(name, user)[:1]:
        for text in expansions(program.text(path) or b"", name, ()):
            called = [word for word in dict.fromkeys(_CALLED.findall(text)) if word != name]
            if any(_takes(word, analyser.api) for word in called):
                return True
            if depth < _DEEPEST and any(_opens(analyser, word, path, depth + 1) for word in called):
                return True
    return False


def _takes(name: str, api: Api) -> bool:
    lock = api.locks.get(name)
    raised = any(change > 0 for change in api.counters.get(name, {}).values())
    return raised or (lock is not None and lock.operation is Operation.ACQUIRE)
