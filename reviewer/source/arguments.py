# SPDX-License-Identifier: GPL-2.0-or-later
"""What only a macro takes as an argument (types, operators) and strings that macros make, as plain expressions."""

from __future__ import annotations

import re

from reviewer.source.brackets import Brackets
from reviewer.source.preprocess import blank
from reviewer.source.side import Side
from reviewer.source.splice import Splice

_CONST = rb"(?:const|volatile)\s++"
_INTEGER = rb"(?:unsigned|signed|long|short|int|char)"
_STARS = rb"(?:\s*+\*(?:\s*+const\b)?)"
_SEVERAL_WORDS = rb"(?:(?:struct|union|enum)\s++(?:const\s++)?\w++|" + _INTEGER + rb"(?:\s++" + _INTEGER + rb"\b)++)"
_ARGUMENT = re.compile(
    rb"([(,]\s*+)(?:(?:(?P<type>(?:" + _CONST + rb")++(?:" + _SEVERAL_WORDS + rb"|\w++)" + _STARS + rb"*+"
    rb"|" + _SEVERAL_WORDS + _STARS + rb"*+|\w++" + _STARS + rb"++)"
    rb"|(?P<operator>[<>=!]=?|&&|\|\||<<=?|>>=?|[-+*/%&|^]=?(?:\s*~)?)|(?P<nothing>))(?=\s*+[,)])"
    rb"|(?P<jump>return|goto|break|continue)(?=\s++[^;\s]))"
)
_NUMBER_AND_NAME = re.compile(rb"\d++[A-Za-z_]\w*+")
_NUMBER = re.compile(rb"(?:0[xX][0-9a-fA-F]++|0[bB][01]++|\d++(?:[eE]\d++)?)[uUlLfF]*+")
_UNIT = re.compile(rb"\d[ ](?=[A-Z])")
_NUMBER_BEFORE = re.compile(rb"(?:^|[^\w.])\d\w*$")
_CAST_MACRO = re.compile(rb"\(([A-Z][A-Z0-9_]++)(?=[ \t]++(?!const\b)\w++[ \t*]*+\)[\w(&*~])")
_CONST_PARAMETER = re.compile(rb"const\s++([A-Z][A-Z0-9_]++)(?=\s++\w++\s*+[,)])")
_AUTO = re.compile(rb"auto(?=\s++\**\w++\s*+=)(?<!\wauto)")
_LIST = re.compile(rb"(,\s*+)(\{[^{}();]*+\})(?=\s*+\))")
_OPERAND = re.compile(rb"\"\s*+\(")
_LEVEL = re.compile(rb"KERN_[A-Z]++(?=\s++[A-Za-z_])")
_NAMES_BEFORE_STRING = re.compile(rb"([(,]\s*+)((?:[A-Z][A-Z0-9_]++\s++)+)(?=[A-Z][A-Z0-9_]*+\s*+\")")
_NOT_MACROS = frozenset(b"sizeof return typeof if while switch case else do".split())
_DROPPED = frozenset(b"const volatile struct union enum".split())
_WORDS = re.compile(rb"\w+")
_WORD_BEFORE = re.compile(rb"(\w+)\s*$")
_STATIC_MACRO = re.compile(rb"^([ \t]+)(static[ \t]+(?:const[ \t]+)?)([A-Z][A-Z0-9_]+[ \t]*\()", re.MULTILINE)
_CASE_RANGE = re.compile(rb"(\bcase\b[^:;{}?]{0,200}?)(\.\.\.)")
_STRING_MADE = re.compile(rb"\"\s*+([A-Za-z_]\w*+[ \t]*+\([^()\"]*+(?:\([^()\"]*+\)[^()\"]*+)*+\))")
_MADE_BEFORE = re.compile(rb"\)\s*+(?=\")")


