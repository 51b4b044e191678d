# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands in the Makefiles and Kconfig files of a tree: which list an object is in, what an option depends on.

Source: Documentation/kbuild/makefiles.rst, Documentation/kbuild/kconfig-language.rst.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from reviewer.source.condition import Condition, condition
from reviewer.source.files import Texts

MAKEFILE = "Makefile"
KCONFIG = "Kconfig"
"""The names of the files that are read of each folder."""

_RULE = re.compile(
    r"(?P<head>[\w-]+?)-(?:y|m|objs|\$\((?:subst m,y,\$\()?CONFIG_(?P<option>\w+)\)+)[ \t]*(?P<sign>[:+]?=)(?P<made>.*)"
)
_MADE = re.compile(
    r"(?<![\w./-])(?:(?:\$\(obj\)/)?([\w-]+(?:\$\(BITS\)[\w-]*)?\.o)\b|\$\(([\w-]+)-(?:y|objs)\)|([\w.-]+/)(?=\s|$))"
)
_TEST = re.compile(
    r"(?P<else>else[ \t]+)?(?:if(?P<not>n?)eq[ \t]*\(\$\(CONFIG_(?P<compared>\w+)\),[ \t]*(?P<value>y?)\)"
    r"|if(?P<un>n?)def[ \t]+CONFIG_(?P<defined>\w+))"
)
_WORD_SIZE = {"32": "!64BIT", "64": "64BIT"}
_BUILT_IN = ("obj", "lib")
_TYPES = frozenset(("bool", "tristate", "string", "int", "hex"))
_DEFAULTS = frozenset(("default", "def_bool", "def_tristate"))
_OPENS = frozenset(("menu", "choice"))
_CLOSES = frozenset(("endmenu", "endchoice", "endif"))
_ELSEWHERE = frozenset(("comment", "source", "mainmenu"))
_DEEPEST = 4  # lists of objects that stand in another
_MOST_WAYS = 200
_NOBODY = frozenset[str]()

Way = frozenset[str]
"""Options that are set, ``SMP``, or not, ``!SMP``, where something is built in one way."""


class Option(NamedTuple):
    """One definition of an option. ``depends`` are its own conditions and those of the blocks around it."""

    name: str
    depends: tuple[Condition, ...]
    defaults: tuple[Condition, ...]
    asked: bool
    """Whether it has a prompt, so that whoever configures the kernel sets it."""


class _Rule(NamedTuple):
    """An object, a list of objects as ``$(x-y)``, or a folder ``x/`` that stands in the list ``head``."""

    made: str
    head: str
    conditions: Way


class BuildFiles:
    """The Makefiles and Kconfig files of one tree."""

    def __init__(self, files: Texts) -> None:
        self._files = files
        self._rules: dict[str, tuple[_Rule, ...]] = {}
        self._options: dict[str, dict[str, list[Option]]] = {}
        self._known: dict[tuple[str, str, int], frozenset[Way]] = {}

    def ways(self, folder: str, made: str) -> frozenset[Way]:
        """The ways in which the Makefile of ``folder`` builds ``made``, an object or a folder with its slash.

        One that asks for nothing where it has no rule, or too many.
        """
        return self._ways(folder, made, _DEEPEST) or frozenset((_NOBODY,))

    def _ways(self, folder: str, made: str, depth: int) -> frozenset[Way]:
        key = (folder, made, depth)
        if key not in self._known:
            found: set[Way] = set()
            for rule in self._rules_of(folder) if depth else ():
                if rule.made == made:
                    above = frozenset[Way]()
                    if rule.head not in _BUILT_IN:
                        above = self._ways(folder, rule.head + ".o", depth - 1)
                        above |= self._ways(folder, f"$({rule.head}-y)", depth - 1)
                    found.update(rule.conditions | way for way in above or (_NOBODY,))
            self._known[key] = frozenset(found) if len(found) <= _MOST_WAYS else frozenset((_NOBODY,))
        return self._known[key]

    def options(self, option: str, folder: str) -> list[Option]:
        """The definitions of ``option`` in ``folder``, or in the nearest above it that has one."""
        while True:
            if folder not in self._options:
                known: dict[str, list[Option]] = {}
                for defined in options(self.text(posixpath.join(folder, KCONFIG))):
                    known.setdefault(defined.name, []).append(defined)
                self._options[folder] = known
            found = self._options[folder].get(option)
            if found or not folder:
                return found or []
            folder = posixpath.dirname(folder)

    def sources(self, folder: str) -> frozenset[str]:
        """The C files that the Makefile of ``folder`` names, by their objects."""
        made = {rule.made for rule in self._rules_of(folder)}
        return frozenset(posixpath.join(folder, name[:-2] + ".c") for name in made if name.endswith(".o"))

    def text(self, path: str) -> str:
        """The text of a Makefile or Kconfig file with continued lines in one."""
        return joined(self._files.read(path))

    def _rules_of(self, folder: str) -> tuple[_Rule, ...]:
        if folder not in self._rules:
            self._rules[folder] = _rules(self.text(posixpath.join(folder, MAKEFILE)))
        return self._rules[folder]


