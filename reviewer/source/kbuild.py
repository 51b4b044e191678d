# SPDX-License-Identifier: GPL-2.0-or-later
"""On which architectures a file can be built and its hardware is found, as Makefile and Kconfig say.

Source: Documentation/kbuild/kconfig-language.rst, Documentation/kbuild/makefiles.rst.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cached_property

from reviewer.source.files import Files
from reviewer.source.kconfig import joined

_SUPPORTS_RT = re.compile(r"^\s+select ARCH_SUPPORTS_RT\b", re.MULTILINE)
_TOKEN = re.compile(r"\|\||&&|!=|<=|>=|[!()=<>]|\"[^\"]*\"|'[^']*'|[\w$.-]+")
_COMPARES = frozenset(("=", "!=", "<", ">", "<=", ">="))
_BUILT_ANYWHERE = "COMPILE_TEST"  # a build that is made to be compiled alone: no such hardware runs the code
_OPENS = frozenset(("menu", "choice"))
_CLOSES = frozenset(("endmenu", "endchoice", "endif"))
_DEFINED = re.compile(r"^[ \t]*(?:menu)?config[ \t]+(\w+)", re.MULTILINE)
_CORE = ("init", "kernel", "lib", "mm")
_DEPTH = 8  # options that depend on each other

Conditions = tuple[str, ...]
"""Expressions that must hold, all of them."""


class Kbuild:
    """What the Makefiles and Kconfig files of a tree say. What cannot be told from them is taken as possible."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._never: dict[str, bool] = {}
        self._folders: dict[str, dict[str, list[Conditions]]] = {}

    def never_with_rt(self, path: str) -> bool:
        """Whether the C file ``path`` is only for architectures that have no PREEMPT_RT, while others have it."""
        if not path.endswith(".c") or path.startswith("arch/"):
            return False
        if path not in self._never:
            self._never[path] = bool(self._with_rt) and not any(self.is_built(path, arch) for arch in self._with_rt)
        return self._never[path]

    def is_built(self, path: str, arch: str) -> bool:
        """Whether the C file ``path`` may be built into a kernel that runs on ``arch``, a folder of ``arch/``."""
        folder, name = posixpath.split(path)
        makefile = self._text(posixpath.join(folder, "Makefile"))
        if not any(self._all(way, folder, arch) for way in _ways(makefile, name[:-2] + ".o")):
            return False
        while folder:
            parent, name = posixpath.split(folder)
            ways = list(_ways(self._text(posixpath.join(parent, "Makefile")), name + "/"))
            if not any(self._all(way, parent, arch) for way in ways):
                return False
            folder = parent
        return True

    def _all(self, expressions: Conditions, folder: str, arch: str, depth: int = _DEPTH) -> bool:
        return all(_Possible(self, folder, arch, depth, expression).answer() for expression in expressions)

    def possible(self, option: str, folder: str, arch: str, depth: int) -> bool:
        """Whether ``option``, which a file in ``folder`` asks for, may be set on ``arch``."""
        if option in (_BUILT_ANYWHERE, "n"):
            return False
        if option in self._owners:
            return arch in self._owners[option]
        defined = self._defined(option, folder) if depth else []
        return not defined or any(self._all(conditions, folder, arch, depth - 1) for conditions in defined)

    def _defined(self, option: str, folder: str) -> list[Conditions]:
        """What each definition of ``option`` depends on, in ``folder`` or the nearest above it that has one."""
        while True:
            if folder not in self._folders:
                known: dict[str, list[Conditions]] = {}
                for name, conditions in _options(self._text(posixpath.join(folder, "Kconfig"))):
                    known.setdefault(name, []).append(conditions)
                self._folders[folder] = known
            found = self._folders[folder].get(option)
            if found or not folder:
                return found or []
            folder = posixpath.dirname(folder)

    @cached_property
    def _of_architectures(self) -> tuple[tuple[str, str], ...]:
        """Architecture and text of each Kconfig file below ``arch``."""
        return tuple((path.split("/")[1], text) for path, text in self._kconfigs("arch") if path.count("/") > 1)

    def _kconfigs(self, folder: str) -> Iterator[tuple[str, str]]:
        listed = self._files.blobs(folder, ("",))
        wanted = [(path, oid) for path, oid in listed if posixpath.basename(path).startswith("Kconfig")]
        texts = self._files.read_blobs([oid for _, oid in wanted])
        for (path, _), (_, data) in zip(wanted, texts, strict=True):
            yield path, joined(data)

    @cached_property
    def _with_rt(self) -> tuple[str, ...]:
        return tuple(sorted({arch for arch, text in self._of_architectures if _SUPPORTS_RT.search(text)}))

    @cached_property
    def _owners(self) -> dict[str, frozenset[str]]:
        """The architectures that define an option, for those that the core does not define for all."""
        owners: dict[str, set[str]] = {}
        for arch, text in self._of_architectures:
            for option in _DEFINED.findall(text):
                owners.setdefault(option, set()).add(arch)
        core = [self._text("arch/Kconfig"), *(text for folder in _CORE for _, text in self._kconfigs(folder))]
        shared = {option for text in core for option in _DEFINED.findall(text)}
        return {option: frozenset(found) for option, found in owners.items() if option not in shared}

    def _text(self, path: str) -> str:
        return joined(self._files.read(path))


