# SPDX-License-Identifier: GPL-2.0-or-later
"""The lines of a file where a lock call or its counterpart stands, found in the text alone."""

from __future__ import annotations

import bisect
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from reviewer.source.cfg import Extent
from reviewer.source.parse import parse
from reviewer.source.preprocess import blank_comments_and_strings
from tests.measure.equivalent import only_kernel

_SPIN = r"(?:raw_)?spin_lock|read_lock|write_lock"
TAKES = re.compile(
    rf"(?:{_SPIN})(?:_irqsave|_irq|_bh)?|preempt_disable|local_irq_(?:disable|save)|rcu_read_lock"
    r"|(?:scoped_)?guard(?=\s*\(\s*(?:(?:raw_)?spinlock(?:_irqsave|_irq|_bh)?|read_lock|write_lock|preempt|irq|irqsave|rcu)\s*[,)])"
)
SLEEPING_TAKES = re.compile(r"mutex_lock(?:_nested)?|down_(?:read|write)")
RELEASES = re.compile(
    r"(?:(?:raw_)?spin|read|write)_unlock(?:_irqrestore|_irq|_bh)?|mutex_unlock|up_(?:read|write)|rcu_read_unlock"
)
_TRYLOCK = re.compile(r"\b\w+_trylock\w*\s*\(")
_DIRECTIVE = re.compile(r"[ \t]*#[ \t]*(\w+)(.*)")
# The condition right before a statement.
_TESTED = re.compile(r"\bif\s*\((!?)IS_ENABLED\(CONFIG_PREEMPT_RT\)\)\s*\{?\Z")
_CALL = re.compile(r"\b([a-z_]\w*)\s*\(")
_ASSIGNED = re.compile(r"(?<=[{};:)])\s*([A-Za-z_][\w.]*(?:->[\w.]+)*\s*=)\Z")


@dataclass(frozen=True, slots=True)
class Site:
    """A call that is a statement of its own in ``function``, or the value of one that only assigns it.

    ``start`` and ``end`` are offsets of the statement in the text, ``line`` is its 1-based first line. ``lock`` is the
    first argument without white space. ``braceless`` ones are the whole body of an ``if`` or a loop. ``opens`` is true
    of ``scoped_guard () {``. ``rt`` says for which kind of kernel alone the line exists or is run, or None.
    """

    function: Extent
    line: int
    start: int
    end: int
    name: str
    lock: str
    braceless: bool
    opens: bool
    rt: bool | None


