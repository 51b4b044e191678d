# SPDX-License-Identifier: GPL-2.0-or-later
"""What is told of one place of a tree: its context, the ways to it, what its calls do, what may not be done there."""

from __future__ import annotations

from dataclasses import dataclass

from reviewer.model import Citation, Kernels, Mark, Step


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which a place is reached: its context there, and the ``witness`` from the outermost known frame down.

    ``begin`` says what the outermost frame is: an entry of the kernel, or a function whose callers are not known or
    were not looked at. ``known`` is false where no path of the function leads to the line on this way.
    """

    marks: tuple[Mark, ...]
    witness: tuple[Step, ...]
    begin: str
    known: bool = True


@dataclass(frozen=True, slots=True)
class Below:
    """Something that calls bring about: ``what`` (takes, asserts, does), the ``subject``, and the steps down to it.

    It is ``conditional`` where it depends on what the function was called with.
    """

    what: str
    subject: str
    steps: tuple[Step, ...]
    conditional: bool = False


@dataclass(frozen=True, slots=True)
class Forbidden:
    """What may not be done at a place: ``act``, ``why`` in words of the context, the rule and where the tree states it.

    Without ``always`` only some ways to the place forbid it.
    """

    act: str
    why: str
    check: str
    kernels: Kernels
    rule: str
    always: bool
    citation: Citation | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """The context of a function, or of one ``line`` of it: how it is reached, what its calls do, what is forbidden.

    ``marks`` are None where nothing is known of the line. ``text`` is the line as it stands in ``commit``. ``levels``
    is how many calls above callers were looked at. ``missing`` says in sentences which other ways there may be.
    """

    commit: str
    path: str
    function: str
    first: int
    last: int
    line: int | None
    text: str
    levels: int
    marks: tuple[Mark, ...] | None
    ways: tuple[Way, ...]
    below: tuple[Below, ...]
    forbidden: tuple[Forbidden, ...]
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
