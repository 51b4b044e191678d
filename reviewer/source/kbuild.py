# SPDX-License-Identifier: GPL-2.0-or-later
"""On which architectures a file can be built and its hardware is found, as Makefile and Kconfig say."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cached_property

from reviewer.source.buildfiles import KCONFIG, BuildFiles, Option, Way, joined
from reviewer.source.condition import may_hold
from reviewer.source.files import Files

_SUPPORTS_RT = re.compile(r"^\s+select ARCH_SUPPORTS_RT\b", re.MULTILINE)
_DEFINED = re.compile(r"^[ \t]*(?:menu)?config[ \t]+(\w+)", re.MULTILINE)
_BUILT_ANYWHERE = "COMPILE_TEST"  # a build that is made to be compiled alone: no such hardware runs the code
_CORE = ("init", "kernel", "lib", "mm")
_DEPTH = 8  # options that depend on each other


class Kbuild:
    """What the Makefiles and Kconfig files of a tree say. What cannot be told from them is taken as possible."""

    def __init__(self, files: Files, rules: BuildFiles) -> None:
        self._files = files
        self._rules = rules
        self._never: dict[str, bool] = {}
        self._settable: dict[tuple[str, str, str, int], bool] = {}

    def lacks_rt(self, arch: str) -> bool:
        """Whether ``arch``, a folder of ``arch/``, has no PREEMPT_RT, while other architectures have it."""
        return bool(self._with_rt) and arch not in self._with_rt

    def never_with_rt(self, path: str) -> bool:
        """Whether the C file ``path`` is only for architectures that have no PREEMPT_RT, while others have it."""
        if not path.endswith(".c") or path.startswith("arch/"):
            return False
        if path not in self._never:
            self._never[path] = bool(self._with_rt) and not any(self.is_built(path, arch) for arch in self._with_rt)
        return self._never[path]

    def is_built(self, path: str, arch: str) -> bool:
        """Whether the C file ``path`` may be built into a kernel that runs on ``arch``."""
        folder, name = posixpath.split(path)
        made = name[:-2] + ".o"
        while made != "/":
            if not any(self._is_open(way, folder, arch) for way in self._rules.ways(folder, made)):
                return False
            folder, name = posixpath.split(folder)
            made = name + "/"
        return True

    def _is_open(self, way: Way, folder: str, arch: str) -> bool:
        options = [one for one in way if not one.startswith("!")]
        return all(self._possible(option, folder, arch, _DEPTH) for option in options)

    def _possible(self, option: str, folder: str, arch: str, depth: int) -> bool:
        """Whether ``option``, which a file in ``folder`` asks for, may be set on ``arch``."""
        if option in (_BUILT_ANYWHERE, "n"):
            return False
        owners = self._owners.get(option, frozenset())
        if arch in owners:
            return True
        key = (option, folder, arch, depth)
        if key not in self._settable:
            defined = self._rules.options(option, folder) if depth else []
            met = any(self._is_met(one, folder, arch, depth - 1) for one in defined)
            self._settable[key] = met or not (defined or owners)
        return self._settable[key]

    def _is_met(self, option: Option, folder: str, arch: str, depth: int) -> bool:
        return all(
            may_hold(stated, lambda other: self._possible(other, folder, arch, depth)) for stated in option.depends
        )

    @cached_property
    def _of_architectures(self) -> tuple[tuple[str, str], ...]:
        """Architecture and text of each Kconfig file below ``arch``."""
        return tuple((path.split("/")[1], text) for path, text in self._kconfigs("arch") if path.count("/") > 1)

    def _kconfigs(self, folder: str) -> Iterator[tuple[str, str]]:
        """(path, text) of every Kconfig file below ``folder``."""
        listed = self._files.blobs(folder, ("",))
        wanted = [(path, oid) for path, oid in listed if posixpath.basename(path).startswith(KCONFIG)]
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
        core = [
            self._rules.text("arch/Kconfig"),
            *(text for folder in _CORE for _, text in self._kconfigs(folder)),
        ]
        shared = {option for text in core for option in _DEFINED.findall(text)}
        return {option: frozenset(found) for option, found in owners.items() if option not in shared}
