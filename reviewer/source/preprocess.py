# SPDX-License-Identifier: GPL-2.0-or-later
"""Choose one arm of each ``#if``, by blanking the others: offsets and lines stay what they were.

Kernel code is read in the world of a configuration that has everything: a ``CONFIG_`` option counts as set unless it
is listed in ``ABSENT``. Code that exists only in the other arm is read when a caller asks for its lines.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from zlib import crc32

# Options that turn code off or shrink the kernel; their counterpart is what nearly every kernel runs. PREEMPT_RT is
# here because the analysis judges both worlds from the common code and needs one text.
ABSENT = frozenset(
    f"CONFIG_{name}".encode()
    for name in (
        "PREEMPT_RT X86_32 32BIT CPU_BIG_ENDIAN TINY_RCU TINY_SRCU SLOB SLUB_TINY UML PREEMPT_NONE HIGHMEM M68K "
        "DEBUG_RT_MUTEXES NEED_PER_CPU_KM GENERIC_LOCKBREAK BASE_SMALL NOMMU PARAVIRT_NONE CC_IS_CLANG"
    ).split()
) | {
    b"__ASSEMBLY__",
    b"__ASSEMBLER__",
    b"__ASSEMBLER",
    b"__KVM_NVHE_HYPERVISOR__",
    b"__CHECKER__",
    b"BUILD_VDSO32",
    b"__cplusplus",
    b"MODULE",
}

# Architectures beside x86, whose reading code for all of them gets: ``#ifndef`` of one is true there, and its own code
# has none. ``#ifdef`` of one is read like any other option, as nothing else is there instead.
_OTHER_ARCHITECTURES = frozenset(
    f"CONFIG_{name}".encode()
    for name in (
        "ALPHA ARC ARM ARM64 CSKY HEXAGON IA64 LOONGARCH MICROBLAZE MIPS NIOS2 OPENRISC PARISC PPC RISCV S390 SPARC "
        "SUPERH XTENSA"
    ).split()
)

# Unterminated ones end with the text or the line, so that no text makes this take more than one pass.
_LEXEME = re.compile(
    rb"/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/)?|//(?:[^\n\\]|\\.)*+|\"(?:[^\"\\\n]|\\.)*+\"?|'(?:[^'\\\n]|\\.)++'",
    re.DOTALL,
)
_REST = rb"[^\n\\]*+(?:\\(?:\r?\n|.)[^\n\\]*+)*+"
_DIRECTIVE = re.compile(rb"^[ \t]*+#[ \t]*+(\w*+)(" + _REST + rb")", re.MULTILINE)
_UNCONDITIONAL = re.compile(rb"^(?:[ \t]*+#[ \t]*+(?!if|el|endif)" + _REST + rb"(?:[ \t\r]*\n)*+)++", re.MULTILINE)
_BLANK = bytes(byte if byte == 10 else 32 for byte in range(256))
_MARKS = b"\"'(){}[];:,#/*\\?` "
_IN_CHARACTER = bytes(
    b"QZXJKVWYGHUFILBMEN"[_MARKS.index(byte)] if byte in _MARKS else byte if 32 < byte < 127 else ord("a")
    for byte in range(256)
)
_BEFORE_LINE_FEED = re.compile(rb" (?=\n)")
_MOST_DIGITS = 10
_NOT_CONTINUED = re.compile(rb"[^\n\\]|\\(?!\r?\n)")
_DEFINED = re.compile(rb"\b(?:IS_ENABLED|IS_BUILTIN|IS_REACHABLE|defined)\s*\(?\s*(\w+)\s*\)?")
_NUMBER = re.compile(rb"\b(?:0[xX][0-9a-fA-F]+|\d+)[uUlL]*\b")
_WORD = re.compile(rb"\b[A-Za-z_]\w*\s*\([^()]*\)|\b[A-Za-z_]\w*")
_ONE_OPTION = re.compile(rb"(!?)(?:defined|IS_ENABLED)(?:\((\w+)\)|(?<=defined)(\w+))")
_PLAIN = re.compile(r"[\d\s()<>=!+\-*/%&|]*(?:(?:and|or|not)[\d\s()<>=!+\-*/%&|]*)*")

_CALLED = re.compile(r"[\d)]\s*\(")  # what is left of a macro in the argument of another


@dataclass(slots=True)
class Arms:
    """What arm selection did: (first, last) lines that were not read, and those that depend on CONFIG_PREEMPT_RT."""

    dead: list[tuple[int, int]] = field(default_factory=list)
    rt: list[tuple[int, int, bool]] = field(default_factory=list)


@dataclass(slots=True)
class _Conditional:
    outer: bool
    taken: bool
    active: bool
    rt: bool | None
    start_line: int


def blank(text: bytes) -> bytes:
    """``text`` with every byte but line feeds made a space."""
    return text.translate(_BLANK)


def _blank_lexeme(match: re.Match[bytes]) -> bytes:
    text = match.group()
    if text[:1] == b"/":
        if b"\n" in text and _in_directive(match.string, match.start()):
            return _BEFORE_LINE_FEED.sub(b"\\\\", blank(text))
        return blank(text)
    if text[:1] == b"'":
        return b"'" + text[1:-1].translate(_IN_CHARACTER) + b"'"
    if len(text) < 2 or text[-1:] != b'"':
        return blank(text)
    inside = _NOT_CONTINUED.sub(b" ", text[1:-1]) if b"\n" in text else _digits(text[1:-1])
    return b'"' + inside + b'"'


def _digits(content: bytes) -> bytes:
    """What tells ``content`` from other strings, in the same length."""
    size = min(len(content), _MOST_DIGITS)
    digits = b"%0*d" % (size, crc32(content) % 10**size) if size else b""
    return digits.ljust(len(content))


def _in_directive(text: bytes, at: int) -> bool:
    """Whether a comment at ``at`` begins in a directive, which then goes on behind it."""
    start = text.rfind(b"\n", 0, at) + 1
    while text[max(start - 2, 0) : start] == b"\\\n":
        start = text.rfind(b"\n", 0, start - 1) + 1
    return text[start:at].lstrip().startswith(b"#")


def blank_comments_and_strings(text: bytes) -> bytes:
    """``text`` without comments and the content of strings, in the same length.

    In character constants only marks are made letters, and digits stand for a string, so that two of them are seldom
    the same.
    """
    return _LEXEME.sub(_blank_lexeme, text)


def holds(kind: bytes, condition: bytes, known: Mapping[bytes, bool] = MappingProxyType({})) -> bool:
    """Whether ``#kind condition`` is true in the configuration that has everything, but for the ``known`` options."""
    expression = condition.replace(b"\\\n", b" ").strip()
    if kind in (b"ifdef", b"ifndef"):
        name = expression.split()[0] if expression else b""
        if kind == b"ifndef":  # header guards and default definitions are taken
            return not name.startswith(b"CONFIG_") or name in ABSENT or name in _OTHER_ARCHITECTURES
        return name not in ABSENT
    expression = _DEFINED.sub(lambda m: b"%d" % known.get(m.group(1), m.group(1) not in ABSENT), expression)
    expression = re.sub(rb"\bIS_MODULE\s*\(\w+\)", b"0", expression)
    expression = _NUMBER.sub(
        lambda m: str(
            int(m.group().rstrip(b"uUlL"), 0) if m.group()[:1] != b"0" or m.group()[1:2] in b"xX" else 0
        ).encode(),
        expression,
    )
    expression = _WORD.sub(b"64", expression)
    python = (
        expression.replace(b"&&", b" and ")
        .replace(b"||", b" or ")
        .replace(b"!=", b"\0")
        .replace(b"!", b" not ")
        .replace(b"\0", b"!=")
        .decode("latin-1")
    )
    if not _PLAIN.fullmatch(python) or _CALLED.search(python):
        return True
    try:
        return bool(eval(python, {"__builtins__": {}}, {}))  # noqa: S307 - digits, operators and and/or/not only
    except (SyntaxError, ArithmeticError, TypeError, ValueError, MemoryError, RecursionError):
        return True


