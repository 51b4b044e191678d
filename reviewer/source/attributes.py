# SPDX-License-Identifier: GPL-2.0-or-later
"""Words before and after declarators that only a compiler or sparse cares for: blanked, and some of them noted."""

from __future__ import annotations

import re

from reviewer.source.brackets import Brackets, enclosing
from reviewer.source.headers import rewrite_headers
from reviewer.source.preprocess import blank
from reviewer.source.side import Side
from reviewer.source.splice import Splice

# Attribute-like words that carry no lower-case pattern of their own.
_ATTRIBUTES = frozenset(
    (
        b"noinline noinstr notrace asmlinkage nokprobe_inline noinline_for_stack noinline_for_kasan "
        b"noinline_for_tracing STATIC INLINE INDIRECT_CALLABLE_SCOPE VISIBLE_IF_KUNIT FORCE_INLINE_TEMPLATE "
        b"ACPI_SYSTEM_XFACE ACPI_INTERNAL_VAR_XFACE ATTRIBUTE_UNUSED EXPORT_FOR_KUNIT ATTRIB_NORET"
    ).split()
)
# Names with two leading underscores that are types, values or functions and not attributes.
_NOT_ATTRIBUTES = frozenset(
    (
        b"__func__ __va_list __builtin_va_list __int128 __typeof__ __typeof __label__ __asm__ __asm __volatile__ "
        b"__alignof__ __real __imag"
    ).split()
)
# Words that stand wherever a type does, before a declarator too.
_ANYWHERE = frozenset(b"__user __iomem __rcu __percpu __force __bitwise __maybe_unused __always_unused".split())
_INTEGER_TYPE = re.compile(
    rb"__(?:[a-z]{1,5}(?:8|16|32|64)|[su]128|m\d+i?|kernel_\w+|\w+_t|wsum|sum16|addrpair|portpair|packed_\w+)"
)
_WITH_ARGUMENT = (
    rb"__must_hold(?:_shared)?|__acquires(?:_shared)?|__releases(?:_shared)?|__cond_acquires(?:_shared)?|"
    rb"__guarded_by|__pt_guarded_by|__free|__cleanup|__printf|__scanf|__aligned|__section|__attribute__|__attribute|"
    rb"__alloc_size|__realloc_size|__counted_by(?:_le|_be|_ptr)?|__sized_by|__assume_aligned|__diagnose_as|"
    rb"__no_sanitize|__nonnull|__copy|__alias|__overloadable|__excludes|__mode|__rcu_guarded|__context_unsafe|"
    rb"__compiletime_error|__compiletime_warning|__diag_ignore_all|__diag_push|__diag_pop"
)
_NOTED = frozenset(
    (
        "__must_hold __must_hold_shared __acquires __acquires_shared __releases __releases_shared __cond_acquires "
        "__free"
    ).split()
)

_WORD = re.compile(
    rb"\b(?:(?P<annotation>" + _WITH_ARGUMENT + rb")\s*(?=\()"
    rb"|(?P<asm>(?:asm_volatile_goto|asm_goto_output|asm_inline|__asm__|__asm|asm)(?:\s+(?:volatile|goto|inline|__volatile__|__volatile))*)\s*(?=\()"
    rb"|(?P<fname>_{0,2}FNAME|[A-Z][A-Z0-9_]*+(?=\(\w+\)\())\((?P<plain>\w+)\)"
    rb"|(?P<typeof>(?:__)?typeof(?:__|_member|_unqual)?(?:__)?)\s*(?=\()"
    rb"|(?P<word>__[a-z]\w*|noi\w+|notrace|nokprobe_inline|asmlinkage|STATIC|INLINE|INDIRECT_CALLABLE_SCOPE|VISIBLE_IF_KUNIT|FORCE_INLINE_TEMPLATE|ACPI_\w+_XFACE|EXPORT_FOR_KUNIT|ATTRIB\w+)(?!\w))"
)
_TYPE_END = re.compile(
    rb"(?:\b(?:struct|union|enum)\s+\w+|\*"
    rb"|\b(?:void|bool|char|int|long|short|unsigned|signed|float|double|const|[us](?:8|16|32|64)|\w+_t"
    rb"|__[us]\d+|__[bl]e\d+))$"
)
_OPERATOR_WORD = re.compile(rb"\b(?:return|goto|case|else|do|struct|union|enum|static|extern)$")
_NAME_BEFORE = re.compile(rb"(?:\)|\b(?!return\b|sizeof\b)\w+)\s*$")
# A register variable: what follows is an assembler name and no statement.
_VARIABLE_BEFORE = re.compile(rb"\b(?!(?:else|do)\s)\w+[ \t]+$")
_ASM = re.compile(rb"(?:__)?asm")
_FOLLOWER = re.compile(rb"\s*(.)", re.DOTALL)
_POINTER_DECLARATOR = re.compile(rb"\s*\(\s*\*")
_POINTED_TO = re.compile(rb"[ \t]*\*[\s*]*\)")
# After ``struct __word``: a tag with what only follows a tag. After ``(__word``: a pointer to a function.
_TAG_AND_MORE = re.compile(rb"\s+\w+\s*\{|\s+(?!__)\w+\s[\s*]*(?!__)\w+\s*[;,=\[)]")
_CALLED_POINTER = re.compile(rb"\s*\*\s*\w*\s*\)\s*\(")
_DECLARED_NEXT = re.compile(rb"[\s*]*[A-Za-z_]")


