# SPDX-License-Identifier: GPL-2.0-or-later
"""Macros in the place of a statement: iteration macros become ``while``, scoped guards ``if``, others get a semicolon.

What a macro is shows in its use: a block or a deeper indented line follows one that iterates; where neither that nor a
semicolon follows, the macro brings its own.
"""

from __future__ import annotations

import re

from reviewer.source.brackets import Brackets
from reviewer.source.preprocess import blank
from reviewer.source.side import Side
from reviewer.source.splice import Splice

# Macros that stand before a statement and run it at most once.
_CONDITIONAL = re.compile(rb"scoped_\w+|with_\w+|class_for_\w+|user_access_scope|if_\w+|\w+_if_\w+")
_LOOP = re.compile(rb"\w*(?:for_each|foreach|FOR_EACH|FOREACH|for_all|do_each)\w*")
_KEYWORDS = frozenset(
    b"if while for switch return sizeof do else case goto default typeof __typeof__ __attribute__ defined".split()
)
_PLAIN_CALL = rb"\([^();{}]*+(?:\([^();{}]*+(?:\([^();{}]*+\)[^();{}]*+)*+\)[^();{}]*+)*+\)\s*+;"
_CALL = re.compile(
    rb"[;{}):eo]\s++(?!(?:if|for|while|switch|return)\b)([A-Za-z_]\w*+)[ \t]*+(?=\()(?!" + _PLAIN_CALL + rb")"
)
_BARE = re.compile(
    rb"[;{}]\s++(_*+[A-Z][A-Z0-9_]{2,}+\w*+)[ \t]*+(?=\n(?:[ \t]*\n)*+(?:[ \t]++[A-Za-z_]|[ \t]*+\}|\w++:))"
)
_DECLARATOR = re.compile(rb"\s*[;=,\[]")
_DECLARATION = re.compile(rb"\s*\w+\s*[;=,\[]")
# Macros with commas of their own among the elements of an initialiser.
_ELEMENTS = re.compile(rb"[,{]\s*+((?:[A-Z][A-Z0-9_]{2,}\s++)+)(?=[A-Z][A-Z0-9_]{2}|&\w|\.\w|\{)")
_WHILE_EACH = re.compile(rb"\}[ \t]*+(while_\w+|for_each_\w+)[ \t]*+(?=\()")
_FOLLOWER = re.compile(rb"\s*+(\w+|\+\+|--|.)", re.DOTALL)
# Macros that take designated initialisers, that declare a variable with one, and that take statements.
_DESIGNATED = re.compile(rb"[;{}]\s++[A-Z]\w++(?=\((?:[^(){};=,]*+,)++\s*+\.\w++\s*+=)\(")
_DESIGNATED_ALONE = re.compile(rb"\((?=\s*+\.\w++\s*+=)")
_DESIGNATOR = re.compile(rb"(?<=[,(])(\s*+)(\.\w++\s*+=)(?!=)")
_DECLARED_BY = re.compile(rb"([;{}]\s++)([A-Z][A-Z0-9_]++\(([^(){};]*+)\))(?=\s*+=\s*+\{)")
# A macro that declares what stands in its brackets, and one that makes members.
_DECLARES = re.compile(
    rb"([;{}]\s++[A-Z][A-Z0-9_]++\()((?:(?:const|struct|union|enum|unsigned)\s++)*+\w++\s++[\s*]*+\w++(?:\[[^\[\];]*+\])*+)\)(?=\s*+;)"
)
_MEMBER = re.compile(
    rb"(\b(?:struct|union)\s*+(?:\w++\s*+)?\{(?:[^{}();]*+;)*+\s*+)(_*+[A-Z][A-Z0-9_]{2,}+\([^();{}\n]*+\))(?=\s*+;)"
)
_IDENTIFIER = re.compile(rb"[A-Za-z_]\w*")
_JUMP = re.compile(rb"\b(?:return|goto|continue|break)\b[^,;()]*")
_DECLARED = re.compile(
    rb"(?<=\()\s*(?:(?:const|struct|union|enum|unsigned|int|long|[us](?:8|16|32|64))\s+)+(?:\w+\s*\*+\s*)?(?=\w+\s*,)"
)
_INSIDE = b";,)=?:&|+-<>].%^/!"


