# SPDX-License-Identifier: GPL-2.0-or-later
"""Places where a mistake does no harm, as the text around them shows: what is put in there is no mistake to find."""

from __future__ import annotations

import re

from reviewer.source.cfg import Extent

_RETURNED = re.compile(r"^\tif \((!?)IS_ENABLED\(CONFIG_PREEMPT_RT\)\)\s*(?:\{\s*)?return\b[^;{}]*;", re.MULTILINE)
_LABEL = re.compile(r"^[A-Za-z_]\w*:(?!:)", re.MULTILINE)
_BLOCK = re.compile(r"\bif \(((?:[^(){};|]|\([^(){};|]*\))*)\)\s*\{")
_OTHERWISE = re.compile(r"\bif \((!?)IS_ENABLED\(CONFIG_PREEMPT_RT\)\)\s*\{")
_ELSE = re.compile(r"\s*else\s*\{")
_ASKED = re.compile(r"(!?)IS_ENABLED\(CONFIG_PREEMPT_RT\)")
_BRACE = re.compile(r"[{}]")
_INIT = re.compile(r"\b__init\b")
# No modules lie here but those that say so.
_CORE = ("arch/", "init/", "kernel/", "mm/")
_IRQS_OFF = re.compile(r"local_irq_(?:disable|save)|(?:scoped_)?guard\((?:irq|irqsave)\)")
_SYSCORE = re.compile(r"\bstruct\s+syscore_ops\s+\w+\s*=\s*\{([^{}]*)\}")


def only_kernel(code: str, start: int, at: int) -> bool | None:
    """For which kind of kernel alone the code at ``at`` is run, in the function that begins at ``start``; or None.

    True is with PREEMPT_RT. It was asked for by an early return of the function, or by the block around the code.
    """
    before = code[start:at]
    if "CONFIG_PREEMPT_RT" not in before:
        return None
    for match in _RETURNED.finditer(before):
        if _LABEL.search(before, match.end()) is None:
            return bool(match.group(1))
    for match in _BLOCK.finditer(before):
        asked = _ASKED.search(match.group(1))
        if asked is not None and _is_open(before, match.end()):
            return not asked.group(1)
    for match in _OTHERWISE.finditer(before):
        end = _end_of_block(before, match.end())
        other = _ELSE.match(before, end) if end >= 0 else None
        if other is not None and _is_open(before, other.end()):
            return bool(match.group(1))
    return None


def _is_open(text: str, at: int) -> bool:
    """Whether the block whose brace stands before ``at`` goes on until the end of ``text``."""
    return _end_of_block(text, at) < 0


def _end_of_block(text: str, at: int) -> int:
    """The offset after the block whose brace stands before ``at``; -1 where it goes on until the end of ``text``."""
    depth = 1
    for match in _BRACE.finditer(text, at):
        depth += 1 if match.group() == "{" else -1
        if depth == 0:
            return match.end()
    return -1


def runs_alone(path: str, code: str, header: str, function: Extent, call: str) -> str:
    """Why no task and no other processor can hold a lock where ``call`` stands; empty where one can.

    ``header`` is that of the function. An __init function of the kernel itself that nothing registers as an initcall
    is called with interrupts disabled before the scheduler runs (init/main.c, start_kernel()); what it disables itself
    changes nothing. syscore_ops are called on one processor with interrupts disabled (include/linux/syscore_ops.h).
    """
    if (
        _IRQS_OFF.fullmatch(call)
        and path.startswith(_CORE)
        and _INIT.search(header)
        and not re.search(r"\bmodule_init\s*\(", code)
        and not re.search(rf"\b\w*_initcall(?:_sync)?\s*\(\s*{function.name}\s*\)", code)
    ):
        return "an __init function that disables interrupts while the kernel boots"
    for match in _SYSCORE.finditer(code):
        if re.search(rf"\.(?:suspend|resume)\s*=\s*&?{function.name}\b", match.group(1)):
            return "a callback of syscore_ops, which runs alone"
    return ""