def _meaning_for_rt(kind: bytes, condition: bytes) -> bool | None:
    """True where the arm needs CONFIG_PREEMPT_RT, False where it excludes it, None where it says nothing."""
    text = condition.replace(b" ", b"").strip()
    if b"CONFIG_PREEMPT_RT" not in text or b"CONFIG_PREEMPT_RT_" in text:
        return None
    if b"||" in text:
        return None
    return (kind != b"ifndef") != bool(re.search(rb"!(?:defined|IS_ENABLED)\(?CONFIG_PREEMPT_RT\b", text))


def choose_arms(text: bytes, wanted: frozenset[int] = frozenset()) -> tuple[bytes, Arms]:
    """Blank directives and the arms that are not compiled. ``text`` holds no comments any more.

    An arm that holds one of the ``wanted`` lines is chosen whatever its condition says; of several arms of one
    conditional that do, the first one. Other conditionals that ask the same are answered alike.
    """
    arms = Arms()
    text = _UNCONDITIONAL.sub(lambda match: blank(match.group()), text)
    directives = list(_DIRECTIVE.finditer(text))
    if not directives:
        return text, arms
    preferred, known = _preferred_arms(text, directives, wanted) if wanted else ({}, {})
    out: list[bytes] = []
    stack: list[_Conditional] = []
    active = True
    last = line = 0
    for number, match in enumerate(directives):
        start, end = match.span()
        segment = text[last:start]
        out.append(segment if active else blank(segment))
        height = segment.count(b"\n")
        if not active:
            arms.dead.append((line + 2, line + height))
        line += height
        active = _step(match, stack, active, preferred.get(number), known, line + 1, arms)
        out.append(blank(text[start:end]))
        line += text.count(b"\n", start, end)
        last = end
    segment = text[last:]
    out.append(segment if active else blank(segment))
    if not active:
        arms.dead.append((line + 2, line + 1 + segment.count(b"\n")))
    return b"".join(out), arms


