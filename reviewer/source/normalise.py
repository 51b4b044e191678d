# SPDX-License-Identifier: GPL-2.0-or-later
"""Rewrite kernel C, in the same length and with the same lines, into C that a grammar of plain C can read.

Kernel text is full of words that only the preprocessor explains: attribute macros, iteration macros, scoped guards,
types as macro arguments, macros that define functions. What is taken out goes to a side table by byte offset.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from reviewer.source.preprocess import Arms, blank, blank_comments_and_strings, choose_arms

# Attribute-like words that carry no lower-case pattern of their own.
_ATTRIBUTES = frozenset(
    (
        b"noinline noinstr notrace asmlinkage nokprobe_inline noinline_for_stack noinline_for_kasan "
        b"noinline_for_tracing STATIC INLINE INDIRECT_CALLABLE_SCOPE VISIBLE_IF_KUNIT FORCE_INLINE_TEMPLATE "
        b"ACPI_SYSTEM_XFACE ACPI_INTERNAL_VAR_XFACE EXPORT_FOR_KUNIT ATTRIB_NORET"
    ).split()
)
# Names with two leading underscores that are types, values or functions and not attributes.
_NOT_ATTRIBUTES = frozenset(
    (
        b"__func__ __va_list __builtin_va_list __int128 __typeof__ __typeof __label__ __asm__ __asm __volatile__ "
        b"__alignof__ __real __imag"
    ).split()
)
_INTEGER_TYPE = re.compile(
    rb"__(?:[us]\d+|[bl]e\d+|kernel_\w+|wsum|sum16|poll_t|addrpair|portpair|time64_t|packed_\w+)"
)
_WITH_ARGUMENT = (
    rb"__must_hold(?:_shared)?|__acquires(?:_shared)?|__releases(?:_shared)?|__cond_acquires(?:_shared)?|"
    rb"__guarded_by|__pt_guarded_by|__free|__cleanup|__printf|__scanf|__aligned|__section|__attribute__|__attribute|"
    rb"__alloc_size|__realloc_size|__counted_by(?:_le|_be|_ptr)?|__sized_by|__assume_aligned|__diagnose_as|"
    rb"__no_sanitize|__nonnull|__copy|__alias|__overloadable|__excludes|__mode|__rcu_guarded|__context_unsafe|"
    rb"__diag_ignore_all|__diag_push|__diag_pop"
)
ANNOTATIONS = frozenset(
    (
        "__must_hold __must_hold_shared __acquires __acquires_shared __releases __releases_shared __cond_acquires "
        "__free"
    ).split()
)
# Macros that stand before a statement and run it at most once.
_CONDITIONAL_MACRO = re.compile(rb"scoped_\w+|with_\w+|class_for_\w+|user_access_scope|if_\w+|\w+_if_\w+")
_LOOP_NAME = re.compile(rb"\w*(?:for_each|foreach|FOR_EACH|FOREACH|for_all|do_each)\w*")
_KEYWORDS = frozenset(
    b"if while for switch return sizeof do else case goto default typeof __typeof__ __attribute__ defined".split()
)

_WORD = re.compile(
    rb"\b(?:(?P<annotation>" + _WITH_ARGUMENT + rb")\s*(?=\()"
    rb"|(?P<asm>(?:asm_volatile_goto|asm_goto_output|asm_inline|__asm__|__asm|asm)(?:\s+(?:volatile|goto|inline|__volatile__|__volatile))*)\s*(?=\()"
    rb"|(?P<fname>_{0,2}FNAME)\((?P<plain>\w+)\)"
    rb"|(?P<typeof>(?:__)?typeof(?:__|_member|_unqual)?(?:__)?)\s*(?=\()"
    rb"|(?P<word>__[a-z]\w*|noi\w+|notrace|nokprobe_inline|asmlinkage|STATIC|INLINE|INDIRECT_CALLABLE_SCOPE|VISIBLE_IF_KUNIT|FORCE_INLINE_TEMPLATE|ACPI_\w+_XFACE|EXPORT_FOR_KUNIT|ATTRIB_NORET)(?!\w))"
)
_TYPE_END = re.compile(
    rb"(?:\b(?:struct|union|enum)\s+\w+|\*"
    rb"|\b(?:void|bool|char|int|long|short|unsigned|signed|float|double|const|[us](?:8|16|32|64)|\w+_t"
    rb"|__[us]\d+|__[bl]e\d+))$"
)
_OPERATOR_WORD = re.compile(rb"\b(?:return|goto|case|else|do|struct|union|enum|static|extern)$")
_UPPERCASE_QUALIFIER = re.compile(
    rb"^((?:static[ \t]+)?(?:inline[ \t]+)?(?:int[ \t]+|void[ \t]+)?)([A-Z][A-Z_0-9]{2,})"
    rb"(?=[ \t]+(?:static[ \t]+|const[ \t]+|unsigned[ \t]+|struct[ \t]+)*[a-zA-Z_]\w*[ \t\n*]*\w*\s*\()",
    re.MULTILINE,
)
_STATEMENT_CALL = re.compile(rb"(?:(?<=[;{}):])|(?<=\belse)|(?<=\bdo))\s+([A-Za-z_]\w*)[ \t]*(?=\()")
_LONGEST_GROUP = 8192  # bytes between brackets; the longest in the kernel are a few thousand
_UNCLOSED = 200
_BRACKET = re.compile(rb"[()\[\]{}]")
_STRUCT_ARGUMENT = re.compile(
    rb"([,(]\s*)((?:const\s+|volatile\s+)?(?:struct|union|enum)\s+(?:const\s+)?)(\w++)(\s*+\**+\s*+)(?=[,)])"
)
_POINTER_TYPE_ARGUMENT = re.compile(rb"(?<=[(,])(\s*+(?:const\s++)?\w++\s*+)(\*++)(\s*+)(?=[,)])")
_INTEGER_TYPE_ARGUMENT = re.compile(
    rb"(?<=[,(])(\s*)((?:unsigned|signed|long|short)(?:[ \t]+(?:int|long|char|short))+)(\s*)(?=[,)])"
)
_PERCPU_TYPE = re.compile(rb"(\b(?:__)?(?:alloc_percpu\w*|alignof(?:__)?)\s*\()((?:struct|union|enum)\s+)")
_CASE_RANGE = re.compile(rb"(\bcase\b[^:;{}?]*?)(\.\.\.)")
_TOP_LEVEL = re.compile(
    rb"^(?P<qualifiers>(?:(?:static|extern|const|inline|noinline|__always_inline)\s+)*)"
    rb"(?P<name>[A-Z][A-Z0-9_]{2,}\w*|module_\w+|\w+_initcall(?:_sync)?|subsys_\w+|early_param|__setup\w*|core_param"
    rb"|builtin_\w+|__[A-Z]\w+|[a-z]\w*_module_\w+)[ \t]*\(",
    re.MULTILINE,
)
_STATIC_MACRO = re.compile(rb"^([ \t]+)(static[ \t]+(?:const[ \t]+)?)([A-Z][A-Z0-9_]+[ \t]*\()", re.MULTILINE)
_PAIRED_PARAMETERS = re.compile(rb"(?:COMPAT_)?SYSCALL_DEFINE\d|KSYSCALL\w*|(?:NOTRACE_)?BPF_CALL_\d")


@dataclass(slots=True)
class Side:
    """What the rewrite took out, by byte offset of the place."""

    loops: dict[int, str] = field(default_factory=dict)
    conditionals: dict[int, str] = field(default_factory=dict)
    annotations: list[tuple[int, str, str]] = field(default_factory=list)
    words: list[tuple[int, str]] = field(default_factory=list)
    definers: dict[int, str] = field(default_factory=dict)
    arms: Arms = field(default_factory=Arms)


def closing(text: bytes, opening: int) -> int:
    """The offset just past the bracket that closes the one at ``opening``, or -1 where it is not near."""
    depth = 0
    for match in _BRACKET.finditer(text, opening, opening + _LONGEST_GROUP):
        if match.group() in b"([{":
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                return match.end()
    return -1


class _Closer:
    """``closing`` in one text, which gives up once too many brackets do not close: such a text is no C."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._patience = _UNCLOSED

    def __call__(self, opening: int) -> int:
        if self._patience <= 0:
            return -1
        close = closing(self._text, opening)
        self._patience -= close < 0
        return close


