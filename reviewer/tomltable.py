# SPDX-License-Identifier: GPL-2.0-or-later
"""Read a TOML table that comes with the program as the structure that it is to have."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TypeVar

import msgspec

from reviewer.errors import CheckError

_T = TypeVar("_T")


def read_table(path: Path, form: type[_T]) -> _T:
    """The table ``path`` as a ``form``; CheckError names the file, and the key where one is wrong."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), form)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise CheckError(f"cannot read the table {path}: {error}; mend it or reinstall the program") from error
