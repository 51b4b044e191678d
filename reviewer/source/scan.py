# SPDX-License-Identifier: GPL-2.0-or-later
"""One pass of regular expressions over a file: what it defines, which locks it declares, which tables it fills."""

from __future__ import annotations

import re

from reviewer.source.assigned import assigned_functions
from reviewer.source.initialisers import members
from reviewer.source.store import BlobFacts
from reviewer.source.types import closing_brace

# Patterns begin with a literal where they can, a line feed rather than ^: that is what makes a search fast.
_COMMENT_OR_STRING = re.compile(
    rb"[/\"'](?:(?<=/)\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/)?|(?<=/)/(?:[^\n\\]++|\\.)*+"
    rb"|(?<=\")(?:[^\"\\\n]++|\\.)*+\"?|(?<=')(?:[^'\\\n]++|\\.)++')",
    re.DOTALL,
)
# The end of a function's header: a bracket, words, and the body's brace; the brace or the header begins its line.
_BODY = re.compile(rb"\)[\w \t\n]{0,200}+\{")
_REVERSED_NAME = re.compile(rb"[ \t]*(\w*[A-Za-z_])(?!\w)")
_LONGEST_NAME = 100
_LONGEST_TYPE = 400  # of what a function returns, with the words before it
_TYPES = frozenset(b"struct union enum".split())
_SHORTEST_TYPE = 7
_HEADER_WORDS = frozenset(
    b"__must_hold __acquires __releases __cond_acquires __attribute__ __aligned __section".split()
)
_USUAL_HEADER = 250
_LONGEST_HEADER = 4000
_MACRO = re.compile(rb"#[ \t]*define[ \t]+([a-z_]\w*)\(")
_DECLARED_LOCK = re.compile(rb"lock_t\s+(\w+)\s*(?=[;\[=,])")
_LOCK_TYPE = re.compile(rb"\b((?:raw_spin|spin|rw|local_|seq)lock_t)\s+\Z")
_LONGEST_LOCK_TYPE = 12  # what stands before "lock_t", and one more
_DECLARED_STRUCTURE = re.compile(
    rb"struct\s+(mutex|rw_semaphore|rt_mutex|ww_mutex|srcu_struct|semaphore|percpu_rw_semaphore)\s+(\w+)\s*(?=[;\[=,])"
)
_DEFINED_LOCK = re.compile(rb"DEFINE_(RAW_SPINLOCK|SPINLOCK|RWLOCK|MUTEX|STATIC_SRCU|SRCU)\s*\(\s*(\w+)\s*\)")
_DECLARED_RWSEM = re.compile(rb"DECLARE_(RWSEM)\s*\(\s*(\w+)\s*\)")
_DEFINED_TYPE = {
    b"RAW_SPINLOCK": "raw_spinlock_t",
    b"SPINLOCK": "spinlock_t",
    b"RWLOCK": "rwlock_t",
    b"MUTEX": "mutex",
    b"STATIC_SRCU": "srcu_struct",
    b"SRCU": "srcu_struct",
    b"RWSEM": "rw_semaphore",
}
_WORDS = rb"(?:(?:static|extern|const|volatile|__\w++)\s++)*+"
_VARIABLE = re.compile(
    rb"\n(?P<words>"
    + _WORDS
    + rb")(?:(?:struct|union)\s++(?P<tag>\w++)|(?P<lock>\w++lock_t))\s*+(?:const\s*+)?(?P<stars>\**+)\s*+"
    rb"(?P<name>\w++)\s*+(?:__\w++\s*+)*+(?:\[[^\]\n]*+\]\s*+)*+(?:__\w++\s*+)*+[;=,]",
)
_DEFINED_VARIABLE = re.compile(
    rb"\n(?P<words>" + _WORDS + rb")(?:DEFINE|DECLARE)_(?:"
    rb"(?:STATIC_)?(?P<kind>RAW_SPINLOCK|SPINLOCK|RWLOCK|MUTEX|SRCU|RWSEM|SEMAPHORE|SEQLOCK|PERCPU_RWSEM)\s*\(\s*(?P<name>\w+)"
    rb"|PER_CPU(?:_\w+)?\s*\(\s*(?:struct\s+)?(?P<type>\w+)(?P<stars>[\s*]*),\s*(?P<each>\w+))",
)
_OF_KIND = {
    b"RAW_SPINLOCK": "raw_spinlock_t",
    b"SPINLOCK": "spinlock_t",
    b"RWLOCK": "rwlock_t",
    b"MUTEX": "mutex",
    b"SRCU": "srcu_struct",
    b"RWSEM": "rw_semaphore",
    b"SEMAPHORE": "semaphore",
    b"SEQLOCK": "seqlock_t",
    b"PERCPU_RWSEM": "percpu_rw_semaphore",
}
_STRUCTURES = (re.compile(rb"struct\s++(\w++)\s*+\{"), re.compile(rb"union\s++(\w++)\s*+\{"))
_TYPEDEF = re.compile(rb"\ntypedef\s++(?:const\s++)?(?:struct|union)\s++(\w++)\s*+\**+\s*+(\w++)\s*+;")
_NAMED_AFTER = re.compile(rb"\n(?P<words>(?:typedef\s++)?" + _WORDS + rb")(?:struct|union)\s*+(?P<tag>\w*+)\s*+\{")
_AFTER_BODY = re.compile(rb"([^;={}]*+)[;=]")
_NOT_FUNCTIONS = frozenset(
    b"if while for switch return sizeof do else defined __attribute__ typeof asm volatile".split()
)
_SYSCALL = re.compile(rb"(?:COMPAT_)?SYSCALL_DEFINE\d")
_BRACKET = re.compile(rb"[()]")
_IDENTIFIER = re.compile(rb"\w+")