def joined(data: bytes | None) -> str:
    """The text of a Makefile or Kconfig file, empty for one that is missing, with continued lines in one."""
    return (data or b"").decode("utf-8", "replace").replace("\\\n", "  ")


def negated(option: str) -> str:
    """``!SMP`` for ``SMP`` and the other way round."""
    return option[1:] if option.startswith("!") else "!" + option


# Makefiles


def _rules(makefile: str) -> tuple[_Rule, ...]:
    found: list[_Rule] = []
    inside: list[Way] = []
    for row in makefile.split("\n"):
        line = row.partition("#")[0].strip()
        if (test := _TEST.match(line)) is not None:
            if test["else"] and inside:
                inside[-1] = _otherwise(inside[-1]) | {_tested(test)}
            else:
                inside.append(frozenset((_tested(test),)))
        elif line.startswith("if"):
            inside.append(_NOBODY)
        elif line.startswith("else") and inside:
            inside[-1] = _NOBODY if line.startswith("else if") else _otherwise(inside[-1])
        elif line.startswith("endif") and inside:
            inside.pop()
        elif (stated := _RULE.match(line)) is not None:
            _add(found, stated, _NOBODY.union(*inside))
    return tuple(found)


def _otherwise(conditions: Way) -> Way:
    """What holds in the else arm; of a test of several, or of one that was not read, that is not clear."""
    return frozenset(map(negated, conditions)) if len(conditions) == 1 else _NOBODY


def _tested(test: re.Match[str]) -> str:
    if test["defined"]:
        return "!" * bool(test["un"]) + test["defined"]
    return "!" * (bool(test["not"]) == bool(test["value"])) + test["compared"]


def _add(found: list[_Rule], stated: re.Match[str], around: Way) -> None:
    option = stated["option"]
    conditions = around | {option} if option else around
    if option and stated["sign"] == ":=":  # it replaces what the list held without the option
        found[:] = [
            one._replace(conditions=one.conditions | {"!" + option}) if one.head == stated["head"] else one
            for one in found
        ]
    for item in _MADE.finditer(stated["made"]):
        if item[2] == stated["head"]:
            continue  # one variable of a list in another of the same list
        name = item[1] or item[3] or f"$({item[2]}-y)"
        if "$(BITS)" in name:
            found += (
                _Rule(name.replace("$(BITS)", bits), stated["head"], conditions | {size})
                for bits, size in _WORD_SIZE.items()
            )
        else:
            found.append(_Rule(name, stated["head"], conditions))


# Kconfig


class _Entry:
    """A definition that is being read, or a block: what stands in it."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.depends: list[Condition] = []
        self.defaults: list[Condition] = []
        self.asked = False

    def take(self, word: str, rest: str) -> None:
        if word == "depends":
            self.depends.append(condition(rest.removeprefix("on").partition("#")[0]))
        elif word in _DEFAULTS:
            value, _, when = rest.partition("#")[0].partition(" if ")
            self.defaults.append(condition(f"({value}) && ({when or 'y'})"))
        elif word == "prompt" or (word in _TYPES and rest[:1] in ("'", '"')):
            self.asked = True


def options(kconfig: str) -> Iterator[Option]:
    """Each definition of an option in the text of a Kconfig file."""
    around: list[_Entry] = []
    found: list[tuple[_Entry, tuple[_Entry, ...]]] = []
    entry = _Entry()
    for word, rest in _statements(kconfig):
        if word in ("config", "menuconfig"):
            entry = _Entry(rest)
            found.append((entry, tuple(around)))
        elif word == "if" or word in _OPENS:
            entry = _Entry()
            around.append(entry)
            if word == "if":
                entry.take("depends", rest)
                entry = _Entry()
        elif word in _CLOSES:
            if around:
                around.pop()
            entry = _Entry()
        elif word in _ELSEWHERE:
            entry = _Entry()
        else:
            entry.take(word, rest)
    for entry, blocks in found:
        depends = tuple(one for block in (*blocks, entry) for one in block.depends)
        yield Option(entry.name, depends, tuple(entry.defaults), entry.asked)


def _statements(kconfig: str) -> Iterator[tuple[str, str]]:
    """(first word, the rest) of each line, without help texts: they end where a line is indented less."""
    help_at: int | None = None
    for line in kconfig.expandtabs().split("\n"):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        indent = len(line) - len(line.lstrip())
        if help_at is not None and indent > help_at:
            continue
        word, _, rest = stripped.partition(" ")
        help_at = indent if word in ("help", "---help---") else None
        if help_at is None:
            yield word, rest.strip()
