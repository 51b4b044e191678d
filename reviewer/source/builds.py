# SPDX-License-Identifier: GPL-2.0-or-later
"""Under which configuration options a file is built: what holds in every kernel that has it.

A condition is the name of an option that must be set, ``SMP``, or must not, ``!SMP``.
"""

from __future__ import annotations

import posixpath

from reviewer.source.buildfiles import BuildFiles, Option, negated
from reviewer.source.condition import must_hold

_DEEPEST = 4  # options that stand for another
_NOBODY = frozenset[str]()


class Builds:
    """What Makefiles and Kconfig say of the files of one tree; nothing is said where they cannot be read."""

    def __init__(self, rules: BuildFiles) -> None:
        self._rules = rules
        self._conditions: dict[str, frozenset[str]] = {}

    def conditions(self, path: str) -> frozenset[str]:
        """All that is known to hold where the C file ``path`` is built; of headers nothing is known."""
        if path not in self._conditions:
            folder, name = posixpath.split(path)
            ways = self._rules.ways(folder, name[:-2] + ".o") if path.endswith(".c") else (_NOBODY,)
            self._conditions[path] = self._with_implied(folder, frozenset.intersection(*ways))
        return self._conditions[path]

    def missing(self, path: str) -> int:
        """How many options take the C file ``path`` away."""
        return sum(condition.startswith("!") for condition in self.conditions(path))

    def never_with(self, path: str, option: str) -> bool:
        """Whether the C file ``path`` is not built where ``option`` is set."""
        return f"!{option}" in self.conditions(path)

    def exclusive(self, one: str, other: str) -> bool:
        """Whether no kernel is built of both files."""
        others = self.conditions(other)
        return any(negated(condition) in others for condition in self.conditions(one))

    def _with_implied(self, folder: str, conditions: frozenset[str]) -> frozenset[str]:
        known = set(conditions)
        new = sorted(conditions)
        for _ in range(_DEEPEST):
            implied = {one for option in new if not option.startswith("!") for one in self._implied(folder, option)}
            new = sorted(implied - known)
            known |= implied
        return frozenset(known)

    def _implied(self, folder: str, option: str) -> frozenset[str]:
        """What every definition of ``option`` demands that a file in ``folder`` sees."""
        demanded = [_demanded(defined) for defined in self._rules.options(option, folder)]
        return frozenset.intersection(*demanded) if demanded else _NOBODY


def _demanded(option: Option) -> frozenset[str]:
    """What must hold for ``option``. One without a prompt is what its only default says."""
    conditions = list(option.depends)
    if len(option.defaults) == 1 and not option.asked:
        conditions += option.defaults
    return _NOBODY.union(*map(must_hold, conditions))
