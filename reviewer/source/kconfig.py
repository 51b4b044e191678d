# SPDX-License-Identifier: GPL-2.0-or-later
"""Under which configuration options a file is built, from the Makefile and Kconfig beside it.

A condition is the name of an option that must be set, ``SMP``, or must not, ``!SMP``.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from reviewer.source.files import Files

_ENTRY = re.compile(r"^(?:menu)?config[ \t]+(\w+)[ \t]*\n((?:[ \t]+.*\n|\n)*)", re.MULTILINE)
_LIST = re.compile(
    r"(?P<head>[\w-]+?)-(?:y|m|objs|\$\((?:subst m,y,\$\()?CONFIG_(?P<option>\w+)\)+)[ \t]*(?P<sign>[:+]?=)(?P<made>.*)"
)
_MADE = re.compile(r"([\w-]+(?:\$\(BITS\)[\w-]*)?)\.o\b|\$\(([\w-]+)-y\)")
_TEST = re.compile(
    r"(?P<else>else[ \t]+)?(?:if(?P<not>n?)eq[ \t]*\(\$\(CONFIG_(?P<compared>\w+)\),[ \t]*(?P<value>y?)\)"
    r"|if(?P<un>n?)def[ \t]+CONFIG_(?P<defined>\w+))"
)
_WORD_SIZE = {"32": "!64BIT", "64": "64BIT"}
_PROMPT = re.compile(r"^\s*(?:(?:bool|tristate|string|int|hex)\s+[\"']|prompt\b)", re.MULTILINE)
_DEFAULT = re.compile(r"^\s*(?:def_bool|def_tristate|default)\s+(.*)$", re.MULTILINE)
_DEPENDS = re.compile(r"^\s*depends on\s+(.*)$", re.MULTILINE)
_CONDITION = re.compile(r"!?\s*\w+")
_NOBODY = frozenset[str]()
_DEEPEST = 4  # options, or lists of objects, that stand for another


class _Listed(NamedTuple):
    """An object, or a list of objects as ``$(x-y)``, that stands in the list ``head``."""

    made: str
    head: str
    conditions: frozenset[str]


class Builds:
    """What Makefiles and Kconfig say of the files of one tree; nothing is said where they cannot be read."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._makefiles: dict[str, tuple[_Listed, ...]] = {}
        self._options: dict[str, dict[str, frozenset[str]]] = {}
        self._conditions: dict[str, frozenset[str]] = {}

    def conditions(self, path: str) -> frozenset[str]:
        """All that is known to hold where the C file ``path`` is built; of headers nothing is known."""
        if path not in self._conditions:
            folder, name = posixpath.split(path)
            own = self._built(folder, name[:-2] + ".o", _DEEPEST) if path.endswith(".c") else _NOBODY
            self._conditions[path] = self._with_implied(folder, own)
        return self._conditions[path]

    def never_with(self, path: str, option: str) -> bool:
        """Whether the C file ``path`` is not built where ``option`` is set."""
        return f"!{option}" in self.conditions(path)

    def exclusive(self, one: str, other: str) -> bool:
        """Whether no kernel is built of both files."""
        others = self.conditions(other)
        return any(_negated(condition) in others for condition in self.conditions(one))

    def _built(self, folder: str, made: str, depth: int) -> frozenset[str]:
        """What holds wherever ``made`` stands in a list that is built."""
        found: frozenset[str] | None = None
        for listed in self._makefile(folder) if depth else ():
            if listed.made == made:
                above = frozenset[str]()
                if listed.head not in ("obj", "lib"):
                    above = self._built(folder, listed.head + ".o", depth - 1)
                    above |= self._built(folder, f"$({listed.head}-y)", depth - 1)
                here = listed.conditions | above
                found = here if found is None else found & here
        return found or _NOBODY

    def _makefile(self, folder: str) -> tuple[_Listed, ...]:
        if folder not in self._makefiles:
            self._makefiles[folder] = _lists(joined(self._files.read(posixpath.join(folder, "Makefile"))))
        return self._makefiles[folder]

    def _with_implied(self, folder: str, conditions: frozenset[str]) -> frozenset[str]:
        known = set(conditions)
        new = sorted(conditions)
        for _ in range(_DEEPEST):
            implied = {one for option in new if not option.startswith("!") for one in self._implied(folder, option)}
            new = sorted(implied - known)
            known |= implied
        return frozenset(known)

    def _implied(self, folder: str, option: str) -> frozenset[str]:
        """What the nearest Kconfig of ``folder`` or above it demands for ``option``."""
        while True:
            if folder not in self._options:
                self._options[folder] = dict(_demanded(joined(self._files.read(posixpath.join(folder, "Kconfig")))))
            if option in self._options[folder] or not folder:
                return self._options[folder].get(option, _NOBODY)
            folder = posixpath.dirname(folder)