class _Possible:
    """Reads one expression of Kconfig: whether it may hold. What is denied may always be unset."""

    def __init__(self, kbuild: Kbuild, folder: str, arch: str, depth: int, expression: str) -> None:
        self._where = (folder, arch, depth)
        self._kbuild = kbuild
        self._tokens = _TOKEN.findall(expression)

    def answer(self) -> bool:
        """Whether the expression may hold; it may where it cannot be read."""
        found = self._any()
        return found or bool(self._tokens)  # with tokens left over it was not understood

    def _next(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def _any(self) -> bool:
        found = self._both()
        while self._next() == "||":
            self._tokens.pop(0)
            found = self._both() or found
        return found

    def _both(self) -> bool:
        found = self._term()
        while self._next() == "&&":
            self._tokens.pop(0)
            found = self._term() and found
        return found

    def _term(self) -> bool:
        word = self._tokens.pop(0) if self._tokens else "y"
        if word == "!":
            self._term()
            return True
        if word == "(":
            found = self._any()
            if self._next() == ")":
                self._tokens.pop(0)
            return found
        if self._next() in _COMPARES:
            sign = self._tokens.pop(0)
            with_what = self._tokens.pop(0) if self._tokens else ""
            if (sign, with_what) not in (("=", "y"), ("=", "m"), ("!=", "n")):
                return True
        folder, arch, depth = self._where
        return not word.isidentifier() or self._kbuild.possible(word, folder, arch, depth)


def _ways(makefile: str, target: str) -> Iterator[Conditions]:
    """What each line of a Makefile that builds ``target`` asks for: an object, or a folder with its slash.

    One way that asks for nothing where no line is found.
    """
    found = False
    wanted = re.compile(rf"(?<![\w./-]){re.escape(target)}(?![\w.])")
    for match in re.finditer(r"^[ \t]*([\w-]+)-(?:\$\(CONFIG_(\w+)\)|(?:y|m|objs))[ \t]*[:+]?=(.*)", makefile, re.M):
        name, option, objects = match.groups()
        if not wanted.search(objects):
            continue
        found = True
        own = (option,) if option else ()
        if name in ("obj", "lib") or f"{name}.o" == target:
            yield own
            continue
        for way in _ways(makefile, f"{name}.o"):
            yield (*own, *way)
    if not found:
        yield ()


def _options(text: str) -> Iterator[tuple[str, Conditions]]:
    """Each option of a Kconfig file with what it depends on, the blocks around it included."""
    around: list[list[str]] = []
    here: list[str] = []
    found: list[tuple[str, list[list[str]]]] = []
    help_at = -1
    for line in text.split("\n"):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        indent = len(line.expandtabs()) - len(line.expandtabs().lstrip())
        if help_at >= 0 and indent > help_at:
            continue
        help_at = -1
        word, _, rest = stripped.partition(" ")
        word = word.partition("\t")[0]
        if word in ("help", "---help---"):
            help_at = indent
        elif word in ("config", "menuconfig"):
            here = []
            found.append((rest.strip(), [*around, here]))
        elif word == "if":
            around.append([rest])
            here = []
        elif word in _OPENS:
            here = []
            around.append(here)
        elif word in _CLOSES:
            if around:
                around.pop()
            here = []
        elif stripped.startswith("depends on"):
            here.append(stripped.removeprefix("depends on").partition("#")[0])
        elif word in ("comment", "source", "mainmenu"):
            here = []
    for option, blocks in found:
        yield option, tuple(condition for block in blocks for condition in block)