def scan(text: bytes) -> BlobFacts:
    """What ``text`` defines. Approximate where the preprocessor hides things; the parser has the last word."""
    if b"{" not in text and b";" not in text and text.find(b"(", max(text.find(b"#"), 0)) < 0:
        return BlobFacts((), (), ())  # constants of registers: a third of the kernel's text
    text = b"\n" + _COMMENT_OR_STRING.sub(_shortened, text)
    definitions: dict[str, str] = {}
    for match in _BODY.finditer(text):
        found = _defined(text, match.start(), match.end())
        if found is not None:
            definitions.setdefault(*found)
    for match in _MACRO.finditer(text):
        if not text[text.rfind(b"\n", 0, match.start()) + 1 : match.start()].strip():
            definitions.setdefault(match.group(1).decode("latin-1"), "m")
    types, variables = _declared(text)
    assigned = assigned_functions(text, definitions, {name: declared for name, declared, _ in sorted(variables)})
    return BlobFacts(
        tuple(definitions.items()),
        tuple(sorted(_locks(text))),
        tuple(sorted(members(text))),
        tuple(sorted(types)),
        tuple(sorted(variables)),
        tuple(sorted(set(assigned))),
    )


def _shortened(match: re.Match[bytes]) -> bytes:
    """A comment or constant without its content; unlike blanking it does not keep the length."""
    first = match[0][:1]
    return b" " if first == b"/" else first + first


def _defined(text: bytes, bracket: int, end: int) -> tuple[str, str] | None:
    """Name and kind of the function whose header ends with the closing ``bracket``; None where it is no definition."""
    line = text.rfind(b"\n", 0, bracket) + 1
    if text[end - 2 : end - 1] != b"\n" and text[line : line + 1] in b" \t#":
        return None
    if end - bracket > _SHORTEST_TYPE and not _TYPES.isdisjoint(text[bracket + 1 : end - 1].split()):
        return None  # a macro call, and a type after it
    while True:
        opening = _opening(text, bracket)
        # Backwards, because it is the end of the text before the bracket that counts.
        before = _REVERSED_NAME.match(text[max(0, opening - _LONGEST_NAME) : opening][::-1]) if opening > 0 else None
        if before is None:
            return None
        name, start = before.group(1)[::-1], opening - before.end()
        above = text[max(0, start - _LONGEST_TYPE) : start]
        if not (name in _HEADER_WORDS or (name.startswith(b"__") and above.rstrip()[-1:] == b")")):
            break
        bracket = text.rfind(b")", max(0, start - _LONGEST_HEADER), start)
        if bracket < 0:
            return None
    line = text.rfind(b"\n", 0, start) + 1
    if text[line : line + 1] in (b" ", b"\t", b"#", b"}", b"") or name in _NOT_FUNCTIONS:
        return None
    if name.isupper() or name.startswith(b"DEFINE_"):
        first = _IDENTIFIER.match(text[opening + 1 : opening + 200].strip())
        if first is None:
            return None
        name = b"sys_" + first.group() if _SYSCALL.fullmatch(name) else first.group()
    head = above[max(above.rfind(mark) for mark in (b";", b"}", b"\n\n", b"#")) + 1 :]
    return name.decode("latin-1"), "s" if b"static" in head.split() else "f"