def normalise(text: bytes, wanted: frozenset[int] = frozenset()) -> tuple[bytes, Side]:
    """The rewritten text, of the same length and lines, and what was taken out.

    ``wanted`` are 1-based lines whose preprocessor arm is to be read even where it is not the usual one.
    """
    side = Side()
    text = blank_comments_and_strings(text)
    if b"#" in text:
        text, side.arms = choose_arms(text, wanted)
    text = _rewrite_words(text, side)
    text = _rewrite_statements(text, side)
    text = _rewrite_types(text)
    return _rewrite_top_level(text, side), side


def _rewrite_words(text: bytes, side: Side) -> bytes:
    out: list[bytes] = []
    close_of = _Closer(text)
    last = position = 0
    while match := _WORD.search(text, position):
        start, end = match.span()
        position = end
        group = match.lastgroup
        replacement: bytes | None = None
        if group == "word":
            word = match.group("word")
            if (word in _ATTRIBUTES or _is_attribute(word, text, end)) and text[end : end + 1] != b"(":
                replacement = b" " * (end - start)
                side.words.append((start, word.decode("latin-1")))
        elif group == "plain":
            replacement = match.group("fname") + b"_" + match.group("plain") + b" "
        elif (close := close_of(end)) > 0:
            if group == "annotation":
                name = match.group("annotation").decode()
                if name in ANNOTATIONS:
                    side.annotations.append((start, name, text[end + 1 : close - 1].decode("latin-1")))
                replacement = blank(text[start:close])
            elif group == "asm":
                replacement = b"0" + blank(text[start + 1 : close])
            elif group == "typeof" and re.match(rb"[\s*]*[A-Za-z_]", text[close : close + 80]):
                replacement = b"int" + blank(text[start + 3 : close])
            if replacement is not None:
                position = close
        if replacement is not None:
            out += (text[last:start], replacement)
            last = position
    out.append(text[last:])
    return b"".join(out)


