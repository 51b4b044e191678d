# SPDX-License-Identifier: GPL-2.0-or-later
"""One pass of regular expressions over a file: what it defines, which locks it declares, which tables it fills."""

from __future__ import annotations

import re

from reviewer.source.preprocess import blank_comments_and_strings
from reviewer.source.store import BlobFacts

# The end of a function's header: a bracket, words, and the body's brace; the brace or the header begins its line.
_BODY = re.compile(rb"\)[\w \t\n]{0,200}+\{")
_NAME_BEFORE = re.compile(rb"([A-Za-z_]\w*)[ \t]*$")
_HEADER_WORDS = frozenset(
    b"__must_hold __acquires __releases __cond_acquires __attribute__ __aligned __section".split()
)
_LONGEST_HEADER = 4000
_MACRO = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+([a-z_]\w*)\(", re.MULTILINE)
_LOCK = re.compile(
    rb"\b(raw_spinlock_t|spinlock_t|rwlock_t|local_lock_t|seqlock_t|struct\s+(?:mutex|rw_semaphore|rt_mutex|ww_mutex|srcu_struct|semaphore|percpu_rw_semaphore))\s+(\w+)\s*(?=[;\[=,])"
    rb"|\bDEFINE_(RAW_SPINLOCK|SPINLOCK|RWLOCK|MUTEX|STATIC_SRCU|SRCU)\s*\(\s*(\w+)\s*\)|\bstatic\s+DECLARE_(RWSEM)\s*\(\s*(\w+)\s*\)"
)
_DEFINED_TYPE = {
    b"RAW_SPINLOCK": "raw_spinlock_t",
    b"SPINLOCK": "spinlock_t",
    b"RWLOCK": "rwlock_t",
    b"MUTEX": "mutex",
    b"STATIC_SRCU": "srcu_struct",
    b"SRCU": "srcu_struct",
    b"RWSEM": "rw_semaphore",
}
_TABLE = re.compile(rb"^(?:static |const |extern |__\w+ )*struct\s+(\w+)\s+[^;=(){}]{0,200}=\s*\{", re.MULTILINE)
_ENTRY = re.compile(rb"^\s*\.(\w+)\s*=\s*&?([a-z_]\w+)\s*,", re.MULTILINE)
_NOT_FUNCTIONS = frozenset(
    b"if while for switch return sizeof do else defined __attribute__ typeof asm volatile".split()
)
_SYSCALL = re.compile(rb"(?:COMPAT_)?SYSCALL_DEFINE\d")
_BRACKET = re.compile(rb"[()]")
_IDENTIFIER = re.compile(rb"\w+")


def scan(text: bytes) -> BlobFacts:
    """What ``text`` defines. Approximate where the preprocessor hides things; the parser has the last word."""
    text = blank_comments_and_strings(text)
    definitions: dict[str, str] = {}
    for match in _BODY.finditer(text):
        found = _defined(text, match.start(), match.end())
        if found is not None:
            definitions.setdefault(*found)
    for match in _MACRO.finditer(text):
        definitions.setdefault(match.group(1).decode("latin-1"), "m")
    return BlobFacts(tuple(definitions.items()), tuple(sorted(_locks(text))), tuple(sorted(_members(text))))


def _defined(text: bytes, bracket: int, end: int) -> tuple[str, str] | None:
    """Name and kind of the function whose header ends with the closing ``bracket``; None where it is no definition."""
    line = text.rfind(b"\n", 0, bracket) + 1
    if text[end - 2 : end - 1] != b"\n" and text[line : line + 1] in b" \t#":
        return None
    while True:
        opening = _opening(text, bracket)
        before = _NAME_BEFORE.search(text, max(0, opening - 100), opening) if opening > 0 else None
        if before is None:
            return None
        name = before.group(1)
        if not (name in _HEADER_WORDS or (name.startswith(b"__") and text[: before.start()].rstrip()[-1:] == b")")):
            break
        bracket = text.rfind(b")", max(0, before.start() - _LONGEST_HEADER), before.start())
        if bracket < 0:
            return None
    line = text.rfind(b"\n", 0, before.start()) + 1
    if text[line : line + 1] in (b" ", b"\t", b"#", b"}", b"") or name in _NOT_FUNCTIONS:
        return None
    if name.isupper() or name.startswith(b"DEFINE_"):
        first = _IDENTIFIER.match(text[opening + 1 : opening + 200].strip())
        if first is None:
            return None
        name = b"sys_" + first.group() if _SYSCALL.fullmatch(name) else first.group()
    above = max(text.rfind(mark, 0, before.start()) for mark in (b";", b"}", b"\n\n", b"#"))
    kind = "s" if re.search(rb"\bstatic\b", text[max(above, before.start() - 400, 0) : before.start()]) else "f"
    return name.decode("latin-1"), kind


def _opening(text: bytes, bracket: int) -> int:
    """The offset of the bracket that the one at ``bracket`` closes, or -1 where it is not near."""
    start = max(0, bracket - _LONGEST_HEADER)
    depth = 0
    for match in reversed(list(_BRACKET.finditer(text, start, bracket + 1))):
        depth += 1 if match.group() == b")" else -1
        if depth == 0:
            return match.start()
    return -1


def _locks(text: bytes) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for match in _LOCK.finditer(text):
        declared, name, defined, defined_name, rwsem, rwsem_name = match.groups()
        if declared:
            found.add((name.decode(), declared.split()[-1].decode()))
        else:
            found.add(((defined_name or rwsem_name).decode(), _DEFINED_TYPE[defined or rwsem]))
    return found


def _members(text: bytes) -> set[tuple[str, str, str]]:
    found: set[tuple[str, str, str]] = set()
    for table in _TABLE.finditer(text):
        structure = table.group(1).decode("latin-1")
        end = text.find(b"\n}", table.end())
        if end < 0:
            break
        for entry in _ENTRY.finditer(text, table.end(), end):
            field, function = entry.groups()
            found.add((function.decode("latin-1"), structure, field.decode("latin-1")))
    return found