def rewrite_statements(text: bytes, side: Side) -> bytes:
    """Turn macros in the place of a statement into statements of C."""
    text = _rewrite_while_each(text)
    text = _rewrite_bare(text)
    text = _DECLARED_BY.sub(_declared_by, text)
    text = _DECLARES.sub(lambda m: m.group(1)[:1] + blank(m.group(1)[1:]) + m.group(2) + b" ", text)
    text = _MEMBER.sub(lambda m: m.group(1) + b"int m".ljust(len(m.group(2))), text)
    text = _rewrite_designated(text)
    out, brackets = Splice(text), Brackets(text)
    for match in _CALL.finditer(text):
        name, start, opening = match.group(1), match.start(1), match.end()
        if name in _KEYWORDS or start < out.last or not _begins_statement(text, match):
            continue
        close = brackets.closing(opening)
        if close < 0:
            continue
        rewritten = _rewritten(text, brackets, side, name, start, opening, close)
        if rewritten is not None:
            out.replace(close - len(rewritten), rewritten)
    return out.result()


def _begins_statement(text: bytes, match: re.Match[bytes]) -> bool:
    mark = match.start()
    if text[mark : mark + 1] in b"eo" and not re.search(rb"\b(?:else|do)$", text[max(0, mark - 5) : mark + 1]):
        return False
    start = match.start(1)
    # At column 0, and after a brace there, it defines something.
    return text[start - 1 : start] != b"\n" and not (text[mark : mark + 1] == b"}" and text[mark - 1 : mark] == b"\n")


def _rewritten(
    text: bytes, brackets: Brackets, side: Side, name: bytes, start: int, opening: int, close: int
) -> bytes | None:
    """What takes the place of the text up to ``close``, or None where the call may stay as it is."""
    found = _FOLLOWER.match(text, close)
    follower = found.group(1) if found is not None else b""
    loop, conditional = _LOOP.fullmatch(name), _CONDITIONAL.fullmatch(name)
    if follower == b"{" or ((loop or conditional) and follower and follower not in _INSIDE and follower != b"}"):
        return _compound(text[opening:close], side, name, start, opening, bool(conditional and not loop))
    if found is not None and name.isupper() and _makes_type(text, opening, close, found):
        return b"int" + blank(text[start + 3 : close])
    if b";" in text[opening:close] and b"{" not in text[opening:close]:
        return _as_block(text[start:close], opening - start)
    if found is None or not (follower == b"}" or follower[:1].isalpha() or follower[:1] == b"_"):
        return None
    if b"\n" not in text[close : found.start(1)] and not (name.isupper() and text[found.end(1) :].startswith(b"(")):
        return None
    if _in_initialiser(text, brackets, start):
        return None if follower == b"}" else blank(text[start:close])
    if b"\n" in text[close : found.start(1)] and _indentation(text, found.start(1)) > _indentation(text, start):
        return _compound(text[opening:close], side, name, start, opening, False)
    return text[start:close] + b";"


def _makes_type(text: bytes, opening: int, close: int, follower: re.Match[bytes]) -> bool:
    """Whether a variable of the type that a macro makes is declared: ``TYPE(a, b) c = 0;``."""
    if not _IDENTIFIER.fullmatch(follower.group(1)) or not _DECLARATOR.match(text, follower.end(1)):
        return False
    return b";" in text[opening:close] or b"\n" not in text[close : follower.start(1)]


