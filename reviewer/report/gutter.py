# SPDX-License-Identifier: GPL-2.0-or-later
"""The context of a line in the margin of a diff: its words and what they mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from reviewer.model import Mark, PatchReview, World
from reviewer.report.plain import clean_line

LEGEND: Final = (
    "NAME: that lock is held, with its object where its own name says little (NAME:r for reading, srcu:NAME an SRCU "
    "reader). irq-, bh-, pre-: interrupts, bottom halves, preemption disabled. rcu: in an RCU reader. EQS: RCU does "
    "not watch. (x): on some ways to the line, or not for certain. !rt: not on PREEMPT_RT, rt: only there. What is not "
    "told is not known. A removed line is told as it was; was: how a line that stays ran before the patch. A dot: "
    "nothing special is known."
)
NOTHING: Final = "."
"""Stands where the line is known to run in no special context of its own."""
_PREFIX: Final = {World.BOTH: "", World.NOT_RT: "!rt:", World.RT: "rt:"}

_WHERE: Final = {World.BOTH: "", World.NOT_RT: " (not on PREEMPT_RT)", World.RT: " (only on PREEMPT_RT)"}


def told(marks: Iterable[Mark]) -> str:
    """The marks of a line: what holds on all kernels, then what PREEMPT_RT makes different."""
    parts: list[str] = []
    listed = tuple(marks)
    for world, prefix in _PREFIX.items():
        words = [
            clean_line(mark.text) if mark.always else f"({clean_line(mark.text)})"
            for mark in listed
            if mark.world is world
        ]
        if words:
            words = list(dict.fromkeys(words))  # two locks of one name are told apart by what the marks mean
            parts.append(f"{prefix}{','.join(words)}" if prefix else " ".join(words))
    return " ".join(parts)


def meaning(marks: Sequence[Mark]) -> str:
    """The marks in full, for who wants to know more."""
    return "; ".join(
        f"{clean_line(mark.meaning)}{'' if mark.always else ', on some ways or not for certain'}{_WHERE[mark.world]}"
        for mark in marks
    )


def width_of(patches: Iterable[PatchReview], most: int) -> int:
    """Columns for the margin so that all but the longest fit, at most ``most``."""
    lengths = [
        len(told(line.marks)) for patch in patches for file in patch.diff for hunk in file.hunks for line in hunk.lines
    ]
    return min(max(lengths, default=0), most)
