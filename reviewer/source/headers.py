# SPDX-License-Identifier: GPL-2.0-or-later
"""Headers of functions, at column 0: of several words before the name one is the type, macros are the others."""

from __future__ import annotations

import re

from reviewer.source.preprocess import blank

_TYPE_NAME = (
    rb"void|bool|char|int|long|short|unsigned|signed|float|double|[us](?:8|16|32|64)|\w+_t|__[us]\d+|__[bl]e\d+"
)
_HEADER = re.compile(rb"^ *+(?P<words>(?:[A-Za-z_]\w*+[ \t\n*]++){2,8})(?=\w++[ \t\n]*+\()", re.MULTILINE)
# Attributes and macros with arguments: between the words of a header, and before all of them where a type follows.
_GIVEN = rb"\([^()\n]*\)"
_WITH_ARGUMENT = re.compile(
    rb"^((?:static|extern|inline)\b[\w \t*]*?)\b((?:[A-Z][A-Z0-9_]+|__\w+)" + _GIVEN + rb")(?=(?:\s+\**\w+){1,3}\s*\()",
    re.MULTILINE,
)
_FIRST = re.compile(
    rb"^ *(?:__\w+[ \t]+)*((?:[A-Z]+%b[ \t]*)?__\w+%b(?:\s*__\w+%b)*)" % (_GIVEN, _GIVEN, _GIVEN)
    + rb"(?=\s*(?:(?:static|inline|const)\s+)*(?:(?:struct|enum)\s+\w+|(?:unsigned\s+)?(?:"
    + _TYPE_NAME
    + rb"))[ \t\n*]+\w+\s*\()",
    re.MULTILINE,
)
_WORD = re.compile(rb"\w+")
_STATEMENT = re.compile(rb"\s*(?:return|else|case|goto|do|sizeof)\b")
_TAGS = frozenset(b"struct union enum".split())
_QUALIFIERS = frozenset(b"static extern inline __inline__ const volatile typedef register noinline".split())
_TYPE = re.compile(_TYPE_NAME)


def rewrite_headers(text: bytes) -> bytes:
    """Blank the macros among the words before the name of a function."""
    text = _WITH_ARGUMENT.sub(lambda m: m.group(1) + blank(m.group(2)), text)
    text = _FIRST.sub(lambda m: m.group()[: m.start(1) - m.start()] + blank(m.group(1)), text)
    return _HEADER.sub(_header, text)


def _header(match: re.Match[bytes]) -> bytes:
    header = match.group()
    if _STATEMENT.match(header):
        return header
    others: list[re.Match[bytes]] = []
    has_type, tag = False, False
    for word in _WORD.finditer(header):
        if tag or word.group() in _TAGS or _TYPE.fullmatch(word.group()):
            has_type, tag = True, word.group() in _TAGS
        elif word.group() not in _QUALIFIERS:
            others.append(word)
    if not has_type and others:
        pointed = [word for word in others if header[word.end() :].lstrip()[:1] == b"*"]
        small = [word for word in others if not word.group().isupper()]
        others.remove((pointed or small or others[-1:])[0])
    for word in others:
        header = header[: word.start()] + blank(word.group()) + header[word.end() :]
    return header