def _opening(text: bytes, bracket: int) -> int:
    """The offset of the bracket that the one at ``bracket`` closes, or -1 where it is not near."""
    last = text.rfind(b"(", max(0, bracket - _USUAL_HEADER), bracket)
    if last >= 0 and text.find(b")", last, bracket) < 0:
        return last  # as of nearly all
    for length in (_USUAL_HEADER, _LONGEST_HEADER):
        depth = 0
        for match in reversed(list(_BRACKET.finditer(text, max(0, bracket - length), bracket + 1))):
            depth += 1 if match.group() == b")" else -1
            if depth == 0:
                return match.start()
    return -1


def _locks(text: bytes) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for match in _DECLARED_LOCK.finditer(text):
        kind = _LOCK_TYPE.search(text, max(0, match.start() - _LONGEST_LOCK_TYPE), match.start(1))
        if kind is not None:
            found.add((match.group(1).decode(), kind.group(1).decode()))
    for match in _DECLARED_STRUCTURE.finditer(text):
        found.add((match.group(2).decode(), match.group(1).decode()))
    for defined in (*_DEFINED_LOCK.finditer(text), *_DECLARED_RWSEM.finditer(text)):
        found.add((defined.group(2).decode(), _DEFINED_TYPE[defined.group(1)]))
    return found


def _declared(text: bytes) -> tuple[set[tuple[str, str]], set[tuple[str, str, bool]]]:
    """Types as (name, the type it stands for or nothing), and variables of the file as (name, type, static)."""
    types = {(match.group(1).decode("latin-1"), "") for each in _STRUCTURES for match in each.finditer(text)}
    types |= {(m.group(2).decode("latin-1"), m.group(1).decode("latin-1")) for m in _TYPEDEF.finditer(text)}
    variables: set[tuple[str, str, bool]] = set()
    for match in _VARIABLE.finditer(text):
        declared = (match.group("tag") or match.group("lock")) + match.group("stars")
        _note(variables, match, match.group("name"), declared.decode("latin-1"))
    for match in _DEFINED_VARIABLE.finditer(text):
        if match.group("name"):
            _note(variables, match, match.group("name"), _OF_KIND[match.group("kind")])
        else:
            pointer = "*" if b"*" in match.group("stars") else ""
            _note(variables, match, match.group("each"), match.group("type").decode("latin-1") + pointer)
    for match in _NAMED_AFTER.finditer(text):
        end = closing_brace(text, match.end() - 1)
        after = _AFTER_BODY.match(text, end) if end >= 0 else None
        if after is None:
            continue
        name = next((word for word in _IDENTIFIER.findall(after.group(1)) if not word.startswith(b"__")), b"")
        tag = match.group("tag").decode("latin-1")
        if name and match.group("words").startswith(b"typedef"):
            types.add((name.decode("latin-1"), tag))
        elif name and b"*" not in after.group(1):
            declared_as = tag or name.decode("latin-1") + "{}"
            types |= set() if tag else {(declared_as, "")}
            _note(variables, match, name, declared_as)
    return types, variables


def _note(variables: set[tuple[str, str, bool]], match: re.Match[bytes], name: bytes, declared: str) -> None:
    variables.add((name.decode("latin-1"), declared, b"static" in match.group("words").split()))
