# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules of the kernel that the program knows of: which checks find breaches, and what they leave."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from reviewer.errors import CheckError
from reviewer.tomltable import read_table


class _Row(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    checks: str = ""
    gap: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule with the ids of the ``checks`` for it. ``gap`` says what they do not find, or why there are none."""

    id: str
    area: str
    title: str
    checks: tuple[str, ...]
    gap: str


def load_catalogue(folder: Path) -> tuple[Rule, ...]:
    """The rules in ``catalogue.toml`` beside the checks, in its order; CheckError names what is wrong with it."""
    path = folder / "catalogue.toml"
    rows = read_table(path, dict[str, dict[str, _Row]])
    rules = tuple(
        Rule(name, area, row.title, tuple(row.checks.split()), row.gap)
        for area, named in rows.items()
        for name, row in named.items()
    )
    for rule in rules:
        if not rule.checks and not rule.gap:
            raise CheckError(f"{path}: {rule.id} has neither checks nor a gap that says why")
    return rules
