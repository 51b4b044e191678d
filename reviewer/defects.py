# SPDX-License-Identifier: GPL-2.0-or-later
"""What people call the defects that checks find: in subjects, and in the kernel's reports that messages quote."""

from __future__ import annotations

import fnmatch
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from reviewer.errors import CheckError


class _Row(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    says: str
    checks: str


@dataclass(frozen=True, slots=True)
class Defect:
    """A defect: its name in words that follow "fixes", how messages name it, globs over the checks that find it."""

    title: str
    says: re.Pattern[str]
    checks: tuple[str, ...]

    def is_found_by(self, check: str) -> bool:
        """Whether a check finds this defect."""
        return any(fnmatch.fnmatchcase(check, glob) for glob in self.checks)


def load_defects(folder: Path) -> tuple[Defect, ...]:
    """The defects in ``defects.toml`` beside the checks; CheckError names what is wrong with it."""
    path = folder / "defects.toml"
    try:
        rows = msgspec.convert(tomllib.loads(path.read_text("utf-8")), dict[str, list[_Row]])
        return tuple(
            Defect(row.title, re.compile(row.says, re.IGNORECASE), tuple(row.checks.split()))
            for row in rows.get("defect", ())
        )
    except (OSError, ValueError, re.error) as error:
        raise CheckError(f"the table {path} does not load: {error}; mend it or reinstall the program") from error


def named_in(text: str, defects: Sequence[Defect]) -> tuple[Defect, ...]:
    """The defects that a text names."""
    return tuple(defect for defect in defects if defect.says.search(text))
