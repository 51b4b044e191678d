# SPDX-License-Identifier: GPL-2.0-or-later
"""Types by name: the members of structures, and what a declaration says of a variable.

A type is named by its tag or typedef. A structure without a name is called after what it is: ``kvm.arch_lock`` for the
member ``arch_lock`` of ``struct kvm``, ``pool{}`` for the variable ``pool``. What is not clear is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
import tree_sitter_c
from tree_sitter import Language, Node, Parser

from reviewer.source.graph import declared_name, named, text_of
from reviewer.source.normalise import normalise
from reviewer.source.preprocess import blank_comments_and_strings

_LANGUAGE = Language(tree_sitter_c.language())
_LONGEST = 65536  # bytes of one structure
_BRACE = re.compile(rb"[{}]")
_PAREN = re.compile(rb"[()]")
_DIRECTIVE = re.compile(rb"^[ \t]*#[ \t]*(\w+)((?:[^\n\\]|\\\n|\\.)*)", re.MULTILINE)
_SYMBOL = re.compile(rb"\s*(!?)\s*(?:defined|IS_ENABLED)?\s*\(?\s*(\w+)\s*\)?\s*")
_GROUP = re.compile(rb"\b(?:__)?struct_group(?:_attr|_tagged)?\s*\(\s*\w+\s*,")
_ATTRIBUTES_AFTER = re.compile(rb"(?<=\})\s*__\w+(?:\s*\([^()]*\))?(?=\s*(?:;|__))")
_NOT_NEWLINE = re.compile(rb"[^\n]")


class Member(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A member: name, type, whether it is a pointer, and the preprocessor arm in which it stands.

    ``arm`` is empty, ``X`` where it needs the symbol X, ``!X`` where it excludes it, or ``?``.
    """

    name: str
    type: str
    pointer: bool
    arm: str


FUNCTION = "()"
"""Stands for the type of a member that points to a function."""

Structures = dict[str, tuple[Member, ...]]
"""The members of a type and of the nameless structures inside it, by name of the type."""


def type_of_declaration(node: Node, declarator: Node | None) -> str:
    """The name of the type that ``node`` (a declaration) gives ``declarator``, with ``*`` for a pointer; or nothing."""
    kind = node.child_by_field_name("type")
    name = _type_name(kind) if kind is not None else ""
    if not name:
        return ""
    shapes = set(_shapes(declarator))
    if "function_declarator" in shapes:
        return ""
    return name + ("*" if "pointer_declarator" in shapes or "abstract_pointer_declarator" in shapes else "")


def is_truth(node: Node, declarator: Node | None) -> bool:
    """Whether what ``node`` (a declaration) gives ``declarator`` is 0 or 1."""
    kind = node.child_by_field_name("type")
    if kind is None or kind.text not in (b"bool", b"_Bool") or declarator is None:
        return False
    return set(_shapes(declarator)) <= {"init_declarator", "identifier"}


def returned_type(definition: Node) -> str:
    """The name of the type that the function ``definition`` returns, as in ``type_of_declaration``."""
    kind = definition.child_by_field_name("type")
    name = _type_name(kind) if kind is not None else ""
    declarator = definition.child_by_field_name("declarator")
    pointer = declarator is not None and declarator.type == "pointer_declarator"
    return name + "*" if pointer else name


def _type_name(kind: Node) -> str:
    if kind.type in ("struct_specifier", "union_specifier"):
        tag = kind.child_by_field_name("name")
        return text_of(tag) if tag is not None else ""
    return text_of(kind) if kind.type == "type_identifier" else ""


def _shapes(declarator: Node | None) -> Iterator[str]:
    while declarator is not None:
        yield declarator.type
        inner = declarator.child_by_field_name("declarator")
        declarator = inner or next((c for c in declarator.named_children if c.type.endswith("declarator")), None)


def structures(text: bytes, name: str) -> Structures:
    """The members of the type ``name`` as the file ``text`` defines it; of all definitions where there are several."""
    text = blank_comments_and_strings(text)
    found: dict[str, list[Member]] = {}
    for start, end in _bodies(text, name):
        body, arms = _without_directives(text[start:end])
        body = _ATTRIBUTES_AFTER.sub(_blank, body)
        rewritten, _ = normalise(b"struct t " + _GROUP.sub(_ungroup, _close_groups(body)) + b";\n")
        root = Parser(_LANGUAGE).parse(rewritten).root_node
        listed = next((list_ for list_ in _lists(root)), None)
        if listed is not None:
            _collect(listed, name, arms, found)
    return {owner: tuple(dict.fromkeys(members)) for owner, members in found.items()}