def rewrite_arguments(text: bytes, side: Side) -> bytes:
    """Types, operators and jumps as arguments, ``case A ... B`` and strings put together by macros."""
    text = _ARGUMENT.sub(lambda m: _argument(m, side), text)
    text = text.replace(b"(, ", b"(0,").replace(b"[at_least ", b"[         ")
    text = _AUTO.sub(b"int ", text)
    text = _LIST.sub(lambda m: m.group(1) + b"0" + blank(m.group(2)[1:]), text)
    text = _NUMBER_AND_NAME.sub(_name, text)
    text = _UNIT.sub(_unit, text)
    text = _CONST_PARAMETER.sub(lambda m: b"const".ljust(len(m.group())), text)
    text = _CAST_MACRO.sub(lambda m: b"(" + blank(m.group(1)), text)
    text = text.replace(b"offsetof", b"offset_f")  # the grammar has keywords of these names, with a type inside
    text = text.replace(b"__alignof__", b"sizeof     ")
    text = _STATIC_MACRO.sub(lambda m: m.group(1) + blank(m.group(2)) + m.group(3), text)
    text = _strings(_operands(text))
    if b"..." in text:
        text = _CASE_RANGE.sub(lambda m: m.group(1) + b"+  ", text)
    return text


def _argument(match: re.Match[bytes], side: Side) -> bytes:
    text, before = match.string, match.group(1)
    if match.group("jump"):
        side.jumps[match.start("jump")] = match.group("jump").decode("latin-1") + " "
        return before + blank(match.group("jump"))
    if match.group("nothing") is not None:
        return _nothing(match)
    alone = before[:1] == b"(" and text[match.end() : match.end() + 80].lstrip()[:1] == b")"
    if match.group("operator"):
        return match.group() if alone else before + b"0" + blank(match.group("operator")[1:])
    if alone:
        caller = _WORD_BEFORE.search(text, max(0, match.start() - 80), match.start())
        if caller is None or caller.group(1) in _NOT_MACROS:
            return match.group()  # a cast
    given = match.group("type")
    words = [word for word in _WORDS.finditer(given) if word.group() not in _DROPPED] or list(_WORDS.finditer(given))
    # A type of several words becomes one name.
    start, end = words[0].start(), words[-1].end()
    if b"\n" in given[start:end]:
        start = words[-1].start()
    name = re.sub(rb"[ \t*]", b"_", given[start:end])
    return before + blank(given[:start]) + name + blank(given[end:])


def _nothing(match: re.Match[bytes]) -> bytes:
    """An argument that is empty, where there is a blank for something."""
    before = match.group(1)
    if before[:1] == b"(" and match.string[match.end() : match.end() + 1] != b",":
        return before  # no arguments at all
    blanks = before[1:].replace(b"\t", b" ").replace(b" ", b"0", 1)
    return before[:1] + blanks


def _name(match: re.Match[bytes]) -> bytes:
    """A word that begins with a digit and is no number: a macro pastes it to a name."""
    word, before = match.group(), match.string[max(0, match.start() - 1) : match.start()]
    if before.isalnum() or before in (b"_", b".", b"'") or _NUMBER.fullmatch(word):
        return word
    return b"_" + word[1:]


def _unit(match: re.Match[bytes]) -> bytes:
    """``16 KB``, where the name is a macro for a factor."""
    at = match.start() + 1
    return match.group()[:1] + (b"*" if _NUMBER_BEFORE.search(match.string, max(0, at - 20), at) else b" ")


def _operands(text: bytes) -> bytes:
    """``MACRO("code" : "=r" (x))`` as a value: a macro for ``asm`` takes operands."""
    out, brackets = Splice(text), Brackets(text)
    for match in _OPERAND.finditer(text):
        opening = brackets.enclosing(match.start()) if match.start() >= out.last else -1
        name = _WORD_BEFORE.search(text, max(out.last, opening - 80), opening) if opening > out.last else None
        close = brackets.closing(opening) if name is not None else -1
        if name is not None and close > 0:
            out.replace(name.start(), b"0" + blank(text[name.start() + 1 : close]))
    return out.result()


def _strings(text: bytes) -> bytes:
    """Leave out of ``A B "a" NAME(b) "c"`` the call and all but one name before: the grammar knows no others there."""
    text = _LEVEL.sub(lambda m: blank(m.group()), text)
    text = _NAMES_BEFORE_STRING.sub(lambda m: m.group(1) + blank(m.group(2)), text)
    text = _STRING_MADE.sub(lambda m: m.group()[: m.start(1) - m.start()] + blank(m.group(1)), text)
    out, brackets = Splice(text), Brackets(text)
    for match in _MADE_BEFORE.finditer(text):
        opening = brackets.enclosing(match.start())
        name = _WORD_BEFORE.search(text, max(out.last, opening - 80), opening) if opening > out.last else None
        if name is not None:
            out.replace(name.start(), blank(text[name.start() : match.start() + 1]))
    return out.result()
