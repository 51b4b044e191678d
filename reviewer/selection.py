# SPDX-License-Identifier: GPL-2.0-or-later
"""What the user wants to hear of: words that name it, and words with ``!`` in front for what to leave out.

Without a word that names something, everything is wanted but what is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase


def words(texts: Iterable[str]) -> Iterator[tuple[bool, str]]:
    """(whether it is to be left out, the word) for each word of the texts, between blanks or commas."""
    for text in texts:
        for word in re.split(r"[\s,]+", text):
            name = word.removeprefix("!")
            if name:
                yield name != word, name
            elif word:
                raise ValueError("has a '!' with nothing behind it")


def checked(text: str) -> str:
    """The text, if it can be read; ValueError says what is wrong with it."""
    list(words([text]))
    return text


def wants(texts: Iterable[str], matches: Callable[[str], bool]) -> bool:
    """Whether the texts want the thing that ``matches`` tells of for one word."""
    named: list[bool] = []
    for left_out, word in words(texts):
        if not left_out:
            named.append(matches(word))
        elif matches(word):
            return False
    return any(named) or not named


def wants_path(texts: Iterable[str], path: str) -> bool:
    """The same for the path of a file. A pattern that names a folder means all below it, with or without a slash."""
    return wants(texts, lambda word: covers(word, path) or covers(f"{word.removesuffix('/')}/", path))


def covers(pattern: str, path: str) -> bool:
    """Whether a pattern for paths means this file.

    As in MAINTAINERS, one that ends in ``/`` means all below that folder, and a wildcard stays within one part.
    """
    wanted, parts = pattern.split("/"), path.split("/")
    if not wanted[-1]:  # ended in a slash: all below
        wanted.pop()
        parts = parts[: len(wanted)] if len(parts) > len(wanted) else []
    return len(wanted) == len(parts) and all(map(fnmatchcase, parts, wanted))