def _compound(argument: bytes, side: Side, name: bytes, start: int, opening: int, conditional: bool) -> bytes | None:
    """``name(argument)`` as the head of an ``if`` or a ``while``."""
    keyword = b"if" if conditional else b"while"
    if argument[1:-1].strip():
        side.jumps.update((opening + jump.start(), jump.group().decode("latin-1")) for jump in _JUMP.finditer(argument))
        argument = _JUMP.sub(lambda m: b"0".ljust(len(m.group())), argument)
        argument = _DECLARED.sub(lambda m: blank(m.group()), argument)
        rewritten = keyword.ljust(opening - start) + argument
    else:
        rewritten = (keyword + b"(1)").ljust(opening - start + len(argument))
    if len(rewritten) != opening - start + len(argument):
        return None
    (side.conditionals if conditional else side.loops)[start] = name.decode("latin-1")
    return rewritten


def _indentation(text: bytes, at: int) -> int:
    """How far the line that holds ``at`` is indented, in columns."""
    start = text.rfind(b"\n", 0, at) + 1
    line = text[start : start + 200].expandtabs()
    return len(line) - len(line.lstrip(b" "))


def _in_initialiser(text: bytes, brackets: Brackets, at: int) -> bool:
    """Whether ``at`` lies in brackets other than those of a block: an initialiser, an enum or a call."""
    opening = brackets.enclosing(at)
    if opening < 0 or text[opening : opening + 1] != b"{":
        return opening >= 0
    before = text[max(0, opening - 200) : opening].rstrip()
    return before[-1:] in (b"=", b",", b"{", b"]") or bool(re.search(rb"\benum(?:\s+\w+)?$", before))


def _as_block(call: bytes, opening: int) -> bytes:
    """Arguments that are statements. Whether the macro runs a jump among them is not to be seen: it is left out."""
    arguments = _JUMP.sub(lambda m: b"0" + blank(m.group()[1:]), call[opening:])
    out = bytearray(blank(call[:opening]) + arguments)
    depth = 0
    for match in re.finditer(rb"[(),]", arguments):
        depth += (match.group() == b"(") - (match.group() == b")")
        if match.group() == b"," and depth == 1:
            out[opening + match.start()] = ord(";")
    out[opening] = ord("{")
    return bytes(out[1:-1]) + b";}"


def _declared_by(match: re.Match[bytes]) -> bytes:
    """``DECLARE_BITMAP(map, 8) = { 0 }`` as an initialised variable."""
    before, call, given = match.groups()
    names = [argument.strip() for argument in given.split(b",")]
    name = next((name for name in names if re.fullmatch(rb"[a-z_]\w*", name)), names[0])
    blanked = blank(call)
    return before + b"int " + name + blanked[4 + len(name) :] if b"\n" not in call else match.group()


def _rewrite_designated(text: bytes) -> bytes:
    """``OPTS(type, name, .a = b)``: the designators in the brackets of a macro."""
    out, brackets = Splice(text), Brackets(text)
    for match in sorted((*_DESIGNATED.finditer(text), *_DESIGNATED_ALONE.finditer(text)), key=lambda one: one.end()):
        opening = match.end() - 1
        close = brackets.closing(opening)
        if close > 0 and opening >= out.last:
            out.replace(opening, _DESIGNATOR.sub(lambda m: blank(m.group()), text[opening:close]))
    return out.result()


def _rewrite_while_each(text: bytes) -> bytes:
    """``do { } while_each_thread(a, b);``"""
    out, brackets = Splice(text), Brackets(text)
    for match in _WHILE_EACH.finditer(text):
        opening = brackets.enclosing(match.start())
        if opening > 0 and re.search(rb"\bdo$", text[max(0, opening - 200) : opening].rstrip()):
            out.replace(match.start(1), b"while".ljust(len(match.group(1))))
    return out.result()


def _rewrite_bare(text: bytes) -> bytes:
    """Blank a macro without arguments where it stands for a statement or for elements of an initialiser."""
    out, brackets = Splice(text), Brackets(text)
    for match in sorted((*_BARE.finditer(text), *_ELEMENTS.finditer(text)), key=lambda found: found.start(1)):
        if match.start(1) < out.last or (match.re is _BARE and _DECLARATION.match(text, match.end())):
            continue
        if _in_initialiser(text, brackets, match.start(1)) != (match.re is _ELEMENTS):
            continue
        out.replace(match.start(1), blank(match.group(1)))
    return out.result()
