# SPDX-License-Identifier: GPL-2.0-or-later
"""The context of one place of a tree: who reaches it how, what its calls take and demand, what it may not do."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from reviewer.cache import Cache, today
from reviewer.check import Check, EventKind
from reviewer.citation import Citer
from reviewer.config import Options, data_dir
from reviewer.context.analysis import Analyser
from reviewer.context.callers import MOST, callers, hands_over
from reviewer.context.contexts import Arrival, Begin, Contexts, Lines
from reviewer.context.effects import Condition, Summary
from reviewer.context.facts import NONZERO
from reviewer.context.load import tables_digest
from reviewer.context.locks import by_local_name
from reviewer.context.situation import Below, Forbidden, Situation, Way
from reviewer.errors import RepositoryError, UsageError
from reviewer.forbidden import forbidden
from reviewer.judging import prepared
from reviewer.model import Step
from reviewer.nameindex import NameIndex
from reviewer.pipeline import Tell, nobody
from reviewer.registry import load_api
from reviewer.source.cfg import Function
from reviewer.source.expression import last_member
from reviewer.source.files import C_SUFFIXES
from reviewer.source.program import Program
from reviewer.source.store import Store
from reviewer.tree.repository import Repository
from reviewer.wording import counted

_CODE: Final = tuple(
    "arch block certs crypto drivers fs include init io_uring ipc kernel lib mm net rust security sound virt".split()
)
_PLACE: Final = re.compile(r"(?P<path>[^:]+\.[chS])(?::(?P<line>\d+)|:(?P<name>\w+))?")
_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_MOST_NAMED: Final = 12  # definitions that an error lists
_MOST_FILES: Final = 200  # that mention a name and are looked at for its definition
_MOST_BELOW: Final = 60
_PARAMETER: Final = re.compile(r"\bP(\d+)\b")
_ARGUMENT: Final = re.compile(r"\(&?([\w.>\[\]-]+)\)$")
_DOES: Final = {
    EventKind.SLEEP: "sleep",
    EventKind.BLOCKING_ALLOCATION: "sleep to allocate",
    EventKind.ALLOCATION: "allocate",
    EventKind.FREE: "free",
    EventKind.IRQ_ENABLE: "enable interrupts",
}

Search = Callable[[Program, str], Iterable[str]]
"""The files that may define a function of that name."""


class Target(NamedTuple):
    """What the user named: a file with a line or a function in it, or a function alone."""

    path: str = ""
    line: int | None = None
    name: str = ""


def target_of(text: str) -> Target:
    """``FILE:LINE``, ``FILE:FUNCTION`` or ``FUNCTION``; UsageError for anything else."""
    text = text.removesuffix("()")
    if _NAME.fullmatch(text):
        return Target(name=text)
    match = _PLACE.fullmatch(text)
    if match is None or not (match["line"] or match["name"]):
        raise UsageError(
            f"cannot read {text!r} as a place; give FILE:LINE, FILE:FUNCTION or FUNCTION, as in kernel/fork.c:100"
        )
    path = posixpath.normpath(match["path"])
    return Target(path, int(match["line"]) if match["line"] else None, match["name"] or "")


def situation(
    target: Target,
    levels: int,
    repository: Repository,
    checks: Sequence[Check],
    options: Options,
    tell: Tell = nobody,
) -> Situation:
    """The context of ``target`` in the commit that ``options.base`` names, or HEAD.

    Where it is a name alone and there is a cache, all names of the tree are looked for once, and kept.
    RepositoryError where there is no such file, line or function, or several functions of that name.
    """
    commit = repository.resolve(options.base or "HEAD")
    tree = repository.tree_of(commit)
    files = repository.snapshot(tree, commit)
    rules = tables_digest(data_dir("checks"))

    def found(store: Store) -> Situation:
        program = Program(files, store)
        analyser = Analyser(program, load_api(data_dir("checks")))
        kept = analyser.keep(rules)
        functions = _functions(program, target, commit, indexed if cache.kept else _searched)
        result = _Place(Contexts(analyser), functions, target.line, levels, checks).situation(commit)
        kept.flush()
        return result

    def indexed(program: Program, name: str) -> Iterable[str]:
        def watch(done: int, total: int) -> None:
            tell(f"Looking for names: {done} of {total} files")

        return NameIndex(files, program.store, today()).files_naming(name, _CODE, C_SUFFIXES, watch)

    with Cache(options) as cache, prepared():
        cache.note_use(repository, tree)
        told = cache.use(found)
    citer = Citer(files, commit)
    sources = {check.id: check.sources for check in checks}
    cited = [replace(one, citation=citer.cite(sources[one.check])) for one in told.forbidden]
    return replace(told, forbidden=tuple(cited))


# Which function is meant


def _functions(program: Program, target: Target, commit: str, search: Search) -> tuple[Function, ...]:
    """The function that is meant, in each reading of its preprocessor arms."""
    if not target.path:
        return _named(program, target.name, commit, search)
    if program.text(target.path) is None:
        raise RepositoryError(f"looked for {target.path} in {commit[:12]}: no such file; paths start at the tree's top")
    if target.line is not None:
        program.want({target.path: frozenset((target.line,))})
        extent = program.extent_at(target.path, target.line)
        if extent is not None:
            return _readings(program, target.path, extent.name, extent.line)
        last = len((program.text(target.path) or b"").splitlines())
        if not 1 <= target.line <= last:
            raise RepositoryError(
                f"{target.path} has {last} lines in {commit[:12]}, and no line {target.line}; name a line inside of a "
                "function, or FILE:FUNCTION"
            )
        raise RepositoryError(f"line {target.line} of {target.path} stands in no function; name a line inside of one")
    lines = [extent.line for extent in program.extents(target.path) if extent.name == target.name]
    if not lines:
        raise RepositoryError(f"looked for a function {target.name}() in {target.path}: there is none")
    return _readings(program, target.path, target.name, lines[0])


def _readings(program: Program, path: str, name: str, line: int) -> tuple[Function, ...]:
    found = tuple(function for function in program.functions(path, name) if function.line == line)
    if not found:
        raise RepositoryError(f"{name}() in {path} could not be read as C; nothing is known of it")
    return found


def _named(program: Program, name: str, commit: str, search: Search) -> tuple[Function, ...]:
    found = _in(program, search(program, name), name) or _in(program, _searched(program, name), name)
    if not found:
        raise RepositoryError(f"looked for a function {name}() in {commit[:12]}: there is none; give FILE:LINE")
    # A header that says otherwise has the stub for kernels without it.
    sources = {place: function for place, function in found.items() if place[0].endswith(".c")} or found
    if len(sources) > 1:
        places = ", ".join(f"{path}:{line}" for path, line in sorted(sources)[:_MOST_NAMED])
        raise RepositoryError(f"there are {len(sources)} functions {name}(); name one by its place: {places}")
    (path, line) = next(iter(sources))
    return _readings(program, path, name, line)


def _in(program: Program, paths: Iterable[str], name: str) -> dict[tuple[str, int], Function]:
    """The functions called ``name`` in ``paths``, by path and line."""
    functions = (function for path in paths for function in program.functions(path, name))
    return {(function.path, function.line): function for function in functions if "macro" not in function.words}


def _searched(program: Program, name: str) -> Iterator[str]:
    """The files that may define ``name``: in them it stands before a bracket, or within those of a macro."""
    begins = re.compile(rb"\b" + name.encode() + rb"\s*[(,)]")
    mentioned = program.files.mentioning(frozenset((name,)), _CODE).get(name, ())
    for path in [path for path in mentioned if path.endswith(C_SUFFIXES)][:_MOST_FILES]:
        if begins.search(program.text(path) or b""):
            yield path


# What is to be told of it


class _Place:
    def __init__(
        self,
        contexts: Contexts,
        functions: tuple[Function, ...],
        line: int | None,
        levels: int,
        checks: Sequence[Check],
    ) -> None:
        self._contexts = contexts
        self._analyser = contexts.analyser
        self._checks = checks
        self._levels = levels
        readings = [contexts.lines(function, levels) for function in functions]
        chosen = next((lines for lines in readings if line is not None and lines.has(line)), readings[0])
        self._lines = chosen
        self._function = chosen.function
        self._line = line
        self._at = line if line is not None else self._first()

    def _first(self) -> int:
        """The first line on which anything happens: there the function has its callers' context alone."""
        own = (node.line for node in self._function.blocks[0].nodes)
        return min(own, default=self._function.line)

    def situation(self, commit: str) -> Situation:
        function = self._function
        rows = (self._analyser.program.text(function.path) or b"").split(b"\n")
        text = rows[self._line - 1].decode("utf-8", "replace").strip() if self._line is not None else ""
        states = self._lines.states(self._at)
        api = self._analyser.api
        below = tuple(self._below())
        notes = []
        if len(below) > _MOST_BELOW:
            left = len(below) - _MOST_BELOW
            are = "is" if left == 1 else "are"
            notes.append(f"{counted(left, 'more thing')} that its calls do {are} left out.")
        return Situation(
            commit,
            function.path,
            function.name,
            function.line,
            function.end,
            self._line,
            text,
            self._levels,
            self._lines.marks(self._at),
            tuple(self._ways()),
            below[:_MOST_BELOW],
            _ordered(forbidden(states, self._lines.names(self._at), function, self._at, self._checks, api)),
            tuple(self._missing()),
            tuple(notes),
        )

    def _ways(self) -> Iterator[Way]:
        """The ways in, each once: where one chain of calls leads here in several states, all that holds in them."""
        here = Step(self._function.path, self._at, self._function.name, "")
        alike: dict[tuple[tuple[Step, ...], Begin], list[Arrival]] = {}
        for arrival in self._lines.arrivals:
            alike.setdefault((arrival.steps, arrival.begin), []).append(arrival)
        for (steps, begin), arrivals in alike.items():
            marks = Lines(self._contexts, self._function, tuple(arrivals)).marks(self._at)
            yield Way(marks or (), (*steps, here), begin.value, marks is not None)

    def _missing(self) -> Iterator[str]:
        """Why others than the ways that are told may lead here."""
        function, program = self._function, self._analyser.program
        above = callers(program, function)
        if len(above) >= MOST:
            yield f"It has many callers; only the nearest {MOST} were looked at."
        if program.filled(function) or any(hands_over(caller, function.name) for caller in above):
            yield "It is also called through pointers; who does that is known only where it is told."
        if not (function.static and function.path.endswith(".c")):
            folders = dict.fromkeys(_shortened(folder) for folder in sorted(program.scope(function.path)))
            yield f"Callers were looked for in {', '.join(folders)}, and nowhere else."

    def _below(self) -> Iterator[Below]:
        """What the calls of the function do, or those on the one line, each once by its shortest way."""
        summary = self._analyser.summary(self._function)
        shortest: dict[tuple[str, str], Below] = {}
        for one in self._found(summary):
            if self._line is not None and (not one.steps or one.steps[0].line != self._line):
                continue
            key = (one.what, one.subject)
            known = shortest.get(key)
            if known is None or (len(one.steps), one.steps) < (len(known.steps), known.steps):
                shortest[key] = one
        order = ("takes", "asserts", "does")
        yield from sorted(shortest.values(), key=lambda one: (order.index(one.what), one.steps, one.subject))

    def _found(self, summary: Summary) -> Iterator[Below]:
        for taken in summary.acquisitions.values():
            lock = _written(self._own(taken.expression), taken.steps)
            yield Below("takes", lock, taken.steps, self._depends(taken.conditions))
        for wanted in summary.requirements.values():
            yield Below("asserts", self._own(wanted.what), wanted.steps, self._depends(wanted.conditions))
        for effect in summary.effects.values():
            if effect.kind in _DOES:
                conditional = bool(effect.assumed) or self._depends(effect.conditions)
                yield Below("does", _DOES[effect.kind], effect.steps, conditional)

    def _depends(self, conditions: Iterable[Condition]) -> bool:
        """Whether it depends on arguments: that a pointer is not NULL is no condition to speak of."""
        pointers = self._function.pointers
        return any(
            not (
                condition.operator == "value"
                and condition.operand == NONZERO
                and condition.position < len(pointers)
                and pointers[condition.position]
            )
            for condition in conditions
        )

    def _own(self, expression: str) -> str:
        """An expression in parameters as the function writes it."""
        params = self._function.params

        def name(match: re.Match[str]) -> str:
            position = int(match.group(1))
            return params[position] if position < len(params) and params[position] else match.group()

        return by_local_name(self._function, _PARAMETER.sub(name, expression).removeprefix("?."))


def _written(lock: str, steps: Sequence[Step]) -> str:
    """A lock of which only the member is known as the call that takes it writes it, ``base->lock``."""
    argument = _ARGUMENT.search(steps[-1].text) if steps else None
    return argument[1] if argument is not None and last_member(argument[1]) == lock else lock


def _shortened(folder: str) -> str:
    """A folder to look for names in, by the folder at the top or the architecture where it is one of many."""
    parts = folder.split("/")
    if parts[0] == "arch":
        return "/".join(parts[:2])
    return parts[0] if parts[0] == "include" else folder


def _ordered(found: Iterable[Forbidden]) -> tuple[Forbidden, ...]:
    """What always holds first, then what all kernels forbid."""
    return tuple(sorted(found, key=lambda one: (not one.always, one.kernels.value, one.check, one.act, one.why)))
