# SPDX-License-Identifier: GPL-2.0-or-later
"""One pass of regular expressions over a file: what it defines, which locks it declares, which tables it fills."""

from __future__ import annotations

import re

from reviewer.source.preprocess import blank_comments_and_strings
from reviewer.source.store import BlobFacts

_DEFINITION = re.compile(
    rb"^(?![ \t\n#}/*{])(?P<head>[^;{}=#()]*?)\b(?P<name>[A-Za-z_]\w*)[ \t]*"
    rb"\((?P<arguments>[^;{}#]*?)\)(?P<tail>[\w \t\n]*(?:\([^()]*\)[\w \t\n]*)*)\{",
    re.MULTILINE,
)
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
_TABLE = re.compile(
    rb"^(?:static |const |extern |__\w+ )*struct\s+(\w+)\s+[^;=(){}]*=\s*\{(.*?)^\};?", re.MULTILINE | re.DOTALL
)
_ENTRY = re.compile(rb"^\s*\.(\w+)\s*=\s*&?([a-z_]\w+)\s*,", re.MULTILINE)
_NOT_FUNCTIONS = frozenset(
    b"if while for switch return sizeof do else defined __attribute__ typeof asm volatile".split()
)
_SYSCALL = re.compile(rb"(?:COMPAT_)?SYSCALL_DEFINE\d")
_IDENTIFIER = re.compile(rb"\w+")


def scan(text: bytes) -> BlobFacts:
    """What ``text`` defines. Approximate where the preprocessor hides things; the parser has the last word."""
    text = blank_comments_and_strings(text)
    definitions: dict[str, str] = {}
    for match in _DEFINITION.finditer(text):
        name = match.group("name")
        if name in _NOT_FUNCTIONS:
            continue
        if name.isupper() or name.startswith(b"DEFINE_"):
            first = _IDENTIFIER.match(match.group("arguments").strip())
            if first is None:
                continue
            name = b"sys_" + first.group() if _SYSCALL.fullmatch(name) else first.group()
        kind = "s" if re.search(rb"\bstatic\b", match.group("head")) else "f"
        definitions.setdefault(name.decode("latin-1"), kind)
    for match in _MACRO.finditer(text):
        definitions.setdefault(match.group(1).decode("latin-1"), "m")
    return BlobFacts(tuple(definitions.items()), tuple(sorted(_locks(text))), tuple(sorted(_members(text))))


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
        for entry in _ENTRY.finditer(table.group(2)):
            field, function = entry.groups()
            found.add((function.decode("latin-1"), structure, field.decode("latin-1")))
    return found
