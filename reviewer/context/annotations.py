# SPDX-License-Identifier: GPL-2.0-or-later
"""What the words on a function say of it."""

from __future__ import annotations

from reviewer.source.cfg import Function

_QUIET = frozenset(("__cpuidle", "__init", "notrace"))


def is_noinstr(function: Function) -> bool:
    """Whether ``function`` may not be traced: its own word, or that of the macro that defines it."""
    return "noinstr" in function.words or function.via in ("DEFINE_IDTENTRY_RAW", "DEFINE_IDTENTRY_RAW_ERRORCODE")


def never_returns(function: Function) -> bool:
    """Whether ``function`` says that no path goes on after it."""
    return "__noreturn" in function.words


def is_early(function: Function) -> bool:
    """Whether ``function`` runs only while the kernel starts, and is no part of a module."""
    return "__init" in function.words and function.path.startswith(("arch/", "init/", "kernel/", "mm/"))


def is_untraceable(function: Function) -> bool:
    """Whether no call of ``function`` can be traced: it has no address of its own, or lies where nothing is traced."""
    return is_noinstr(function) or "__cpuidle" in function.words or "__always_inline" in function.words


def is_instrumented(function: Function) -> bool:
    """Whether ``function`` is certainly a call of its own that can be traced: no macro, and nothing that is inlined.

    What a macro defines may stand behind another function of that name: DEFINE_IDTENTRY_IRQ() makes a noinstr one.
    """
    inlined = {"inline", "__always_inline", "__inline", "nokprobe_inline", "macro"} & set(function.words)
    return (
        not inlined
        and not function.via
        and not is_noinstr(function)
        and function.path.endswith(".c")
        and not _QUIET & set(function.words)
    )
