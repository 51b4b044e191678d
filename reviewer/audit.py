# SPDX-License-Identifier: GPL-2.0-or-later
"""What is wrong in files as they stand: every function judged, nothing compared."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

import msgspec

from reviewer.check import Check
from reviewer.context.analysis import Analyser
from reviewer.context.tables import Api
from reviewer.finding import Teller, in_order, one_for_each_root, told_once, without_shadowed
from reviewer.judge import judge
from reviewer.model import Finding, Problem
from reviewer.required import unmet_at_entry
from reviewer.source.cfg import Function
from reviewer.source.program import Program
from reviewer.source.store import decoded, encoded

_AT_ONCE = 200  # files whose names are searched for together
Watch = Callable[[int, int], None]
"""Is told how many of how many files are done."""


def nobody(_done: int, _total: int) -> None:
    """Watch nothing."""


class _Audited(msgspec.Struct, frozen=True):
    """What is to be said of one file."""

    findings: tuple[Finding, ...]
    functions: int
    problems: tuple[Problem, ...]


_DECODER = msgspec.msgpack.Decoder(_Audited)


class Auditor:
    """Judges file after file; what only one file needs is let go of when it is done.

    ``rules`` identifies the tables, see ``Analyser.keep``, and ``program_digest`` all else that decides the answers: a
    file that was judged by the same in the same tree is not judged again. ``day`` is today (days since 1970).
    """

    def __init__(
        self, program: Program, checks: Sequence[Check], api: Api, rules: str, *, program_digest: str, day: int
    ) -> None:
        self._program = program
        self._checks = checks
        self._analyser = Analyser(program, api)
        self._kept = self._analyser.keep(rules)
        self._teller = Teller(program)
        self._day = day
        ids = " ".join(check.id for check in checks)
        self._key = f"{program_digest} {ids} {program.files.subtree_id('')}"
        self.files = 0
        self.functions = 0
        self.problems: list[Problem] = []

    def findings(self, paths: Sequence[str], watch: Watch = nobody) -> tuple[Finding, ...]:
        """The findings in ``paths``, by path and line. A function that cannot be followed is put into ``problems``."""
        found: list[Finding] = []
        finished = {path: self._finished(path) for path in paths}
        missing = [path for path, known in finished.items() if known is None]
        judged = 0
        for path in paths:
            watch(self.files, len(paths))
            audited = finished[path]
            if audited is None:
                if judged % _AT_ONCE == 0:
                    self._program.expect(missing[judged : judged + _AT_ONCE])
                audited = self._audited(path)
                judged += 1
            found += audited.findings
            self.functions += audited.functions
            self.problems += audited.problems
            self.files += 1
        self._kept.flush()
        return in_order(one_for_each_root(found))

    def _finished(self, path: str) -> _Audited | None:
        return decoded(_DECODER, self._program.store.finished(self._key_of(path)))

    def _key_of(self, path: str) -> str:
        return hashlib.sha256(f"{self._key} {path}".encode("utf-8", "surrogateescape")).hexdigest()

    def _audited(self, path: str) -> _Audited:
        functions, problems = 0, list[Problem]()
        here: list[Finding] = []
        for function in self._functions(path):
            functions += 1
            try:
                here += self._judged(function)
            except RecursionError:
                problem = f"{function.name}() nests deeper than the analysis can follow; it was not judged"
                problems.append(Problem("analyse", function.path, problem))
        audited = _Audited(tuple(told_once(without_shadowed(here))), functions, tuple(problems))
        if not problems:
            self._program.store.add_finished(self._key_of(path), self._day, encoded(audited))
        self._analyser.forget()
        return audited

    def _functions(self, path: str) -> Iterator[Function]:
        for name in dict.fromkeys(extent.name for extent in self._program.extents(path)):
            yield from self._program.functions(path, name)

    def _judged(self, function: Function) -> list[Finding]:
        return [
            self._teller.as_it_stands(occurrence)
            for occurrence in (
                *judge(self._analyser, function, self._checks),
                *unmet_at_entry(self._analyser, function, self._checks),
            )
            if not occurrence.masked
        ]
