# SPDX-License-Identifier: GPL-2.0-or-later
"""Rewrite kernel C, in the same length and with the same lines, into C that a grammar of plain C can read.

Kernel text is full of words that only the preprocessor explains: attribute macros, iteration macros, scoped guards,
types as macro arguments, macros that define functions. What is taken out goes to a side table by byte offset.
"""

from __future__ import annotations

from reviewer.source.arguments import rewrite_arguments
from reviewer.source.attributes import rewrite_attributes
from reviewer.source.definers import rewrite_definers
from reviewer.source.preprocess import Arms, blank_comments_and_strings, choose_arms
from reviewer.source.side import Side
from reviewer.source.statements import rewrite_statements


def bare(text: bytes, wanted: frozenset[int] = frozenset()) -> tuple[bytes, Arms]:
    """A file without comments, the content of strings, directives and the arms that are not read.

    ``wanted`` are 1-based lines whose preprocessor arm is to be read even where it is not the usual one.
    """
    text = blank_comments_and_strings(text)
    return choose_arms(text, wanted) if b"#" in text else (text, Arms())


def rewrite(text: bytes, arms: Arms) -> tuple[bytes, Side]:
    """The rewritten ``text``, which ``bare`` gave with these ``arms`` or is a piece of that, and what was taken out."""
    side = Side(arms=arms)
    if b"(" not in text:
        return text, side
    text = rewrite_attributes(text, side)
    text = rewrite_arguments(text, side)
    text = rewrite_definers(text, side)
    return rewrite_statements(text, side), side


def normalise(text: bytes) -> tuple[bytes, Side]:
    """All of a file, as ``bare`` and ``rewrite`` make it."""
    return rewrite(*bare(text))