def rewrite_attributes(text: bytes, side: Side) -> bytes:
    """Blank attributes, and ``typeof`` and ``asm`` with what stands in their brackets."""
    out, brackets = Splice(text), Brackets(text)
    position = after_parameters = 0
    while match := _WORD.search(text, position):
        start, end = match.span()
        position = end
        group = match.lastgroup
        replacement: bytes | None = None
        if group == "word":
            word = match.group("word")
            if (
                text[end : end + 1] == b"("
                and (close := _before_body(text, brackets, start, end, after_parameters)) > 0
            ):
                replacement, position, after_parameters = blank(text[start:close]), close, close
            is_member = text[start - 1 : start] in (b">", b".")
            if (
                not is_member
                and text[end : end + 1] != b"("
                and (word in _ATTRIBUTES or _is_attribute(word, text, end))
            ):
                replacement = b" " * (end - start)
                side.words.append((start, word.decode("latin-1")))
        elif group == "plain":
            replacement = match.group("fname") + b"_" + match.group("plain") + b" "
        elif (close := brackets.closing(end)) > 0:
            if group == "annotation":
                name = match.group("annotation").decode()
                if name in _NOTED:
                    side.annotations.append((start, name, text[end + 1 : close - 1].decode("latin-1")))
                replacement = blank(text[start:close])
            elif group == "asm":
                replacement = blank(text[start:close])
                if not _VARIABLE_BEFORE.search(text, max(0, start - 80), start):
                    replacement = b"0" + replacement[1:]
            elif group == "typeof":
                replacement = _typeof(text, start, close)
            if replacement is not None:
                position = close
        if replacement is not None:
            out.replace(start, replacement)
    return rewrite_headers(out.result())


def _before_body(text: bytes, brackets: Brackets, start: int, end: int, known: int) -> int:
    """The end of a ``__word(...)`` between the parameters of a function and its body, or -1.

    ``known`` is the end of the last one: where it ends another may begin.
    """
    before = text[max(0, start - 80) : start].rstrip()
    if before[-1:] != b")":
        return -1
    bracket = start - len(text[max(0, start - 80) : start]) + len(before) - 1
    if bracket + 1 != known:
        opening = brackets.enclosing(bracket)
        name = _NAME_BEFORE.search(text, max(0, opening - 80), opening) if opening > 0 else None
        if name is None or name.group().startswith(b"__"):
            return -1
    close = brackets.closing(end)
    follower = _FOLLOWER.match(text, close) if close > 0 else None
    return close if follower is not None and follower.group(1) in b"{_" else -1


def _typeof(text: bytes, start: int, close: int) -> bytes | None:
    """``typeof (x)`` as a type where it declares or casts, as an expression where it is an argument."""
    follower = _FOLLOWER.match(text, close)
    if _DECLARED_NEXT.match(text, close) or _POINTED_TO.match(text, close):
        return b"int" + blank(text[start + 3 : close])
    if (
        follower is not None
        and follower.group(1) in b",)"
        and text[max(0, start - 80) : start].rstrip()[-1:] in (b",", b"(")
    ):
        return b"int" + blank(text[start + 3 : close])
    return None


def _is_attribute(word: bytes, text: bytes, end: int) -> bool:
    """A ``__word`` is an attribute where the next thing is a name, a ``*`` before a name or the end of a declarator."""
    if word in _NOT_ATTRIBUTES or _INTEGER_TYPE.fullmatch(word) or word.startswith(b"__builtin"):
        return False
    follower = _FOLLOWER.match(text, end)
    if follower is None:
        return False
    before = text[max(0, end - len(word) - 60) : end - len(word)].rstrip()
    char = follower.group(1)
    if word in _ANYWHERE:
        return True
    if before[-8:] == b"(__force" or _ASM.match(text, follower.start(1)):
        return False
    if re.search(rb"\b(?:struct|union|enum|goto)$", before):
        return bool(_TAG_AND_MORE.match(text, end))
    if char.isalpha() or char == b"_":
        return True
    if char == b"*" and before[-1:] == b"(" and _CALLED_POINTER.match(text, end):
        return True
    if char == b"*":
        return before[-1:] == b"}" or bool(_TYPE_END.search(before) or re.search(rb"\b__[a-z]+$", before))
    if char == b"(":
        return bool(_POINTER_DECLARATOR.match(text, end) and _TYPE_END.search(before))
    if char in b"=;,){":
        if before[-1:] == b")":
            return char in b";{" and _ends_parameters(text, text.rfind(b")", 0, end - len(word)))
        return (
            bool(re.search(rb"[\w\]]$", before)) and not _TYPE_END.search(before) and not _OPERATOR_WORD.search(before)
        )
    return False


def _ends_parameters(text: bytes, bracket: int) -> bool:
    """Whether the closing ``bracket`` is that of a function's parameters and not that of a cast."""
    opening = enclosing(text, bracket)
    return opening > 0 and bool(_NAME_BEFORE.search(text, max(0, opening - 80), opening))