def _is_attribute(word: bytes, text: bytes, end: int) -> bool:
    """A ``__word`` is an attribute where the next thing is a name, a ``*`` before a name or the end of a declarator."""
    if word in _NOT_ATTRIBUTES or _INTEGER_TYPE.fullmatch(word) or word.startswith(b"__builtin"):
        return False
    follower = re.compile(rb"\s*(.)", re.DOTALL).match(text, end)
    if follower is None:
        return False
    before = text[max(0, end - len(word) - 60) : end - len(word)].rstrip()
    char = follower.group(1)
    if re.search(rb"\b(?:struct|union|enum|goto)$", before):
        return False
    if char.isalpha() or char == b"_":
        return True
    if char == b"*":
        return bool(_TYPE_END.search(before) or re.search(rb"\b__[a-z]+$", before))
    if char in b"=;,){":
        ends_declarator = rb"[\w\]]$|[^*\s]\)$" if char in b";{" else rb"[\w\]]$"
        return (
            bool(re.search(ends_declarator, before))
            and not _TYPE_END.search(before)
            and not _OPERATOR_WORD.search(before)
        )
    return False


def _rewrite_statements(text: bytes, side: Side) -> bytes:
    """Turn iteration macros into ``while`` and scoped guards into ``if``."""
    out: list[bytes] = []
    close_of = _Closer(text)
    last = 0
    for match in _STATEMENT_CALL.finditer(text):
        name = match.group(1)
        start, opening = match.start(1), match.end()
        if name in _KEYWORDS or start < last:
            continue
        looks_like_loop = _LOOP_NAME.fullmatch(name)
        if not looks_like_loop:
            semicolon, brace = text.find(b";", opening), text.find(b"{", opening)
            if (brace < 0 or 0 <= semicolon < brace) and not _CONDITIONAL_MACRO.fullmatch(name):
                continue
        if text.rfind(b"\n", 0, start) + 1 == start:
            continue  # at column 0 it defines something
        close = close_of(opening)
        if close < 0:
            continue
        follower = text[close : close + 200].lstrip()[:1]
        if follower != b"{" and (
            not (looks_like_loop or _CONDITIONAL_MACRO.fullmatch(name)) or follower in b";,)=?:&|+-<>]}."
        ):
            continue
        if _CONDITIONAL_MACRO.fullmatch(name) and not looks_like_loop:
            side.conditionals[start] = name.decode()
            keyword = b"if"
        else:
            side.loops[start] = name.decode()
            keyword = b"while"
        argument = text[opening:close]
        if argument[1:-1].strip():
            argument = re.sub(
                rb"\b(?:return|goto|continue|break)\b[^,()]*", lambda m: b"0".ljust(len(m.group())), argument
            )
            rewritten = keyword.ljust(opening - start) + argument
        elif close - start >= len(keyword) + 3:
            rewritten = (keyword + b"(1)").ljust(close - start)
        else:
            continue
        if len(rewritten) == close - start:
            out += (text[last:start], rewritten)
            last = close
    out.append(text[last:])
    return b"".join(out)


