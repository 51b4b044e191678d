# SPDX-License-Identifier: GPL-2.0-or-later
"""Macro calls at column 0: some define functions, some variables, the others are taken out."""

from __future__ import annotations

import re

from reviewer.source.brackets import Brackets
from reviewer.source.preprocess import blank
from reviewer.source.side import Side
from reviewer.source.splice import Splice

_CALL = re.compile(
    rb"^(?:(?:static|extern|const|inline|noinline|__always_inline)[ \t\n]+)*+(?P<name>[A-Za-z_]\w*+)[ \t]*+\(",
    re.MULTILINE,
)
_DESIGNATED = re.compile(rb"\{\s*+\.\w++\s*+=")
_FOLLOWER = re.compile(rb"\s*+(.)", re.DOTALL)
_BARE = re.compile(rb"^([A-Z]\w*+)[ \t]*+$(?!\s*+\**+(?=\w*[a-z])\w++\s*+\()", re.MULTILINE)
_MACRO_NAME = re.compile(
    rb"[A-Z][A-Z0-9_]{2,}\w*|module_\w+|\w+_initcall(?:_sync)?|subsys_\w+|early_param|__setup\w*|core_param"
    rb"|builtin_\w+|__[A-Z]\w+|[a-z]\w*_module_\w+"
)
_KEYWORDS = frozenset(b"if while for switch return sizeof else do typeof".split())
_PAIRED_PARAMETERS = re.compile(rb"(?:COMPAT_)?SYSCALL_DEFINE\d|KSYSCALL\w*|(?:NOTRACE_)?BPF_CALL_\d")


def rewrite_definers(text: bytes, side: Side) -> bytes:
    """Give functions that a macro defines a header of C, and take other macro calls at column 0 out."""
    text = _BARE.sub(lambda m: blank(m.group()) if _is_boundary(text, m.start()) else m.group(), text)
    out, brackets = Splice(text), Brackets(text)
    for match in _CALL.finditer(text):
        start, opening, name = match.start(), match.end() - 1, match.group("name")
        if start < out.last or name in _KEYWORDS or name.startswith(b"FNAME") or not _is_boundary(text, start):
            continue
        close = brackets.closing(opening)
        if close < 0:
            continue
        after = _FOLLOWER.match(text, close)
        follower, gap = (after.group(1), after.start(1)) if after is not None else (b"", len(text))
        known = _MACRO_NAME.fullmatch(name)
        rewritten: bytes | None = None
        if follower == b"{" and _DESIGNATED.match(text, gap):
            rewritten = _declaration(name, text[opening + 1 : close - 1], text[start:close], b" =")
        elif follower == b"{" and known:
            rewritten = _function_header(name, text[opening + 1 : close - 1], text[start:close])
            if rewritten is not None:
                side.definers[start] = name.decode("latin-1")
        elif follower == b"{" and text[gap - 1 : gap] == b"\n" and _is_end(text, start):
            rewritten = _typeless(name, text[opening + 1 : close - 1], text[start:close])
        elif follower == b"=" and known:
            rewritten = _declaration(name, text[opening + 1 : close - 1], text[start:close])
        elif follower == b";" and known:
            close = gap + 1
            rewritten = blank(text[start:close])
        elif follower != b"{" and (follower == b"" or b"\n" in text[close:gap]):
            rewritten = blank(text[start:close])
        if rewritten is not None:
            out.replace(start, rewritten)
    return out.result()


def _is_boundary(text: bytes, at: int) -> bool:
    """Whether something new can begin at ``at``: what stands before is complete."""
    return _is_end(text, at) or _before(text, at) in (b")", b"{")


def _is_end(text: bytes, at: int) -> bool:
    """Whether what stands before ``at`` ends a definition; a bracket may end the parameters of this one."""
    return _before(text, at) in (b"", b";", b"}")


def _before(text: bytes, at: int) -> bytes:
    """The last character before ``at`` that is no space; nothing at the begin of a text."""
    return text[max(0, at - 2000) : at].rstrip()[-1:]


def _typeless(name: bytes, parameters: bytes, original: bytes) -> bytes | None:
    """The header of a function without a type, which returns ``int``."""
    return _fit(b"int " + name + b"(" + b" ".join(parameters.split()) + b")", original)


def _fit(header: bytes, original: bytes) -> bytes | None:
    """``header`` padded to the length and line count of ``original``, or None if it does not fit."""
    newlines = original.count(b"\n")
    spare = len(original) - len(header) - newlines
    return None if spare < 0 else header + b" " * spare + b"\n" * newlines


def _function_header(macro: bytes, body: bytes, original: bytes) -> bytes | None:
    """The header of a function that ``macro(body) {`` defines."""
    arguments = [argument.strip() for argument in body.split(b",")]
    name = arguments[0] if re.fullmatch(rb"\w+", arguments[0] or b"") else macro
    if _PAIRED_PARAMETERS.fullmatch(macro):
        prefix = b"" if b"BPF" in macro else b"sys_"
        pairs = [b" ".join(arguments[i : i + 2]) for i in range(1, len(arguments) - 1, 2)]
        parameters = b",".join(re.sub(rb"\s+", b" ", pair) for pair in pairs)
        return _fit(b"int " + prefix + name + b"(" + parameters + b")", original) or _fit(
            b"int " + name + b"(" + parameters + b")", original
        )
    if macro.startswith((b"DEFINE_IDTENTRY", b"DEFINE_FREDENTRY", b"DEFINE_INTERRUPT")) and len(arguments) >= 1:
        return _fit(b"int " + name + b"()", original)
    return _fit(b"int " + name + b"()", original) or _fit(
        b"int " + macro[: max(1, len(original) - 6)] + b"()", original
    )


def _declaration(macro: bytes, body: bytes, original: bytes, tail: bytes = b"") -> bytes | None:
    names = re.findall(rb"\w+", body)
    return _fit(b"int " + (names[-1] if names else macro) + tail, original)
