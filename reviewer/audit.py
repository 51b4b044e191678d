# SPDX-License-Identifier: GPL-2.0-or-later
"""What is wrong in files as they stand: every function judged, nothing compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from reviewer.check import Check
from reviewer.context.analysis import Analyser
from reviewer.context.tables import Api
from reviewer.finding import Teller, in_order, told_once, without_shadowed
from reviewer.judge import judge
from reviewer.model import Finding, Problem
from reviewer.required import unmet_at_entry
from reviewer.source.cfg import Function
from reviewer.source.program import Program

_AT_ONCE = 200  # files whose names are searched for together
Watch = Callable[[int, int], None]
"""Is told how many of how many files are done."""


def nobody(_done: int, _total: int) -> None:
    """Watch nothing."""


class Auditor:
    """Judges file after file; what only one file needs is let go of when it is done.

    ``rules`` identifies the tables, see ``Analyser.keep``.
    """

    def __init__(self, program: Program, checks: Sequence[Check], api: Api, rules: str) -> None:
        self._program = program
        self._checks = checks
        self._analyser = Analyser(program, api)
        self._kept = self._analyser.keep(rules)
        self._teller = Teller(program.files)
        self.files = 0
        self.functions = 0
        self.problems: list[Problem] = []

    def findings(self, paths: Sequence[str], watch: Watch = nobody) -> tuple[Finding, ...]:
        """The findings in ``paths``, by path and line. A function that cannot be followed is put into ``problems``."""
        found: list[Finding] = []
        for position, path in enumerate(paths):
            if position % _AT_ONCE == 0:
                self._program.expect(paths[position : position + _AT_ONCE])
            watch(self.files, len(paths))
            here = [finding for function in self._functions(path) for finding in self._judged(function)]
            found += told_once(without_shadowed(here))
            self._analyser.forget()
            self._program.release()
            self.files += 1
        self._kept.flush()
        return in_order(found)

    def _functions(self, path: str) -> Iterator[Function]:
        for name in dict.fromkeys(extent.name for extent in self._program.extents(path)):
            yield from self._program.functions(path, name)

    def _judged(self, function: Function) -> list[Finding]:
        self.functions += 1
        try:
            return [
                self._teller.as_it_stands(occurrence)
                for occurrence in (
                    *judge(self._analyser, function, self._checks),
                    *unmet_at_entry(self._analyser, function, self._checks),
                )
                if not occurrence.masked
            ]
        except RecursionError:
            problem = f"{function.name}() nests deeper than the analysis can follow; it was not judged"
            self.problems.append(Problem("analyse", function.path, problem))
            return []
