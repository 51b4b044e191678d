# SPDX-License-Identifier: GPL-2.0-or-later
"""Names, patterns and sections of a TOML table, taken apart; an error names the file and the key."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from reviewer.errors import CheckError

_NAME = re.compile(r"[A-Za-z_]\w*")
_T = TypeVar("_T")


class TableReader:
    """Takes the table ``name`` of ``folder`` apart. Every method raises CheckError for what makes no sense."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"{name}.toml"

    def wrong(self, key: str, what: str) -> CheckError:
        """The error that says ``what`` is wrong with the value of ``key``."""
        return CheckError(f"{self._path}: {key}: {what}; mend the table, or reinstall the program if it is not yours")

    def words(self, key: str, text: str) -> list[str]:
        """The names in ``text``, each of which is to be a C identifier and to stand there once."""
        found = text.split()
        for word in found:
            if not _NAME.fullmatch(word):
                raise self.wrong(key, f"{word!r} is not a name")
            if found.count(word) > 1:
                raise self.wrong(key, f"{word} stands there twice")
        return found

    def names(self, key: str, text: str) -> frozenset[str]:
        """The same as a set."""
        return frozenset(self.words(key, text))

    def pattern(self, key: str, *patterns: str) -> re.Pattern[str]:
        """One pattern that matches where one of ``patterns`` does."""
        for text in patterns:
            try:
                re.compile(text)
            except re.error as error:
                raise self.wrong(key, f"{text!r} is not a regular expression: {error}") from error
        return re.compile("|".join(patterns))

    def once(self, found: Iterable[tuple[str, str, _T]]) -> dict[str, _T]:
        """Name to value of triples (key, name, value); a name under two keys is an error."""
        values: dict[str, _T] = {}
        keys: dict[str, str] = {}
        for key, name, value in found:
            if name in values:
                raise self.wrong(key, f"{name} stands in {keys[name]} already")
            keys[name], values[name] = key, value
        return values

    def by_key(self, section: str, values: Mapping[str, str] | msgspec.Struct) -> dict[str, str]:
        """Name to the key of ``section`` under which it stands."""
        lists = msgspec.structs.asdict(values) if isinstance(values, msgspec.Struct) else values
        return self.once(
            (f"{section}.{key}", name, key)
            for key, names in lists.items()
            for name in self.words(f"{section}.{key}", names)
        )
