# SPDX-License-Identifier: GPL-2.0-or-later
"""The git configuration that applies in a repository, and which parts of it must not be obeyed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from reviewer.tree.runner import Runner

FROM_REPOSITORY = ("local", "worktree")

# What git would run, or be redirected to, by order of a repository while it fetches for a partial clone, and the
# setting that undoes the order. Patterns are on normalised keys; None is the same key. What hooks, filters and drivers
# could do is switched off by runner.py and by the options of each command.
_DANGEROUS: tuple[tuple[re.Pattern[str], str | None, str], ...] = (
    (re.compile(r"core\.sshcommand"), None, "ssh"),
    (re.compile(r"core\.askpass"), None, "true"),
    (re.compile(r"core\.gitproxy"), "protocol.git.allow", "never"),
    (re.compile(r"credential\.(.*\.)?helper"), None, ""),
    (re.compile(r"remote\..*\.proxy"), None, ""),
    (re.compile(r"protocol\.((?!ext\.).*\.)?allow"), None, "user"),
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
        undone: list[tuple[str, str]] = []
        for key in dict.fromkeys(s.key for s in self.settings if s.scope in FROM_REPOSITORY):
            for pattern, instead, harmless in _DANGEROUS:
                if pattern.fullmatch(key):
                    own = [s.value for s in self.settings if s.key == key and s.scope not in FROM_REPOSITORY]
                    undone.append((instead or key, harmless))
                    undone += [(key, value) for value in own if value is not None and instead is None]
        return tuple(undone)


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
