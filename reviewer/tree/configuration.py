# SPDX-License-Identifier: GPL-2.0-or-later
"""The git configuration that applies in a repository, and which parts of it must not be obeyed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from reviewer.tree.runner import Runner

_FROM_REPOSITORY = ("local", "worktree")

# What git would run or redirect to by order of a repository, with what it is to do instead; patterns are on
# normalised keys. Everything that only hooks, filters or drivers can reach is switched off in runner.py already.
_DANGEROUS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"core\.sshcommand"), "ssh"),
    (re.compile(r"core\.gitproxy"), "none"),
    (re.compile(r"core\.askpass"), "true"),
    (re.compile(r"credential\.(.*\.)?helper"), ""),
    (re.compile(r"remote\..*\.(uploadpack)"), "git-upload-pack"),
    (re.compile(r"remote\..*\.(receivepack)"), "git-receive-pack"),
    (re.compile(r"remote\..*\.(proxy)"), ""),
    (re.compile(r"protocol\.(.*\.)?allow"), "user"),
    (re.compile(r"(diff|merge|filter)\..*\.(driver|command|textconv|clean|smudge|process)"), ""),
    (re.compile(r"gpg\.(.*\.)?program"), "false"),
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One value: ``scope`` is git's (system, global, local, worktree, command), ``value`` None where no = was given."""

    scope: str
    key: str
    value: str | None


@dataclass(frozen=True, slots=True)
class Configuration:
    """All settings in the order in which git reads them; the last one counts."""

    settings: tuple[Setting, ...]

    def get(self, key: str) -> str | None:
        """The last value of ``key``, with ``true`` for a variable that stands without a value."""
        wanted = _normal(key)
        found = [s for s in self.settings if s.key == wanted]
        return (found[-1].value if found[-1].value is not None else "true") if found else None

    def matching(self, pattern: str) -> Iterator[Setting]:
        """The settings whose normalised key matches the whole pattern."""
        return (s for s in self.settings if re.fullmatch(pattern, s.key))

    def overrides(self) -> tuple[tuple[str, str], ...]:
        """Settings that undo what the repository itself orders to run; the user's own choices stay."""
        undone: dict[str, str] = {}
        for setting in self.settings:
            if setting.scope not in _FROM_REPOSITORY:
                continue
            for pattern, harmless in _DANGEROUS:
                if pattern.fullmatch(setting.key):
                    own = [s.value for s in self.settings if s.key == setting.key and s.scope not in _FROM_REPOSITORY]
                    undone[setting.key] = own[-1] or harmless if own else harmless
        return tuple(undone.items())


def read_configuration(runner: Runner) -> Configuration:
    """Read all settings, those of ``git -c`` around a hook included."""
    inherited = {n for n in os.environ if re.fullmatch(r"GIT_CONFIG_(PARAMETERS|COUNT|KEY_\d+|VALUE_\d+)", n)}
    # Listing obeys no setting, so that the neutral ones, which would be listed too, can stay away.
    plain = replace(runner, config=(), inherit=frozenset(inherited | {"GIT_CONFIG_COUNT"}))
    listed = plain.run("config", "--list", "--show-scope", "-z", what="reading the git configuration").stdout
    fields = listed.decode("utf-8", "surrogateescape").split("\0")
    settings = []
    for scope, line in zip(fields[::2], fields[1::2], strict=False):
        key, given, value = line.partition("\n")
        settings.append(Setting(scope, key, value if given else None))
    return Configuration(tuple(settings))


def _normal(key: str) -> str:
    section, _, rest = key.partition(".")
    middle, dot, name = rest.rpartition(".")
    return f"{section.lower()}.{middle}{dot}{name.lower()}"