def _rewrite_types(text: bytes) -> bytes:
    def struct(match: re.Match[bytes]) -> bytes:
        before, keyword, name, stars = match.groups()
        if before[:1] == b"(" and match.string[match.end() : match.end() + 1] == b")":
            return match.group()
        return before + blank(keyword) + name + blank(stars)

    text = _UPPERCASE_QUALIFIER.sub(lambda m: m.group(1) + blank(m.group(2)), text)
    text = _STRUCT_ARGUMENT.sub(struct, text)
    text = _STRUCT_ARGUMENT.sub(struct, text)
    text = text.replace(b"offsetof", b"offset_f")  # the grammar has a keyword of that name, with a type inside
    text = _STATIC_MACRO.sub(lambda m: m.group(1) + blank(m.group(2)) + m.group(3), text)
    text = _PERCPU_TYPE.sub(lambda m: m.group(1) + blank(m.group(2)), text)
    text = _INTEGER_TYPE_ARGUMENT.sub(lambda m: m.group(1) + re.sub(rb"[ \t]", b"_", m.group(2)) + m.group(3), text)

    def pointer(match: re.Match[bytes]) -> bytes:
        if (
            match.string[match.start() - 1 : match.start()] == b"("
            and match.string[match.end() : match.end() + 1] == b")"
        ):
            return match.group()  # a cast
        return match.group(1) + b" " * len(match.group(2)) + match.group(3)

    text = _POINTER_TYPE_ARGUMENT.sub(pointer, text)
    if b"..." in text:
        text = _CASE_RANGE.sub(lambda m: m.group(1) + b"+  ", text)
    return text


def _rewrite_top_level(text: bytes, side: Side) -> bytes:
    out: list[bytes] = []
    close_of = _Closer(text)
    last = 0
    for match in _TOP_LEVEL.finditer(text):
        start, opening = match.start(), match.end() - 1
        if start < last or match.group("name").startswith(b"FNAME"):
            continue
        close = close_of(opening)
        if close < 0:
            continue
        tail = text[close : close + 300]
        follower = tail.lstrip()[:1]
        if follower == b"{":
            rewritten = _function_header(match.group("name"), text[opening + 1 : close - 1], text[start:close])
            if rewritten is None:
                continue
            side.definers[start] = match.group("name").decode()
        elif follower == b"=":
            rewritten = _declaration(match.group("name"), text[opening + 1 : close - 1], text[start:close])
            if rewritten is None:
                continue
        elif follower in (b";", b"") or b"\n" in tail[: len(tail) - len(tail.lstrip())]:
            if follower == b";":
                close += len(tail) - len(tail.lstrip()) + 1
            rewritten = blank(text[start:close])
        else:
            continue
        out += (text[last:start], rewritten)
        last = close
    out.append(text[last:])
    return b"".join(out)


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


def _declaration(macro: bytes, body: bytes, original: bytes) -> bytes | None:
    names = re.findall(rb"\w+", body)
    return _fit(b"int " + (names[-1] if names else macro), original)