def _bodies(text: bytes, name: str) -> Iterator[tuple[int, int]]:
    bare = name.removesuffix("{}").encode()
    nameless = rb"^(?:static\s+|const\s+)*(?:struct|union)\s*$"
    if not name.endswith("{}"):
        nameless = rb"\btypedef\s+(?:struct|union)\s*$"
        for match in re.finditer(rb"\b(?:struct|union)\s+" + bare + rb"\s*\{", text):
            end = closing_brace(text, match.end() - 1)
            if end > 0:
                yield match.end() - 1, end
    for match in re.finditer(rb"\}[^;={}]*\b" + bare + rb"\b[^;={}]*[;=]", text):
        start = _opening(text, match.start())
        if start > 0 and re.search(nameless, text[max(0, start - 80) : start], re.MULTILINE):
            yield start, match.start() + 1


def closing_brace(text: bytes, opening: int) -> int:
    """The offset just past the brace that closes the one at ``opening``, or -1 where it is not near."""
    depth = 0
    for match in _BRACE.finditer(text, opening, opening + _LONGEST):
        depth += 1 if match.group() == b"{" else -1
        if depth == 0:
            return match.end()
    return -1


def _opening(text: bytes, closing: int) -> int:
    depth = 0
    for match in reversed(list(_BRACE.finditer(text, max(0, closing - _LONGEST), closing + 1))):
        depth += 1 if match.group() == b"}" else -1
        if depth == 0:
            return match.start()
    return -1


def _close_groups(body: bytes) -> bytes:
    """Make the closing bracket of every ``struct_group()`` one that closes a nameless structure."""
    out = bytearray(body)
    for match in _GROUP.finditer(body):
        depth = 0
        for bracket in _PAREN.finditer(body, match.start()):
            depth += 1 if bracket.group() == b"(" else -1
            if depth == 0:
                out[bracket.start() : bracket.end()] = b"}"
                break
    return bytes(out)


def _ungroup(match: re.Match[bytes]) -> bytes:
    return (b"struct {" + b" " * len(match.group()))[: max(len(match.group()), 8)]


def _without_directives(body: bytes) -> tuple[bytes, dict[int, str]]:
    """``body`` with every arm in it, and the arm of each line (0-based) that stands in one."""
    arms: dict[int, str] = {}
    stack: list[str] = []
    last = line = 0
    for match in _DIRECTIVE.finditer(body):
        here = line + body.count(b"\n", last, match.start())
        _mark(arms, stack, line, here)
        line, last = here, match.start()
        kind = match.group(1)
        if kind in (b"if", b"ifdef", b"ifndef"):
            stack.append(_symbol(kind, match.group(2)))
        elif kind in (b"else", b"elif", b"endif") and stack:
            top = stack.pop()
            if kind == b"else":
                stack.append("?" if top == "?" else top[1:] if top.startswith("!") else "!" + top)
            elif kind == b"elif":
                stack.append("?")
    return _DIRECTIVE.sub(_blank, body), arms


def _blank(match: re.Match[bytes]) -> bytes:
    return _NOT_NEWLINE.sub(b" ", match.group())


def _mark(arms: dict[int, str], stack: list[str], start: int, end: int) -> None:
    if stack:
        arms.update((line, stack[-1] if len(stack) == 1 else "?") for line in range(start, end + 1))


def _symbol(kind: bytes, condition: bytes) -> str:
    match = _SYMBOL.fullmatch(condition)
    if match is None:
        return "?"
    return ("!" if (kind == b"ifndef") != bool(match.group(1)) else "") + match.group(2).decode("latin-1")


def _lists(root: Node) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop(0)
        if node.type == "field_declaration_list":
            yield node
        waiting += node.named_children


def _collect(listed: Node, owner: str, arms: dict[int, str], found: dict[str, list[Member]]) -> None:
    """Add the members in ``listed``; those of a nameless structure without a member's name are the owner's."""
    for node in named(listed):
        if node.type != "field_declaration":
            continue
        kind = node.child_by_field_name("type")
        if kind is None:
            continue
        body = kind.child_by_field_name("body")
        declarators = [child for child in node.children_by_field_name("declarator") if child.type != "comment"]
        if not declarators:
            if body is not None:
                _collect(body, owner, arms, found)
            continue
        for declarator in declarators:
            name = declared_name(declarator)
            declared = type_of_declaration(node, declarator)
            if body is not None and not _type_name(kind) and name:
                declared = f"{owner}.{name}"
                _collect(body, declared, arms, found)
            if name and not declared and "function_declarator" in _shapes(declarator):
                declared = FUNCTION + "*"
            if name and declared:
                arm = arms.get(node.start_point[0], "")
                found.setdefault(owner, []).append(Member(name, declared.rstrip("*"), declared.endswith("*"), arm))