def lacks_preempt_rt(files: Files, architecture: str) -> bool:
    """Whether the tree has PREEMPT_RT for other architectures and not for this one."""
    select = "select ARCH_SUPPORTS_RT"
    if select in joined(files.read(f"arch/{architecture}/Kconfig")):
        return False
    return any(select in joined(files.read(f"arch/{other}/Kconfig")) for other in ("x86", "arm64", "riscv"))


def _negated(condition: str) -> str:
    return condition[1:] if condition.startswith("!") else "!" + condition


def _lists(makefile: str) -> tuple[_Listed, ...]:
    """The objects of a Makefile by the list in which they stand."""
    found: list[_Listed] = []
    inside: list[frozenset[str]] = []
    for row in makefile.split("\n"):
        line = row.strip()
        if (test := _TEST.match(line)) is not None:
            condition = _tested(test)
            if test["else"] and inside:
                inside[-1] = frozenset(map(_negated, inside[-1])) if len(inside[-1]) == 1 else _NOBODY
                inside[-1] |= {condition}
            else:
                inside.append(frozenset((condition,)))
        elif line.startswith(("if", "else if")):
            if line.startswith("if"):
                inside.append(_NOBODY)
            elif inside:
                inside[-1] = _NOBODY
        elif line.startswith("else") and inside:
            inside[-1] = frozenset(map(_negated, inside[-1])) if len(inside[-1]) == 1 else _NOBODY
        elif line.startswith("endif") and inside:
            inside.pop()
        elif (stated := _LIST.match(line)) is not None:
            _add(found, stated, _NOBODY.union(*inside))
    return tuple(found)


def _tested(test: re.Match[str]) -> str:
    if test["defined"]:
        return "!" * bool(test["un"]) + test["defined"]
    return "!" * (bool(test["not"]) == bool(test["value"])) + test["compared"]


def _add(found: list[_Listed], stated: re.Match[str], around: frozenset[str]) -> None:
    option = stated["option"]
    conditions = around | {option} if option else around
    if option and stated["sign"] == ":=":  # it replaces what the list held without the option
        found[:] = [
            one._replace(conditions=one.conditions | {"!" + option}) if one.head == stated["head"] else one
            for one in found
        ]
    for item in _MADE.finditer(stated["made"]):
        name = f"$({item[2]}-y)" if item[2] else item[1] + ".o"
        if "$(BITS)" in name:
            found += (
                _Listed(name.replace("$(BITS)", bits), stated["head"], conditions | {condition})
                for bits, condition in _WORD_SIZE.items()
            )
        else:
            found.append(_Listed(name, stated["head"], conditions))


def _demanded(kconfig: str) -> Iterator[tuple[str, frozenset[str]]]:
    """(option, what must hold for it). An option without a prompt is what its only default says."""
    for entry in _ENTRY.finditer(kconfig):
        text = entry.group(2).partition("\thelp\n")[0]
        conditions = {one for line in _DEPENDS.findall(text) for one in _all_of(line)}
        defaults = _DEFAULT.findall(text)
        if len(defaults) == 1 and _PROMPT.search(text) is None:
            value, _, condition = defaults[0].partition(" if ")
            conditions |= _all_of(condition) | (_all_of(value) - {"y", "m"})
        yield entry.group(1), frozenset(conditions)


def _all_of(expression: str) -> frozenset[str]:
    """The conditions that an expression of Kconfig joins with ``&&``; alternatives and comparisons are left out."""
    text = expression.partition("#")[0].strip()
    while text.startswith("(") and text.endswith(")") and text.count("(") == 1:
        text = text[1:-1].strip()
    parts = [part.strip() for part in re.sub(r"!?\s*\([^()]*\)", "", text).split("&&")]
    if "||" in re.sub(r"\([^()]*\)", "", text):
        return _NOBODY
    return frozenset("".join(part.split()) for part in parts if _CONDITION.fullmatch(part))


def joined(data: bytes | None) -> str:
    """The text of a Makefile or a Kconfig file, none for a file that is missing, with continued lines in one."""
    return (data or b"").decode("utf-8", "replace").replace("\\\n", "  ")
