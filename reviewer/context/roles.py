# SPDX-License-Identifier: GPL-2.0-or-later
"""Handlers that only providers in one role call, as those of a protocol that a controller speaks as a target."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reviewer.context.tables import Api
from reviewer.source.pointers import Instance
from reviewer.source.preprocess import blank_comments_and_strings
from reviewer.source.program import Program

if TYPE_CHECKING:
    from reviewer.context.effects import Effect


class Roles:
    """Answers for the files of ``program``."""

    def __init__(self, program: Program, api: Api) -> None:
        self._program = program
        self._roles = api.roles
        self._other: dict[tuple[str, str], bool] = {}

    def through(self, instance: Instance) -> frozenset[str]:
        """What a call of ``instance`` goes through: its member, and the option of the role that it is for."""
        options = (
            role.option
            for role in self._roles.values()
            if role.member == instance.member and role.option in self._program.builds.conditions(instance.function.path)
        )
        return frozenset((instance.member, *options))

    def rule_out(self, path: str, effect: Effect) -> bool:
        """Whether ``effect`` comes from a handler for a role in which the provider in the file ``path`` never is."""
        return any(option in self._roles and self._is_other(path, option) for option in effect.through)

    def _is_other(self, path: str, option: str) -> bool:
        key = (path, option)
        if key not in self._other:
            role, text = self._roles[option], blank_comments_and_strings(self._program.text(path) or b"")
            said = frozenset(re.findall(rb"\w+", text))
            self._other[key] = path.endswith(".c") and said.isdisjoint(word.encode() for word in role.by)
            self._other[key] &= not said.isdisjoint(word.encode() for word in role.others)
        return self._other[key]
