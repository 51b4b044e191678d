# SPDX-License-Identifier: GPL-2.0-or-later
"""Turns of phrase that messages have in common: numbers with what they count, and what may have been meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_NEAR: Final = 0.75  # how like two words are that are taken for one
_TELLING: Final = 4  # letters that a word begins with are enough to know it by


def counted(number: int, one: str, many: str = "") -> str:
    """``1 file``, ``2 patches``; ``many`` is for nouns that do not end in s or es, and for more than one word."""
    return f"{number} {one if number == 1 else many or one + ('es' if one.endswith(('ch', 's')) else 's')}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean X?`` with the known word that is most like ``word``; empty where none is near."""
    words = sorted(known)
    begun = [each for each in words if len(word) >= _TELLING and each.startswith(word)]
    found = get_close_matches(word, words, 1, _NEAR) or begun
    return f"; did you mean {found[0]}?" if found else ""