@dataclass(slots=True)
class Source:
    """One file: its text, the text without comments and strings, where its lines begin, and its functions."""

    path: str
    text: str
    extents: tuple[Extent, ...]
    code: str = field(init=False)
    starts: list[int] = field(init=False)
    arms: list[bool | str | None] = field(init=False)
    defined: frozenset[int] = field(init=False)
    found: dict[re.Pattern[str], tuple[list[Site], Counter[str]]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.code = blank_comments_and_strings(self.text.encode("latin-1")).decode("latin-1")
        self.starts = [0, *(match.end() for match in re.finditer("\n", self.code))]
        self.arms, self.defined = _preprocessor(self.code.split("\n"))

    def line_of(self, offset: int) -> int:
        """The 1-based line of an offset."""
        return bisect.bisect_right(self.starts, offset)

    def line(self, number: int) -> str:
        """A line of the code, without its line feed."""
        end = self.starts[number] if number < len(self.starts) else len(self.code) + 1
        return self.code[self.starts[number - 1] : end - 1]

    def enclosing(self, line: int) -> Extent | None:
        """The function around a line, read with the line's own preprocessor arm in force."""
        found = [extent for extent in self.extents if extent.line <= line <= extent.end]
        if not found:
            other = parse(self.path, self.text.encode("latin-1"), frozenset((line,)))
            found = [extent for extent in other.extents if extent.line <= line <= extent.end]
        return found[0] if found else None

    def body(self, function: Extent) -> str:
        """The code of a function."""
        end = self.starts[function.end] if function.end < len(self.starts) else len(self.code)
        return self.code[self.starts[function.line - 1] : end]

    def header(self, function: Extent) -> str:
        """The code of a function up to its body."""
        return self.body(function).partition("{")[0]


def _preprocessor(lines: Sequence[str]) -> tuple[list[bool | str | None], frozenset[int]]:
    """For each line the arm it lies in (True or False: with or without PREEMPT_RT, "dead", None), and macro lines."""
    stack: list[bool | str | None] = []
    arms: list[bool | str | None] = []
    macro: set[int] = set()
    defining = False
    for number, line in enumerate(lines, 1):
        match = None if defining else _DIRECTIVE.match(line)
        if match is not None:
            word, rest = match.groups()
            if word in ("if", "ifdef", "ifndef"):
                stack.append(_arm(word, rest))
            elif word in ("else", "elif") and stack:
                stack[-1] = not stack[-1] if isinstance(stack[-1], bool) and word == "else" else None
            elif word == "endif" and stack:
                stack.pop()
        if match is not None or defining:
            macro.add(number)
            defining = line.endswith("\\")
        arms.append(next((arm for arm in stack if arm is not None), None))
    return arms, frozenset(macro)


def _arm(word: str, condition: str) -> bool | str | None:
    if "CONFIG_PREEMPT_RT" in condition and "&&" not in condition and "||" not in condition:
        return (word == "ifndef") == ("!" in condition)
    return "dead" if condition.strip() == "0" and word == "if" else None


def sites(source: Source, names: re.Pattern[str], excluded: Counter[str]) -> list[Site]:
    """Every statement that calls one of ``names``; the reasons why other lines were left out are counted."""
    if names not in source.found:
        left_out = Counter[str]()
        source.found[names] = (list(_sites(source, names, left_out)), left_out)
    found, left_out = source.found[names]
    excluded.update(left_out)
    return found


def _sites(source: Source, names: re.Pattern[str], excluded: Counter[str]) -> Iterator[Site]:
    for call in _CALL.finditer(source.code):
        name = call.group(1)
        if _TRYLOCK.match(call.group()):
            excluded["a trylock"] += 1
            continue
        match = names.match(source.code, call.start())
        if match is None or match.end() != call.end(1):
            continue
        line = source.line_of(call.start())
        reason = _refused(source, line)
        if reason:
            excluded[reason] += 1
            continue
        function = source.enclosing(line)
        if function is None or source.code[source.starts[line - 1] : source.starts[line - 1] + 1].strip():
            excluded["not in the body of a function"] += 1
            continue
        end = _closed(source.code, call.end() - 1)
        if name == "guard":
            end = _closed(source.code, source.code.find("(", end))
        last = re.compile(r"\s*([;{])").match(source.code, end)
        before = source.code[: call.start()].rstrip()
        while before and _DIRECTIVE.match(before[before.rfind("\n") + 1 :]):
            before = before[: before.rfind("\n")].rstrip()
        start = call.start()
        if (assigned := _ASSIGNED.search(before)) is not None:
            start = assigned.start(1)
            before = before[:start].rstrip()
        opens = name == "scoped_guard" and last is not None and last.group(1) == "{"
        if (last is None) or (last.group(1) == "{") != opens or not _begins(before):
            excluded["in a condition, a declaration or another expression"] += 1
            continue
        arm = source.arms[line - 1]
        if (tested := _TESTED.search(before[-80:])) is not None:
            arm = not tested.group(1)
        if not isinstance(arm, bool):
            arm = only_kernel(source.code, source.starts[function.line - 1], call.start())
        argument = source.code[call.end() : end - 1]
        if "guard" in name:
            name = f"{name}({_first_argument(argument)})"
        yield Site(
            function,
            line,
            start,
            last.end(),
            name,
            _first_argument(argument),
            before[-1:] == ")" or re.search(r"\b(?:else|do)$", before) is not None,
            opens,
            arm if isinstance(arm, bool) else None,
        )


def _refused(source: Source, line: int) -> str:
    if line in source.defined:
        return "in a macro definition"
    return "in #if 0" if source.arms[line - 1] == "dead" else ""


def _begins(before: str) -> bool:
    """Whether a statement can begin after ``before``."""
    return before[-1:] in "{};:)" or re.search(r"\b(?:else|do)$", before) is not None


def _closed(code: str, opening: int) -> int:
    """The offset after the bracket that closes the one at ``opening``."""
    depth = 0
    for match in re.compile(r"[()]").finditer(code, max(opening, 0)):
        depth += 1 if match.group() == "(" else -1
        if depth == 0:
            return match.end()
    return len(code)


def _first_argument(arguments: str) -> str:
    depth = 0
    for offset, char in enumerate(arguments):
        depth += (char in "([") - (char in ")]")
        if char == "," and depth == 0:
            arguments = arguments[:offset]
            break
    return "".join(arguments.split())