def _step(
    match: re.Match[bytes],
    stack: list[_Conditional],
    active: bool,
    preferred: bool | None,
    known: Mapping[bytes, bool],
    line: int,
    arms: Arms,
) -> bool:
    kind = match.group(1)
    if kind in (b"if", b"ifdef", b"ifndef"):
        value = _answer(match, known) if preferred is None else preferred
        stack.append(_Conditional(active, value, active and value, _meaning_for_rt(kind, match.group(2)), line))
        return stack[-1].active
    if not stack or kind not in (b"elif", b"elifdef", b"elifndef", b"else", b"endif"):
        return active
    top = stack[-1]
    if top.rt is not None and top.active:
        arms.rt.append((top.start_line, line, top.rt))
    if kind == b"endif":
        return stack.pop().outer
    if kind == b"else":
        value = not top.taken if preferred is None else preferred
        top.rt = None if top.rt is None else not top.rt
    else:
        value = (not top.taken and _answer(match, known)) if preferred is None else preferred
        top.rt = None
    top.taken = top.taken or value
    top.active = top.outer and value
    top.start_line = line
    return top.active


def _preferred_arms(
    text: bytes, directives: list[re.Match[bytes]], wanted: frozenset[int]
) -> tuple[dict[int, bool], dict[bytes, bool]]:
    """For the directives of every conditional with a wanted line in one of its arms: which arm to take.

    Then what is true or not where these arms are read.
    """
    chains: list[list[tuple[int, int]]] = []
    stack: list[list[tuple[int, int]]] = []
    line = 1
    last = 0
    for number, match in enumerate(directives):
        line += text.count(b"\n", last, match.start())
        last = match.start()
        kind = match.group(1)
        if kind in (b"if", b"ifdef", b"ifndef"):
            stack.append([(number, line)])
        elif kind in (b"elif", b"elifdef", b"elifndef", b"else") and stack:
            stack[-1].append((number, line))
        elif kind == b"endif" and stack:
            chains.append([*stack.pop(), (number, line)])
    result: dict[int, bool] = {}
    known: dict[bytes, bool] = {}
    lines = sorted(wanted)
    for chain in chains:
        inside = [bisect_right(lines, start) < bisect_left(lines, stop) for (_, start), (_, stop) in pairwise(chain)]
        if any(inside):
            first = inside.index(True)
            result.update({chain[i][0]: i == first for i in range(len(chain) - 1)})
            asked = (_asked(directives[number]) for number, _ in chain[: first + 1])
            known.update((name, truth == (at == first)) for at, (name, truth) in enumerate(asked) if name)
    return result, known


def _answer(directive: re.Match[bytes], known: Mapping[bytes, bool]) -> bool:
    """Whether the condition of a directive is true."""
    if known:
        name, truth = _asked(directive)
        if name in known:
            return known[name] == truth
    return holds(directive.group(1).replace(b"el", b"", 1), directive.group(2), known)


def _asked(directive: re.Match[bytes]) -> tuple[bytes, bool]:
    """What a directive asks, and with which answer its arm is read; empty where nothing else decides that."""
    kind = directive.group(1).replace(b"el", b"", 1)
    text = b"".join(directive.group(2).replace(b"\\\n", b" ").split())
    if kind in (b"ifdef", b"ifndef"):
        return text, kind == b"ifdef"
    if kind != b"if":
        return b"", True
    option = _ONE_OPTION.fullmatch(text)
    if option is not None:
        return option.group(2) or option.group(3), not option.group(1)
    return (text, True) if _WORD.search(text) else (b"", True)
