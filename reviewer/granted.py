# SPDX-License-Identifier: GPL-2.0-or-later
"""What a finding takes for granted of memory, in words: ``state->busy is set``, ``request->kind is READ or WRITE``."""

from __future__ import annotations

import re
from dataclasses import replace

from reviewer.check import Event, Report
from reviewer.context.assumptions import GLOBAL, SOME
from reviewer.context.effects import Assumptions
from reviewer.context.oneof import BETWEEN, each_of

_MOST = 2
_LAST = "this drops the last reference"
_NAME = re.compile(r"(?:->)?[A-Za-z_][\w.>-]*(?:\[\w+\][\w.>-]*)*")
_CALL = re.compile(r"\w+\([^()]*\)")
_BITS = re.compile(r"(.+[^&(])&\(?([A-Z_][A-Z0-9_]*(?:\|[A-Z_][A-Z0-9_]*)*)\)?")
_COMPARED = re.compile(r"(.+[^=<>])([<>]=)(\w+)")
_OPPOSITE = {"<=": ">", ">=": "<"}
_ASKS = r"^Can this sleep\? "  # of a call that is shown, what it takes for granted is the better question


def conditional(report: Report, event: Event) -> Report:
    """``report`` of ``event``, naming what must be so of memory for it to happen."""
    # What is so says more than what is not so.
    granted = sorted(event.granted, key=lambda each: (not each[1], each))
    told = [_said(text, truth) for text, truth in granted if not _is_wider(text, event.granted)]
    if event.last:
        told.insert(0, _LAST)
    if not told:
        return report
    listed = " and ".join(told[:_MOST])
    if len(told) > _MOST:
        listed += f", among {len(told)} conditions"
    asked = "Can this drop the last reference?" if told == [_LAST] else f"Can it be that {listed}?"
    return replace(
        report,
        message=f"{report.message} if {listed}",
        question=f"{asked} {re.sub(_ASKS, 'Then ', report.question)}",
    )


def _is_wider(text: str, granted: Assumptions) -> bool:
    """Whether ``text`` names several constants, and one of them is what the same is taken to be."""
    return text.endswith(BETWEEN) and any((one, True) in granted for one in each_of(text))


def _said(text: str, truth: bool) -> str:
    """One assumption as a clause."""
    own = text.removeprefix(GLOBAL)
    own = own[1:] if own.startswith(SOME) else own
    path, mark, constants = own.partition("==")
    if mark and _NAME.fullmatch(path):
        either = (" or " if truth else " nor ").join(constants.removesuffix(BETWEEN).split(BETWEEN))
        return f"{path} is {either}" if truth else f"{path} is {'neither ' * (BETWEEN in constants) or 'not '}{either}"
    if _NAME.fullmatch(own):
        return f"{own} is set" if truth else f"{own} is not set"
    if _CALL.fullmatch(own):
        return f"{own.replace(',', ', ')} is {'true' if truth else 'false'}"
    if (compared := _COMPARED.fullmatch(own)) is not None:
        left, operator, right = compared.groups()
        return f"{left} {operator if truth else _OPPOSITE[operator]} {right}"
    if (bits := _BITS.fullmatch(own)) is not None:
        of, names = bits.groups()
        return f"{of} has {names}" if truth else f"{of} does not have {names}"
    return f"{own} is {'true' if truth else 'false'}"
